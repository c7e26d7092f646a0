"""Reading and writing parts of tensors and variables with ``[]``."""

from benchmarks.agreement import syntax
from benchmarks.agreement.draw import ANY, Draw
from benchmarks.agreement.scenarios.body import Items, item
from benchmarks.agreement.syntax import Expression

COUNT = 14
ASSIGNS = 10


def key(draw: Draw, shape: list[int], far: float = 0.04) -> Expression:
    """An index into a shape: numbers, slices, an ellipsis, new axes, scalar tensors."""
    parts: list[Expression] = []
    for size in shape[: draw.integer(0, len(shape))]:
        parts.append(_part(draw, size, far))
    if draw.chance(0.2):
        parts.append(['ellipsis'])
    elif len(parts) == len(shape) and draw.chance(0.05):
        parts.append(0)
    if draw.chance(0.2):
        parts.insert(draw.integer(0, len(parts)), None)
    if not parts:
        return ['ellipsis']
    return parts[0] if len(parts) == 1 and draw.chance(0.7) else syntax.grouped(*parts)


def _part(draw: Draw, size: int, far: float) -> Expression:
    if size and draw.chance(0.4):
        at = draw.integer(-size, size - 1)
        if draw.chance(far):
            at = size + draw.integer(0, 2)
        return draw.integers([], at, at, draw.index_dtype()) if draw.chance(0.15) else at
    start = draw.choose([None, None, draw.integer(-3, 3)])
    stop = draw.choose([None, None, draw.integer(-3, 4)])
    return syntax.span(start, stop, draw.choose([None, None, 1, 2, -1, -2]))


def reads(seed: int) -> Items:
    """Random indices of tensors and variables of every dtype."""
    for dtype in ANY:
        for at in range(COUNT):
            draw = Draw(f'{seed}/index/{dtype}/{at}')
            shape = [max(size, 1) for size in draw.shape(1)]
            make = syntax.variable if draw.chance(0.4) else syntax.tensor
            value = make(dtype, shape, draw.values(dtype, shape))
            yield item('read', dtype, [], syntax.index(value, key(draw, shape)))


def masks(seed: int) -> Items:
    """Boolean masks as indices, and what is no index."""
    for dtype in ('float32', 'float64', 'int32', 'int64', 'bool', 'complex64'):
        for at in range(4):
            draw = Draw(f'{seed}/mask/{dtype}/{at}')
            shape = draw.shape(1)
            value = draw.tensor(dtype, shape)
            mask = draw.tensor('bool', shape[: draw.integer(1, len(shape))])
            yield item('mask', dtype, [], syntax.index(value, mask))
    draw = Draw(f'{seed}/odd')
    value = draw.tensor('float32', [3, 2])
    odd = [1.0, 'a', syntax.listed(0, 2), syntax.array('int64', [2], [0, 2]), True,
           syntax.span(0.5, None), syntax.grouped(0, 0, 0), syntax.grouped(['ellipsis'],
           ['ellipsis']), syntax.tensor('float32', [], [1.0]), 5, syntax.span(None, None, 0),
           syntax.tensor('int32', [2], [0, 1]), None, -3, -4]  # fmt: skip
    for index in odd:
        yield item('odd', 'float32', [], syntax.index(value, index))
    yield item('scalar', 'float32', [], syntax.index(syntax.tensor('float32', [], [1.0]), 0))


def writes(seed: int) -> Items:
    """Sliced assigns of numbers, arrays and tensors; some are wrong."""
    for dtype in ANY:
        for at in range(ASSIGNS):
            draw = Draw(f'{seed}/sliced/{dtype}/{at}')
            shape = [max(size, 1) for size in draw.shape(1)]
            first = syntax.let('v', syntax.variable(dtype, shape, draw.values(dtype, shape)))
            chosen = key(draw, shape, far=0.02)
            part = syntax.index(syntax.ref('v'), chosen)
            scalar = draw.value(dtype)
            given = (
                syntax.tensor(dtype, [], [scalar])
                if isinstance(scalar, list) or draw.chance(0.3)
                else scalar
            )
            if draw.chance(0.4):
                given = syntax.operator('+', part, part)
                if dtype == 'bool':
                    given = syntax.call('math.logical_not', part)
            if draw.chance(0.08):
                given = draw.choose([draw.tensor('float64', []), draw.tensor(dtype, [7])])
            write = syntax.let('r', syntax.attempt(syntax.method(part, 'assign', given)))
            yield item('write', dtype, [first, write],
                       syntax.listed(syntax.ref('r'), syntax.ref('v')))  # fmt: skip


def slice_gradients(seed: int) -> Items:
    """Gradients through an index."""
    for at in range(24):
        draw = Draw(f'{seed}/slicegradient/{at}')
        dtype = draw.choose(['float32', 'float64'])
        shape = [max(size, 1) for size in draw.shape(1)]
        value = syntax.let('v', syntax.variable(dtype, shape, draw.values(dtype, shape)))
        part = syntax.index(syntax.ref('v'), key(draw, shape, far=0))
        inner = syntax.block(
            syntax.call('GradientTape'), 'tape', syntax.let('y', syntax.operator('*', part, part))
        )
        gradient = syntax.method(syntax.ref('tape'), 'gradient', syntax.ref('y'), syntax.ref('v'))
        yield item('gradient', dtype, [value, inner], gradient)


def programs(seed: int) -> Items:
    """All programs with ``[]``."""
    yield from reads(seed)
    yield from masks(seed)
    yield from writes(seed)
    yield from slice_gradients(seed)
