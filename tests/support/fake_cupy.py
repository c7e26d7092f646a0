"""A stand-in for CuPy: cards whose streams run as late as CUDA allows.

Device memory is host memory, and streams are queues. Nothing queued runs until somebody
waits for it, and then only that and what it was ordered after. So a forgotten event
shows as wrong data, on every run. Only what the CuPy backend uses is here.
"""

import ctypes
import functools
import itertools
import threading
from collections import deque
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import numpy as np

from tests.support.fake_memory import (
    Memory,
    MemoryPointer,
    OutOfMemoryError,
    Pool,
    UnownedMemory,
)

FUNCTIONS = (
    'abs', 'add', 'array', 'asarray', 'divide', 'exp', 'greater', 'matmul', 'maximum', 'minimum',
    'multiply', 'negative', 'square', 'subtract', 'sum', 'swapaxes', 'tanh', 'where',
)  # fmt: skip
"""NumPy's functions that are queued as work of the current stream."""


class CUDARuntimeError(RuntimeError):
    def __init__(self, status: int, text: str) -> None:
        super().__init__(text)
        self.status = status


def view(pointer: int, nbytes: int) -> np.ndarray[Any, Any]:
    return np.ctypeslib.as_array((ctypes.c_uint8 * nbytes).from_address(pointer))


class Stream:
    _numbers = itertools.count(1)

    def __init__(self, cuda: 'FakeCuda', device_id: int) -> None:
        self._cuda = cuda
        self.device_id = device_id
        self.ptr = next(self._numbers)
        self.queue: deque[Callable[[], None]] = deque()
        self.submitted = 0
        self.executed = 0
        self.capturing = False
        self.captured: list[Callable[[], None]] | None = None
        cuda.streams[self.ptr] = self

    def submit(self, work: Callable[[], None]) -> None:
        if self.captured is not None:
            self.captured.append(work)
            return
        self.queue.append(work)
        self.submitted += 1

    def run_to(self, position: int) -> None:
        while self.executed < position:
            self.queue.popleft()()
            self.executed += 1

    def use(self) -> None:
        assert self._cuda.device == self.device_id, 'stream of another card'
        self._cuda.current.streams[self.device_id] = self

    def record(self, event: 'Event') -> 'Event':
        event.record(self)
        return event

    def refuse_in_capture(self, what: str) -> None:
        if self.captured is not None:
            raise CUDARuntimeError(900, f'cudaErrorStreamCaptureUnsupported: {what}')

    def begin_capture(self) -> None:
        self.refuse_in_capture('a capture')
        self.captured = []

    def end_capture(self) -> 'Graph':
        assert self.captured is not None
        work, self.captured = self.captured, None
        self._cuda.graphs.append(Graph(self._cuda, work))
        return self._cuda.graphs[-1]

    def wait_event(self, event: 'Event') -> None:
        self.refuse_in_capture('work of another stream')
        stream, position = event.stream, event.position
        if stream is not None:
            self.submit(lambda: stream.run_to(position))

    def synchronize(self) -> None:
        self.refuse_in_capture('the host waits')
        self.run_to(self.submitted)

    def is_capturing(self) -> bool:
        return self.capturing or self.captured is not None


class Graph:
    """Work that was written down; it knows addresses and keeps nothing alive."""

    def __init__(self, cuda: 'FakeCuda', work: list[Callable[[], None]]) -> None:
        self._cuda = cuda
        self.work = work
        self.launched = 0

    def launch(self) -> None:
        stream = self._cuda.get_current_stream()
        for each in self.work:
            stream.submit(each)
        self.launched += 1

    def upload(self, stream: Stream) -> None:
        stream.refuse_in_capture('an upload')


class Event:
    def __init__(self, disable_timing: bool) -> None:
        self.timed = not disable_timing
        self.stream: Stream | None = None
        self.position = 0

    def record(self, stream: Stream) -> None:
        stream.refuse_in_capture('an event')
        self.stream = stream
        self.position = stream.submitted

    @property
    def done(self) -> bool:
        return self.stream is None or self.stream.executed >= self.position

    def synchronize(self) -> None:
        if self.stream is not None:
            self.stream.run_to(self.position)


def get_elapsed_time(start: Event, end: Event) -> float:
    """Milliseconds: one for each piece of work between two events."""
    assert start.timed
    assert end.timed
    assert start.done
    assert end.done
    assert start.stream is end.stream
    return float(end.position - start.position)


