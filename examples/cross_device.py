"""Operands on different devices: copies on demand, replicas, guards and budgets."""

import tensorvar as tv


def main() -> None:
    """Reads a CPU variable on the GPU in several ways, and counts the copies."""
    if not tv.config.list_physical_devices('GPU'):
        tv.config.simulate_gpus(1)
        print('(no GPU here: GPU:0 is simulated)')

    with tv.device('CPU:0'):
        weights = tv.Variable(tv.random.normal([256, 256]), name='weights')
        on_cpu = tv.ones([256, 256])
    with tv.device('GPU:0'):
        images = tv.ones([8, 256])

    print('A variable is copied once per version; later reads find its replica:')
    with tv.device('GPU:0'), tv.debugging.record_placement() as log:
        for _ in range(1000):
            images @ weights
        print(told(log))
        weights.assign_add(on_cpu)
        images @ weights
        print('after a write:', told(log))

    print('\nA plain tensor has no replica and is copied each time:')
    with tv.device('GPU:0'), tv.debugging.record_placement() as log:
        for _ in range(10):
            images @ on_cpu
        print(told(log))

    print('\nA guard refuses copies that nobody asked for, and says which:')
    try:
        with tv.transfer_guard('disallow'), tv.device('GPU:0'):
            images @ on_cpu
    except tv.errors.TransferError as error:
        print(error)

    print('\nA budget lets some pass:')
    try:
        with tv.transfer_guard(budget='1MiB') as guard, tv.device('GPU:0'):
            while True:
                images @ on_cpu
    except tv.errors.TransferError as error:
        print(f'after {guard.used:,} bytes: {error}')

    print('\nCopied once, by asking for it, every step is free of copies:')
    with tv.device('GPU:0'):
        on_gpu = tv.identity(on_cpu)
        with tv.transfer_guard('disallow'), tv.debugging.record_placement() as log:
            for _ in range(10):
                images @ on_gpu
    log.assert_no_copies()
    print(told(log))


def told(log: tv.debugging.PlacementLog) -> str:
    """The copies of a recording in one line."""
    made = [copy for copy in log.copies if not copy.cached]
    saved = len(log.copies) - len(made)
    nbytes = sum(copy.nbytes for copy in made)
    return f'copies: {len(made)} ({nbytes:,} bytes); saved by replicas: {saved}'


if __name__ == '__main__':
    main()
