"""Which kernels the operations launch, what they report, and when they leave it."""

import logging
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import tensorvar as tv
from tensorvar._core import device_kernels, index_reports
from tensorvar._device import determinism
from tests.support import devices, emulated_kernels

Target = emulated_kernels.EmulatedTarget

ROWS = np.arange(12, dtype=np.float32).reshape(4, 3)
OUTSIDE = tv.errors.InvalidIndexError


@pytest.fixture
def gpu(kernel_target: Target, simulated_gpus: list[str]) -> Target:
    """What GPU:0, the default device, launches with."""
    return kernel_target


@pytest.fixture
def deterministic() -> Any:
    tv.config.experimental.enable_op_determinism()
    yield
    determinism.set_enabled(False)


def on_card(indices: Any) -> tv.Tensor:
    """Indices that come from the card, which the host cannot check ahead."""
    return tv.constant(indices) + 0


def rows(indices: Any, values: Any = 1.0) -> tv.IndexedSlices:
    return tv.IndexedSlices(values, indices)


# What is launched.


@pytest.mark.parametrize(
    ('write', 'kernel'),
    [
        (lambda v: v.assign(tv.constant(ROWS)), 'assign_contiguous_b4'),
        (lambda v: v.assign(ROWS), 'assign_contiguous_b4'),
        (lambda v: v.assign_add(tv.constant(ROWS)), 'assign_add_contiguous_f32'),
        (lambda v: v.assign_sub(ROWS), 'assign_sub_contiguous_f32'),
        (lambda v: v.assign_add(tv.transpose(tv.constant(ROWS.T))), 'assign_add_'),
        (lambda v: v[1:, ::2].assign([1.0, 2.0]), 'assign_strided_b4'),
        (lambda v: v[2].assign(1.0), 'assign_single_b4'),
        (lambda v: v.scatter_add(rows([1, 1])), 'scatter_add_atomic_f32'),
        (lambda v: v.scatter_min(rows([1])), 'scatter_min_atomic_f32'),
        (lambda v: v.scatter_update(rows([1, 1])), 'scatter_update_b'),
        (lambda v: v.scatter_mul(rows([1, 1])), 'scatter_mul_fold_f32'),
        (lambda v: v.scatter_div(rows([1, 1])), 'scatter_div_fold_f32'),
        (lambda v: v.scatter_nd_sub([[1, 2], [1, 2]], [1.0, 1.0]), 'scatter_sub_atomic_f32'),
        (lambda v: tv.gather(v, [2, 0]), 'gather_rows_'),
        (lambda v: tv.gather(v, 2), 'gather_rows_'),
        (lambda v: v.sparse_read([2, 0]), 'gather_rows_'),
        (lambda v: tv.gather(v, [2, 0], axis=1), 'gather_rows_'),
        (lambda v: tv.gather_nd(v, [[2, 0]]), 'gather_rows_'),
        (lambda v: v.gather_nd([[2]]), 'gather_rows_'),
        (lambda v: tv.tensor_scatter_nd_add(v, [[1], [1]], tv.ones([2, 3])), 'scatter_add_atomic_'),
        (lambda v: tv.tensor_scatter_nd_sub(v, [[1, 2]], [1.0]), 'scatter_sub_atomic_f32'),
        (lambda v: tv.tensor_scatter_nd_min(v, [[1, 2]], [1.0]), 'scatter_min_atomic_f32'),
        (lambda v: tv.tensor_scatter_nd_update(v, [[1], [1]], ROWS[:2]), 'scatter_update_b'),
    ],
)
def test_what_is_launched(gpu: Target, write: Callable[[Any], Any], kernel: str) -> None:
    v = tv.Variable(ROWS)
    write(v)
    write(v)
    assert gpu.count(kernel) == 2, gpu.launched


@pytest.mark.parametrize('dtype', [tv.bfloat16, tv.bool, tv.uint8, tv.complex64])
def test_other_dtypes(gpu: Target, dtype: tv.DType) -> None:
    v = tv.Variable(np.ones((3, 2)), dtype=dtype)
    v.assign(tv.cast([[0, 1]] * 3, dtype))
    v.scatter_update(rows([1, 1], tv.cast([[1, 1], [1, 0]], dtype)))
    if dtype is not tv.bool:
        v.assign_add(tv.ones([3, 2], dtype))
        v.scatter_add(rows([0, 0], tv.ones([2, 2], dtype)))
        assert gpu.count('assign_add') == gpu.count('scatter_add') == 1
    host = tv.gather(v, [0, 1]).numpy().astype(np.complex64).real.astype(int)
    assert host.tolist() == ([[0, 1], [1, 0]] if dtype is tv.bool else [[3, 4], [2, 1]])
    assert gpu.count('gather') == 1


