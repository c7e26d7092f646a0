"""The same bits as another dtype."""

from typing import Any

import numpy as np

from tensorvar import dtypes, errors
from tensorvar._backend.base import Array
from tensorvar._core import executor, op_registry
from tensorvar._core.op_registry import NOT_DIFFERENTIABLE, ArraySpec, OpDef
from tensorvar._core.tensor import Tensor

NumpyDType = np.dtype[Any]


def _infer(input: ArraySpec, *, type: NumpyDType) -> ArraySpec:
    shape, given, wanted = input.shape, input.dtype.itemsize, type.itemsize
    if given == wanted:
        return ArraySpec(shape, type)
    if given > wanted:
        return ArraySpec((*shape, given // wanted), type)
    ratio = wanted // given
    if not shape or shape[-1] not in (ratio, None):
        raise errors.InvalidArgumentError(
            f'[Bitcast] Cannot bitcast from {dtypes.from_numpy(input.dtype).name} of shape '
            f'{list(shape)} to {dtypes.from_numpy(type).name}; the last dimension must be {ratio}; '
            f'reshape it',
            'Bitcast',
        )
    return ArraySpec(shape[:-1], type)


def _forward(xp: Any, array: Array, *, type: NumpyDType) -> Array:
    shape = _infer(ArraySpec(array.shape, array.dtype), type=type).shape
    if array.size == 0:
        return xp.empty(shape, type)
    return xp.ascontiguousarray(array).reshape((-1,)).view(type).reshape(shape)


BITCAST = op_registry.register(
    OpDef('Bitcast', _infer, _forward, NOT_DIFFERENTIABLE, dtypes={'T': dtypes.NUMERIC})
)


def bitcast(input: Any, type: Any, name: str | None = None) -> Tensor:
    """Reads the bits of numbers as another dtype, in the byte order of the machine.

    Args:
        input: numbers.
        type: a dtype of numbers. If it is n times smaller, the result has a last dimension
            n more; if it is n times larger, the last dimension of ``input``, which is n,
            goes.
        name: accepted for TensorFlow's sake.

    Returns:
        A tensor of the dtype ``type``.

    Raises:
        InvalidArgumentError: bools or strings; the last dimension does not fit.

    Example:
        >>> import tensorvar as tv
        >>> tv.bitcast(1.0, tv.uint32).numpy().item() == 0x3F800000
        True
    """
    wanted = dtypes.as_dtype(type)
    if not wanted.is_numeric:
        raise errors.InvalidTypeError(
            f'[Bitcast] type {wanted.name} was given; allowed are dtypes of numbers; use tv.cast',
            'Bitcast',
        )
    result: Tensor = executor.run(BITCAST, input, type=wanted.numpy)
    return result
