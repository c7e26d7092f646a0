"""Gather, scatter, segments, masks and partitions."""

from benchmarks.agreement import syntax
from benchmarks.agreement.draw import ANY, FLOATS, INDEX, NUMERIC, REAL, Draw
from benchmarks.agreement.syntax import Expression
from benchmarks.agreement.table.row import Arguments, Row, Strategy, rows


def filled_shape(draw: Draw, low: int = 1, high: int = 3) -> list[int]:
    """A shape without a zero."""
    return [max(size, 1) for size in draw.shape(low, high)]


def gather(draw: Draw, dtype: str) -> Arguments:
    shape = filled_shape(draw)
    axis = draw.axis(len(shape))
    keywords: dict[str, Expression] = {'axis': axis} if draw.chance(0.6) else {}
    limit = shape[axis] if keywords else shape[0]
    indices = draw.integers(draw.shape(0, 2), 0, limit - 1, draw.index_dtype())
    return [draw.tensor(dtype, shape), indices], keywords


def batched_gather(draw: Draw, dtype: str) -> Arguments:
    shape = filled_shape(draw, 2)
    indices = draw.integers([shape[0], draw.size()], 0, shape[1] - 1)
    return [draw.tensor(dtype, shape), indices], {'batch_dims': 1}


def index_rows(draw: Draw, shape: list[int], depth: int, count: list[int]) -> Expression:
    """Valid index tuples into the first axes of a shape."""
    values = []
    for _ in draw.values('bool', count):
        values += [draw.integer(0, size - 1) for size in shape[:depth]]
    return syntax.tensor(draw.index_dtype(), [*count, depth], values)


def gather_nd(draw: Draw, dtype: str) -> Arguments:
    shape = filled_shape(draw)
    indices = index_rows(draw, shape, draw.integer(1, len(shape)), draw.shape(0, 2))
    return [draw.tensor(dtype, shape), indices], {}


def scatter_nd(draw: Draw, dtype: str) -> Arguments:
    shape = filled_shape(draw)
    depth = draw.integer(1, len(shape))
    count = draw.shape(1, 2)
    indices = index_rows(draw, shape, depth, count)
    limits = syntax.tensor(indices[1], [len(shape)], shape)
    return [indices, draw.tensor(dtype, [*count, *shape[depth:]]), limits], {}


def tensor_scatter(draw: Draw, dtype: str) -> Arguments:
    shape = filled_shape(draw)
    depth = draw.integer(1, len(shape))
    count = [draw.size()]
    indices = index_rows(draw, shape, depth, count)
    return [draw.tensor(dtype, shape), indices, draw.tensor(dtype, [*count, *shape[depth:]])], {}


def tensor_scatter_update(draw: Draw, dtype: str) -> Arguments:
    shape = filled_shape(draw)
    # An index named twice has no defined winner.
    chosen = draw.random.sample(range(shape[0]), draw.integer(1, shape[0]))
    indices = syntax.tensor(draw.index_dtype(), [len(chosen), 1], chosen)
    updates = draw.tensor(dtype, [len(chosen), *shape[1:]])
    return [draw.tensor(dtype, shape), indices, updates], {}


def boolean_mask(draw: Draw, dtype: str) -> Arguments:
    shape = draw.shape(1)
    rank = draw.integer(1, len(shape))
    axis = draw.integer(0, len(shape) - rank) if draw.chance(0.3) else 0
    keywords = {'axis': axis} if axis else {}
    mask = draw.tensor('bool', shape[axis : axis + rank])
    mask[3][:1] = [True] if mask[3] else []
    return [draw.tensor(dtype, shape), mask], keywords


def where(draw: Draw, dtype: str) -> Arguments:
    return [draw.tensor(dtype, draw.shape(1), 'positive')], {}


def cut(draw: Draw, dtype: str) -> Arguments:
    shape = filled_shape(draw)
    begin = [draw.integer(0, size - 1) for size in shape]
    size = [draw.choose([-1, draw.integer(1 if draw.plain else 0, length - start)])
            for start, length in zip(begin, shape, strict=True)]  # fmt: skip
    return [draw.tensor(dtype, shape), syntax.listed(*begin), syntax.listed(*size)], {}


