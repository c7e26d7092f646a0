"""kernels/assign.cu and transpose.cu, run on the CPU, against NumPy."""

import functools

import numpy as np
import pytest

from tensorvar import errors
from tensorvar._cuda import assign, host_emulation, remembered
from tests.support import kernel_cases, kernel_reference

ORDERS = ('forward', 'reverse', 'random')


@pytest.fixture
def kernels(host: host_emulation.HostTarget) -> assign.AssignKernels:
    return assign.AssignKernels(host)


def test_every_pair_of_settings_in_every_order(
    host: host_emulation.HostTarget, kernels: assign.AssignKernels
) -> None:
    chosen = kernel_cases.pairwise_cases(seed=0)
    host.prepare(kernel_cases.exports_of(chosen))
    for seed, order in enumerate(ORDERS):
        host.order = order
        generator = np.random.default_rng(seed)
        for case in chosen:
            kernel_cases.run(kernels, case, generator)


@pytest.mark.soak
@pytest.mark.timeout(1200)
@pytest.mark.parametrize('order', ORDERS)
def test_random_cases(
    host: host_emulation.HostTarget, kernels: assign.AssignKernels, order: str
) -> None:
    host.order = order
    seed = ORDERS.index(order)
    chosen = kernel_cases.random_cases(2_000, seed)
    host.prepare(kernel_cases.exports_of(chosen))
    generator = np.random.default_rng(seed)
    for case in chosen:
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
        wide = np.empty(2**16, np.float32)
        kernels.assign('assign', wide, halves)
        expected = kernel_reference.convert(halves, wide.dtype)
        kernel_reference.assert_same(wide, expected, f'{dtype} to float32', products=False)
        back = np.empty(2**16, dtype)
        kernels.assign('assign', back, wide)
        kernel_reference.assert_same(back, halves, f'float32 to {dtype}', products=False)


@pytest.mark.parametrize('target', ['float16', kernel_reference.BFLOAT16])
@pytest.mark.parametrize('source', ['float32', 'float64'])
def test_ties_round_to_even(kernels: assign.AssignKernels, target: object, source: str) -> None:
    half = np.arange(0, 0x7C00, 7, dtype=np.uint16).view(target).astype(source)
    with np.errstate(all='ignore'):
        middle = (half[:-1] + half[1:]) / 2
        near = np.concatenate([np.nextafter(middle, 0), middle, np.nextafter(middle, np.inf)])
    narrow = np.empty(near.shape, target)
    kernels.assign('assign', narrow, near)
    expected = kernel_reference.convert(near, narrow.dtype)
    kernel_reference.assert_same(narrow, expected, f'{source} to {target}', products=False)


@pytest.mark.parametrize(
    ('source', 'target'),
    [
        ('float32', 'int8'), ('float64', 'uint64'), ('float16', 'int32'), ('complex64', 'int16'),
        ('complex128', 'float16'), ('float32', 'bool'), ('complex64', 'bool'), ('int64', 'uint8'),
        (kernel_reference.BFLOAT16, 'uint16'),
    ],
)  # fmt: skip
def test_cast_to_a_lower_kind(kernels: assign.AssignKernels, source: object, target: str) -> None:
    values = np.linspace(0, 100, 333).astype(source)
    values[::5] = 0
    cast = np.empty(333, target)
    kernels.cast(cast, values)
    expected = kernel_reference.convert(values, cast.dtype)
    kernel_reference.assert_same(cast, expected, f'{source} to {target}', products=False)
    strided = np.zeros((37, 9), target)
    kernels.cast(strided[:, ::2], values.reshape(37, 9)[:, ::2])
    assert np.array_equal(strided[:, ::2], expected.reshape(37, 9)[:, ::2])
    assert not strided[:, 1::2].any()


@pytest.mark.parametrize('dtype', kernel_reference.DTYPES, ids=str)
def test_fill(kernels: assign.AssignKernels, dtype: np.dtype) -> None:
    for count in (1, 17, 1023):
        filled = np.zeros(count + 2, dtype)
        value = np.asarray(1.5).astype(dtype)[()]
        kernels.fill(filled[1:-1], value)
        assert (filled[1:-1] == value).all()
        assert filled[0] == filled[-1] == 0


@pytest.mark.parametrize('order', ORDERS)
@pytest.mark.parametrize('shape', [(16, 16), (33, 65), (100, 31), (3, 17, 40), (2, 128, 64)])
def test_transposed_copy(
    host: host_emulation.HostTarget, kernels: assign.AssignKernels, order: str, shape: tuple
) -> None:
    host.order = order
    for dtype in (np.uint8, np.float16, np.float32, np.complex64, np.complex128):
        count = int(np.prod(shape))
        source = np.arange(count).astype(dtype).reshape(*shape[:-2], shape[-1], shape[-2])
        copied = np.empty(shape, dtype)
        kernels.assign('assign', copied, source.swapaxes(-1, -2))
        assert np.array_equal(copied, source.swapaxes(-1, -2))


def test_integers_wrap(kernels: assign.AssignKernels) -> None:
    for dtype in ('int8', 'uint16', 'int32', 'int64', 'uint64'):
        most = np.iinfo(dtype).max
        a = np.full(40, most, dtype)
        kernels.assign('assign_mul', a, a)
        assert (a == np.full(40, most, dtype) * np.full(40, most, dtype)).all()


def test_overlapping_operands_are_as_if_copied(kernels: assign.AssignKernels) -> None:
    memory = np.arange(100, dtype=np.float32)
    expected = memory.copy()
    expected[1:] += expected[:-1].copy()
    kernels.assign('assign_add', memory[1:], memory[:-1])
    assert np.array_equal(memory, expected)
    expected = memory[::-1].copy()
    kernels.assign('assign', memory, memory[::-1])
    assert np.array_equal(memory, expected)


