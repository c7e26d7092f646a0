"""Variables: construction, every assign and scatter, sequences of them."""

from benchmarks.agreement import syntax
from benchmarks.agreement.draw import ANY, NUMERIC, Draw
from benchmarks.agreement.scenarios.body import Item, Items, item
from benchmarks.agreement.syntax import Expression, Statement

SEQUENCES = 8
V = syntax.ref('v')


def constructions(seed: int) -> Items:
    """Constructor arguments, right and wrong, and the attributes that result."""
    initials: list[Expression] = [
        1, 1.5, True, ['complex', 0.0, 1.0], 'a', syntax.listed(), syntax.listed(1, 2.5), 2**40,
        2**70, None, syntax.listed(syntax.listed(1), syntax.listed(1, 2)), syntax.listed(1, 'a'),
        syntax.array('float64', [2], [1.0, 2.0]), syntax.array('float16', [], [1.0]),
        syntax.array('bool', [2], [True, False]), syntax.tensor('int8', [2], [1, 2]),
        syntax.variable('float32', [2], [1.0, 2.0]), syntax.mapping(a=1),
        syntax.function([], syntax.tensor('float32', [1], [3.0])),
        syntax.listed(syntax.tensor('float32', [], [1.0]), 2.0),
        syntax.listed(True, False), syntax.grouped(1, 2), syntax.listed('a', 'b'),
    ]  # fmt: skip
    keywords: list[dict[str, Expression]] = [
        {}, {'dtype': syntax.dtype('float64')}, {'dtype': 'int32'}, {'dtype': 'nope'},
        {'shape': syntax.listed(2)}, {'shape': syntax.listed(3)}, {'shape': syntax.listed(None)},
        {'trainable': False}, {'name': 'w'}, {'name': 5}, {'constraint': 5}, {'name': 'a/b'},
        {'shape': syntax.call('TensorShape', None)}, {'synchronization': 'x'},
        {'validate_shape': False},
    ]  # fmt: skip
    for initial in initials:
        yield _observed(syntax.call('Variable', initial), 'initial')
        for chosen in ('float32', 'int64'):
            made = syntax.call('Variable', initial, dtype=syntax.dtype(chosen))
            yield _observed(made, 'initial_dtype')
    for given in keywords:
        made = syntax.call('Variable', syntax.listed(1.0, 2.0), **given)
        yield _observed(made, 'keyword')
    yield _observed(syntax.call('Variable'), 'keyword')
    for dtype in ANY:
        for at in range(3):
            draw = Draw(f'{seed}/made/{dtype}/{at}')
            shape = draw.shape()
            yield _observed(syntax.variable(dtype, shape, draw.values(dtype, shape)), 'made', dtype)


def _observed(made: Expression, row: str, dtype: str = 'float32') -> Item:
    seen = [syntax.attribute(V, name) for name in ('dtype', 'shape', 'name', 'trainable')]
    readers = [syntax.method(V, name) for name in ('read_value', 'value', 'is_initialized')]
    return item(row, dtype, [syntax.let('v', made)], syntax.listed(V, *seen, *readers))


