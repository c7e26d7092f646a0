"""Checks and first value of a variable, and its way to another device."""

import difflib
import enum
from typing import TYPE_CHECKING, Any, TypeVar

from tensorvar import _shapes, dtypes, errors
from tensorvar._backend.base import Array
from tensorvar._core import conversion, host_data
from tensorvar._core.array_value import ArrayValue
from tensorvar._core.op_call import OpCall
from tensorvar._core.op_registry import NOT_DIFFERENTIABLE, ArraySpec, OpDef, register
from tensorvar._core.operands import HostOperand
from tensorvar._device import placement, registry, scope
from tensorvar._device.device import Device

if TYPE_CHECKING:
    from tensorvar._core.variable import Variable


class VariableSynchronization(enum.Enum):
    """When replicas of a distributed variable are brought together, as in TensorFlow."""

    AUTO = 0
    NONE = 1
    ON_WRITE = 2
    ON_READ = 3


class VariableAggregation(enum.Enum):
    """How the values of a distributed variable are combined, as in TensorFlow."""

    NONE = 0
    SUM = 1
    MEAN = 2
    ONLY_FIRST_REPLICA = 3


def _whole_variable(variable: ArraySpec) -> ArraySpec:
    return variable


def _forward_nothing(xp: Any, variable: Any) -> Any:
    return variable


CREATE = register(OpDef('VarHandleOp', _whole_variable, _forward_nothing, NOT_DIFFERENTIABLE))
MOVE = register(OpDef('MoveVariable', _whole_variable, _forward_nothing, NOT_DIFFERENTIABLE))


def check_arguments(
    unknown: dict[str, Any],
    constraint: Any,
    caching_device: Any,
    variable_def: Any,
    import_scope: Any,
) -> None:
    """Refuses what the constructor of a variable does not take."""
    if unknown:
        raise _unknown_keyword(next(iter(unknown)))
    if constraint is not None and not callable(constraint):
        raise errors.InvalidArgumentError(
            f'[Variable] constraint={constraint!r} was given; it must be None or a callable'
        )
    if variable_def is not None or import_scope is not None:
        raise errors.InvalidArgumentError(
            '[Variable] variable_def and import_scope belong to graphs, which do not exist here; '
            'leave them out'
        )
    if caching_device is not None:
        registry.resolve(caching_device)


Mode = TypeVar('Mode', VariableSynchronization, VariableAggregation)


def read_mode(argument: str, given: Any, unset: Mode) -> Mode:
    """The mode that a member or its number stands for.

    Args:
        argument: ``'synchronization'`` or ``'aggregation'``.
        given: what the program gave.
        unset: the member that None stands for.

    Raises:
        ValueError: it is none of the members.
    """
    modes = type(unset)
    if type(given) is modes:
        return given
    if given is None:
        return unset
    try:
        return modes(given)
    except ValueError as error:
        raise errors.InvalidArgumentError(
            f'[Variable] Invalid variable {argument} mode: {given!r}; allowed are the members '
            f'of tv.{modes.__name__}'
        ) from error


def trainable(given: Any, synchronization: VariableSynchronization) -> Any:
    """Whether tapes watch a variable; ``given`` as it is, unless None."""
    if given is None:
        return synchronization is not VariableSynchronization.ON_READ
    return given


def _unknown_keyword(given: str) -> TypeError:
    near = difflib.get_close_matches(given, _KEYWORDS, 1)
    hint = f'did you mean {near[0]!r}?' if near else f'allowed are {", ".join(_KEYWORDS)}'
    if given == 'device':
        hint = "write `with tv.device('GPU:0'):` around it"
    return TypeError(f'[Variable] unexpected keyword {given!r}; {hint}')


_KEYWORDS = (
    'initial_value', 'trainable', 'validate_shape', 'caching_device', 'name', 'variable_def',
    'dtype', 'import_scope', 'constraint', 'synchronization', 'aggregation', 'shape',
    'experimental_enable_variable_lifting', 'enforce_constraint',
)  # fmt: skip


def initial_array(
    value: Any, dtype: Any, name: str
) -> tuple[Array, Device, tuple[OpCall, placement.Decision]]:
    """An own array for a new variable, its device, and what ``report`` needs.

    Raises:
        ValueError: no value, or a tensor of another dtype than asked for.
    """
    if callable(value) and not isinstance(value, ArrayValue):
        value = value()
    if value is None:
        raise errors.InvalidArgumentError(
            f'[Variable] the `initial_value` of {name!r} must be specified; give a number, a '
            f'list, an array, a tensor or a function that makes one'
        )
    wanted = None if dtype is None else dtypes.as_dtype(dtype)
    numpy_dtype = None if wanted is None else wanted.numpy
    value = conversion.unwrap(value, numpy_dtype)
    state = scope.current()
    if isinstance(value, ArrayValue):
        return _from_value(value, wanted, state)
    host = host_data.to_array(value, numpy_dtype, 'Variable')
    decision = placement.choose(state, ())
    if host.dtype.kind == 'O':
        decision = placement.without_gpu(decision, 'strings')
    call = OpCall(CREATE, {}, state)
    operand = HostOperand(host, host.size == 1)
    array = call.place_host(operand, 'initial_value', decision.device, explicit=True)
    return array, decision.device, (call, decision)


def _from_value(
    value: ArrayValue, wanted: dtypes.DType | None, state: scope.ContextState | None
) -> tuple[Array, Device, tuple[OpCall, placement.Decision]]:
    if wanted is not None and value.dtype is not wanted:
        raise errors.InvalidTypeError(
            f'[Variable] Tensor conversion requested dtype {wanted.name} for {value._describe()}; '
            f'tensors are not promoted silently; use tv.cast'
        )
    decision = placement.choose(state, ())
    if value.dtype.numpy.kind == 'O':
        decision = placement.without_gpu(decision, 'strings')
    call = OpCall(CREATE, {}, state)
    return call.copy_own(value, decision.device), decision.device, (call, decision)


def report(variable: 'Variable', made: tuple[OpCall, placement.Decision]) -> None:
    """Records the creation of a variable, if anybody listens."""
    call, decision = made
    call.finish()
    call.report((variable,), (), decision, variable.name)


def static_shape(actual: tuple[int, ...], declared: Any) -> _shapes.TensorShape:
    """The static shape of a variable whose first value has the shape ``actual``.

    Raises:
        ValueError: the declared shape is not compatible.
    """
    if declared is None:
        return _shapes.from_tuple(actual)
    shape = _shapes.as_shape(declared)
    if not shape.is_compatible_with(actual):
        raise errors.InvalidArgumentError(
            f"[Variable] the initial value's shape {list(actual)} is not compatible with the "
            f'explicitly supplied `shape` argument {shape}; give a value of that shape'
        )
    return shape


def move(variable: 'Variable', device: Device) -> None:
    """Brings a variable whose lock the caller holds to another device: one copy."""
    call = OpCall(MOVE, {}, scope.current())
    array = call.copy_own(variable, device)
    variable._moved(array, device)
    call.finish()
    call.report((variable,), (), placement.Decision(device, placement.VARIABLE), variable.name)
