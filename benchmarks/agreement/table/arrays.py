"""Creation, shape, layout and joining."""

from benchmarks.agreement import syntax
from benchmarks.agreement.draw import ANY, FLOATS, INDEX, NUMERIC, REAL, Draw
from benchmarks.agreement.syntax import Expression
from benchmarks.agreement.table.reductions import whole
from benchmarks.agreement.table.row import Arguments, Row, Strategy, rows


def dimensions(draw: Draw, shape: list[int]) -> Expression:
    """A shape as a list, tuple, tensor or TensorShape."""
    kind = 0 if draw.plain else draw.integer(0, 4)
    if kind == 1:
        return syntax.grouped(*shape)
    if kind == 2:
        return syntax.tensor(draw.choose(INDEX), [len(shape)], shape)
    if kind == 3:
        return syntax.call('TensorShape', syntax.listed(*shape))
    return syntax.listed(*shape)


def created(draw: Draw, dtype: str) -> Arguments:
    return [dimensions(draw, draw.shape()), syntax.dtype(dtype)], {}


def like(draw: Draw, dtype: str) -> Arguments:
    (value,), _ = whole(draw, dtype)
    other = not draw.plain and draw.chance(0.3)
    return [value], {'dtype': syntax.dtype(draw.choose(NUMERIC))} if other else {}


def filled(draw: Draw, dtype: str) -> Arguments:
    return [dimensions(draw, draw.shape()), draw.tensor(dtype, [])], {}


def constant(draw: Draw, dtype: str) -> Arguments:
    shape = draw.shape()
    value = draw.host(dtype, shape)
    keywords: dict[str, Expression] = {'dtype': syntax.dtype(dtype)} if draw.chance(0.7) else {}
    if draw.chance(0.2) and 0 not in shape:
        value = draw.host(dtype, [])
        keywords['shape'] = syntax.listed(*shape)
    return [value], keywords


def converted(draw: Draw, dtype: str) -> Arguments:
    value = draw.host(dtype, draw.shape()) if draw.chance(0.5) else draw.tensor(dtype, draw.shape())
    return [value], {'dtype': syntax.dtype(dtype)} if draw.chance(0.6) else {}


def eye(draw: Draw, dtype: str) -> Arguments:
    keywords: dict[str, Expression] = {'dtype': syntax.dtype(dtype)}
    if draw.chance(0.4):
        keywords['num_columns'] = draw.size()
    if draw.chance(0.3):
        keywords['batch_shape'] = syntax.listed(*draw.shape(0, 2))
    return [draw.size()], keywords


def ranged(draw: Draw, dtype: str) -> Arguments:
    if draw.chance(0.4):
        return [draw.integer(1, 6)], {'dtype': syntax.dtype(dtype)}
    start = draw.integer(0, 2)
    step = draw.integer(1, 3)
    keywords: dict[str, Expression] = {'delta': step} if draw.chance(0.5) else {}
    return [start, start + draw.integer(0 if not draw.plain else 1, 6)], {
        **keywords,
        'dtype': syntax.dtype(dtype),
    }


def linspace(draw: Draw, dtype: str) -> Arguments:
    shape = draw.shape(0, 1)
    start, stop = draw.tensor(dtype, shape), draw.tensor(dtype, shape)
    keywords = {'axis': draw.axis(len(shape) + 1)} if draw.chance(0.3) else {}
    return [start, stop, draw.integer(1, 5)], keywords


def reshape(draw: Draw, dtype: str) -> Arguments:
    shape = draw.shape(1)
    count = 1
    for size in shape:
        count *= size
    choices = [[count], [-1], [1, count], [count, 1, 1], shape[::-1]]
    return [draw.tensor(dtype, shape), dimensions(draw, draw.choose(choices))], {}


def expand(draw: Draw, dtype: str) -> Arguments:
    shape = draw.shape()
    return [draw.tensor(dtype, shape), draw.axis(len(shape) + 1)], {}


def squeeze(draw: Draw, dtype: str) -> Arguments:
    shape = [1 if draw.chance(0.5) else size for size in draw.shape(1)]
    ones = [axis for axis, size in enumerate(shape) if size == 1]
    keywords: dict[str, Expression] = {}
    if ones and draw.chance(0.5):
        keywords['axis'] = syntax.listed(*draw.random.sample(ones, draw.integer(1, len(ones))))
    return [draw.tensor(dtype, shape)], keywords


def broadcast_to(draw: Draw, dtype: str) -> Arguments:
    shape = draw.shape()
    return [draw.tensor(dtype, draw.shape_like(shape)), dimensions(draw, shape)], {}


def transpose(draw: Draw, dtype: str) -> Arguments:
    shape = draw.shape(0, 4)
    keywords: dict[str, Expression] = {}
    if draw.chance(0.6):
        keywords['perm'] = syntax.listed(*draw.random.sample(range(len(shape)), len(shape)))
    if draw.chance(0.2):
        keywords['conjugate'] = True
    return [draw.tensor(dtype, shape)], keywords


