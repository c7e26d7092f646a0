"""Reductions, cumulative ops, sorting and counting."""

from benchmarks.agreement import syntax
from benchmarks.agreement.draw import (
    ANY,
    FLOATS,
    INDEX,
    INEXACT,
    NUMERIC,
    REAL,
    Draw,
)
from benchmarks.agreement.syntax import Expression
from benchmarks.agreement.table.row import Arguments, Row, Strategy, rows


def axes(draw: Draw, rank: int) -> Expression:
    """None, an axis, a list of axes, also as tensors; an axis may be named twice."""
    if rank == 0 or draw.chance(0.25):
        return None
    if draw.chance(0.4):
        return draw.axis(rank)
    chosen = sorted(draw.random.sample(range(rank), draw.integer(0 if not draw.plain else 1, rank)))
    signed = [axis - rank if draw.chance(0.4) else axis for axis in chosen]
    if draw.chance(0.2):
        return syntax.tensor(draw.choose(INDEX), [len(signed)], signed)
    return syntax.listed(*signed) if draw.chance(0.5) else syntax.grouped(*signed)


def reduction(domain: str = 'any') -> Strategy:
    """A tensor, axes and keepdims."""

    def strategy(draw: Draw, dtype: str) -> Arguments:
        shape = draw.shape(1 if draw.plain else 0)
        keywords = {}
        axis = axes(draw, len(shape))
        if axis is not None:
            keywords['axis'] = axis
        if draw.chance(0.4):
            keywords['keepdims'] = True
        return [draw.tensor(dtype, shape, domain)], keywords

    return strategy


def cumulative(draw: Draw, dtype: str) -> Arguments:
    shape = draw.shape(1)
    keywords = {'axis': draw.axis(len(shape))} if draw.chance(0.7) else {}
    for name in ('exclusive', 'reverse'):
        if draw.chance(0.4):
            keywords[name] = True
    return [draw.tensor(dtype, shape, 'small')], keywords


def arg_reduction(draw: Draw, dtype: str) -> Arguments:
    shape = [max(size, 1) for size in draw.shape(1)]
    keywords: dict[str, Expression] = {}
    if draw.chance(0.6):
        keywords['axis'] = draw.axis(len(shape))
    if draw.chance(0.3):
        keywords['output_type'] = syntax.dtype(draw.index_dtype())
    return [draw.tensor(dtype, shape)], keywords


def top_k(draw: Draw, dtype: str) -> Arguments:
    shape = [*draw.shape(0, 2), draw.integer(2, 5)]
    keywords: dict[str, Expression] = {'k': draw.integer(0 if not draw.plain else 1, shape[-1])}
    if draw.chance(0.3):
        keywords['sorted'] = True
    return [draw.tensor(dtype, shape)], keywords


def in_top_k(draw: Draw, dtype: str) -> Arguments:
    batch, classes = draw.size(), draw.integer(2, 5)
    targets = draw.integers([batch], 0, classes - 1, draw.index_dtype())
    return [targets, draw.tensor(dtype, [batch, classes]), draw.integer(1, classes)], {}


def sort(draw: Draw, dtype: str) -> Arguments:
    shape = draw.shape(1)
    keywords: dict[str, Expression] = {}
    if draw.chance(0.5):
        keywords['axis'] = draw.axis(len(shape))
    if draw.chance(0.5):
        keywords['direction'] = 'DESCENDING'
    return [draw.tensor(dtype, shape)], keywords


def argsort(draw: Draw, dtype: str) -> Arguments:
    (values,), keywords = sort(draw, dtype)
    return [values], {**keywords, 'stable': True}


def whole(draw: Draw, dtype: str) -> Arguments:
    return [draw.tensor(dtype, draw.shape())], {}


def vector(draw: Draw, dtype: str) -> Arguments:
    return [draw.tensor(dtype, [draw.integer(0 if not draw.plain else 3, 6)])], {}


def bincount(draw: Draw, dtype: str) -> Arguments:
    count = draw.size() + 2
    keywords: dict[str, Expression] = {}
    if draw.chance(0.3):
        keywords['minlength'] = 7
    if draw.chance(0.3):
        keywords['maxlength'] = 4
    if draw.chance(0.4):
        keywords['weights'] = draw.tensor(draw.choose(['float32', 'float64', 'int32']), [count])
    elif draw.chance(0.3):
        keywords['dtype'] = syntax.dtype(draw.choose(['int64', 'float32']))
    return [draw.integers([count], 0, 6, dtype)], keywords


