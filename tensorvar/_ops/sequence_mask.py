"""Masks of the first elements of sequences."""

from typing import Any

from tensorvar import dtypes, errors
from tensorvar._backend.base import Array
from tensorvar._core import conversion, executor, op_registry
from tensorvar._core.op_registry import NOT_DIFFERENTIABLE, ArraySpec, OpDef
from tensorvar._core.tensor import Tensor
from tensorvar._ops import _arguments, _define, cast

_NAME = 'SequenceMask'
_INT64 = dtypes.int64.numpy
_ALLOWED = dtypes.FLOATING | {dtypes.int32.numpy, dtypes.int64.numpy}


def _infer(lengths: ArraySpec, *, maxlen: int | None) -> ArraySpec:
    if maxlen is not None and maxlen < 0:
        raise errors.InvalidArgumentError(
            f'[{_NAME}] maxlen {maxlen} was given; it must be 0 or more; leave it out for the '
            f'greatest length',
            _NAME,
        )
    return ArraySpec((*lengths.shape, maxlen), _define.BOOL)


def _forward(xp: Any, lengths: Array, *, maxlen: int | None) -> Array:
    # A fraction of an element counts as one.
    whole = lengths if lengths.dtype.kind == 'i' else xp.ceil(lengths)
    whole = whole.astype(_INT64)
    if maxlen is None:
        maxlen = 0
        if whole.size:
            # An array operation, because on a card the host does not know the greatest.
            maxlen = xp.bincount(xp.maximum(whole, 0).reshape((-1,))).shape[0] - 1
    return xp.arange(maxlen) < whole[..., None]


SEQUENCE_MASK = op_registry.register(
    OpDef(_NAME, _infer, _forward, NOT_DIFFERENTIABLE, dtypes={'T': _ALLOWED})
)


def sequence_mask(
    lengths: Any, maxlen: Any = None, dtype: Any = dtypes.bool_, name: str | None = None
) -> Tensor:
    """For each length, a row that is True in its first ``length`` elements.

    Args:
        lengths: numbers of any shape: int32, int64 or floats.
        maxlen: how long a row is; None for the greatest length.
        dtype: of the result.
        name: accepted for TensorFlow's sake.

    Returns:
        A tensor of shape ``lengths.shape + (maxlen,)``.

    Raises:
        ValueError: ``maxlen`` is no scalar.
        InvalidArgumentError: ``maxlen`` is negative; ``lengths`` has another dtype.

    Example:
        >>> import tensorvar as tv
        >>> tv.sequence_mask([1, 3], dtype=tv.int32).numpy().tolist()
        [[1, 0, 0], [1, 1, 1]]
    """
    limit = None
    if maxlen is not None:
        if _arguments.rank_of(maxlen):
            raise errors.InvalidArgumentError(
                f'[{_NAME}] Argument `maxlen` must be scalar for sequence_mask, received '
                f'{maxlen!r:.80}; give one number',
                _NAME,
            )
        whole = cast.cast(conversion.convert_to_tensor(maxlen), dtypes.int64)
        limit = _arguments.scalar(_NAME, 'maxlen', whole)
    mask: Tensor = executor.run(SEQUENCE_MASK, lengths, maxlen=limit)
    wanted = dtypes.as_dtype(dtype)
    return mask if wanted is dtypes.bool_ else cast.cast(mask, wanted)
