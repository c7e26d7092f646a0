"""``GradientTape``: writes down what runs, and differentiates it."""

import enum
import logging
from collections.abc import Callable
from typing import Any

from tensorvar import errors
from tensorvar._core import backward, dispatch, explanation, jacobian, nest
from tensorvar._core.array_value import ArrayValue
from tensorvar._core.op_registry import FUNCTIONS
from tensorvar._core.tape_entries import READ, WATCH, Entry
from tensorvar._core.variable import Variable
from tensorvar._device import scope

_logger = logging.getLogger('tensorvar')


class UnconnectedGradients(enum.Enum):
    """What stands for the gradient of a source that the target does not depend on."""

    NONE = 'none'
    ZERO = 'zero'


class GradientTape(scope.Scope):
    """Records operations for automatic differentiation.

    Trainable variables are watched when they are read; tensors when ``watch`` says so.
    A non-persistent tape drops its records in ``gradient``, so that a normal training
    step keeps writing its variables in place. Operations of other threads are recorded
    only if ``tv.propagate`` carried the tape there.

    Args:
        persistent: whether ``gradient`` may be called more than once.
        watch_accessed_variables: whether trainable variables are watched when read.

    Example:
        >>> import tensorvar as tv
        >>> x = tv.Variable(3.0)
        >>> with tv.GradientTape() as tape:
        ...     y = x * x
        >>> float(tape.gradient(y, x))
        6.0
    """

    __slots__ = (
        '_entries', '_open', '_persistent', '_ready', '_trace', '_watch_accessed', '_watched',
        'write',
    )  # fmt: skip

    write: Callable[[Entry], None]
    """Notes one operation; called by the executor."""

    def __init__(self, persistent: bool = False, watch_accessed_variables: bool = True) -> None:
        self._persistent = persistent
        self._watch_accessed = watch_accessed_variables
        self._forget()
        # Whether it records now, and whether it has recorded since `gradient` took all.
        self._open = self._ready = False
        # What was watched in the entries that `gradient` took.
        self._watched: tuple[Variable, ...] = ()
        # The trace in which it was opened.
        self._trace: Any = None

    # Recording.

    def apply(self, state: scope.ContextState) -> None:
        """Adds the tape to the derived state."""
        state.tapes = (*state.tapes, self)
        self._trace = state.trace

    def __enter__(self) -> 'GradientTape':
        if self._open:
            raise errors.InvalidArgumentError(
                '[GradientTape] Tape is still recording; a tape cannot be entered inside of '
                'itself; use a second tape'
            )
        self._open = self._ready = True
        self._watched = ()
        super().__enter__()
        return self

    def __exit__(self, *exception: object) -> None:
        if self._open:
            self._open = False
            super().__exit__(*exception)

    def _forget(self) -> None:
        self._entries: list[Entry] = []
        # No method of ours, because each op calls it.
        self.write = self._entries.append

    def _check_trace(self) -> None:
        """Tells a trace under way if the program uses a tape from outside of it."""
        state = scope.current()
        if state is not None and state.trace is not self._trace:
            scope.leave_trace('a gradient tape of the caller is used')

    def watch(self, tensor: Any) -> None:
        """Ensures that a tensor, a variable or a structure of them is watched.

        A warning of the Python logger ``tensorvar`` tells of dtypes without derivatives.

        Args:
            tensor: what to watch, from here on.

        Raises:
            ValueError: something other than tensors or variables was given.
        """
        self._check_trace()
        for value in nest.flatten(tensor):
            if not isinstance(value, ArrayValue):
                raise errors.InvalidArgumentError(
                    f'[watch] Passed in object {value!r:.80} of type {type(value).__name__!r}, '
                    f'not a tensor or variable; use tv.constant first'
                )
            if not backward.is_differentiable(value):
                _logger.warning(
                    'The dtype of the watched tensor must be floating (e.g. tv.float32), got %s',
                    value.dtype.name,
                )
            self._entries.append((WATCH, (value,), (), {}))

    def watched_variables(self) -> tuple[Variable, ...]:
        """The variables watched so far, in order of their first access."""
        if not self._ready:
            return self._watched
        found: dict[int, Variable] = {}
        accessed = self._watch_accessed
        for op, inputs, _, _ in self._entries:
            if op is READ or op is WATCH:
                value = inputs[0]
                if isinstance(value, Variable) and (op is WATCH or (accessed and value._trainable)):
                    found.setdefault(id(value), value)
        return tuple(found.values())

    def stop_recording(self) -> '_Paused':
        """A scope in which this tape records nothing.

        Raises:
            RuntimeError: the tape is not recording.
        """
        self._check_trace()
        if not self._open:
            raise errors.FailedPreconditionError(
                '[stop_recording] Trying to stop recording a tape which is not recording; call it '
                "inside of the tape's scope"
            )
        return _Paused(self)

    def reset(self) -> None:
        """Forgets everything recorded and watched so far, and goes on recording.

        Raises:
            ValueError: the tape is not recording.
        """
        self._check_trace()
        if not self._open:
            raise errors.InvalidArgumentError(
                "[reset] Tape is not recording; call it inside of the tape's scope, or drop the "
                'tape to free its records'
            )
        self._forget()

    # Differentiation.

    def gradient(
        self,
        target: Any,
        sources: Any,
        output_gradients: Any = None,
        unconnected_gradients: Any = UnconnectedGradients.NONE,
    ) -> Any:
        """Differentiates ``target`` with respect to ``sources``.

        A persistent tape that still records also records the gradient, so that it can be
        differentiated in its turn.

        Args:
            target: a tensor or variable, or a structure of them; several are summed.
            sources: tensors or variables, or a structure of them.
            output_gradients: one per target, in the structure of ``target``: the weights
                of its elements, of its shape or broadcast to it; None for ones. (One per
                target is enforced; TensorFlow ignores those missing or too many.)
            unconnected_gradients: one of ``tv.UnconnectedGradients`` or its value: what
                stands for the gradient of a source that ``target`` does not depend on.

        Returns:
            A structure like ``sources`` with tensors, ``IndexedSlices`` (from gathers) or
            None; ``explain`` says why None.

        Raises:
            RuntimeError: the tape has not recorded, or is used twice and not persistent.
            ValueError: the output gradients do not fit the targets.
        """
        zero = _asks_for_zeros(unconnected_gradients)
        targets, flat_sources = nest.flatten(target), nest.flatten(sources)
        backward.check_values(targets, 'target')
        backward.check_values(flat_sources, 'source')
        weights = _weights(output_gradients, len(targets))
        entries = self._take('gradient')
        gradients = None
        if output_gradients is None:
            gradients = dispatch.replay_gradients(
                entries, targets, flat_sources, self._watch_accessed
            )
        if gradients is None:
            leading = backward.leads_from(entries, flat_sources, self._watch_accessed)
            gradients = backward.gradients(entries, leading, targets, flat_sources, weights)
        if zero:
            gradients = [
                FUNCTIONS['zeros_like'](source) if gradient is None else gradient
                for gradient, source in zip(gradients, flat_sources, strict=True)
            ]
        return nest.pack_sequence_as(sources, gradients)

    def _take(self, method: str) -> list[Entry]:
        """The entries; a non-persistent tape stops recording and hands them over."""
        self._check_trace()
        if not self._ready:
            raise errors.FailedPreconditionError(
                f'[{method}] A non-persistent GradientTape can only be used to compute one set of '
                f'gradients (or jacobians), and any tape only after it has recorded; enter it by '
                f'`with`, and use persistent=True for several gradients'
            )
        if self._persistent:
            return list(self._entries)
        self._watched = self.watched_variables()
        self._ready = False
        if self._open:
            self._open = False
            scope.leave(self)
        entries = self._entries
        self._forget()
        return entries

    def jacobian(
        self,
        target: Any,
        sources: Any,
        unconnected_gradients: Any = UnconnectedGradients.NONE,
        parallel_iterations: int | None = None,
        experimental_use_pfor: bool = True,
    ) -> Any:
        """The derivative of each element of ``target`` by each element of the sources.

        Args:
            target: a tensor or variable.
            sources: tensors or variables, or a structure of them.
            unconnected_gradients: as in ``gradient``.
            parallel_iterations: accepted for TensorFlow's sake.
            experimental_use_pfor: accepted for TensorFlow's sake.

        Returns:
            A structure like ``sources`` with tensors of shape ``target.shape +
            source.shape``, or None where ``gradient`` gives None.

        Raises:
            RuntimeError: as in ``gradient``.
        """
        zero = _asks_for_zeros(unconnected_gradients)
        flat_sources = nest.flatten(sources)
        backward.check_values([target], 'target')
        backward.check_values(flat_sources, 'source')
        entries = self._take('jacobian')
        results = jacobian.full(entries, target, flat_sources, self._watch_accessed)
        if zero:
            results = [
                jacobian.zeros(target, source) if result is None else result
                for result, source in zip(results, flat_sources, strict=True)
            ]
        return nest.pack_sequence_as(sources, results)

    def batch_jacobian(
        self,
        target: Any,
        source: Any,
        unconnected_gradients: Any = UnconnectedGradients.NONE,
        parallel_iterations: int | None = None,
        experimental_use_pfor: bool = True,
    ) -> Any:
        """The jacobian of each row of ``target`` by the same row of ``source``.

        Args:
            target: tensor of shape ``(b, *y)`` and rank 2 or more; row i depends only on row i
                of ``source``.
            source: tensor of shape ``(b, *x)`` and rank 2 or more.
            unconnected_gradients: checked; unconnected gradients are zeros here, as in
                TensorFlow.
            parallel_iterations: accepted for TensorFlow's sake.
            experimental_use_pfor: accepted for TensorFlow's sake.

        Returns:
            Tensor of shape ``(b, *y, *x)``.

        Raises:
            ValueError: the first dimensions differ, or a rank is below 2.
            RuntimeError: as in ``gradient``.
        """
        _asks_for_zeros(unconnected_gradients)
        backward.check_values([target], 'target')
        backward.check_values([source], 'source')
        jacobian.check_batches(target, source)
        entries = self._take('batch_jacobian')
        return jacobian.batched(entries, target, source, self._watch_accessed)

    def explain(self, target: Any, source: Any) -> str:
        """Says why the gradient of ``target`` by ``source`` is what it is.

        Args:
            target: a tensor or variable.
            source: a tensor or variable.

        Returns:
            A sentence: connected, or why not (not watched, not trainable, integer, left
            through NumPy, assigned at a line, an op without gradient). Of a tape that is
            not persistent, ask before ``gradient``, which drops what was recorded.
        """
        for value, role in ((source, 'source'), (target, 'target')):
            if not isinstance(value, ArrayValue):
                return f'None: the {role} is a {type(value).__name__}, not a tensor or variable'
        if not self._ready:
            return (
                'unknown: the tape has no records; ask before gradient() takes them, or use '
                'persistent=True'
            )
        return explanation.explain(self._entries, target, source, self._watch_accessed)


class _Paused(scope.Scope):
    """Takes a tape out of the state."""

    __slots__ = ('_tape',)

    def __init__(self, tape: GradientTape) -> None:
        self._tape = tape

    def apply(self, state: scope.ContextState) -> None:
        state.tapes = tuple(tape for tape in state.tapes if tape is not self._tape)


def _asks_for_zeros(unconnected: Any) -> bool:
    if unconnected is UnconnectedGradients.NONE:
        return False
    try:
        return UnconnectedGradients(unconnected) is UnconnectedGradients.ZERO
    except ValueError as error:
        raise errors.InvalidArgumentError(
            f'[gradient] Unknown value for unconnected_gradients: {unconnected!r}; allowed are '
            f"'none' and 'zero'"
        ) from error


def _weights(output_gradients: Any, count: int) -> list[Any]:
    """One weight, or None for ones, per target."""
    if output_gradients is None:
        return [None] * count
    weights = nest.flatten(output_gradients)
    if len(weights) != count:
        raise errors.InvalidArgumentError(
            f'[gradient] {len(weights)} output_gradients were given for {count} targets; give one '
            f'per target, and a list of numbers for one target as tv.constant'
        )
    return weights
