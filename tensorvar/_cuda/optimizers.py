"""Launches ``kernels/optimizer.cu`` and ``reduce.cu``: one step for many parameters.

A step is two launches, or three where the norm of the gradients is needed, plus one for each
further combination of dtypes. Nothing waits for the device: the step count, the learning
rate, the loss scale, the norm and whether the step was skipped stay in device memory, so
that a captured graph can be replayed while they change.
"""

import enum
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from tensorvar import errors
from tensorvar._cuda import (
    arguments,
    launch,
    optimizer_plan,
    optimizer_rules,
    remembered,
    select,
    targets,
    tensor_table,
)

SCALARS = 16
_CLIPS, _SKIPS, _CORRECTS = 1, 2, 4
_PARTIAL_BYTES = 16
_MOST_PLANS = 32


class Scalar(enum.IntEnum):
    """Places in the array of scalars; those that are not listed are the kernels' own.

    ``STEP`` (updates done so far), ``LEARNING_RATE`` and ``LOSS_SCALE`` (what the gradients
    were multiplied with) are the caller's, and the kernels count the step. ``NORM`` (of all
    gradients, without the loss scale) and ``FINITE`` (1 or 0, of their elements) are written
    where they were asked for, ``CLIP_FACTOR`` always.
    """

    STEP = 0
    LEARNING_RATE = 1
    LOSS_SCALE = 2
    NORM = 3
    CLIP_FACTOR = 4
    FINITE = 5


def initial_scalars(learning_rate: float, loss_scale: float = 1.0) -> np.ndarray[Any, Any]:
    """What the array of scalars begins with, to be copied to the device."""
    scalars = np.zeros(SCALARS, np.float64)
    scalars[Scalar.LEARNING_RATE] = learning_rate
    scalars[Scalar.LOSS_SCALE] = loss_scale
    return scalars


class Update:
    """A prepared step; each call does one.

    It knows addresses: the arrays that it was prepared with must live on, and their values
    may change. It keeps none of them alive.
    """

    __slots__ = ('_kept', '_launches', '_target')

    def __init__(
        self,
        target: targets.Target,
        launches: Sequence[tuple[launch.Launch, tuple[Any, ...]]],
        kept: Sequence[targets.Array | None],
    ) -> None:
        self._target = target
        self._launches = tuple(launches)
        self._kept = tuple(kept)

    def __call__(self) -> None:
        """Launches on the current stream and returns at once."""
        stream = self._target.stream()
        for run, values in self._launches:
            run(stream, *values)


