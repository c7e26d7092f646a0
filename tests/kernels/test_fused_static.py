"""What the compiler makes of fused kernels for each architecture, without a GPU."""

import pathlib
from typing import NamedTuple

import numpy as np
import pytest

from tensorvar._cuda import fused_plan, nvrtc, source
from tests.support import fused_cases, kernel_reference
from tests.support.kernel_static import CHIPS, build, check, vector_moves

pytestmark = pytest.mark.skipif(
    not nvrtc.is_available(), reason='NVRTC is not installed; see: make kernels'
)

MATRIX = (1024, 1024)
DENSE = (MATRIX, 0)


class Row(NamedTuple):
    """A kernel that is looked at.

    Attributes:
        ops: a chain of them.
        dtype: of all values.
        operands: shape of each, and bytes of its address past a multiple of 64; None for
            a number.
        registers: at most, per thread.
        loads: 16-byte loads, at least.
        stores: 16-byte stores, at least.
        divides: see ``check``.
    """

    ops: str
    dtype: np.dtype
    operands: tuple[tuple[tuple[int, ...], int | None], ...]
    registers: int
    loads: int
    stores: int
    divides: bool = False


F2, F4, F8, I1 = (np.dtype(name) for name in ('f2', 'f4', 'f8', 'i1'))
BF16 = kernel_reference.BFLOAT16
ROWS = (
    Row('Mul AddV2 Relu', F4, (DENSE, DENSE), 64, 4, 2),
    Row('Mul AddV2 Relu', F2, (DENSE, DENSE), 96, 4, 2),
    Row('Mul AddV2 Relu', BF16, (DENSE, DENSE), 96, 4, 2),
    Row('Mul AddV2 Relu', F8, (DENSE, DENSE), 64, 4, 2),
    Row('Mul AddV2 Neg', I1, (DENSE, DENSE), 128, 4, 2),
    Row('AddV2 Tanh Mul', F4, (DENSE, ((1024,), 0)), 96, 4, 2, divides=True),
    Row('Sub Exp Sigmoid', F4, (DENSE, ((), 0)), 96, 2, 2, divides=True),
    Row('Mul Sub Maximum', BF16, (DENSE, ((), None)), 96, 2, 2),
    Row('Pow Log1p Sqrt', F4, (DENSE, DENSE), 128, 4, 2, divides=True),
    Row('Exp Mul Sqrt', F8, (DENSE, DENSE), 128, 4, 2, divides=True),
    Row('RealDiv Softplus Selu', F4, (DENSE, DENSE), 128, 4, 2, divides=True),
    Row('AddV2 Gelu', BF16, (DENSE, ((1024,), 0)), 128, 4, 2, divides=True),
    Row('Mul AddV2', F4, (DENSE, (MATRIX, 4)), 64, 2, 2),
    Row('Mul AddV2', F4, (DENSE, ((1024, 1), 0)), 80, 2, 2),
)


def export(row: Row, chip: str) -> source.Export:
    plan = fused_cases.chain(*row.ops.split(), dtype=row.dtype, inputs=len(row.operands))
    operands = [
        fused_plan.Operand(
            row.dtype,
            shape,
            np.empty(shape, row.dtype).strides,
            None if past is None else 1 << 20 | past,
        )
        for shape, past in row.operands
    ]
    result = fused_plan.Operand(row.dtype, MATRIX, np.empty(MATRIX, row.dtype).strides, 1 << 20)
    choice = fused_plan.choose(plan.formula, [result], operands, fused_plan.Chip(chip, 132))
    assert choice is not None
    return choice.export


@pytest.mark.parametrize('chip', CHIPS)
def test_fused(chip: str, tmp_path: pathlib.Path) -> None:
    chosen = {row: export(row, chip) for row in ROWS}
    built = build('fused.cu', sorted(set(chosen.values())), chip, tmp_path)
    assert nvrtc.complaints(built.log) == []
    for row, kernel in chosen.items():
        check(built, kernel.name, row.registers, divides=row.divides)
        loads, stores = vector_moves(built, kernel.name)
        assert loads >= row.loads, f'{kernel.name}: {loads} vector loads'
        assert stores >= row.stores, f'{kernel.name}: {stores} vector stores'
