"""Tables choose the geometry: the chip's own first, then the default."""

import json
import pathlib
from collections.abc import Iterator

import pytest

from tensorvar import errors
from tensorvar._cuda import select, source


@pytest.fixture
def tables(monkeypatch: pytest.MonkeyPatch, tmp_path: pathlib.Path) -> Iterator[pathlib.Path]:
    (tmp_path / 'tv_core.cuh').write_text('')
    (tmp_path / 'tables').mkdir()
    monkeypatch.setenv(source.FOLDER_VARIABLE, str(tmp_path))
    _forget()
    yield tmp_path / 'tables'
    _forget()


def _forget() -> None:
    select._rows.cache_clear()
    select._thresholds.cache_clear()


def write(path: pathlib.Path, *rows: tuple[str, int, int, int]) -> None:
    names = ('family', 'widest', 'unroll', 'blocks_per_multiprocessor')
    path.write_text(json.dumps({'rows': [dict(zip(names, row, strict=True)) for row in rows]}))


def test_the_narrowest_row_that_is_wide_enough(tables: pathlib.Path) -> None:
    write(tables / 'default.json', ('dense', 16, 1, 8), ('dense', 4, 2, 6), ('dense', 1, 4, 4))
    assert select.geometry('dense', 1, 'sm_80') == (4, 4)
    assert select.geometry('dense', 2, 'sm_80') == (2, 6)
    assert select.geometry('dense', 16, 'sm_80') == (1, 8)


def test_the_chips_own_table_comes_first(tables: pathlib.Path) -> None:
    write(tables / 'default.json', ('dense', 16, 1, 8), ('strided', 16, 1, 2))
    write(tables / 'sm_90a.json', ('dense', 4, 3, 3))
    assert select.geometry('dense', 4, 'sm_90a') == (3, 3)
    assert select.geometry('dense', 8, 'sm_90a') == (1, 8)
    assert select.geometry('strided', 4, 'sm_90a') == (1, 2)
    assert select.geometry('dense', 4, 'sm_80') == (1, 8)


def test_a_row_that_is_missing(tables: pathlib.Path) -> None:
    write(tables / 'default.json', ('dense', 4, 1, 8))
    with pytest.raises(errors.NotFoundError, match='no row for dense and elements of 8 bytes'):
        select.geometry('dense', 8, 'sm_80')


def test_a_list_of_the_chip_replaces_the_default(tables: pathlib.Path) -> None:
    (tables / 'default.json').write_text(json.dumps({'tiles': [{'rows': 1}], 'other': []}))
    (tables / 'sm_80.json').write_text(json.dumps({'tiles': [{'rows': 2}, {'rows': 3}]}))
    assert select.section('tiles', 'sm_80') == ({'rows': 2}, {'rows': 3})
    assert select.section('tiles', 'sm_90a') == ({'rows': 1},)
    assert select.section('other', 'sm_80') == ()
    with pytest.raises(errors.NotFoundError, match='has no list speeds'):
        select.section('speeds', 'sm_80')


@pytest.mark.parametrize('family', ['dense', 'strided', 'transposed'])
@pytest.mark.parametrize('size', [1, 2, 4, 8, 16])
def test_the_default_table_is_complete(family: str, size: int) -> None:
    geometry = select.geometry(family, size, 'a chip nobody has measured')
    assert 1 <= geometry.unroll <= 8
    assert 1 <= geometry.blocks_per_multiprocessor <= 32


def test_a_threshold_is_of_the_chip_or_the_default(tables: pathlib.Path) -> None:
    (tables / 'default.json').write_text('{"thresholds": {"a": 5, "b": null}}')
    (tables / 'sm_90a.json').write_text('{"thresholds": {"b": 7}}')
    assert select.threshold('a', 'sm_90a') == 5
    assert select.threshold('b', 'sm_90a') == 7
    assert select.threshold('b', 'sm_80') > 1 << 60
    with pytest.raises(errors.NotFoundError, match='no threshold c'):
        select.threshold('c', 'sm_80')


def test_the_default_table_has_the_thresholds() -> None:
    for name in ('gather_wide_bytes', 'scatter_bulk_bytes'):
        assert select.threshold(name, 'a chip nobody has measured') > 0
