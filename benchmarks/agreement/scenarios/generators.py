"""Random generators with state, seeds of the process, initializers."""

from benchmarks.agreement import syntax
from benchmarks.agreement.draw import Draw
from benchmarks.agreement.scenarios.body import Items, item
from benchmarks.agreement.syntax import Expression

call, listed, method, attribute = syntax.call, syntax.listed, syntax.method, syntax.attribute
G = syntax.ref('g')
GENERATOR = 'random.Generator'


def draws(draw: Draw) -> Expression:
    """One draw from the generator ``g``."""
    shape = listed(*draw.shape(0, 2))
    dtype = draw.choose(['float32', 'float64', 'float16', 'bfloat16'])
    kind = syntax.dtype(dtype)
    return draw.choose([
        method(G, 'normal', shape, dtype=kind), method(G, 'truncated_normal', shape, dtype=kind),
        method(G, 'normal', shape, mean=1.0, stddev=2.0), method(G, 'uniform', shape, dtype=kind),
        method(G, 'uniform', shape, minval=-1, maxval=9, dtype=syntax.dtype('int32')),
        method(G, 'uniform_full_int', shape, dtype=syntax.dtype('uint64')),
        method(G, 'uniform_full_int', shape, dtype=syntax.dtype('int32')),
        method(G, 'make_seeds', 2), attribute(G, 'state'), attribute(G, 'key'),
        method(G, 'skip', 3), attribute(G, 'algorithm'),
        method(G, 'reset_from_seed', 5), method(G, 'binomial', listed(2), 5.0, 0.5),
    ])  # fmt: skip


def generators(seed: int) -> Items:
    """Several draws of one generator, so that its state counts."""
    for at in range(60):
        draw = Draw(f'{seed}/generator/{at}')
        start = draw.integer(0, 10**6)
        made = draw.choose([
            method(syntax.path(GENERATOR), 'from_seed', start),
            method(syntax.path(GENERATOR), 'from_seed', start, alg='philox'),
            method(syntax.path(GENERATOR), 'from_seed', start, alg='threefry'),
            method(syntax.path(GENERATOR), 'from_state', listed(1, 2, start), 1),
            method(syntax.path(GENERATOR), 'from_key_counter', start, listed(0, 0), 1),
            syntax.index(method(method(syntax.path(GENERATOR), 'from_seed', start), 'split', 2), 1),
        ])  # fmt: skip
        steps = [syntax.let('g', made)]
        found = []
        for part in range(draw.integer(1, 4)):
            one = draws(draw)
            shown = syntax.described(one) if one[1][-1] == 'binomial' else one
            steps.append(syntax.let(f'r{part}', shown))
            found.append(syntax.ref(f'r{part}'))
        yield item('generator', 'float32', steps, listed(*found), 4)


def process_seeds(seed: int) -> Items:
    """The counters behind ``set_seed`` and op seeds."""
    for at in range(24):
        draw = Draw(f'{seed}/setseed/{at}')
        steps = [syntax.do(call('random.set_seed', draw.integer(0, 99)))]
        found = []
        for part in range(draw.integer(1, 4)):
            keywords = {'seed': draw.integer(0, 9)} if draw.chance(0.5) else {}
            name = draw.choose(['random.normal', 'random.uniform', 'random.truncated_normal'])
            steps.append(syntax.let(f'r{part}', call(name, listed(*draw.shape(0, 2)), **keywords)))
            found.append(syntax.ref(f'r{part}'))
            if draw.chance(0.2):
                steps.append(syntax.do(call('random.set_seed', 3)))
        yield item('set_seed', 'float32', steps, listed(*found), 4)


INITIALIZERS: tuple[tuple[str, dict[str, Expression], bool], ...] = (
    ('zeros_initializer', {}, True), ('ones_initializer', {}, True),
    ('constant_initializer', {'value': 3}, True),
    ('random_normal_initializer', {'stddev': 0.5, 'seed': 1}, False),
    ('random_uniform_initializer', {'minval': 0.0, 'maxval': 2.0, 'seed': 1}, False),
)  # fmt: skip


def initializers(seed: int) -> Items:
    """The initializers of the top level."""
    for name, keywords, exact in INITIALIZERS:
        for dtype in ('float32', 'float64', 'float16', 'int32', 'bool', 'string'):
            draw = Draw(f'{seed}/{name}/{dtype}')
            shape = listed(*draw.shape())
            made = syntax.apply(call(name, **keywords), shape, syntax.dtype(dtype))
            shown = made if exact else syntax.described(made)
            yield item(name, dtype, [syntax.do(call('random.set_seed', 1))], shown)


def programs(seed: int) -> Items:
    """All programs with random state."""
    yield from generators(seed)
    yield from process_seeds(seed)
    yield from initializers(seed)
