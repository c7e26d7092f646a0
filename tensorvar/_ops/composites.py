"""Small functions made of other ops: polyval, accumulate_n, reciprocal_no_nan and kin."""

from typing import Any

from tensorvar import _shapes, dtypes, errors
from tensorvar._core import conversion
from tensorvar._core.tensor import Tensor
from tensorvar._ops import (
    array_shape,
    comparison,
    creation,
    division,
    elementwise_binary,
    reduction,
)


def accumulate_n(
    inputs: Any, shape: Any = None, tensor_dtype: Any = None, name: str | None = None
) -> Tensor:
    """The sum of tensors of one shape and dtype.

    Args:
        inputs: a list of one or more.
        shape: what their shape is expected to be; None for any.
        tensor_dtype: what their dtype is expected to be; None for any.
        name: accepted for TensorFlow's sake.

    Returns:
        A tensor of their shape and dtype.

    Raises:
        ValueError: no list, an empty one, or other shapes or dtypes.
        TypeError: ``tensor_dtype`` is another dtype.
    """
    given = list(inputs) if isinstance(inputs, list | tuple) else []
    values = [conversion.convert_to_tensor(value) for value in given]
    names = sorted({value.dtype.name for value in values})
    if len(names) != 1:
        raise errors.InvalidArgumentError(
            f'[AccumulateNV2] inputs must be a list of at least one Tensor with the same dtype and '
            f'shape, but {len(values)} of the dtypes {names} were given; tv.cast them',
            'AccumulateNV2',
        )
    expected = _shapes.TensorShape(shape)
    for value in values:
        if not expected.is_compatible_with(value.shape):
            raise errors.InvalidArgumentError(
                f'[AccumulateNV2] Shapes {expected} and {value.shape} are not compatible; all '
                f'inputs have one shape; reshape them',
                'AccumulateNV2',
            )
        expected = expected.merge_with(value.shape)
    if tensor_dtype is not None and dtypes.as_dtype(tensor_dtype) is not values[0].dtype:
        raise errors.InvalidTypeError(
            f'[AccumulateNV2] tensor_dtype is {dtypes.as_dtype(tensor_dtype).name}, but the inputs '
            f'are {names[0]}; these must be equal; tv.cast the inputs',
            'AccumulateNV2',
        )
    return elementwise_binary.add_n(values)


def reciprocal_no_nan(x: Any, name: str | None = None) -> Tensor:
    """``1 / x``, and 0 where ``x`` is 0.

    Args:
        x: floating-point or complex values.
        name: accepted for TensorFlow's sake.

    Returns:
        A tensor of the shape and dtype of ``x``.

    Raises:
        InvalidTypeError: ``x`` has another dtype.
    """
    values = conversion.convert_to_tensor(x)
    if values.dtype.is_integer or values.dtype.is_bool:
        raise errors.InvalidTypeError(
            f'[reciprocal_no_nan] x has dtype {values.dtype.name}; allowed are floating-point and '
            f'complex dtypes; tv.cast it',
            'reciprocal_no_nan',
        )
    return division.divide_no_nan(creation.ones([], values.dtype), values)


def polyval(coeffs: Any, x: Any, name: str | None = None) -> Tensor:
    """The value of a polynomial, by Horner's rule.

    Args:
        coeffs: a list of coefficients, that of the highest power first; each broadcasts
            with ``x``.
        x: where the polynomial is taken.
        name: accepted for TensorFlow's sake.

    Returns:
        A tensor of the broadcast shape; that of the coefficient if there is only one.

    Raises:
        ValueError: ``coeffs`` is no list.

    Example:
        >>> import tensorvar as tv
        >>> tv.math.polyval([3, 0, 1], 5).numpy().item()
        76
    """
    if not isinstance(coeffs, list):
        raise errors.InvalidArgumentError(
            f'[polyval] Argument coeffs must be list type. Received type {type(coeffs).__name__}; '
            f'give a list of coefficients',
            'polyval',
        )
    x = conversion.convert_to_tensor(x)
    if not coeffs:
        return creation.zeros_like(x)
    value = conversion.convert_to_tensor(coeffs[0])
    for coefficient in coeffs[1:]:
        value = conversion.convert_to_tensor(coefficient) + value * x
    return value


def is_non_decreasing(x: Any, name: str | None = None) -> Tensor:
    """Whether no element is less than the one before it, in reading order.

    Args:
        x: real numbers of any shape.
        name: accepted for TensorFlow's sake.

    Returns:
        A boolean scalar; True for fewer than two elements.

    Raises:
        TypeError: ``x`` holds no numbers.
    """
    before, after = _neighbours('is_non_decreasing', x)
    return reduction.reduce_all(comparison.less_equal(before, after))


def is_strictly_increasing(x: Any, name: str | None = None) -> Tensor:
    """Whether every element is above the one before it. See ``is_non_decreasing``."""
    before, after = _neighbours('is_strictly_increasing', x)
    return reduction.reduce_all(comparison.less(before, after))


def _neighbours(op: str, x: Any) -> tuple[Tensor, Tensor]:
    values = conversion.convert_to_tensor(x)
    if not values.dtype.is_numeric:
        raise errors.InvalidTypeError(
            f'[{op}] Expected x to be numeric, instead found dtype {values.dtype.name}; tv.cast it',
            op,
        )
    flat = array_shape.reshape(values, [-1])
    return flat[:-1], flat[1:]