class OptimizerKernels:
    """Optimizer steps on one device.

    Args:
        target: the device.
        upload: gives a host array's copy in its memory; used when a step is prepared, not
            when it is done.
        argument_bytes: that a kernel takes; see ``arguments.most_bytes``.
    """

    def __init__(
        self,
        target: targets.Target,
        upload: tensor_table.Upload,
        argument_bytes: int = arguments.MAX_BYTES,
    ) -> None:
        self._target = target
        self._upload = upload
        self._argument_bytes = argument_bytes
        self._updates: dict[tuple[Any, ...], Update] = {}

    def apply(
        self,
        rule: optimizer_rules.Rule,
        parameters: Sequence[targets.Array],
        gradients: Sequence[targets.Array],
        slots: Mapping[str, Sequence[targets.Array]],
        scalars: targets.Array,
        *,
        masters: Sequence[targets.Array | None] | None = None,
        decays: Sequence[bool] | None = None,
        clip_norm: float | None = None,
        skip_non_finite: bool = False,
    ) -> None:
        """Does one step, prepared anew only where the arrays are others than before.

        Args:
            rule: see ``optimizer_rules``.
            parameters: float16, bfloat16, float32 or float64, dense, in C order.
            gradients: of the same shapes, of any of these dtypes.
            slots: by the rule's names, one array for each parameter: float64 where that is
                float64, else float32.
            scalars: 16 float64; see ``Scalar``.
            masters: float32 copies of 16-bit parameters, which take the steps in their
                place; None for those without.
            decays: which parameters have the rule's weight decay; None for all.
            clip_norm: the gradients are scaled down together where their common norm is
                above it, and become NaN where it is not finite, as in TensorFlow.
            skip_non_finite: whether nothing is done, and the step not counted, where an
                element of a gradient is infinite or NaN.

        Raises:
            InvalidTypeError: a dtype is not allowed.
            InvalidArgumentError: the arrays do not go together, or share memory.
        """
        key = (
            rule, self._identity(parameters), self._identity(gradients),
            tuple((name, self._identity(arrays)) for name, arrays in slots.items()),
            self._identity([scalars]), None if masters is None else self._identity(masters),
            None if decays is None else tuple(decays), clip_norm, skip_non_finite,
        )  # fmt: skip
        update = self._updates.get(key)
        if update is None:
            update = self.plan(
                rule,
                parameters,
                gradients,
                slots,
                scalars,
                masters=masters,
                decays=decays,
                clip_norm=clip_norm,
                skip_non_finite=skip_non_finite,
            )
            remembered.remember(self._updates, key, update, _MOST_PLANS)
        update()

    def plan(
        self,
        rule: optimizer_rules.Rule,
        parameters: Sequence[targets.Array],
        gradients: Sequence[targets.Array],
        slots: Mapping[str, Sequence[targets.Array]],
        scalars: targets.Array,
        *,
        masters: Sequence[targets.Array | None] | None = None,
        decays: Sequence[bool] | None = None,
        clip_norm: float | None = None,
        skip_non_finite: bool = False,
    ) -> Update:
        """Prepares a step for arrays that stay where they are; see ``apply``.

        For whoever does the same step often, or captures it in a graph: calling the result
        costs the launches alone.
        """
        tensors = optimizer_plan.Tensors(
            parameters,
            gradients,
            slots,
            [None] * len(parameters) if masters is None else masters,
            [True] * len(parameters) if decays is None else decays,
        )
        optimizer_plan.check(rule, tensors, self._target)
        self._check_scalars(rule.code, scalars)
        if clip_norm is not None and not clip_norm >= 0:
            raise errors.InvalidArgumentError(
                f'[{rule.code}] clip_norm is {clip_norm}; it must be 0 or more'
            )
        launches: list[tuple[launch.Launch, tuple[Any, ...]]] = []
        kept: list[targets.Array | None] = []
        partials, blocks = 0, 0
        if clip_norm is not None or skip_non_finite:
            partials, blocks = self._measure(gradients, launches, kept)
        options = _CLIPS * (clip_norm is not None) | _SKIPS * skip_non_finite
        options |= _CORRECTS * (rule.betas is not None)
        prepare = self._target.kernel(optimizer_plan.PREPARE, optimizer_plan.PREPARE_SIGNATURE)
        address = self._target.pointer(scalars)
        launches.append(
            (
                prepare.bind(launch.Grid(1, tensor_table.THREADS)),
                (address, partials, blocks, clip_norm or 0.0, *(rule.betas or (0, 0)), options),
            )
        )
        for types, positions in optimizer_plan.groups(tensors).items():
            self._update(rule, types, positions, tensors, address, launches, kept)
        return Update(self._target, launches, kept)

    def _measure(
        self,
        gradients: Sequence[targets.Array],
        launches: list[tuple[launch.Launch, tuple[Any, ...]]],
        kept: list[targets.Array | None],
    ) -> tuple[int, int]:
        """Adds the launches that sum up squares; gives the partial sums and their number."""
        groups: dict[np.dtype[Any], list[targets.Array]] = {}
        for gradient in gradients:
            if gradient.size:
                groups.setdefault(gradient.dtype, []).append(gradient)
        found = []
        for dtype, arrays in groups.items():
            geometry = select.geometry('norm', dtype.itemsize, self._target.name)
            length = tensor_table.VECTOR_BYTES // dtype.itemsize
            table = self._table(
                [array.size for array in arrays],
                [[self._target.pointer(array) for array in arrays]],
                length,
            )
            grid, share = tensor_table.work_split(
                table.positions, length, geometry, self._target.multiprocessors
            )
            kernel = self._target.kernel(*optimizer_plan.sum_export(dtype, geometry.unroll, table))
            found.append((kernel.bind(grid), grid.blocks, table, share))
        # Without any element, one sum of nothing.
        blocks = sum(each[1] for each in found) or 1
        partials = self._upload(np.zeros((blocks, 2), np.float64))
        first = address = self._target.pointer(partials)
        for run, count, table, share in found:
            launches.append((run, (table.argument, table.tensors, share, address)))
            kept.append(table.kept)
            address += count * _PARTIAL_BYTES
        kept.append(partials)
        return first, blocks

    def _update(
        self,
        rule: optimizer_rules.Rule,
        types: optimizer_plan.Types,
        positions: Sequence[int],
        tensors: optimizer_plan.Tensors,
        scalars: int,
        launches: list[tuple[launch.Launch, tuple[Any, ...]]],
        kept: list[targets.Array | None],
    ) -> None:
        """Adds the launch for tensors of the same dtypes."""
        arrays = [tensors.parameters, tensors.gradients]
        arrays += [tensors.masters] if types.master else []
        arrays += [tensors.slots[name] for name in rule.slots]
        length = types.vector_length(rule)
        table = self._table(
            [tensors.parameters[position].size for position in positions],
            [[self._target.pointer(each[position]) for position in positions] for each in arrays],
            length,
        )
        widest = tensor_table.VECTOR_BYTES // length
        geometry = select.geometry('optimizer', widest, self._target.name)
        grid, share = tensor_table.work_split(
            table.positions, length, geometry, self._target.multiprocessors
        )
        decayed = sum(tensors.decays[position] for position in positions)
        kernel = self._target.kernel(
            optimizer_plan.update_export(rule, types, geometry.unroll, table),
            optimizer_plan.update_signature(rule, types, table),
        )
        values = (
            table.argument, table.tensors, decayed if rule.weight_decay else 0, share, scalars,
            optimizer_plan.constants(rule, types),
        )  # fmt: skip
        launches.append((kernel.bind(grid), values))
        kept.append(table.kept)

    def _table(
        self, sizes: Sequence[int], addresses: Sequence[Sequence[int]], length: int
    ) -> tensor_table.Table:
        return tensor_table.build(
            sizes, addresses, length, self._argument_bytes, self._target, self._upload
        )

    def _check_scalars(self, op: str, scalars: targets.Array) -> None:
        dense = scalars.flags.c_contiguous and self._target.pointer(scalars) % 8 == 0
        if scalars.dtype != np.float64 or scalars.shape != (SCALARS,) or not dense:
            raise errors.InvalidArgumentError(
                f'[{op}] scalars of {scalars.dtype} and shape {scalars.shape}; they must be '
                f'float64 of shape ({SCALARS},), dense; see initial_scalars'
            )

    def _identity(self, arrays: Sequence[targets.Array | None]) -> tuple[Any, ...]:
        pointer = self._target.pointer
        return tuple(
            each if each is None else (pointer(each), each.dtype, each.shape, each.strides)
            for each in arrays
        )
