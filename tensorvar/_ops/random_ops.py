"""``tv.random.uniform``, ``normal``, ``truncated_normal`` and ``shuffle``."""

from typing import Any

from tensorvar import dtypes, errors
from tensorvar._core import conversion, executor
from tensorvar._core.op_registry import OpDef
from tensorvar._core.tensor import Tensor
from tensorvar._ops import _random_arguments, _random_define, random_seed
from tensorvar._ops.distributions import NumpyDType
from tensorvar._ops.random_seed import Stream

RANDOM_UNIFORM = _random_define.float_op('RandomUniform', _random_define.UNIFORM)
RANDOM_NORMAL = _random_define.float_op('RandomStandardNormal', _random_define.NORMAL)
TRUNCATED_NORMAL = _random_define.float_op('TruncatedNormal', _random_define.TRUNCATED_NORMAL)
RANDOM_UNIFORM_INT = _random_define.integer_op('RandomUniformInt', _random_define.RANGE_DTYPES)
RANDOM_SHUFFLE = _random_define.shuffle_op('RandomShuffle')


def normal(
    shape: Any,
    mean: Any = 0.0,
    stddev: Any = 1.0,
    dtype: Any = dtypes.float32,
    seed: int | None = None,
    name: str | None = None,
) -> Tensor:
    """Draws from a normal distribution.

    With a global seed (``tv.random.set_seed``) or ``seed``, the numbers are those of
    TensorFlow on its CPU, on every device; without, the device's fastest generator draws.

    Args:
        shape: the shape of the result, 1-D.
        mean: the mean; a number or a tensor of ``dtype`` that broadcasts with the result.
        stddev: the standard deviation, likewise. Gradients reach both.
        dtype: float16, bfloat16, float32 or float64.
        seed: an integer that, with the global seed, starts the stream of this draw.
        name: accepted for TensorFlow's sake.

    Returns:
        A tensor on the device of the scope, or on the default device.

    Raises:
        InvalidArgumentError: a bad shape or dtype.

    Example:
        >>> import tensorvar as tv
        >>> tv.random.set_seed(5)
        >>> tv.random.normal([2, 2], seed=1).shape
        TensorShape([2, 2])
    """
    return _random_arguments.scale(_draw(RANDOM_NORMAL, shape, dtype, seed), stddev, mean)


def truncated_normal(
    shape: Any,
    mean: Any = 0.0,
    stddev: Any = 1.0,
    dtype: Any = dtypes.float32,
    seed: int | None = None,
    name: str | None = None,
) -> Tensor:
    """Draws from a normal distribution, anew where 2 standard deviations are exceeded.

    Args:
        shape: the shape of the result, 1-D.
        mean: the mean; a number or a tensor of ``dtype`` that broadcasts with the result.
        stddev: the standard deviation before truncation, likewise.
        dtype: float16, bfloat16, float32 or float64.
        seed: see ``normal``.
        name: accepted for TensorFlow's sake.

    Returns:
        A tensor on the device of the scope, or on the default device.

    Raises:
        InvalidArgumentError: a bad shape or dtype.
    """
    return _random_arguments.scale(_draw(TRUNCATED_NORMAL, shape, dtype, seed), stddev, mean)


def uniform(
    shape: Any,
    minval: Any = 0,
    maxval: Any = None,
    dtype: Any = dtypes.float32,
    seed: int | None = None,
    name: str | None = None,
) -> Tensor:
    """Draws evenly from [minval, maxval).

    Args:
        shape: the shape of the result, 1-D.
        minval: the lower bound, which may be drawn. For floats a number or a tensor of
            ``dtype`` that broadcasts with the result; for integers a scalar.
        maxval: the upper bound, which is not drawn; 1 for floats if None.
        dtype: float16, bfloat16, float32, float64, int32 or int64.
        seed: see ``normal``.
        name: accepted for TensorFlow's sake.

    Returns:
        A tensor on the device of the scope, or on the default device.

    Raises:
        ValueError: another dtype, no ``maxval`` for integers, or an empty range.
    """
    kind = dtypes.as_dtype(dtype)
    if kind.numpy not in dtypes.FLOATING | _random_define.RANGE_DTYPES:
        raise errors.InvalidTypeError(
            f'[RandomUniform] Argument `dtype` got invalid value {kind.name}; allowed are the '
            f'float dtypes, int32 and int64; draw one of them and tv.cast it'
        )
    if kind.is_floating:
        values = _draw(RANDOM_UNIFORM, shape, kind, seed)
        return _random_arguments.scale_to_range(values, minval, 1 if maxval is None else maxval)
    if maxval is None:
        raise errors.InvalidArgumentError(
            f'[RandomUniformInt] Must specify maxval for integer dtype {kind.name}; '
            f'there is no natural upper bound; give maxval'
        )
    low, high = _random_arguments.read_bounds('RandomUniformInt', minval, maxval, kind)
    return _draw(RANDOM_UNIFORM_INT, shape, kind, seed, low=low, high=high)


def shuffle(value: Any, seed: int | None = None, name: str | None = None) -> Tensor:
    """Shuffles a tensor along its first axis.

    Args:
        value: a tensor, or what converts to one.
        seed: see ``normal``.
        name: accepted for TensorFlow's sake.

    Returns:
        A tensor of the same shape and dtype, on the device of ``value``.
    """
    tensor = conversion.convert_to_tensor(value)
    stream = random_seed.stream(RANDOM_SHUFFLE.name, seed, tensor.dtype.numpy)
    result: Tensor = executor.run(RANDOM_SHUFFLE, tensor, stream=stream)
    return result


def _stream(op: OpDef, seed: Any, shape: Any, dtype: NumpyDType) -> Stream | None:
    # TensorFlow has a kernel, with a stream of its own, for each dtype of the shape.
    wide = getattr(shape, 'dtype', None) == dtypes.int64
    return random_seed.stream(op.name, seed, dtype, wide)


def _draw(op: OpDef, shape: Any, dtype: Any, seed: Any, **attributes: Any) -> Tensor:
    numpy_dtype = dtypes.as_dtype(dtype).numpy
    result: Tensor = executor.run(
        op,
        shape=_random_arguments.read_shape(op.name, shape),
        dtype=numpy_dtype,
        stream=_stream(op, seed, shape, numpy_dtype),
        **attributes,
    )
    return result
