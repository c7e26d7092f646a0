"""Graphs of CUDA: work of one GPU that is written down once and run again at one call.

Work is captured on a stream of its own, see ``cupy_streams``, and run on the compute
stream. A graph knows addresses, so it keeps all memory that was handed out meanwhile;
what else it reads or writes has to be where it was when the graph runs.
"""

import contextlib
from collections.abc import Callable
from typing import Any

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
        with cupy_streams.Activation(session):
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
