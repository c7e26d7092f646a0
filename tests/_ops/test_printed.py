"""``tv.print``: TensorFlow's text, character by character, and where it goes."""

import io
import logging
import sys
from collections import OrderedDict

import numpy as np
import pytest

import tensorvar as tv
from tensorvar._ops import printed


def text_of(*inputs, **kwargs) -> str:
    stream = io.StringIO()
    assert printed.print(*inputs, output_stream=stream, **kwargs) is None
    return stream.getvalue()


@pytest.mark.parametrize(
    ('value', 'dtype', 'text'),
    [
        (1.5, None, '1.5'),
        (1e10, None, '1e+10'),
        ([0.1, 100000.0, 123456789.0], None, '[0.1 100000 123456792]'),
        ([1e-5, 1e-4, 12345.678], None, '[1e-05 0.0001 12345.6777]'),
        ([1 / 3, 123456.789, 1e300], tv.float64, '[0.33333333333333331 123456.789 1e+300]'),
        ([65504.0, 1e-7, 0.333], tv.float16, '[65504 1.1920929e-07 0.333007812]'),
        ([3.14159, 0.333], tv.bfloat16, '[3.140625 0.33203125]'),
        ([float('nan'), float('inf'), -float('inf')], None, '[nan inf -inf]'),
        (-0.0, None, '-0'),
        ([True, False], None, '[1 0]'),
        ([1, 200], tv.uint8, '[1 200]'),
        ([9007199254740993], None, '[9007199254740993]'),
        ([1 + 2j, 3.5 - 1j], None, '[(1,2) (3.5,-1)]'),
        ('hello', None, 'hello'),
        (['a', 'b'], None, '["a" "b"]'),
        ([[['a"\n']]], None, r'[[["a\"\n"]]]'),
        ([[1.0, 2.0], [3.0, 4.0]], None, '[[1 2]\n [3 4]]'),
    ],
    ids=repr,
)
def test_elements(value, dtype, text: str) -> None:
    assert text_of(tv.constant(value, dtype)) == text + '\n'


def test_every_device(device: str) -> None:
    with tv.device(device), tv.transfer_guard('disallow'):
        assert text_of('v =', tv.Variable([1.0, 2.0])) == 'v = [1 2]\n'


@pytest.mark.parametrize(
    ('shape', 'summarize', 'text'),
    [
        ([10], 3, '[0 1 2 ... 7 8 9]'),
        ([10], None, '[0 1 2 ... 7 8 9]'),
        ([10], -1, '[0 1 2 3 4 5 6 7 8 9]'),
        ([10], 2, '[0 1 ... 8 9]'),
        ([6], 3, '[0 1 2 3 4 5]'),
        ([7], 0, '[ ...]'),
        ([2, 2, 2], 3, '[[[0 1]\n  [2 3]]\n\n [[4 5]\n  [6 7]]]'),
        ([2, 3, 3], 1, '[[[0 ... 2]\n  ...\n  [6 ... 8]]\n\n [[9 ... 11]\n  ...\n  [15 ... 17]]]'),
        ([0], 3, '[]'),
        ([0, 3], 3, '[]'),
        ([2, 0], 3, '[\n ...]'),
    ],
)
def test_dimensions(shape, summarize, text: str) -> None:
    value = tv.reshape(tv.range(int(np.prod(shape))), shape)
    assert text_of(value, summarize=summarize) == text + '\n'


def one() -> tv.Tensor:
    return tv.constant(1)


@pytest.mark.parametrize(
    ('inputs', 'text'),
    [
        (lambda: (), ''),
        (lambda: ('a', 1, 2.5, None, True), 'a 1 2.5 None True'),
        (lambda: ("it's", ["it's"]), 'it\'s ["it\'s"]'),
        (lambda: ([one(), tv.constant([2, 3])],), '[1, [2 3]]'),
        (lambda: ({'b': one(), 'a': tv.constant([2.0])},), "{'a': [2], 'b': 1}"),
        (lambda: ((one(), 's', [tv.Variable(2)]),), "(1, 's', [2])"),
        (lambda: ('%s {} {}', one()), '%s {} {} 1'),
        (lambda: (tv.constant('x'), tv.constant('y')), '"x" "y"'),
        (lambda: ([tv.constant('s')],), '["s"]'),
        (lambda: (np.array([1.5, 2.5]), b'bytes'), "array([1.5, 2.5]) b'bytes'"),
        (lambda: (tv.TensorShape([1, None]),), 'TensorShape([1, None])'),
        (
            lambda: ({'long' * 10: one(), 'other' * 10: one()},),
            "{'" + 'long' * 10 + "': 1,\n '" + 'other' * 10 + "': 1}",
        ),
    ],
)
def test_values_around_tensors(inputs, text: str) -> None:
    assert text_of(*inputs()) == text + '\n'


def test_ordered_dicts_are_sorted_like_their_leaves() -> None:
    value = OrderedDict([('b', one()), ('a', tv.constant(2))])
    text = text_of(value)
    assert text.index("'a'") < text.index('2') < text.index("'b'") < text.index('1')


def test_sep_and_end() -> None:
    assert text_of('a', 'b', sep='-', end='!') == 'a-b!'


def test_streams(capsys: pytest.CaptureFixture[str]) -> None:
    printed.print('to stderr')
    printed.print('to stdout', output_stream=sys.stdout)
    assert capsys.readouterr() == ('to stdout\n', 'to stderr\n')


def test_a_file_is_appended_to(tmp_path) -> None:
    path = tmp_path / 'out.txt'
    printed.print('one', output_stream=f'file://{path}')
    printed.print('two', output_stream=f'file://{path}')
    assert path.read_text() == 'one\ntwo\n'


def test_levels_and_functions(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, logger='tensorvar'):
        printed.print('text', one(), output_stream=logging.INFO)
    assert caplog.messages == ['text 1']
    assert printed.get_logger().name == 'tensorvar'
    lines: list[str] = []
    printed.print('text', one(), output_stream=lines.append)
    assert lines == ['text 1']


def test_refuses() -> None:
    with pytest.raises(ValueError, match='Unrecognized keyword arguments'):
        printed.print('a', foo=1)
    for stream in ('a path', None, 7):
        with pytest.raises(ValueError, match='Unsupported output stream'):
            printed.print('a', output_stream=stream)


def test_printing_takes_nothing_off_a_tape() -> None:
    x = tv.constant(3.0)
    with tv.GradientTape() as tape:
        tape.watch(x)
        y = x * x
        text_of(y)
    assert float(tape.gradient(y, x)) == 6.0
