"""``TensorSpec``: the shape and dtype that a value shall have."""

import functools
from collections.abc import Sequence
from typing import Any

from tensorvar import _shapes, dtypes, errors
from tensorvar._core.array_value import ArrayValue
from tensorvar._core.tensor import Tensor


class TensorSpec:
    """A description of tensors.

    Args:
        shape: what ``tv.TensorShape`` takes; dimensions may be unknown.
        dtype: the element type.
        name: a name for the argument described, or None.

    Example:
        >>> import tensorvar as tv
        >>> tv.TensorSpec([None, 2], tv.float32).is_compatible_with(tv.zeros([3, 2]))
        True
    """

    __slots__ = ('_dtype', '_name', '_shape')

    def __init__(self, shape: Any, dtype: Any = dtypes.float32, name: str | None = None) -> None:
        self._shape = _shapes.as_shape(shape)
        self._dtype = dtypes.as_dtype(dtype)
        self._name = name

    @classmethod
    def from_tensor(cls, tensor: ArrayValue, name: str | None = None) -> 'TensorSpec':
        """The spec of a tensor or variable.

        Args:
            tensor: the value to describe.
            name: a name, or None.

        Raises:
            ValueError: something else was given.
        """
        if not isinstance(tensor, ArrayValue):
            raise errors.InvalidArgumentError(
                f'[TensorSpec] `tensor` should be a tv.Tensor, but got type {type(tensor).__name__}'
            )
        return cls(tensor.shape, tensor.dtype, name)

    @classmethod
    def from_spec(cls, spec: 'TensorSpec', name: str | None = None) -> 'TensorSpec':
        """A copy of a spec, under another name if one is given.

        Args:
            spec: the spec to copy.
            name: a name, or None to keep the old one.
        """
        return cls(spec.shape, spec.dtype, name or spec.name)

    @property
    def shape(self) -> _shapes.TensorShape:
        """The shape."""
        return self._shape

    @property
    def dtype(self) -> dtypes.DType:
        """The element type."""
        return self._dtype

    @property
    def name(self) -> str | None:
        """The name, or None."""
        return self._name

    @property
    def value_type(self) -> type[Tensor]:
        """The class of the values described."""
        return Tensor

    def is_compatible_with(self, spec_or_tensor: Any) -> bool:
        """Whether a value, or some value of another spec, fits this spec.

        Args:
            spec_or_tensor: a tensor, a variable or a spec; nothing else fits.
        """
        if not isinstance(spec_or_tensor, ArrayValue | TensorSpec):
            return False
        return self._dtype is spec_or_tensor.dtype and self._shape.is_compatible_with(
            spec_or_tensor.shape
        )

    def is_subtype_of(self, other: Any) -> bool:
        """Whether every value of this spec fits the other, which has the same name.

        Args:
            other: another spec.
        """
        return (
            isinstance(other, TensorSpec)
            and (self._dtype, self._name) == (other._dtype, other._name)
            and self._shape.is_subtype_of(other._shape)
        )

    def most_specific_common_supertype(self, others: Sequence[Any]) -> 'TensorSpec | None':
        """The narrowest spec that this one and others are subtypes of.

        Args:
            others: specs.

        Returns:
            The spec; None if the dtypes or names differ.
        """
        for other in others:
            if not isinstance(other, TensorSpec):
                return None
            if (self._dtype, self._name) != (other._dtype, other._name):
                return None
        shape = functools.reduce(_merged, [other._shape for other in others], self._shape)
        return TensorSpec(shape, self._dtype, self._name)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, TensorSpec):
            return NotImplemented
        mine = (self._shape, self._dtype, self._name)
        return mine == (other._shape, other._dtype, other._name)

    def __hash__(self) -> int:
        return hash((self._shape, self._dtype))

    def __repr__(self) -> str:
        return f'TensorSpec(shape={self._shape}, dtype={self._dtype!r}, name={self._name!r})'

    def __reduce__(self) -> tuple[Any, ...]:
        return (TensorSpec, (self._shape, self._dtype, self._name))


def _merged(first: _shapes.TensorShape, second: _shapes.TensorShape) -> _shapes.TensorShape:
    """The shape with the dimensions that both agree in."""
    if first.rank is None or first.rank != second.rank:
        return _shapes.TensorShape(None)
    pairs = zip(first.as_list(), second.as_list(), strict=True)
    return _shapes.TensorShape([one if one == other else None for one, other in pairs])
