"""Launches ``kernels/assign.cu``: assignment in place, fill, cast and strided copy.

Kernel and grid are chosen once per combination of dtypes, shapes, strides and alignments.
The arithmetic is NumPy's, except that 16-bit floats are computed with as float32 and
rounded once. Nothing here waits for the device.
"""

from typing import Any, NamedTuple

import numpy as np

from tensorvar._cuda import assign_plan, launch, layout, source, targets

_MOST_PLANS = 4096


class _Plan(NamedTuple):
    """A prepared launch for operands of one description.

    Attributes:
        launch: the kernel with its grid.
        choice: of the kernel.
        scalar: the dtype in which a scalar operand is handed over.
        after: operands overlap if the source's address is further than this behind the
            destination's, a negative number of bytes,
        before: and less than this ahead of it.
        alike: whether it is no overlap if both addresses are the same.
    """

    launch: launch.Launch
    choice: assign_plan.Choice
    scalar: np.dtype[Any]
    after: int = 0
    before: int = 0
    alike: bool = False


class AssignKernels:
    """The assign family on one device."""

    def __init__(self, target: targets.Target) -> None:
        self._target = target
        self._chip = assign_plan.Chip(target.name, target.multiprocessors)
        self._kernels: dict[source.Export, launch.Kernel] = {}
        self._plans: dict[tuple[Any, ...], _Plan] = {}

    def assign(self, op: str, destination: targets.Array, operand: Any) -> None:
        """Does ``destination = destination (op) operand`` in place.

        Args:
            op: ``'assign'``, ``'assign_add'`` and so on, a key of ``assign_plan.OPS``.
            destination: an array of the target.
            operand: an array of the target that broadcasts to the destination's shape, or
                a NumPy scalar. It may overlap the destination.

        Raises:
            InvalidTypeError: the dtypes do not go together.
            InvalidArgumentError: the shapes do not, or elements of the destination share
                memory.
        """
        self._run(op, destination, operand)

    def fill(self, destination: targets.Array, value: np.generic) -> None:
        """Sets every element to a NumPy scalar; see ``assign`` for errors."""
        self._run('assign', destination, value)

    def cast(self, destination: targets.Array, operand: targets.Array) -> None:
        """Copies with any conversion: to integers towards zero, to bool by ``!= 0``."""
        self._run('assign', destination, operand, unchecked=True)

    def _run(
        self, op: str, destination: targets.Array, operand: Any, unchecked: bool = False
    ) -> None:
        if not destination.size:
            # A launch of no blocks is an error of the driver's.
            assign_plan.check(op, destination, operand, unchecked=unchecked)
            return
        address = self._target.pointer(destination)
        key: tuple[Any, ...]
        if isinstance(operand, np.generic):
            key = (
                op, unchecked, destination.dtype, destination.shape, destination.strides,
                address % assign_plan.VECTOR_BYTES, operand.dtype,
            )  # fmt: skip
            plan = self._plans.get(key) or self._plan(key, destination, address, operand, None)
            value = _value_bytes(operand, plan.scalar)
            for offset, _ in plan.choice.offsets:
                plan.launch(self._target.stream(), address + offset, value, *plan.choice.tail)
            return
        read = self._target.pointer(operand)
        key = (
            op, unchecked, destination.dtype, destination.shape, destination.strides,
            address % assign_plan.VECTOR_BYTES, operand.dtype, operand.shape, operand.strides,
            read % assign_plan.VECTOR_BYTES,
        )  # fmt: skip
        plan = self._plans.get(key) or self._plan(key, destination, address, operand, read)
        if plan.after < read - address < plan.before and not (plan.alike and read == address):
            self._run(op, destination, operand.copy(), unchecked)
            return
        for offset, other in plan.choice.offsets:
            plan.launch(self._target.stream(), address + offset, read + other, *plan.choice.tail)

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
        bound = self._kernel(choice).bind(choice.grid)
        if read is None:
            plan = _Plan(bound, choice, assign_plan.scalar_type(op, dtype, operand.dtype))
        else:
            low, high = layout.byte_range(destination)
            source_low, source_high = layout.byte_range(operand)
            alike = written._replace(address=0) == given._replace(address=0)
            plan = _Plan(bound, choice, dtype, low - source_high, high - source_low, alike)
        if len(self._plans) >= _MOST_PLANS:
            self._plans.clear()
        self._plans[key] = plan
        return plan

    def _kernel(self, choice: assign_plan.Choice) -> launch.Kernel:
        kernel = self._kernels.get(choice.export)
        if kernel is None:
            kernel = self._target.kernel(choice.export, choice.signature)
            self._kernels[choice.export] = kernel
        return kernel


def _value_bytes(value: np.generic, dtype: np.dtype[Any]) -> bytes:
    if value.dtype == dtype:
        return value.tobytes()
    with np.errstate(all='ignore'):
        packed: bytes = value.astype(dtype).tobytes()
    return packed
