"""Which process may use CUDA.

CUDA does not survive a fork: once a process has initialised it, the processes it forks
cannot use any card. They are told so here, with what to write instead, before CUDA
answers with an error that explains nothing.
"""

from collections.abc import Callable

from tensorvar import _fork, errors

_initialised = False
_inherited = False
_in_child: list[Callable[[], None]] = []

FORKED = (
    '[GPU] a GPU was asked for in a process that was forked after CUDA had started in its '
    'parent, and CUDA cannot follow a fork; the CPU and simulated GPUs work here; start '
    'worker processes with these two lines, before anything else:\n'
    'import multiprocessing\n'
    "multiprocessing.set_start_method('spawn')"
)


def claim() -> None:
    """Says that this process is about to use CUDA.

    Raises:
        FailedPreconditionError: the process was forked after its parent had used CUDA.
    """
    global _initialised
    if _inherited:
        raise errors.FailedPreconditionError(FORKED)
    _initialised = True


def in_forked_child(function: Callable[[], None]) -> None:
    """Has ``function`` called in every child forked after this process used CUDA."""
    _in_child.append(function)


@_fork.in_child
def _after_fork() -> None:
    global _initialised, _inherited
    if not _initialised:
        return
    _initialised = False
    _inherited = True
    for function in _in_child:
        function()
