"""The equations of einsum: how they are read, and what shapes they allow.

Inside, an equation is a tuple of labels for each input and one for the result. A label is
a letter, or a negative number for an axis of the ellipsis, counted from its right end.
"""

import functools
import re
from typing import NamedTuple

from tensorvar import _shapes, errors

Label = str | int
Labels = tuple[Label, ...]


class Equation(NamedTuple):
    """A checked equation, still with ``.`` in place of each ellipsis.

    Attributes:
        inputs: the labels of each input.
        output: the labels of the result.
    """

    inputs: tuple[str, ...]
    output: str

    @property
    def text(self) -> str:
        """The equation as TensorFlow's op writes it."""
        return f'{",".join(self.inputs)}->{self.output}'.replace('.', '...')


@functools.lru_cache(maxsize=1024)
def parse(equation: str) -> Equation:
    """Reads an equation; without ``->``, what comes once is the result, in order.

    Raises:
        InvalidArgumentError: it is no equation.
    """
    text = equation.replace(' ', '').replace('...', '\0')
    if not re.fullmatch(r'[a-zA-Z\0,]*(->[a-zA-Z\0]*)?', text):
        raise _refusal(equation, 'Subscripts have incorrect format', 'letters, commas, ... and ->')
    text = text.replace('\0', '.')
    left, arrow, output = text.partition('->')
    inputs = tuple(left.split(','))
    if not arrow:
        named = left.replace(',', '').replace('.', '')
        output = '.' * (left.count('.') == 1) + ''.join(
            label for label in sorted(set(named)) if named.count(label) == 1
        )
    if len(set(output)) != len(output):
        raise _refusal(
            equation,
            'Output subscripts contain a label appearing more than once, or multiple ellipses',
            'each label and the ellipsis once',
        )
    missing = set(output) - set(left) - {'.'}
    if missing:
        raise _refusal(
            equation,
            f'Output subscripts contain the label {min(missing)} not present in the input '
            f'subscripts',
            'labels of the inputs',
        )
    if any(labels.count('.') > 1 for labels in inputs):
        raise _refusal(equation, 'an input has multiple ellipses', 'one for each input')
    return Equation(inputs, output)


def _refusal(equation: str, what: str, allowed: str) -> errors.InvalidArgumentError:
    return errors.InvalidArgumentError(
        f'[Einsum] {what}: {equation}; allowed are {allowed}; correct the equation', 'Einsum'
    )


def expand(equation: Equation, ranks: tuple[int, ...]) -> tuple[tuple[Labels, ...], Labels]:
    """The labels of each input and of the result, with the axes of the ellipses.

    Args:
        equation: the equation.
        ranks: of the inputs.

    Raises:
        InvalidArgumentError: a rank does not fit, or the result lacks an ellipsis.
    """
    inputs = tuple(
        _expand_one(equation, index, labels, rank)
        for index, (labels, rank) in enumerate(zip(equation.inputs, ranks, strict=True))
    )
    spread = max((sum(isinstance(label, int) for label in labels) for labels in inputs), default=0)
    if spread and '.' not in equation.output:
        raise errors.InvalidArgumentError(
            f'[Einsum] Output contains {spread} broadcasting dimension(s) but no ellipsis (...) '
            f'was found in the output subscripts: {equation.text}; add one',
            'Einsum',
        )
    return inputs, _with_axes(equation.output, spread)


def _expand_one(equation: Equation, index: int, labels: str, rank: int) -> Labels:
    named = len(labels.replace('.', ''))
    if rank < named or ('.' not in labels and rank != named):
        least = 'at least ' if '.' in labels else ''
        raise errors.InvalidArgumentError(
            f'[Einsum] Expected input {index} of {equation.text} to have rank {least}{named} but '
            f'got: {rank}; reshape it or correct the equation',
            'Einsum',
        )
    return _with_axes(labels, rank - named)


def _with_axes(labels: str, count: int) -> Labels:
    before, dots, after = labels.partition('.')
    return (*before, *(range(-count, 0) if dots else ()), *after)


def result_shape(
    equation: Equation, shapes: tuple[_shapes.PartialShape, ...]
) -> _shapes.PartialShape:
    """The shape of the result.

    Raises:
        InvalidArgumentError: a rank or a dimension does not fit.
    """
    inputs, output = expand(equation, tuple(len(shape) for shape in shapes))
    sizes: dict[Label, int | None] = {}
    for labels, shape in zip(inputs, shapes, strict=True):
        for axis, (label, dim) in enumerate(zip(labels, shape, strict=True)):
            known = sizes.setdefault(label, dim)
            if isinstance(label, int):
                sizes[label] = _shapes.broadcast_shapes('Einsum', (known,), (dim,))[0]
            elif known is None:
                sizes[label] = dim
            elif dim not in (known, None):
                raise errors.InvalidArgumentError(
                    f'[Einsum] Expected dimension {known} at axis {axis} of the input shaped '
                    f'{list(shape)} but got dimension {dim} for label {label} of '
                    f'{equation.text}; a label has one length; correct shape or equation',
                    'Einsum',
                )
    return tuple(sizes[label] for label in output)
