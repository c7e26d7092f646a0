"""The emulation runs barriers, shuffles and atomics as a GPU does, and reports misuse."""

import pathlib
from typing import Any

import numpy as np
import pytest

from tensorvar import errors
from tensorvar._cuda import arguments, cache, host_emulation, launch, source
from tests.support import built_beside

ORDERS = ('forward', 'reverse', 'random')
KERNELS = {
    'block_sum': ('(const float* v, float* s, tv::u64 n)', 'block_sum(v, s, n)', 3),
    'rotate': ('(tv::u32* v)', 'rotate<true>(v)', 1),
    'rotate_too_early': ('(tv::u32* v)', 'rotate<false>(v)', 1),
    'broadcast_lane': ('(tv::u32* v, tv::u64 lane)', 'broadcast_lane(v, lane)', 2),
    'reverse_warp': ('(tv::u32* v)', 'reverse_warp(v)', 1),
    'atomics': ('(tv::u64* r)', 'atomics(r)', 1),
    'last_writer': ('(tv::u64* r)', 'last_writer(r)', 1),
    'half_waits': ('(tv::u64)', 'half_waits()', 1),
    'different_barriers': ('(tv::u64)', 'different_barriers()', 1),
    'last_dynamic': ('(tv::u8* r, tv::u64 size)', 'last_dynamic(r, size)', 2),
    'read_unwritten': ('(tv::u32* r)', 'read_unwritten(r)', 1),
}
EXPORTS = {
    name: source.Export('emulation.cu', 'TV_EMULATION', name, (parameters, call))
    for name, (parameters, call, _) in KERNELS.items()
}


@pytest.fixture(scope='module')
def target(
    kernel_cache: cache.Cache, tmp_path_factory: pytest.TempPathFactory
) -> host_emulation.HostTarget:
    folder = tmp_path_factory.mktemp('emulation') / 'kernels'
    return built_beside.target(kernel_cache, folder, 'emulation.cu', EXPORTS.values())


def run(
    target: host_emulation.HostTarget, name: str, blocks: int, threads: int, *values: Any
) -> None:
    signature = arguments.Signature(*[arguments.POINTER] * KERNELS[name][2])
    addresses = [getattr(value, 'ctypes', value) for value in values]
    bound = target.kernel(EXPORTS[name], signature).bind(launch.Grid(blocks, threads))
    bound(0, *[getattr(each, 'data', each) for each in addresses])


@pytest.mark.parametrize('threads', [32, 64, 200, 256])
def test_shuffles_and_shared_memory_add_up(
    ordered: host_emulation.HostTarget, threads: int
) -> None:
    values = np.arange(10_000, dtype=np.float32) % 7
    total = np.zeros(1, np.float32)
    run(ordered, 'block_sum', 3, threads - threads % 32, values, total, values.size)
    assert total[0] == values.sum()


def test_a_barrier_orders_the_threads(ordered: host_emulation.HostTarget) -> None:
    values = np.arange(256, dtype=np.uint32)
    run(ordered, 'rotate', 1, 256, values)
    assert np.array_equal(values, (np.arange(256) + 1) % 256)


def pieces_of_memory() -> int:
    return len(pathlib.Path('/proc/self/maps').read_text().splitlines())


def test_libraries_share_the_stacks_of_threads(
    target: host_emulation.HostTarget, kernel_cache: cache.Cache, tmp_path: pathlib.Path
) -> None:
    values = np.arange(256, dtype=np.uint32)
    run(target, 'rotate', 1, 256, values)
    folder = tmp_path / 'kernels'
    other = built_beside.target(kernel_cache, folder, 'emulation.cu', [EXPORTS['rotate']])
    before = pieces_of_memory()
    run(other, 'rotate', 1, 256, values)
    assert pieces_of_memory() < before + 256


def test_a_missing_barrier_reads_poison(ordered: host_emulation.HostTarget) -> None:
    values = np.arange(256, dtype=np.uint32)
    run(ordered, 'rotate_too_early', 1, 256, values)
    assert (values == 0xCDCDCDCD).any()


def test_lanes_hand_values_to_their_warp(ordered: host_emulation.HostTarget) -> None:
    values = np.arange(128, dtype=np.uint32)
    run(ordered, 'broadcast_lane', 2, 64, values, 5)
    assert np.array_equal(values, np.arange(128) // 32 * 32 + 5)
    values = np.arange(64, dtype=np.uint32)
    run(ordered, 'reverse_warp', 1, 64, values)
    assert np.array_equal(values, np.arange(64) ^ 31)


def test_atomics(ordered: host_emulation.HostTarget) -> None:
    results = np.array([0, 0, 2**40, 0, 0], np.uint64)
    run(ordered, 'atomics', 4, 64, results)
    assert list(results[:3]) == [255 * 128, 255, 0]
    assert results[3] < 256
    assert 1 <= results[4] <= 256


def test_the_order_is_what_was_asked_for(target: host_emulation.HostTarget) -> None:
    last = {}
    for order in ORDERS:
        target.order = order
        result = np.zeros(1, np.uint64)
        run(target, 'last_writer', 5, 64, result)
        last[order] = int(result[0])
    assert last['forward'] == 319
    assert last['reverse'] == 0
    assert last['random'] not in (0, 319)


def test_another_seed_is_another_random_order(target: host_emulation.HostTarget) -> None:
    target.order = 'random'
    results = set()
    for seed in range(1, 6):
        target.seed = seed * 7919
        result = np.zeros(1, np.uint64)
        run(target, 'last_writer', 5, 64, result)
        results.add(int(result[0]))
    target.seed = 1
    assert len(results) > 1


def test_a_deadlock_is_an_error(ordered: host_emulation.HostTarget) -> None:
    with pytest.raises(errors.InternalError, match='half_waits on 2 blocks.*deadlock'):
        run(ordered, 'half_waits', 2, 64, 0)


def test_different_barriers_are_an_error(ordered: host_emulation.HostTarget) -> None:
    with pytest.raises(errors.InternalError, match='different __syncthreads'):
        run(ordered, 'different_barriers', 1, 64, 0)
    values = np.arange(256, dtype=np.uint32)
    run(ordered, 'rotate', 1, 256, values)
    assert values[255] == 0


def test_shared_memory_is_poisoned_for_each_block(ordered: host_emulation.HostTarget) -> None:
    results = np.zeros(3, np.uint32)
    run(ordered, 'read_unwritten', 3, 1, results)
    assert list(results) == [0xCDCDCDCD] * 3


@pytest.mark.parametrize('size', [1, 1024, 50_000, 3])
def test_dynamic_shared_memory_is_as_large_as_the_launch_says(
    ordered: host_emulation.HostTarget, size: int
) -> None:
    results = np.zeros((3, 2), np.uint8)
    signature = arguments.Signature(*[arguments.POINTER] * 2)
    kernel = ordered.kernel(EXPORTS['last_dynamic'], signature)
    kernel.bind(launch.Grid(3, 1, shared=size))(0, results.ctypes.data, size)
    assert np.array_equal(results, [[0xCD, 0], [0xCD, 1], [0xCD, 2]])


def test_arguments_of_a_wrong_layout_are_refused(target: host_emulation.HostTarget) -> None:
    with pytest.raises(errors.InternalError, match='would be packed for the parameters'):
        target.kernel(EXPORTS['block_sum'], arguments.Signature(arguments.POINTER))
