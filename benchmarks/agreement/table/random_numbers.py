"""Random draws. Normal, uniform and truncated normal give TensorFlow's numbers."""

from benchmarks.agreement import syntax
from benchmarks.agreement.draw import ANY, FLOATS, INDEX, REALS, Draw
from benchmarks.agreement.syntax import Expression
from benchmarks.agreement.table.arrays import dimensions
from benchmarks.agreement.table.row import Arguments, Row, Strategy, rows

SEEDED = ('uint32', 'uint64', *INDEX)


def normal(draw: Draw, dtype: str) -> Arguments:
    keywords: dict[str, Expression] = {'dtype': syntax.dtype(dtype)}
    if draw.chance(0.4):
        keywords['mean'] = 1.5
    if draw.chance(0.4):
        keywords['stddev'] = 2.0
    if draw.chance(0.4):
        keywords['seed'] = draw.integer(0, 99)
    return [dimensions(draw, draw.shape())], keywords


def uniform(draw: Draw, dtype: str) -> Arguments:
    keywords: dict[str, Expression] = {'dtype': syntax.dtype(dtype)}
    if dtype in INDEX or draw.chance(0.5):
        keywords['minval'] = draw.integer(-3, 0)
        keywords['maxval'] = draw.integer(2, 9)
    if draw.chance(0.4):
        keywords['seed'] = draw.integer(0, 99)
    return [dimensions(draw, draw.shape())], keywords


def stateless(strategy: Strategy) -> Strategy:
    """The same with a seed of two numbers."""

    def drawn(draw: Draw, dtype: str) -> Arguments:
        arguments, keywords = strategy(draw, dtype)
        return arguments, {**keywords, 'seed': seed(draw)}

    return drawn


def seed(draw: Draw) -> Expression:
    if draw.chance(0.5):
        return syntax.listed(draw.integer(0, 99), draw.integer(-9, 2**31 - 1))
    return draw.integers([2], 0, 999, draw.index_dtype())


def full_range(draw: Draw, dtype: str) -> Arguments:
    keywords = {'minval': None, 'maxval': None, 'dtype': syntax.dtype(dtype)}
    return [dimensions(draw, draw.shape())], {**keywords, 'seed': seed(draw)}


def gamma(draw: Draw, dtype: str) -> Arguments:
    alpha = draw.tensor(dtype, draw.shape(0, 1), 'positive')
    return [dimensions(draw, draw.shape(0, 2)), alpha], {'dtype': syntax.dtype(dtype)}


def poisson(draw: Draw, dtype: str) -> Arguments:
    rate = draw.tensor('float32', draw.shape(0, 1), 'positive')
    return [dimensions(draw, draw.shape(0, 2)), rate], {'dtype': syntax.dtype(dtype)}


def categorical(draw: Draw, dtype: str) -> Arguments:
    return [draw.tensor(dtype, [draw.size(), draw.integer(1, 4)]), draw.integer(1, 5)], {}


def stateless_gamma(draw: Draw, dtype: str) -> Arguments:
    alpha = draw.tensor(dtype, [], 'positive')
    shape = dimensions(draw, draw.shape(0, 2))
    return [shape, seed(draw), alpha], {'dtype': syntax.dtype(dtype)}


def stateless_poisson(draw: Draw, dtype: str) -> Arguments:
    rate = draw.tensor('float32', [], 'positive')
    shape = dimensions(draw, draw.shape(0, 2))
    return [shape, seed(draw), rate], {'dtype': syntax.dtype(dtype)}


def stateless_categorical(draw: Draw, dtype: str) -> Arguments:
    arguments, _ = categorical(draw, dtype)
    return [*arguments, seed(draw)], {}


def shuffled(draw: Draw, dtype: str) -> Arguments:
    return [draw.tensor(dtype, draw.shape(1))], {}


def folded(draw: Draw, dtype: str) -> Arguments:
    return [draw.integers([2], 0, 999, dtype), draw.integer(0, 99)], {}


def split_seed(draw: Draw, dtype: str) -> Arguments:
    return [draw.integers([2], 0, 999, dtype)], {'num': draw.integer(1, 4)}


SET_SEED = (syntax.do(syntax.call('random.set_seed', 17)),)
NO_GRADIENT = {'gradient': False}
ROWS: list[Row] = [
    *rows('random.normal random.truncated_normal', normal, FLOATS, 4, steps=SET_SEED,
          **NO_GRADIENT),
    *rows('random.uniform', uniform, (*FLOATS, *INDEX), 4, steps=SET_SEED, **NO_GRADIENT),
    *rows('random.stateless_normal random.stateless_truncated_normal', stateless(normal), FLOATS, 4,
          **NO_GRADIENT),
    *rows('random.stateless_uniform', stateless(uniform), (*FLOATS, *INDEX), 4, **NO_GRADIENT),
    *rows('random.stateless_uniform', full_range, SEEDED, variant='full', **NO_GRADIENT),
    *rows('random.experimental.stateless_fold_in', folded, INDEX, **NO_GRADIENT),
    *rows('random.experimental.stateless_split', split_seed, INDEX, **NO_GRADIENT),
    *rows('random.gamma', gamma, ('float16', *REALS), numbers=False, **NO_GRADIENT),
    *rows('random.poisson', poisson, ('float16', *REALS, *INDEX), numbers=False, **NO_GRADIENT),
    *rows('random.categorical', categorical, FLOATS, numbers=False, **NO_GRADIENT),
    *rows('random.shuffle', shuffled, ANY, numbers=False, **NO_GRADIENT),
    *rows('random.stateless_gamma', stateless_gamma, ('float16', *REALS), numbers=False,
          **NO_GRADIENT),
    *rows('random.stateless_poisson', stateless_poisson, ('float16', *REALS, *INDEX),
          numbers=False, **NO_GRADIENT),
    *rows('random.stateless_categorical', stateless_categorical, FLOATS, numbers=False,
          **NO_GRADIENT),
]  # fmt: skip
