"""Tables of plain text."""

from tensorvar import _tables


def test_columns_are_aligned() -> None:
    rows = [('MatMul', '1,200', 'x'), ('Add', '5', '')]
    assert _tables.format_table(('op', 'count', 'why'), rows, ['count']).splitlines() == [
        'op      count  why',
        'MatMul  1,200  x',
        'Add         5',
    ]


def test_no_rows_leave_the_heads() -> None:
    assert _tables.format_table(('op', 'count'), []) == 'op  count'