def test_operands_alike_take_the_short_way_where_they_may(
    kernels: assign.AssignKernels, monkeypatch: pytest.MonkeyPatch
) -> None:
    memory = np.zeros(200, np.float32)
    start = -memory.ctypes.data % 16 // 4
    asked: list[int] = []
    general = kernels.assign

    def note(op: str, to: np.ndarray, operand: np.ndarray, unchecked: bool = False) -> None:
        # An operand that overlaps comes again, as a copy.
        if operand.base is memory:
            asked.append((operand.ctypes.data - to.ctypes.data) // 4)
        general(op, to, operand, unchecked)

    monkeypatch.setattr(kernels, 'assign', note)
    # The first one prepares. Then: the same, itself, misaligned, overlapping, behind, ahead.
    for distance in (100, 100, 0, 101, 4, -4, 32, -32):
        memory[:] = np.arange(200)
        begin = start + 40
        destination = memory[begin : begin + 32]
        operand = memory[begin + distance : begin + distance + 32]
        expected = destination + operand
        kernels.assign_like('assign_add', destination, operand)
        assert np.array_equal(destination, expected), distance
    assert asked == [100, 101, 4, -4]
    # Strides that are alike, others than before, and no elements.
    square = np.arange(32, dtype=np.float32).reshape(4, 8).T
    for destination, operand in (
        (np.ones((8, 4), np.float32), np.ones((8, 4), np.float32)),
        (square.copy('K'), square),
        (np.ones((8, 4), np.float32), square),
    ):
        expected = destination + operand
        kernels.assign_like('assign_add', destination, operand)
        assert np.array_equal(destination, expected)
    empty = np.zeros((0, 4), np.float32)
    for _ in range(2):
        kernels.assign_like('assign', empty, empty)


def test_one_element_of_the_destination_as_operand(kernels: assign.AssignKernels) -> None:
    memory = np.arange(1, 20, dtype=np.int32)
    kernels.assign('assign_mul', memory, memory[3:4])
    assert np.array_equal(memory, np.arange(1, 20) * 4)


def test_scalars_are_computed_with_in_their_own_precision(kernels: assign.AssignKernels) -> None:
    half = np.full(9, 1.0, np.float16)
    kernels.assign('assign_mul', half, np.float32(1.0004))
    assert np.array_equal(half, np.full(9, np.float16(np.float32(1.0004))))
    kernels.assign('assign_add', half[::2], np.int8(3))
    assert half[0] == np.float16(np.float32(1.0) + 3)


@pytest.mark.parametrize('count', [0, 1])
def test_shapes_that_do_not_broadcast(kernels: assign.AssignKernels, count: int) -> None:
    destination = np.zeros((count, 3), np.float32)
    with pytest.raises(errors.InvalidArgumentError, match=r'\[assign_add\] .*must broadcast'):
        kernels.assign('assign_add', destination, np.zeros(2, np.float32))
    with pytest.raises(errors.InvalidArgumentError, match='must broadcast'):
        kernels.assign('assign_add', destination, np.zeros((2, count, 3), np.float32))


def test_dtypes_that_do_not_go_together(kernels: assign.AssignKernels) -> None:
    integers = np.zeros(3, np.int32)
    with pytest.raises(errors.InvalidTypeError, match='cast the source first'):
        kernels.assign('assign', integers, np.zeros(3, np.float32))
    with pytest.raises(errors.InvalidTypeError, match='the result would be float64'):
        kernels.assign('assign_add', integers, np.zeros(3, np.float32))
    with pytest.raises(errors.InvalidTypeError, match='a destination of bool; allowed are'):
        kernels.assign('assign_add', np.zeros(3, bool), np.zeros(3, bool))
    with pytest.raises(errors.InvalidTypeError, match='a destination of complex64'):
        kernels.assign('assign_max', np.zeros(3, np.complex64), np.zeros(3, np.complex64))
    with pytest.raises(errors.InvalidTypeError, match='the kernels know'):
        kernels.assign('assign', np.zeros(3, 'datetime64[s]'), np.zeros(3, 'datetime64[s]'))


def test_a_destination_whose_elements_share_memory(kernels: assign.AssignKernels) -> None:
    shared = np.lib.stride_tricks.as_strided(np.zeros(3, np.float32), (2, 3), (0, 4))
    with pytest.raises(errors.InvalidArgumentError, match='share memory'):
        kernels.assign('assign_add', shared, np.ones(3, np.float32))


def test_more_dimensions_than_a_kernel_takes(kernels: assign.AssignKernels) -> None:
    shape = (2, 3) * 5
    destination = np.zeros(shape, np.float32)
    source = np.arange(2**5, dtype=np.float32).reshape((2, 1) * 5)
    kernels.assign('assign_add', destination, source)
    assert np.array_equal(destination, np.broadcast_to(source, shape))
    kernels.assign('assign_mul', destination[..., ::2], np.float32(2))
    assert np.array_equal(destination[..., ::2], 2 * np.broadcast_to(source, shape)[..., ::2])


def test_plans_do_not_pile_up(
    kernels: assign.AssignKernels, monkeypatch: pytest.MonkeyPatch
) -> None:
    few = functools.partial(remembered.remember, most=3)
    monkeypatch.setattr(remembered, 'remember', few)
    for count in range(1, 9):
        ones = np.zeros(count, np.float32)
        kernels.fill(ones, np.float32(1))
        assert ones.all()
        assert len(kernels._plans) <= 3
