"""What tensors and variables have in common: an array on a device, and looks at it."""

from collections.abc import Iterator
from typing import Any, Generic, NamedTuple, TypeVar

import numpy as np

from tensorvar import _shapes, dtypes, errors
from tensorvar._backend import transfer
from tensorvar._backend.base import Array
from tensorvar._core import interop, tape_entries
from tensorvar._core.op_registry import ArraySpec
from tensorvar._core.operators import Operators
from tensorvar._device import records, scope
from tensorvar._device.device import Device

T = TypeVar('T')

HostArray = np.ndarray[Any, Any]


class Reference(Generic[T]):
    """A hashable stand-in for a tensor or variable, compared by identity."""

    __slots__ = ('_value',)

    def __init__(self, value: T) -> None:
        self._value = value

    def deref(self) -> T:
        """The value the reference was made of."""
        return self._value

    def __eq__(self, other: object) -> bool:
        if other is None:
            return False
        if not isinstance(other, Reference):
            raise TypeError(
                f'[ref] a reference was compared with a {type(other).__name__}; references '
                f'compare with references only; use .deref() or `other.ref()`'
            )
        return other._value is self._value

    def __hash__(self) -> int:
        return id(self._value)

    def __repr__(self) -> str:
        return f'<Reference wrapping {self._value!r}>'


class CopyNeed(NamedTuple):
    """Why an operand is needed on a device, for guards and records.

    Attributes:
        op: the op that needs it.
        operand: name of the op's argument.
        state: the current scopes.
        copies: gets the records of the copies made, or None if nobody listens.
        record_id: ``id`` that the op's record will have, or None.
        explicit: whether the program asked for the copy.
    """

    op: str
    operand: str
    state: scope.ContextState | None
    copies: list[records.CopyRecord] | None = None
    record_id: int | None = None
    explicit: bool = False


class Look(NamedTuple):
    """How the program looks at a value.

    Attributes:
        name: such as ``'bool'``.
        explicit: whether the program asked for the copy.
        variable: the variable's name; None for a tensor.
        created: the line of user code that made the value, where it is known.
    """

    name: str
    explicit: bool
    variable: str | None = None
    created: str | None = None

    def host(self, array: Array, device: Device, state: scope.ContextState | None) -> HostArray:
        """The value on the host.

        Args:
            array: its array.
            device: where that lies.
            state: the current scopes.
        """
        return _to_host(array, device, state, *self)


def _to_host(
    array: Array,
    device: Device,
    state: scope.ContextState | None,
    look: str,
    explicit: bool,
    variable: str | None,
    created: str | None,
) -> HostArray:
    return transfer.to_host(
        array,
        device,
        explicit=explicit,
        op=look,
        operand='value',
        variable=variable,
        created=created,
        state=state,
    )


