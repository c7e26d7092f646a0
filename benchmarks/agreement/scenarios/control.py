"""Control flow, functional loops and ordering."""

from benchmarks.agreement import syntax
from benchmarks.agreement.draw import Draw
from benchmarks.agreement.scenarios.body import Items, item
from benchmarks.agreement.syntax import Expression

A, B = syntax.ref('a'), syntax.ref('b')
call, function, operator, listed = syntax.call, syntax.function, syntax.operator, syntax.listed
DTYPES = ('float32', 'float64', 'int32')


def branches(draw: Draw, dtype: str) -> list[tuple[str, Expression]]:
    value = draw.tensor(dtype, draw.shape(0, 2))
    yes = function([], operator('+', value, value))
    no = function([], operator('-', value, value))
    flag = draw.tensor('bool', [])
    number = draw.integer(-1, 3)
    pairs = listed(syntax.grouped(flag, yes), syntax.grouped(draw.tensor('bool', []), no))
    return [
        ('cond', call('cond', flag, yes, no)),
        ('cond', call('cond', draw.chance(0.5), yes, no)),
        ('cond', call('cond', flag, yes, None)),
        ('cond', call('cond', draw.tensor('bool', [2]), yes, no)),
        ('switch_case', call('switch_case', syntax.tensor('int32', [], [number]), listed(yes, no))),
        ('switch_case', call('switch_case', number, listed(yes, no), default=yes)),
        ('case', call('case', pairs, default=no)),
        ('case', call('case', pairs)),
        ('case', call('case', pairs, default=yes, exclusive=True)),
    ]


def loops(draw: Draw, dtype: str) -> list[tuple[str, Expression]]:
    limit = draw.integer(0, 4)
    start = draw.tensor(dtype, draw.shape(0, 1))
    value = draw.tensor(dtype, [max(size, 1) for size in draw.shape(1, 2)])
    below = function(['i', 'a'], operator('<', syntax.ref('i'), limit))
    step = function(['i', 'a'], syntax.grouped(operator('+', syntax.ref('i'), 1),
                                               operator('+', A, A)))  # fmt: skip
    counter = syntax.tensor('int32', [], [0])
    add = function(['a', 'b'], operator('+', A, B))
    double = function(['a'], operator('*', A, 2))
    pair = function(['a'], syntax.grouped(A, operator('+', A, A)))
    first = syntax.index(value, 0)
    named = function(['a'], operator('+', syntax.index(A, 0), syntax.index(A, 1)))
    two = syntax.grouped(value, value)
    spec = syntax.grouped(*(call('TensorSpec', None, syntax.dtype(dtype)) for _ in range(2)))
    return [
        ('while_loop', call('while_loop', below, step, listed(counter, start))),
        ('while_loop', call('while_loop', below, step, syntax.grouped(counter, start),
                            maximum_iterations=2)),
        ('while_loop', call('while_loop', below, step, listed(0, start))),
        ('map_fn', call('map_fn', double, value)),
        ('map_fn', call('map_fn', named, two, fn_output_signature=syntax.dtype(dtype))),
        ('map_fn', call('map_fn', pair, value, fn_output_signature=spec)),
        ('map_fn', call('map_fn', double, draw.tensor(dtype, []))),
        ('vectorized_map', call('vectorized_map', double, value)),
        ('vectorized_map', call('vectorized_map', named, two)),
        ('foldl', call('foldl', add, value)), ('foldr', call('foldr', add, value)),
        ('foldl', call('foldl', add, value, initializer=first)),
        ('foldr', call('foldr', add, value, initializer=first)),
        ('scan', call('scan', add, value)), ('scan', call('scan', add, value, initializer=first)),
        ('scan', call('scan', add, value, reverse=True)),
    ]  # fmt: skip


def loop_gradients(dtype: str) -> list[tuple[str, Expression]]:
    """Loops below a tape; the tape closes before the gradient."""
    x = syntax.ref('x')
    below = function(['i', 'a'], operator('<', syntax.ref('i'), 3))
    step = function(['i', 'a'], syntax.grouped(operator('+', syntax.ref('i'), 1),
                                               operator('*', A, x)))  # fmt: skip
    times = function(['a', 'b'], operator('*', A, B))
    loop = call('while_loop', below, step, listed(syntax.tensor('int32', [], [0]), x))
    return [
        ('while_loop', syntax.index(loop, 1)),
        ('map_fn', call('map_fn', function(['a'], operator('*', A, A)), x)),
        ('vectorized_map', call('vectorized_map', function(['a'], operator('*', A, A)), x)),
        ('scan', call('scan', times, x)), ('foldl', call('foldl', times, x)),
        ('cond', call('cond', True, function([], operator('*', x, x)), function([], x))),
        ('switch_case', call('switch_case', 1, listed(function([], x), function([],
                             operator('*', x, x))))),
    ]  # fmt: skip


def ordering(dtype: str) -> list[tuple[str, Expression]]:
    value = syntax.tensor(dtype, [2], [1, 2])
    numpy_function = function(['a'], operator('ndarray', operator('+', A, A)))
    add = function(['a'], operator('+', A, A))
    kind = syntax.dtype(dtype)
    return [
        ('group', call('group', value, value)), ('group', call('group')),
        ('no_op', call('no_op')), ('executing_eagerly', call('executing_eagerly')),
        ('py_function', call('py_function', add, listed(value), kind)),
        ('py_function', call('py_function', add, listed(value), listed(kind))),
        ('numpy_function', call('numpy_function', numpy_function, listed(value), kind)),
        ('tuple', call('tuple', listed(value, value))),
        ('is_tensor', call('is_tensor', value)), ('no_gradient', call('no_gradient', 'NoSuchOp')),
    ]  # fmt: skip


def programs(seed: int) -> Items:
    """All programs with control flow."""
    for dtype in DTYPES:
        for at in range(3):
            draw = Draw(f'{seed}/control/{dtype}/{at}')
            for row, result in (*branches(draw, dtype), *loops(draw, dtype)):
                yield item(row, dtype, [], result)
        for row, result in ordering(dtype):
            yield item(row, dtype, [], result)
        for name in ('control_dependencies', 'init_scope'):
            context = call(name, listed()) if name == 'control_dependencies' else call(name)
            value = syntax.tensor(dtype, [1], [1])
            yield item(name, dtype, [syntax.block(context, None, syntax.let('y', value))],
                       syntax.ref('y'))  # fmt: skip
    for dtype in ('float32', 'float64'):
        made = syntax.let('x', syntax.variable(dtype, [3], [0.5, -1.0, 2.0]))
        for row, value in loop_gradients(dtype):
            block = syntax.block(call('GradientTape'), 't', syntax.let('y', value))
            gradient = syntax.method(syntax.ref('t'), 'gradient', syntax.ref('y'), syntax.ref('x'))
            yield item(f'{row}_gradient', dtype, [made, block], gradient, 10)
