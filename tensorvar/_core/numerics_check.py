"""The check of every op's results that ``enable_check_numerics`` switches on."""

from collections.abc import Sequence

import numpy as np

from tensorvar import dtypes, errors
from tensorvar._backend.base import Array, Backend
from tensorvar._device import call_site, switches

# They only pass elements on; what they got was checked when it was computed.
_PASS_ON = frozenset({
    'ConcatV2', 'ExpandDims', 'Fill', 'Maximum', 'Minimum', 'Reshape', 'Slice', 'Squeeze',
    'StridedSlice', 'StridedSliceGrad', 'Transpose', 'Unpack',
})  # fmt: skip


def enable_check_numerics(stack_height_limit: int = 30, path_length_limit: int = 50) -> None:
    """Makes every op fail whose float results hold NaN or infinity.

    It counts for all threads (TensorFlow's for the calling one), and each op waits for its
    device. Values that come from outside, such as constants, are not checked.

    Args:
        stack_height_limit: accepted for TensorFlow's sake; the error names the line of
            user code.
        path_length_limit: accepted for TensorFlow's sake.

    Example:
        >>> import tensorvar as tv
        >>> tv.debugging.enable_check_numerics()
        >>> try:
        ...     tv.math.log(tv.constant([1.0, 0.0]))
        ... except tv.errors.InvalidArgumentError as error:
        ...     print(error.op)
        ... finally:
        ...     tv.debugging.disable_check_numerics()
        Log
    """
    switches.set_switch(switches.CHECK_NUMERICS, True)


def disable_check_numerics() -> None:
    """Ends what ``enable_check_numerics`` began."""
    switches.set_switch(switches.CHECK_NUMERICS, False)


def refuse_non_finite(op: str, results: Sequence[Array], backend: Backend) -> None:
    """Raises if a float result holds NaN or infinity.

    Args:
        op: name of the op.
        results: its results.
        backend: where they lie.

    Raises:
        InvalidArgumentError: the first such result.
    """
    if op in _PASS_ON:
        return
    xp = backend.array_module
    for position, array in enumerate(results):
        if array.dtype not in dtypes.FLOATING:
            continue
        finite = backend.call(xp.isfinite, array)
        if not backend.to_host(xp.asarray(backend.call(xp.all, finite))):
            raise errors.InvalidArgumentError(
                f'[{op}] Detected Infinity or NaN in output {position}: {_counts(backend, array)} '
                f'in {dtypes.from_numpy(array.dtype).name} of shape {list(array.shape)}, computed '
                f'at {call_site.user_call_site()}; every op is checked because of '
                f'enable_check_numerics; look at its inputs',
                op,
            )


def _counts(backend: Backend, array: Array) -> str:
    host = np.asarray(backend.to_host(array)).astype(np.float64)
    counts = {
        'NaN': int(np.isnan(host).sum()),
        '+Inf': int(np.isposinf(host).sum()),
        '-Inf': int(np.isneginf(host).sum()),
    }
    return ', '.join(f'{count} {what}' for what, count in counts.items() if count)
