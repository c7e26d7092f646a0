"""Launches ``kernels/fused.cu``: chains of elementwise ops, each chain in one kernel.

The kernel of a formula is written for the dtypes and the layout of its operands when it is
first computed with these. Each op rounds as it does alone, so the results are those of the
ops one after the other. Nothing here waits for the device.
"""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, NamedTuple

from tensorvar._cuda import (
    assign_plan,
    fused_ops,
    fused_plan,
    fused_text,
    launch,
    remembered,
    targets,
)
from tensorvar._cuda.fused_ops import Formula

_MOST_PLANS = 256
_VECTOR_BYTES = assign_plan.VECTOR_BYTES
_NO_NUMBERS: Mapping[int, bytes] = MappingProxyType({})


class _Plan(NamedTuple):
    """A prepared launch for operands of one description."""

    launch: launch.Launch
    choice: fused_plan.Choice


class FusedKernels:
    """The fused family on one device.

    Args:
        target: the device.

    Attributes:
        step: makes an op a step of a formula; see ``fused_ops``.
        formula: makes a formula of steps.
        title: what a formula is called.
        most_inputs: of a formula.
        most_outputs: of a formula.
        most_steps: of a formula.
    """

    # Who plans formulas has this object, and no need to load modules of its own.
    step = staticmethod(fused_ops.step)
    formula = Formula
    title = staticmethod(fused_text.title)
    most_inputs = fused_plan.MOST_INPUTS
    most_outputs = fused_plan.MOST_OUTPUTS
    most_steps = fused_plan.MOST_STEPS

    def __init__(self, target: targets.Target) -> None:
        self._target = target
        self._chip = assign_plan.Chip(target.name, target.multiprocessors)

    def prepare(
        self, formula: Formula, numbers: Mapping[int, bytes] = _NO_NUMBERS
    ) -> 'FusedKernel':
        """What computes a formula; nothing is compiled yet.

        Args:
            formula: the formula.
            numbers: by position the bytes of inputs that are always the same number.
        """
        return FusedKernel(self, formula, numbers)

    def plan(
        self,
        formula: Formula,
        results: Sequence[assign_plan.Operand],
        operands: Sequence[assign_plan.Operand],
    ) -> _Plan:
        """The launch for operands of one description, compiled if it is new.

        Raises:
            NoKernelError: there is no kernel for them.
        """
        choice = fused_plan.choose(formula, results, operands, self._chip)
        if choice is None:
            shapes = [(each.shape, each.strides) for each in (*results, *operands)]
            raise targets.NoKernelError(f'[fused] none walks over the strides of {shapes}')
        kernel = self._target.kernel(choice.export, choice.signature)
        return _Plan(kernel.bind(choice.grid), choice)


class FusedKernel:
    """A formula on one device.

    Args:
        kernels: of the device.
        formula: what is computed.
        numbers: see ``FusedKernels.prepare``.
    """

    def __init__(
        self, kernels: FusedKernels, formula: Formula, numbers: Mapping[int, bytes]
    ) -> None:
        self._kernels = kernels
        self._formula = formula
        self._numbers = numbers
        self._fixed = [numbers.get(place) for place in range(len(formula.inputs))]
        self._pointer = kernels._target.pointer
        self._stream = kernels._target.stream
        self._plans: dict[tuple[Any, ...], _Plan] = {}

    def __call__(self, results: Sequence[targets.Array], operands: Sequence[targets.Array]) -> None:
        """Computes the formula.

        Args:
            results: dense arrays of one shape, with the dtypes of the outputs. One may be
                an operand that is used element for element.
            operands: arrays that broadcast to that shape, with the dtypes of the inputs
                that are no numbers.

        Raises:
            NoKernelError: there is no kernel for arrays with such strides.
            InvalidArgumentError: an operand does not broadcast to the results.
        """
        if not results[0].size:
            # A launch of no blocks is an error of the driver's.
            return
        pointer = self._pointer
        arrays = (*results, *operands)
        addresses = [pointer(array) for array in arrays]
        key = (
            *[array.strides for array in arrays],
            *[array.shape for array in arrays],
            *[address % _VECTOR_BYTES for address in addresses],
        )
        plan = self._plans.get(key) or self._plan(key, len(results), arrays, addresses)
        count = len(results)
        values: list[Any] = addresses[:count]
        given = zip(addresses[count:], plan.choice.tails, strict=True)
        for number in self._fixed:
            if number is not None:
                values.append(number)
            else:
                address, tail = next(given)
                values.append(address)
                values += tail
        plan.launch(self._stream(), plan.choice.elements, *values)

    def _plan(
        self,
        key: tuple[Any, ...],
        results: int,
        arrays: Sequence[targets.Array],
        addresses: Sequence[int],
    ) -> _Plan:
        described = [
            assign_plan.Operand(array.dtype, array.shape, array.strides, address)
            for array, address in zip(arrays, addresses, strict=True)
        ]
        operands = described[results:]
        for place in sorted(self._numbers):
            dtype = self._formula.inputs[place]
            operands.insert(place, assign_plan.Operand(dtype, (), (), None))
        plan = self._kernels.plan(self._formula, described[:results], operands)
        return remembered.remember(self._plans, key, plan, _MOST_PLANS)
