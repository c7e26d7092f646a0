"""``tv.config.threading``: TensorFlow's thread counts."""

from typing import SupportsIndex

from tensorvar import errors
from tensorvar._device import configuration


def get_inter_op_parallelism_threads() -> int:
    """The number set by ``set_inter_op_parallelism_threads``.

    Returns:
        That number; 0 at first.
    """
    return configuration.settings.inter_op_threads


def set_inter_op_parallelism_threads(num_threads: SupportsIndex) -> None:
    """Keeps a number for the getter.

    Differs from TensorFlow: operations run in the thread that calls them, one after
    another, so the number changes nothing else.

    Args:
        num_threads: a whole number from 0; 0 lets the system choose.

    Raises:
        InvalidArgumentError: it is no such number.
        FailedPreconditionError: a device was used already.
    """
    op = 'set_inter_op_parallelism_threads'
    configuration.change(op, inter_op_threads=_count(op, num_threads))


def get_intra_op_parallelism_threads() -> int:
    """The number set by ``set_intra_op_parallelism_threads``.

    Returns:
        That number; 0 at first.
    """
    return configuration.settings.intra_op_threads


def set_intra_op_parallelism_threads(num_threads: SupportsIndex) -> None:
    """Sets how many threads share large elementwise work and copies on the CPU.

    Without it they are as many as OMP_NUM_THREADS says, else as the process has processors,
    or as much time of them as the quota of a container grants; 1 keeps such work in the
    thread that asks for it. Results are the same bits in any case.

    Differs from TensorFlow: the threads inside a matrix product are those of NumPy's BLAS
    library, which reads OMP_NUM_THREADS, OPENBLAS_NUM_THREADS or MKL_NUM_THREADS when
    NumPy is imported; set these to limit them, and see ``tv.config.cpu_blas``.

    Args:
        num_threads: a whole number from 0; 0 lets the system choose.

    Raises:
        InvalidArgumentError: it is no such number.
        FailedPreconditionError: a device was used already.
    """
    op = 'set_intra_op_parallelism_threads'
    configuration.change(op, intra_op_threads=_count(op, num_threads))


def _count(op: str, value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, SupportsIndex) or value.__index__() < 0:
        raise errors.InvalidArgumentError(
            f'[{op}] {value!r} was given; allowed are whole numbers from 0; '
            f'give 0 to let the system choose'
        )
    return value.__index__()
