"""Byte counts read and written."""

import pytest

from tensorvar import _sizes, errors


@pytest.mark.parametrize(
    ('size', 'expected'),
    [
        (0, 0),
        (512, 512),
        ('512', 512),
        ('24 B', 24),
        ('64MiB', 64 * 2**20),
        ('64 mib', 64 * 2**20),
        ('1.5KiB', 1536),
        ('.5 GiB', 2**29),
        ('4GB', 4 * 10**9),
        ('1TiB', 2**40),
        ('0.3B', 1),
    ],
)
def test_parse_bytes(size: str | int, expected: int) -> None:
    assert _sizes.parse_bytes('set_memory_limit', size) == expected


@pytest.mark.parametrize('size', ['', 'MiB', '4 parsecs', '-1MiB', '1e3', '4 GiB left', -1, True])
def test_parse_bytes_refuses(size: str | int) -> None:
    text = r"^\[set_memory_limit\] .*write for instance '64MiB'"
    with pytest.raises(errors.InvalidArgumentError, match=text):
        _sizes.parse_bytes('set_memory_limit', size)


def test_parse_bytes_refuses_floats() -> None:
    with pytest.raises(errors.InvalidTypeError, match='float'):
        _sizes.parse_bytes('set_memory_limit', 1.5)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ('count', 'expected'),
    [
        (0, '0 B'),
        (24, '24 B'),
        (1023, '1023 B'),
        (1024, '1 KiB'),
        (1536, '1.5 KiB'),
        (2**20 - 1, '1 MiB'),
        (4 * 2**30, '4 GiB'),
        (3 * 2**50, '3072 TiB'),
        (-2048, '-2 KiB'),
    ],
)
def test_format_bytes(count: int, expected: str) -> None:
    assert _sizes.format_bytes(count) == expected


@pytest.mark.parametrize('text', ['1 KiB', '1.5 MiB', '24 B', '4 GiB'])
def test_what_is_written_can_be_read(text: str) -> None:
    assert _sizes.format_bytes(_sizes.parse_bytes('set_memory_limit', text)) == text
