"""Checks of values: raise unless a condition holds for every element."""

from collections.abc import Callable
from typing import Any

import ml_dtypes
import numpy as np

from tensorvar import dtypes, errors
from tensorvar._core import conversion
from tensorvar._core.array_value import ArrayValue
from tensorvar._core.tensor import Tensor
from tensorvar._ops import comparison, complex_parts, reduction

Comparison = Callable[[Any, Any], Tensor]
_SHOWN = 3


def assert_equal(
    x: Any,
    y: Any,
    message: str | None = None,
    summarize: int | None = None,
    name: str | None = None,
) -> None:
    """Raises unless ``x == y`` holds for every pair of elements, after broadcasting.

    Args:
        x: a tensor, or what converts to one.
        y: another one, of the same dtype.
        message: stands before the text of the error.
        summarize: how many elements the error shows; None means 3, and -1 all.
        name: accepted for TensorFlow's sake.

    Raises:
        InvalidArgumentError: the condition does not hold; or dtypes or shapes do not fit.

    Example:
        >>> import tensorvar as tv
        >>> tv.debugging.assert_equal(tv.size([3, 4]), 2)
    """
    _check_pairs('assert_equal', '==', comparison.equal, x, y, message, summarize)


def assert_none_equal(
    x: Any,
    y: Any,
    summarize: int | None = None,
    message: str | None = None,
    name: str | None = None,
) -> None:
    """Raises unless ``x != y`` holds for every pair of elements. See ``assert_equal``."""
    _check_pairs('assert_none_equal', '!=', comparison.not_equal, x, y, message, summarize)


def assert_less(
    x: Any,
    y: Any,
    message: str | None = None,
    summarize: int | None = None,
    name: str | None = None,
) -> None:
    """Raises unless ``x < y`` holds for every pair of elements. See ``assert_equal``."""
    _check_pairs('assert_less', '<', comparison.less, x, y, message, summarize)


def assert_less_equal(
    x: Any,
    y: Any,
    message: str | None = None,
    summarize: int | None = None,
    name: str | None = None,
) -> None:
    """Raises unless ``x <= y`` holds for every pair of elements. See ``assert_equal``."""
    _check_pairs('assert_less_equal', '<=', comparison.less_equal, x, y, message, summarize)


def assert_greater(
    x: Any,
    y: Any,
    message: str | None = None,
    summarize: int | None = None,
    name: str | None = None,
) -> None:
    """Raises unless ``x > y`` holds for every pair of elements. See ``assert_equal``."""
    _check_pairs('assert_greater', '>', comparison.greater, x, y, message, summarize)


def assert_greater_equal(
    x: Any,
    y: Any,
    message: str | None = None,
    summarize: int | None = None,
    name: str | None = None,
) -> None:
    """Raises unless ``x >= y`` holds for every pair of elements. See ``assert_equal``."""
    _check_pairs('assert_greater_equal', '>=', comparison.greater_equal, x, y, message, summarize)


def assert_positive(
    x: Any, message: str | None = None, summarize: int | None = None, name: str | None = None
) -> None:
    """Raises unless ``x > 0`` holds for every element.

    Args:
        x: a tensor of numbers, or what converts to one.
        message: stands before the text of the error.
        summarize: how many elements the error shows; None means 3, and -1 all.
        name: accepted for TensorFlow's sake.

    Raises:
        InvalidArgumentError: the condition does not hold.
        TypeError: ``x`` holds no numbers.
    """
    _check_sign('assert_positive', '>', comparison.greater, x, message, summarize)


def assert_negative(
    x: Any, message: str | None = None, summarize: int | None = None, name: str | None = None
) -> None:
    """Raises unless ``x < 0`` holds for every element. See ``assert_positive``."""
    _check_sign('assert_negative', '<', comparison.less, x, message, summarize)


def assert_non_negative(
    x: Any, message: str | None = None, summarize: int | None = None, name: str | None = None
) -> None:
    """Raises unless ``x >= 0`` holds for every element. See ``assert_positive``."""
    _check_sign('assert_non_negative', '>=', comparison.greater_equal, x, message, summarize)


def assert_non_positive(
    x: Any, message: str | None = None, summarize: int | None = None, name: str | None = None
) -> None:
    """Raises unless ``x <= 0`` holds for every element. See ``assert_positive``."""
    _check_sign('assert_non_positive', '<=', comparison.less_equal, x, message, summarize)


