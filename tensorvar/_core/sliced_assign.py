"""``variable[key].assign(value)``: a write into a part of a variable."""

from typing import TYPE_CHECKING, Any

from tensorvar._core import update
from tensorvar._core.op_registry import FUNCTIONS, OPS

if TYPE_CHECKING:
    from tensorvar._core.variable import Variable


class SliceAssign:
    """The ``assign`` of an indexed variable.

    Args:
        variable: the variable that was indexed.
        key: the index.
    """

    __slots__ = ('_key', '_variable')

    def __init__(self, variable: 'Variable', key: Any) -> None:
        self._variable = variable
        self._key = key

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
            InvalidArgumentError: the value does not broadcast; nothing has changed.
        """
        op = OPS['ResourceStridedSliceAssign']
        shape = self._variable._spec().shape
        spec = FUNCTIONS['canonical_index'](op.name, shape, self._key)
        update.update(self._variable, op, (value,), spec=spec)
        return self._variable if read_value else None
