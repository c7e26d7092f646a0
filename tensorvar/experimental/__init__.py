"""Names that TensorFlow keeps under ``tf.experimental``."""

from tensorvar.experimental import dlpack as dlpack

__all__ = ['dlpack']
