"""Python operators and protocols of tensors and variables."""

from benchmarks.agreement import syntax
from benchmarks.agreement.draw import ANY, COMPLEX, Draw
from benchmarks.agreement.scenarios.body import Items, item
from benchmarks.agreement.syntax import Expression

ARITHMETIC = ('+', '-', '*', '/', '//', '%', '**')
BITWISE = ('&', '|', '^')
COMPARISONS = ('<', '<=', '>', '>=', '==', '!=')
OTHERS: tuple[Expression, ...] = (
    2, 2.5, True, ['complex', 1.0, 1.0], 'a', None, 2**40, syntax.array('float64', [2], [1.5, 2.0]),
    syntax.array('int64', [2], [1, 2]), syntax.array('float32', [], [2.0]), syntax.listed(1, 2),
    syntax.listed(1.5, 2.0), syntax.tensor('float64', [2], [1.0, 2.0]),
    syntax.tensor('int32', [2], [1, 2]), syntax.variable('float16', [2], [1.0, 2.0]),
    syntax.tensor('float32', [3], [1.0, 2.0, 3.0]), syntax.mapping(),
)  # fmt: skip


def same_dtype(seed: int) -> Items:
    """Two operands of one dtype that broadcast."""
    for symbol in (*ARITHMETIC, *BITWISE, *COMPARISONS):
        for dtype in ANY:
            draw = Draw(f'{seed}/operator/{symbol}/{dtype}')
            if dtype == 'string' and symbol not in ('+', '==', '!=', '<'):
                continue
            shape = draw.shape()
            first = draw.tensor(dtype, shape, 'positive')
            second = draw.tensor(dtype, draw.shape_like(shape), 'positive')
            yield item(symbol, dtype, [], syntax.operator(symbol, first, second), 16)
    for symbol in ('neg', 'abs', 'invert', 'pos'):
        for dtype in ANY:
            value = Draw(f'{seed}/unary/{symbol}/{dtype}')
            operand = value.tensor(dtype, value.shape())
            yield item(symbol, dtype, [], syntax.operator(symbol, operand))


def mixed(seed: int) -> Items:
    """A tensor or variable with numbers, arrays, lists and other dtypes, both ways round."""
    for dtype in ('float32', 'int32', 'complex64', 'bool', 'bfloat16'):
        for other in OTHERS:
            draw = Draw(f'{seed}/mixed/{dtype}/{other}')
            make = syntax.variable if draw.chance(0.4) else syntax.tensor
            value = make(dtype, [2], draw.values(dtype, [2], 'positive'))
            symbols = [draw.choose(ARITHMETIC), draw.choose(COMPARISONS)]
            if dtype not in COMPLEX:
                symbols.append('+')
            for symbol in symbols:
                yield item('mixed', dtype, [], syntax.operator(symbol, value, other), 16)
                yield item('reflected', dtype, [], syntax.operator(symbol, other, value), 16)


def protocols(seed: int) -> Items:
    """bool, int, len, iteration and the like."""
    names = ('bool', 'int', 'float', 'complex', 'len', 'list', 'hash', 'index', 'ndarray', 'round')
    values: list[tuple[str, list[int]]] = [
        ('float32', []), ('float32', [1]), ('float32', [2]), ('int32', []), ('int32', [2, 2]),
        ('bool', []), ('bool', [2]), ('string', []), ('complex64', []), ('int64', [0]),
    ]  # fmt: skip
    for dtype, shape in values:
        for make in (syntax.tensor, syntax.variable):
            draw = Draw(f'{seed}/protocol/{dtype}/{shape}')
            value = make(dtype, shape, draw.values(dtype, shape, 'positive'))
            for name in names:
                if name == 'hash' and make is syntax.tensor:
                    continue
                if name == 'ndarray' and shape == []:
                    continue
                yield item(name, dtype, [], syntax.operator(name, value))
    matrix = syntax.tensor('float32', [2, 2], [1.0, 2.0, 3.0, 4.0])
    vector = syntax.tensor('float32', [3], [1.0] * 3)
    host = syntax.array('float32', [2, 2], [1.0] * 4)
    for symbol, other in (('@', matrix), ('@', 2), ('@', vector), ('@', host), ('<<', 1)):
        yield item('matmul', 'float32', [], syntax.operator(symbol, matrix, other))
        yield item('matmul', 'float32', [], syntax.operator(symbol, other, matrix))


def attributes(seed: int) -> Items:
    """Attributes and methods of tensors."""
    value = syntax.tensor('float32', [2, 3], [1.0, 2.0, 3.0, 4.0, 5.0, 6.0])
    for name in ('dtype', 'shape', 'ndim', 'T', 'size', 'name', 'graph', 'op', 'foo'):
        yield item('attribute', 'float32', [], syntax.attribute(value, name))
    for name in (
        'get_shape',
        'numpy',
        'ref',
        'consumers',
        'cpu',
        'gpu',
        'item',
        'tolist',
        'astype',
    ):
        yield item('method', 'float32', [], syntax.method(value, name))
    yield item('setitem', 'float32', [], syntax.operator('[:]=', value, 0, 1.0))
    for given in (syntax.listed(2, None), syntax.listed(3, 3)):
        yield item('set_shape', 'float32', [], syntax.method(value, 'set_shape', given))


def programs(seed: int) -> Items:
    """All programs with operators."""
    yield from same_dtype(seed)
    yield from mixed(seed)
    yield from protocols(seed)
    yield from attributes(seed)
