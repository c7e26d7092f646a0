"""Which kernels of ``kernels/optimizer.cu`` and ``reduce.cu`` run for which tensors."""

import struct
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from tensorvar import dtypes, errors
from tensorvar._cuda import arguments, element_types, optimizer_rules, source, targets, tensor_table

_POINTER, _COUNT = arguments.POINTER, arguments.COUNT
_DOUBLE = arguments.Parameter('d', 8, 8)
_FLOAT32, _FLOAT64 = np.dtype(np.float32), np.dtype(np.float64)

PREPARE = source.Export('optimizer.cu', 'TV_PREPARE', 'prepare', ())
PREPARE_SIGNATURE = arguments.Signature(
    _POINTER, _POINTER, _COUNT, _DOUBLE, _DOUBLE, _DOUBLE, _COUNT
)


class Tensors(NamedTuple):
    """What one step is done with: lists with an entry for each parameter.

    Attributes:
        parameters: are changed.
        gradients: of the parameters' shapes.
        slots: for each of the rule's names; are changed.
        masters: the parameters in float32, or None for those that have none; are changed.
        decays: which of them have weight decay.
    """

    parameters: Sequence[targets.Array]
    gradients: Sequence[targets.Array]
    slots: Mapping[str, Sequence[targets.Array]]
    masters: Sequence[targets.Array | None]
    decays: Sequence[bool]

    def lists(self) -> dict[str, Sequence[targets.Array | None]]:
        """The lists of arrays, by what errors call an entry."""
        return {
            'parameter': self.parameters,
            'gradient': self.gradients,
            'master': self.masters,
            **{f'slot {name!r}': arrays for name, arrays in self.slots.items()},
        }


class Types(NamedTuple):
    """The dtypes of tensors that share a launch."""

    parameter: np.dtype[Any]
    gradient: np.dtype[Any]
    master: bool

    @property
    def compute(self) -> np.dtype[Any]:
        """What is computed with, also the dtype of the slots."""
        return _FLOAT64 if self.parameter == _FLOAT64 else _FLOAT32

    def vector_length(self, rule: optimizer_rules.Rule) -> int:
        """Elements per vector, as ``Update::LENGTH`` in the kernel."""
        kept = self.compute.itemsize if rule.slots or self.master else 0
        widest = max(self.parameter.itemsize, self.gradient.itemsize, kept)
        return tensor_table.VECTOR_BYTES // widest


def groups(tensors: Tensors) -> dict[Types, list[int]]:
    """Positions of the tensors that share a launch, those with weight decay first."""
    found: dict[Types, list[int]] = {}
    for position in sorted(
        range(len(tensors.parameters)), key=lambda position: not tensors.decays[position]
    ):
        parameter = tensors.parameters[position]
        if parameter.size:
            gradient, master = tensors.gradients[position], tensors.masters[position]
            types = Types(parameter.dtype, gradient.dtype, master is not None)
            found.setdefault(types, []).append(position)
    return found


def update_export(
    rule: optimizer_rules.Rule, types: Types, unroll: int, table: tensor_table.Table
) -> source.Export:
    """The kernel that does the step of tensors of these types."""
    parameter, gradient, compute = (
        element_types.element_type(rule.code, dtype)
        for dtype in (types.parameter, types.gradient, types.compute)
    )
    master = '_master' if types.master else ''
    return source.Export(
        'optimizer.cu',
        'TV_UPDATE',
        f'update_{rule.code}_{parameter.short}_{gradient.short}{master}_{table.short}',
        (
            rule.code, compute.code, parameter.code, gradient.code,
            str(types.master).lower(), str(unroll), table.code,
        ),
    )  # fmt: skip


def update_signature(
    rule: optimizer_rules.Rule, types: Types, table: tensor_table.Table
) -> arguments.Signature:
    """The parameters of that kernel."""
    size = types.compute.itemsize
    constants = arguments.by_value(size * (1 + len(rule.constants)), size)
    return arguments.Signature(table.parameter, _COUNT, _COUNT, _COUNT, _POINTER, constants)


def constants(rule: optimizer_rules.Rule, types: Types) -> bytes:
    """The rule as a kernel argument."""
    values = (rule.weight_decay, *rule.constants)
    code = 'f' if types.compute == _FLOAT32 else 'd'
    return struct.pack(f'<{len(values)}{code}', *values)