def test_a_write_like_the_variable_takes_one_launch_and_no_memory(gpu: Target) -> None:
    v, delta = tv.Variable(ROWS), tv.constant(ROWS)
    v.assign_add(delta)
    tv.config.reset_memory_stats('GPU:0')
    before = tv.config.get_memory_info('GPU:0')
    version = v.version
    assert v.assign_add(delta) is v
    assert tv.config.get_memory_info('GPU:0') == before
    assert sum(gpu.launched.values()) == 2
    assert v.version == version + 1
    np.testing.assert_array_equal(v.numpy(), ROWS * 3)


def test_a_held_buffer_is_left_alone(gpu: Target) -> None:
    v = tv.Variable(ROWS)
    before = v.value()
    v.scatter_add(rows([0, 0]))
    np.testing.assert_array_equal(before.numpy(), ROWS)
    assert v.numpy()[0].tolist() == [2.0, 3.0, 4.0]
    held = v.value()
    v.assign_add(tv.constant(ROWS))
    assert held.numpy()[0].tolist() == [2.0, 3.0, 4.0]
    assert v.numpy()[0].tolist() == [2.0, 4.0, 6.0]


def test_the_cpu_launches_nothing(gpu: Target) -> None:
    with tv.device('CPU:0'):
        v = tv.Variable(ROWS)
        v.assign_add(ROWS)
        v.scatter_add(rows([1, 1]))
        v[1:].assign(0.0)
        tv.gather(v, [0])
    assert not gpu.launched


def test_no_elements(gpu: Target) -> None:
    empty = tv.Variable(np.zeros((0, 3), np.float32))
    empty.assign_add(np.zeros((0, 3), np.float32))
    assert tv.gather(empty, np.zeros(0, np.int32)).shape == (0, 3)
    v = tv.Variable(ROWS)
    v.scatter_add(rows(np.zeros(0, np.int32), np.zeros((0, 3), np.float32)))
    v[4:].assign(1.0)
    np.testing.assert_array_equal(v.numpy(), ROWS)
    assert not gpu.launched


def test_a_replayed_function_launches(gpu: Target) -> None:
    v = tv.Variable(ROWS)

    @tv.function
    def step(indices: tv.Tensor) -> tv.Tensor:
        v.scatter_add(rows(indices))
        v.assign_sub(tv.ones([4, 3]))
        return tv.gather(v, indices)

    expected = ROWS.copy()
    for _ in range(3):
        expected[[1, 2]] += 1
        expected -= 1
        np.testing.assert_array_equal(step(tv.constant([1, 2])).numpy(), expected[[1, 2]])
    assert gpu.count('scatter_add') == gpu.count('gather') == gpu.count('assign_sub') == 3


@pytest.mark.parametrize('axis', [0, 1])
def test_gradients_of_gather(gpu: Target, axis: int) -> None:
    found = []
    for device in ('GPU:0', 'CPU:0'):
        with tv.device(device):
            v = tv.Variable(ROWS)
            with tv.GradientTape() as tape:
                picked = tv.gather(v, [2, 0, 2], axis=axis)
                loss = tv.reduce_sum(picked * picked)
            found.append(tv.convert_to_tensor(tape.gradient(loss, v)).numpy())
    np.testing.assert_array_equal(*found)
    assert gpu.count('gather') == 1
    assert gpu.count('scatter_add') == 1


def test_gradients_of_gather_nd(gpu: Target) -> None:
    v = tv.Variable(ROWS)
    with tv.GradientTape() as tape:
        loss = tv.reduce_sum(tv.gather_nd(v, [[2, 0], [2, 0], [1, 1]]))
    expected = np.zeros_like(ROWS)
    expected[2, 0], expected[1, 1] = 2, 1
    np.testing.assert_array_equal(tape.gradient(loss, v).numpy(), expected)
    assert gpu.count('scatter_add') == 1


