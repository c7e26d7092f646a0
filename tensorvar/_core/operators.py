"""Python's operators for tensors and variables.

Each method looks its op up by name, so this layer knows no op family. The records
themselves, and functions such as ``truediv``, are in ``_ops/``.
"""

from typing import Any

from tensorvar import errors
from tensorvar._core import dispatch
from tensorvar._core.op_registry import FUNCTIONS, OPS


class Operators:
    """The arithmetic, comparison and indexing methods that both kinds of value share."""

    __slots__ = ()

    # Makes ndarray's operators give way to ours, while NumPy's functions still work.
    __array_priority__ = 100

    dtype: Any

    def __add__(self, other: Any) -> Any:
        return dispatch.run_pair(OPS['AddV2'], self, other)

    def __radd__(self, other: Any) -> Any:
        return dispatch.run_pair(OPS['AddV2'], other, self)

    def __sub__(self, other: Any) -> Any:
        return dispatch.run_pair(OPS['Sub'], self, other)

    def __rsub__(self, other: Any) -> Any:
        return dispatch.run_pair(OPS['Sub'], other, self)

    def __mul__(self, other: Any) -> Any:
        try:
            return dispatch.run_pair(OPS['Mul'], self, other)
        except errors.InvalidTypeError:
            if not _any_bools(self, other):
                raise
            return FUNCTIONS['multiply_bools'](self, other)

    def __rmul__(self, other: Any) -> Any:
        try:
            return dispatch.run_pair(OPS['Mul'], other, self)
        except errors.InvalidTypeError:
            if not _any_bools(self, other):
                raise
            return FUNCTIONS['multiply_bools'](other, self)

    def __truediv__(self, other: Any) -> Any:
        return FUNCTIONS['truediv'](self, other)

    def __rtruediv__(self, other: Any) -> Any:
        return FUNCTIONS['truediv'](other, self)

    def __floordiv__(self, other: Any) -> Any:
        return dispatch.run_pair(OPS['FloorDiv'], self, other)

    def __rfloordiv__(self, other: Any) -> Any:
        return dispatch.run_pair(OPS['FloorDiv'], other, self)

    def __mod__(self, other: Any) -> Any:
        return dispatch.run_pair(OPS['FloorMod'], self, other)

    def __rmod__(self, other: Any) -> Any:
        return dispatch.run_pair(OPS['FloorMod'], other, self)

    def __pow__(self, other: Any) -> Any:
        return dispatch.run_pair(OPS['Pow'], self, other)

    def __rpow__(self, other: Any) -> Any:
        return dispatch.run_pair(OPS['Pow'], other, self)

    def __matmul__(self, other: Any) -> Any:
        return FUNCTIONS['matmul'](self, other)

    def __rmatmul__(self, other: Any) -> Any:
        return FUNCTIONS['matmul'](other, self)

    def __neg__(self) -> Any:
        return dispatch.run(OPS['Neg'], self)

    def __abs__(self) -> Any:
        return FUNCTIONS['abs'](self)

    def __and__(self, other: Any) -> Any:
        return dispatch.run(self._bitwise('LogicalAnd', 'BitwiseAnd'), self, other)

    def __rand__(self, other: Any) -> Any:
        return dispatch.run(self._bitwise('LogicalAnd', 'BitwiseAnd'), other, self)

    def __or__(self, other: Any) -> Any:
        return dispatch.run(self._bitwise('LogicalOr', 'BitwiseOr'), self, other)

    def __ror__(self, other: Any) -> Any:
        return dispatch.run(self._bitwise('LogicalOr', 'BitwiseOr'), other, self)

    def __xor__(self, other: Any) -> Any:
        return dispatch.run(self._bitwise('LogicalXor', 'BitwiseXor'), self, other)

    def __rxor__(self, other: Any) -> Any:
        return dispatch.run(self._bitwise('LogicalXor', 'BitwiseXor'), other, self)

    def __invert__(self) -> Any:
        return dispatch.run(self._bitwise('LogicalNot', 'Invert'), self)

    def __lt__(self, other: Any) -> Any:
        return dispatch.run_pair(OPS['Less'], self, other)

    def __le__(self, other: Any) -> Any:
        return dispatch.run_pair(OPS['LessEqual'], self, other)

    def __gt__(self, other: Any) -> Any:
        return dispatch.run_pair(OPS['Greater'], self, other)

    def __ge__(self, other: Any) -> Any:
        return dispatch.run_pair(OPS['GreaterEqual'], self, other)

    def __eq__(self, other: object) -> Any:
        return FUNCTIONS['tensor_equals'](self, other)

    def __ne__(self, other: object) -> Any:
        return FUNCTIONS['tensor_not_equals'](self, other)

    def __getitem__(self, key: Any) -> Any:
        return FUNCTIONS['getitem'](self, key)

    def _bitwise(self, logical: str, bitwise: str) -> Any:
        return OPS[logical] if self.dtype.is_bool else OPS[bitwise]


def _any_bools(*values: Any) -> bool:
    return any(isinstance(value, Operators) and value.dtype.is_bool for value in values)
