"""kernels/assign.cu and transpose.cu on a card: the tables of the emulation."""

from typing import Any

import numpy as np
import pytest

from tensorvar._core import kernels as equipment
from tensorvar._cuda import assign
from tests.support import kernel_cases, kernel_reference, mirrored_target

pytestmark = pytest.mark.gpu

PARTS = 8


@pytest.fixture
def kernels(mirrored: mirrored_target.MirroredTarget) -> assign.AssignKernels:
    return assign.AssignKernels(mirrored)


@pytest.mark.parametrize('part', range(PARTS))
def test_every_pair_of_settings(kernels: assign.AssignKernels, part: int) -> None:
    generator = np.random.default_rng(part)
    for case in kernel_cases.pairwise_cases(seed=0)[part::PARTS]:
        kernel_cases.run(kernels, case, generator)


@pytest.mark.parametrize('dtype', ['float32', 'int8', 'complex128', kernel_reference.BFLOAT16])
def test_every_byte_offset_of_both_operands(kernels: assign.AssignKernels, dtype: object) -> None:
    dtype = np.dtype(dtype)
    generator = np.random.default_rng(0)
    for offset in range(16):
        for source_offset in (0, offset, 3, 8):
            case = kernel_cases.Case('assign_add', dtype, dtype, 'dense', 50, offset, source_offset)
            kernel_cases.run(kernels, case, generator)


def test_all_bits_of_sixteen_bit_floats_survive(kernels: assign.AssignKernels) -> None:
    bits = np.arange(2**16, dtype=np.uint16)
    for dtype in (np.dtype('float16'), kernel_reference.BFLOAT16):
        halves = bits.view(dtype)
        wide, back = np.empty(2**16, np.float32), np.empty(2**16, dtype)
        kernels.assign('assign', wide, halves)
        expected = kernel_reference.convert(halves, wide.dtype)
        kernel_reference.assert_same(wide, expected, f'{dtype} to float32', products=False)
        kernels.assign('assign', back, wide)
        kernel_reference.assert_same(back, halves, f'float32 to {dtype}', products=False)


@pytest.mark.parametrize('shape', [(33, 65), (100, 31), (3, 17, 40), (2, 1024, 640)])
def test_transposed_copy(kernels: assign.AssignKernels, shape: tuple[int, ...]) -> None:
    for dtype in (np.uint8, np.float16, np.float32, np.complex64, np.complex128):
        turned = (*shape[:-2], shape[-1], shape[-2])
        source = (np.arange(int(np.prod(shape))) % 251).astype(dtype).reshape(turned)
        copied = np.empty(shape, dtype)
        kernels.assign('assign', copied, source.swapaxes(-1, -2))
        assert np.array_equal(copied, source.swapaxes(-1, -2))


def test_overlapping_operands_are_as_if_copied(kernels: assign.AssignKernels) -> None:
    memory = np.arange(100_000, dtype=np.float32)
    expected = memory.copy()
    expected[1:] += expected[:-1].copy()
    kernels.assign('assign_add', memory[1:], memory[:-1])
    assert np.array_equal(memory, expected)


def test_more_elements_than_32_bits_count(card: Any) -> None:
    """Straight on the card: the end, the beginning, and around the place where they wrap."""
    count = 2**31 + 17
    kernels = assign.AssignKernels(card.call(equipment.equip_card, card).target)
    int8 = np.dtype(np.int8)
    target, operand = (card.empty((count,), int8) for _ in range(2))
    card.call(kernels.fill, target, np.int8(3))
    card.call(kernels.fill, operand, np.int8(4))
    card.call(kernels.assign, 'assign_add', target, operand)
    for begin in (0, 2**31 - 40, count - 40):
        assert (card.to_host(target[begin : begin + 40]) == 7).all()


def test_operands_alike(kernels: assign.AssignKernels) -> None:
    for size in (4, 1024, (1 << 20) + 1):
        destination, operand = np.ones(size, np.float32), np.arange(size, dtype=np.float32)
        for _ in range(3):
            kernels.assign_like('assign_add', destination, operand)
        assert np.array_equal(destination, 1 + 3 * np.arange(size, dtype=np.float32))