def test_sums_by_segment(gpu: Target) -> None:
    ids = on_card([1, 0, -1, 1])
    total = tv.math.unsorted_segment_sum(tv.constant(ROWS), ids, 3)
    np.testing.assert_array_equal(total.numpy(), [ROWS[1], ROWS[0] + ROWS[3], [0, 0, 0]])
    assert gpu.count('scatter_add') == 1
    total = tv.math.unsorted_segment_sum(tv.constant(ROWS), on_card([0, 3, 1, 9]), 3)
    with pytest.raises(OUTSIDE, match=r'segment_ids\[3\], used at .* is not below 3'):
        total.numpy()
    assert total.numpy()[:, 0].tolist() == [0.0, 6.0, 0.0]


# Indices out of range.


def test_indices_of_the_host_are_refused_before_a_launch(gpu: Target) -> None:
    v = tv.Variable(ROWS)
    with tv.device('CPU:0'):
        elsewhere = tv.constant([4])
    for read in (
        lambda: tv.gather(v, [4]),
        lambda: tv.gather(v, 4),
        lambda: tv.gather(v, elsewhere),
        lambda: tv.gather(v.value(), np.array([-1])),
        lambda: tv.gather(v, [[3]], axis=1),
        lambda: v.sparse_read([4]),
        lambda: v.gather_nd([[4]]),
        lambda: tv.gather_nd(v, [[0, 3]]),
        lambda: v.scatter_add(rows([4])),
        lambda: v.scatter_add(rows(elsewhere)),
        lambda: v.scatter_nd_add([[0, 3]], [1.0]),
    ):
        with pytest.raises(OUTSIDE, match=r'^\[\w+\] indices'):
            read()
    assert not gpu.launched
    np.testing.assert_array_equal(v.numpy(), ROWS)


@pytest.mark.parametrize('kind', ['update', 'add', 'sub', 'mul', 'div', 'min', 'max'])
@pytest.mark.parametrize('held', [False, True])
def test_a_bad_row_is_left_out_and_reported_later(gpu: Target, kind: str, held: bool) -> None:
    v = tv.Variable(ROWS)
    with tv.device('CPU:0'):
        mirror = tv.Variable(ROWS)
        getattr(mirror, f'scatter_{kind}')(rows([1, 2], 5.0))
    holder = v.value() if held else None
    getattr(v, f'scatter_{kind}')(rows(on_card([1, 7, -1, 2]), 5.0))
    op = f'ResourceScatter{kind.title()}'
    with pytest.raises(OUTSIDE, match=rf'^\[{op}\] indices\[[12]\], used at .*test_wiring.py:'):
        v.numpy()
    np.testing.assert_array_equal(v.numpy(), mirror.numpy())
    assert holder is None or holder.numpy().tolist() == ROWS.tolist()


def test_a_gathered_bad_row_is_zeros(gpu: Target) -> None:
    v = tv.Variable(ROWS + 1)
    picked = tv.gather(v, on_card([[0], [9]]))
    with pytest.raises(OUTSIDE, match=r'\[GatherV2\] indices\[1,0\], .* is not in \[0, 4\)'):
        picked.numpy()
    assert picked.numpy()[1, 0].tolist() == [0.0, 0.0, 0.0]
    across = tv.gather(v, on_card([3]), axis=1)
    with pytest.raises(OUTSIDE, match=r'indices, used at .* is not in \[0, 3\)'):
        across.numpy()
    pair = tv.gather_nd(v, on_card([[0, 1], [1, 3]]))
    with pytest.raises(OUTSIDE, match=r'indices\[1\], .* is not a place in shape \[4, 3\]'):
        pair.numpy()
    assert pair.numpy().tolist() == [2.0, 0.0]


def test_any_wait_for_the_device_reports_and_others_do_not(gpu: Target) -> None:
    v = tv.Variable(ROWS)
    with tv.device('GPU:1'):
        other = tv.constant(1.0)
    tv.gather(v, on_card([4]))
    assert other.numpy() == 1.0
    with pytest.raises(OUTSIDE):
        bool(tv.constant(True))
    tv.gather(v, on_card([4]))
    with pytest.raises(OUTSIDE):
        v._device.backend.synchronize()
    v._device.backend.synchronize()


def test_a_report_names_no_variable_that_is_written_later(gpu: Target) -> None:
    v = tv.Variable(ROWS)
    bad = on_card([9])
    v.scatter_add(rows(bad))
    with tv.device('CPU:0'):
        other = tv.Variable(1, name='other')
    with pytest.raises(OUTSIDE) as caught:
        other.assign(bad[0])
    assert 'other' not in str(caught.value)


