"""The emulation of Hopper's instructions does what they do, and reports misuse."""

from typing import Any

import numpy as np
import pytest

from tensorvar import errors
from tensorvar._cuda import arguments, cache, host_emulation, launch, source, tensor_map
from tests.support import built_beside

MAP = arguments.by_value(128, 128)
NUMBER = arguments.COUNT
KERNELS: dict[str, tuple[str, str, tuple[arguments.Parameter, ...]]] = {
    'bring': (
        '(tv::TensorMap m, tv::u8* o, tv::u64 b, tv::u64 x, tv::u64 y, tv::u64 z, tv::u64 w)',
        'bring(m, o, b, x, y, z, w, shared)', (MAP, *[NUMBER] * 6),
    ),
    'send': (
        '(tv::TensorMap m, tv::u64 x, tv::u64 y, tv::u64 z, tv::u64 f, tv::u64 w)',
        'send(m, x, y, z, f, w, shared)', (MAP, *[NUMBER] * 5),
    ),
    'share': (
        '(tv::TensorMap m, tv::u8* o, tv::u64 r)', 'share(m, o, r, shared)',
        (MAP, NUMBER, NUMBER),
    ),
    'take_turns': (
        '(tv::u32* o, tv::u64 t)', 'take_turns(o, t, shared)', (NUMBER, NUMBER)
    ),
    'matrices': ('(tv::u16* o)', 'matrices(o, shared)', (NUMBER,)),
    'halves': ('(tv::u32* o, tv::u64 t)', 'halves(o, t, shared)', (NUMBER, NUMBER)),
    'too_many_arrivals': ('(tv::u64)', 'too_many_arrivals(shared)', (NUMBER,)),
    'never_arrives': ('(tv::u64)', 'never_arrives(shared)', (NUMBER,)),
    'reaches_an_ended_block': ('(tv::u64)', 'reaches_an_ended_block(shared)', (NUMBER,)),
    'multiplies': ('(float* o)', 'multiplies(o, 1, 1, shared)', (NUMBER,)),
    'no_fence': ('(float* o)', 'multiplies(o, 0, 1, shared)', (NUMBER,)),
    'no_swizzle': ('(float* o)', 'multiplies(o, 1, 0, shared)', (NUMBER,)),
}  # fmt: skip
EXPORTS = {
    name: source.Export('hopper.cu', 'TV_HOPPER', name, (parameters, call))
    for name, (parameters, call, _) in KERNELS.items()
}


@pytest.fixture(scope='module')
def target(
    kernel_cache: cache.Cache, tmp_path_factory: pytest.TempPathFactory
) -> host_emulation.HostTarget:
    folder = tmp_path_factory.mktemp('hopper') / 'kernels'
    return built_beside.target(kernel_cache, folder, 'hopper.cu', EXPORTS.values())


def run(target: host_emulation.HostTarget, name: str, grid: launch.Grid, *values: Any) -> None:
    kernel = target.kernel(EXPORTS[name], arguments.Signature(*KERNELS[name][2]))
    addresses = [each.ctypes.data if isinstance(each, np.ndarray) else each for each in values]
    kernel.bind(grid)(0, *addresses)


def swizzled(rows: np.ndarray) -> np.ndarray:
    """Rows of 128 bytes as they lie in shared memory."""
    chunks = rows.view(np.uint8).reshape(-1, 8, 16)
    number = np.arange(len(chunks))[:, None] % 8
    return np.take_along_axis(chunks, (np.arange(8) ^ number)[:, :, None], 1).reshape(-1)


