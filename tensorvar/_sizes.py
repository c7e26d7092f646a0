"""Byte counts as people write them: ``'4GiB'`` in, ``'1.5 MiB'`` out."""

import math
import operator
import re
from typing import SupportsIndex

from tensorvar import errors

_UNITS = {
    '': 1,
    'b': 1,
    'kb': 10**3,
    'mb': 10**6,
    'gb': 10**9,
    'tb': 10**12,
    'kib': 2**10,
    'mib': 2**20,
    'gib': 2**30,
    'tib': 2**40,
}
_BINARY = ('KiB', 'MiB', 'GiB', 'TiB')
_PATTERN = re.compile(r'\s*([0-9]*\.?[0-9]+)\s*([a-zA-Z]*)\s*')


def parse_bytes(op: str, size: str | SupportsIndex) -> int:
    """Reads a number of bytes.

    Args:
        op: what was given the size, for the error.
        size: an integer (bytes), or text such as ``'512'``, ``'64 MiB'``, ``'4GiB'``
            (powers of 1,024) or ``'4GB'`` (powers of 1,000); case does not matter.
            A fraction is rounded up to whole bytes.

    Returns:
        The number of bytes, at least 0.

    Raises:
        InvalidArgumentError: the text is no size, or the number is negative.
        InvalidTypeError: neither text nor an integer was given.
    """
    if not isinstance(size, str):
        return _whole(op, size)
    match = _PATTERN.fullmatch(size)
    if match is None or match[2].lower() not in _UNITS:
        raise errors.InvalidArgumentError(
            f'[{op}] {size!r} is no size; allowed are whole bytes or a number with '
            f"one of B, KiB, MiB, GiB, TiB, KB, MB, GB, TB; write for instance '64MiB'"
        )
    return math.ceil(float(match[1]) * _UNITS[match[2].lower()])


def format_bytes(count: int) -> str:
    """Writes a number of bytes for people: ``'24 B'``, ``'1.5 MiB'``, ``'4 GiB'``.

    Args:
        count: the number of bytes.

    Returns:
        The text, with at most one decimal, in powers of 1,024.
    """
    if abs(count) < 1024:
        return f'{count} B'
    value = count / 1024
    unit = 0
    # 1023.95 and more would be shown as '1024 KiB'.
    while abs(value) >= 1023.95 and unit < len(_BINARY) - 1:
        value /= 1024
        unit += 1
    return f'{value:.1f}'.removesuffix('.0') + f' {_BINARY[unit]}'


def _whole(op: str, size: SupportsIndex) -> int:
    try:
        count = operator.index(size)
    except TypeError as error:
        raise errors.InvalidTypeError(
            f'[{op}] a {type(size).__name__} was given; allowed are a whole number of '
            f"bytes or text; write for instance '64MiB'"
        ) from error
    if count < 0 or isinstance(size, bool):
        raise errors.InvalidArgumentError(
            f'[{op}] {size} bytes were given; allowed are whole numbers from 0 on; '
            f"write for instance '64MiB'"
        )
    return count
