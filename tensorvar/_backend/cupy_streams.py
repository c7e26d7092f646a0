"""The streams of one logical GPU, and how their work is kept in order.

Three streams: one computes, one carries data in, one carries data out. All threads
share them. Work on different streams is ordered by events:

- The compute stream waits for every copy in, so that array code finds the data there.
- A copy out waits for the compute stream, and the host for the copy.
- A copy in may start at once, while the compute stream is busy, because it goes to
  memory that only the incoming stream hands out (``land``). CuPy's pool keeps blocks
  apart by stream. When such an array dies, the incoming stream is made to wait for the
  array code queued so far (``_Landed``), before it can hand out the block again.
- A copy over an array that exists waits for the compute stream before, too.

One event per stream serves all threads: if another thread records it anew before this
one waits, this one waits for a later point, which includes its own.

While a thread captures a graph, its array code goes to a stream of its own: what other
threads queue meanwhile on the shared one is run, and is no part of the graph.
"""

import sys
import threading
import weakref
from collections.abc import Sequence
from typing import Any

import numpy as np

from tensorvar import dtypes, errors
from tensorvar._backend import cupy_memory, pinned


class _Thread(threading.local):
    """What holds of a card in one thread.

    Attributes:
        bound: whether this thread has had the card's context current.
        capture: where its array code goes while it captures a graph, or None.
    """

    bound = False
    capture: 'Capture | None' = None


class Capture:
    """Where array code of one thread goes while it captures a graph.

    Args:
        session: of the GPU, whose card is current.

    Attributes:
        stream: the stream that is captured.
        pointer: CUDA's handle of it.
        kept: all memory that was handed out; a graph goes on writing there.
    """

    def __init__(self, session: 'Session') -> None:
        self._allocate = session.allocate
        self.stream = session.cupy.cuda.Stream(non_blocking=True)
        self.pointer = int(self.stream.ptr)
        self.kept: list[Any] = []

    def allocate(self, nbytes: int) -> Any:
        """Hands out memory that is not handed out again."""
        pointer = self._allocate(nbytes)
        self.kept.append(pointer)
        return pointer


class Session:
    """The CUDA objects of one logical GPU, made on its first use.

    Args:
        cupy: the CuPy module.
        ordinal: CUDA's number of the card.
        device: short name of the logical GPU.
        limit: bytes that may be taken from the card, or None.

    Attributes:
        compute: the stream that array code runs on.
        incoming: the stream that carries data to this GPU.
        outgoing: the stream that carries data to the host.
        memory: what hands out memory.
        allocate: ``memory.allocate`` as one object, to be compared by ``is``.
        staging: pinned buffers.
        get_device: CUDA's number of this thread's current card.
        thread: what holds in this thread.
        abandoned: whether this is a forked child's copy, which must not call CUDA.
    """

    def __init__(self, cupy: Any, ordinal: int, device: str, limit: int | None) -> None:
        self.cupy = cupy
        self.ordinal = ordinal
        self.abandoned = False
        self.get_stream = cupy.cuda.get_current_stream
        self.get_allocator = cupy.cuda.memory._get_thread_local_allocator
        self.set_allocator = cupy.cuda.memory._set_thread_local_allocator
        self._runtime = cupy.cuda.runtime
        self.get_device = cupy.cuda.runtime.getDevice
        self.thread = _Thread()
        previous = self.make_device_current()
        try:
            self.memory = cupy_memory.PoolMemory(cupy, ordinal, device, limit)
            self.allocate = self.memory.allocate
            self.compute = cupy.cuda.Stream(non_blocking=True)
            self.incoming = cupy.cuda.Stream(non_blocking=True)
            self.outgoing = cupy.cuda.Stream(non_blocking=True)
            self._computed = cupy.cuda.Event(disable_timing=True)
            self._arrived = cupy.cuda.Event(disable_timing=True)
        finally:
            self.restore_device(previous)
        self._compute_pointer = int(self.compute.ptr)
        self.staging = pinned.StagingPool(lambda nbytes: pinned.allocate(cupy, nbytes))
        self._waiting_blocks: list[Any] = []

    def make_device_current(self) -> int:
        """Makes the card current in this thread; returns the one that was."""
        previous = int(self.get_device())
        if previous != self.ordinal or not self.thread.bound:
            # A new thread has a current card, but no context, which launching through the
            # driver needs: this makes the card's the current one.
            self._runtime.setDevice(self.ordinal)
            self.thread.bound = True
        return previous

    def restore_device(self, previous: int) -> None:
        """Makes the card current that ``make_device_current`` returned."""
        if previous != self.ordinal:
            self._runtime.setDevice(previous)

    def is_current(self) -> bool:
        """Whether array code of this thread runs on this GPU's stream and memory."""
        return self.get_stream() is self.compute and self.get_allocator() is self.allocate

    def stream_pointer(self) -> int:
        """CUDA's handle of the stream that array code of this thread goes to."""
        capture = self.thread.capture
        return self._compute_pointer if capture is None else capture.pointer

    def land(self, shape: Sequence[int], dtype: np.dtype[Any]) -> Any:
        """Returns an array that the incoming stream may write at once."""
        self._refuse_in_capture()
        cupy = self.cupy
        if self._waiting_blocks:
            self._retire_waiting()
        nbytes = dtypes.size_in_bytes(tuple(shape), dtype)
        self.incoming.use()
        try:
            pointer = self.allocate(nbytes)
        finally:
            self.compute.use()
        owner = _Landed(self, pointer)
        memory = cupy.cuda.UnownedMemory(pointer.ptr, nbytes, owner, self.ordinal)
        return cupy.ndarray(shape, dtype, memptr=cupy.cuda.MemoryPointer(memory, 0))

    def computed(self) -> Any:
        """An event that passes when the array code queued so far is done."""
        return self._record(self._computed, self.compute)

    def arrived(self) -> Any:
        """An event that passes when the copies in queued so far are done."""
        return self._record(self._arrived, self.incoming)

    def order(self, stream: Any, event: Any) -> None:
        """Has a stream of this GPU wait for an event, which may be another card's."""
        previous = self.make_device_current()
        try:
            stream.wait_event(event)
        finally:
            self.restore_device(previous)

    def upload(self, host: np.ndarray[Any, Any], pointer: int) -> None:
        """Queues a copy of contiguous host data to this card's memory."""
        self._refuse_in_capture()
        pinned.upload(self.cupy, self.staging, host, pointer, self.incoming)
        self.order(self.compute, self.arrived())

    def download(self, pointer: int, host: np.ndarray[Any, Any]) -> None:
        """Copies to contiguous host memory, after the array code queued so far."""
        self._refuse_in_capture()
        self.order(self.outgoing, self.computed())
        pinned.download(self.cupy, self.staging, pointer, host, self.outgoing)

    def receive(self, other: 'Session', source: int, target: int, nbytes: int) -> None:
        """Queues a copy between two addresses, ``source`` being memory of ``other``.

        The other GPU's array code waits for the end of the copy: it may give the
        memory to somebody else, or write it.
        """
        self._refuse_in_capture()
        runtime = self._runtime
        stream = self.incoming
        self.order(stream, other.computed())
        if other.ordinal == self.ordinal:
            kind = runtime.memcpyDeviceToDevice
            runtime.memcpyAsync(target, source, nbytes, kind, stream.ptr)
        else:
            runtime.memcpyPeerAsync(target, self.ordinal, source, other.ordinal, nbytes, stream.ptr)
        arrived = self.arrived()
        self.order(self.compute, arrived)
        other.order(other.compute, arrived)

    def follow(self, other: 'Session') -> None:
        """Has array code queued here later wait for what ``other`` has queued so far."""
        self.order(self.compute, other.computed())

    def retire(self, pointer: Any) -> None:
        """Hears that the last array over a landed block died."""
        if self.abandoned or sys.is_finalizing():
            return
        if self.compute.is_capturing():
            # An event recorded now would become part of the graph that is captured.
            self._waiting_blocks.append(pointer)
            return
        self.order(self.incoming, self.computed())

    def _retire_waiting(self) -> None:
        if not self.compute.is_capturing():
            self.order(self.incoming, self.computed())
            self._waiting_blocks.clear()

    def _refuse_in_capture(self) -> None:
        # It would be done once, and not when the graph runs.
        if self.thread.capture is not None:
            raise errors.InternalError(
                '[capture] data was to be copied to or from this GPU while a graph of it was '
                'captured; only work of the GPU itself becomes part of a graph'
            )

    def _record(self, event: Any, stream: Any) -> Any:
        previous = self.make_device_current()
        try:
            event.record(stream)
        finally:
            self.restore_device(previous)
        return event

    def synchronize(self) -> None:
        """Waits until everything queued here is done."""
        self.incoming.synchronize()
        self.compute.synchronize()
        self.outgoing.synchronize()