def matrices(dtype: str = 'f4') -> tuple[np.ndarray, tensor_map.Tiled]:
    """Three matrices of 20 x 40 in rows of 48 elements, with a box of 128 bytes x 16."""
    stored = np.arange(3 * 20 * 48, dtype=dtype).reshape(3, 20, 48)
    size = stored.itemsize
    tiled = tensor_map.Tiled(
        stored.dtype, stored.ctypes.data, (40, 20, 3), (48 * size, 960 * size), (128 // size, 16)
    )
    return stored, tiled


@pytest.mark.parametrize('dtype', ['f4', 'f2'])
@pytest.mark.parametrize('place', [(0, 0, 0), (8, 4, 2), (16, 10, 1), (40, 0, 0), (0, 20, 1)])
def test_a_box_is_brought_swizzled_with_zeros_outside(
    ordered: host_emulation.HostTarget, place: tuple[int, int, int], dtype: str
) -> None:
    stored, tiled = matrices(dtype)
    out = np.zeros(2048, np.uint8)
    run(
        ordered, 'bring', launch.Grid(1, 64, shared=4104), ordered.tensor_map(tiled), out, 2048,
        *place, 1,
    )  # fmt: skip
    x, y, z = place
    wanted = np.zeros((16, tiled.box[0]), dtype)
    inside = stored[z, y : y + 16, x : min(x + tiled.box[0], 40)]
    wanted[: len(inside), : inside.shape[1]] = inside
    assert np.array_equal(out, swizzled(wanted))


def test_who_does_not_wait_may_read_too_early(target: host_emulation.HostTarget) -> None:
    _, tiled = matrices()
    for order, early in (('forward', False), ('reverse', True)):
        target.order = order
        out = np.zeros(2048, np.uint8)
        grid = launch.Grid(1, 64, shared=4104)
        run(target, 'bring', grid, target.tensor_map(tiled), out, 2048, 0, 0, 0, 0)
        assert (out == 0xCD).all() == early


@pytest.mark.parametrize('nbytes', [2032, 2064])
def test_a_wrong_number_of_bytes_is_a_deadlock(
    ordered: host_emulation.HostTarget, nbytes: int
) -> None:
    _, tiled = matrices()
    out = np.zeros(4096, np.uint8)
    with pytest.raises(errors.InternalError, match='deadlock'):
        grid = launch.Grid(1, 64, shared=4104)
        run(ordered, 'bring', grid, ordered.tensor_map(tiled), out, nbytes, 0, 0, 0, 1)


@pytest.mark.parametrize('place', [(0, 0, 0), (24, 10, 2), (32, 16, 1)])
def test_a_box_is_stored_but_for_what_is_outside(
    ordered: host_emulation.HostTarget, place: tuple[int, int, int]
) -> None:
    stored, tiled = matrices()
    expected = stored.copy()
    x, y, z = place
    inside = expected[z, y : min(y + 16, 20), x : min(x + 32, 40)]
    inside[...] = np.arange(512).reshape(16, 32)[: inside.shape[0], : inside.shape[1]]
    grid = launch.Grid(1, 16, shared=2048)
    run(ordered, 'send', grid, ordered.tensor_map(tiled), *place, 1, 1)
    assert np.array_equal(stored, expected)


def test_a_store_needs_a_fence_and_memory_that_outlives_it(
    ordered: host_emulation.HostTarget,
) -> None:
    _, tiled = matrices()
    grid = launch.Grid(1, 16, shared=2048)
    with pytest.raises(errors.InternalError, match='without fence.proxy.async'):
        run(ordered, 'send', grid, ordered.tensor_map(tiled), 0, 0, 0, 0, 1)
    with pytest.raises(errors.InternalError, match='before its stores had read'):
        run(ordered, 'send', grid, ordered.tensor_map(tiled), 0, 0, 0, 1, 0)


def test_a_cluster_brings_boxes_for_all_of_its_blocks(ordered: host_emulation.HostTarget) -> None:
    stored, tiled = matrices()
    tiled = tiled._replace(box=(32, 8))
    out = np.zeros((4, 16 * 128), np.uint8)
    grid = launch.Grid(4, 64, shared=4104, cluster=2)
    run(ordered, 'share', grid, ordered.tensor_map(tiled), out, 8)
    for block in out:
        assert np.array_equal(block, swizzled(np.ascontiguousarray(stored[0, :16, :32])))


def test_phases_alternate(ordered: host_emulation.HostTarget) -> None:
    out = np.zeros((7, 32), np.uint32)
    run(ordered, 'take_turns', launch.Grid(1, 64, shared=1024), out, 7)
    assert np.array_equal(out, np.arange(7)[:, None] * 100 + np.arange(31, -1, -1))


def test_matrices_are_stored_by_rows(ordered: host_emulation.HostTarget) -> None:
    out = np.zeros((16, 16), np.uint16)
    run(ordered, 'matrices', launch.Grid(1, 32, shared=1024), out)
    # Matrix i is at rows 8 (i % 2) and columns 8 (i / 2); the low half of a word holds 4 lane
    # + i, the high half 0.
    for i in range(4):
        part = out[i % 2 * 8 :, i // 2 * 8 :][:8, :8]
        assert np.array_equal(part[:, ::2], np.arange(32).reshape(8, 4) * 4 + i)
        assert not part[:, 1::2].any()


def test_named_barriers_are_for_those_who_name_them(ordered: host_emulation.HostTarget) -> None:
    out = np.zeros(128, np.uint32)
    run(ordered, 'halves', launch.Grid(1, 128, shared=1024), out, 5)
    assert list(out) == [4] * 64 + [9] * 64


@pytest.mark.parametrize(
    ('name', 'says'),
    [
        ('too_many_arrivals', 'more arrivals at a barrier'),
        ('never_arrives', 'deadlock'),
        ('no_fence', 'without wgmma.fence'),
        ('no_swizzle', 'without the swizzle of 128 bytes'),
    ],
)
def test_misuse_is_an_error(ordered: host_emulation.HostTarget, name: str, says: str) -> None:
    out = np.zeros(256, np.float32)
    with pytest.raises(errors.InternalError, match=says):
        run(ordered, name, launch.Grid(1, 128, shared=65536), out)


def test_an_ended_block_is_out_of_reach(ordered: host_emulation.HostTarget) -> None:
    with pytest.raises(errors.InternalError, match='a block that has ended is reached'):
        run(ordered, 'reaches_an_ended_block', launch.Grid(2, 32, shared=1024, cluster=2), 0)


def test_a_grid_is_made_of_whole_clusters(target: host_emulation.HostTarget) -> None:
    with pytest.raises(errors.InternalError, match='no multiple of the cluster'):
        run(target, 'never_arrives', launch.Grid(3, 32, shared=1024, cluster=2), 0)


def test_a_product_of_unwritten_memory_shows(target: host_emulation.HostTarget) -> None:
    target.order = 'forward'
    out = np.zeros(128, np.float32)
    run(target, 'multiplies', launch.Grid(1, 128, shared=65536), out)
    poison = np.frombuffer(b'\xcd\xcd', np.float16)[0].astype(np.float32)
    assert np.allclose(out, 16 * poison * poison)
