"""Errors of CUDA and CuPy in the words of this library."""

from tensorvar import errors
from tensorvar._backend import memory_ledger

# Both interfaces of CUDA put the name of the error first in their text.
_OUT_OF_MEMORY = (
    'cudaErrorMemoryAllocation',
    'CUDA_ERROR_OUT_OF_MEMORY',
    'CUBLAS_STATUS_ALLOC_FAILED',
    'CUSOLVER_STATUS_ALLOC_FAILED',
    'CUSPARSE_STATUS_ALLOC_FAILED',
    'CUFFT_ALLOC_FAILED',
)

# After one of these every later call of the process on that card fails, too.
_LOST = (
    'cudaErrorDevicesUnavailable',
    'cudaErrorNoDevice',
    'cudaErrorInvalidDevice',
    'cudaErrorECCUncorrectable',
    'cudaErrorNvlinkUncorrectable',
    'cudaErrorIllegalAddress',
    'cudaErrorLaunchTimeout',
    'cudaErrorContextIsDestroyed',
    'cudaErrorAssert',
    'cudaErrorHardwareStackError',
    'cudaErrorIllegalInstruction',
    'cudaErrorMisalignedAddress',
    'cudaErrorInvalidAddressSpace',
    'cudaErrorInvalidPc',
    'cudaErrorLaunchFailure',
    'cudaErrorUnknown',
    'CUDA_ERROR_CONTEXT_IS_DESTROYED',
    'CUDA_ERROR_ECC_UNCORRECTABLE',
    'CUDA_ERROR_ILLEGAL_ADDRESS',
    'CUDA_ERROR_ILLEGAL_INSTRUCTION',
    'CUDA_ERROR_LAUNCH_FAILED',
    'CUDA_ERROR_LAUNCH_TIMEOUT',
    'CUDA_ERROR_MISALIGNED_ADDRESS',
)

_MISSING_TOOLKIT = ('libnvrtc', 'Failed to find CUDA headers')


def translate(
    error: RuntimeError, device: str, requirement: str, in_use: int
) -> errors.OpError | None:
    """Gives the error of this library that says what ``error`` means.

    Args:
        error: what CuPy raised.
        device: short name of the device it was raised on.
        requirement: what to install for CuPy and all it needs.
        in_use: bytes charged to the device.

    Returns:
        The error to raise instead, or None where ``error`` says it well enough.
    """
    text = str(error)
    if isinstance(error, errors.InternalError) and any(mark in text for mark in _LOST):
        # A launch of our own that the driver refused: its error stands behind ours.
        return _lost(device, text)
    if isinstance(error, errors.OpError):
        return None
    if text.startswith(_OUT_OF_MEMORY):
        return memory_ledger.out_of_memory(device, None, in_use, None)
    if text.startswith(_LOST):
        return _lost(device, text)
    if any(mark in text for mark in _MISSING_TOOLKIT):
        return errors.FailedPreconditionError(
            f'[{device}] CuPy could not compile a kernel ({text}); it needs NVRTC and the '
            f'CUDA headers; install them with: pip install "{requirement}"'
        )
    return None


def _lost(device: str, text: str) -> errors.UnavailableError:
    return errors.UnavailableError(
        f'[{device}] CUDA reported {text}; after this error the process cannot use the '
        'card any more, while values on the CPU are whole; save them and start the '
        'process again'
    )
