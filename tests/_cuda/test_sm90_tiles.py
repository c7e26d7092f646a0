"""The tiles that the model chooses, and what they take."""

import pytest

from tensorvar._cuda import select, sm90_tiles
from tensorvar._cuda.sm90_tiles import Extents, Tile

MULTIPROCESSORS = 132


def choose(m: int, n: int, k: int, batch: int = 1) -> Tile:
    extents = Extents(batch, m, n, k, 2, 2)
    return sm90_tiles.choose(extents, 'sm_90a', MULTIPROCESSORS).tile


@pytest.mark.parametrize('tile', sm90_tiles.TILES, ids=str)
def test_a_tile_fits_a_multiprocessor(tile: Tile) -> None:
    assert tile.shared <= 232_448
    assert tile.threads == (256 if tile.rows == 64 else 384)
    assert 4 <= tile.stages <= 6
    # A box has at most 256 rows; the halves of a cluster are whole groups of columns.
    assert tile.columns <= 256
    assert tile.columns // tile.cluster % 64 == 0


def test_large_products_take_large_tiles() -> None:
    assert choose(4096, 4096, 4096) == Tile(128, 256, cluster=2)
    assert choose(8192, 8192, 8192) == Tile(128, 256, cluster=2)


def test_few_rows_take_low_tiles() -> None:
    assert choose(64, 2112, 7168).rows == 64
    assert choose(16, 24576, 1536).rows == 64
    assert choose(64, 2112, 7168).cluster == 1


def test_few_tiles_are_made_smaller_to_fill_the_card() -> None:
    tile = choose(1024, 1024, 1024)
    down, across = sm90_tiles.count_tiles(1024, 1024, tile)
    assert 64 <= down * across * tile.cluster <= MULTIPROCESSORS
    assert choose(512, 512, 16384) == Tile(64, 64)


def test_the_batch_counts_as_tiles() -> None:
    assert choose(512, 512, 512, batch=32).rows == 128


def test_a_cluster_counts_as_one_tile() -> None:
    assert sm90_tiles.count_tiles(257, 257, Tile(128, 256)) == (3, 2)
    assert sm90_tiles.count_tiles(257, 257, Tile(128, 256, cluster=2)) == (2, 2)


def test_one_multiprocessor_has_a_choice_too() -> None:
    extents = Extents(1, 300, 300, 300, 4, 4)
    assert sm90_tiles.choose(extents, 'host', 1).tile in sm90_tiles.TILES


def test_a_table_fixes_the_choice_for_one_size(monkeypatch: pytest.MonkeyPatch) -> None:
    row = {'batch': 1, 'm': 96, 'n': 96, 'k': 4096, 'itemsize': 2}
    row |= {'rows': 128, 'columns': 192, 'cluster': 1, 'splits': 3}
    monkeypatch.setattr(select, 'section', lambda name, chip: {'sm_90b': [row]}.get(chip, ()))
    for k, fixed in ((4096, True), (4097, False)):
        extents = Extents(1, 96, 96, k, 2, 2)
        for may_split in (False, True):
            chosen = sm90_tiles.choose(extents, 'sm_90b', MULTIPROCESSORS, may_split=may_split)
            splits, slabs = (3, 22) if may_split else (1, 64)
            assert (chosen == sm90_tiles.Choice(Tile(128, 192), splits, slabs)) == fixed
    few = (Tile(64, 64),)
    extents = Extents(1, 96, 96, 4096, 2, 2)
    assert sm90_tiles.choose(extents, 'sm_90b', MULTIPROCESSORS, few).tile == few[0]


def test_waves_cost() -> None:
    extents = Extents(1, 128, 128 * MULTIPROCESSORS, 512, 2, 2)
    one, two = (
        sm90_tiles.cycles(each, sm90_tiles.split(each, Tile(128, 128), 1), MULTIPROCESSORS)
        for each in (extents, extents._replace(n=extents.n + 8))
    )
    assert two > 1.8 * one - 1000


def test_terms_are_split_where_tiles_are_few() -> None:
    long = Extents(1, 128, 128, 16384, 2, 2)
    chosen = sm90_tiles.choose(long, 'sm_90a', MULTIPROCESSORS, may_split=True)
    assert chosen.splits > 8
    assert chosen.splits * long.count(chosen.tile) <= MULTIPROCESSORS
    assert (chosen.splits - 1) * chosen.slabs_per_split < long.slabs
    assert chosen.splits * chosen.slabs_per_split >= long.slabs
    assert sm90_tiles.choose(long, 'sm_90a', MULTIPROCESSORS).splits == 1
    for extents in (long._replace(k=256), Extents(1, 4096, 4096, 4096, 2, 2)):
        assert sm90_tiles.choose(extents, 'sm_90a', MULTIPROCESSORS, may_split=True).splits == 1


def test_no_split_is_empty() -> None:
    for slabs in range(1, 40):
        extents = Extents(1, 64, 64, slabs * 64, 2, 2)
        for splits in range(1, slabs + 1):
            choice = sm90_tiles.split(extents, Tile(64, 64), splits)
            assert (choice.splits - 1) * choice.slabs_per_split < slabs
            assert choice.splits * choice.slabs_per_split >= slabs
