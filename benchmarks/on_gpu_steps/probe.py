"""Prints as JSON what the card is called, or why there is none.

In a process of its own, so that whatever is wrong with a driver or a package leaves
the run standing.
"""

import json

import tensorvar as tv

if __name__ == '__main__':
    why = tv.config.why_no_gpu()
    cards = [] if why else tv.config.list_physical_devices('GPU')
    name = tv.config.get_device_details(cards[0])['device_name'] if cards else ''
    print(json.dumps({'why': why, 'chip': name}))
