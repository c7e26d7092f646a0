"""The suite's own instruments find what they are there to find."""

from pathlib import Path

import ml_dtypes
import numpy as np
import pytest

import tensorvar as tv
from tests.support import device_parity, devices, numeric_gradient, source_tree, tolerances


def test_numeric_gradient_accepts_what_is_right() -> None:
    x, y = np.array([[0.3, -1.2], [2.0, 0.7]]), np.array([0.5, 1.5])
    numeric_gradient.check(lambda a, b: tv.exp(a) * b / (1.0 + a * a), x, y)
    numeric_gradient.check(lambda a, b: [a @ a, tv.reduce_sum(b)], x, y)
    numeric_gradient.check(lambda v: v * v, x, make=tv.Variable)


def test_numeric_gradient_accepts_an_unconnected_argument() -> None:
    numeric_gradient.check(lambda a, b: a * 2.0, np.array([1.0]), np.array([2.0, 3.0]))


def test_numeric_gradient_follows_the_conjugate_convention() -> None:
    z = np.array([0.3 + 0.4j, -1.0 + 2.0j])
    numeric_gradient.check(lambda a: a * a * (0.5 + 1.0j), z)


@tv.custom_gradient
def off_by_a_percent(x: tv.Tensor) -> tuple[tv.Tensor, object]:
    return x * x, lambda upstream: upstream * x * 2.02


@tv.custom_gradient
def wrong_in_the_second_order(x: tv.Tensor) -> tuple[tv.Tensor, object]:
    return x * x, lambda upstream: upstream * tv.stop_gradient(x) * 2.0


def test_numeric_gradient_rejects_a_wrong_gradient() -> None:
    with pytest.raises(AssertionError, match='argument 0, order left 2'):
        numeric_gradient.check(off_by_a_percent, np.array([1.0, 2.0]))


def test_numeric_gradient_rejects_a_wrong_second_order() -> None:
    numeric_gradient.check(wrong_in_the_second_order, np.array([1.0, 2.0]), order=1)
    with pytest.raises(AssertionError, match='order left 1'):
        numeric_gradient.check(wrong_in_the_second_order, np.array([1.0, 2.0]))


def test_numeric_gradient_wants_double_precision() -> None:
    with pytest.raises(AssertionError, match='argument 0: float32'):
        numeric_gradient.check(tv.exp, np.ones(2, np.float32))


@pytest.mark.parametrize('dtype', tolerances.BY_DTYPE, ids=tolerances.ids(tolerances.BY_DTYPE))
def test_parity_holds_on_every_device(device: str, dtype: np.dtype) -> None:
    x = device_parity.sample(dtype, (3, 4))
    device_parity.check(device, lambda a: a * a + a, lambda a: a * a + a, x, looser=4.0)


@pytest.mark.parametrize(
    ('reference', 'message'),
    [
        (lambda a: a + 1e-4, 'result 0 on'),
        (lambda a: a[:1], 'shape'),
        (lambda a: (a, a), '1 results, not 2'),
    ],
)
def test_parity_rejects_what_differs(device: str, reference: object, message: str) -> None:
    x = device_parity.sample(np.float32, (3,))
    with pytest.raises(AssertionError, match=message):
        device_parity.check(device, lambda a: a * 1.0, reference, x)


def test_parity_rejects_another_dtype_and_another_device(two_cpus: tuple[str, str]) -> None:
    x = device_parity.sample(np.float32, (3,))
    with pytest.raises(AssertionError, match='dtype float64, not float32'):
        device_parity.check('CPU:1', lambda a: tv.cast(a, tv.float64), lambda a: a, x)

    def elsewhere(a: tv.Tensor) -> tv.Tensor:
        with tv.device('CPU:0'):
            return tv.identity(a)

    with pytest.raises(AssertionError, match='it is on'):
        device_parity.check('CPU:1', elsewhere, lambda a: a, x)


@pytest.mark.parametrize('dtype', [np.float16, ml_dtypes.bfloat16, np.float32, np.int8, np.bool_])
def test_tolerance_is_about_one_rounding(dtype: type) -> None:
    one = np.ones(2, dtype)
    tolerances.assert_close(one, one)
    with pytest.raises(AssertionError):
        tolerances.assert_close(one, np.zeros(2, dtype))


def test_sample_stays_in_the_range_of_its_dtype() -> None:
    assert device_parity.sample(np.uint8, (100,)).max() < 20
    assert device_parity.sample(np.float64, (100,), low=0.5).min() >= 0.5
    assert device_parity.sample(np.bool_, (100,)).dtype == np.bool_


def test_leaks_are_seen_and_undone(fresh_devices: None) -> None:
    assert devices.leaks() == []
    tv.config.simulate_gpus(1)
    tv.config.set_soft_device_placement(False)
    tv.debugging.set_log_device_placement(True)
    tv.name_scope('left_open').__enter__()
    assert len(devices.leaks()) == 4
    devices.undo_leaks()
    assert devices.leaks() == []


def test_source_tree_reads_every_kind_of_import(tmp_path: Path) -> None:
    path = tmp_path / 'example.py'
    path.write_text(
        'from typing import TYPE_CHECKING\n'
        'import numpy.linalg\n'
        'from tensorvar import dtypes\n'
        'from ..dtypes import float32\n'
        'if TYPE_CHECKING:\n'
        '    from tensorvar._device import scope\n'
        'def function():\n'
        '    import json\n'
    )
    imports = source_tree.Module('tensorvar._core.example', path).imports()
    assert [each.target for each in imports] == [
        'typing',
        'numpy',
        'tensorvar.dtypes',
        'tensorvar.dtypes',
        'tensorvar._device.scope',
        'json',
    ]
    assert [each.line for each in imports if each.types_only] == [6]
    assert [each.line for each in imports if each.in_function] == [8]
