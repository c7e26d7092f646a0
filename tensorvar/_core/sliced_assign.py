"""``variable[key].assign(value)``: a write into a part of a variable."""

from typing import TYPE_CHECKING, Any

from tensorvar._core import update
from tensorvar._core.op_registry import OPS

if TYPE_CHECKING:
    from tensorvar._core.variable import Variable


class SliceAssign:
    """The ``assign`` of an indexed variable.

    Args:
        variable: the variable that was indexed.
        spec: the index in its canonical form.
    """

    __slots__ = ('_shape', '_spec', '_variable')

    def __init__(self, variable: 'Variable', spec: Any) -> None:
        self._variable = variable
        self._spec = spec
        self._shape = variable._concrete

    def __call__(
        self,
        value: Any,
        use_locking: bool = False,
        name: str | None = None,
        read_value: bool = True,
    ) -> 'Variable | None':
        """Writes ``value``, broadcast to the slice's shape, in place.

        Args:
            value: what ``tv.convert_to_tensor`` takes.
            use_locking: accepted for TensorFlow's sake.
            name: accepted for TensorFlow's sake.
            read_value: return None if False.

        Returns:
            The variable, or None.

        Raises:
            InvalidArgumentError: the value does not broadcast, or the variable has another
                shape than when it was indexed; nothing has changed.
        """
        op = OPS['ResourceStridedSliceAssign']
        update.update(self._variable, op, (value,), spec=self._spec, indexed=self._shape)
        return self._variable if read_value else None
