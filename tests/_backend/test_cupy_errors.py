"""What errors of CUDA and CuPy become."""

import pytest

from tensorvar import errors
from tensorvar._backend import cupy_errors


def translate(error: RuntimeError) -> errors.OpError | None:
    return cupy_errors.translate(error, 'GPU:0', 'tensorvar[cuda13]', 512)


@pytest.mark.parametrize(
    ('text', 'expected'),
    [
        ('cudaErrorMemoryAllocation: out of memory', errors.ResourceExhaustedError),
        ('CUDA_ERROR_OUT_OF_MEMORY: out of memory', errors.ResourceExhaustedError),
        ('CUBLAS_STATUS_ALLOC_FAILED', errors.ResourceExhaustedError),
        ('cudaErrorIllegalAddress: an illegal memory access', errors.UnavailableError),
        ('CUDA_ERROR_LAUNCH_FAILED: unspecified', errors.UnavailableError),
        ('CuPy failed to load libnvrtc.so.13: OSError', errors.FailedPreconditionError),
        ('Failed to find CUDA headers. Please', errors.FailedPreconditionError),
    ],
)
def test_known_errors_become_ours(text: str, expected: type[errors.OpError]) -> None:
    translated = translate(RuntimeError(text))
    assert type(translated) is expected
    assert 'GPU:0' in str(translated)


def test_a_missing_toolkit_says_what_to_install() -> None:
    assert 'pip install "tensorvar[cuda13]"' in str(translate(RuntimeError('no libnvrtc.so')))


def test_a_refused_launch_of_ours_tells_whether_the_card_is_lost() -> None:
    text = '[launch] a kernel failed: CUDA_ERROR_ILLEGAL_ADDRESS: an illegal address (700)'
    assert type(translate(errors.InternalError(text))) is errors.UnavailableError
    assert translate(errors.InternalError('[launch] CUDA_ERROR_INVALID_VALUE (1)')) is None


def test_other_errors_stay_as_they_are() -> None:
    assert translate(RuntimeError('anything')) is None
    assert translate(errors.AbortedError('cudaErrorUnknown')) is None