def tile(draw: Draw, dtype: str) -> Arguments:
    shape = draw.shape()
    multiples = [draw.integer(0 if not draw.plain else 1, 3) for _ in shape]
    return [draw.tensor(dtype, shape), dimensions(draw, multiples)], {}


def repeat(draw: Draw, dtype: str) -> Arguments:
    shape = draw.shape(1)
    # TensorFlow has no tile of uint16, by which it repeats a whole array.
    tiled = dtype != 'uint16'
    if tiled and not draw.plain and draw.chance(0.3):
        return [draw.tensor(dtype, shape), draw.integer(1, 3)], {}
    axis = draw.axis(len(shape))
    repeats = draw.integers([shape[axis]], 0 if not draw.plain else 1, 3)
    amount = draw.integer(1, 3) if tiled and draw.chance(0.5) else repeats
    return [draw.tensor(dtype, shape), amount], {'axis': axis}


def reverse(draw: Draw, dtype: str) -> Arguments:
    shape = draw.shape(1)
    chosen = draw.random.sample(range(len(shape)), draw.integer(0, len(shape)))
    if not chosen:
        return [draw.tensor(dtype, shape), syntax.tensor('int32', [0], [])], {}
    return [draw.tensor(dtype, shape), syntax.listed(*chosen)], {}


def reverse_sequence(draw: Draw, dtype: str) -> Arguments:
    shape = [draw.size() + 1, draw.size() + 1, *draw.shape(0, 1)]
    lengths = draw.integers([shape[0]], 0, shape[1], draw.index_dtype())
    return [draw.tensor(dtype, shape), lengths], {'seq_axis': 1, 'batch_axis': 0}


def roll(draw: Draw, dtype: str) -> Arguments:
    shape = draw.shape(1)
    if draw.chance(0.5):
        return [draw.tensor(dtype, shape), draw.integer(-5, 5), draw.axis(len(shape))], {}
    count = draw.integer(1, 3)
    moves = syntax.listed(*(draw.integer(-5, 5) for _ in range(count)))
    chosen = syntax.listed(*(draw.axis(len(shape)) for _ in range(count)))
    return [draw.tensor(dtype, shape), moves, chosen], {}


def concat(draw: Draw, dtype: str) -> Arguments:
    shape = draw.shape(1)
    axis = draw.axis(len(shape))
    parts = []
    for _ in range(draw.integer(1, 3)):
        sized = list(shape)
        sized[axis] = draw.size()
        parts.append(draw.tensor(dtype, sized))
    return [syntax.listed(*parts), axis], {}


def stack(draw: Draw, dtype: str) -> Arguments:
    shape = draw.shape(0, 2)
    parts = [draw.tensor(dtype, shape) for _ in range(draw.integer(1, 3))]
    return [syntax.listed(*parts)], {'axis': draw.axis(len(shape) + 1)} if draw.chance(0.6) else {}


def unstack(draw: Draw, dtype: str) -> Arguments:
    shape = draw.shape(1)
    return [draw.tensor(dtype, shape)], {'axis': draw.axis(len(shape))} if draw.chance(0.6) else {}


def split(draw: Draw, dtype: str) -> Arguments:
    shape = draw.shape(1)
    axis = draw.axis(len(shape))
    if draw.chance(0.5):
        shape[axis] = draw.integer(1, 2) * 2
        return [draw.tensor(dtype, shape), 2], {'axis': axis}
    sizes = [draw.integer(1 if draw.plain else 0, 2) for _ in range(3)]
    shape[axis] = sum(sizes)
    if draw.chance(0.4):
        sizes[draw.integer(0, 2)] = -1
    return [draw.tensor(dtype, shape), syntax.listed(*sizes)], {'axis': axis}


def meshgrid(draw: Draw, dtype: str) -> Arguments:
    count = draw.integer(1, 3)
    keywords = {'indexing': 'ij'} if draw.chance(0.5) else {}
    return [draw.tensor(dtype, [draw.size()]) for _ in range(count)], keywords


def pad(mode: str) -> Strategy:
    """Padding of one mode."""

    def strategy(draw: Draw, dtype: str) -> Arguments:
        shape = [size + 1 for size in draw.shape(1)]
        limit = 2 if mode == 'CONSTANT' else 1
        pairs = [[draw.integer(0, limit), draw.integer(0, limit)] for _ in shape]
        keywords: dict[str, Expression] = {'mode': mode} if mode != 'CONSTANT' else {}
        if mode == 'CONSTANT' and draw.chance(0.4) and dtype not in ('bool', 'string'):
            keywords['constant_values'] = 1
        paddings = syntax.listed(*(syntax.listed(*pair) for pair in pairs))
        return [draw.tensor(dtype, shape), paddings], keywords

    return strategy


def space_to_batch(draw: Draw, dtype: str) -> Arguments:
    value = draw.tensor(dtype, [draw.size(), 4, 2, draw.integer(1, 2)])
    pads = syntax.listed(syntax.listed(0, 0), syntax.listed(1, 1))
    return [value, syntax.listed(2, 2), pads], {}


