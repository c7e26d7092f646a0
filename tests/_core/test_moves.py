"""The count of moves changes with every move, and is never settled during one."""

from typing import Any

import pytest

import tensorvar as tv
from tensorvar._core import moves
from tests.support import threads


def test_moves_and_resizes_are_counted(simulated_gpus: Any) -> None:
    with tv.device('CPU:0'):
        v = tv.Variable([1.0], shape=[None])
    before = moves.count
    v.assign([2.0])
    v.assign_add([2.0])
    assert moves.count == before
    v.to_device('GPU:0')
    moved = moves.count
    v.assign([1.0, 2.0])
    assert before < moved < moves.count


def test_the_count_is_not_settled_while_anything_moves() -> None:
    before = moves.count
    with moves.under_way():
        assert moves.count < 0
        with moves.under_way():
            assert moves.count < 0
        assert moves.count < 0
    assert moves.count > before
    with pytest.raises(ValueError, match='oh'), moves.under_way():
        raise ValueError('oh')
    assert moves.count > before


def test_many_threads_count_every_move() -> None:
    before = moves.count

    def work() -> None:
        for _ in range(200):
            with moves.under_way():
                pass

    threads.several(work, 4)
    assert moves.count == before + 800
