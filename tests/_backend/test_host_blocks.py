"""Memory of large arrays: kept for the next one, never under two of them at once."""

import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Literal

import numpy as np
import pytest

import tensorvar as tv
from tensorvar._backend import host_blocks, host_threads
from tests.support import source_tree

SMALL = 1 << 10
KIND = np.dtype(np.float32)


@pytest.fixture(autouse=True)
def small_blocks(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """What is large is small here, and nothing waits before or after a test."""
    host_blocks.release()
    monkeypatch.setattr(host_blocks, 'LARGE', SMALL)
    monkeypatch.setattr(host_blocks, 'LIMIT', 8 * SMALL)
    yield
    host_blocks.release()


def block(nbytes: int = SMALL) -> 'np.ndarray[tuple[int], np.dtype[np.float32]]':
    array: np.ndarray[tuple[int], np.dtype[np.float32]] = host_blocks.empty((nbytes // 4,), KIND)
    return array


def address(array: 'np.ndarray[tuple[int], np.dtype[np.float32]]') -> int:
    return int(array.ctypes.data)


def test_memory_waits_for_the_next_array() -> None:
    first = block()
    place = address(first)
    assert host_blocks.kept() == 0
    del first
    assert host_blocks.kept() == SMALL
    assert address(block()) == place


def test_small_arrays_are_numpys() -> None:
    assert block(SMALL - 4).base is None


@pytest.mark.parametrize('dtype', [tv.bfloat16.as_numpy_dtype, object])
def test_numbers_that_numpy_does_not_name_are_numpys(dtype: type) -> None:
    assert host_blocks.empty((SMALL,), np.dtype(dtype)).base is None


@pytest.mark.parametrize('order', ['C', 'F'])
@pytest.mark.parametrize('shape', [(512,), (16, 32), (2, 4, 64), (1, 512, 1)])
@pytest.mark.parametrize('dtype', [np.int8, np.float16, np.float32, np.complex128, np.bool_])
def test_an_array_is_like_that_of_numpy(
    shape: tuple[int, ...], dtype: type, order: Literal['C', 'F'], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(host_blocks, 'LARGE', 512)
    expected = np.empty(shape, dtype, order)
    array = host_blocks.empty(shape, np.dtype(dtype), order)
    assert array.base is not None
    assert (array.shape, array.dtype) == (expected.shape, expected.dtype)
    assert array.strides == expected.strides
    for flag in ('C_CONTIGUOUS', 'F_CONTIGUOUS', 'WRITEABLE', 'ALIGNED'):
        assert array.flags[flag] == expected.flags[flag]
    array[...] = 1
    assert (array == np.ones(shape, dtype)).all()


def test_a_view_holds_the_array_and_its_memory() -> None:
    array = block()
    array[:] = 7
    alone = sys.getrefcount(array)
    view = array[::2].reshape(2, -1)
    assert sys.getrefcount(array) == alone + 1
    place = address(array)
    del array
    assert host_blocks.kept() == 0
    assert address(block()) != place
    assert (view == 7).all()


def test_a_somewhat_larger_block_will_do_and_a_much_larger_one_will_not() -> None:
    place = address(block(SMALL + SMALL // 8))
    assert address(block(2 * SMALL)) != place
    assert address(block()) == place


def test_the_longest_unused_goes_first() -> None:
    arrays = [block() for _ in range(10)]
    places = [address(array) for array in arrays]
    while arrays:
        del arrays[0]
    assert host_blocks.kept() == 8 * SMALL
    again = [block() for _ in range(8)]
    assert {address(array) for array in again} == set(places[2:])


def test_what_is_too_large_does_not_wait() -> None:
    block(9 * SMALL)
    assert host_blocks.kept() == 0


def test_release_gives_all_of_it_back() -> None:
    del [block(), block(2 * SMALL)][:]
    assert host_blocks.release() == 3 * SMALL
    assert host_blocks.kept() == 0
    assert host_blocks.release() == 0


def test_releasing_the_memory_of_the_cpu_releases_it() -> None:
    block()
    assert tv.config.release_memory('CPU:0').released >= SMALL
    assert host_blocks.kept() == 0


def test_want_of_memory_takes_what_was_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    block(2 * SMALL)

    class Full:
        """NumPy where memory suffices for nothing but what was asked back."""

        def __getattr__(self, name: str) -> object:
            return getattr(np, name)

        def empty(self, *args: object) -> object:
            if host_blocks.kept():
                raise MemoryError
            return np.empty(*args)  # type: ignore[call-overload]

    monkeypatch.setattr(host_blocks, 'np', Full())
    array = block()
    assert array.nbytes == SMALL
    assert host_blocks.kept() == 0


def test_no_two_arrays_share_memory_whoever_asks() -> None:
    together = threading.Barrier(4)

    def work(number: int) -> bool:
        together.wait(30)
        right = True
        for turn in range(400):
            arrays = [block() for _ in range(3)]
            for place, array in enumerate(arrays):
                array[:] = number * 10 + place
            right &= all((a == number * 10 + place).all() for place, a in enumerate(arrays))
            if turn % 7 == 0:
                host_blocks.release()
        return right

    with ThreadPoolExecutor(4) as pool:
        assert all(pool.map(work, range(4)))


def test_an_array_of_a_block_is_whole_and_its_views_are_not() -> None:
    array = block()
    assert host_blocks.is_whole(array)
    assert host_blocks.is_whole(np.empty(3))
    assert not host_blocks.is_whole(array[1:])
    assert not host_blocks.is_whole(np.frombuffer(b'1234', np.uint8))


def test_large_results_use_it_and_everybody_keeps_the_value_taken(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(host_blocks, 'LIMIT', 1 << 26)
    monkeypatch.setattr(host_threads, '_standard', lambda: 2)
    variable = tv.Variable(tv.zeros([1 << 21]))
    one = tv.ones([1 << 21])
    for turn in range(3):
        sum_ = variable + one
        assert type(sum_._array.base) is host_blocks.Block
        result = sum_ * 2.0 - one
        variable.assign(result)
        result = result + one
        assert (result.numpy() == 2 ** (turn + 1)).all()
        del result
    assert (variable.numpy() == 7).all()
    assert (sum_.numpy() == 4).all()
    assert host_blocks.kept() > 0


def test_a_process_ends_quietly_with_large_arrays() -> None:
    code = (
        'import tensorvar as tv\n'
        'x = tv.fill([9 << 20], 0.5)\n'
        'y = tv.Variable(x + x)\n'
        'z = y * x\n'
        'print(float(z[0]))'
    )
    ended = subprocess.run(
        [sys.executable, '-c', code],
        capture_output=True,
        text=True,
        check=True,
        cwd=source_tree.ROOT,
    )
    assert (ended.stdout, ended.stderr) == ('0.5\n', '')
