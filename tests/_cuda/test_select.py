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
    select._rows.cache_clear()
    yield tmp_path / 'tables'
    select._rows.cache_clear()


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


@pytest.mark.parametrize('family', ['dense', 'strided', 'transposed'])
@pytest.mark.parametrize('size', [1, 2, 4, 8, 16])
def test_the_default_table_is_complete(family: str, size: int) -> None:
    geometry = select.geometry(family, size, 'a chip nobody has measured')
    assert 1 <= geometry.unroll <= 8
    assert 1 <= geometry.blocks_per_multiprocessor <= 32
