"""Runs cases with operands flush against forbidden pages, built with UBSan.

``python -m tests.support.kernel_guard <cache folder> <group> ...`` ends with 0 if all
is well. A stray access ends it by a signal, undefined behaviour by UBSan's exit, a wrong
value with 1 and the case on the standard error stream.
"""

import ctypes
import mmap
import pathlib
import sys
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from tensorvar._cuda import assign, cache, host_emulation
from tests.support import kernel_cases, kernel_reference

_PAGE = mmap.PAGESIZE
_SIZES = (1, 3, 4, 15, 17, 64, 255, 1024, 1500, 5001)


def _forbid(memory: np.ndarray, start: int) -> None:
    address = memory.ctypes.data + start
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.mprotect(ctypes.c_void_p(address), ctypes.c_size_t(_PAGE), 0):
        raise OSError(ctypes.get_errno(), 'mprotect')


def guarded(values: np.ndarray, *, at_end: bool) -> np.ndarray:
    """A copy whose last element, or first, is next to a page that must not be touched."""
    inside = -(-max(values.nbytes, 1) // _PAGE) * _PAGE
    memory = np.frombuffer(mmap.mmap(-1, inside + 2 * _PAGE), np.uint8)
    _forbid(memory, 0)
    _forbid(memory, _PAGE + inside)
    start = _PAGE + (inside - values.nbytes if at_end else 0)
    array = memory[start : start + values.nbytes].view(values.dtype).reshape(values.shape)
    array[...] = values
    return array


def _dense(generator: np.random.Generator) -> Iterator[tuple[str, np.ndarray, Any]]:
    for size in _SIZES:
        a = kernel_reference.values(np.dtype('f4'), size, generator)
        yield 'assign_add', a, kernel_reference.values(np.dtype('f4'), size, generator)


def _mixed(generator: np.random.Generator) -> Iterator[tuple[str, np.ndarray, Any]]:
    for pair in (('f4', 'f2'), ('f2', 'f4'), ('i1', 'i1'), ('f8', 'i1')):
        into, out = map(np.dtype, pair)
        for size in _SIZES:
            a = kernel_reference.values(into, size, generator)
            yield 'assign_add', a, kernel_reference.values(out, size, generator)
            yield 'assign', a, kernel_reference.values(out, size, generator)
            yield 'assign_min', a, kernel_reference.values(out, 1, generator)


def _row(generator: np.random.Generator) -> Iterator[tuple[str, np.ndarray, Any]]:
    for height, inner in ((3, 5), (7, 16), (100, 33), (5, 64), (2, 1001)):
        a = kernel_reference.values(np.dtype('f4'), height * inner, generator)
        b = kernel_reference.values(np.dtype('f4'), inner, generator)
        yield 'assign_add', a.reshape(height, inner), b


def _strided(generator: np.random.Generator) -> Iterator[tuple[str, np.ndarray, Any]]:
    for shape, source in (((3, 5), (3, 1)), ((9, 7, 5), (9, 1, 5)), ((64, 33), (64, 1))):
        a = kernel_reference.values(np.dtype('f4'), int(np.prod(shape)), generator)
        b = kernel_reference.values(np.dtype('f4'), int(np.prod(source)), generator)
        yield 'assign_sub', a.reshape(shape), b.reshape(source)


def _integers(generator: np.random.Generator) -> Iterator[tuple[str, np.ndarray, Any]]:
    for name in ('i1', 'u2', 'i4', 'i8'):
        a = np.full(50, np.iinfo(name).max, name)
        for op in ('assign_add', 'assign_mul'):
            yield op, a, a.copy()
        yield 'assign_sub', a, np.full(50, np.iinfo(name).min, name)


def _special(generator: np.random.Generator) -> Iterator[tuple[str, np.ndarray, Any]]:
    a = kernel_reference.values(np.dtype('f4'), 500, generator)
    yield 'assign_min', a, kernel_reference.values(np.dtype('f4'), 500, generator)
    # Between two float16 and nearer to the upper one by less than float32 can tell.
    near = np.full(50, 1 + 2**-11 + 2**-40)
    yield 'assign', np.zeros(50, np.float16), near


def _transposed(generator: np.random.Generator) -> Iterator[tuple[str, np.ndarray, Any]]:
    for height, width in ((16, 40), (70, 65), (33, 300)):
        a = np.arange(height * width, dtype='f4').reshape(height, width)
        yield 'assign', np.zeros((width, height), 'f4'), a.T


GROUPS = {
    'dense': _dense,
    'mixed': _mixed,
    'row': _row,
    'strided': _strided,
    'integers': _integers,
    'special': _special,
    'transposed': _transposed,
}


def _place(array: np.ndarray, *, at_end: bool) -> np.ndarray:
    if array.ndim == 2 and not array.flags.c_contiguous:
        return guarded(np.ascontiguousarray(array.T), at_end=at_end).T
    return guarded(array, at_end=at_end)


def _cases(groups: Sequence[str]) -> Iterator[tuple[str, np.ndarray, np.ndarray, np.ndarray]]:
    """Op, operands next to forbidden pages, and what the destination must become."""
    for group in groups:
        generator = np.random.default_rng(0)
        for op, a, b in GROUPS[group](generator):
            expected = kernel_reference.assigned(op, a, b)
            for at_end in (True, False):
                yield op, _place(a, at_end=at_end), _place(b, at_end=at_end), expected


def main(folder: str, *groups: str) -> int:
    """Runs groups of cases in every order; the exit status."""
    kept = cache.Cache(pathlib.Path(folder))
    target = host_emulation.HostTarget(kept, flags=host_emulation.SANITIZE, multiprocessors=1)
    orders: tuple[host_emulation.Order, ...] = ('forward', 'reverse', 'random')
    recorder = kernel_cases.Recorder(target.multiprocessors)
    recording = assign.AssignKernels(recorder)
    for op, destination, operand, _ in _cases(groups):
        recording.assign(op, destination, operand)
    target.prepare(recorder.exports)
    kernels = assign.AssignKernels(target)
    for op, destination, operand, expected in _cases(groups):
        before = destination.copy()
        for order in orders:
            target.order = order
            destination[...] = before
            kernels.assign(op, destination, operand)
            what = f'{op} {destination.shape} {order}'
            kernel_reference.assert_same(destination, expected, what, products=False)
    return 0


if __name__ == '__main__':
    sys.exit(main(*sys.argv[1:]))