class _Landed:
    """Owns a block that was written by the incoming stream first."""

    __slots__ = ('_pointer', '_session')

    def __init__(self, session: Session, pointer: Any) -> None:
        # Where both die in one collection, CuPy may have destroyed the session's streams and
        # events before; the collector clears such references first.
        self._session = weakref.ref(session)
        self._pointer = pointer

    def __del__(self) -> None:
        session = self._session()
        if session is not None:
            session.retire(self._pointer)


class Activation:
    """Makes a GPU's card, compute stream and memory current in this thread.

    Leaving puts back what was current before, so that the program's own CuPy code is
    not affected.
    """

    __slots__ = ('_allocator', '_device', '_session', '_stream')

    def __init__(self, session: Session) -> None:
        self._session = session

    def __enter__(self) -> Any:
        session = self._session
        self._device = session.make_device_current()
        self._stream = session.get_stream()
        self._allocator = session.get_allocator()
        capture = session.thread.capture
        if capture is not None:
            capture.stream.use()
            session.set_allocator(capture.allocate)
            return capture.stream
        session.compute.use()
        session.set_allocator(session.allocate)
        return session.compute

    def __exit__(self, *error: object) -> None:
        session = self._session
        session.make_device_current()  # the body may have chosen another card
        self._stream.use()
        session.set_allocator(self._allocator)
        session.restore_device(self._device)


class JoinedStream(Activation):
    """An ``Activation`` for the program's own CuPy code.

    What the program queued on its current stream of this card comes before, and what
    it queues there afterwards comes after, the code inside.
    """

    __slots__ = ()

    def __enter__(self) -> Any:
        compute = super().__enter__()
        if self._stream is not compute:
            compute.wait_event(self._stream.record(self._event()))
        return compute

    def __exit__(self, *error: object) -> None:
        # With the card current, as a null stream belongs to whichever card that is.
        self._session.make_device_current()
        compute = self._session.compute
        if self._stream is not compute:
            self._stream.wait_event(compute.record(self._event()))
        super().__exit__(*error)

    def _event(self) -> Any:
        return self._session.cupy.cuda.Event(disable_timing=True)