class ArrayValue(Operators):
    """Base of ``Tensor`` and ``Variable``.

    Looks at the value by the program (``numpy``, ``bool``, ``np.asarray``, printing) go
    through the one copy function. ``numpy()``, ``item()`` and printing are explicit
    copies; every other look is implicit, so a transfer guard sees it.
    """

    __slots__ = ()

    _device: Device

    def _read(self) -> Array:
        raise NotImplementedError(f'{type(self).__name__} must implement _read')

    def _located(self) -> tuple[Array, Device]:
        """The array and its device, from one moment: a variable may be on the move."""
        return self._read(), self._device

    def _label(self) -> str | None:
        """The variable's name for copy records; None for a tensor."""
        return None

    def _created(self) -> str | None:
        """The line of user code that made the value, where it is known."""
        return None

    def _spec(self) -> ArraySpec:
        """Shape and dtype, without a reference to the array."""
        array = self._read()
        return ArraySpec(array.shape, array.dtype)

    def _on_device(self, device: Device, need: CopyNeed) -> Array:
        """The array on ``device``; an implicit copy where it lies elsewhere."""
        raise NotImplementedError(f'{type(self).__name__} must implement _on_device')

    def _snapshot(self) -> Any:
        """The current value as a tensor, where it lives."""
        raise NotImplementedError(f'{type(self).__name__} must implement _snapshot')

    def _describe(self) -> str:
        """For error texts: what, shape, dtype, device."""
        spec = self._spec()
        dtype = dtypes.from_numpy(spec.dtype).name
        return f'a tensor of shape {list(spec.shape)}, {dtype}, on {self._device.short}'

    @property
    def dtype(self) -> dtypes.DType:
        """The element type."""
        return dtypes.from_numpy(self._spec().dtype)

    @property
    def shape(self) -> _shapes.TensorShape:
        """The static shape."""
        return _shapes.from_tuple(self._spec().shape)

    @property
    def device(self) -> str:
        """Full name of the device, ``/job:localhost/replica:0/task:0/device:CPU:0``."""
        return self._device.full

    def get_shape(self) -> _shapes.TensorShape:
        """The same as ``shape``."""
        return self.shape

    def numpy(self) -> Any:
        """The value as an own, writable ndarray; a NumPy scalar for rank 0.

        An explicit copy: from a GPU it is counted and never refused.
        """
        host = self._to_host('numpy', explicit=True)
        return host[()] if host.shape == () else host

    def ref(self) -> Reference[Any]:
        """A hashable reference, for use as a key."""
        return Reference(self)

    def _to_host(self, look: str, *, explicit: bool) -> HostArray:
        state = scope.current()
        trace = None if state is None else state.trace
        array, device = self._located() if trace is None else trace.locate(self)
        if state is not None and state.tapes:
            tape_entries.note_look(self, look, state)
        if trace is None:
            return _to_host(array, device, state, look, explicit, self._label(), self._created())
        host: HostArray = trace.look(
            array, device, Look(look, explicit, self._label(), self._created())
        )
        return host

    def _scalar(self, look: str) -> Any:
        shape = self._read().shape
        if shape != ():
            raise errors.InvalidTypeError(
                f'[{look}] a value of shape {list(shape)} was given; only 0-dimensional arrays '
                f'can be converted to Python scalars; index one element first'
            )
        return self._to_host(look, explicit=False)[()]

    def __bool__(self) -> bool:
        shape = self._read().shape
        if 0 not in shape and any(dim != 1 for dim in shape):
            raise errors.InvalidArgumentError(
                f'[bool] the truth value of a {type(self).__name__} of shape {list(shape)} is '
                f'ambiguous; a value with one element has one; use tv.reduce_any or '
                f'tv.reduce_all, and `is` (or `in` on a list of .ref()) to compare identities'
            )
        host = self._to_host('bool', explicit=False)
        # As in TensorFlow, what has no elements is false, like an empty list.
        return bool(host.size and host.reshape(())[()])

    def __int__(self) -> int:
        return int(_real(self._scalar('int')))

    def __float__(self) -> float:
        return float(_real(self._scalar('float')))

    def __complex__(self) -> complex:
        return complex(self._scalar('complex'))

    def __iter__(self) -> Iterator[Any]:
        shape = self._read().shape
        if shape == ():
            raise errors.InvalidTypeError(
                '[iter] Cannot iterate over a scalar tensor; give a value of rank 1 or more'
            )
        return (self[position] for position in range(shape[0]))

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Any:
        if copy is False:
            raise ValueError(
                f'[asarray] a {type(self).__name__} gives NumPy a copy of its value; '
                f'copy=False cannot be met; use .numpy()'
            )
        host = self._to_host('asarray', explicit=False)
        return host if dtype is None else host.astype(dtype, copy=False)

    def __dlpack__(self, **keywords: Any) -> Any:
        scope.leave_trace('a value is exported by DLPack')
        return interop.export_dlpack(*self._located(), **keywords)

    def __dlpack_device__(self) -> tuple[int, int]:
        return interop.dlpack_device(*self._located())


def _real(scalar: Any) -> Any:
    """The real part of a complex number, which as in TensorFlow is all that ``int`` takes."""
    return scalar.real if isinstance(scalar, np.complexfloating) else scalar


def is_tensor(x: Any) -> bool:
    """Whether a value is a tensor or a variable.

    Args:
        x: any value.
    """
    return isinstance(x, ArrayValue)