def sum_export(
    dtype: np.dtype[Any], unroll: int, table: tensor_table.Table
) -> tuple[source.Export, arguments.Signature]:
    """The kernel that adds up squares, and its parameters."""
    element = element_types.element_type('sum_squares', dtype)
    added = 'double' if dtype == _FLOAT64 else 'float'
    name = f'sum_squares_{element.short}_{table.short}'
    export = source.Export(
        'reduce.cu', 'TV_SUM_SQUARES', name, (element.code, added, str(unroll), table.code)
    )
    return export, arguments.Signature(table.parameter, _COUNT, _COUNT, _POINTER)


def check(rule: optimizer_rules.Rule, tensors: Tensors, target: targets.Target) -> None:
    """Looks whether the lists go together.

    Raises:
        InvalidTypeError: a dtype is not allowed.
        InvalidArgumentError: lists are of different lengths, slots are missing, shapes
            differ, an array is not dense, or arrays share memory.
    """
    _check_lists(rule, tensors)
    spans: list[tensor_table.Span] = []
    for position in range(len(tensors.parameters)):
        row: dict[str, targets.Array] = {
            kind: arrays[position]
            for kind, arrays in tensors.lists().items()
            if arrays[position] is not None
        }
        _check_dtypes(rule.code, position, row)
        spans += _spans(rule.code, position, row, target)
    shared = tensor_table.overlap(spans)
    if shared is not None:
        raise errors.InvalidArgumentError(
            f'[{rule.code}] {shared[0].name} and {shared[1].name} share memory, and at least '
            f'one of them is written; give each parameter once, and copy what overlaps'
        )


def _spans(
    op: str, position: int, row: Mapping[str, targets.Array], target: targets.Target
) -> list[tensor_table.Span]:
    """Where the arrays of a parameter lie, if each has its shape and is dense."""
    shape = row['parameter'].shape
    spans = {}
    for kind, array in row.items():
        address = target.pointer(array)
        odd = address % array.dtype.itemsize
        if array.shape != shape:
            raise errors.InvalidArgumentError(
                f'[{op}] parameter {position} of shape {shape} and its {kind} of shape '
                f'{array.shape}; the shapes must be the same'
            )
        if odd or not array.flags.c_contiguous:
            raise errors.InvalidArgumentError(
                f'[{op}] {kind} {position} of shape {shape} and strides {array.strides} at an '
                f'address {odd} bytes past its alignment; it must be dense, in C order; copy '
                f'it first'
            )
        end = address + array.size * array.dtype.itemsize
        spans[kind] = tensor_table.Span(f'{kind} {position}', address, end, kind != 'gradient')
    if spans['gradient'][1:3] == spans['parameter'][1:3]:
        # Each element is read before it is written.
        del spans['gradient']
    return [span for span in spans.values() if span.start < span.end]


def _check_lists(rule: optimizer_rules.Rule, tensors: Tensors) -> None:
    if set(tensors.slots) != set(rule.slots):
        raise errors.InvalidArgumentError(
            f'[{rule.code}] slots {sorted(tensors.slots)}; the rule needs {sorted(rule.slots)}'
        )
    lengths = {kind: len(arrays) for kind, arrays in tensors.lists().items()}
    lengths['weight decay'] = len(tensors.decays)
    if len(set(lengths.values())) > 1:
        listed = ', '.join(f'{count} for {kind}' for kind, count in lengths.items())
        raise errors.InvalidArgumentError(
            f'[{rule.code}] lists of different lengths: {listed}; there must be an entry for '
            f'each parameter'
        )


def _check_dtypes(op: str, position: int, row: Mapping[str, targets.Array]) -> None:
    parameter = row['parameter'].dtype
    allowed = ', '.join(sorted(each.name for each in dtypes.FLOATING))
    for kind in ('parameter', 'gradient'):
        if row[kind].dtype not in dtypes.FLOATING:
            raise errors.InvalidTypeError(
                f'[{op}] {kind} {position} of {row[kind].dtype}; allowed are {allowed}'
            )
    if 'master' in row and parameter not in dtypes.HALF_PRECISION:
        raise errors.InvalidTypeError(
            f'[{op}] parameter {position} of {parameter} with a master; only parameters of 16 '
            f'bits have one; give None in its place'
        )
    wanted = _FLOAT64 if parameter == _FLOAT64 else _FLOAT32
    for kind, array in row.items():
        if kind not in ('parameter', 'gradient') and array.dtype != wanted:
            raise errors.InvalidTypeError(
                f'[{op}] {kind} {position} of {array.dtype} for a parameter of {parameter}; it '
                f'must be {wanted}'
            )