class Array:
    """Just enough of ``cupy.ndarray``; its code runs on the current stream."""

    cuda: 'FakeCuda'

    def __init__(self, shape: Any, dtype: Any, memptr: MemoryPointer | None = None) -> None:
        self.shape = tuple(shape)
        self.dtype = np.dtype(dtype)
        self.size = int(np.prod(self.shape, dtype=np.int64))
        self.nbytes = self.size * self.dtype.itemsize
        self.strides = np.empty(self.shape, np.dtype(np.uint8)).strides
        self.strides = tuple(stride * self.dtype.itemsize for stride in self.strides)
        self.base = None
        self.data = memptr or self.cuda.current.allocator(self.nbytes)
        self.flags = SimpleNamespace(c_contiguous=True)

    def values(self) -> np.ndarray[Any, Any]:
        return view(self.data.ptr, self.nbytes).view(self.dtype).reshape(self.shape)

    def __getitem__(self, part: Any) -> 'Array':
        """A view of the whole, or of some elements of a vector."""
        if part is Ellipsis:
            whole = type(self)(self.shape, self.dtype, self.data)
            whole.base = self
            return whole
        offset = part.start * self.dtype.itemsize
        memory = MemoryPointer(self.data.mem, self.data.offset + offset)
        view_ = type(self)((part.stop - part.start,), self.dtype, memory)
        view_.base = self
        return view_

    def copy(self, order: str = 'C') -> 'Array':
        return self.times(1)

    def __setitem__(self, part: Any, source: 'Array') -> None:
        assert part is Ellipsis
        self.cuda.module.copyto(self, source)

    def astype(self, dtype: Any) -> 'Array':
        result: Array = self.cuda.compute(np.ndarray.astype, self, dtype)
        return result

    def reshape(self, shape: Any) -> 'Array':
        result: Array = self.cuda.compute(np.reshape, self, shape)
        return result

    def swapaxes(self, first: int, second: int) -> 'Array':
        # A copy, where CuPy gives a view.
        result: Array = self.cuda.compute(np.swapaxes, self, first, second)
        return result

    def dot(self, other: 'Array') -> 'Array':
        result: Array = self.cuda.compute(np.dot, self, other)
        return result

    @property
    def ndim(self) -> int:
        return len(self.shape)

    @property
    def T(self) -> 'Array':
        result: Array = self.cuda.compute(np.transpose, self)
        return result

    def times(self, factor: int) -> 'Array':
        result = Array(self.shape, self.dtype)
        # Like a kernel, the work knows addresses and keeps nothing alive.
        read, write = self.values(), result.values()
        self.cuda.get_current_stream().submit(lambda: np.multiply(read, factor, out=write))
        return result


