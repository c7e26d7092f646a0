"""Totals, and the tables made of them."""

import textwrap

from tensorvar._device._log import summary
from tests.support import records as samples


def totals_of(*items: object) -> summary.Totals:
    totals = summary.Totals()
    for item in items:
        totals.add(item)  # type: ignore[arg-type]
    return totals


def test_ops_by_device_with_their_reasons() -> None:
    totals = totals_of(
        samples.placement(where='b.py:2', reason='inputs'),
        *[samples.placement()] * 3,
        *[samples.placement(op='Add', device='CPU:0')] * 5,
    )
    assert summary.summarize(totals).ops == [
        summary.OpRow('Add', 'CPU:0', 5, {'explicit': 5}),
        summary.OpRow('MatMul', 'GPU:0', 4, {'explicit': 3, 'inputs': 1}),
    ]


def test_replicas_save_copies() -> None:
    read = {'variable': 'w:0', 'nbytes': 100}
    totals = totals_of(samples.copy(**read), *[samples.copy(cached=True, **read)] * 999)
    total = summary.summarize(totals).variables['w:0']
    assert (total.count, total.nbytes, total.hits, total.saved) == (1, 100, 999, 99_900)


def test_copies_by_line_the_largest_first() -> None:
    totals = totals_of(
        samples.copy(where='a.py:1', nbytes=10),
        samples.copy(where='b.py:2', nbytes=30, explicit=True),
        samples.copy(where='a.py:1', nbytes=10),
    )
    made = summary.summarize(totals)
    rows = [(key.where, total.count, total.explicit) for key, total in made.copies.items()]
    assert rows == [('b.py:2', 1, 1), ('a.py:1', 2, 0)]


def test_a_summary_is_a_snapshot() -> None:
    totals = totals_of(samples.copy(), samples.event())
    before = summary.summarize(totals)
    text = str(before)
    totals.add(samples.copy())
    totals.add(samples.event())
    assert str(before) == text


def test_tables() -> None:
    totals = totals_of(
        *[samples.placement()] * 1200,
        samples.placement(reason='gradient'),
        samples.copy(explicit=True),
        samples.copy(variable='w:0'),
        *[samples.copy(variable='w:0', cached=True)] * 2,
        samples.event(),
    )
    expected = """\
        Placements: 1,201
          op      device  count  reasons
          MatMul  GPU:0   1,201  explicit 1,200, gradient 1

        Copies between devices: 2 (48 B), 1 of them explicit; replicas saved 2 more (48 B)
          line         op      operand  from -> to      copies  bytes  explicit  saved
          train.py:12  MatMul  a        CPU:0 -> GPU:0       1   24 B         1      0
          train.py:12  MatMul  w:0      CPU:0 -> GPU:0       1   24 B         0      2

        Copies of variables
          variable  copies  bytes  saved  saved bytes
          w:0            1   24 B      2         48 B

        Memory events
          event       device  count  bytes
          allocation  GPU:0       1  512 B"""
    made = summary.summarize(totals)
    assert str(made) == repr(made) == textwrap.dedent(expected)


def test_the_summary_of_nothing() -> None:
    text = str(summary.summarize(summary.Totals()))
    assert text == 'Placements: 0\n\nCopies between devices: 0'
