"""``tv.random.stateless_*``: draws that a seed alone decides, and seeds from seeds."""

import enum
from typing import Any

from tensorvar import dtypes, errors
from tensorvar._core import conversion, executor
from tensorvar._core.op_registry import OPS, OpDef
from tensorvar._core.tensor import Tensor
from tensorvar._ops import _random_arguments, _random_define
from tensorvar._ops.random_seed import FixedStream, Stream

STATELESS_UNIFORM = _random_define.float_op('StatelessRandomUniformV2', _random_define.UNIFORM)
STATELESS_NORMAL = _random_define.float_op('StatelessRandomNormalV2', _random_define.NORMAL)
STATELESS_TRUNCATED_NORMAL = _random_define.float_op(
    'StatelessTruncatedNormalV2', _random_define.TRUNCATED_NORMAL
)
STATELESS_UNIFORM_INT = _random_define.integer_op(
    'StatelessRandomUniformIntV2', _random_define.FULL_RANGE_DTYPES
)
STATELESS_UNIFORM_FULL_INT = _random_define.integer_op(
    'StatelessRandomUniformFullIntV2', _random_define.FULL_RANGE_DTYPES
)
STATELESS_SHUFFLE = _random_define.shuffle_op('StatelessShuffle')


class Algorithm(enum.Enum):
    """A random-number algorithm, as in TensorFlow.

    ``AUTO_SELECT`` is Philox on every device here. ThreeFry, which TensorFlow has for
    XLA devices alone, is not supported.
    """

    PHILOX = 1
    THREEFRY = 2
    AUTO_SELECT = 3


def read_algorithm(op: str, alg: Any) -> Algorithm:
    """An ``alg`` argument: a name, a number or an ``Algorithm``.

    Raises:
        ValueError: there is no such algorithm.
        TypeError: the argument is something else.
    """
    if alg is None:
        return Algorithm.AUTO_SELECT
    if isinstance(alg, Algorithm):
        return alg
    if not isinstance(alg, int | str):
        raise errors.InvalidTypeError(
            f'[{op}] alg was given as {alg!r:.80} of type {type(alg).__name__}; allowed are '
            f"'philox', 'auto_select' and tv.random.Algorithm; give one of them",
            op,
        )
    plain = alg.strip().lower().replace('-', '').replace('_', '') if isinstance(alg, str) else alg
    for algorithm in Algorithm:
        if plain in (algorithm.value, algorithm.name.lower().replace('_', '')):
            return algorithm
    raise errors.InvalidArgumentError(
        f'[{op}] Argument `alg` got unsupported value {alg!r}; allowed are '
        f"'philox' (1) and 'auto_select' (3); give one of them",
        op,
    )


def check_philox(op: str, algorithm: Algorithm) -> None:
    """Raises UnimplementedError for ThreeFry."""
    if algorithm is Algorithm.THREEFRY:
        raise errors.UnimplementedError(
            f"[{op}] the ThreeFry algorithm was asked for; it is for TensorFlow's XLA devices "
            f"alone; use 'philox'",
            op,
        )


def stateless_normal(
    shape: Any,
    seed: Any,
    mean: Any = 0.0,
    stddev: Any = 1.0,
    dtype: Any = dtypes.float32,
    name: str | None = None,
    alg: Any = 'auto_select',
) -> Tensor:
    """Draws from a normal distribution; the same seed gives the same values.

    The numbers are those of TensorFlow on its CPU, on every device.

    Args:
        shape: the shape of the result, 1-D.
        seed: two integers; as a tensor on a GPU they are copied to the host.
        mean: the mean; a number or a tensor of ``dtype`` that broadcasts with the result.
        stddev: the standard deviation, likewise. Gradients reach both.
        dtype: float16, bfloat16, float32 or float64.
        name: accepted for TensorFlow's sake.
        alg: ``'philox'`` or ``'auto_select'``, which is the same here.

    Returns:
        A tensor on the device of the scope, or on the default device.

    Raises:
        InvalidArgumentError: a bad shape, dtype, seed or algorithm.
        UnimplementedError: ``alg`` is ``'threefry'``.

    Example:
        >>> import tensorvar as tv
        >>> tv.random.stateless_normal([3], seed=[1, 2]).shape
        TensorShape([3])
    """
    values = _draw(STATELESS_NORMAL, shape, dtype, seed, alg)
    return _random_arguments.scale(values, stddev, mean)


