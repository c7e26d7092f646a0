"""What the compiler makes of the optimizer kernels for each architecture, without a GPU."""

import pathlib
from typing import NamedTuple

import numpy as np
import pytest

from tensorvar._cuda import (
    arguments,
    nvrtc,
    optimizer_plan,
    optimizers,
    select,
    source,
    tensor_table,
)
from tests.support import (
    kernel_cases,
    kernel_reference,
    kernel_static,
    optimizer_cases,
    optimizer_reference,
)

pytestmark = pytest.mark.skipif(
    not nvrtc.is_available(), reason='NVRTC is not installed; see: make kernels'
)


class Row(NamedTuple):
    """A kernel that is looked at: what it is for, and what it may take.

    Attributes:
        rule: a key of ``optimizer_reference.RULES``.
        types: parameter, gradient, whether there are masters.
        tensors: how many; more than 800 need a table in device memory.
        registers: at most, per thread.
        loads: 16-byte loads, at least.
        stores: 16-byte stores, at least.
    """

    rule: str
    types: tuple[str, str, bool]
    tensors: int
    registers: int
    loads: int
    stores: int

    @property
    def divides(self) -> bool:
        return not self.rule.startswith(('sgd', 'momentum', 'nesterov', 'lion'))


SINGLE = ('float32', 'float32', False)
MIXED = ('bfloat16', 'bfloat16', True)
DOUBLE = ('float64', 'float64', False)
ROWS = (
    Row('sgd', SINGLE, 1, 40, 2, 1),
    Row('sgd', ('bfloat16', 'bfloat16', False), 1, 56, 2, 1),
    Row('sgd', MIXED, 1, 48, 1, 1),
    Row('momentum', SINGLE, 1, 48, 3, 2),
    Row('nesterov', SINGLE, 500, 48, 3, 2),
    Row('rmsprop', SINGLE, 1, 56, 3, 2),
    Row('rmsprop momentum', SINGLE, 900, 64, 4, 3),
    Row('rmsprop centered', ('float16', 'float16', True), 1, 64, 3, 3),
    Row('rmsprop centered momentum', SINGLE, 1, 80, 5, 4),
    Row('rmsprop centered momentum', DOUBLE, 1, 96, 5, 4),
    Row('adagrad', SINGLE, 1, 56, 3, 2),
    Row('adam', SINGLE, 1, 64, 4, 3),
    Row('adam', SINGLE, 500, 64, 4, 3),
    Row('adam', SINGLE, 900, 64, 4, 3),
    Row('adam', ('float32', 'bfloat16', False), 1, 64, 3, 3),
    Row('adam', ('bfloat16', 'bfloat16', False), 1, 64, 2, 2),
    Row('adam', MIXED, 1, 64, 3, 3),
    Row('adam', MIXED, 900, 72, 3, 3),
    Row('adam', ('float16', 'float32', True), 1, 64, 4, 3),
    Row('adam', DOUBLE, 1, 80, 4, 3),
    Row('amsgrad', SINGLE, 1, 72, 5, 4),
    Row('amsgrad', MIXED, 1, 72, 4, 4),
    Row('lion', SINGLE, 1, 48, 3, 2),
    Row('lion', MIXED, 900, 56, 2, 2),
)


class Chip(kernel_cases.Recorder):
    """A target of a name, whose tables have the geometry of that chip."""

    def __init__(self, name: str) -> None:
        super().__init__(132)
        self.name = name


def export_of(row: Row, chip: str) -> source.Export:
    recorder = Chip(chip)
    generator = np.random.default_rng(0)
    place = optimizer_cases.beside_margins('aligned', generator, [])
    arrays = optimizer_cases.fill(row.rule, row.types, [4] * row.tensors, generator, place)
    optimizers.OptimizerKernels(recorder, np.copy).plan(
        optimizer_reference.RULES[row.rule],
        arrays.parameters,
        arrays.gradients,
        arrays.slots,
        optimizers.initial_scalars(0.1),
        masters=arrays.masters,
    )
    prepare, update = recorder.exports
    assert prepare == optimizer_plan.PREPARE
    return update


@pytest.mark.parametrize('chip', kernel_static.CHIPS)
def test_updates(chip: str, tmp_path: pathlib.Path) -> None:
    chosen = {row: export_of(row, chip) for row in ROWS}
    exports = sorted({*chosen.values(), optimizer_plan.PREPARE})
    built = kernel_static.build('optimizer.cu', exports, chip, tmp_path)
    assert nvrtc.complaints(built.log) == []
    kernel_static.check(built, 'prepare', 64, divides=True)
    for row, export in chosen.items():
        kernel_static.check(built, export.name, row.registers, divides=row.divides)
        loads, stores = kernel_static.vector_moves(built, export.name)
        assert loads >= row.loads, f'{export.name}: {loads} vector loads'
        assert stores >= row.stores, f'{export.name}: {stores} vector stores'


@pytest.mark.parametrize('chip', kernel_static.CHIPS)
def test_sums(chip: str, tmp_path: pathlib.Path) -> None:
    table = tensor_table.Table('tv::ArgumentTable<480>', 'w480', arguments.POINTER, 0, 1, 1, None)
    exports = []
    for name in ('float32', 'bfloat16', 'float16', 'float64'):
        dtype = kernel_reference.dtype_named(name)
        unroll = select.geometry('norm', dtype.itemsize, chip).unroll
        exports.append(optimizer_plan.sum_export(dtype, unroll, table)[0])
    built = kernel_static.build('reduce.cu', exports, chip, tmp_path)
    assert nvrtc.complaints(built.log) == []
    for export in exports:
        kernel_static.check(built, export.name, 96)
        loads, _ = kernel_static.vector_moves(built, export.name)
        # Those of a chunk of one tensor, and of one that is not.
        assert loads == 8, f'{export.name}: {loads} vector loads'
        assert 'BAR.SYNC' in built.instructions[export.name]
