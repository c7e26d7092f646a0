"""The table of many tensors: what memory they share, and who does what."""

import itertools

import numpy as np
import pytest

from tensorvar._cuda import arguments, select, tensor_table
from tests.support import kernel_cases

Span = tensor_table.Span


def share(a: Span, b: Span) -> bool:
    return a.start < b.end and b.start < a.end and (a.written or b.written)


@pytest.mark.parametrize('seed', range(20))
def test_shared_memory_is_found_as_by_comparing_all(seed: int) -> None:
    generator = np.random.default_rng(seed)
    for _ in range(50):
        spans = []
        for number in range(generator.integers(0, 12)):
            start = int(generator.integers(0, 200))
            end = start + int(generator.integers(1, 20))
            spans.append(Span(str(number), start, end, bool(generator.random() < 0.4)))
        found = tensor_table.overlap(spans)
        if found is None:
            assert not any(share(a, b) for a, b in itertools.combinations(spans, 2))
        else:
            assert share(*found)
            assert found[0].name != found[1].name


def test_neighbours_share_nothing() -> None:
    spans = [Span('a', 16, 32, True), Span('b', 0, 16, True), Span('c', 32, 33, True)]
    assert tensor_table.overlap(spans) is None


@pytest.mark.parametrize('length', [2, 4, 8])
@pytest.mark.parametrize('positions', [1, 511, 512, 4096, 4097, 10**6, 10**10 + 1])
def test_blocks_cover_all_positions(length: int, positions: int) -> None:
    for geometry in (select.Geometry(1, 8), select.Geometry(4, 2)):
        grid, share = tensor_table.work_split(positions, length, geometry, 132)
        assert share % (length * geometry.unroll * tensor_table.THREADS) == 0
        assert (grid.blocks - 1) * share < positions <= grid.blocks * share


def test_a_tensor_begins_at_a_multiple_of_the_vector() -> None:
    target = kernel_cases.Recorder(2)
    table = tensor_table.build([5, 4, 1], [[16, 64, 96], [17, 65, 97]], 4, 4096, target, np.copy)
    assert (table.tensors, table.positions, table.kept) == (3, 13, None)
    assert isinstance(table.argument, bytes)
    words = np.frombuffer(table.argument, np.uint64)
    assert words[:9].tolist() == [5, 12, 13, 16, 64, 96, 17, 65, 97]
    assert len(words) == 480


@pytest.mark.parametrize(
    ('tensors', 'limit', 'short'),
    [
        (96, 4096, 'w480'),
        (97, 4096, 'memory'),
        (97, arguments.MAX_BYTES, 'w4080'),
        (816, arguments.MAX_BYTES, 'w4080'),
        (817, arguments.MAX_BYTES, 'memory'),
        (1, 0, 'memory'),
    ],
)
def test_where_the_table_is(tensors: int, limit: int, short: str) -> None:
    target = kernel_cases.Recorder(2)
    addresses = [[64] * tensors] * 4
    table = tensor_table.build([3] * tensors, addresses, 4, limit, target, np.copy)
    assert table.short == short
    assert (table.kept is None) == (short != 'memory')
    assert table.positions == 4 * (tensors - 1) + 3
