"""Gradients of random expressions."""

from benchmarks.agreement import syntax
from benchmarks.agreement.draw import Draw
from benchmarks.agreement.scenarios.body import Items, item
from benchmarks.agreement.syntax import Expression

COUNT = 220
UNARY = ('math.sin', 'math.cos', 'math.tanh', 'math.sigmoid', 'math.softplus', 'math.square',
         'math.negative', 'nn.relu', 'nn.elu', 'math.atan', 'math.erf', 'nn.softmax',
         'nn.log_softmax', 'math.softsign', 'nn.silu', 'identity', 'stop_gradient')  # fmt: skip
BINARY = ('math.add', 'math.subtract', 'math.multiply', 'math.maximum', 'math.minimum',
          'math.squared_difference', 'math.multiply_no_nan', 'math.atan2')  # fmt: skip
REDUCTIONS = ('math.reduce_sum', 'math.reduce_mean', 'math.reduce_max', 'math.reduce_logsumexp')


def expression(draw: Draw, depth: int, leaves: list[Expression]) -> Expression:
    """A random tree over square matrices; every value stays moderate."""
    if depth == 0:
        return draw.choose(leaves)
    kind = draw.integer(0, 9)
    first = expression(draw, depth - 1, leaves)
    if kind <= 3:
        return syntax.call(draw.choose(UNARY), first)
    if kind <= 6:
        return syntax.call(draw.choose(BINARY), first, expression(draw, depth - 1, leaves))
    if kind == 7:
        second = expression(draw, depth - 1, leaves)
        product = syntax.call('linalg.matmul', first, second, transpose_b=draw.chance(0.5))
        return syntax.call('math.tanh', product)
    if kind == 8:
        return syntax.call('math.multiply', first, syntax.call('math.sin', _reshaped(draw, first)))
    axis = draw.choose([0, 1, -1])
    reduced = syntax.call(draw.choose(REDUCTIONS), first, axis=axis, keepdims=True)
    return syntax.call('math.subtract', first, reduced)


def _reshaped(draw: Draw, value: Expression) -> Expression:
    return draw.choose([
        syntax.call('transpose', value), syntax.call('reverse', value, syntax.listed(0)),
        syntax.call('roll', value, 1, 0), syntax.call('gather', value, syntax.listed(1, 1, 0)),
        syntax.call('reshape', value, syntax.listed(3, 3)),
        syntax.call('concat', syntax.listed(syntax.index(value, syntax.span(1, None)),
                    syntax.index(value, syntax.span(None, 1))), 0),
        syntax.call('where', syntax.operator('>', value, 0.0), value, 0.5),
        syntax.call('clip_by_value', value, -1.0, 1.0),
        syntax.call('math.cumsum', value, axis=1),
    ])  # fmt: skip


def programs(seed: int) -> Items:
    """First order gradients, now and then second order, of one to three variables."""
    for at in range(COUNT):
        draw = Draw(f'{seed}/expression/{at}', plain=True)
        dtype = draw.choose(['float32', 'float64', 'float64'])
        count = draw.integer(1, 3)
        steps = []
        for leaf in range(count):
            values = draw.values(dtype, [3, 3], 'unit')
            steps.append(syntax.let(f'x{leaf}', syntax.variable(dtype, [3, 3], values)))
        leaves = [syntax.ref(f'x{leaf}') for leaf in range(count)]
        loss = syntax.let('y', expression(draw, draw.integer(2, 4), leaves))
        sources = syntax.listed(*leaves)
        zero = 'none' if draw.chance(0.5) else 'zero'
        taken = syntax.method(
            syntax.ref('inner'), 'gradient', syntax.ref('y'), sources, unconnected_gradients=zero
        )
        inner = syntax.block(syntax.call('GradientTape'), 'inner', loss)
        looser = 200 if dtype == 'float64' else 60
        if draw.chance(0.35):
            part = syntax.let('g', syntax.index(taken, 0))
            outer = syntax.block(syntax.call('GradientTape'), 'outer', inner, part)
            second = syntax.method(syntax.ref('outer'), 'gradient', syntax.ref('g'), sources)
            result = syntax.listed(syntax.ref('y'), syntax.ref('g'), syntax.attempt(second))
            yield item('second', dtype, [*steps, outer], result, looser * 10)
        else:
            result = syntax.listed(syntax.ref('y'), taken)
            yield item('first', dtype, [*steps, inner], result, looser)
