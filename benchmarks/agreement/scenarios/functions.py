"""``tf.function``: traces and their number, structures, variables, tapes, loops, errors.

Without autograph, which rewrites Python; values that steer Python are looked at freely by
tensorvar, and refused by TensorFlow.
"""

from benchmarks.agreement import syntax
from benchmarks.agreement.draw import Draw
from benchmarks.agreement.scenarios.body import Items, item
from benchmarks.agreement.syntax import Expression, Statement

call, function, operator, listed = syntax.call, syntax.function, syntax.operator, syntax.listed
let, ref, method, of = syntax.let, syntax.ref, syntax.method, syntax.apply
F, G, V, X, Y, LOG = (ref(name) for name in ('f', 'g', 'v', 'x', 'y', 'log'))
DTYPES = ('float32', 'float64', 'int32')
FLOATS = ('float32', 'float64')
Case = tuple[str, list[Statement], Expression]


def traced(parameters: list[str], body: Expression, **keywords: Expression) -> Expression:
    """``tf.function(lambda parameters: body)``."""
    return call('function', function(parameters, body), autograph=False, **keywords)


def in_order(*values: Expression) -> Expression:
    """The last of several values, after the others."""
    return syntax.index(listed(*values), -1)


def count(called: Expression = F) -> Expression:
    """How often it was traced."""
    return method(called, 'experimental_get_tracing_count')


def noted(body: Expression) -> Expression:
    """A body that also notes, in a Python list, that it was run."""
    return in_order(method(LOG, 'append', 1), body)


def signatures(draw: Draw, dtype: str) -> list[Case]:
    """What is traced anew, told by counts and by side effects."""
    one, other = draw.tensor(dtype, [2]), draw.tensor(dtype, [3])
    array = ['array', *one[1:]]
    times = traced(['x', 'n'], noted(operator('*', X, ref('n'))))
    double = traced(['x'], noted(operator('+', X, X)))
    start = let('log', listed())

    def told(*calls: Expression) -> Expression:
        return listed(*calls, count(), operator('len', LOG))

    def case(made: Expression, *calls: Expression) -> Case:
        return 'signature', [start, let('f', made)], told(*calls)

    scalar = draw.tensor(dtype, [])
    pair = traced(['x', 'y'], noted(operator('-', X, Y)))
    nested = traced(['x'], noted(operator('+', syntax.index(X, 'a'), syntax.index(X, 'b'))))
    return [
        case(double, of(F, one), of(F, one), of(F, operator('+', one, one))),
        case(double, of(F, one), of(F, other), of(F, one), of(F, scalar)),
        case(double, of(F, array), of(F, array)),
        case(double, of(F, 2), of(F, 2), of(F, 3)),
        case(double, of(F, 2.5), of(F, 2.5), of(F, 2)),
        case(times, of(F, one, 2), of(F, one, 2), of(F, one, 3)),
        case(times, of(F, one, scalar), of(F, other, scalar), of(F, one, scalar)),
        case(pair, of(F, one, one), of(F, other, other)),
        case(nested, of(F, syntax.mapping(a=one, b=one)), of(F, syntax.mapping(a=one, b=one))),
        case(nested, of(F, syntax.mapping(b=one, a=one)), of(F, syntax.mapping(a=one, b=other))),
        case(traced(['x'], noted(syntax.index(X, 0))), of(F, listed(one)), of(F, listed(other))),
        case(traced(['x'], noted(1)), of(F, syntax.grouped(one, 1)), of(F, syntax.grouped(one, 2))),
        case(traced([], noted(one)), of(F), of(F)),
    ]  # fmt: skip


