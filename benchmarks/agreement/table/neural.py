"""Activations, losses, normalization, convolution and pooling."""

from benchmarks.agreement import syntax
from benchmarks.agreement.draw import FLOATS, INEXACT, NUMERIC, REAL, SIGNED, Draw
from benchmarks.agreement.syntax import Expression
from benchmarks.agreement.table.elementwise import unary
from benchmarks.agreement.table.row import Arguments, Row, Strategy, rows


def softmax(draw: Draw, dtype: str) -> Arguments:
    shape = draw.shape(1)
    keywords = {'axis': draw.axis(len(shape))} if draw.chance(0.4) else {}
    return [draw.tensor(dtype, shape)], keywords


def leaky(draw: Draw, dtype: str) -> Arguments:
    return [draw.tensor(dtype, draw.shape())], {'alpha': 0.25} if draw.chance(0.5) else {}


def gelu(draw: Draw, dtype: str) -> Arguments:
    keywords = {'approximate': True} if draw.chance(0.5) else {}
    return [draw.tensor(dtype, draw.shape())], keywords


def crelu(draw: Draw, dtype: str) -> Arguments:
    shape = draw.shape(1)
    return [draw.tensor(dtype, shape)], {'axis': draw.axis(len(shape))}


def logits(draw: Draw, dtype: str) -> Arguments:
    shape = draw.shape()
    labels = draw.tensor(dtype, shape, 'probability')
    return [], {'labels': labels, 'logits': draw.tensor(dtype, shape)}


def weighted_logits(draw: Draw, dtype: str) -> Arguments:
    _, keywords = logits(draw, dtype)
    return [], {**keywords, 'pos_weight': draw.choose([0.5, 2.0])}


def softmax_logits(draw: Draw, dtype: str) -> Arguments:
    shape = [*draw.shape(0, 2), draw.integer(1, 4)]
    labels = draw.tensor(dtype, shape, 'probability')
    keywords: dict[str, Expression] = {'labels': labels, 'logits': draw.tensor(dtype, shape)}
    if draw.chance(0.3):
        keywords['axis'] = draw.axis(len(shape))
    return [], keywords


def sparse_logits(draw: Draw, dtype: str) -> Arguments:
    lead, classes = draw.shape(0, 2), draw.integer(1, 4)
    labels = draw.integers(lead, 0, classes - 1, draw.index_dtype())
    return [], {'labels': labels, 'logits': draw.tensor(dtype, [*lead, classes])}


def poisson_loss(draw: Draw, dtype: str) -> Arguments:
    shape = draw.shape()
    arguments = [draw.tensor(dtype, shape, 'positive'), draw.tensor(dtype, shape)]
    return arguments, {'compute_full_loss': True} if draw.chance(0.4) else {}


def bias_add(draw: Draw, dtype: str) -> Arguments:
    shape = draw.shape(2, 4)
    if draw.chance(0.3):
        bias = draw.tensor(dtype, [shape[1]])
        return [draw.tensor(dtype, shape), bias], {'data_format': 'NCHW'}
    return [draw.tensor(dtype, shape), draw.tensor(dtype, [shape[-1]])], {}


def batch_normalization(draw: Draw, dtype: str) -> Arguments:
    shape = draw.shape(1)
    channel = shape[-1:]
    offset = draw.tensor(dtype, channel) if draw.chance(0.7) else None
    scale = draw.tensor(dtype, channel) if draw.chance(0.7) else None
    values = [draw.tensor(dtype, shape), draw.tensor(dtype, channel)]
    return [*values, draw.tensor(dtype, channel, 'positive'), offset, scale, 0.001], {}


def response_normalization(draw: Draw, dtype: str) -> Arguments:
    shape = [draw.integer(1, 2) for _ in range(3)]
    return [draw.tensor(dtype, [*shape, draw.integer(2, 5)])], {'depth_radius': 1, 'alpha': 0.5}


def dropout(draw: Draw, dtype: str) -> Arguments:
    return [draw.tensor(dtype, draw.shape())], {'rate': draw.choose([0.0, 0.25])}


def windows(draw: Draw, rank: int) -> tuple[list[int], dict[str, Expression]]:
    """Spatial sizes, and strides with padding."""
    sizes = [draw.integer(3, 5) for _ in range(rank)]
    stride = draw.integer(1, 2)
    strides: Expression = stride if draw.chance(0.5) else syntax.listed(*([stride] * rank))
    return sizes, {'strides': strides, 'padding': draw.choose(['SAME', 'VALID'])}


def convolution(rank: int, padded: bool = False) -> Strategy:
    """Channels last, as the CPU of TensorFlow has it."""

    def strategy(draw: Draw, dtype: str) -> Arguments:
        sizes, keywords = windows(draw, rank)
        batch, channels, filters = (draw.integer(1, 2) for _ in range(3))
        kernel = [draw.integer(1, 3) for _ in range(rank)]
        if padded:
            pairs = [[0, 0], *([draw.integer(0, 1), 1] for _ in range(rank)), [0, 0]]
            keywords['padding'] = syntax.listed(*(syntax.listed(*pair) for pair in pairs))
        elif draw.chance(0.3):
            keywords['strides'] = 1
            keywords['dilations'] = 2
            # TensorFlow gives memory as it was where a dilated kernel does not fit.
            sizes = [5] * rank
        if rank == 1:
            del keywords['strides']
            keywords['stride'] = 1 if 'dilations' in keywords else draw.integer(1, 2)
        if rank == 3:
            keywords['strides'] = syntax.listed(1, *([draw.integer(1, 2)] * 3), 1)
            keywords.pop('dilations', None)
        value = draw.tensor(dtype, [batch, *sizes, channels])
        return [value, draw.tensor(dtype, [*kernel, channels, filters])], keywords

    return strategy