def stateless_truncated_normal(
    shape: Any,
    seed: Any,
    mean: Any = 0.0,
    stddev: Any = 1.0,
    dtype: Any = dtypes.float32,
    name: str | None = None,
    alg: Any = 'auto_select',
) -> Tensor:
    """Draws from a normal distribution, anew where 2 standard deviations are exceeded.

    Args:
        shape: the shape of the result, 1-D.
        seed: see ``stateless_normal``.
        mean: the mean; a number or a tensor of ``dtype`` that broadcasts with the result.
        stddev: the standard deviation before truncation, likewise.
        dtype: float16, bfloat16, float32 or float64.
        name: accepted for TensorFlow's sake.
        alg: see ``stateless_normal``.

    Returns:
        A tensor on the device of the scope, or on the default device.

    Raises:
        InvalidArgumentError: a bad shape, dtype, seed or algorithm.
    """
    values = _draw(STATELESS_TRUNCATED_NORMAL, shape, dtype, seed, alg)
    return _random_arguments.scale(values, stddev, mean)


def stateless_uniform(
    shape: Any,
    seed: Any,
    minval: Any = 0,
    maxval: Any = None,
    dtype: Any = dtypes.float32,
    name: str | None = None,
    alg: Any = 'auto_select',
) -> Tensor:
    """Draws evenly from [minval, maxval); the same seed gives the same values.

    Args:
        shape: the shape of the result, 1-D.
        seed: see ``stateless_normal``.
        minval: the lower bound, which may be drawn; with ``maxval`` None for all
            integers of ``dtype``.
        maxval: the upper bound, which is not drawn; 1 for floats if None.
        dtype: float16, bfloat16, float32, float64, int32 or int64; uint32 and uint64
            only for all integers.
        name: accepted for TensorFlow's sake.
        alg: see ``stateless_normal``.

    Returns:
        A tensor on the device of the scope, or on the default device.

    Raises:
        ValueError: another dtype, only one bound for integers, or an empty range.
    """
    op = 'stateless_uniform'
    kind = dtypes.as_dtype(dtype)
    if kind.numpy not in dtypes.FLOATING | _random_define.FULL_RANGE_DTYPES:
        raise errors.InvalidTypeError(
            f'[{op}] Argument `dtype` got invalid value {kind.name}; allowed are the float '
            f'dtypes, int32, int64, uint32 and uint64; draw one of them and tv.cast it'
        )
    if kind.is_floating:
        values = _draw(STATELESS_UNIFORM, shape, kind, seed, alg)
        return _random_arguments.scale_to_range(values, minval, 1 if maxval is None else maxval)
    if kind.is_unsigned and minval is not None:
        raise errors.InvalidArgumentError(
            f'[{op}] Argument `dtype` got invalid value {kind.name} with minval={minval!r}; '
            f'unsigned integers have no bounds here; give minval=None and maxval=None, or a '
            f'signed dtype'
        )
    return draw_integers(op, shape, kind, fixed_stream(op, seed, alg), minval, maxval)


def stateless_shuffle(
    value: Any, seed: Any, alg: Any = 'auto_select', name: str | None = None
) -> Tensor:
    """Shuffles a tensor along its first axis; the same seed gives the same order.

    Args:
        value: a tensor, or what converts to one.
        seed: see ``stateless_normal``.
        alg: see ``stateless_normal``.
        name: accepted for TensorFlow's sake.

    Returns:
        A tensor of the same shape and dtype, on the device of ``value``.
    """
    tensor = conversion.convert_to_tensor(value)
    stream = fixed_stream(STATELESS_SHUFFLE.name, seed, alg)
    result: Tensor = executor.run(STATELESS_SHUFFLE, tensor, stream=stream)
    return result


