"""The variable methods that change the whole value."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Literal, overload

from tensorvar._core import update, variable_write
from tensorvar._core.op_registry import OPS
from tensorvar._core.tensor import Tensor

if TYPE_CHECKING:
    from tensorvar._core.variable import Variable


class AssignMethods:
    """Writes of a whole variable; a part of ``Variable``.

    Every write is in place while nobody else holds the buffer, and returns the variable.
    """

    __slots__ = ()

    @overload
    def assign(
        self,
        value: Any,
        use_locking: bool = ...,
        name: str | None = ...,
        read_value: Literal[True] = ...,
    ) -> 'Variable': ...

    @overload
    def assign(
        self,
        value: Any,
        use_locking: bool = ...,
        name: str | None = ...,
        *,
        read_value: bool,
    ) -> 'Variable | None': ...

    def assign(
        self: Any,
        value: Any,
        use_locking: bool = False,
        name: str | None = None,
        read_value: bool = True,
    ) -> 'Variable | None':
        """Replaces the value.

        Args:
            value: what ``tv.convert_to_tensor`` takes, of the variable's shape.
            use_locking: accepted for TensorFlow's sake; every write is locked.
            name: accepted for TensorFlow's sake.
            read_value: return None if False.

        Returns:
            The variable, or None.

        Raises:
            InvalidArgumentError: shape or dtype do not fit; nothing has changed.
        """
        update.update(self, OPS['AssignVariableOp'], (value,))
        return self if read_value else None

    @overload
    def assign_add(
        self,
        delta: Any,
        use_locking: bool = ...,
        name: str | None = ...,
        read_value: Literal[True] = ...,
    ) -> 'Variable': ...

    @overload
    def assign_add(
        self,
        delta: Any,
        use_locking: bool = ...,
        name: str | None = ...,
        *,
        read_value: bool,
    ) -> 'Variable | None': ...

    def assign_add(
        self: Any,
        delta: Any,
        use_locking: bool = False,
        name: str | None = None,
        read_value: bool = True,
    ) -> 'Variable | None':
        """Adds ``delta``, which must have the variable's shape. See ``assign``."""
        op = OPS['AssignAddVariableOp']
        if not variable_write.write_direct(self, op, delta):
            update.update(self, op, (delta,))
        return self if read_value else None

    @overload
    def assign_sub(
        self,
        delta: Any,
        use_locking: bool = ...,
        name: str | None = ...,
        read_value: Literal[True] = ...,
    ) -> 'Variable': ...

    @overload
    def assign_sub(
        self,
        delta: Any,
        use_locking: bool = ...,
        name: str | None = ...,
        *,
        read_value: bool,
    ) -> 'Variable | None': ...

    def assign_sub(
        self: Any,
        delta: Any,
        use_locking: bool = False,
        name: str | None = None,
        read_value: bool = True,
    ) -> 'Variable | None':
        """Subtracts ``delta``, which must have the variable's shape. See ``assign``."""
        op = OPS['AssignSubVariableOp']
        if not variable_write.write_direct(self, op, delta):
            update.update(self, op, (delta,))
        return self if read_value else None

    def update(self: Any, function: Callable[[Tensor], Any]) -> 'Variable':
        """Replaces the value by ``function(value)``, atomically among threads.

        Args:
            function: gets the value as a tensor and returns the new one. It runs under
                the variable's lock, so no other thread's write comes between.

        Returns:
            The variable.
        """
        with self._lock:
            self.assign(function(self.value()))
        return self  # type: ignore[no-any-return]
