"""For each differentiable op of the registry a call at a point where it is smooth."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

import tensorvar as tv
from tensorvar._core import executor
from tensorvar._core.op_registry import OPS
from tests._ops import matrices, samples


@dataclass(frozen=True)
class Row:
    """A call of an op.

    Attributes:
        inputs: of the op; float64 and complex128 ones are differentiated.
        attributes: of the op.
        still: positions of inputs that have no gradient, as in TensorFlow.
        still_twice: positions of inputs whose gradient has none, as in TensorFlow.
        prepare: from these inputs to those of the op, where some follow from others.
    """

    inputs: tuple[np.ndarray, ...]
    attributes: dict[str, Any] = field(default_factory=dict)
    still: tuple[int, ...] = ()
    still_twice: tuple[int, ...] = ()
    prepare: Callable[..., tuple[Any, ...]] | None = None


def row(*inputs: np.ndarray, **attributes: Any) -> Row:
    return Row(inputs, attributes)


def run(name: str, *inputs: Any, **attributes: Any) -> Any:
    return executor.run(OPS[name], *inputs, **attributes)


def array(*values: Any) -> np.ndarray:
    return np.array(values, np.float64)


def scalar(value: float) -> np.ndarray:
    return np.array(value, np.float64)


def ids(*values: Any) -> np.ndarray:
    return np.array(values, np.int32)


def wide_ids(*values: Any) -> np.ndarray:
    return np.array(values, np.int64)


R, C = samples.float64, samples.complex128
ANY = array(-1.7, -0.4, 0.6, 1.8)
POSITIVE = array(0.3, 0.9, 1.6, 2.7)
INSIDE = array(-0.7, -0.2, 0.4, 0.8)
COLUMN, LINE = array([0.7], [-1.3]), array(0.4, -1.8, 2.3)
HIGH_COLUMN, HIGH_LINE = array([0.7], [1.3]), array(0.4, 1.8, 2.3)
MASK = np.array([True, False, True])
SEGMENTS = ids(0, 0, 1, 3)
COMPLEX128 = np.dtype(np.complex128)

UNARY = {
    'ReadVariableOp': ANY,
    'Copy': ANY,
    'Abs': ANY,
    'Neg': ANY,
    'Sign': ANY,
    'Square': ANY,
    'Sqrt': POSITIVE,
    'Rsqrt': POSITIVE,
    'Reciprocal': ANY,
    'Identity': ANY,
    'ComplexAbs': C(3),
    'Conj': C(3),
    'Real': C(3),
    'Imag': C(3),
    'Angle': C(3),
    'Exp': ANY,
    'Expm1': ANY,
    'Log': POSITIVE,
    'Log1p': INSIDE,
    'Sigmoid': ANY,
    'Sinh': ANY,
    'Cosh': ANY,
    'Tanh': ANY,
    'Asinh': ANY,
    'Acosh': POSITIVE + 1,
    'Atanh': INSIDE,
    'Erf': ANY,
    'Erfc': ANY,
    'Erfinv': INSIDE,
    'Ndtri': array(0.2, 0.4, 0.7),
    'Lgamma': POSITIVE,
    'Digamma': POSITIVE,
    'Softplus': ANY,
    'Softsign': ANY,
    'L2Loss': ANY,
    'BesselI0': ANY,
    'BesselI0e': ANY,
    'BesselI1': ANY,
    'BesselI1e': ANY,
    'BesselK0': POSITIVE,
    'BesselK0e': POSITIVE,
    'BesselK1': POSITIVE,
    'BesselK1e': POSITIVE,
    'BesselJ0': ANY,
    'BesselJ1': ANY,
    'BesselY0': POSITIVE,
    'BesselY1': POSITIVE,
    'Expint': POSITIVE,
    'Relu': ANY,
    'Relu6': array(-1.5, 0.5, 5.0, 7.0),
    'Elu': ANY,
    'Selu': ANY,
    'Sin': ANY,
    'Cos': ANY,
    'Tan': INSIDE,
    'Asin': INSIDE,
    'Acos': INSIDE,
    'Atan': ANY,
    'FFT': C(2, 3),
    'FFT2D': C(2, 3),
    'FFT3D': C(2, 1, 3),
    'IFFT': C(2, 3),
    'IFFT2D': C(2, 3),
    'IFFT3D': C(2, 1, 3),
    'Diag': R(3),
    'DiagPart': R(2, 2),
    'MatrixDeterminant': matrices.general(np.float64, 3, 3),
    'LogMatrixDeterminant': matrices.general(np.float64, 3, 3),
    'MatrixExponential': 0.3 * matrices.general(np.float64, 2, 2),
    'MatrixSquareRoot': matrices.positive(np.float64, 2, 2),
}

BINARY = {
    'RealDiv': (COLUMN, LINE),
    'FloorMod': (array([7.3], [-2.2]), array(2.0, 3.1, -1.7)),
    'DivNoNan': (COLUMN, LINE),
    'Xdivy': (COLUMN, LINE),
    'Complex': (COLUMN, LINE),
    'AddV2': (COLUMN, LINE),
    'Sub': (COLUMN, LINE),
    'Mul': (COLUMN, LINE),
    'Maximum': (COLUMN, LINE),
    'Minimum': (COLUMN, LINE),
    'SquaredDifference': (COLUMN, LINE),
    'MulNoNan': (COLUMN, LINE),
    'Pow': (HIGH_COLUMN, LINE),
    'Xlogy': (COLUMN, HIGH_LINE),
    'Xlog1py': (COLUMN, HIGH_LINE),
    'Atan2': (COLUMN, LINE),
    'NextAfter': (COLUMN, LINE),
    'SigmoidGrad': (array(0.2, 0.7), array(-1.3, 0.8)),
    'TanhGrad': (array(-0.2, 0.7), array(-1.3, 0.8)),
    'ReluGrad': (LINE, array(0.5, -0.7, 1.1)),
    'Relu6Grad': (LINE, array(0.5, -0.7, 7.1)),
    'EluGrad': (LINE, array(0.5, -0.7, -0.2)),
    'SeluGrad': (LINE, array(0.5, -0.7, -0.2)),
    'Cross': (R(2, 3), R(2, 3, seed=1)),
    'SigmoidCrossEntropyWithLogits': (ANY, array(0.2, 0.9, 0.4, 0.7)),
}

INDEX = {'spec': (('slice', 0, 3, 2), ('int', 1), ('new',))}
OVER_AXIS = {'axis': 1, 'keepdims': False}
SUMMED = ('Sum', 'Mean', 'Prod', 'Max', 'Min')
MEASURED = ('ReduceLogSumExp', 'ReduceVariance', 'ReduceStd', 'EuclideanNorm')
RUNNING = {'axis': 1, 'exclusive': False, 'reverse': True}
MATRICES = (R(2, 3), R(3, 2, seed=1))
FORMS = {'form_a': 'none', 'form_b': 'none', 'output_type': None, 'precision': 'ieee'}

FLAT = {'strides': (2, 1), 'dilations': (1, 1), 'padding': 'SAME', 'channels_first': False}
DEEP = {**FLAT, 'strides': (1, 2, 1), 'dilations': (1, 1, 1)}
FLAT_SHAPES = (1, 4, 3, 2), (2, 2, 2, 1), (1, 2, 3, 1)
DEEP_SHAPES = (1, 2, 3, 2, 1), (2, 2, 1, 1, 2), (1, 2, 2, 2, 2)
DEPTH_SHAPES = (1, 4, 4, 2), (2, 2, 2, 1), (1, 2, 2, 2)
EVEN = {**FLAT, 'strides': (2, 2)}


def convolution(
    forward: str, to_input: str, to_filter: str, shapes: Any, layout: dict[str, Any]
) -> dict[str, Row]:
    images, filters, results = (R(*shape, seed=seed) for seed, shape in enumerate(shapes))
    return {
        forward: row(images, filters, **layout),
        to_input: row(filters, results, input_shape=images.shape, **layout),
        to_filter: row(images, results, filter_shape=filters.shape, **layout),
    }


def symmetric(x: Any) -> tuple[Any, ...]:
    return ((x + tv.transpose(x)) / 2,)


FLAT_WINDOWS = {'ksize': (1, 2, 2, 1), 'strides': (1, 2, 1, 1), 'padding': 'SAME'}
DEEP_WINDOWS = {'ksize': (1, 2, 2, 1, 1), 'strides': (1, 2, 1, 1, 1), 'padding': 'VALID'}


def pooling(suffix: str, shape: Any, result: Any, windows: dict[str, Any]) -> dict[str, Row]:
    biggest, mean = f'MaxPool{suffix}', f'AvgPool{suffix}'
    images = R(*shape)

    def with_result(x: Any, upstream: Any) -> tuple[Any, ...]:
        return x, run(biggest, x, **windows), upstream

    return {
        biggest: row(images, **windows),
        f'{biggest}Grad': Row((images, R(*result, seed=1)), windows, prepare=with_result),
        f'{biggest}GradGrad': Row((images, R(*shape, seed=1)), windows, prepare=with_result),
        mean: row(images, **windows),
        f'{mean}Grad': row(R(*result), input_shape=shape, **windows),
    }


ROWS: dict[str, Row] = {
    **{name: row(x) for name, x in UNARY.items()},
    **{name: row(*inputs) for name, inputs in BINARY.items()},
    **{name: row(R(2, 3), **OVER_AXIS) for name in (*SUMMED, *MEASURED)},
    **{name: row(R(2, 3), **RUNNING) for name in ('Cumsum', 'Cumprod', 'CumulativeLogsumexp')},
    # Orders and shape parameters.
    'Polygamma': Row((scalar(1), POSITIVE), still=(0,)),
    'Zeta': Row((scalar(2.5), POSITIVE), still=(0,)),
    'Betainc': Row((scalar(1.5), scalar(2.5), array(0.2, 0.5, 0.7)), still=(0, 1)),
    'Igamma': Row((scalar(1.5), POSITIVE), still_twice=(0,)),
    'Igammac': Row((scalar(1.5), POSITIVE), still_twice=(0,)),
    # Shapes and places.
    'BooleanMask': row(R(2, 3), MASK, axis=1),
    'BooleanMaskGrad': row(R(2, 2), MASK, shape=(2, 3), axis=1),
    'StridedSlice': row(R(3, 2), **INDEX),
    'StridedSliceGrad': row(R(2, 1), shape=(3, 2), **INDEX),
    'Fill': row(scalar(1.5), shape=(2, 3)),
    'Cast': row(R(3), dtype=COMPLEX128),
    'Reshape': row(R(2, 3), shape=(3, 2)),
    'ExpandDims': row(R(3), axis=-1),
    'Squeeze': row(R(1, 3, 1), axis=(0,)),
    'BroadcastTo': row(R(2, 1), shape=(2, 3)),
    'EnsureShape': row(R(2, 3), shape=(None, 3)),
    'Transpose': row(C(2, 3), perm=(1, 0), conjugate=True),
    'ReverseV2': row(R(2, 3), axis=(1,)),
    'Roll': row(R(2, 3), shift=(1, -1), axis=(0, 1)),
    'Tile': row(R(2, 2), multiples=(2, 3)),
    'Repeat': row(R(2, 3), repeats=(2, 0, 1), axis=1),
    'ConcatV2': row(R(2, 1), R(2, 2, seed=1), axis=1),
    'Pack': row(R(2), R(2, seed=1), axis=1),
    'Unpack': row(R(2, 3), num=3, axis=1),
    'SplitV': row(R(2, 3), sizes=(1, 2), axis=1),
    'PadV2': Row((R(2, 2), scalar(1.5)), {'paddings': ((1, 0), (0, 2))}, still=(1,)),
    'MirrorPad': row(R(2, 3), paddings=((1, 0), (0, 2)), mode='REFLECT'),
    'SpaceToBatchND': row(R(1, 3, 2), block_shape=(2,), paddings=((1, 0),)),
    'BatchToSpaceND': row(R(2, 2, 2), block_shape=(2,), crops=((1, 0),)),
    'SpaceToDepth': row(R(1, 2, 4, 1), block_size=2, data_format='NHWC'),
    'DepthToSpace': row(R(1, 1, 2, 4), block_size=2, data_format='NHWC'),
    'ReverseSequence': row(R(2, 3), ids(2, 3), seq_axis=1, batch_axis=0),
    'CheckNumerics': row(ANY, message='x'),
    'LinSpace': row(array(0.5, -1.0), array(2.0, 3.0), num=4, axis=1),
    # Indices.
    'GatherV2': row(R(2, 3), ids(2, 0, 2), axis=1, batch_dims=0),
    'GatherV2Grad': row(R(2, 3), ids(2, 0, 2), params_shape=(2, 3), axis=1, batch_dims=0),
    'GatherNd': row(R(2, 3), ids([1, 2], [0, 1], [1, 2]), batch_dims=0),
    'ScatterNd': row(ids([1], [0], [1]), R(3, 2), shape=(3, 2), batch_dims=0),
    'ConfusionMatrix': row(wide_ids(0, 1, 1), wide_ids(1, 1, 0), R(3), num_classes=2),
    'DynamicPartition': row(R(4, 2), ids(1, 0, 1, 2), num_partitions=3),
    'DynamicStitch': row(ids(3, 0, 1), R(3, 2)),
    'TensorScatterUpdate': row(R(4, 2), ids([2], [0]), R(2, 2, seed=1)),
    'TensorScatterAdd': row(R(4, 2), ids([2], [2]), R(2, 2, seed=1)),
    'TensorScatterSub': row(R(4, 2), ids([2], [2]), R(2, 2, seed=1)),
    'TensorScatterMin': row(R(4, 2), ids([2], [0]), R(2, 2, seed=1) + 0.1),
    'TensorScatterMax': row(R(4, 2), ids([2], [0]), R(2, 2, seed=1) + 0.1),
    'SegmentSum': row(R(4, 2), SEGMENTS),
    'SegmentMean': row(R(4, 2), SEGMENTS),
    'SegmentProd': row(R(4, 2), SEGMENTS),
    'SegmentMax': row(R(4, 2), SEGMENTS),
    'SegmentMin': row(R(4, 2), SEGMENTS),
    'UnsortedSegmentSum': row(R(4, 2), ids(2, 0, -1, 2), num_segments=3),
    'UnsortedSegmentProd': row(R(4, 2), ids(2, 0, -1, 2), num_segments=3),
    # An empty segment holds the least number, whose square is too much for differences.
    'UnsortedSegmentMax': row(R(4, 2), ids(2, 0, 1, 2), num_segments=3),
    'UnsortedSegmentMin': row(R(4, 2), ids(2, 0, 1, 2), num_segments=3),
    'TopKV2': row(R(2, 4), k=2, index_type=np.dtype(np.int32)),
    'Sort': row(R(2, 3), axis=1, descending=True),
    'SelectV2': row(MASK, COLUMN, LINE),
    'ClipByValue': row(ANY, scalar(-1.0), scalar(1.0)),
    # Matrices.
    'MatMul': row(*MATRICES, **FORMS),
    'BatchMatMulV2': row(R(2, 2, 3), R(3, 2, seed=1), **FORMS),
    'AddN': row(R(3), R(3, seed=1), R(3, seed=2)),
    'Einsum': row(*MATRICES, equation='ij,jk->ki'),
    'MatrixBandPart': row(R(3, 3), num_lower=1, num_upper=0),
    'MatrixDiagPartV3': row(R(2, 3), scalar(0.5), k=(-1, 1), align='RIGHT_LEFT'),
    'MatrixDiagV3': row(R(2, 2), scalar(0.5), k=(0, 1), num_rows=2, num_cols=3, align='RIGHT_LEFT'),
    'MatrixSetDiagV3': row(R(2, 3), R(2, seed=1), k=(0, 0), align='RIGHT_LEFT'),
    'MatrixTriangularSolve': row(
        matrices.general(np.float64, 2, 2), R(2, 1), lower=True, adjoint=False
    ),
    # Reads the lower half only, but its gradient is that to a symmetric matrix.
    'Cholesky': Row((matrices.positive(np.float64, 3, 3),), prepare=symmetric),
    'Qr': row(matrices.general(np.float64, 3, 2), full_matrices=False),
    'SelfAdjointEigV2': row(matrices.positive(np.float64, 3, 3), compute_v=True),
    'Svd': row(matrices.general(np.float64, 3, 2), compute_uv=True, full_matrices=False),
    'MatrixPseudoInverse': Row((matrices.general(np.float64, 3, 2), scalar(1e-12)), still=(1,)),
    'MatrixInverse': row(matrices.general(np.float64, 2, 2), adjoint=False),
    'MatrixSolve': row(matrices.general(np.float64, 2, 2), R(2, 1), adjoint=False),
    # Neural networks.
    'Gelu': row(ANY, approximate=True),
    'LeakyRelu': row(ANY, alpha=0.2),
    'LeakyReluGrad': row(LINE, array(0.5, -0.7, 1.1), alpha=0.2),
    'Softmax': row(R(2, 3), axis=-1),
    'LogSoftmax': row(R(2, 3), axis=-1),
    # The gradient to the logits supposes that the labels sum to 1, so they may not move then.
    'SoftmaxCrossEntropyWithLogits': Row(
        (R(2, 3), array([0.2, 0.3, 0.5], [0.6, 0.3, 0.1])), {'axis': -1}, still_twice=(1,)
    ),
    'SparseSoftmaxCrossEntropyWithLogits': row(R(2, 3), ids(2, 0)),
    'SparseSoftmaxCrossEntropyBackprop': row(R(2, 3), ids(2, 0)),
    'BiasAdd': row(R(2, 2, 3), R(3, seed=1), channels_first=False),
    'LRN': row(R(1, 1, 2, 3), depth_radius=1, bias=1.5, alpha=0.3, beta=0.7),
    **convolution('Conv2D', 'Conv2DBackpropInput', 'Conv2DBackpropFilter', FLAT_SHAPES, FLAT),
    **convolution('Conv3D', 'Conv3DBackpropInputV2', 'Conv3DBackpropFilterV2', DEEP_SHAPES, DEEP),
    **convolution(
        'DepthwiseConv2dNative',
        'DepthwiseConv2dNativeBackpropInput',
        'DepthwiseConv2dNativeBackpropFilter',
        DEPTH_SHAPES,
        EVEN,
    ),
    **pooling('', (1, 4, 3, 1), (1, 2, 3, 1), FLAT_WINDOWS),
    **pooling('3D', (1, 2, 3, 2, 1), (1, 1, 2, 2, 1), DEEP_WINDOWS),
    # Fourier transforms of reals, of odd length.
    **{
        f'RFFT{rank}': row(R(1, 2, 3), fft_length=lengths)
        for rank, lengths in (('', (3,)), ('2D', (2, 3)), ('3D', (1, 2, 3)))
    },
    **{
        f'IRFFT{rank}': row(C(1, 2, 3), fft_length=lengths)
        for rank, lengths in (('', (4,)), ('2D', (2, 4)), ('3D', (1, 2, 4)))
    },
}
