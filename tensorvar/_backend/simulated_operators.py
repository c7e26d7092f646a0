"""Python's operators for simulated arrays, each one call of the array module.

They are written out because a name that is made by a loop cannot be searched for.
"""

from typing import Any


class SimulatedOperators:
    """Operators that hand themselves to ``self._module``."""

    __slots__ = ()

    _module: Any

    # Arithmetic.

    def __add__(self, other: Any) -> Any:
        return self._module.add(self, other)

    def __radd__(self, other: Any) -> Any:
        return self._module.add(other, self)

    def __iadd__(self, other: Any) -> Any:
        return self._module.add(self, other, out=self)

    def __sub__(self, other: Any) -> Any:
        return self._module.subtract(self, other)

    def __rsub__(self, other: Any) -> Any:
        return self._module.subtract(other, self)

    def __isub__(self, other: Any) -> Any:
        return self._module.subtract(self, other, out=self)

    def __mul__(self, other: Any) -> Any:
        return self._module.multiply(self, other)

    def __rmul__(self, other: Any) -> Any:
        return self._module.multiply(other, self)

    def __imul__(self, other: Any) -> Any:
        return self._module.multiply(self, other, out=self)

    def __truediv__(self, other: Any) -> Any:
        return self._module.true_divide(self, other)

    def __rtruediv__(self, other: Any) -> Any:
        return self._module.true_divide(other, self)

    def __itruediv__(self, other: Any) -> Any:
        return self._module.true_divide(self, other, out=self)

    def __floordiv__(self, other: Any) -> Any:
        return self._module.floor_divide(self, other)

    def __rfloordiv__(self, other: Any) -> Any:
        return self._module.floor_divide(other, self)

    def __ifloordiv__(self, other: Any) -> Any:
        return self._module.floor_divide(self, other, out=self)

    def __mod__(self, other: Any) -> Any:
        return self._module.remainder(self, other)

    def __rmod__(self, other: Any) -> Any:
        return self._module.remainder(other, self)

    def __imod__(self, other: Any) -> Any:
        return self._module.remainder(self, other, out=self)

    def __divmod__(self, other: Any) -> Any:
        return self._module.divmod(self, other)

    def __rdivmod__(self, other: Any) -> Any:
        return self._module.divmod(other, self)

    def __pow__(self, other: Any) -> Any:
        return self._module.power(self, other)

    def __rpow__(self, other: Any) -> Any:
        return self._module.power(other, self)

    def __ipow__(self, other: Any) -> Any:
        return self._module.power(self, other, out=self)

    def __matmul__(self, other: Any) -> Any:
        return self._module.matmul(self, other)

    def __rmatmul__(self, other: Any) -> Any:
        return self._module.matmul(other, self)

    def __imatmul__(self, other: Any) -> Any:
        return self._module.matmul(self, other, out=self)

    def __neg__(self) -> Any:
        return self._module.negative(self)

    def __pos__(self) -> Any:
        return self._module.positive(self)

    def __abs__(self) -> Any:
        return self._module.absolute(self)

    # Bits and truth values.

    def __and__(self, other: Any) -> Any:
        return self._module.bitwise_and(self, other)

    def __rand__(self, other: Any) -> Any:
        return self._module.bitwise_and(other, self)

    def __iand__(self, other: Any) -> Any:
        return self._module.bitwise_and(self, other, out=self)

    def __or__(self, other: Any) -> Any:
        return self._module.bitwise_or(self, other)

    def __ror__(self, other: Any) -> Any:
        return self._module.bitwise_or(other, self)

    def __ior__(self, other: Any) -> Any:
        return self._module.bitwise_or(self, other, out=self)

    def __xor__(self, other: Any) -> Any:
        return self._module.bitwise_xor(self, other)

    def __rxor__(self, other: Any) -> Any:
        return self._module.bitwise_xor(other, self)

    def __ixor__(self, other: Any) -> Any:
        return self._module.bitwise_xor(self, other, out=self)

    def __lshift__(self, other: Any) -> Any:
        return self._module.left_shift(self, other)

    def __rlshift__(self, other: Any) -> Any:
        return self._module.left_shift(other, self)

    def __ilshift__(self, other: Any) -> Any:
        return self._module.left_shift(self, other, out=self)

    def __rshift__(self, other: Any) -> Any:
        return self._module.right_shift(self, other)

    def __rrshift__(self, other: Any) -> Any:
        return self._module.right_shift(other, self)

    def __irshift__(self, other: Any) -> Any:
        return self._module.right_shift(self, other, out=self)

    def __invert__(self) -> Any:
        return self._module.invert(self)

    # Comparison, elementwise; therefore there is no hash.

    def __eq__(self, other: object) -> Any:
        return self._module.equal(self, other)

    def __ne__(self, other: object) -> Any:
        return self._module.not_equal(self, other)

    def __lt__(self, other: Any) -> Any:
        return self._module.less(self, other)

    def __le__(self, other: Any) -> Any:
        return self._module.less_equal(self, other)

    def __gt__(self, other: Any) -> Any:
        return self._module.greater(self, other)

    def __ge__(self, other: Any) -> Any:
        return self._module.greater_equal(self, other)

    __hash__ = None  # type: ignore[assignment]
