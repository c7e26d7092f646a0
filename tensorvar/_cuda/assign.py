"""Launches ``kernels/assign.cu``: assignment in place, fill, cast and strided copy.

Kernel and grid are chosen once per combination of dtypes, shapes, strides and alignments.
The arithmetic is NumPy's, except that 16-bit floats are computed with as float32 and
rounded once. Nothing here waits for the device.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from tensorvar._cuda import assign_plan, launch, layout, remembered, targets

_VECTOR_BYTES = assign_plan.VECTOR_BYTES


class _Plan(NamedTuple):
    """A prepared launch for operands of one description.

    Attributes:
        launch: the kernel with its grid.
        choice: of the kernel.
        tail: arguments after the addresses.
        after: operands overlap if the source's address is further than this behind the
            destination's, a negative number of bytes,
        before: and less than this ahead of it.
        alike: whether it is no overlap if both addresses are the same.
    """

    launch: launch.Launch
    choice: assign_plan.Choice
    tail: tuple[Any, ...]
    after: int = 0
    before: int = 0
    alike: bool = False


class _Like(NamedTuple):
    """A prepared launch for operands that lie alike, and begin at whole vectors.

    Attributes:
        strides: of both.
        launch: the kernel with its grid.
        tail: arguments after the addresses.
        span: the operands overlap if their addresses are less apart, but not the same.
    """

    strides: tuple[int, ...]
    launch: launch.Launch
    tail: tuple[Any, ...]
    span: int


def _copy(array: targets.Array) -> targets.Array:
    return array.copy()


class AssignKernels:
    """The assign family on one device.

    Args:
        target: the device.
        copy: copies an operand that overlaps the destination.
    """

    def __init__(
        self, target: targets.Target, copy: Callable[[targets.Array], targets.Array] = _copy
    ) -> None:
        self._target = target
        self._pointer = target.pointer
        self._stream = target.stream
        self._copy = copy
        self._chip = assign_plan.Chip(target.name, target.multiprocessors)
        self._plans: dict[tuple[Any, ...], _Plan] = {}
        self._alike: dict[tuple[Any, ...], _Like] = {}

    def assign(
        self, op: str, destination: targets.Array, operand: Any, unchecked: bool = False
    ) -> None:
        """Does ``destination = destination (op) operand`` in place.

        Args:
            op: ``'assign'``, ``'assign_add'`` and so on, a key of ``assign_plan.OPS``.
            destination: an array of the target.
            operand: an array of the target that broadcasts to the destination's shape, or
                a NumPy scalar. It may overlap the destination.
            unchecked: whether any dtype may be stored as any other.

        Raises:
            InvalidTypeError: the dtypes do not go together.
            InvalidArgumentError: the shapes do not, or elements of the destination share
                memory.
        """
        if not destination.size:
            # A launch of no blocks is an error of the driver's.
            assign_plan.check(op, destination, operand, unchecked=unchecked)
            return
        if isinstance(operand, np.generic):
            self._assign_scalar(op, destination, operand, unchecked)
            return
        address, read = self._pointer(destination), self._pointer(operand)
        key = (
            op, unchecked, destination.dtype, destination.shape, destination.strides,
            address % _VECTOR_BYTES, operand.dtype, operand.shape, operand.strides,
            read % _VECTOR_BYTES,
        )  # fmt: skip
        plan = self._plans.get(key) or self._plan(key, destination, address, operand, read)
        launch, choice, tail, after, before, alike = plan
        if after < read - address < before and not (alike and read == address):
            self.assign(op, destination, self._copy(operand), unchecked)
            return
        for offset, other in choice.offsets:
            launch(self._stream(), address + offset, read + other, *tail)

    def assign_like(self, op: str, destination: targets.Array, operand: targets.Array) -> None:
        """Does what ``assign`` does, sooner for an operand that is just like the destination.

        Args:
            op: a key of ``assign_plan.OPS``.
            destination: an array of the target.
            operand: an array of the target, of the same dtype and shape.
        """
        address, read = self._pointer(destination), self._pointer(operand)
        known = self._alike.get((op, destination.dtype, destination.shape))
        if known is None:
            self.assign(op, destination, operand)
            self._remember(op, destination, operand)
            return
        strides, launch, tail, span = known
        if (
            (address | read) % _VECTOR_BYTES == 0
            and strides == destination.strides == operand.strides
            and (read == address or not -span < read - address < span)
        ):
            launch(self._stream(), address, read, *tail)
        else:
            self.assign(op, destination, operand)

    def _remember(self, op: str, destination: targets.Array, operand: targets.Array) -> None:
        """Keeps the launch of ``assign`` for operands alike, if it was one."""
        described = (destination.dtype, destination.shape, destination.strides, 0)
        plan = self._plans.get((op, False, *described, *described))
        if plan is None or operand.strides != destination.strides or len(plan.choice.offsets) > 1:
            return
        key = op, destination.dtype, destination.shape
        known = _Like(destination.strides, plan.launch, plan.tail, plan.before)
        remembered.remember(self._alike, key, known)

    def fill(self, destination: targets.Array, value: np.generic) -> None:
        """Sets every element to a NumPy scalar; see ``assign`` for errors."""
        self.assign('assign', destination, value)

    def cast(self, destination: targets.Array, operand: targets.Array) -> None:
        """Copies with any conversion: to integers towards zero, to bool by ``!= 0``."""
        self.assign('assign', destination, operand, unchecked=True)

    def _assign_scalar(
        self, op: str, destination: targets.Array, value: np.generic, unchecked: bool
    ) -> None:
        address = self._pointer(destination)
        key = (
            op, unchecked, destination.dtype, destination.shape, destination.strides,
            address % _VECTOR_BYTES, value.dtype,
        )  # fmt: skip
        plan = self._plans.get(key) or self._plan(key, destination, address, value, None)
        dtype = assign_plan.scalar_type(op, destination.dtype, value.dtype)
        packed = _value_bytes(value, dtype)
        for offset, _ in plan.choice.offsets:
            plan.launch(self._stream(), address + offset, packed, *plan.tail)

    def _plan(
        self,
        key: tuple[Any, ...],
        destination: targets.Array,
        address: int,
        operand: Any,
        read: int | None,
    ) -> _Plan:
        op, unchecked, dtype = key[:3]
        written = assign_plan.Operand(dtype, destination.shape, destination.strides, address)
        given = assign_plan.Operand(operand.dtype, operand.shape, operand.strides, read)
        choice = assign_plan.choose(op, written, given, self._chip, unchecked=unchecked)
        kernel = self._target.kernel(choice.export, choice.signature)
        bound = kernel.bind(choice.grid)
        if read is None:
            plan = _Plan(bound, choice, choice.tail)
        else:
            low, high = layout.byte_range(destination)
            source_low, source_high = layout.byte_range(operand)
            alike = written._replace(address=0) == given._replace(address=0)
            after, before = low - source_high, high - source_low
            plan = _Plan(bound, choice, choice.tail, after, before, alike)
        return remembered.remember(self._plans, key, plan)


def _value_bytes(value: np.generic, dtype: np.dtype[Any]) -> bytes:
    if value.dtype == dtype:
        return value.tobytes()
    with np.errstate(all='ignore'):
        packed: bytes = value.astype(dtype).tobytes()
    return packed
