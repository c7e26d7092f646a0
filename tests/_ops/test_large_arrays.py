"""Large arrays and extreme values keep their precision."""

import numpy as np

import tensorvar as tv


def test_a_hundred_million_ones_add_up(fresh_devices: None) -> None:
    ones = tv.ones([10**8])
    np.testing.assert_allclose(float(tv.reduce_sum(ones)), 1e8, rtol=1e-6)
    np.testing.assert_allclose(float(tv.reduce_mean(ones)), 1.0, rtol=1e-6)


def test_the_mean_of_halves_does_not_overflow(device: str) -> None:
    with tv.device(device):
        values = tv.fill([100_000], tv.constant(1000.0, tv.float16))
        assert tv.reduce_mean(values).numpy() == 1000.0


def test_softmax_and_logsumexp_are_stable_at_ten_thousand(device: str) -> None:
    with tv.device(device):
        x = tv.constant([1e4, 1e4 - 1.0, -1e4])
        expected = np.exp([0.0, -1.0, -2e4]) / np.exp([0.0, -1.0, -2e4]).sum()
        np.testing.assert_allclose(tv.nn.softmax(x).numpy(), expected, rtol=1e-6)
        np.testing.assert_allclose(
            tv.reduce_logsumexp(x).numpy(), 1e4 + np.log1p(np.exp(-1.0)), rtol=1e-6
        )