def assigns(seed: int) -> Items:
    """Assigns of host data and values of every kind, each on a fresh variable."""
    given: list[Expression] = [
        syntax.listed(4.0, 5.0, 6.0), syntax.listed(4, 5, 6), syntax.grouped(1, 2, 3),
        syntax.listed(True, False, True), syntax.array('float64', [3], [1.0, 2.0, 3.0]),
        syntax.array('int64', [3], [1, 2, 3]), syntax.array('bool', [3], [True, False, True]),
        syntax.tensor('float32', [3], [7.0, 8.0, 9.0]), syntax.tensor('int32', [3], [7, 8, 9]),
        syntax.tensor('float64', [3], [7.0, 8.0, 9.0]), syntax.listed(1.0, 2.0), 1.0,
        syntax.variable('float32', [3], [1.0, 2.0, 3.0]), syntax.listed(1.0), 'x', None,
        syntax.variable('float64', [3], [1.0, 2.0, 3.0]), V, syntax.index(V, syntax.span(None,
        None, -1)), syntax.listed(syntax.tensor('float32', [], [1.0]), 2.0, 3.0),
        syntax.listed(syntax.listed(1.0, 2.0, 3.0)), syntax.operator('+', V, V),
        syntax.listed(1.0, syntax.listed(2.0), 3.0), ['complex', 1.0, 2.0],
    ]  # fmt: skip
    for dtype in ('float32', 'int32', 'float16', 'bool', 'complex64', 'string'):
        draw = Draw(f'{seed}/assigns/{dtype}')
        start = syntax.variable(dtype, [3], draw.values(dtype, [3]))
        for name in ('assign', 'assign_add', 'assign_sub'):
            for value in given:
                if name != 'assign' and dtype in ('float16', 'string') and draw.chance(0.7):
                    continue
                write = syntax.attempt(syntax.method(V, name, value))
                yield item(name, dtype, [syntax.let('v', start), syntax.let('r', write)],
                           syntax.listed(syntax.ref('r'), V))  # fmt: skip


def sequences(seed: int) -> Items:
    """Several writes of one variable with reads kept in between."""
    for dtype in ANY:
        for at in range(SEQUENCES):
            draw = Draw(f'{seed}/sequence/{dtype}/{at}')
            shape = draw.shape()
            steps = [syntax.let('v', syntax.variable(dtype, shape, draw.values(dtype, shape)))]
            kept = []
            for step in range(draw.integer(1, 5)):
                steps.append(syntax.let(f'r{step}', _write(draw, dtype, shape)))
                if draw.chance(0.5):
                    steps.append(syntax.let(f'k{step}', _read(draw)))
                    kept.append(syntax.ref(f'k{step}'))
                kept.append(syntax.ref(f'r{step}'))
            yield item('sequence', dtype, steps, syntax.listed(*kept, V), 8)


def _read(draw: Draw) -> Expression:
    return draw.choose([
        syntax.method(V, 'read_value'), syntax.method(V, 'value'), syntax.method(V, 'numpy'),
        syntax.call('identity', V), syntax.call('convert_to_tensor', V),
    ])  # fmt: skip


def _write(draw: Draw, dtype: str, shape: list[int]) -> Expression:
    names = ['assign', 'assign_add', 'assign_sub'] if dtype in NUMERIC else ['assign']
    value = draw.tensor(dtype, shape) if draw.chance(0.7) else draw.host(dtype, shape)
    written = syntax.method(V, draw.choose(names), value)
    return syntax.attempt(written) if draw.chance(0.3) else written


def scatters(seed: int) -> Items:
    """Every scatter method, with duplicates and with bad rows."""
    slices = ('update', 'add', 'sub', 'mul', 'div', 'min', 'max')
    for dtype in ANY:
        for name in slices:
            for at in range(2):
                draw = Draw(f'{seed}/scatter/{dtype}/{name}/{at}')
                yield _scatter(
                    draw, dtype, f'scatter_{name}', unique=name in ('update',), far=at == 1
                )
        for name in ('update', 'add', 'sub', 'min', 'max'):
            for at in range(2):
                draw = Draw(f'{seed}/scatter_nd/{dtype}/{name}/{at}')
                yield _scatter_nd(draw, dtype, f'scatter_nd_{name}', name == 'update', far=at == 1)
        draw = Draw(f'{seed}/read/{dtype}')
        rows_ = draw.integers(draw.shape(0, 2), 0, 2)
        made = syntax.let('v', syntax.variable(dtype, [3, 2], draw.values(dtype, [3, 2])))
        yield item('sparse_read', dtype, [made], syntax.method(V, 'sparse_read', rows_))
        yield item('gather_nd', dtype, [made],
                   syntax.method(V, 'gather_nd', draw.integers([2, 2], 0, 1)))  # fmt: skip


