"""How many examples hypothesis draws, as a share of what the profile says.

A number of its own would hold for ``make soak`` too, which is to draw thousands.
"""

import hypothesis


def share(part: float) -> hypothesis.settings:
    """Settings with a share of the profile's examples."""
    return hypothesis.settings(max_examples=round(part * hypothesis.settings().max_examples))