def split(seed: Any, num: int = 2, alg: Any = 'auto_select') -> Tensor:
    """Makes new seeds out of one.

    Args:
        seed: see ``stateless_normal``.
        num: how many.
        alg: see ``stateless_normal``.

    Returns:
        A tensor of shape ``(num, 2)`` and the dtype of ``seed``: int32, or int64.

    Example:
        >>> import tensorvar as tv
        >>> tv.random.split([1, 2], 3).numpy().tolist()
        [[1105988140, 1738052849], [-335576002, 370444179], [10670227, -246211131]]
    """
    tensor = conversion.convert_to_tensor(seed)
    return stateless_uniform([num, 2], tensor, None, None, tensor.dtype, alg=alg)


def fold_in(seed: Any, data: Any, alg: Any = 'auto_select') -> Tensor:
    """Makes a new seed out of a seed and a number, such as the index of a replica.

    Args:
        seed: see ``stateless_normal``.
        data: an int32 or int64 scalar.
        alg: see ``stateless_normal``.

    Returns:
        A tensor of shape ``(2,)`` and the dtype of ``data``.
    """
    tensor = conversion.convert_to_tensor(data)
    first = stateless_uniform([], seed, None, None, tensor.dtype, alg=alg)
    result: Tensor = executor.run(OPS['Pack'], first, tensor, axis=0)
    return result


def draw(op: OpDef, shape: Any, dtype: Any, stream: Stream, **attributes: Any) -> Tensor:
    """Runs one of the ops above; for ``stateless_*`` functions and generators."""
    result: Tensor = executor.run(
        op,
        shape=_random_arguments.read_shape(op.name, shape),
        dtype=dtypes.as_dtype(dtype).numpy,
        stream=stream,
        **attributes,
    )
    return result


def draw_integers(
    op: str, shape: Any, dtype: dtypes.DType, stream: Stream, minval: Any, maxval: Any
) -> Tensor:
    """Draws integers in [minval, maxval), or all of ``dtype`` if both are None.

    Raises:
        InvalidArgumentError: only one of them is None.
    """
    if (minval is None) != (maxval is None):
        raise errors.InvalidArgumentError(
            f'[{op}] minval={minval!r} and maxval={maxval!r} were given for {dtype.name}; '
            f'minval and maxval must be both None or both not None; give both bounds'
        )
    if minval is None:
        high = 1 << 8 * dtype.size
        return draw(STATELESS_UNIFORM_FULL_INT, shape, dtype, stream, low=0, high=high)
    low, high = _random_arguments.read_bounds(op, minval, maxval, dtype)
    return draw(STATELESS_UNIFORM_INT, shape, dtype, stream, low=low, high=high)


def _draw(op: OpDef, shape: Any, dtype: Any, seed: Any, alg: Any) -> Tensor:
    return draw(op, shape, dtype, fixed_stream(op.name, seed, alg))


def fixed_stream(op: str, seed: Any, alg: Any = 'auto_select') -> FixedStream:
    """The stream of a stateless draw.

    Raises:
        InvalidArgumentError: the seed is not made of two 64-bit integers.
        UnimplementedError: ``alg`` is ``'threefry'``.
    """
    check_philox(op, read_algorithm(op, alg))
    dtype = getattr(seed, 'dtype', None)
    if dtype is not None and dtypes.as_dtype(dtype) not in (dtypes.int32, dtypes.int64):
        raise errors.UnsupportedTypeError(
            f'[{op}] seed has dtype {dtypes.as_dtype(dtype).name}; allowed are int32 and int64; '
            f'tv.cast it first',
            op,
        )
    read = conversion.host_integers(seed, op, 'seed')
    if not isinstance(read, tuple) or len(read) != 2 or not all(isinstance(s, int) for s in read):
        raise errors.InvalidArgumentError(
            f'[{op}] seed must have shape [2], not {seed!r:.80}; give two integers', op
        )
    if not all(-(2**63) <= s < 2**64 for s in read):
        raise errors.InvalidArgumentError(
            f'[{op}] seed {list(read)} has an integer of more than 64 bits; '
            f'give two that fit int64',
            op,
        )
    return FixedStream((read[0], read[1]))