def _scatter(draw: Draw, dtype: str, name: str, unique: bool, far: bool) -> Item:
    shape = [draw.integer(2, 4), *draw.shape(0, 1)]
    count = draw.integer(1, shape[0])
    chosen = draw.random.sample(range(shape[0]), count)
    if not unique:
        chosen = [draw.integer(0, shape[0] - 1) for _ in range(count)]
    if far and draw.chance(0.2):
        chosen[-1] = draw.choose([-1, shape[0]])
    indices = syntax.tensor(draw.index_dtype(), [count], chosen)
    values = draw.tensor(dtype, [count, *shape[1:]], 'positive')
    slices = syntax.call('IndexedSlices', values, indices)
    return _written(draw, dtype, shape, syntax.method(V, name, slices), 'scatter')


def _scatter_nd(draw: Draw, dtype: str, name: str, unique: bool, far: bool) -> Item:
    shape = [draw.integer(2, 4), draw.integer(1, 3)]
    chosen = draw.random.sample(range(shape[0]), 2)
    if not unique and draw.chance(0.4):
        chosen[1] = chosen[0]
    if far and draw.chance(0.2):
        chosen[-1] = draw.choose([-1, shape[0]])
    indices = syntax.tensor(draw.index_dtype(), [2, 1], chosen)
    updates = draw.tensor(dtype, [2, shape[1]], 'positive')
    return _written(draw, dtype, shape, syntax.method(V, name, indices, updates), 'scatter_nd')


def _written(draw: Draw, dtype: str, shape: list[int], write: Expression, row: str) -> Item:
    made = syntax.variable(dtype, shape, draw.values(dtype, shape))
    steps: list[Statement] = [syntax.let('v', made), syntax.let('r', syntax.attempt(write))]
    return item(row, dtype, steps, syntax.listed(syntax.ref('r'), V), 8)


def oddities(seed: int) -> Items:
    """Misuse, and the smaller methods."""
    made = syntax.let('v', syntax.variable('float32', [3], [1.0, 2.0, 3.0]))
    method, attribute = syntax.method, syntax.attribute
    results: list[Expression] = [
        method(V, 'scatter_add', syntax.listed(1.0)), method(V, 'assign'), method(V, 'foo'),
        method(V, 'assign', syntax.listed(1.0, 2.0, 3.0), validate_shape=False),
        method(V, 'assign', syntax.listed(1.0, 2.0, 3.0), read_value=False),
        method(method(V, 'assign_add', syntax.listed(1.0, 1.0, 1.0)), 'assign_sub', V),
        method(V, 'set_shape', syntax.listed(4)), method(V, 'get_shape'), method(V, 'eval'),
        method(V, 'count_up_to', 3), attribute(V, 'initializer'), attribute(V, 'graph'),
        attribute(V, 'op'), attribute(V, 'initial_value'), attribute(V, 'ndim'),
        attribute(V, 'constraint'), attribute(V, 'T'),
        attribute(V, 'synchronization'), method(V, 'read_value_no_copy'),
        syntax.operator('is', method(method(V, 'ref'), 'deref'), V),
        syntax.operator('==', method(V, 'ref'), method(V, 'ref')), method(V, 'to_proto'),
        method(syntax.index(V, 0), 'assign_add', 1.0), syntax.operator('[:]=', V, 0, 1.0),
        syntax.operator('==', attribute(V, 'dtype'), 'float32'),
        syntax.operator('==', attribute(V, 'shape'), syntax.grouped(3)),
        syntax.call('is_tensor', V), syntax.operator('in', V, syntax.listed(V)),
    ]  # fmt: skip
    for result in results:
        yield item('odd', 'float32', [made], result)


def programs(seed: int) -> Items:
    """All programs with variables."""
    yield from constructions(seed)
    yield from assigns(seed)
    yield from sequences(seed)
    yield from scatters(seed)
    yield from oddities(seed)
