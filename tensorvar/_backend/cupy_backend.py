"""Real GPUs: CuPy arrays, with memory and streams of each logical GPU's own."""

import threading
import time
import weakref
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, NoReturn

import numpy as np

from tensorvar import errors
from tensorvar._backend import (
    cupy_errors,
    cupy_graphs,
    cupy_module,
    cupy_process,
    cupy_streams,
    faults,
    gpu_discovery,
    memory_ledger,
    peer,
    pinned,
)
from tensorvar._backend.base import Array, Backend, MemoryInfo, Timed


class Chip(NamedTuple):
    """What kernels are compiled for, and where they run.

    Attributes:
        capability: compute capability, as (major, minor).
        multiprocessors: how many the card has.
        stream: gives CUDA's handle of the stream that array code of this thread goes to.
        cuda: major version of CUDA that CuPy was built for.
    """

    capability: tuple[int, int]
    multiprocessors: int
    stream: Callable[[], int]
    cuda: int


class CupyBackend(Backend):
    """Memory and array code of one logical GPU.

    It costs no CUDA context, memory or stream until its first use.

    Args:
        device: short name, such as ``'GPU:0'``.
        ordinal: CUDA's number of the card.
        limit: bytes that may be taken from the card, or None for all there are.
    """

    captures = True

    def __init__(self, device: str, ordinal: int, limit: int | None = None) -> None:
        super().__init__(device)
        memory_ledger.check_limit(device, limit)
        self.ordinal = ordinal
        self._cupy: Any = gpu_discovery.load_cupy()
        self.array_module = cupy_module.complete(self._cupy)
        self.array_type = self._cupy.ndarray
        self._limit = limit
        self._session: cupy_streams.Session | None = None
        self._lock = threading.Lock()
        _backends.add(self)

    def call(self, function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        if faults.armed:
            self._count_use()
        try:
            session = self._session or self._open()
            if session.is_current():
                return function(*args, **kwargs)
            with cupy_streams.Activation(session):
                return function(*args, **kwargs)
        except RuntimeError as error:
            self._raise(error)

    def launch(self, function: Callable[..., Any], *args: Any) -> Any:
        session = self._session
        # A new thread has a current card, but no context, which the driver needs.
        if session is None or not session.thread.bound or session.get_device() != self.ordinal:
            return self.call(function, *args)
        try:
            return function(*args)
        except RuntimeError as error:
            self._raise(error)

    def timed_call(self, function: Callable[..., Any], *args: Any, **kwargs: Any) -> Timed:
        return self.call(self._timed, function, args, kwargs)  # type: ignore[no-any-return]

    def stream(self) -> cupy_streams.JoinedStream:
        """A context in which the program's own CuPy code is ordered with ours.

        Inside, the card, its compute stream and its memory are current; the ``with``
        statement gives the CuPy stream. Code queued on the program's own stream before
        is waited for, and what it queues there afterwards waits for the code inside.
        """
        return cupy_streams.JoinedStream(self._session or self._open())

    def empty(self, shape: Sequence[int], dtype: np.dtype[Any]) -> Array:
        return self.call(self._cupy.empty, tuple(shape), dtype)

    def from_host(self, host: np.ndarray[Any, Any]) -> Array:
        self._count_use('copy')
        return self.call(self._upload, np.asarray(host, order='C'))

    def to_host(self, array: Array) -> np.ndarray[Any, Any]:
        self._count_use('copy')
        host: np.ndarray[Any, Any] = self.call(self._download, array)
        self._waited()
        return host

    def copy(self, array: Array) -> Array:
        return self.call(array.copy, 'C')

    def copy_from(self, other: Backend, array: Array) -> Array:
        """Copies from another logical GPU directly, or through the host."""
        self._count_use('copy')
        if not isinstance(other, CupyBackend):
            return self.call(self._upload, other.to_host(array))
        other._count_use('copy')
        source = other.call(_contiguous, array)
        if peer.table.route(self._cupy, other.ordinal, self.ordinal) != 'peer':
            return self.call(self._upload, other.call(other._download, source))
        return self.call(self._receive, other, source)

    def refresh(self, target: Array, source: Array) -> None:
        self._count_use('copy')
        if (target.shape, target.dtype) != (source.shape, source.dtype):
            # Bytes are copied to an address; anything longer would overrun the buffer.
            raise errors.InvalidArgumentError(
                f'[refresh] {source.dtype} {source.shape} was given for a buffer of '
                f'{target.dtype} {target.shape} on {self.device}; a buffer is overwritten with '
                'its own dtype and shape; convert the data first'
            )
        if isinstance(source, np.ndarray):
            self.call(self._overwrite, target, np.asarray(source, order='C'))
            return
        # All that is known of the array is its card, so each logical GPU there counts.
        others = _opened_on(source.data.device_id, except_for=self)
        if source.data.device_id == self.ordinal:
            self._follow(*others)
            self.call(self._cupy.copyto, target, source)
            for other in others:
                other._follow(self)
        else:
            self._refresh_from_card(target, source, *others)

    def synchronize(self) -> None:
        self._count_use()
        if self._session is not None:
            self.call(self._session.synchronize)
            self._waited()

    def memory_info(self) -> MemoryInfo:
        """Returns the bytes in use.

        ``other`` is what the card has in use beyond the memory of this process's logical
        GPUs there: CUDA's own, library workspace, other programs. It is 0 before the
        first use, as asking would create the CUDA context.
        """
        session = self._session
        if session is None:
            return MemoryInfo(0, 0, self._limit, 0)
        free, total = self.call(self._cupy.cuda.runtime.memGetInfo)
        pools = sum(gpu._opened().memory.taken for gpu in _opened_on(self.ordinal))
        memory = session.memory
        in_use = memory.in_use
        other = max(total - free - pools, 0)
        return MemoryInfo(in_use, max(memory.peak, in_use), memory.limit, other)

    def reset_memory_stats(self) -> None:
        if self._session is not None:
            self._session.memory.reset_peak()

    def set_memory_limit(self, nbytes: int | None) -> None:
        memory_ledger.check_limit(self.device, nbytes)
        with self._lock:
            self._limit = nbytes
            if self._session is not None:
                self._session.memory.set_limit(nbytes)

    def release_memory(self) -> int:
        """Gives the card back what nobody needs; returns how many bytes it got."""
        session = self._session
        if session is None:
            return 0
        memory = session.memory
        before = memory.taken
        memory_ledger.reclaim(self.device, lambda: memory.in_use, -1)
        self.call(memory.free_kept_blocks)
        freed = max(before - memory.taken, 0)
        memory_ledger.report('release', self.device, freed, memory.in_use, '')
        return freed

    def chip(self) -> Chip:
        """What kernels are compiled for; to be asked through ``call``."""
        session = self._opened()
        runtime = self._cupy.cuda.runtime
        facts = runtime.getDeviceProperties(self.ordinal)
        capability = int(facts['major']), int(facts['minor'])
        return Chip(
            capability,
            int(facts['multiProcessorCount']),
            session.stream_pointer,
            runtime.runtimeGetVersion() // 1000,
        )

    def library_memory(self, nbytes: int) -> Any:
        """Memory for a library of CUDA's, outside the pool; to be asked through ``call``.

        It counts as ``other``. Its address is ``ptr``; it is freed with the object.
        """
        return self._cupy.cuda.Memory(nbytes)

    def is_capturing(self) -> bool:
        """Whether what is launched now goes into a graph and is not run."""
        session = self._session
        return session is not None and session.thread.capture is not None

    def capture(self, function: Callable[[], Any]) -> tuple[cupy_graphs.Graph, Any]:
        """Writes down what a function queues, as a graph; see ``cupy_graphs.capture``."""
        return self.call(lambda: cupy_graphs.capture(self._opened(), function))  # type: ignore[no-any-return]

    def shared_words(self, count: int) -> tuple[np.ndarray[Any, Any], Array]:
        """Zeros that both the host and kernels of this card read and write.

        To be called through ``call``. Every card of the process sees page-locked memory
        at the host's address; what a kernel wrote is there once the host has waited.

        Args:
            count: how many words of 64 bits.

        Returns:
            The words as an array of the host, and as one of this card.
        """
        session = self._opened()
        buffer = pinned.allocate(self._cupy, 8 * count)
        words = buffer.view.view(np.uint64)
        words[...] = 0
        cuda = self._cupy.cuda
        memory = cuda.UnownedMemory(buffer.pointer, 8 * count, buffer, session.ordinal)
        pointer = cuda.MemoryPointer(memory, 0)
        return words, self._cupy.ndarray((count,), words.dtype, memptr=pointer)

    def abandon(self) -> None:
        """Gives the CUDA objects up without calling CUDA; for a forked child."""
        self._lock = threading.Lock()
        self.kernels = self.on_wait = None
        if self._session is not None:
            self._session.abandoned = True
            _abandoned.append(self._session)
            self._session = None

    def _open(self) -> cupy_streams.Session:
        with self._lock:
            if self._session is None:
                cupy_process.claim()
                self._session = cupy_streams.Session(
                    self._cupy, self.ordinal, self.device, self._limit
                )
            return self._session

    def _raise(self, error: RuntimeError) -> NoReturn:
        """Raises an error of CUDA or CuPy in this library's words."""
        session = self._session
        in_use = session.memory.in_use if session is not None else 0
        requirement = gpu_discovery.cupy_requirement()
        translated = cupy_errors.translate(error, self.device, requirement, in_use)
        try:
            if translated is None:
                raise error
            raise translated from error
        finally:
            # An error that this frame, of its own traceback, still knew would keep itself
            # alive, and the arrays of all frames with it.
            del error, translated

    def _opened(self) -> cupy_streams.Session:
        """The session, for code that ``call`` runs."""
        assert self._session is not None
        return self._session

    def _timed(self, function: Callable[..., Any], args: Any, kwargs: Any) -> Timed:
        cuda = self._cupy.cuda
        stream = cuda.get_current_stream()
        start, end = cuda.Event(disable_timing=False), cuda.Event(disable_timing=False)
        start.record(stream)
        result = function(*args, **kwargs)
        end.record(stream)
        end.synchronize()
        # CUDA tells how long it took, not when: the end is what the host has just seen.
        end_ns = time.perf_counter_ns()
        milliseconds = cuda.get_elapsed_time(start, end)
        return Timed(result, end_ns - round(milliseconds * 1e6), end_ns)

    def _upload(self, host: np.ndarray[Any, Any]) -> Array:
        session = self._opened()
        array = session.land(host.shape, host.dtype)
        session.upload(host, array.data.ptr)
        return array

    def _overwrite(self, target: Array, host: np.ndarray[Any, Any]) -> None:
        session = self._opened()
        session.order(session.incoming, session.computed())
        session.upload(host, target.data.ptr)

    def _download(self, array: Array) -> np.ndarray[Any, Any]:
        source = _contiguous(array)
        host = np.empty(array.shape, array.dtype)
        self._opened().download(source.data.ptr, host)
        return host

    def _receive(self, other: 'CupyBackend', source: Array) -> Array:
        session = self._opened()
        array = session.land(source.shape, source.dtype)
        session.receive(other._opened(), source.data.ptr, array.data.ptr, source.nbytes)
        return array

    def _receive_over(self, target: Array, other: 'CupyBackend', source: Array) -> None:
        session = self._opened()
        session.order(session.incoming, session.computed())
        session.receive(other._opened(), source.data.ptr, target.data.ptr, source.nbytes)

    def _refresh_from_card(
        self, target: Array, source: Array, other: 'CupyBackend', *neighbours: 'CupyBackend'
    ) -> None:
        other._follow(*neighbours)
        source = other.call(_contiguous, source)
        if peer.table.route(self._cupy, other.ordinal, self.ordinal) == 'peer':
            self.call(self._receive_over, target, other, source)
        else:
            self.call(self._overwrite, target, other.call(other._download, source))
        for neighbour in neighbours:
            neighbour._follow(other)

    def _follow(self, *others: 'CupyBackend') -> None:
        """Has later array code wait for what other logical GPUs have queued so far."""
        session = self._session or self._open()
        for other in others:
            session.follow(other._opened())


def _contiguous(array: Array) -> Array:
    return array if array.flags.c_contiguous else array.copy('C')


_backends: 'weakref.WeakSet[CupyBackend]' = weakref.WeakSet()

_abandoned: list[cupy_streams.Session] = []
"""What a forked child inherited: kept, as destroying it would call CUDA."""


def _opened_on(ordinal: int, except_for: CupyBackend | None = None) -> list[CupyBackend]:
    """The logical GPUs of a card that have been used, by name."""
    return [
        backend
        for backend in sorted(_backends, key=lambda backend: backend.device)
        if backend.ordinal == ordinal and backend._session is not None and backend is not except_for
    ]


def _free_kept_blocks(device: str, missing: int) -> int:
    """Empties the pools of every logical GPU on the card of ``device``, and CuPy's own."""
    ordinals = {backend.ordinal for backend in tuple(_backends) if backend.device == device}
    freed = 0
    for ordinal in ordinals:
        for backend in _opened_on(ordinal):
            freed += backend.call(backend._opened().memory.free_kept_blocks)
            backend.call(backend._cupy.get_default_memory_pool().free_all_blocks)
    return freed


def _abandon_all() -> None:
    for backend in tuple(_backends):
        backend.abandon()


memory_ledger.register_reclaimer(memory_ledger.Stage.POOL, _free_kept_blocks)
cupy_process.in_forked_child(_abandon_all)
