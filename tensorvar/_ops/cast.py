"""Conversions between element types."""

from typing import Any

import numpy as np

from tensorvar import dtypes, errors
from tensorvar._backend import host_pieces
from tensorvar._core import conversion, executor, op_registry
from tensorvar._core.array_value import ArrayValue
from tensorvar._core.op_registry import ArraySpec, OpDef
from tensorvar._core.tensor import Tensor
from tensorvar._ops._gradient_helpers import Gradients

NumpyDType = np.dtype[Any]


def _cast_rule(x: ArraySpec, *, dtype: NumpyDType) -> ArraySpec:
    if (x.dtype.kind == 'O') != (dtype.kind == 'O'):
        source, target = dtypes.from_numpy(x.dtype).name, dtypes.from_numpy(dtype).name
        raise errors.UnimplementedError(
            f'[Cast] Cast {source} to {target} is not supported (shape {list(x.shape)}); numbers '
            f'and bools are cast into each other; parse or format strings in Python',
            'Cast',
        )
    return ArraySpec(x.shape, dtype)


def _cast(xp: Any, x: Any, *, dtype: NumpyDType) -> Any:
    if dtype.kind == 'b':
        return x != 0
    if x.dtype.kind == 'c' and dtype.kind != 'c':
        x = x.real
    return x.astype(dtype)


def _cast_gradient(context: Any, gradient: Tensor) -> Gradients:
    source = context.inputs[0].dtype
    inexact = source.numpy in dtypes.INEXACT and gradient.dtype.numpy in dtypes.INEXACT
    return (cast(gradient, source) if inexact else None,)


CAST = op_registry.register(
    OpDef('Cast', _cast_rule, _cast, _cast_gradient, grain=host_pieces.LIGHT)
)


def cast(x: Any, dtype: Any, name: str | None = None) -> Tensor:
    """Converts values to another element type.

    Floats lose their fraction on the way to integers, complex numbers their imaginary
    part on the way to reals. Values that an integer type cannot hold wrap around; what
    nan, infinities and floats out of range become is up to the device. Every value but
    0 is True: in TensorFlow a complex number with real part 0 is False.

    Args:
        x: anything that converts to a tensor.
        dtype: the element type asked for.
        name: ignored; there for TensorFlow programs.

    Returns:
        A tensor of the shape of ``x``; ``x`` itself if it is a tensor of that dtype.

    Raises:
        TypeError: ``dtype`` names no type.
        UnimplementedError: from or to strings.
    """
    target = dtypes.as_dtype(dtype).numpy
    if not isinstance(x, ArrayValue):
        x = conversion.convert_to_tensor(x)
    if x.dtype.numpy is target:
        return conversion.convert_to_tensor(x)
    result: Tensor = executor.run(CAST, x, dtype=target)
    return result
