"""Runs one Python function: traces it, keeps the plans, replays them, or runs it eagerly."""

import inspect
import threading
import warnings
import weakref
from collections import OrderedDict
from collections.abc import Callable, Sequence
from typing import Any

from tensorvar import _fork, errors
from tensorvar._backend import faults
from tensorvar._backend.shape_only import ShapeOnlyArray
from tensorvar._core import conversion, function_mode
from tensorvar._core.array_value import ArrayValue
from tensorvar._core.tensor import Tensor
from tensorvar._core.tensor_spec import TensorSpec
from tensorvar._device import call_site, precision, registry, scope, switches
from tensorvar._device.call_site import CallSite
from tensorvar._function import last_call, prefix, results, signature, taped
from tensorvar._function.plan import Plan, Stop, Whole
from tensorvar._function.refusals import Divergence, Reason
from tensorvar._function.trace import Trace
from tensorvar._function.tree import Run, TooManyError

MOST_SIGNATURES = 64

_HEEDED = switches.VERIFY_RULES | switches.LOG_PLACEMENT
"""Switches that a replay obeys."""

Function = Callable[..., Any]

_engines: 'weakref.WeakSet[Engine]' = weakref.WeakSet()


@_fork.in_child
def _renew_locks() -> None:
    # Another thread may have been tracing.
    for engine in _engines:
        engine._lock = threading.RLock()


