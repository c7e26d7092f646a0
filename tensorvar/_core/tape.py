"""``GradientTape``: writes down what runs, and differentiates it."""

import enum
from typing import Any

from tensorvar import errors
from tensorvar._core import backward, dispatch, explanation, nest
from tensorvar._core.array_value import ArrayValue
from tensorvar._core.op_registry import FUNCTIONS, OPS
from tensorvar._core.tape_entries import READ, WATCH, Entry
from tensorvar._core.tensor import Tensor
from tensorvar._core.variable import Variable
from tensorvar._device import scope


class UnconnectedGradients(enum.Enum):
    """What stands for the gradient of a source that the target does not depend on."""

    NONE = 'none'
    ZERO = 'zero'


class GradientTape(scope.Scope):
    """Records operations for automatic differentiation.

    Trainable variables are watched when they are read; tensors when ``watch`` says so.
    A non-persistent tape drops its records in ``gradient``, so that a normal training
    step keeps writing its variables in place.

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

    __slots__ = ('_entries', '_open', '_persistent', '_used', '_watch_accessed')

    def __init__(self, persistent: bool = False, watch_accessed_variables: bool = True) -> None:
        self._persistent = persistent
        self._watch_accessed = watch_accessed_variables
        self._entries: list[Entry] = []
        self._open = False
        self._used = True

    # Recording.

    def apply(self, state: scope.ContextState) -> None:
        """Adds the tape to the derived state."""
        state.tapes = (*state.tapes, self)

    def __enter__(self) -> 'GradientTape':
        if self._open:
            raise errors.InvalidArgumentError(
                '[GradientTape] Tape is still recording; a tape cannot be entered inside of '
                'itself; use a second tape'
            )
        if not self._persistent:
            self._entries = []
        self._open = True
        self._used = False
        super().__enter__()
        return self

    def __exit__(self, *exception: object) -> None:
        if self._open:
            self._open = False
            super().__exit__(*exception)

    def write(self, entry: Entry) -> None:
        """Notes one operation; called by the executor."""
        self._entries.append(entry)

    def watch(self, tensor: Any) -> None:
        """Ensures that a tensor, a variable or a structure of them is watched.

        Args:
            tensor: what to watch, from here on.

        Raises:
            ValueError: something other than tensors or variables was given.
        """
        for value in nest.flatten(tensor):
            if not isinstance(value, ArrayValue):
                raise errors.InvalidArgumentError(
                    f'[watch] Passed in object {value!r} of type {type(value).__name__}, not '
                    f'tf.Tensor or tf.Variable; use tv.constant first'
                )
            self._entries.append((WATCH, (value,), (), {}))

    def watched_variables(self) -> tuple[Variable, ...]:
        """The variables watched so far, in order of their first access."""
        found: dict[int, Variable] = {}
        for op, inputs, _, _ in self._entries:
            if op is WATCH or (op is READ and self._watch_accessed and inputs[0]._trainable):
                if isinstance(inputs[0], Variable):
                    found.setdefault(id(inputs[0]), inputs[0])
        return tuple(found.values())

    def stop_recording(self) -> '_Paused':
        """A scope in which this tape records nothing.

        Raises:
            ValueError: the tape is not recording.
        """
        if not self._open:
            raise errors.InvalidArgumentError(
                '[stop_recording] Tape is not recording; call it inside of the tape\'s scope'
            )
        return _Paused(self)

    def reset(self) -> None:
        """Forgets everything recorded and watched so far."""
        self._entries = []

    # Differentiation.

    def gradient(
        self,
        target: Any,
        sources: Any,
        output_gradients: Any = None,
        unconnected_gradients: Any = UnconnectedGradients.NONE,
    ) -> Any:
        """Differentiates ``target`` with respect to ``sources``.

        Args:
            target: a tensor or variable, or a structure of them; several are summed.
            sources: tensors or variables, or a structure of them.
            output_gradients: weights of the targets' elements, in the structure of
                ``target``; None for ones.
            unconnected_gradients: one of ``tv.UnconnectedGradients`` or its value: what
                stands for the gradient of a source that ``target`` does not depend on.

        Returns:
            A structure like ``sources`` with tensors, ``IndexedSlices`` (from gathers) or
            None; ``explain`` says why None.

        Raises:
            RuntimeError: a non-persistent tape is used twice.
        """
        self._claim()
        flat_sources = nest.flatten(sources)
        weights = None if output_gradients is None else nest.flatten(output_gradients)
        if weights is not None and all(weight is None for weight in weights):
            weights = None
        gradients = backward.gradients(
            self._take(), nest.flatten(target), flat_sources, weights, self._watch_accessed
        )
        if _mode(unconnected_gradients) is UnconnectedGradients.ZERO:
            gradients = [
                _zeros_like(source) if gradient is None else gradient
                for gradient, source in zip(gradients, flat_sources, strict=True)
            ]
        return nest.pack_sequence_as(sources, gradients)

    def _claim(self) -> None:
        if self._used and not self._persistent:
            raise errors.FailedPreconditionError(
                '[gradient] A non-persistent GradientTape can only be used to compute one set of '
                'gradients (or jacobians), after it has recorded; use persistent=True'
            )
        self._used = not self._persistent
        if self._open and not self._persistent:
            self._open = False
            scope.leave(self)

    def _take(self) -> list[Entry]:
        """The entries; a non-persistent tape hands them over and keeps none."""
        if self._persistent:
            return list(self._entries)
        entries, self._entries = self._entries, []
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
            target: a tensor.
            sources: tensors or variables, or a structure of them.
            unconnected_gradients: as in ``gradient``.
            parallel_iterations: accepted for TensorFlow's sake.
            experimental_use_pfor: accepted for TensorFlow's sake.

        Returns:
            A structure like ``sources`` with tensors of shape ``target.shape +
            source.shape``.
        """
        self._claim()
        entries = self._take()
        flat_sources = nest.flatten(sources)
        rows = self._rows(entries, target, flat_sources, _mode(unconnected_gradients))
        shape = tuple(target.shape)
        results = [
            None if parts is None else _stacked(parts, shape) for parts in rows
        ]
        return nest.pack_sequence_as(sources, results)

    def _rows(
        self, entries: list[Entry], target: Tensor, sources: list[Any], unconnected: UnconnectedGradients
    ) -> list[list[Any] | None]:
        """Per source its gradients for each element of the target; None if unconnected."""
        flat = dispatch.run(OPS['Reshape'], target, shape=(-1,))
        rows: list[list[Any] | None] = [[] for _ in sources]
        for position in range(flat.shape[0]):
            weight = FUNCTIONS['one_hot'](position, flat.shape[0], dtype=target.dtype)
            weight = dispatch.run(OPS['Reshape'], weight, shape=tuple(target.shape))
            found = backward.gradients(
                list(entries), [target], sources, [weight], self._watch_accessed
            )
            for index, gradient in enumerate(found):
                if gradient is None and unconnected is UnconnectedGradients.ZERO:
                    gradient = _zeros_like(sources[index])
                if gradient is None:
                    rows[index] = None
                else:
                    rows[index].append(backward.densified(gradient))  # type: ignore[union-attr]
        return rows

    def batch_jacobian(
        self,
        target: Tensor,
        source: Any,
        unconnected_gradients: Any = UnconnectedGradients.NONE,
        parallel_iterations: int | None = None,
        experimental_use_pfor: bool = True,
    ) -> Any:
        """The jacobian of each row of ``target`` by the same row of ``source``.

        Args:
            target: tensor of shape ``(b, *y)``; row i depends only on row i of ``source``.
            source: tensor of shape ``(b, *x)``.
            unconnected_gradients: as in ``gradient``.
            parallel_iterations: accepted for TensorFlow's sake.
            experimental_use_pfor: accepted for TensorFlow's sake.

        Returns:
            Tensor of shape ``(b, *y, *x)``.

        Raises:
            ValueError: the first dimensions differ.
        """
        batch = target.shape[0] if len(target.shape) else None
        if batch is None or not len(source.shape) or source.shape[0] != batch:
            raise errors.InvalidArgumentError(
                f'[batch_jacobian] Need first dimension of target shape ({target.shape}) and '
                f'source shape ({source.shape}) to match; give batches of one size'
            )
        self._claim()
        entries = self._take()
        rows = target.shape[1:].num_elements()
        flat = (batch, rows)
        columns = []
        for position in range(rows):
            weight = FUNCTIONS['one_hot']([position] * batch, rows, dtype=target.dtype)
            weight = dispatch.run(OPS['Reshape'], weight, shape=tuple(target.shape))
            (found,) = backward.gradients(
                list(entries), [target], [source], [weight], self._watch_accessed
            )
            if found is None and _mode(unconnected_gradients) is UnconnectedGradients.NONE:
                return None
            columns.append(_zeros_like(source) if found is None else backward.densified(found))
        shape = tuple(target.shape) + tuple(source.shape[1:])
        if not columns:
            return FUNCTIONS['zeros'](shape, dtype=target.dtype)
        stacked = dispatch.run(OPS['Pack'], *columns, axis=1)
        assert flat == tuple(stacked.shape[:2])
        return dispatch.run(OPS['Reshape'], stacked, shape=shape)

    def explain(self, target: Any, source: Any) -> str:
        """Says why the gradient of ``target`` by ``source`` is what it is.

        Args:
            target: a tensor or variable.
            source: a tensor or variable.

        Returns:
            A sentence: connected, or why not (not watched, not trainable, integer, left
            through NumPy, assigned at a line). Needs a persistent tape, or one whose
            ``gradient`` was not called yet.
        """
        return explanation.explain(self._entries, target, source, self._watch_accessed)


class _Paused(scope.Scope):
    """Takes a tape out of the state."""

    __slots__ = ('_tape',)

    def __init__(self, tape: GradientTape) -> None:
        self._tape = tape

    def apply(self, state: scope.ContextState) -> None:
        state.tapes = tuple(tape for tape in state.tapes if tape is not self._tape)


def _mode(unconnected: Any) -> UnconnectedGradients:
    try:
        return UnconnectedGradients(unconnected)
    except ValueError as error:
        raise errors.InvalidArgumentError(
            f'[gradient] Unknown value for unconnected_gradients: {unconnected!r}; allowed are '
            f"'none' and 'zero'"
        ) from error


def _zeros_like(source: Any) -> Any:
    return FUNCTIONS['zeros_like'](source)


def _stacked(parts: list[Any], shape: tuple[int, ...]) -> Any:
    stacked = dispatch.run(OPS['Pack'], *parts, axis=0)
    return dispatch.run(OPS['Reshape'], stacked, shape=shape + tuple(parts[0].shape))


