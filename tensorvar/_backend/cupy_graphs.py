"""Graphs of CUDA: work of one GPU that is written down once and run again at one call.

Work is captured on a stream of its own, see ``cupy_streams``, and run on the compute
stream. A graph knows addresses, so it keeps all memory that was handed out meanwhile;
what else it reads or writes has to be where it was when the graph runs.
"""

import contextlib
import threading
from collections.abc import Callable, Iterator
from typing import Any

from tensorvar import errors
from tensorvar._backend import cupy_streams


class Graph:
    """Work that was captured.

    Args:
        graph: CuPy's.
        kept: the memory that was handed out meanwhile.
    """

    __slots__ = ('_graph', '_kept')

    def __init__(self, graph: Any, kept: list[Any]) -> None:
        self._graph = graph
        self._kept = kept

    @property
    def nbytes(self) -> int:
        """Bytes that it keeps."""
        return sum(int(pointer.mem.size) for pointer in self._kept)

    def launch(self) -> None:
        """Queues it on the current stream; to be called through ``call``."""
        self._graph.launch()


class _Uploads:
    """Keeps CuPy from uploading host data in threads that capture a graph.

    CuPy does so for lists that become arrays, and to join many arrays. Such a copy would
    read memory that serves others by the time the graph runs. And CuPy asks whether it is
    done, which CUDA answers by breaking the capture off; CuPy would go on asking for good
    and give none of the memory of later uploads back.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._captures = 0
        self._here = threading.local()

    @contextlib.contextmanager
    def refused(self, cupy: Any) -> Iterator[None]:
        """Refuses them in this thread; other threads' go on as before."""
        allocate = cupy.get_default_pinned_memory_pool().malloc

        def allocate_or_refuse(nbytes: int) -> Any:
            if getattr(self._here, 'captures', False):
                raise errors.InternalError(
                    '[capture] host data was to be uploaded while a graph was captured; only '
                    'work of the GPU itself becomes part of a graph'
                )
            return allocate(nbytes)

        with self._lock:
            self._captures += 1
            cupy.cuda.set_pinned_memory_allocator(allocate_or_refuse)
        self._here.captures = True
        try:
            yield
        finally:
            self._here.captures = False
            with self._lock:
                self._captures -= 1
                if not self._captures:
                    cupy.cuda.set_pinned_memory_allocator(allocate)


_uploads = _Uploads()


def capture(session: cupy_streams.Session, function: Callable[[], Any]) -> tuple[Graph, Any]:
    """Writes down what a function queues; nothing of it is run.

    To be called through ``call``. Whatever the work needs once, such as compiled kernels,
    should be there already.

    Args:
        session: of the GPU.
        function: it must neither copy from or to the host, nor wait.

    Returns:
        The graph, and what the function gave: arrays that the graph writes.
    """
    under_way = cupy_streams.Capture(session)
    stream = under_way.stream
    session.thread.capture = under_way
    try:
        with cupy_streams.Activation(session), _uploads.refused(session.cupy):
            stream.begin_capture()
            try:
                result = function()
            except BaseException:
                # The capture may have broken off, which ending it says a second time.
                with contextlib.suppress(RuntimeError):
                    stream.end_capture()
                raise
            graph = stream.end_capture()
    finally:
        session.thread.capture = None
    # What takes long is done now and not when it is first launched.
    graph.upload(stream)
    stream.synchronize()
    return Graph(graph, under_way.kept), result
