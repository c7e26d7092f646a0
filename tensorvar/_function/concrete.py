"""``get_concrete_function``: the shapes of a function's results, without running it."""

import inspect
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from tensorvar import errors
from tensorvar._backend.base import Array
from tensorvar._backend.shape_only import ShapeOnlyArray
from tensorvar._core.array_value import ArrayValue, CopyNeed, HostArray, Look
from tensorvar._core.op_call import OpCall
from tensorvar._core.op_registry import ArraySpec
from tensorvar._core.operands import Operand
from tensorvar._core.tensor import Tensor, wrap
from tensorvar._core.tensor_spec import TensorSpec
from tensorvar._device import placement, registry, scope
from tensorvar._device.device import Device
from tensorvar._function import results, signature
from tensorvar._function.engine import Engine
from tensorvar._function.events import Event

if TYPE_CHECKING:
    from tensorvar._core.variable import Variable


def _without_data(spec: ArraySpec) -> Array:
    return ShapeOnlyArray(spec.shape, spec.dtype)


class Inference(scope.Scope):
    """Takes the place of a trace: every op gives what its rule says, no variable changes."""

    __slots__ = ()

    is_rerunnable = False

    def apply(self, state: scope.ContextState) -> None:
        """Makes every op ask here."""
        state.trace = self
        state.plain = False

    def compute(
        self,
        call: OpCall,
        values: Sequence[Operand],
        specs: Sequence[ArraySpec],
        decision: placement.Decision,
    ) -> tuple[list[Array], tuple[Array, ...]]:
        """The operands and the results of an op, without data."""
        arrays = [
            value._array if isinstance(value, Tensor) else _without_data(value._spec())
            for value in values
        ]
        return arrays, tuple(map(_without_data, specs))

    def locate(self, value: ArrayValue) -> tuple[Array, Device]:
        """The array of a tensor; of a variable, what stands for it."""
        if isinstance(value, Tensor):
            return value._located()
        return _without_data(value._spec()), value._device

    def read(self, variable: 'Variable', device: Device, need: CopyNeed) -> Array:
        """What stands for the value of a variable."""
        return _without_data(variable._spec())

    def copy(self, tensor: Tensor, device: Device, need: CopyNeed) -> Array:
        """What stands for a tensor on another device."""
        return _without_data(tensor._spec())

    def write(
        self,
        call: OpCall,
        values: Sequence[Operand],
        arrays: Sequence[Array],
        decision: placement.Decision,
        shape: tuple[int, ...],
        perform: Callable[[], bool | None],
    ) -> bool:
        """Writes nothing; the rule of the op has been asked."""
        return True

    def do_part(
        self, event: Event, specs: Sequence[ArraySpec], perform: Callable[[], Sequence[Array]]
    ) -> Sequence[Array]:
        """What a loop or a choice between branches gives, without data."""
        return tuple(map(_without_data, specs))

    def slot_of(self, tensor: Tensor) -> int:
        """Nothing is written down here."""
        return 0

    def look(self, array: Array, device: Device, look: Look) -> HostArray:
        """Only constants can be looked at; other looks raise."""
        return look.host(array, device, scope.current())

    def created(self, variable: 'Variable') -> None:
        """Refuses the creation of variables, which would need their values."""
        raise errors.FailedPreconditionError(
            '[get_concrete_function] the function makes a variable; shapes are inferred without '
            'running anything; call the function once before'
        )

    def give_up(self, text: str) -> None:
        """Refuses what has no shape rule."""
        raise errors.OperatorNotAllowedInGraphError(
            f'[get_concrete_function] {text}; shapes are inferred without running anything'
        )


class ConcreteFunction:
    """A function for arguments of known specs; made by ``get_concrete_function``.

    It takes the arguments that are tensors, by position or name; other arguments are
    fixed. There is one plan for each shape, even where a spec leaves dimensions open.

    Attributes:
        structured_input_signature: the arguments and keywords, with specs for tensors.
        structured_outputs: the results, with specs for tensors.
    """

    def __init__(
        self, engine: Engine, function: Callable[..., Any], args: Any, kwargs: dict[str, Any]
    ) -> None:
        if not args and not kwargs and engine.input_signature is not None:
            args = engine.input_signature
        bound = inspect.signature(function).bind(*args, **kwargs)
        self._engine, self._function = engine, function
        self._args = tuple(map(_as_specs, bound.args))
        self._kwargs = {name: _as_specs(value) for name, value in bound.kwargs.items()}
        self.structured_input_signature = self._args, self._kwargs
        with Inference():
            stand_ins = [_stand_in(value) for value in self._args]
            named = {name: _stand_in(value) for name, value in self._kwargs.items()}
            result = results.as_tensors(function(*stand_ins, **named))
        self.structured_outputs = _as_specs(result)
        names = list(inspect.signature(function).parameters)
        self._free = [place for place, value in enumerate(self._args) if _has_spec(value)]
        self._free_names = {names[place]: place for place in self._free if place < len(names)}

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        given = dict(zip(self._free, args, strict=False))
        keywords = dict(self._kwargs)
        for name, value in kwargs.items():
            if name in self._free_names:
                given[self._free_names[name]] = value
            elif name in keywords and _has_spec(keywords[name]):
                keywords[name] = self._engine.conform(value, keywords[name])
            else:
                raise self._engine.misfit(f'a keyword {name!r}')
        if len(args) > len(self._free) or len(given) != len(self._free):
            raise self._engine.misfit(f'{len(given)} arguments for {len(self._free)} specs')
        positional = list(self._args)
        for place, value in given.items():
            positional[place] = self._engine.conform(value, self._args[place])
        return self._engine.call(self._function, tuple(positional), keywords)

    def __repr__(self) -> str:
        return f'<ConcreteFunction {self._engine.name}{self.structured_input_signature}>'


def _as_specs(value: Any) -> Any:
    """A structure with specs in place of its tensors and NumPy data."""
    value = signature.host_data_as_tensors(value)
    return signature.mapped(
        value, lambda leaf: TensorSpec.from_tensor(leaf) if isinstance(leaf, Tensor) else leaf
    )


def _stand_in(value: Any) -> Any:
    device = registry.default_device()

    def stand_in(leaf: Any) -> Any:
        if not isinstance(leaf, TensorSpec):
            return leaf
        dims = leaf.shape.as_list()
        return wrap(ShapeOnlyArray(dims, leaf.dtype.numpy), device)

    return signature.mapped(value, stand_in)


def _has_spec(value: Any) -> bool:
    found: list[Any] = []
    signature.mapped(value, lambda leaf: found.append(isinstance(leaf, TensorSpec)))
    return any(found)
