"""Variables on the CPU, operations on the GPU: who decides, and how to see it."""

import logging
import sys

import tensorvar as tv


def main() -> None:
    """Runs a few operations with the placement log on, then asks a recording."""
    if not tv.config.list_physical_devices('GPU'):
        tv.config.simulate_gpus(1)
        print('(no GPU here: GPU:0 is simulated)')

    with tv.device('CPU:0'):
        weights = tv.Variable([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]], name='weights')
        bias = tv.Variable([0.5, -0.5], name='bias')

    # Without this the lines go to standard error.
    logging.basicConfig(format='  %(message)s', level=logging.INFO, stream=sys.stdout)
    print('operation, shapes, dtype -> device  [reason, line of this file]  what was copied:')
    tv.debugging.set_log_device_placement(True)
    with tv.device('GPU:0'):
        images = tv.constant([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])
        result = images @ weights + bias  # explicit: the scope says GPU:0
    total = tv.reduce_sum(result)  # inputs: its input lies on GPU:0
    bias.assign_sub([0.1, 0.1])  # variable: it runs where the variable lives
    for _ in range(100):
        total = total * 1.0  # repeats are counted, not repeated
    tv.debugging.set_log_device_placement(False)

    print('\nThe values did not notice:')
    print('total is', round(float(total.numpy()), 3), 'and lives on', total.device)
    print('weights live on', weights.device)

    print('\nA device that is not there falls back to the CPU, and says so:')
    with tv.device('GPU:7', fallback='silent'), tv.debugging.record_placement() as log:
        tv.square([1.0, 2.0])
    record = log.records[-1]
    print(f'{record.op} ran on {record.device}, {record.reason}: {record.note}')

    print('\nThe same, if it must not be missing:')
    try:
        with tv.device('GPU:7', fallback='error'):
            tv.square([1.0, 2.0])
    except tv.errors.InvalidArgumentError as error:
        print(error)


if __name__ == '__main__':
    main()
