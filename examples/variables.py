"""A variable: a mutable value with a name, on a device of your choice."""

import tensorvar as tv


def main() -> None:
    """Makes variables, writes to them, looks at them, moves one."""
    if not tv.config.list_physical_devices('GPU'):
        tv.config.simulate_gpus(1)
        print('(no GPU here: GPU:0 is simulated)')

    with tv.device('CPU:0'), tv.name_scope('layer'):
        weights = tv.Variable([[1.0, 2.0], [3.0, 4.0]], name='weights')
        counter = tv.Variable(0, trainable=False, name='counter')
    print(weights)
    print('lives on', weights.device)

    print('\nWrites are in place, whole or in part, and return the variable:')
    print(weights.assign_add([[10.0, 10.0], [10.0, 10.0]]).numpy().tolist())
    print(weights[0].assign([0.0, 0.0]).numpy().tolist())
    print(weights.scatter_nd_update([[1, 1]], [99.0]).numpy().tolist())

    print('\nA value taken before a write stays as it was:')
    before = weights.read_value()
    weights.assign(tv.zeros_like(weights))
    print(before.numpy().tolist(), 'then', weights.numpy().tolist())

    print('\nA write that would damage values is refused, and nothing changes:')
    for value in (2**40, 1.5):
        try:
            counter.assign(value)
        except tv.errors.InvalidArgumentError as error:
            print(error)
    print('counter is still', counter.numpy())

    print('\nupdate() reads and writes as one step among threads:')
    print(counter.update(lambda value: value * 2 + 1).numpy())

    print('\nA variable moves and stays the same object, with its name:')
    weights.to_device('GPU:0')
    print(weights.name, 'lives on', weights.device)

    print('\nEvery living variable, and the line that made it:')
    for row in tv.debugging.live_variables():
        made = row.created.rpartition('/')[2]
        print(f'{row.name:18} {row.shape:8} {row.dtype:8} {row.nbytes:3} B  {row.device}  {made}')


if __name__ == '__main__':
    main()
