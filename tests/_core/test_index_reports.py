"""Words in which kernels report indices out of range, and what becomes of them."""

import numpy as np
import pytest

from tensorvar import errors
from tensorvar._core import index_reports
from tests.support import threads


class Reports(index_reports.IndexReports):
    """Reports over few words, and the last one that all share.

    ``waits`` counts how often the device was waited for.
    """

    def __init__(self, count: int = 4) -> None:
        self.words = np.zeros(count + 1, np.uint64)
        self.waits = 0
        self.capturing = False
        super().__init__('GPU:0', self.words, self.words, self.wait, lambda: self.capturing)

    def wait(self) -> None:
        assert not self.capturing, 'nobody may wait for a device that captures'
        self.waits += 1
        self.look()


def test_nothing_was_found() -> None:
    reports = Reports()
    reports.look()
    assert reports.word('GatherV2', (3,), 'in [0, 2)').shape == (1,)
    reports.look()


def test_launches_of_one_line_and_kind_share_a_word() -> None:
    reports = Reports()
    words = [reports.word('GatherV2', (3,), 'in [0, 2)') for _ in range(3)]
    assert words[0] is words[1] is words[2]
    assert reports.word('GatherV2', (4,), 'in [0, 2)') is not words[0]


def test_a_report_says_op_place_and_line_and_is_made_once() -> None:
    reports = Reports()
    reports.word('GatherV2', (2, 3), 'in [0, 2)')[0] = 1 + 4
    with pytest.raises(errors.InvalidArgumentError) as caught:
        reports.look()
    text = str(caught.value)
    assert text.startswith('[GatherV2] indices[1,1], used at ')
    assert 'test_index_reports.py:' in text
    assert 'is not in [0, 2)' in text
    assert 'GPU:0' in text
    assert isinstance(caught.value, IndexError)
    assert caught.value.op == 'GatherV2'
    reports.look()


class Busy(np.ndarray):
    """Words to one of which a kernel writes while they are looked at."""

    late: tuple[int, int] | None = None

    def tolist(self) -> list[int]:
        found: list[int] = super().tolist()
        if self.late is not None:
            number, position = self.late
            self.late = None
            self[number] = position
        return found


def test_what_is_found_during_a_look_is_told_by_the_next(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    reports = Reports()
    words = reports.words.view(Busy)
    monkeypatch.setattr(reports, '_words', words)
    reports.word('GatherV2', (3,), 'in [0, 2)')[0] = 1
    reports.word('ScatterAdd', (3,), 'in [0, 2)')
    words.late = (1, 2)
    with pytest.raises(errors.InvalidIndexError, match=r'^\[GatherV2\] indices\[0\]'):
        reports.look()
    with pytest.raises(errors.InvalidIndexError, match=r'^\[ScatterAdd\] indices\[1\]'):
        reports.look()
    reports.look()


def test_positions_that_count_otherwise_are_not_shown() -> None:
    reports = Reports()
    reports.word('GatherV2', None, 'in [0, 2)')[0] = 8
    with pytest.raises(errors.InvalidIndexError, match=r'^\[GatherV2\] indices, used at'):
        reports.look()
    reports.word('GatherV2', (), 'in [0, 2)')[0] = 1
    with pytest.raises(errors.InvalidIndexError, match=r'^\[GatherV2\] indices, used at'):
        reports.look()


def test_a_few_of_many_reports_are_shown() -> None:
    reports = Reports(8)
    for count in range(5):
        reports.word('GatherV2', (count + 1,), 'in [0, 2)')[0] = 1
    with pytest.raises(errors.InvalidIndexError, match='; and 2 more like these; ') as caught:
        reports.look()
    assert str(caught.value).count('used at') == 3


def test_full_words_are_waited_for_and_used_again() -> None:
    reports = Reports(2)
    for count in range(1, 6):
        reports.word('GatherV2', (count,), 'in [0, 2)')
    assert reports.waits == 2
    reports.word('GatherV2', (5,), 'in [0, 2)')[0] = 5
    with pytest.raises(errors.InvalidIndexError, match=r'indices\[4\]'):
        reports.look()


def test_what_was_found_is_reported_before_words_are_used_again() -> None:
    reports = Reports(1)
    reports.word('GatherV2', (1,), 'in [0, 2)')[0] = 1
    with pytest.raises(errors.InvalidIndexError):
        reports.word('GatherNd', (1,), 'in [0, 2)')
    reports.word('GatherNd', (1,), 'in [0, 2)')[0] = 1
    with pytest.raises(errors.InvalidIndexError, match=r'^\[GatherNd\]'):
        reports.look()


def test_threads_get_words_of_their_own_kinds() -> None:
    reports = Reports(64)
    found: list[tuple[int, np.ndarray]] = []

    def launch(start: int) -> None:
        for count in range(start, start + 8):
            found.append((count, reports.word('GatherV2', (count,), 'in [0, 2)')))

    threads.each(launch, (0, 0, 8, 8))
    addresses = {(count, word.ctypes.data) for count, word in found}
    assert len(addresses) == 16


def test_words_of_graphs_are_kept() -> None:
    reports = Reports(2)
    for reports.capturing in (False, True, False):
        mine = reports.word('GatherV2', (1,), 'in [0, 2)')
    for count in range(2, 6):
        other = reports.word('GatherV2', (count,), 'in [0, 2)')
        assert other.ctypes.data != mine.ctypes.data
    assert reports.waits == 3
    mine[0] = 1
    with pytest.raises(errors.InvalidIndexError, match=r'indices\[0\]'):
        reports.look()


def test_where_no_word_is_left_graphs_share_one_and_nobody_waits() -> None:
    reports = Reports(2)
    reports.capturing = True
    words = [reports.word('GatherV2', (count,), 'in [0, 2)') for count in range(4)]
    shared = words[2:]
    assert shared[0].ctypes.data == shared[1].ctypes.data
    assert len({word.ctypes.data for word in words}) == 3
    reports.capturing = False
    # All words belong to graphs now.
    last = reports.word('GatherV2', (9,), 'in [0, 2)')
    assert last.ctypes.data == shared[0].ctypes.data
    assert reports.waits == 0
    last[0] = 4
    wanted = r'^\[tv.function\] indices, used at a line of a function, is not in range'
    with pytest.raises(errors.InvalidIndexError, match=wanted):
        reports.look()


def test_a_report_may_be_put_back() -> None:
    reports = Reports()
    word = reports.word('GatherV2', (3,), 'in [0, 2)')
    word[0] = 3
    with pytest.raises(errors.InvalidIndexError) as caught:
        reports.look()
    reports.look()
    index_reports.put_back(caught.value)
    with pytest.raises(errors.InvalidIndexError) as again:
        reports.look()
    assert str(again.value) == str(caught.value)
    # A word that has gone to other launches meanwhile is theirs.
    reports._forget()
    other = reports.word('GatherNd', (3,), 'a place')
    assert other[0] == 0
    index_reports.put_back(caught.value)
    index_reports.put_back(ValueError('of another kind'))
    reports.look()
