"""What the gradients of loops and choices have in common.

A part is differentiated by another part, which computes it again and then walks back. So
the steps of a loop keep no more than the values that they begin with.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple

from tensorvar._core import backward, dispatch
from tensorvar._core.indexed_slices import IndexedSlices
from tensorvar._core.op_registry import FUNCTIONS, OPS
from tensorvar._core.tape_entries import COPY, WATCH
from tensorvar._core.tensor import Tensor
from tensorvar._device import scope
from tensorvar._device.device import Device
from tensorvar._function import part, taped
from tensorvar._function.composite import Body
from tensorvar._function.part import Part
from tensorvar._function.subtrace import NoPartError

State = scope.ContextState | None


class Slope(NamedTuple):
    """The gradient of a part.

    Attributes:
        code: takes the arguments of the part, the gradients that arrive, the sums so far
            by each source, and the captures.
        leaving: per argument of the part, whether there is a gradient by it.
        connected: per source where the gradient by it lies; None if there is none.
    """

    code: Part
    leaving: tuple[bool, ...]
    connected: tuple[Device | None, ...]


def slope_of(
    body: Body,
    arriving: Sequence[bool],
    needed: Sequence[bool],
    always: Sequence[int] = (),
    sums: Sequence[Device | None] | None = None,
) -> Slope:
    """Differentiates a part.

    Args:
        body: the part.
        arriving: per result whether a gradient arrives.
        needed: per source whether its gradient is needed.
        always: arguments by which it gives zeros where it gives no gradient.
        sums: per source where the sum lies that its gradient is added to; None for none.

    Raises:
        NoPartError: no part can do this.
    """
    if taped.is_forbidden(body.trace.scribe.entries):
        raise NoPartError
    trace = body.trace.continued()
    sources = [source for source, wanted in zip(body.sources, needed, strict=True) if wanted]
    results = [each for each, arrives in zip(body.results, arriving, strict=True) if arrives]
    with trace:
        weights = [trace.parameter(each._spec(), each._device) for each in results]
        values = [*body.arguments, *sources]
        entries: list[Any] = [(WATCH, (value,), (), {}) for value in values]
        entries += body.trace.scribe.entries
        leading = backward.leads_from(entries, values, True)
        found = backward.gradients(entries, leading, results, values, weights)
        count = len(body.arguments)
        leaving = list(map(beside, found[:count], body.arguments))
        # These stay where the ops have left them, as those of an eager run do.
        summed = list(map(dense, found[count:]))
        for place in always:
            if leaving[place] is None:
                with backward.on_device(body.arguments[place]):
                    leaving[place] = FUNCTIONS['zeros_like'](body.arguments[place])
        by_source: list[Any] = []
        rest = iter(summed)
        for place, wanted in enumerate(needed):
            gradient = next(rest) if wanted else None
            if gradient is not None and sums is not None and sums[place] is not None:
                before = trace.parameter(gradient._spec(), gradient._device)
                with backward.on_device(gradient):
                    gradient = dispatch.run_pair(OPS['AddV2'], before, gradient)
            by_source.append(gradient)
        given = [each for each in (*leaving, *by_source) if each is not None]
        code = part.part_of(trace, given, body.takes)
    return Slope(
        code,
        tuple(each is not None for each in leaving),
        tuple(None if each is None else each._device for each in by_source),
    )


class _Unplaced(scope.Scope):
    """Takes the device scope out of a state."""

    def apply(self, state: scope.ContextState) -> None:
        state.device = None


def unplaced(state: State) -> scope.Pushed:
    """A scope in which the ops of a gradient run beside what they differentiate.

    The devices of a step must fit those of the next, whatever the program's scope says.

    Args:
        state: the current scopes.
    """
    return scope.Pushed((state or scope.EMPTY).derive(_Unplaced(), state))


def weights(context: Any, arriving: Sequence[Any]) -> list[Tensor]:
    """The gradients that arrive at the results of a loop or a choice, beside these.

    Args:
        context: of the gradient.
        arriving: per result what arrives, or None.
    """
    pairs = zip(arriving, context.outputs, strict=True)
    return [beside(weight, output) for weight, output in pairs if weight is not None]


def as_placed(state: State, gradients: Iterable[Tensor | None]) -> Iterator[Tensor | None]:
    """Gradients where the program's scope has them.

    Args:
        state: the current scopes.
        gradients: what a loop or a choice gives, or None.
    """
    place = None if state is None else state.device
    for gradient in gradients:
        here = gradient is None or place is None or gradient._device is place
        yield gradient if here else dispatch.run(COPY, gradient)


def copied(value: Any) -> Any:
    """A copy of a value beside it, which a tape tells from it."""
    with backward.on_device(value):
        return dispatch.run(COPY, value)


def dense(gradient: Any) -> Any:
    """A gradient, if there is one, as a tensor where its rows lie."""
    if not isinstance(gradient, IndexedSlices):
        return gradient
    with backward.on_device(gradient.values):
        return gradient.to_tensor()


def beside(gradient: Any, value: Any) -> Any:
    """A gradient, if there is one, as a tensor on the device of what it is by."""
    gradient = dense(gradient)
    if gradient is None or gradient._device is value._device:
        return gradient
    with backward.on_device(value):
        return dispatch.run(COPY, gradient)