def test_several_reports_come_as_one(gpu: Target) -> None:
    v = tv.Variable(ROWS)
    for _ in range(3):
        tv.gather(v, on_card([5]))
    tv.gather_nd(v, on_card([[5]]))
    with pytest.raises(OUTSIDE, match=r'^\[GatherV2\] indices\[0\].*; \[GatherNd\] indices\[0\]'):
        v.numpy()
    v.numpy()


def test_synchronous_ops_report_at_once(gpu: Target) -> None:
    v, bad = tv.Variable(ROWS), on_card([0, 4])
    tv.debugging.set_synchronous(True)
    try:
        with pytest.raises(OUTSIDE, match=r'\[GatherV2\] indices\[1\]'):
            tv.gather(v, bad)
        with pytest.raises(OUTSIDE, match=r'\[ResourceScatterAdd\] indices\[1\]'):
            v.scatter_add(rows(bad))
    finally:
        tv.debugging.set_synchronous(False)
    assert v.numpy()[0].tolist() == [1.0, 2.0, 3.0]


def test_a_replay_reports_the_line_of_the_call(gpu: Target) -> None:
    v = tv.Variable(ROWS)
    pick = tv.function(lambda indices: tv.gather(v, indices))
    pick(on_card([1]))
    picked = pick(on_card([4]))
    with pytest.raises(OUTSIDE, match=r'used at .*test_wiring.py:'):
        picked.numpy()


def test_more_kinds_of_launches_than_words(gpu: Target, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(index_reports, 'WORDS', 4)
    v = tv.Variable(ROWS)
    for length in range(1, 8):
        tv.gather(v, on_card([0] * length))
    picked = tv.gather(v, on_card([0] * 20 + [4]))
    with pytest.raises(OUTSIDE, match=r'indices\[20\]'):
        picked.numpy()


def test_slices_of_a_tensor_that_are_out_of_range(gpu: Target) -> None:
    tensor = tv.constant(ROWS)
    changed = tv.tensor_scatter_nd_add(tensor, on_card([[1], [4]]), tv.ones([2, 3]))
    with pytest.raises(OUTSIDE, match=r'^\[TensorScatterAdd\] indices\[1\], .* place in shape'):
        changed.numpy()
    expected = ROWS.copy()
    expected[1] += 1
    np.testing.assert_array_equal(changed.numpy(), expected)
    np.testing.assert_array_equal(tensor.numpy(), ROWS)


# Determinism.


def test_sums_are_sorted_where_results_must_be_the_same(gpu: Target, deterministic: None) -> None:
    v = tv.Variable(ROWS)
    v.scatter_add(rows([1, 1], np.ones((2, 3), np.float32)))
    counts = tv.Variable([1, 2, 3])
    counts.scatter_add(rows([1, 1], 1))
    assert gpu.count('scatter_add_fold_f32') == 1
    assert gpu.count('scatter_add_atomic_i32') == 1
    assert v.numpy()[1].tolist() == [5.0, 6.0, 7.0]
    assert counts.numpy().tolist() == [1, 4, 3]


def test_determinism_that_was_left_on_is_found(deterministic: None) -> None:
    assert devices.leaks() == ['op determinism is on']


# Without kernels.


def test_a_kernel_that_is_missing_leaves_the_op_to_array_code(
    gpu: Target, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(device_kernels, '_told', set())
    gpu.missing = 'assign_add'
    v, delta = tv.Variable(ROWS), tv.constant(ROWS)
    with caplog.at_level(logging.WARNING, 'tensorvar.kernels'):
        for _ in range(3):
            v.assign_add(delta)
    np.testing.assert_array_equal(v.numpy(), ROWS * 4)
    assert v.version == 3
    [line] = caplog.messages
    assert line.startswith('AssignAddVariableOp on GPU:0 runs without a kernel of its own')
    v.assign(delta)
    assert gpu.count('assign_contiguous') == 1


def test_a_transposed_table_is_left_to_array_code(gpu: Target) -> None:
    turned = tv.transpose(tv.constant(ROWS))
    assert not turned._array.flags.c_contiguous
    np.testing.assert_array_equal(tv.gather(turned, [1]).numpy(), ROWS.T[[1]])
    assert not gpu.count('gather')


def test_nothing_is_divided_by_zero(gpu: Target) -> None:
    v = tv.Variable([1.0, 2.0])
    for nowhere in (tv.constant([], tv.int32), on_card(np.zeros(0, np.int32))):
        v.scatter_div(rows(nowhere, tv.constant(0.0)))
    assert v.numpy().tolist() == [1.0, 2.0]