def specs(draw: Draw, dtype: str) -> list[Case]:
    """``input_signature`` and concrete functions."""
    rows, more = draw.tensor(dtype, [2, 3]), draw.tensor(dtype, [1, 3])
    wrong = draw.tensor(dtype, [2, 2])
    spec = call('TensorSpec', listed(None, 3), syntax.dtype(dtype))
    fixed = call('TensorSpec', listed(2, 3), syntax.dtype(dtype))
    double = operator('+', X, X)
    signed = let('f', traced(['x'], double, input_signature=listed(spec)))
    plain = let('f', traced(['x'], double))
    concrete = let('g', method(F, 'get_concrete_function', fixed))
    array = ['array', *rows[1:]]
    return [
        ('input_signature', [signed], listed(of(F, rows), of(F, more))),
        ('input_signature', [signed], of(F, wrong)),
        ('input_signature', [signed], of(F, array)),
        ('input_signature', [signed], of(F, draw.tensor('string', [2, 3]))),
        ('input_signature', [signed], of(F)),
        ('input_signature', [signed], of(F, rows, rows)),
        ('concrete', [plain, concrete], listed(of(G, rows), of(G, rows))),
        ('concrete', [plain, concrete], of(G)),
        ('concrete', [signed, let('g', method(F, 'get_concrete_function'))], of(G, more)),
        ('concrete', [plain, concrete],
         syntax.attribute(syntax.attribute(G, 'structured_outputs'), 'shape')),
        ('concrete', [plain, let('g', method(F, 'get_concrete_function', rows))], of(G, rows)),
        ('python_function', [plain], of(syntax.attribute(F, 'python_function'), rows)),
        ('decorator', [let('f', of(call('function', autograph=False, reduce_retracing=True),
                                   function(['x'], double)))], listed(of(F, rows), of(F, more))),
        ('decorator', [plain, let('g', call('function', F))], of(G, rows)),
    ]  # fmt: skip


def results(draw: Draw, dtype: str) -> list[Case]:
    """What comes back, whatever the body returns."""
    value = draw.tensor(dtype, [2])
    bodies: list[Expression] = [
        X, None, 1, 2.5, True, 'text', listed(X, X), syntax.grouped(X, 1),
        syntax.mapping(a=X, b=listed(X, None)), listed(), operator('ndarray', listed(1, 2)),
        syntax.attribute(X, 'shape'), syntax.attribute(X, 'dtype'), V,
        method(V, 'assign_add', X), method(V, 'read_value'),
        operator('is', X, X), call('shape', X), call('executing_eagerly'), call('inside_function'),
        call('zeros_like', X), syntax.index(X, 0), call('unstack', X),
    ]  # fmt: skip
    made = let('v', call('Variable', value))
    return [
        ('result', [made, let('f', traced(['x'], body))], listed(of(F, value), of(F, value)))
        for body in bodies
    ]


def state(draw: Draw, dtype: str) -> list[Case]:
    """Variables that are written, and calls of functions by functions."""
    value, other = draw.tensor(dtype, [2]), draw.tensor(dtype, [2])
    made = let('v', call('Variable', value))
    add = method(V, 'assign_add', X)
    twice = in_order(add, operator('*', V, V), method(V, 'assign_sub', X), operator('+', V, X))
    inner = let('g', traced(['x'], in_order(add, operator('+', V, X))))
    outer = traced(['x'], operator('+', of(G, X), of(G, operator('+', X, X))))
    new = traced(['x'], operator('+', call('Variable', X), X))
    calls = listed(of(F, value), of(F, other), of(F, value), V)
    kept = traced([], in_order(method(V, 'assign', operator('+', V, V)), None))
    part = traced(['x'], in_order(method(syntax.index(V, 0), 'assign', syntax.index(X, 1)), V))
    return [
        ('state', [made, let('f', traced(['x'], add))], calls),
        ('state', [made, let('f', traced(['x'], twice))], calls),
        ('state', [made, let('f', traced(['x'], part))], calls),
        ('state', [made, let('f', kept)], listed(of(F), of(F), V)),
        ('nested', [made, inner, let('f', outer)], calls),
        ('nested', [made, inner, let('f', outer)], in_order(*calls[1:], count())),
        ('creation', [made, let('f', new)], listed(syntax.attempt(of(F, value)), of(F, value))),
        ('captured', [let('y', other), let('f', traced(['x'], operator('+', X, Y))),
                      let('y', value)], listed(of(F, value), of(F, value))),
    ]  # fmt: skip


