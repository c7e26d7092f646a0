"""TensorFlow's ``tf.config.threading``."""

from tensorvar import _left_out
from tensorvar._device.thread_settings import (
    get_inter_op_parallelism_threads as get_inter_op_parallelism_threads,
)
from tensorvar._device.thread_settings import (
    get_intra_op_parallelism_threads as get_intra_op_parallelism_threads,
)
from tensorvar._device.thread_settings import (
    set_inter_op_parallelism_threads as set_inter_op_parallelism_threads,
)
from tensorvar._device.thread_settings import (
    set_intra_op_parallelism_threads as set_intra_op_parallelism_threads,
)

__all__ = [
    'get_inter_op_parallelism_threads',
    'get_intra_op_parallelism_threads',
    'set_inter_op_parallelism_threads',
    'set_intra_op_parallelism_threads',
]

_left_out.install(__name__, __all__)