def confusion(draw: Draw, dtype: str) -> Arguments:
    count = draw.size()
    keywords: dict[str, Expression] = {}
    if draw.chance(0.4):
        keywords['num_classes'] = 5
    if draw.chance(0.3):
        keywords['weights'] = draw.integers([count], 0, 3)
    if draw.chance(0.3):
        keywords['dtype'] = syntax.dtype('float32')
    low, high = (0, 3)
    return [draw.integers([count], low, high, dtype), draw.integers([count], low, high, dtype)], (
        keywords
    )


def histogram(draw: Draw, dtype: str) -> Arguments:
    limits = syntax.tensor(dtype, [2], [-2, 3])
    return [draw.tensor(dtype, draw.shape(1), 'any'), limits], {'nbins': draw.integer(1, 6)}


def searchsorted(draw: Draw, dtype: str) -> Arguments:
    lead = draw.shape(0, 1)
    length = draw.integer(1, 5)
    rows_of_values = []
    for _ in draw.values('bool', lead):
        rows_of_values += sorted(draw.values(dtype, [length]))
    sequence = syntax.tensor(dtype, [*lead, length], rows_of_values)
    keywords: dict[str, Expression] = {}
    if draw.chance(0.5):
        keywords['side'] = 'right'
    if draw.chance(0.3):
        keywords['out_type'] = syntax.dtype('int64')
    return [sequence, draw.tensor(dtype, [*lead, draw.size()])], keywords


def moments(draw: Draw, dtype: str) -> Arguments:
    shape = draw.shape(1)
    chosen = syntax.listed(*draw.random.sample(range(len(shape)), draw.integer(1, len(shape))))
    keywords = {'keepdims': True} if draw.chance(0.4) else {}
    return [draw.tensor(dtype, shape), chosen], keywords


def weighted_moments(draw: Draw, dtype: str) -> Arguments:
    (values, chosen), keywords = moments(draw, dtype)
    weights = draw.tensor(dtype, draw.choose([[], values[2]]), 'positive')
    return [values, chosen, weights], keywords


def normalized(draw: Draw, dtype: str) -> Arguments:
    shape = draw.shape(1)
    axis = draw.axis(len(shape))
    return [draw.tensor(dtype, shape, 'positive')], {'axis': axis}


def non_empty(strategy: Strategy) -> Strategy:
    """The same, never of an empty array."""

    def drawn(draw: Draw, dtype: str) -> Arguments:
        kept = draw.plain
        draw.plain = True
        arguments = strategy(draw, dtype)
        draw.plain = kept
        return arguments

    return drawn


ROWS: list[Row] = [
    *rows('math.reduce_sum math.reduce_prod', reduction('small'), NUMERIC, 8),
    *rows('math.reduce_mean', non_empty(reduction()), NUMERIC, 8),
    *rows('math.reduce_mean', reduction(), INEXACT, 8, variant='empty'),
    *rows('math.reduce_max math.reduce_min', reduction(), (*REAL,)),
    *rows('math.reduce_all math.reduce_any', reduction(), ('bool',)),
    *rows('math.reduce_logsumexp', reduction(), FLOATS, 8),
    *rows('math.reduce_euclidean_norm', reduction(), NUMERIC, 8),
    *rows('math.reduce_std math.reduce_variance', reduction(), INEXACT, 16),
    *rows('math.count_nonzero', reduction(), ANY),
    *rows('math.zero_fraction', whole, ANY),
    *rows('nn.zero_fraction', whole, ANY),
    *rows('math.cumsum math.cumprod', cumulative, NUMERIC, 8),
    *rows('math.cumulative_logsumexp', cumulative, FLOATS, 8),
    *rows('math.argmax math.argmin', arg_reduction, (*REAL, 'bool')),
    *rows('math.top_k nn.top_k', top_k, REAL),
    *rows('math.in_top_k', in_top_k, ('float32',)),
    *rows('sort', sort, REAL),
    *rows('argsort', argsort, REAL),
    *rows('unique unique_with_counts', vector, (*REAL, 'bool', 'string')),
    *rows('math.bincount', bincount, (*FLOATS, 'bool', *INDEX)),
    *rows('math.confusion_matrix', confusion, (*REAL, 'bool')),
    *rows('histogram_fixed_width', histogram, ('float32', 'float64', 'int32', 'int64')),
    *rows('searchsorted', searchsorted, REAL),
    *rows('math.is_non_decreasing math.is_strictly_increasing', vector, REAL),
    *rows('nn.moments', non_empty(moments), (*INEXACT, *INDEX), 16),
    *rows('nn.weighted_moments', non_empty(weighted_moments), INEXACT, 16),
    *rows('math.l2_normalize nn.l2_normalize', normalized, INEXACT, 8),
    *rows('linalg.normalize', normalized, INEXACT, 8),
    *rows('nn.l2_loss', whole, FLOATS, 8),
]