class Engine:
    """The plans of one function, or of one method of one object.

    The function itself is given with each call, so that the engine of a method does not
    keep its object alive.

    Args:
        name: for warnings and errors.
        input_signature: a spec per argument, or None.
    """

    def __init__(self, name: str, input_signature: Sequence[Any] | None) -> None:
        self.name = name
        if not isinstance(input_signature, list | tuple | None):
            raise errors.InvalidTypeError(
                f'[function] input_signature {input_signature!r:.80} was given; it must be a list '
                f'or tuple with a tv.TensorSpec for each argument; write it in brackets'
            )
        self.input_signature = None if input_signature is None else tuple(input_signature)
        self.plans: OrderedDict[Any, Plan] = OrderedDict()
        self.eager: Reason | None = None
        # The plan of the last call, with what recognises another such call.
        self._last: tuple[last_call.Match, Plan] | None = None
        self.traces = 0
        self._parameters: inspect.Signature | None = None
        # How many parameters there are; unknown before the first call.
        self._count = -1
        self._lock = threading.RLock()
        self._called_at: CallSite | None = None
        self._created_at: CallSite | None = None
        _engines.add(self)

    def call(self, function: Function, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Calls the function, one way or the other."""
        last = self._last
        if last is not None and not kwargs:
            match, plan = last
            state = scope.current()
            arrays = match(args, state)
            if arrays is not None:
                outcome = plan.replay(arrays, state)
                if type(outcome) is not Stop:
                    return outcome
                tensors: list[Tensor] = []
                key = self._key(args, kwargs, state, tensors)
                return self._go_on(function, args, kwargs, key, tensors, plan, outcome)
        return self._call(function, args, kwargs)

    def _call(self, function: Function, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        if function_mode.eager:
            return function(*args, **kwargs)
        if kwargs or len(args) != self._count or self.input_signature is not None:
            args, kwargs = self.canonical(function, args, kwargs)
        else:
            for value in args:
                if type(value) is not Tensor:
                    args, kwargs = self.canonical(function, args, kwargs)
                    break
        state = scope.current()
        if self._has_to_run_eagerly(state):
            return results.as_tensors(function(*args, **kwargs))
        tensors: list[Tensor] = []
        try:
            key = self._key(args, kwargs, state, tensors)
        except signature.UnhashableError as error:
            self._go_eager(Reason(f'its argument {error}', call_site.user_call_site()))
            return results.as_tensors(function(*args, **kwargs))
        plan = self.plans.get(key)
        arrays = [tensor._array for tensor in tensors]
        if plan is None:
            if any(type(array) is ShapeOnlyArray for array in arrays):
                return results.as_tensors(function(*args, **kwargs))
            return self._first_run(function, args, kwargs, key, tensors)
        if len(self.plans) > 1:
            self._mark_used(key)
        if switches.flags & switches.LOG_PLACEMENT or (
            state is not None and (state.tapes or state.recorders)
        ):
            if state is not None and state.tapes and not plan.tapeable:
                return results.as_tensors(function(*args, **kwargs))
            whole = plan.replay_whole(arrays, state)
            if isinstance(whole, Whole):
                return results.tell_tapes(*whole, tensors, state)
            return self._go_on(function, args, kwargs, key, tensors, plan, whole)
        if not kwargs and self.input_signature is None:
            if plan.match is None:
                plan.match = last_call.matcher(args, None if state is None else state.device)
            self._last = plan.match, plan
        outcome = plan.replay(arrays, state)
        if type(outcome) is not Stop:
            return outcome
        return self._go_on(function, args, kwargs, key, tensors, plan, outcome)

    def _key(
        self,
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
        state: scope.ContextState | None,
        tensors: list[Tensor],
    ) -> Any:
        """What the plan of a call is found by; ``tensors`` gets the tensors given.

        Raises:
            UnhashableError: an argument cannot be part of it.
        """
        default = registry.default_device()
        device_scope = None if state is None else state.device_scope
        parts: list[Any] = [
            None if state is None else state.device,
            # Records have it, and one that is absent is not the device taken instead.
            None if device_scope is None else device_scope.requested,
            default,
            # Another one each time the devices are configured.
            default.backend,
            precision.default,
        ]
        if state is not None and state.guards:
            parts += [tuple(guard.modes.values()) for guard in state.guards]
        tensors.clear()
        signature.key_of(args, parts, tensors)
        if kwargs:
            parts.append(tuple(kwargs))
            signature.key_of(kwargs.values(), parts, tensors)
        if len(tensors) > 1:
            parts.append(signature.repeated([tensor._array for tensor in tensors]))
        return tuple(parts)

    def _go_on(
        self,
        function: Function,
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
        key: Any,
        tensors: list[Tensor],
        plan: Plan,
        stop: Stop,
    ) -> Any:
        """Goes on where a replay has stopped."""
        if stop.moved:
            self._drop(key, plan)
            if not stop.prefix.log:
                return self._first_run(function, args, kwargs, key, tensors)
        with self._lock:
            return self._run(function, args, kwargs, key, tensors, plan, stop)

    def canonical(
        self, function: Function, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """The arguments by position where that is possible, with their defaults.

        Raises:
            TypeError: they do not fit the function, or its input signature.
        """
        if self._parameters is None:
            self._parameters = inspect.signature(function)
            self._count = len(self._parameters.parameters)
        if kwargs or len(args) != self._count:
            try:
                bound = self._parameters.bind(*args, **kwargs)
            except TypeError as error:
                raise errors.InvalidTypeError(
                    f'[function] Binding inputs to tv.function {self.name!r} failed: {error}; '
                    f'allowed is {self.name}{self._parameters}; change the call'
                ) from error
            args, kwargs = bound.args, bound.kwargs
            specs = self.input_signature
            if specs is None:
                bound.apply_defaults()
                args, kwargs = bound.args, bound.kwargs
            elif len(args) < len(specs):
                bound.apply_defaults()
                args = bound.args[: len(specs)]
        if self.input_signature is not None:
            return self._conformed(args, kwargs), {}
        if not all(type(value) is Tensor for value in args):
            args = tuple(signature.host_data_as_tensors(value) for value in args)
        if kwargs:
            kwargs = {name: signature.host_data_as_tensors(value) for name, value in kwargs.items()}
        return args, kwargs

    def _conformed(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[Any, ...]:
        """The arguments as tensors of the input signature."""
        assert self.input_signature is not None
        if kwargs or len(args) != len(self.input_signature):
            raise self.misfit(f'{len(args)} arguments for {len(self.input_signature)} specs')
        return tuple(map(self.conform, args, self.input_signature))

    def conform(self, value: Any, spec: Any) -> Any:
        """An argument as tensors of a spec, or of a structure of specs."""
        if isinstance(spec, list | tuple):
            if not isinstance(value, list | tuple) or len(value) != len(spec):
                raise self.misfit(f'{value!r:.80} for {spec!r:.80}')
            return type(value)(map(self.conform, value, spec))
        if isinstance(spec, dict):
            if not isinstance(value, dict) or set(value) != set(spec):
                raise self.misfit(f'{value!r:.80} for {spec!r:.80}')
            return {key: self.conform(item, spec[key]) for key, item in value.items()}
        if not isinstance(spec, TensorSpec):
            raise self.misfit(f'the spec {spec!r:.80}; specs are made by tv.TensorSpec')
        try:
            tensor = conversion.convert_to_tensor(value, dtype=spec.dtype)
        except (ValueError, TypeError) as error:
            given = value._describe() if isinstance(value, ArrayValue) else f'{value!r:.80}'
            raise self.misfit(f'{given} for {spec}') from error
        if not spec.is_compatible_with(tensor):
            raise self.misfit(f'{tensor._describe()} for {spec}')
        return tensor

    def misfit(self, what: str) -> errors.InvalidTypeError:
        """The error for arguments that do not fit the specs."""
        return errors.InvalidTypeError(
            f'[function] Binding inputs to tv.function {self.name!r} failed: given was {what}; '
            f'allowed is what the input_signature says; change one of them'
        )

    def _has_to_run_eagerly(self, state: scope.ContextState | None) -> bool:
        if self.eager is not None or faults.armed or switches.flags & ~_HEEDED:
            return True
        return state is not None and (
            state.trace is not None
            or state.gradient_device is not None
            or (state.device_scope is not None and state.device_scope.log)
        )

    # Tracing.

    def _first_run(
        self,
        function: Function,
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
        key: Any,
        tensors: list[Tensor],
    ) -> Any:
        """Traces a signature; threads that come at once trace one after the other."""
        with self._lock:
            if key in self.plans:
                return self.call(function, args, kwargs)
            start = Stop(prefix.NOTHING, follows=True)
            return self._run(function, args, kwargs, key, tensors, None, start)

    def _run(
        self,
        function: Function,
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
        key: Any,
        tensors: list[Tensor],
        plan: Plan | None,
        stop: Stop,
    ) -> Any:
        self.traces += 1
        state = scope.current()
        tapes = () if state is None else state.tapes
        notes_steps = bool(tapes) if plan is None else plan.notes_steps
        trace = Trace(stop.prefix, self._note_creation, stop.follows, True, notes_steps)
        own = [signature.own_tensor(trace.argument(t._array), t) for t in tensors]
        replaced = iter(own)
        own_args = signature.with_tensors(args, replaced)
        own_kwargs = signature.with_tensors(kwargs, replaced)
        links = taped.Links(tapes, tensors, own)
        try:
            with trace:
                result = results.as_tensors(function(*own_args, **own_kwargs))
                trace.finish()
        except Divergence:
            self._go_eager(Reason('it did not do the same ops again', trace.last_line()))
            return results.as_tensors(function(*args, **kwargs))
        finally:
            if trace.mismatch is not None:
                self._go_eager(Reason('it did not do the same ops again', trace.last_line()))
        if trace.mismatch is not None:
            raise trace.mismatch
        self._called_at = self._called_at or call_site.user_call_site()
        if trace.reason is not None:
            self._go_eager(trace.reason)
        elif trace.usable and self.eager is None:
            self._keep(key, plan, trace, result, own)
        return results.as_given(result, trace, links)

    def _keep(
        self, key: Any, plan: Plan | None, trace: Trace, result: Any, own: list[Tensor]
    ) -> None:
        outputs = results.describe(result, trace, own)
        run = Run(trace.log, trace.values, trace.constants, outputs)
        if plan is None:
            self.plans[key] = Plan(run, len(own), trace.notes_steps)
            while len(self.plans) > MOST_SIGNATURES:
                self.plans.popitem(last=False)
            return
        try:
            plan.add(run)
        except TooManyError as error:
            self._go_eager(Reason(str(error), trace.last_line()))

    def _drop(self, key: Any, plan: Plan) -> None:
        """Forgets a plan whose variables have changed."""
        with self._lock:
            self._last = None
            if self.plans.get(key) is plan:
                del self.plans[key]

    def _mark_used(self, key: Any) -> None:
        try:
            self.plans.move_to_end(key)
        except KeyError:
            # Another thread has just dropped it.
            return

    def _note_creation(self, where: CallSite) -> None:
        if self._called_at is not None:
            first = self._created_at or self._called_at
            what = 'the first were created' if self._created_at else 'the first call was'
            raise errors.InvalidArgumentError(
                f'[function] tv.function {self.name!r} only supports singleton tv.Variables '
                f'created on the first call: {what} at {first}, another one now at {where}; make '
                f'sure the variable is only created once or created outside of tv.function'
            )
        self._created_at = self._created_at or where

    def _go_eager(self, reason: Reason) -> None:
        if self.eager is not None:
            return
        self.eager = reason
        self.plans.clear()
        self._last = None
        text, where = reason
        warnings.warn_explicit(
            f'tv.function {self.name!r} runs eagerly from now on: {text} ({where.short}); its '
            f'results stay right, but nothing is replayed',
            UserWarning,
            where.path,
            where.line,
        )
