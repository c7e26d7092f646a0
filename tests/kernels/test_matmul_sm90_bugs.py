"""Bugs that are planted in kernels/matmul_sm90.cu show on the CPU; the kernel itself is clean."""

import pathlib
import re
from typing import NamedTuple

import numpy as np
import pytest

from tensorvar import errors
from tensorvar._cuda import cache, host_emulation, sm90_tiles, source
from tests.support import planted_bugs, sm90_cases
from tests.support.sm90_cases import Case, Kind

ORDERS: tuple[host_emulation.Order, ...] = ('forward', 'reverse', 'random')
FILE = 'matmul_sm90.cu'
ALONE = Kind('bfloat16', 'bfloat16', 'nn', sm90_tiles.Tile(128, 128))
CLUSTER = Kind('bfloat16', 'bfloat16', 'nn', sm90_tiles.Tile(128, 128, 2))
TF32 = Kind('float32', 'float32', 'nn', sm90_tiles.Tile(64, 64))

pytestmark = pytest.mark.skipif(
    host_emulation.compiler() is None, reason='g++ is not installed; it runs the kernels'
)


class Bug(NamedTuple):
    """A change to the kernel and how it must show.

    Attributes:
        right: the text that is changed.
        wrong: what it becomes.
        shows: a pattern in the error of every order that finds it.
        orders: how many orders must find it, at least.
        kind: of kernel that has it.
    """

    right: str
    wrong: str
    shows: str
    orders: int = 3
    kind: Kind = ALONE


BUGS = {
    'the producer starts in the wrong phase': Bug(
        'Turn turn = {0, 1};', 'Turn turn = {0, 0};', 'deadlock',
    ),
    'a barrier for too many': Bug(
        'barrier_init(full + i, 1)', 'barrier_init(full + i, 2)', 'deadlock',
    ),
    'too few bytes are announced': Bug(
        'P::A_BYTES + P::B_BYTES);', 'P::A_BYTES);', 'deadlock|error|under way',
    ),
    'a wrong leading offset': Bug(
        'LEADING = P::SLAB * TILE_ROW_BYTES;', 'LEADING = P::SLAB * 16;', 'error',
    ),
    'C is not swizzled': Bug(
        'swizzled(first + lane % 16, i * 16 + lane / 16 * 16)',
        '(first + lane % 16) * 128 + i * 16 + lane / 16 * 16', 'error',
    ),
    'a slot is given back too soon': Bug(
        'if (slab) give_back<P>(empty + before);',
        'if (slab + 1 < slabs) give_back<P>(empty + turn.slot);', 'error', 1,
    ),
    'no barrier before C is stored': Bug(
        'fence_async();\n    named_barrier(barrier, WARPGROUP);', 'fence_async();',
        'error|without fence', 2,
    ),
    'no barrier before C is filled': Bug(
        'wait_stores_read<PIECES_IN_FLIGHT - 1>();\n    named_barrier(barrier, WARPGROUP);',
        'wait_stores_read<PIECES_IN_FLIGHT - 1>();', 'error|deadlock', 1,
    ),
    'no fence before C is stored': Bug(
        'fence_async();', '', 'without fence.proxy.async',
    ),
    'no fence before the products': Bug(
        'wgmma_fence();', '', 'without wgmma.fence',
    ),
    'a piece is filled while it is stored': Bug(
        'wait_stores_read<PIECES_IN_FLIGHT - 1>()', 'wait_stores_read<PIECES_IN_FLIGHT>()',
        'error', 2,
    ),
    'the block does not wait for its stores': Bug(
        'wait_stores_read<0>()', '(void)0', 'before its stores had read',
    ),
    'the results are taken too soon': Bug(
        'wgmma_wait<0>();\n    give_back<P>(empty + before);', 'give_back<P>(empty + before);',
        'error',
    ),
    'nobody waits for the bytes': Bug(
        'barrier_wait(full + turn.slot, turn.parity);', '', 'error|without fence', 2,
    ),
    'the lower block brings the same half': Bug(
        'P::B_BYTES + share * TILE_ROW_BYTES', 'P::B_BYTES', 'error', 3, CLUSTER,
    ),
    'only one block gives a slot back': Bug(
        'if (lane < P::CLUSTER) barrier_arrive_at(empty, lane);',
        'if (lane < P::CLUSTER) barrier_arrive(empty);', 'error|deadlock', 1, CLUSTER,
    ),
    'a block ends before the other': Bug(
        'for (int i = 0; i < P::STAGES; ++i) {\n      barrier_wait',
        'for (int i = 0; i < 0; ++i) {\n      barrier_wait', 'has ended', 1, CLUSTER,
    ),
    'registers are filled while they are read': Bug(
        'wgmma_commit();\n  wgmma_wait<0>();', 'wgmma_commit();\n  wgmma_wait<1>();', 'error', 3,
        TF32,
    ),
    'A is cut off and not rounded': Bug(
        'round_tf32(*reinterpret_cast<const float*>(a + offset))',
        '*reinterpret_cast<const u32*>(a + offset)', 'error', 3, TF32,
    ),
}  # fmt: skip
# One of each kind; the others say the same again.
OFTEN = (
    'the producer starts in the wrong phase', 'a barrier for too many',
    'too few bytes are announced', 'a wrong leading offset', 'C is not swizzled',
    'a slot is given back too soon', 'no barrier before C is stored',
    'no fence before C is stored', 'the lower block brings the same half',
    'registers are filled while they are read',
)  # fmt: skip


@pytest.mark.parametrize('name', planted_bugs.names(BUGS, OFTEN))
def test_a_planted_bug_is_caught(
    name: str, tmp_path: pathlib.Path, kernel_cache: cache.Cache, monkeypatch: pytest.MonkeyPatch
) -> None:
    bug = BUGS[name]
    folder = planted_bugs.plant(FILE, bug.right, bug.wrong, tmp_path / 'kernels')
    monkeypatch.setenv(source.FOLDER_VARIABLE, str(folder))
    target = host_emulation.HostTarget(kernel_cache)
    kernels = sm90_cases.kernels_for(target, bug.kind)
    product = sm90_cases.Product(Case(bug.kind, (300, 300, 500)), np.random.default_rng(0))
    found = {}
    for target.order in ORDERS:
        try:
            product.run(kernels)
            product.check(target.order)
        except (AssertionError, errors.InternalError) as error:
            found[target.order] = str(error)
    assert len(found) >= bug.orders, f'found in the orders {list(found)} only'
    for order, error in found.items():
        assert re.search(bug.shows, error), f'{order}: {error}'


def test_the_kernel_is_clean(kernel_cache: cache.Cache) -> None:
    """No access beside an operand, no undefined behaviour."""
    done = planted_bugs.guard('sm90_guard', kernel_cache.folder)
    assert done.returncode == 0, done.stderr
