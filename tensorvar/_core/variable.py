"""``Variable``: a mutable array on a device."""

import threading
from collections.abc import Callable
from typing import Any

from tensorvar import _shapes, dtypes, errors
from tensorvar._backend.base import Array
from tensorvar._core import (
    dispatch,
    interop,
    live,
    moves,
    name_scope,
    printing,
    replicas,
    sliced_assign,
    tape_entries,
    variable_init,
    variable_write,
)
from tensorvar._core.array_value import ArrayValue, CopyNeed
from tensorvar._core.assign_methods import AssignMethods
from tensorvar._core.in_place_operators import InPlaceOperators
from tensorvar._core.op_registry import FUNCTIONS, OPS, ArraySpec
from tensorvar._core.scatter_methods import ScatterMethods
from tensorvar._core.tensor import Tensor, wrap
from tensorvar._core.variable_copies import VariableCopies
from tensorvar._core.variable_creators import CreatedByScope
from tensorvar._core.variable_init import VariableAggregation, VariableSynchronization
from tensorvar._core.variable_legacy import LegacyNames
from tensorvar._device import call_site, registry, scope
from tensorvar._device.device import Device

_AUTO = VariableSynchronization.AUTO
_NONE = VariableAggregation.NONE


class Variable(
    AssignMethods,
    ScatterMethods,
    LegacyNames,
    VariableCopies,
    InPlaceOperators,
    ArrayValue,
    metaclass=CreatedByScope,
):
    """A mutable value with a name, on a device of your choice.

    The buffer lives on the device of the enclosing ``tv.device`` scope, else on the
    default device. ``assign*`` write in place while nobody else holds the buffer.

    Differences from TensorFlow: unknown keywords raise, values are never damaged in
    silence, variables hash by identity, ``assign*`` return the variable itself,
    ``caching_device`` is not needed (replicas follow every write), and
    ``enforce_constraint=True`` applies the constraint on every write.

    Args:
        initial_value: a number, list, array, tensor, variable, or a function without
            arguments that gives one. Always copied.
        trainable: whether tapes watch it by themselves; None means True, and False for
            ``synchronization=ON_READ``.
        validate_shape: accepted for TensorFlow's sake.
        caching_device: a device name; checked, then not needed.
        name: name below the open name scopes; ``'Variable'`` if None.
        variable_def: must be None; there are no graphs.
        dtype: the element type; None for the natural one of the value.
        import_scope: must be None; there are no graphs.
        constraint: a function from value to value, stored for optimizers.
        synchronization: one of ``tv.VariableSynchronization``.
        aggregation: one of ``tv.VariableAggregation``.
        shape: the static shape, possibly with unknown dimensions.
        experimental_enable_variable_lifting: accepted for TensorFlow's sake.
        enforce_constraint: apply ``constraint`` on every write.

    Raises:
        ValueError: no initial value, or one whose dtype or shape does not fit.
        TypeError: an unknown keyword.

    Example:
        >>> import tensorvar as tv
        >>> v = tv.Variable([1.0, 2.0], name='v')
        >>> v.assign_add([1.0, 1.0]).numpy().tolist()
        [2.0, 3.0]
    """

    _synchronization = _AUTO
    _aggregation = _NONE
    _array: Array
    _replicas: 'dict[Device, replicas.Replica]'

    def __init__(
        self,
        initial_value: Any = None,
        trainable: bool | None = None,
        validate_shape: bool = True,
        caching_device: Any = None,
        name: str | None = None,
        variable_def: None = None,
        dtype: Any = None,
        import_scope: None = None,
        constraint: Callable[[Tensor], Any] | None = None,
        synchronization: VariableSynchronization = _AUTO,
        aggregation: VariableAggregation = _NONE,
        shape: Any = None,
        experimental_enable_variable_lifting: bool = True,
        *,
        enforce_constraint: bool = False,
        **unknown: Any,
    ) -> None:
        variable_init.check_arguments(
            unknown, constraint, caching_device, variable_def, import_scope
        )
        if synchronization is not _AUTO:
            self._synchronization = variable_init.read_mode(
                'synchronization', synchronization, _AUTO
            )
        if aggregation is not _NONE:
            self._aggregation = variable_init.read_mode('aggregation', aggregation, _NONE)
        self._name = f'{name_scope.full_name("Variable" if name is None else name)}:0'
        self._trainable: bool = variable_init.trainable(trainable, self._synchronization)
        self._constraint = constraint
        self._enforced = enforce_constraint and constraint is not None
        array, device, decision = variable_init.initial_array(initial_value, dtype, self._name)
        self._static_shape = variable_init.static_shape(array.shape, shape)
        self._start(array, device)
        variable_init.report(self, decision)

    def _start(self, array: Array, device: Device) -> None:
        """Fills what a fresh, a copied and an unpickled variable have in common."""
        self._renew_locks()
        self._version = 0
        self._moves = 0
        self._replicas = {}
        self._device = device
        self._concrete: tuple[int, ...] = array.shape
        self._numpy_dtype = array.dtype
        self._array = array
        self._where = call_site.user_call_site()
        device.backend.charge_variable(array.nbytes)
        self._serial = live.add(self)
        state = scope.current()
        if state is not None and state.trace is not None:
            state.trace.created(self)

    def _renew_locks(self) -> None:
        """New locks: at first, and in a forked child, whose other threads are gone."""
        self._lock = threading.RLock()
        self._replica_lock = threading.RLock()

    def __del__(self) -> None:
        serial = self.__dict__.get('_serial')
        if serial is not None:
            live.remove(serial)
            array = self._array
            self._device.backend.release_variable(self._nbytes() if array is None else array.nbytes)

    # What the executor asks.

    def _located(self) -> tuple[Array, Device]:
        moves = self._moves
        array, device = self._array, self._device
        if array is None or self._moves != moves or variable_write.READERS_LOCK:
            return self._located_under_lock()
        return array, device

    def _located_under_lock(self) -> tuple[Array, Device]:
        """For a reader that met a write or a move: it is over when the lock is free."""
        with self._lock:
            array, device = self._array, self._device
        if array is None:
            raise errors.FailedPreconditionError(
                f'[read] the variable {self._name!r} was read by code that runs in the middle of '
                f'its write, such as a recorder or a finaliser; read it before or after'
            )
        return array, device

    def _read(self) -> Array:
        return self._located()[0]

    def _spec(self) -> ArraySpec:
        return ArraySpec(self._concrete, self._numpy_dtype)

    def _label(self) -> str:
        return self._name

    def _created(self) -> str:
        return str(self._where)

    def _nbytes(self) -> int:
        return dtypes.size_in_bytes(self._concrete, self._numpy_dtype)

    def _describe(self) -> str:
        return (
            f'the variable {self._name!r} of shape {self.shape}, {self.dtype.name}, '
            f'on {self._device.short}, created at {self._where}'
        )

    def _on_device(self, device: Device, need: CopyNeed) -> Array:
        if need.state is not None and need.state.trace is not None:
            return need.state.trace.read(self, device, need)
        return self._read_on(device, need)

    def _read_on(self, device: Device, need: CopyNeed) -> Array:
        array, here = self._located()
        return array if here is device else replicas.read(self, device, need)

    def _resized(self, shape: tuple[int, ...]) -> None:
        before = self._nbytes()
        with moves.under_way():
            self._concrete = shape
        self._device.backend.release_variable(before)
        self._device.backend.charge_variable(self._nbytes())

    def _snapshot(self) -> Tensor:
        """The current value as a tensor on the variable's device."""
        state = scope.current()
        trace = None if state is None else state.trace
        tensor = wrap(*(self._located() if trace is None else trace.locate(self)))
        if state is not None:
            for tape in state.tapes:
                tape.write((tape_entries.READ, (self,), (tensor,), {}))
        return tensor

    # What the variable is.

    @property
    def shape(self) -> _shapes.TensorShape:
        """The static shape; with unknown dimensions if it was declared so."""
        return self._static_shape

    @property
    def name(self) -> str:
        """The name with its scopes, ending with ``:0``."""
        return self._name

    @property
    def trainable(self) -> bool:
        """Whether tapes watch the variable by themselves."""
        return self._trainable

    @property
    def constraint(self) -> Any:
        """The constraint function, or None."""
        return self._constraint

    @property
    def synchronization(self) -> VariableSynchronization:
        """As given to the constructor."""
        return self._synchronization

    @property
    def aggregation(self) -> VariableAggregation:
        """As given to the constructor."""
        return self._aggregation

    @property
    def version(self) -> int:
        """How many writes the variable has seen; replicas are compared by it."""
        return self._version

    def set_shape(self, shape: Any) -> None:
        """Merges the static shape with ``shape``.

        Args:
            shape: anything that ``tv.TensorShape`` takes.

        Raises:
            ValueError: the shapes are incompatible.
        """
        self._static_shape = self._static_shape.merge_with(shape)

    # Reading.

    def value(self) -> Tensor:
        """The current value, on the variable's own device; later writes do not change it."""
        return self._snapshot()

    def read_value(self) -> Tensor:
        """The current value, on the device of the scope, else on the variable's own."""
        return self._as_tensor(dispatch.run(tape_entries.READ, self))

    def read_value_no_copy(self) -> Tensor:
        """The same as ``read_value``, which does not copy either."""
        return self.read_value()

    @staticmethod
    def _as_tensor(result: Any) -> Tensor:
        assert isinstance(result, Tensor)
        return result

    def to_device(self, name: Any) -> 'Variable':
        """Moves the variable to another device: same object, name and state.

        Args:
            name: a device name or device.

        Returns:
            The variable.

        Raises:
            InvalidArgumentError: there is no such device.
        """
        device = registry.require('to_device', name)
        scope.leave_trace('a variable is moved')
        with self._lock:
            if device is not self._device:
                variable_init.move(self, device)
        return self

    def _moved(self, array: Array, device: Device) -> None:
        """Takes the buffer on the new device; ends the charge on the old one."""
        before = self._device.backend
        device.backend.charge_variable(self._nbytes())
        # In this order, a reader sees an empty slot or a changed count, never an array
        # with the other device. See ``_located``.
        with moves.under_way():
            self._array = None
            self._moves += 1
            self._device, self._array = device, array
        self._version += 1
        self._replicas.clear()
        before.release_variable(self._nbytes())

    # Python's protocols.

    def __getitem__(self, key: Any) -> Tensor:
        if FUNCTIONS['is_mask'](key):
            return self._as_tensor(FUNCTIONS['getitem'](self, key))
        spec = FUNCTIONS['canonical_index']('StridedSlice', self._concrete, key)
        part = self._as_tensor(dispatch.run(OPS['StridedSlice'], self, spec=spec))
        part._assign = sliced_assign.SliceAssign(self, spec)
        return part

    def __dlpack__(self, **keywords: Any) -> Any:
        # A snapshot: who takes the capsule may write to it, and must not write to the variable.
        array, device = self._located()
        return interop.export_dlpack(device.backend.copy(array), device, **keywords)

    def __hash__(self) -> int:
        return id(self)

    def __repr__(self) -> str:
        host = self._to_host('repr', explicit=True)
        return printing.variable_repr(self._name, self.shape, host)