def batch_to_space(draw: Draw, dtype: str) -> Arguments:
    value = draw.tensor(dtype, [4 * draw.integer(1, 2), 2, 2, draw.integer(1, 2)])
    crops = syntax.listed(syntax.listed(0, 1), syntax.listed(0, 0))
    return [value, syntax.listed(2, 2), crops], {}


def depth(factor: int) -> Strategy:
    """Space to depth (1) or back (4)."""

    def strategy(draw: Draw, dtype: str) -> Arguments:
        sides = [2, 4] if factor == 1 else [1, 2]
        shape = [draw.integer(1, 2), *sides, factor * draw.integer(1, 2)]
        return [draw.tensor(dtype, shape), 2], {}

    return strategy


def one_hot(draw: Draw, dtype: str) -> Arguments:
    shape = draw.shape(0, 2)
    keywords: dict[str, Expression] = {'dtype': syntax.dtype(dtype)}
    if draw.chance(0.3):
        keywords['axis'] = draw.axis(len(shape) + 1)
    if dtype in ('bool', 'string') or draw.chance(0.3):
        keywords['on_value'] = draw.tensor(dtype, [])
        keywords['off_value'] = draw.tensor(dtype, [])
    return [draw.integers(shape, -1, 4, draw.index_dtype()), draw.integer(1, 4)], keywords


def sequence_mask(draw: Draw, dtype: str) -> Arguments:
    keywords: dict[str, Expression] = {'dtype': syntax.dtype(dtype)}
    if draw.chance(0.5):
        keywords['maxlen'] = draw.integer(1, 5)
    lengths = draw.integers(
        [size + 1 for size in draw.shape(0, 2)], 1 if draw.plain else 0, 4, draw.index_dtype()
    )
    return [lengths], keywords


def shape_of(draw: Draw, dtype: str) -> Arguments:
    keywords = {'out_type': syntax.dtype('int64')} if draw.chance(0.4) else {}
    return [draw.tensor(dtype, draw.shape(1 if draw.plain else 0))], keywords


def ensure(draw: Draw, dtype: str) -> Arguments:
    shape = draw.shape()
    loose = [None if draw.chance(0.3) else size for size in shape]
    return [draw.tensor(dtype, shape), syntax.listed(*loose)], {}


def shapes(draw: Draw, dtype: str) -> Arguments:
    shape = draw.shape(1)
    other = draw.shape_like(shape)
    return [syntax.tensor(dtype, [len(given)], given) for given in (shape, other)], {}


def is_a_tensor(draw: Draw, dtype: str) -> Arguments:
    return [draw.choose([draw.tensor(dtype, draw.shape()), draw.host(dtype, [2])])], {}


def several_shapes(draw: Draw, dtype: str) -> Arguments:
    return [syntax.listed(*(draw.tensor(dtype, draw.shape(1)) for _ in range(2)))], {}


ROWS: list[Row] = [
    *rows('zeros', created, ANY),
    *rows('ones', created, ANY[:-1]),
    *rows('zeros_like', like, ANY),
    *rows('ones_like', like, ANY[:-1]),
    *rows('fill', filled, ANY),
    *rows('constant', constant, ANY),
    *rows('convert_to_tensor', converted, ANY),
    *rows('eye linalg.eye', eye, ANY[:-1]),
    *rows('range', ranged, (*FLOATS, *INDEX)),
    *rows('linspace', linspace, NUMERIC, 4),
    *rows('reshape', reshape, ANY),
    *rows('expand_dims', expand, ANY),
    *rows('squeeze', squeeze, ANY),
    *rows('broadcast_to', broadcast_to, ANY),
    *rows('transpose', transpose, ANY),
    *rows('tile', tile, tuple(dtype for dtype in ANY if dtype != 'uint16')),
    *rows('repeat', repeat, tuple(dtype for dtype in ANY if dtype != 'uint16')),
    *rows('reverse', reverse, ANY),
    *rows('reverse_sequence', reverse_sequence, ANY),
    *rows('roll', roll, ANY),
    *rows('concat', concat, ANY),
    *rows('stack', stack, ANY),
    *rows('unstack', unstack, ANY),
    *rows('split', split, ANY),
    *rows('meshgrid', meshgrid, (*NUMERIC, 'bool')),
    *rows('pad', pad('CONSTANT'), ANY),
    *rows('pad', pad('REFLECT'), ANY, variant='reflect'),
    *rows('pad', pad('SYMMETRIC'), ANY, variant='symmetric'),
    *rows('space_to_batch', space_to_batch, REAL),
    *rows('batch_to_space', batch_to_space, REAL),
    *rows('nn.space_to_depth', depth(1), ANY),
    *rows('nn.depth_to_space', depth(4), ANY),
    *rows('one_hot', one_hot, ANY),
    *rows('sequence_mask', sequence_mask, ANY[:-1]),
    *rows('shape size', shape_of, ANY),
    *rows('shape_n', several_shapes, ANY),
    *rows('rank identity', whole, ANY),
    *rows('identity_n', several_shapes, ANY),
    *rows('is_tensor', is_a_tensor, ANY),
    *rows('ensure_shape', ensure, ANY),
    *rows('broadcast_dynamic_shape', shapes, INDEX),
]