def control(draw: Draw, dtype: str) -> list[Case]:
    """Loops and branches on values."""
    value = draw.tensor(dtype, [3])
    n = ref('n')
    step = function(['i', 'a'], syntax.grouped(operator('+', ref('i'), 1),
                                               operator('+', ref('a'), X)))  # fmt: skip
    below = function(['i', 'a'], operator('<', ref('i'), n))
    zero = syntax.tensor('int32', [], [0])
    loop = call('while_loop', below, step, listed(zero, X))
    sign = operator('>', call('reduce_sum', X), 0)
    choice = call('cond', sign, function([], operator('+', X, X)), function([], X))
    double = function(['a'], operator('*', ref('a'), 2))
    add = function(['a', 'b'], operator('+', ref('a'), ref('b')))
    numbers = [syntax.tensor('int32', [], [number]) for number in (3, 0, 5)]
    less = operator('neg', value)

    def case(row: str, body: Expression) -> Case:
        made = let('f', traced(['x'], body))
        return row, [made], listed(of(F, value), of(F, less), of(F, value), count())

    def write(name: str) -> Expression:
        return function([], method(V, name, X))

    writes = call('cond', sign, write('assign_add'), write('assign_sub'))
    sizes = call('map_fn', function(['a'], call(
        'cond', operator('>', ref('a'), 0), function([], ref('a')),
        function([], operator('neg', ref('a'))))), X)  # fmt: skip

    return [
        ('while_loop', [let('f', traced(['x', 'n'], loop))],
         listed(*(of(F, value, number) for number in numbers), count())),
        case('cond', choice), case('map_fn', call('map_fn', double, X)),
        case('scan', call('scan', add, X)), case('foldl', call('foldl', add, X)),
        case('foldr', call('foldr', add, X)),
        case('vectorized_map', call('vectorized_map', double, X)),
        case('where', call('where', operator('>', X, 0), X, call('zeros_like', X))),
        ('cond', [let('v', call('Variable', value)), let('f', traced(['x'], writes))],
         listed(of(F, value), of(F, less), V)),
        ('map_fn', [let('f', traced(['x'], sizes))], listed(of(F, value), of(F, less))),
        ('switch_case', [let('f', traced(['x', 'n'], call('switch_case', n, listed(
            function([], X), function([], operator('+', X, X))))))],
         listed(*(of(F, value, number) for number in numbers))),
    ]  # fmt: skip


def refusals(draw: Draw, dtype: str) -> list[Case]:
    """Errors, when tracing and when running."""
    value, short = draw.tensor(dtype, [3]), draw.tensor(dtype, [2])
    good, bad = (syntax.tensor('int32', [], [number]) for number in (1, 9))
    pick = let('f', traced(['x', 'y'], call('gather', X, Y)))
    check = call('debugging.assert_equal', X, Y)
    checked = let('f', traced(['x', 'y'], in_order(check, operator('+', X, Y))))
    again = syntax.attempt(of(F, value, bad))
    return [
        ('error', [let('f', traced(['x', 'y'], operator('+', X, Y)))], of(F, value, short)),
        ('error', [pick], of(F, value, bad)),
        ('error', [pick], listed(of(F, value, good), again, of(F, value, good))),
        ('error', [checked], of(F, value, value)),
        ('error', [checked], listed(of(F, value, value), of(F, value, operator('+', value, 1)))),
        ('error', [let('f', traced(['x'], X))], of(F)),
        ('error', [let('f', traced(['x'], X))], of(F, value, value)),
        ('error', [let('f', call('function', 1.0))], F),
        ('error', [let('f', traced(['x'], ref('nothing')))], of(F, value)),
    ]  # fmt: skip