def assert_near(
    x: Any,
    y: Any,
    rtol: Any = None,
    atol: Any = None,
    message: str | None = None,
    summarize: int | None = None,
    name: str | None = None,
) -> None:
    """Raises unless ``abs(x - y) < atol + rtol * abs(y)`` holds for every pair of elements.

    Args:
        x: a tensor of floats or complex numbers, or what converts to one.
        y: another one, of the same dtype.
        rtol: the relative tolerance; None means 10 times the smallest step above 1.
        atol: the absolute tolerance; None means the same.
        message: stands before the text of the error.
        summarize: how many elements the error shows; None means 3, and -1 all.
        name: accepted for TensorFlow's sake.

    Raises:
        InvalidArgumentError: the condition does not hold.
        ValueError: ``x`` holds integers, or the dtypes differ.
    """
    first = conversion.convert_to_tensor(x)
    second = conversion.convert_to_tensor(y, dtype=first.dtype)
    if first.dtype.numpy not in dtypes.INEXACT:
        raise errors.InvalidArgumentError(
            f'[assert_near] {first.dtype.name} was given, which is not inexact; allowed are '
            f'floats and complex numbers; use assert_equal',
            'assert_near',
        )
    real = first.dtype.real_dtype
    step = 10 * float(ml_dtypes.finfo(real.numpy).eps)
    relative = conversion.convert_to_tensor(step if rtol is None else rtol, dtype=real)
    absolute = conversion.convert_to_tensor(step if atol is None else atol, dtype=real)
    distance = complex_parts.abs(first - second)
    held = comparison.less(distance, absolute + relative * complex_parts.abs(second))
    if not _all(held):
        text = (
            f'x and y not equal to tolerance rtol = {_elements(relative, summarize)}, '
            f'atol = {_elements(absolute, summarize)}'
        )
        _refuse('assert_near', text, first, second, message, summarize)


def Assert(
    condition: Any, data: Any, summarize: int | None = None, name: str | None = None
) -> None:
    """Raises unless a condition holds.

    Args:
        condition: a boolean, or a tensor with one element.
        data: a list of tensors and other values to show if it does not hold.
        summarize: how many elements of each the error shows; None means 3, and -1 all.
        name: accepted for TensorFlow's sake.

    Raises:
        InvalidArgumentError: the condition does not hold.
        TypeError: it does not hold, and ``data`` is no list.
    """
    if condition:
        return
    if not isinstance(data, list | tuple):
        raise errors.InvalidTypeError(
            f'[Assert] data={data!r:.80} was given; it must be a list of values to show', 'Assert'
        )
    shown = '\n'.join(_elements(item, summarize) for item in data)
    raise errors.InvalidArgumentError(
        f"[Assert] Expected '{condition}' to be true. Summarized data: {shown}", 'Assert'
    )


def _check_pairs(
    op: str,
    sign: str,
    compare: Comparison,
    x: Any,
    y: Any,
    message: str | None,
    summarize: int | None,
) -> None:
    first, second = conversion.convert_to_tensor(x), conversion.convert_to_tensor(y)
    held = compare(first, second)
    if _all(held):
        return
    text = f'Condition x {sign} y did not hold.'
    if first._shape == second._shape and first._shape:
        text += f'\n{_places(held, summarize)}'
    _refuse(op, text, first, second, message, summarize)


def _check_sign(
    op: str, sign: str, compare: Comparison, x: Any, message: str | None, summarize: int | None
) -> None:
    tensor = conversion.convert_to_tensor(x)
    if tensor.dtype.numpy not in dtypes.REAL:
        raise errors.InvalidTypeError(
            f'[{op}] {tensor._describe()} was given; allowed are real numbers; use tv.cast', op
        )
    if not _all(compare(tensor, 0)):
        text = (
            f'Condition x {sign} 0 did not hold element-wise:\n'
            f'x (shape={tensor.shape} dtype={tensor.dtype.name}) = {_elements(tensor, summarize)}'
        )
        raise errors.InvalidArgumentError(f'[{op}] {_before(message)}{text}', op)


def _all(held: Tensor) -> bool:
    return bool(reduction.reduce_all(held))


def _refuse(
    op: str, text: str, x: Tensor, y: Tensor, message: str | None, summarize: int | None
) -> None:
    raise errors.InvalidArgumentError(
        f'[{op}] {_before(message)}{text}\nFirst elements of x: {_elements(x, summarize)}\n'
        f'First elements of y: {_elements(y, summarize)}',
        op,
    )


def _before(message: str | None) -> str:
    return f'{message}\n' if message else ''


def _places(held: Tensor, summarize: int | None) -> str:
    wrong = np.argwhere(~held._to_host('print', explicit=True))
    shown = wrong[: _limit(summarize, len(wrong))]
    return f'{len(wrong)} pairs differ, at the indices {shown.tolist()}'


def _limit(summarize: int | None, size: int) -> int:
    wanted = _SHOWN if summarize is None else summarize
    return size if wanted < 0 else min(wanted, size)


def _elements(value: Any, summarize: int | None) -> str:
    """The first elements of a value, as text."""
    if not isinstance(value, ArrayValue):
        return str(value)
    flat = value._to_host('print', explicit=True).reshape(-1)
    limit = _limit(summarize, len(flat))
    more = ', ...' if limit < len(flat) else ''
    return ', '.join(str(item) for item in flat[:limit]) + more
