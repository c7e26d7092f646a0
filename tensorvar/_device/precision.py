"""The precision of products of float32 matrices for calls that name none."""

from typing import Final, Literal

Precision = Literal['ieee', 'tf32']

IEEE: Final = 'ieee'
TF32: Final = 'tf32'

default: Precision = IEEE


def enable_tensor_float_32_execution(enabled: bool) -> None:
    """Lets products of float32 matrices round their factors to 10 bits of mantissa.

    On cards since Ampere such products are several times as fast. It is the precision of
    every ``matmul`` that names none, and of what is made of it, in all threads; sums stay
    float32, and the CPU always computes in float32.

    Differs from TensorFlow: it is off until this is called.

    Args:
        enabled: True for TensorFloat-32, False for all 23 bits.
    """
    global default
    default = TF32 if enabled else IEEE


def tensor_float_32_execution_enabled() -> bool:
    """Whether ``enable_tensor_float_32_execution(True)`` is in force."""
    return default == TF32
