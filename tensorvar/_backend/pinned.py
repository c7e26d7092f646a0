"""Copies between the host and a card, through reusable page-locked buffers.

CUDA copies asynchronously only from and to page-locked ("pinned") memory. Data goes
through a few pinned buffers, a chunk at a time, so that the next chunk is filled or
emptied while the last one is on its way, and large arrays pin no more than small ones.
A buffer is used again only after the event recorded behind its last copy has passed.
"""

import threading
from collections import deque
from collections.abc import Callable
from typing import Any

import numpy as np

Host = np.ndarray[Any, Any]

SIZES = ((64 << 10, 32), (4 << 20, 8))
"""(bytes per buffer, how many at most), smallest first: 34 MiB if all are made."""

_IN_FLIGHT = 2


class StagingBuffer:
    """A pinned buffer and the event behind the last copy from or to it.

    Args:
        view: its bytes as a host array.
        pointer: its address.
        event: a CUDA event of the card the buffer serves.
    """

    __slots__ = ('event', 'pointer', 'view')

    def __init__(self, view: Host, pointer: int, event: Any) -> None:
        self.view = view
        self.pointer = pointer
        self.event = event


def allocate(cupy: Any, nbytes: int) -> StagingBuffer:
    """Makes a buffer for the current card."""
    memory = cupy.cuda.PinnedMemory(nbytes, cupy.cuda.runtime.hostAllocPortable)
    view = np.frombuffer(cupy.cuda.PinnedMemoryPointer(memory, 0), np.uint8, nbytes)
    return StagingBuffer(view, memory.ptr, cupy.cuda.Event(disable_timing=True))


class _SizeClass:
    __slots__ = ('given_back', 'limit', 'made', 'nbytes')

    def __init__(self, nbytes: int, limit: int) -> None:
        self.nbytes = nbytes
        self.limit = limit
        self.made = 0
        self.given_back: deque[StagingBuffer] = deque()


class StagingPool:
    """The pinned buffers of one card; any thread may take one.

    Args:
        make: makes a buffer of that many bytes.
        sizes: (bytes per buffer, how many at most), smallest first.
    """

    def __init__(
        self,
        make: Callable[[int], StagingBuffer],
        sizes: tuple[tuple[int, int], ...] = SIZES,
    ) -> None:
        self._make = make
        self._classes = tuple(_SizeClass(nbytes, limit) for nbytes, limit in sizes)
        self._changed = threading.Condition()

    def take(self, nbytes: int) -> StagingBuffer:
        """Gives a free buffer, waiting for one if need be.

        Args:
            nbytes: bytes still to copy; the buffer holds these, or is one of the
                largest.
        """
        buffer = self._take(nbytes, wait=True)
        assert buffer is not None  # it waits
        return buffer

    def try_take(self, nbytes: int) -> StagingBuffer | None:
        """Gives a free buffer, or None where another thread would have to give one back.

        Who holds a buffer already takes the next one like this: if everybody waited
        for a second buffer, nobody would ever give one back.
        """
        return self._take(nbytes, wait=False)

    def give_back(self, buffer: StagingBuffer) -> None:
        """Takes a buffer back; its copy may still be under way."""
        with self._changed:
            self._class_for(len(buffer.view)).given_back.append(buffer)
            self._changed.notify_all()

    def _class_for(self, nbytes: int) -> _SizeClass:
        for size_class in self._classes:
            if nbytes <= size_class.nbytes:
                return size_class
        return self._classes[-1]

    def _take(self, nbytes: int, wait: bool) -> StagingBuffer | None:
        size_class = self._class_for(nbytes)
        given_back = size_class.given_back
        with self._changed:
            while not given_back and size_class.made == size_class.limit:
                if not wait:
                    return None
                self._changed.wait()
            if given_back and (given_back[0].event.done or size_class.made == size_class.limit):
                buffer = given_back.popleft()
            else:
                size_class.made += 1
                buffer = None
        if buffer is None:
            return self._make_one(size_class)
        buffer.event.synchronize()
        return buffer

    def _make_one(self, size_class: _SizeClass) -> StagingBuffer:
        try:
            return self._make(size_class.nbytes)
        except BaseException:
            with self._changed:
                size_class.made -= 1
                self._changed.notify_all()
            raise


def upload(cupy: Any, staging: StagingPool, source: Host, pointer: int, stream: Any) -> None:
    """Queues a copy of host data to a card.

    The data has been read when this returns, so its owner may change it.

    Args:
        cupy: the CuPy module.
        staging: buffers of the card.
        source: the data, contiguous in C order.
        pointer: where to write on the card.
        stream: the stream to copy on.
    """
    runtime = cupy.cuda.runtime
    data = _bytes_of(source)
    start = 0
    while start < len(data):
        buffer = staging.take(len(data) - start)
        try:
            chunk = data[start : start + len(buffer.view)]
            np.copyto(buffer.view[: len(chunk)], chunk)
            runtime.memcpyAsync(
                pointer + start,
                buffer.pointer,
                len(chunk),
                runtime.memcpyHostToDevice,
                stream.ptr,
            )
            buffer.event.record(stream)
        finally:
            staging.give_back(buffer)
        start += len(chunk)


def download(cupy: Any, staging: StagingPool, pointer: int, target: Host, stream: Any) -> None:
    """Copies from a card into host memory; complete when it returns.

    Args:
        cupy: the CuPy module.
        staging: buffers of the card.
        pointer: where to read on the card.
        target: where to write, contiguous in C order.
        stream: the stream to copy on.
    """
    data = _bytes_of(target)
    under_way: deque[tuple[StagingBuffer, Host]] = deque()
    start = 0
    try:
        while start < len(data) or under_way:
            buffer = None
            if start < len(data) and len(under_way) < _IN_FLIGHT:
                take = staging.try_take if under_way else staging.take
                buffer = take(len(data) - start)
            if buffer is None:
                _finish(*under_way[0])
                staging.give_back(under_way.popleft()[0])
                continue
            chunk = data[start : start + len(buffer.view)]
            under_way.append((buffer, chunk))
            _fetch(cupy, pointer + start, buffer, len(chunk), stream)
            start += len(chunk)
    finally:
        for buffer, _ in under_way:
            staging.give_back(buffer)


def _fetch(cupy: Any, pointer: int, buffer: StagingBuffer, nbytes: int, stream: Any) -> None:
    runtime = cupy.cuda.runtime
    runtime.memcpyAsync(buffer.pointer, pointer, nbytes, runtime.memcpyDeviceToHost, stream.ptr)
    buffer.event.record(stream)


def _finish(buffer: StagingBuffer, chunk: Host) -> None:
    buffer.event.synchronize()
    np.copyto(chunk, buffer.view[: len(chunk)])


def _bytes_of(array: Host) -> Host:
    return array.reshape(-1).view(np.uint8)
