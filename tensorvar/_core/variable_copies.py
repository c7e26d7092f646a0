"""``copy``, ``deepcopy`` and ``pickle`` of variables.

Copies keep name, dtype, static shape, trainable, constraint and device. TensorFlow's land
on the default device.
"""

from typing import TYPE_CHECKING, Any

from tensorvar._core import rebuild

if TYPE_CHECKING:
    from tensorvar._core.variable import Variable

_DESCRIPTION = (
    '_name', '_trainable', '_constraint', '_enforced', '_synchronization', '_aggregation',
    '_static_shape',
)  # fmt: skip


class VariableCopies:
    """A part of ``Variable``: see the module's text."""

    __slots__ = ()

    def __copy__(self: Any) -> 'Variable':
        return self  # type: ignore[no-any-return]

    def __deepcopy__(self: Any, memo: dict[int, Any]) -> 'Variable':
        copied = _described(type(self), _description(self))
        memo[id(self)] = copied
        array, device = self._located()
        copied._start(device.backend.copy(array), device)
        return copied

    def __reduce__(self: Any) -> tuple[Any, ...]:
        host = self._to_host('pickle', explicit=True)
        values = (host, self.dtype.name, self._device.short)
        return (_unpickle, (type(self), _description(self), *values))


def _description(variable: 'Variable') -> dict[str, Any]:
    """What copies and pickles keep besides value and device."""
    return {field: getattr(variable, field) for field in _DESCRIPTION}


def _described(kind: 'type[Variable]', description: dict[str, Any]) -> 'Variable':
    """A variable that has no array yet."""
    variable = kind.__new__(kind)
    for field, value in description.items():
        setattr(variable, field, value)
    return variable


def _unpickle(
    kind: 'type[Variable]', description: dict[str, Any], host: Any, dtype: str, device_name: str
) -> 'Variable':
    variable = _described(kind, description)
    device = rebuild.device_for(device_name)
    variable._start(device.backend.from_host(rebuild.with_dtype(host, dtype)), device)
    return variable