class FakeCuda:
    """A machine with cards, and the module ``cupy`` for it.

    Args:
        cards: how many.
    """

    def __init__(self, cards: int = 1) -> None:
        self.cards = cards
        self.peers = True
        self.corrupt_peers = False
        self.streams: dict[int, Stream] = {}
        self.graphs: list[Graph] = []
        self.set_devices: list[int] = []
        self.current = threading.local()
        self._null_streams = [Stream(self, card) for card in range(cards)]
        self.default_pool = Pool(self)
        self.allocate_pinned: Callable[[int], Any] = Memory
        self.begin_thread()
        self.module = self._make_module()

    def begin_thread(self) -> None:
        """What is current in a thread that has not chosen anything."""
        self.current.device = 0
        self.current.streams = list(self._null_streams)
        self.current.allocator = self.default_pool.malloc
        self.current.thread_allocator = None

    @property
    def device(self) -> int:
        return int(self.current.device)

    def get_current_stream(self) -> Stream:
        stream: Stream = self.current.streams[self.device]
        return stream

    def _set_device(self, device: int) -> None:
        assert 0 <= device < self.cards
        self.set_devices.append(device)
        self.current.device = device

    def _set_allocator(self, allocator: Any) -> None:
        self.current.thread_allocator = allocator
        self.current.allocator = allocator or self.default_pool.malloc

    def _set_pinned_allocator(self, allocator: Callable[[int], Any]) -> None:
        self.allocate_pinned = allocator

    def _memcpy(self, target: int, source: int, nbytes: int, kind: int) -> None:
        ctypes.memmove(target, source, nbytes)

    def _memcpy_async(self, target: int, source: int, nbytes: int, kind: int, stream: int) -> None:
        self.streams[stream].submit(lambda: ctypes.memmove(target, source, nbytes) and None)

    def _memcpy_peer_async(
        self, target: int, to: int, source: int, origin: int, nbytes: int, stream: int
    ) -> None:
        assert to != origin
        if self.corrupt_peers:
            self.streams[stream].submit(lambda: ctypes.memset(target, 0, nbytes) and None)
        else:
            self._memcpy_async(target, source, nbytes, 0, stream)

    def _copyto(self, target: Array, source: Array) -> None:
        write, read = target.values(), source.values()
        self.get_current_stream().submit(lambda: np.copyto(write, read))

    def compute(
        self, function: Callable[..., Any], *given: Any, out: Array | None = None, **options: Any
    ) -> Array:
        """Queues what a function of NumPy gives."""
        ones = [np.ones(x.shape, x.dtype) if isinstance(x, Array) else x for x in given]
        like = np.asarray(function(*ones, **options))
        result: Array = self.module.ndarray(like.shape, like.dtype) if out is None else out
        read = [x.values() if isinstance(x, Array) else x for x in given]
        write = result.values()
        self.get_current_stream().submit(lambda: np.copyto(write, function(*read, **options)))
        return result

    def _function(self, name: str) -> Callable[..., Any]:
        return functools.partial(self.compute, getattr(np, name))

    def _properties(self, ordinal: int) -> dict[str, Any]:
        return {
            'name': b'Fake Card',
            'totalGlobalMem': 1 << 30,
            'major': 9,
            'minor': 0,
            'multiProcessorCount': 132,
            'pciDomainID': 0,
            'pciBusID': 0x17 + ordinal,
            'pciDeviceID': 0,
        }

    def _make_module(self) -> Any:
        array_type = type('ndarray', (Array,), {'cuda': self})
        Array.cuda = self
        runtime = SimpleNamespace(
            CUDARuntimeError=CUDARuntimeError,
            _deviceEnsurePeerAccess=lambda other: None,
            deviceCanAccessPeer=lambda device, other: int(self.peers),
            deviceSynchronize=lambda: None,
            getDevice=lambda: self.device,
            getDeviceCount=lambda: self.cards,
            getDeviceProperties=self._properties,
            hostAllocPortable=1,
            memGetInfo=lambda: ((1 << 30) - (5 << 20), 1 << 30),
            memcpy=self._memcpy,
            memcpyAsync=self._memcpy_async,
            memcpyDeviceToDevice=3,
            memcpyDeviceToHost=2,
            memcpyHostToDevice=1,
            memcpyPeerAsync=self._memcpy_peer_async,
            runtimeGetVersion=lambda: 13000,
            setDevice=self._set_device,
        )
        cuda = SimpleNamespace(
            Event=Event,
            Memory=lambda nbytes: Memory(nbytes, self.device),
            MemoryPointer=MemoryPointer,
            PinnedMemory=lambda nbytes, flags: Memory(nbytes),
            PinnedMemoryPointer=lambda memory, offset: memory._bytes,
            Stream=lambda non_blocking: Stream(self, self.device),
            UnownedMemory=UnownedMemory,
            get_current_stream=self.get_current_stream,
            get_elapsed_time=get_elapsed_time,
            memory=SimpleNamespace(
                OutOfMemoryError=OutOfMemoryError,
                SingleDeviceMemoryPool=lambda: Pool(self),
                _get_thread_local_allocator=lambda: self.current.thread_allocator,
                _set_thread_local_allocator=self._set_allocator,
            ),
            nvrtc=SimpleNamespace(getVersion=lambda: (13, 0)),
            runtime=runtime,
            set_pinned_memory_allocator=self._set_pinned_allocator,
        )
        return SimpleNamespace(
            **{name: self._function(name) for name in FUNCTIONS},
            copyto=self._copyto,
            cuda=cuda,
            empty=lambda shape, dtype: array_type(shape, dtype),
            get_default_memory_pool=lambda: self.default_pool,
            get_default_pinned_memory_pool=lambda: SimpleNamespace(malloc=Memory),
            ndarray=array_type,
        )
