"""The differences from TensorFlow that the design states, each with the sentence."""

from collections.abc import Callable
from typing import Any, NamedTuple

from benchmarks.agreement import compare
from benchmarks.agreement.draw import HALVES
from benchmarks.agreement.outcome import Outcome
from benchmarks.agreement.syntax import Program

Predicate = Callable[[Program, Outcome, Outcome], bool]

SUMS = ('nn.conv', 'nn.depthwise', 'nn.separable', 'linalg.mat', 'tensordot', 'einsum',
        'math.reduce_', 'math.cum', 'nn.softmax', 'nn.log_softmax')  # fmt: skip


class Deliberate(NamedTuple):
    """One stated difference."""

    sentence: str
    applies: Predicate


def raised(result: Outcome, name: str, *texts: str) -> bool:
    """Whether the outcome, or an item of it, is an error of a class with one of the texts."""
    if result[0] == 'error':
        return name in result[1] and any(text in result[2] for text in texts or ('',))
    items: Any = result[1] if result[0] in ('list', 'tuple') else ()
    return any(raised(item, name, *texts) for item in items)


def _unknown_keyword(program: Program, expected: Outcome, actual: Outcome) -> bool:
    return expected[0] != 'error' and raised(actual, 'TypeError', 'keyword')


def _damaged(program: Program, expected: Outcome, actual: Outcome) -> bool:
    return raised(actual, 'InvalidArgumentError', 'cannot hold without damage')


def _converted(program: Program, expected: Outcome, actual: Outcome) -> bool:
    refused = ('Cannot convert', 'Expected int', 'must have the same dtype')
    return raised(expected, 'TypeError', *refused) and not raised(actual, 'TypeError')


def _hashed(program: Program, expected: Outcome, actual: Outcome) -> bool:
    return raised(expected, 'TypeError', 'is unhashable') and actual[0] == 'python'


def _written_before_the_error(program: Program, expected: Outcome, actual: Outcome) -> bool:
    both = expected[0] == actual[0] == 'list' and program['row'] in ('scatter', 'scatter_nd')
    return both and expected[1][0][0] == actual[1][0][0] == 'error'


def _higher_order(program: Program, expected: Outcome, actual: Outcome) -> bool:
    second = program['row'] == 'second' or program['name'].endswith('/second')
    return second and raised(expected, 'LookupError') and not raised(actual, 'Exception')


def _summed_in_float32(program: Program, expected: Outcome, actual: Outcome) -> bool:
    if program['dtype'] not in HALVES or not program['row'].startswith(SUMS):
        return False
    # What TensorFlow adds up in 16 bits is a few roundings away, never more.
    return compare.difference(expected, actual, 16 * program['looser']) is None


def _item(program: Program, expected: Outcome, actual: Outcome) -> bool:
    return raised(expected, 'AttributeError', "no attribute 'item'")


DIFFERENCES: tuple[Deliberate, ...] = (
    Deliberate('Unknown keywords raise `TypeError` with the nearest name.', _unknown_keyword),
    Deliberate(
        'Everything else (finite to inf, out of range, fraction or imaginary part lost) raises '
        '`InvalidArgumentError` naming the first bad index and value.',
        _damaged,
    ),
    Deliberate(
        "Python numbers and NumPy arrays take the tensor's dtype. Allowed: [...] float to int "
        'when every value is integral and in range; int to int in range; 0 and 1 to bool.',
        _converted,
    ),
    Deliberate('Variables are hashed by identity (`{v: x}`).', _hashed),
    Deliberate(
        'Everything that can fail (checks, conversion, copy, allocation) comes before the write; '
        'on any exception the old array goes back.',
        _written_before_the_error,
    ),
    Deliberate(
        '`GradientTape` as in TensorFlow ([...] nested tapes of any order [...]).', _higher_order
    ),
    Deliberate(
        '16-bit floats on the CPU compute matmul, convolution, reductions, softmax and cumulative '
        'ops in float32 and round once.',
        _summed_in_float32,
    ),
    Deliberate('Explicit: [...] `numpy()`, `item()`, checkpoints, DLPack.', _item),
)


def excuse(program: Program, expected: Outcome, actual: Outcome) -> str | None:
    """The sentence that states a difference; None if none does."""
    for known in DIFFERENCES:
        if known.applies(program, expected, actual):
            return known.sentence
    return None
