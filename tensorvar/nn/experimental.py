"""Names that TensorFlow keeps under ``tf.nn.experimental``."""

from tensorvar import _left_out
from tensorvar._ops.dropout import stateless_dropout

__all__ = [
    'stateless_dropout',
]

_left_out.install(__name__, __all__)