def transposed(draw: Draw, dtype: str) -> Arguments:
    batch, channels, filters = (draw.integer(1, 2) for _ in range(3))
    sizes = [draw.integer(2, 3), draw.integer(2, 3)]
    stride = draw.integer(1, 2)
    shape = syntax.listed(batch, sizes[0] * stride, sizes[1] * stride, filters)
    value = draw.tensor(dtype, [batch, *sizes, channels])
    kernel = draw.tensor(dtype, [2, 3, filters, channels])
    return [value, kernel, shape, stride], {'padding': 'SAME'}


def depthwise(draw: Draw, dtype: str) -> Arguments:
    batch, channels, multiplier = (draw.integer(1, 2) for _ in range(3))
    sizes, keywords = windows(draw, 2)
    stride = draw.integer(1, 2)
    keywords['strides'] = syntax.listed(1, stride, stride, 1)
    value = draw.tensor(dtype, [batch, *sizes, channels])
    return [value, draw.tensor(dtype, [2, 2, channels, multiplier])], keywords


def separable(draw: Draw, dtype: str) -> Arguments:
    (value, kernel), keywords = depthwise(draw, dtype)
    pointwise = draw.tensor(dtype, [1, 1, kernel[2][2] * kernel[2][3], 2])
    return [value, kernel, pointwise], keywords


def pooling(rank: int) -> Strategy:
    """Windows of one size on every axis."""

    def strategy(draw: Draw, dtype: str) -> Arguments:
        sizes, keywords = windows(draw, rank)
        if rank == 3:
            keywords['strides'] = 2
        value = draw.tensor(dtype, [draw.integer(1, 2), *sizes, draw.integer(1, 2)])
        return [value], {'ksize': draw.integer(1, 3), **keywords}

    return strategy


POOLED = (*FLOATS, *SIGNED, 'uint8', 'uint16')
ROWS: list[Row] = [
    *rows('nn.relu', unary(), REAL),
    *rows('nn.relu6', unary(), REAL),
    *rows('nn.elu nn.selu', unary(), FLOATS, 4),
    *rows('nn.silu nn.swish', unary(), INEXACT, 4),
    *rows('nn.gelu', gelu, FLOATS, 8),
    *rows('nn.leaky_relu', leaky, REAL),
    *rows('nn.crelu', crelu, (*FLOATS, *SIGNED)),
    *rows('nn.softmax nn.log_softmax', softmax, FLOATS, 4),
    *rows('nn.sigmoid_cross_entropy_with_logits', logits, FLOATS, 4),
    *rows('nn.weighted_cross_entropy_with_logits', weighted_logits, FLOATS, 8),
    *rows('nn.softmax_cross_entropy_with_logits', softmax_logits, FLOATS, 8),
    *rows('nn.sparse_softmax_cross_entropy_with_logits', sparse_logits, FLOATS, 8),
    *rows('nn.log_poisson_loss', poisson_loss, FLOATS, 8),
    *rows('nn.bias_add', bias_add, NUMERIC),
    *rows('nn.batch_normalization', batch_normalization, INEXACT, 16),
    *rows('nn.local_response_normalization', response_normalization, ('float16', 'float32'), 16),
    *rows('nn.dropout', dropout, FLOATS, numbers=False, gradient=False),
    *rows('nn.conv1d', convolution(1), (*FLOATS, 'int32'), 8),
    *rows('nn.conv2d', convolution(2), (*FLOATS, 'int32'), 8),
    *rows('nn.conv2d', convolution(2, padded=True), (*FLOATS, 'int32'), 8, variant='padded'),
    *rows('nn.conv3d', convolution(3), FLOATS, 8),
    *rows('nn.conv2d_transpose', transposed, (*FLOATS, 'int32'), 8),
    *rows('nn.depthwise_conv2d', depthwise, FLOATS, 8),
    *rows('nn.separable_conv2d', separable, FLOATS, 8),
    *rows('nn.avg_pool1d', pooling(1), FLOATS, 8),
    *rows('nn.avg_pool2d', pooling(2), FLOATS, 8),
    *rows('nn.avg_pool3d', pooling(3), ('bfloat16', 'float32'), 8),
    *rows('nn.max_pool1d', pooling(1), POOLED),
    *rows('nn.max_pool2d', pooling(2), POOLED),
    *rows('nn.max_pool3d', pooling(3), ('bfloat16', 'float32')),
    *rows('nn.avg_pool', pooling(2), FLOATS, 8),
    *rows('nn.max_pool', pooling(2), POOLED),
]
