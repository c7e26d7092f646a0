"""Tables of what was worked out once, such as plans, that cannot grow without end."""

from typing import Any, TypeVar

_Value = TypeVar('_Value')
MOST = 4096


def remember(table: dict[Any, _Value], key: Any, value: _Value, most: int = MOST) -> _Value:
    """Puts a value into a table; gives what is there, another thread's value if that was first.

    A table that is full is emptied. A program has few keys and comes back to them, or has new
    ones all the time and never does: to know the oldest would help neither. And each step is
    one call into ``dict``, so that threads need no lock.

    Args:
        table: from keys to values, which are read by ``table.get(key)``.
        key: what the value was worked out for.
        value: keeps nothing alive that is large.
        most: entries.
    """
    if len(table) >= most:
        table.clear()
    return table.setdefault(key, value)
