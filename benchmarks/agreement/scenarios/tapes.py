"""Tapes: persistent and nested ones, watching, jacobians, misuse."""

from benchmarks.agreement import syntax
from benchmarks.agreement.scenarios.body import Items, item
from benchmarks.agreement.syntax import Expression, Statement

T, X, Y, C = (syntax.ref(name) for name in ('t', 'x', 'y', 'c'))
VALUES = [0.5, -1.0, 2.0]
CUBE = syntax.operator('*', syntax.operator('*', X, X), X)


def setup(dtype: str) -> list[Statement]:
    return [
        syntax.let('x', syntax.variable(dtype, [3], VALUES)),
        syntax.let('c', syntax.tensor(dtype, [3], [1.0, 2.0, 3.0])),
        syntax.let('i', syntax.variable('int32', [3], [1, 2, 3])),
        syntax.let('f', syntax.variable(dtype, [3], VALUES, trainable=False)),
    ]


def tape(*steps: Statement, **keywords: Expression) -> Statement:
    return syntax.block(syntax.call('GradientTape', **keywords), 't', *steps)


def gradient(target: Expression, sources: Expression, **keywords: Expression) -> Expression:
    return syntax.method(T, 'gradient', target, sources, **keywords)


def cases(dtype: str) -> list[tuple[list[Statement], Expression]]:
    """Statements and result of each case."""
    cube = syntax.let('y', CUBE)
    product = syntax.let('y', syntax.operator('*', X, C))
    watch = syntax.do(syntax.method(T, 'watch', C))
    listed, ref, let, call = syntax.listed, syntax.ref, syntax.let, syntax.call
    twice = listed(gradient(Y, X), syntax.attempt(gradient(Y, X)))
    matrix = let('y', call('tensordot', X, X, 0))
    weights = syntax.tensor(dtype, [3], [1.0, 0.0, -2.0])
    square = let('y', syntax.operator('*', ref('f'), X))
    assign = syntax.do(syntax.method(X, 'assign_add', C))
    stopped = syntax.block(syntax.method(T, 'stop_recording'), None, product)
    found: list[tuple[list[Statement], Expression]] = [
        ([tape(cube)], gradient(Y, X)), ([tape(cube)], twice),
        ([tape(cube, persistent=True)], twice), ([tape(product)], gradient(Y, listed(X, C))),
        ([tape(watch, product)], gradient(Y, listed(X, C))),
        ([tape(square)], gradient(Y, listed(X, ref('f'), ref('i')))),
        ([tape(square)], gradient(Y, listed(X, ref('f')), unconnected_gradients='zero')),
        ([tape(cube)], gradient(Y, X, output_gradients=weights)),
        ([tape(cube)], gradient(Y, X, output_gradients=syntax.tensor(dtype, [2], [1.0, 1.0]))),
        ([tape(cube)], gradient(Y, syntax.mapping(a=X, b=syntax.grouped(C)))),
        ([tape(cube)], gradient(listed(Y, X), X)), ([tape(cube)], gradient(1.0, X)),
        ([tape(cube)], syntax.method(T, 'jacobian', Y, X)), ([tape(matrix)], gradient(Y, X)),
        ([tape(matrix, persistent=True)], syntax.method(T, 'jacobian', Y, X)),
        ([tape(matrix)], syntax.method(T, 'batch_jacobian', Y, X)),
        ([tape(assign, cube)], gradient(Y, X)), ([tape(cube, assign)], gradient(Y, X)),
        ([tape(stopped, product)], gradient(Y, X)), ([tape(stopped)], gradient(Y, X)),
        ([tape(cube, syntax.do(syntax.method(T, 'reset')))], gradient(Y, X)),
        ([tape(product, watch_accessed_variables=False)], gradient(Y, X)),
        ([tape(cube)], syntax.method(T, 'watched_variables')),
        ([tape(syntax.do(syntax.method(T, 'watch', 1.0)))], None),
        ([tape(let('y', call('gather', X, listed(0, 0, 2))))], gradient(Y, X)),
        ([tape(let('y', call('math.argmax', X)))], gradient(Y, X)),
        ([tape(let('y', call('cast', X, syntax.dtype('int32'))))], gradient(Y, X)),
        ([tape(let('y', call('stop_gradient', CUBE)))], gradient(Y, X)),
        ([tape(let('y', syntax.method(X, 'read_value')))], gradient(Y, X)),
        ([tape(let('y', syntax.method(X, 'assign', C)))], gradient(Y, X)),
        ([tape(let('y', syntax.operator('ndarray', X)))], gradient(Y, X)),
        ([tape(cube), tape(product)], gradient(Y, X)),
        ([tape(cube, let('g', gradient(Y, X)), persistent=True)], gradient(ref('g'), X)),
        ([tape(cube, let('g', gradient(Y, X)))], ref('g')), ([tape()], gradient(X, X)),
        ([let('t', call('GradientTape'))], gradient(X, X)),
        ([tape(cube)], gradient(Y, X, unconnected_gradients='other')),
        ([tape(let('y', call('math.reduce_sum', CUBE)))], syntax.method(T, 'jacobian', Y, X)),
    ]  # fmt: skip
    second = let('g', gradient(Y, X))
    nested = syntax.block(call('GradientTape'), 'o', tape(cube), second)
    third = syntax.block(call('GradientTape'), 'p', nested, let('h', _outer('o', ref('g'))))
    found.append(([nested], _outer('o', ref('g'))))
    found.append(([third], _outer('p', ref('h'))))
    found.append(([nested], syntax.method(ref('o'), 'jacobian', ref('g'), X)))
    same = syntax.block(ref('t'), None, cube)
    found.append(([let('t', call('GradientTape')), same, same], gradient(Y, X)))
    found.append(([let('t', call('GradientTape')), syntax.block(T, None, same)], gradient(Y, X)))
    return found


def _outer(name: str, target: Expression) -> Expression:
    return syntax.method(syntax.ref(name), 'gradient', target, X)


def custom(dtype: str) -> list[tuple[list[Statement], Expression]]:
    """custom_gradient, recompute_grad, no_gradient and hessians."""
    call, function, ref = syntax.call, syntax.function, syntax.ref
    triple = function(['g'], syntax.operator('*', ref('g'), 3.0))
    doubled = call('custom_gradient', function(['a'], syntax.grouped(
        syntax.operator('*', ref('a'), 2.0), triple)))  # fmt: skip
    again = call('recompute_grad', function(['a'], call('math.sin', ref('a'))))
    use = [tape(syntax.let('y', syntax.apply(made, X))) for made in (doubled, again)]
    return [([step], syntax.listed(Y, gradient(Y, X))) for step in use] + [
        ([], call('hessians', CUBE, X)), ([], call('gradients', CUBE, X)),
        ([tape(syntax.let('y', call('grad_pass_through', function(['a'], call('math.round',
         ref('a')))))) ], Y),
    ]  # fmt: skip


def programs(seed: int) -> Items:
    """All programs about tapes."""
    for dtype in ('float32', 'float64'):
        for steps, result in (*cases(dtype), *custom(dtype)[:-1]):
            yield item('case', dtype, [*setup(dtype), *steps], result, 10)
