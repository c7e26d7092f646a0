"""Golden files: written once, compared afterwards, the same on every machine."""

from pathlib import Path

import pytest

from tensorvar._device._log import golden
from tensorvar._device._log.summary import PlacementKey

ADD = PlacementKey('/home/me/model.py:9', 'AddV2', 'CPU:0', 'inputs')
MATMUL = PlacementKey('/home/me/model.py:10', 'MatMul', 'GPU:0', 'explicit')


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / 'kept' / 'placements.txt'


def test_the_file_is_written_where_there_is_none(path: Path) -> None:
    golden.check(path, [MATMUL, ADD])
    assert path.read_text().splitlines()[1:] == [
        'model.py:9  AddV2 -> CPU:0  [inputs]',
        'model.py:10  MatMul -> GPU:0  [explicit]',
    ]


def test_order_repeats_and_folders_do_not_matter(path: Path) -> None:
    golden.check(path, [MATMUL, ADD])
    elsewhere = PlacementKey('/ci/build/model.py:9', 'AddV2', 'CPU:0', 'inputs')
    golden.check(path, [elsewhere, MATMUL, MATMUL])


def test_a_difference_is_a_diff(path: Path) -> None:
    golden.check(path, [MATMUL, ADD])
    moved = PlacementKey(MATMUL.where, 'MatMul', 'CPU:0', 'fallback')
    with pytest.raises(AssertionError) as caught:
        golden.check(path, [moved, ADD])
    lines = str(caught.value).splitlines()
    assert '-model.py:10  MatMul -> GPU:0  [explicit]' in lines
    assert '+model.py:10  MatMul -> CPU:0  [fallback]' in lines
    assert 'TENSORVAR_UPDATE_GOLDEN=1' in lines[0]
    assert not any('AddV2' in line for line in lines)


def test_the_environment_asks_for_an_update(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    golden.check(path, [MATMUL])
    monkeypatch.setenv('TENSORVAR_UPDATE_GOLDEN', '1')
    golden.check(path, [ADD])
    monkeypatch.delenv('TENSORVAR_UPDATE_GOLDEN')
    golden.check(path, [ADD])


def test_line_numbers_can_be_left_out(path: Path) -> None:
    golden.check(path, [MATMUL], line_numbers=False)
    moved = PlacementKey('/home/me/model.py:99', 'MatMul', 'GPU:0', 'explicit')
    golden.check(path, [moved, MATMUL], line_numbers=False)
    assert path.read_text().splitlines()[1:] == ['model.py  MatMul -> GPU:0  [explicit]']
    with pytest.raises(AssertionError):
        golden.check(path, [MATMUL])