def strided(draw: Draw, dtype: str) -> Arguments:
    shape = filled_shape(draw)
    begin = [draw.integer(-4, 3) for _ in shape]
    end = [draw.integer(-4, 5) for _ in shape]
    keywords: dict[str, Expression] = {}
    if draw.chance(0.5):
        keywords['strides'] = syntax.listed(*(draw.choose([1, 2, -1]) for _ in shape))
    for mask in ('begin_mask', 'end_mask'):
        if draw.plain or draw.chance(0.4):
            keywords[mask] = 2 ** len(shape) - 1 if draw.plain else draw.integer(0, 3)
    if draw.plain:
        keywords.pop('strides', None)
    return [draw.tensor(dtype, shape), syntax.listed(*begin), syntax.listed(*end)], keywords


def segment(draw: Draw, dtype: str) -> Arguments:
    shape = filled_shape(draw)
    ids = sorted(draw.integer(0, 3) for _ in range(shape[0]))
    return [draw.tensor(dtype, shape), syntax.tensor(draw.index_dtype(), [shape[0]], ids)], {}


def unsorted_segment(draw: Draw, dtype: str) -> Arguments:
    shape = filled_shape(draw)
    rank = draw.integer(1, len(shape)) if draw.chance(0.3) else 1
    ids = draw.integers(shape[:rank], 0, 2, draw.index_dtype())
    return [draw.tensor(dtype, shape), ids, draw.integer(3, 4)], {}


def partition(draw: Draw, dtype: str) -> Arguments:
    shape = draw.shape(1)
    return [draw.tensor(dtype, shape), draw.integers(shape[:1], 0, 1), 2], {}


def stitch(draw: Draw, dtype: str) -> Arguments:
    count = draw.integer(2, 5)
    order = draw.random.sample(range(count), count)
    at = draw.integer(1, count - 1)
    tail = draw.shape(0, 1)
    indices = [syntax.tensor('int32', [len(part)], part) for part in (order[:at], order[at:])]
    data = [draw.tensor(dtype, [size, *tail]) for size in (at, count - at)]
    return [syntax.listed(*indices), syntax.listed(*data)], {}


def unravel(draw: Draw, dtype: str) -> Arguments:
    sizes = syntax.tensor(dtype, [2], [3, 4])
    return [draw.integers(draw.shape(0, 1), 0, 11, dtype), sizes], {}


def embedding(draw: Draw, dtype: str) -> Arguments:
    shape = filled_shape(draw, 2)
    ids = draw.integers(draw.shape(0, 2), 0, shape[0] - 1, draw.index_dtype())
    normed = dtype in FLOATS and draw.chance(0.2)
    return [draw.tensor(dtype, shape), ids], {'max_norm': 1.0} if normed else {}


UNSORTED = 'math.unsorted_segment_'
SCATTERS: Strategy = tensor_scatter
ROWS: list[Row] = [
    *rows('gather', gather, ANY),
    *rows('gather', batched_gather, ANY, variant='batched'),
    *rows('gather_nd', gather_nd, ANY),
    *rows('scatter_nd', scatter_nd, ANY, 4),
    *rows('tensor_scatter_nd_update', tensor_scatter_update, ANY),
    *rows('tensor_scatter_nd_add tensor_scatter_nd_sub', SCATTERS, NUMERIC, 4),
    *rows('tensor_scatter_nd_max tensor_scatter_nd_min', SCATTERS, REAL),
    *rows('boolean_mask', boolean_mask, ANY),
    *rows(
        'where',
        where,
        tuple(dtype for dtype in (*NUMERIC, 'bool') if dtype != 'float16'),
        variant='indices',
    ),
    *rows('slice', cut, ANY),
    *rows('strided_slice', strided, ANY),
    *rows('math.segment_sum math.segment_prod', segment, NUMERIC, 4),
    *rows('math.segment_mean', segment, NUMERIC, 4),
    *rows('math.segment_max math.segment_min', segment, REAL),
    *rows(f'{UNSORTED}sum {UNSORTED}prod', unsorted_segment, NUMERIC, 4),
    *rows(f'{UNSORTED}mean', unsorted_segment, REAL, 4),
    *rows(f'{UNSORTED}sqrt_n', unsorted_segment, FLOATS, 4),
    *rows(f'{UNSORTED}max {UNSORTED}min', unsorted_segment, REAL),
    *rows('dynamic_partition', partition, ANY),
    *rows('dynamic_stitch', stitch, ANY),
    *rows('unravel_index', unravel, INDEX),
    *rows('nn.embedding_lookup', embedding, ANY, 4),
]
