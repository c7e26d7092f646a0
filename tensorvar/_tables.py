"""Plain text tables, aligned in columns."""

from collections.abc import Sequence


def format_table(
    names: Sequence[str], rows: Sequence[Sequence[str]], numbers: Sequence[str] = ()
) -> str:
    """Aligns cells in columns, two blanks apart.

    Args:
        names: heads of the columns.
        rows: the cells, as many in each row as there are names.
        numbers: the columns to align on the right.

    Returns:
        One line for the heads and one per row, without trailing blanks.
    """
    columns = [_align(cells, right=cells[0] in numbers) for cells in zip(names, *rows, strict=True)]
    return '\n'.join('  '.join(cells).rstrip() for cells in zip(*columns, strict=True))


def _align(cells: Sequence[str], right: bool) -> list[str]:
    width = max(map(len, cells))
    return [cell.rjust(width) if right else cell.ljust(width) for cell in cells]