def gradients(draw: Draw, dtype: str) -> list[Case]:
    """Tapes around functions, in them, and both."""
    value = draw.tensor(dtype, [3])
    made = let('v', call('Variable', draw.tensor(dtype, [3])))
    start = let('c', value)
    c, t = ref('c'), ref('t')
    cube = traced(['x'], operator('*', operator('*', X, V), X))
    lookup = traced(['x'], operator('*', call('gather', V, listed(0, 2, 0)), X))
    watch = syntax.do(method(t, 'watch', c))
    tape = call('GradientTape')

    def around(function_: Expression, name: str = 't', *more: Statement) -> list[Statement]:
        watched = syntax.do(method(ref(name), 'watch', c))
        block = syntax.block(tape, name, watched, *more, let('y', of(F, c)))
        return [made, start, let('f', function_), block, block]

    def slope(name: str = 't', target: Expression = Y) -> Expression:
        return method(ref(name), 'gradient', target, listed(c, V))

    loss = call('reduce_sum', operator('*', operator('*', X, V), operator('*', X, V)))
    taken = method(t, 'gradient', Y, V)
    train = call('function', syntax.procedure(
        ['x'],
        [syntax.block(tape, 't', let('y', loss)), let('g', taken),
         syntax.do(method(V, 'assign_sub', operator('*', ref('g'), 0.25)))],
        syntax.grouped(Y, ref('g')),
    ), autograph=False)  # fmt: skip
    nested = [*around(cube)[:3], syntax.block(tape, 'o', syntax.do(method(ref('o'), 'watch', c)),
                                             around(cube)[3], let('g', slope()))]  # fmt: skip
    loop = traced(['x'], syntax.index(call(
        'while_loop', function(['i', 'a'], operator('<', ref('i'), 3)),
        function(['i', 'a'],
                 syntax.grouped(operator('+', ref('i'), 1), operator('*', ref('a'), V))),
        listed(syntax.tensor('int32', [], [0]), X)), 1))  # fmt: skip
    choice = traced(
        ['x'],
        call(
            'cond',
            operator('>', call('reduce_sum', X), 0),
            function([], operator('*', X, V)),
            function([], operator('*', V, V)),
        ),
    )
    rows = traced(['x'], call('map_fn', function(['a'], operator('*', ref('a'), ref('a'))), X))
    sums = traced(['x'], call('scan', function(['a', 'b'], operator('*', ref('a'), ref('b'))), X))
    return [
        ('tape', around(cube), slope()), ('tape', around(lookup), slope()),
        ('tape', around(loop), slope()), ('tape', around(choice), slope()),
        ('tape', around(rows), method(t, 'gradient', Y, c)),
        ('tape', around(sums), method(t, 'gradient', Y, c)),
        ('tape', nested, listed(ref('g'), method(ref('o'), 'gradient', ref('g'), listed(c, V)))),
        ('tape', [made, start, let('f', cube), syntax.block(tape, 't', watch, let('y', operator(
            '*', of(F, c), of(F, operator('+', c, V)))))], slope()),
        ('jacobian', around(cube), method(t, 'jacobian', Y, c)),
        ('train', [made, start, let('f', train)], listed(of(F, c), of(F, c), of(F, c), V, count())),
        ('tape', [made, *around(train)[1:]], slope()),
    ]  # fmt: skip


def programs(seed: int) -> Items:
    """All programs of functions."""
    for dtype in DTYPES:
        draw = Draw(f'{seed}/functions/{dtype}', plain=True)
        for family in (signatures, specs, results, state, control, refusals):
            for row, steps, result in family(draw, dtype):
                yield item(f'function_{row}', dtype, steps, result)
    for dtype in FLOATS:
        draw = Draw(f'{seed}/functions/gradients/{dtype}', plain=True)
        for row, steps, result in gradients(draw, dtype):
            yield item(f'function_{row}', dtype, steps, result, 10)
