"""``Variable``: a mutable array on a device."""

import threading
from collections.abc import Callable
from typing import Any

from tensorvar import _shapes, dtypes, errors
from tensorvar._backend.base import Array
from tensorvar._core import (
    conversion,
    dispatch,
    live,
    name_scope,
    printing,
    rebuild,
    replicas,
    sliced_assign,
    tape_entries,
    update,
    variable_init,
)
from tensorvar._core.array_value import ArrayValue, CopyNeed
from tensorvar._core.op_registry import FUNCTIONS, OPS, ArraySpec
from tensorvar._core.scatter_methods import ScatterMethods
from tensorvar._core.tensor import Tensor, wrap
from tensorvar._core.variable_init import VariableAggregation, VariableSynchronization
from tensorvar._device import call_site, registry, scope
from tensorvar._device.device import Device


class Variable(ScatterMethods, ArrayValue):
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
        trainable: whether tapes watch it by themselves; None means True.
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
        synchronization: VariableSynchronization = VariableSynchronization.AUTO,
        aggregation: VariableAggregation = VariableAggregation.NONE,
        shape: Any = None,
        experimental_enable_variable_lifting: bool = True,
        *,
        enforce_constraint: bool = False,
        **unknown: Any,
    ) -> None:
        variable_init.check_arguments(
            unknown, constraint, synchronization, aggregation, caching_device,
            variable_def, import_scope,
        )  # fmt: skip
        self._name = f'{name_scope.full_name("Variable" if name is None else name)}:0'
        self._trainable = True if trainable is None else trainable
        self._constraint = constraint
        self._enforced = enforce_constraint and constraint is not None
        self._synchronization = synchronization
        self._aggregation = aggregation
        array, device, decision = variable_init.initial_array(initial_value, dtype, self._name)
        self._static_shape = variable_init.static_shape(array.shape, shape)
        self._start(array, device)
        variable_init.report(self, decision)

    def _start(self, array: Array, device: Device) -> None:
        """Fills what a fresh, a copied and an unpickled variable have in common."""
        self._lock = threading.RLock()
        self._version = 0
        self._replicas = {}
        self._device = device
        self._concrete: tuple[int, ...] = array.shape
        self._numpy_dtype = array.dtype
        self._array = array
        self._where = str(call_site.user_call_site())
        device.backend.charge_variable(self._nbytes())
        self._serial = live.add(self)

    def __del__(self) -> None:
        serial = self.__dict__.get('_serial')
        if serial is not None:
            live.remove(serial)
            self._device.backend.release_variable(self._nbytes())

    # What the executor asks.

    def _read(self) -> Array:
        array = self._array
        if array is None:
            # A writer has taken the array out; it is back when the lock is free.
            with self._lock:
                array = self._array
        return array

    def _spec(self) -> ArraySpec:
        return ArraySpec(self._concrete, self._numpy_dtype)

    def _label(self) -> str:
        return self._name

    def _created(self) -> str:
        return self._where

    def _nbytes(self) -> int:
        return dtypes.size_in_bytes(self._concrete, self._numpy_dtype)

    def _describe(self) -> str:
        return (
            f'the variable {self._name!r} of shape {self.shape}, {self.dtype.name}, '
            f'on {self._device.short}, created at {self._where}'
        )

    def _on_device(self, device: Device, need: CopyNeed) -> Array:
        if self._device is device:
            return self._read()
        return replicas.read(self, device, need)

    def _resized(self, shape: tuple[int, ...]) -> None:
        before = self._nbytes()
        self._concrete = shape
        self._device.backend.release_variable(before)
        self._device.backend.charge_variable(self._nbytes())

    def _snapshot(self) -> Tensor:
        """The current value as a tensor on the variable's device."""
        tensor = wrap(self._read(), self._device)
        state = scope.current()
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

    @property
    def initializer(self) -> None:
        """Always None: eager variables are initialised when they are made."""
        return None

    @property
    def handle(self) -> 'Variable':
        """The variable itself; there is no separate resource."""
        return self

    @property
    def op(self) -> Any:
        """Not defined for eager variables; raises AttributeError."""
        raise AttributeError('Variable.op is undefined when eager execution is enabled.')

    @property
    def graph(self) -> Any:
        """Not defined for eager variables; raises AttributeError."""
        raise AttributeError('Variable.graph is undefined when eager execution is enabled.')

    @property
    def create(self) -> Any:
        """Not supported for eager variables; raises RuntimeError."""
        raise RuntimeError('This operation is not supported when eager execution is enabled.')

    @property
    def initial_value(self) -> Any:
        """Not supported for eager variables; raises RuntimeError."""
        raise RuntimeError('This property is not supported when eager execution is enabled.')

    def is_initialized(self, name: str | None = None) -> Tensor:
        """A scalar tensor, always True.

        Args:
            name: accepted for TensorFlow's sake.
        """
        return conversion.constant(True)

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

    # Writing.

    def assign(
        self, value: Any, use_locking: bool = False, name: str | None = None, read_value: bool = True
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
        return self._updated('AssignVariableOp', (value,), read_value)

    def assign_add(
        self, delta: Any, use_locking: bool = False, name: str | None = None, read_value: bool = True
    ) -> 'Variable | None':
        """Adds ``delta``, which must have the variable's shape. See ``assign``."""
        return self._updated('AssignAddVariableOp', (delta,), read_value)

    def assign_sub(
        self, delta: Any, use_locking: bool = False, name: str | None = None, read_value: bool = True
    ) -> 'Variable | None':
        """Subtracts ``delta``, which must have the variable's shape. See ``assign``."""
        return self._updated('AssignSubVariableOp', (delta,), read_value)

    def _updated(self, op: str, values: tuple[Any, ...], read_value: bool) -> 'Variable | None':
        update.update(self, OPS[op], values)
        return self if read_value else None

    def update(self, function: Callable[[Tensor], Any]) -> 'Variable':
        """Replaces the value by ``function(value)``, atomically among threads.

        Args:
            function: gets the value as a tensor and returns the new one. It runs under
                the variable's lock, so no other thread's write comes between.

        Returns:
            The variable.
        """
        with self._lock:
            self.assign(function(self.value()))
        return self

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
        with self._lock:
            if device is not self._device:
                variable_init.move(self, device)
        return self

    def _moved(self, array: Array, device: Device) -> None:
        """Takes the buffer on the new device; ends the charge on the old one."""
        self._device.backend.release_variable(self._nbytes())
        device.backend.charge_variable(self._nbytes())
        self._device, self._array = device, array
        self._replicas.clear()
        self._version += 1

    # Python's protocols.

    def __getitem__(self, key: Any) -> Tensor:
        part = self._as_tensor(FUNCTIONS['getitem'](self, key))
        part._assign = sliced_assign.SliceAssign(self, key)
        return part

    def __hash__(self) -> int:
        return id(self)

    def __iadd__(self, other: Any) -> 'Variable':
        raise _no_in_place('+=', 'assign_add')

    def __isub__(self, other: Any) -> 'Variable':
        raise _no_in_place('-=', 'assign_sub')

    def __imul__(self, other: Any) -> 'Variable':
        raise _no_in_place('*=', 'assign')

    def __itruediv__(self, other: Any) -> 'Variable':
        raise _no_in_place('/=', 'assign')

    def __ipow__(self, other: Any) -> 'Variable':
        raise _no_in_place('**=', 'assign')

    def __copy__(self) -> 'Variable':
        return self

    def __deepcopy__(self, memo: dict[int, Any]) -> 'Variable':
        copied = self._blank()
        memo[id(self)] = copied
        copied._start(self._device.backend.copy(self._read()), self._device)
        return copied

    def _blank(self) -> 'Variable':
        """A variable with this one's description and no array yet."""
        blank = Variable.__new__(Variable)
        for field in _DESCRIPTION:
            setattr(blank, field, getattr(self, field))
        return blank

    def __reduce__(self) -> tuple[Any, ...]:
        description = {field: getattr(self, field) for field in _DESCRIPTION}
        host = self._to_host('pickle', explicit=True)
        return (_unpickle, (host, self.dtype.name, self._device.short, description))

    def __repr__(self) -> str:
        host = self._to_host('repr', explicit=True)
        return printing.variable_repr(self._name, self.shape, host)


_DESCRIPTION = (
    '_name', '_trainable', '_constraint', '_enforced', '_synchronization', '_aggregation',
    '_static_shape',
)  # fmt: skip


def _unpickle(host: Any, dtype: str, device_name: str, description: dict[str, Any]) -> Variable:
    variable = Variable.__new__(Variable)
    for field, value in description.items():
        setattr(variable, field, value)
    device = rebuild.device_for(device_name)
    canonical = host.astype(dtypes.as_dtype(dtype).numpy, copy=False)
    variable._start(device.backend.from_host(canonical), device)
    return variable


def _no_in_place(operator: str, method: str) -> RuntimeError:
    return errors.FailedPreconditionError(
        f'[Variable] `variable {operator} value` was written; a variable keeps its identity, so '
        f'Python\'s in-place operators do not apply; use variable.{method}(...), or '
        f'`variable = variable {operator[:-1]} value` for a new tensor'
    )


