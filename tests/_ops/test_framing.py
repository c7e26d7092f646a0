"""frame, overlap_and_add and windows."""

from typing import Any

import numpy as np
import pytest
import scipy.signal

import tensorvar as tv
from tensorvar._ops import framing
from tests._ops import rules, samples
from tests.support import device_parity, numeric_gradient


def framed(x: np.ndarray, length: int, step: int) -> np.ndarray:
    return np.lib.stride_tricks.sliding_window_view(x, length, -1)[..., ::step, :]


@pytest.mark.parametrize('dtype', [*rules.FLOATS, np.int32, np.complex64], ids=rules.name_of)
def test_frame(device: str, dtype: Any) -> None:
    rules.check(
        device,
        lambda x: [framing.frame(x, 4, 3), framing.frame(x, 2, 1, axis=0)],
        lambda x: [framed(x, 4, 3), np.moveaxis(framed(x.T, 2, 1), 0, -1)],
        device_parity.sample(dtype, (3, 10)),
    )


def test_padded_frames() -> None:
    signal = tv.range(10)
    padded = framing.frame(signal, 4, 3, pad_end=True, pad_value=-1)
    assert padded.numpy()[2:].tolist() == [[6, 7, 8, 9], [9, -1, -1, -1]]
    assert framing.frame(tv.range(3), 5, 1, pad_end=True).shape == (3, 5)
    assert framing.frame(tv.range(3), 5, 1).shape == (0, 5)
    assert framing.frame(tv.range(3), 0, 1).shape == (4, 0)
    assert framing.frame(tv.range(0), 2, 1).shape == (0, 2)


def test_overlap_and_add(device: str) -> None:
    signal = device_parity.sample(np.float32, (2, 3, 4))

    def reference(x: np.ndarray) -> list[np.ndarray]:
        results = []
        for step in (2, 6):
            total = np.zeros((2, 2 * step + 4))
            for index in range(3):
                total[:, index * step : index * step + 4] += x[:, index]
            results.append(total)
        return results

    rules.check(
        device,
        lambda x: [framing.overlap_and_add(x, 2), framing.overlap_and_add(x, 6)],
        reference,
        signal,
    )


@pytest.mark.parametrize('length', [0, 1, 2, 4, 5, 7])
@pytest.mark.parametrize('periodic', [False, True])
def test_windows(length: int, periodic: bool) -> None:
    # TensorFlow lets `periodic` concern even lengths alone.
    symmetric = not (periodic and length % 2 == 0)
    for function, name in ((framing.hann_window, 'hann'), (framing.hamming_window, 'hamming')):
        expected = scipy.signal.get_window(name, length, not symmetric) if length else []
        actual = function(length, periodic, dtype=tv.float64)
        np.testing.assert_allclose(actual.numpy(), expected, atol=1e-12)
        assert function(length).dtype is tv.float32
    vorbis = framing.vorbis_window(length, dtype=tv.float64).numpy()
    np.testing.assert_allclose(vorbis, vorbis[::-1])
    if length % 2 == 0:
        half = length // 2
        np.testing.assert_allclose(vorbis[:half] ** 2 + vorbis[half:] ** 2, np.ones(half))


def test_bad_arguments() -> None:
    with pytest.raises(tv.errors.InvalidArgumentError, match='step from 1'):
        framing.frame(tv.range(3), 2, 0)
    with pytest.raises(ValueError, match='rank 1'):
        framing.frame(1, 2, 1)
    with pytest.raises(tv.errors.InvalidArgumentError, match='axis'):
        framing.frame(tv.range(3), 2, 1, axis=3)
    with pytest.raises(ValueError, match='rank 2'):
        framing.overlap_and_add(tv.range(3), 2)
    for function in (framing.hann_window, framing.hamming_window, framing.vorbis_window):
        with pytest.raises(ValueError, match='floating point'):
            function(4, dtype=tv.int32)
        with pytest.raises(tv.errors.InvalidArgumentError, match='not negative'):
            function(-1)


def test_gradients() -> None:
    values = samples.float64(2, 5)
    numeric_gradient.check(lambda x: framing.frame(x, 3, 1, pad_end=True) ** 2, values)
    numeric_gradient.check(lambda x: framing.frame(x, 2, 1, axis=0) ** 2, values)
    numeric_gradient.check(lambda x: framing.overlap_and_add(x, 2) ** 2, values)
