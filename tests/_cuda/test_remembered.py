"""Tables that cannot grow without end."""

from tensorvar._cuda import remembered


def test_what_is_there_stays() -> None:
    table: dict[str, list[int]] = {}
    first = remembered.remember(table, 'key', [1])
    assert remembered.remember(table, 'key', [2]) is first
    assert table == {'key': [1]}


def test_a_full_table_is_emptied() -> None:
    table: dict[int, int] = {}
    for number in range(10):
        assert remembered.remember(table, number, -number, 4) == -number
        assert len(table) <= 4
    assert table == {8: -8, 9: -9}


def test_thousands_by_default() -> None:
    table = dict.fromkeys(range(remembered.MOST), 0)
    remembered.remember(table, -1, 1)
    assert table == {-1: 1}
