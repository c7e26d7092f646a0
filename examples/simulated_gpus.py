"""Two GPUs on any machine: placement, copies and full memory as on cards."""

import tensorvar as tv


def main() -> None:
    """Splits work over two simulated GPUs, fills one, and recovers."""
    tv.config.simulate_gpus(2, memory_limit='1MiB')
    for device in tv.config.list_logical_devices():
        print(device)

    print('\nHalf of the rows on each GPU, the sum on the first:')
    with tv.device('CPU:0'):
        rows = tv.reshape(tv.range(8.0), [4, 2])
    with tv.debugging.record_placement() as log:
        parts = []
        for index, half in enumerate(tv.split(rows, 2)):
            with tv.device(f'GPU:{index}'):
                parts.append(tv.reduce_sum(half**2))
        with tv.device('GPU:0'):
            total = tv.add_n(parts)
    print('sum of squares', total.numpy(), 'on', total.device)
    for copy in log.copies:
        print(f'  {copy.op} copied {copy.nbytes} B {copy.source} -> {copy.destination}')

    print('\nA simulated GPU keeps its memory to itself, as a card does:')
    print('GPU:0', tv.config.get_memory_info('GPU:0'))
    print('GPU:1', tv.config.get_memory_info('GPU:1'))

    print('\nIt can be full. The error says who holds the memory:')
    with tv.device('GPU:1'):
        big = tv.Variable(tv.zeros([100_000]), name='big')
        try:
            tv.Variable(tv.zeros([100_000]), name='second')
        except tv.errors.ResourceExhaustedError as error:
            print(error)
        print('\nThe next operation that fits works:', tv.reduce_sum(big + 1.0).numpy())

    print('\nFaults can be tested, too. Half-done writes do not exist:')
    with tv.testing.fail('GPU:1', 'allocate'):
        try:
            big.assign(big * 2.0 + 1.0)
        except tv.errors.ResourceExhaustedError as error:
            print(f'{type(error).__name__}: {str(error).splitlines()[0]}')
    print('largest value of big:', tv.reduce_max(big).numpy())


if __name__ == '__main__':
    main()
