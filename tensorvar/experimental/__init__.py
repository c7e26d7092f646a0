"""Names that TensorFlow keeps under ``tf.experimental``."""

from tensorvar import _left_out
from tensorvar.experimental import dlpack as dlpack

__all__ = ['dlpack']

_left_out.install(__name__, __all__)
