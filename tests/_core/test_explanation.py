"""``tape.explain``: each reason why a gradient is None, in words."""

import inspect
import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import tensorvar as tv


def line_of(function: Callable[..., Any], text: str) -> str:
    """``file:line`` of the line of a test that holds ``text``."""
    lines, first = inspect.getsourcelines(function)
    [offset] = [
        number for number, line in enumerate(lines) if text in line and 'line_of' not in line
    ]
    return f'test_explanation.py:{first + offset}'


def test_connected() -> None:
    v = tv.Variable(2.0)
    with tv.GradientTape(persistent=True) as tape:
        y = v * v
    assert tape.explain(y, v) == 'connected: the target depends on the source'
    assert tape.explain(y, y) == 'connected: the target is the source'
    assert tape.explain(tv.constant(1), y).startswith('None')


def test_a_tensor_that_was_not_watched() -> None:
    x, unused = tv.constant(2.0), tv.constant(1.0)
    with tv.GradientTape() as tape:
        y = x * x
    assert tape.explain(y, x) == (
        'None: the source is a tensor that was not watched; call tape.watch(x) before its use'
    )
    assert tape.explain(y, unused) == 'None: the source was not used while the tape recorded'


def test_a_variable_that_was_not_read() -> None:
    v, w = tv.Variable(2.0, name='v'), tv.Variable(1.0)
    with tv.GradientTape() as tape:
        y = w * w
    assert tape.explain(y, v) == "None: variable 'v:0' was not read while the tape recorded"


def test_a_variable_that_is_not_trainable() -> None:
    v = tv.Variable(2.0, name='v', trainable=False)
    with tv.GradientTape() as tape:
        y = v * v
    assert tape.explain(y, v) == (
        "None: variable 'v:0' is not trainable and was not watched; call tape.watch(v)"
    )


def test_a_tape_that_does_not_watch_by_itself() -> None:
    v = tv.Variable(2.0, name='v')
    with tv.GradientTape(watch_accessed_variables=False) as tape:
        y = v * v
    assert tape.explain(y, v) == (
        "None: variable 'v:0' was not watched, and the tape has watch_accessed_variables=False"
    )


def test_integers() -> None:
    v, x = tv.Variable(2), tv.Variable(2.0)
    with tv.GradientTape() as tape:
        y = v * v
        z = tv.cast(x, tv.int32)
        w = tv.cast(z, tv.float32) * 2.0
    assert tape.explain(y, v) == 'None: the source has dtype int32, which has no derivatives'
    assert tape.explain(z, x) == 'None: the target has dtype int32, which has no derivatives'
    assert tape.explain(w, x) == (
        "None: the way from variable 'Variable:0' passes Cast, which gives int32 without "
        'derivatives'
    )


def test_an_op_without_a_gradient() -> None:
    x = tv.constant([2.0, 1.0])
    with tv.GradientTape() as tape:
        tape.watch(x)
        y = tv.cast(tv.argmax(x), tv.float32) * 2.0
    assert tape.explain(y, x) == (
        'None: the way from the source passes ArgMax, which has no gradient'
    )


LOOKS = {
    'numpy': lambda x: np.sin(x.numpy()),
    'asarray': np.sin,
    'item': lambda x: x[0].item(),
    'float': lambda x: float(x[0]),
}


@pytest.mark.parametrize('look', LOOKS)
def test_a_value_that_left_through_numpy(device: str, look: str) -> None:
    with tv.device(device):
        v = tv.Variable([2.0, 1.0], name='v')
    with tv.GradientTape() as tape:
        y = tv.constant(LOOKS[look](v * 2.0)) * 2.0
    assert re.fullmatch(
        f"None: the way from variable 'v:0' left the tape by {look} at test_explanation.py:[0-9]+; "
        'what NumPy and Python compute is not recorded',
        tape.explain(y, v),
    )
    assert tape.gradient(y, v) is None


def test_the_line_of_the_look() -> None:
    v = tv.Variable(2.0)
    with tv.GradientTape() as tape:
        y = tv.constant(v.numpy()) * 2.0
    assert line_of(test_the_line_of_the_look, 'v.numpy()') in tape.explain(y, v)


def test_printing_is_no_way_out(capsys: pytest.CaptureFixture[str]) -> None:
    v, w = tv.Variable(2.0), tv.Variable(1.0)
    with tv.GradientTape() as tape:
        print(v * 2.0, repr(v))
        f'{v * 1.0}'
        y = w * w
    assert tape.explain(y, v) == 'None: the target does not depend on the source'


def test_an_assignment() -> None:
    v, w = tv.Variable(2.0), tv.Variable(1.0, name='w')
    with tv.GradientTape() as tape:
        w.assign(v * 2.0)
        y = w * w
    where = line_of(test_an_assignment, 'w.assign(')
    assert tape.explain(y, v) == (
        f"None: the way from variable 'Variable:0' passes variable 'w:0', which was assigned at "
        f'{where}; assignments are not differentiable'
    )


def test_an_assignment_elsewhere_is_not_blamed() -> None:
    v, w, other = tv.Variable(2.0), tv.Variable(1.0), tv.Variable(3.0)
    with tv.GradientTape() as tape:
        other.assign_add(1.0)
        v * 2.0
        y = w * w
    assert tape.explain(y, v) == 'None: the target does not depend on the source'


def test_a_target_from_elsewhere() -> None:
    v = tv.Variable(2.0)
    before = v * v
    with tv.GradientTape() as tape:
        v * 2.0
    assert tape.explain(before, v) == ('None: the target was not computed while the tape recorded')


def test_the_first_cut_is_named() -> None:
    x = tv.constant([2.0, 1.0])
    with tv.GradientTape() as tape:
        tape.watch(x)
        y = tv.stop_gradient(tv.floor(tv.cast(tv.argmax(x), tv.float32)))
    assert 'passes ArgMax' in tape.explain(y, x)


def test_values_of_other_kinds() -> None:
    x = tv.constant(1.0)
    with tv.GradientTape() as tape:
        pass
    assert tape.explain(1.0, x) == 'None: the target is a float, not a tensor or variable'
    assert tape.explain(x, None) == 'None: the source is a NoneType, not a tensor or variable'


def test_a_tape_without_records() -> None:
    v = tv.Variable(2.0)
    with tv.GradientTape() as tape:
        y = v * v
    tape.gradient(y, v)
    assert tape.explain(y, v).startswith('unknown: the tape has no records; ask before gradient()')
    assert tv.GradientTape().explain(y, v).startswith('unknown')


def test_explaining_takes_nothing() -> None:
    v = tv.Variable(2.0)
    with tv.GradientTape() as tape:
        y = v * v
    tape.explain(y, v)
    assert float(tape.gradient(y, v)) == 4.0
