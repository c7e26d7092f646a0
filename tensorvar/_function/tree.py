"""The paths through a function that were seen, as a tree.

A node is a stretch of events between two branch points. Where it ends in one, there is
a child for each outcome that was seen; where it ends the function, there are outputs.
"""

import dataclasses
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple
from weakref import ref

from tensorvar._backend.base import Array
from tensorvar._device.device import Device
from tensorvar._function import layout
from tensorvar._function.events import Event, Look, Point, Shape
from tensorvar._function.taped import Notes

MOST_PATHS = 32
MOST_OUTCOMES = 8


Spec = tuple[tuple[int, ...], Any]
"""A shape and a dtype."""


class Output(NamedTuple):
    """A tensor that the function returns.

    Attributes:
        slot: where its array is.
        device: where it lies.
    """

    slot: int
    device: Device


class Outputs(NamedTuple):
    """What a path returns.

    Attributes:
        structure: the result with None in place of its tensors.
        tensors: the tensors, from left to right.
        is_one: whether the result is one tensor.
        notes: makes what tapes of the caller note; None if only an eager run can.
    """

    structure: Any
    tensors: tuple[Output, ...]
    is_one: bool
    notes: Notes | None = None


class Run(NamedTuple):
    """A run that was written down whole.

    Attributes:
        log: its events.
        values: its values by slot.
        constants: slots of values that came from outside.
        outputs: what it returned.
    """

    log: Sequence[Event]
    values: Sequence[Array]
    constants: set[int]
    outputs: Outputs


@dataclasses.dataclass(slots=True, eq=False, weakref_slot=True)
class Node:
    """A stretch of events.

    Attributes:
        parent: the node before, or None; held weakly, so that a tree that is dropped goes at once.
        events: what happens, without the branch point at the end.
        first_slot: how many slots there are before it.
        values: the values of the run that it was made of, by slot, from ``first_slot`` on;
            None for those that a replay computes.
        specs: shape and dtype of each of these slots.
        arguments: shape and dtype of the arguments; empty for all nodes but the root.
        permuted: the slots, with those of the arguments, whose arrays an eager run has in
            another order than that of C; see ``layout``.
        point: the branch point at its end, or None.
        outputs: what the function returns; None where there is a branch point.
        children: the nodes that follow, by outcome.
        program: what runs it.
        whole: what runs it and keeps all values; made when it is first needed.
    """

    parent: 'ref[Node] | None'
    events: list[Event]
    first_slot: int
    values: list[Array | None]
    specs: list[Spec]
    arguments: list[Spec]
    permuted: frozenset[int]
    point: Point | None
    outputs: Outputs | None
    children: 'dict[Any, Node]' = dataclasses.field(default_factory=dict)
    program: Any = None
    whole: Any = None

    def path(self) -> 'list[Node]':
        """The nodes from the root to this one."""
        parent = None if self.parent is None else self.parent()
        before = [] if parent is None else parent.path()
        return [*before, self]

    def leaves(self) -> 'Iterator[Node]':
        """The ends of all paths through this node."""
        if self.point is None:
            yield self
        for child in list(self.children.values()):
            yield from child.leaves()

    def all_nodes(self) -> 'Iterator[Node]':
        """This node and all that follow."""
        yield self
        for child in list(self.children.values()):
            yield from child.all_nodes()


class TooManyError(Exception):
    """A limit of the tree is reached; the text says which."""


def grow(root: Node | None, run: Run, arguments: int, compile_node: Callable[[Node], Any]) -> Node:
    """Adds the path of a run.

    Args:
        root: the tree so far, or None.
        run: a run through it.
        arguments: how many slots are arguments.
        compile_node: makes the program of a node.

    Returns:
        The root.

    Raises:
        TooManyError: there would be too many paths, or outcomes at one look.
    """
    position, node = 0, root
    while node is not None:
        position += len(node.events)
        if node.point is None:
            # Another thread was first.
            return root if root is not None else node
        point = run.log[position]
        assert isinstance(point, Look | Shape)
        position += 1
        child = node.children.get(point.outcome)
        if child is None:
            _check_limits(root, node, point)
            # Other threads follow the new nodes as soon as they are in the tree.
            node.children[point.outcome] = _compiled(_chain(node, run, position), compile_node)
            return root if root is not None else node
        node = child
    return _compiled(_chain(None, run, 0, arguments), compile_node)


def _compiled(first: Node, compile_node: Callable[[Node], Any]) -> Node:
    for node in first.all_nodes():
        node.program = compile_node(node)
    return first


def _check_limits(root: Node | None, node: Node, point: Point) -> None:
    if len(node.children) >= MOST_OUTCOMES:
        raise TooManyError(f'a look has more than {MOST_OUTCOMES} outcomes')
    if root is not None and sum(1 for _ in root.leaves()) >= MOST_PATHS:
        raise TooManyError(f'the function has more than {MOST_PATHS} paths')


def _chain(parent: Node | None, run: Run, start: int, arguments: int = 0) -> Node:
    """The nodes for the log from ``start`` on; gives the first of them."""
    stretch: list[Event] = []
    first_slot = arguments if parent is None else parent.first_slot + len(parent.values)
    for position in range(start, len(run.log)):
        event = run.log[position]
        if isinstance(event, Look | Shape):
            slots = range(first_slot, _end_of(first_slot, [*stretch, event]))
            node = _node(parent, stretch, slots, run, event)
            node.children[event.outcome] = _chain(node, run, position + 1)
            return node
        stretch.append(event)
    return _node(parent, stretch, range(first_slot, len(run.values)), run, None)


def _end_of(first: int, stretch: Sequence[Event]) -> int:
    used = [slot for event in stretch for slot in (*event.inputs, *event.outputs)]
    return max([first, *(slot + 1 for slot in used)])


def _specs(run: Run, slots: range) -> list[Spec]:
    return [(run.values[slot].shape, run.values[slot].dtype) for slot in slots]


def _node(
    parent: Node | None, stretch: list[Event], slots: range, run: Run, point: Point | None
) -> Node:
    begin = 0 if parent is None else slots.start
    return Node(
        None if parent is None else ref(parent),
        stretch,
        slots.start,
        [run.values[slot] if slot in run.constants else None for slot in slots],
        _specs(run, slots),
        _specs(run, range(begin, slots.start)),
        frozenset(
            slot for slot in range(begin, slots.stop) if not layout.is_of_c(run.values[slot])
        ),
        point,
        None if point is not None else run.outputs,
    )
