"""Sums of products over labelled axes.

As in TensorFlow, the op takes one or two inputs; more are contracted two by two. Two are
brought to the form of a product of matrices, so that the array module's fast one is used.
"""

import math
import string
from collections.abc import Sequence
from typing import Any

from tensorvar import dtypes, errors
from tensorvar._backend.base import Array
from tensorvar._core import conversion, executor, op_registry
from tensorvar._core.op_registry import ArraySpec, OpDef
from tensorvar._core.tensor import Tensor
from tensorvar._ops import _einsum_rules, _gradient_helpers, array_shape, creation
from tensorvar._ops._einsum_rules import Equation, Labels
from tensorvar._ops._gradient_helpers import Gradients
from tensorvar._ops._half_precision import in_float32

_OPTIMIZERS = (
    'auto',
    'auto-hq',
    'branch-1',
    'branch-2',
    'branch-all',
    'dp',
    'dynamic-programming',
    'eager',
    'greedy',
    'opportunistic',
    'optimal',
    'random-greedy',
    'random-greedy-128',
)


def _infer(*inputs: ArraySpec, equation: str) -> ArraySpec:
    shapes = tuple(spec.shape for spec in inputs)
    shape = _einsum_rules.result_shape(_einsum_rules.parse(equation), shapes)
    return ArraySpec(shape, inputs[0].dtype)


@in_float32
def _forward(xp: Any, *arrays: Array, equation: str) -> Array:
    parsed = _einsum_rules.parse(equation)
    labels, output = _einsum_rules.expand(parsed, tuple(array.ndim for array in arrays))
    if len(arrays) == 1:
        array, own = _reduced(xp, arrays[0], labels[0], set(output))
        return array.transpose([own.index(label) for label in output])
    return _contract(xp, arrays[0], arrays[1], labels[0], labels[1], output)


def _reduced(xp: Any, array: Array, labels: Labels, kept: set[Any]) -> tuple[Array, Labels]:
    """Takes diagonals for repeated labels, and sums over labels that nobody else has."""
    for label in [each for each in set(labels) if labels.count(each) > 1]:
        while labels.count(label) > 1:
            first = labels.index(label)
            second = labels.index(label, first + 1)
            array = array.diagonal(0, first, second)
            rest = (*labels[:first], *labels[first + 1 : second], *labels[second + 1 :])
            labels = (*rest, label)
    summed = tuple(axis for axis, label in enumerate(labels) if label not in kept)
    if summed:
        array = xp.asarray(xp.sum(array, axis=summed, dtype=array.dtype))
    return array, tuple(label for label in labels if label in kept)


def _contract(
    xp: Any, a: Array, b: Array, labels_a: Labels, labels_b: Labels, output: Labels
) -> Array:
    a, labels_a = _reduced(xp, a, labels_a, {*labels_b, *output})
    b, labels_b = _reduced(xp, b, labels_b, {*labels_a, *output})
    both = [label for label in labels_a if label in labels_b]
    batch = [label for label in both if label in output]
    inner = [label for label in both if label not in output]
    free_a = [label for label in labels_a if label not in both]
    free_b = [label for label in labels_b if label not in both]
    left, sizes_a = _as_matrices(a, labels_a, batch, free_a, inner)
    right, sizes_b = _as_matrices(b, labels_b, batch, inner, free_b)
    product = xp.matmul(left, right)
    sizes = sizes_a | sizes_b
    shape = (*product.shape[: len(batch)], *(sizes[label] for label in (*free_a, *free_b)))
    order = [*batch, *free_a, *free_b]
    return product.reshape(shape).transpose([order.index(label) for label in output])


def _as_matrices(
    array: Array, labels: Labels, batch: list[Any], rows: list[Any], columns: list[Any]
) -> tuple[Array, dict[Any, int]]:
    """The array with its axes gathered to a batch, rows and columns."""
    sizes = dict(zip(labels, array.shape, strict=True))
    moved = array.transpose([labels.index(label) for label in (*batch, *rows, *columns)])
    shape = (
        *(sizes[label] for label in batch),
        math.prod(sizes[label] for label in rows),
        math.prod(sizes[label] for label in columns),
    )
    return moved.reshape(shape), sizes


def _gradient(context: Any, gradient: Tensor) -> Gradients:
    equation = _einsum_rules.parse(context.attributes['equation'])
    if len(context.inputs) == 1:
        return (_for_input(equation.inputs[0], (), equation.output, gradient, context.inputs[0]),)
    x, y = context.inputs
    of_x, of_y = equation.inputs
    needs_x, needs_y = context.needs
    return (
        _for_input(of_x, (of_y, y), equation.output, gradient, x) if needs_x else None,
        _for_input(of_y, (of_x, x), equation.output, gradient, y) if needs_y else None,
    )


def _for_input(
    labels: str, other: tuple[()] | tuple[str, Tensor], output: str, gradient: Tensor, like: Tensor
) -> Tensor:
    """The gradient of one input: the gradient of the result times the other input.

    That has the labels which the input shares with either, after the axes of the ellipsis,
    of which those are summed over that broadcasting repeated. Labels that only this input
    has were summed over: their axes are spread again.
    """
    names = ''.join(dict.fromkeys(labels.replace('.', '')))
    known = output + (other[0] if other else '')
    reached = ''.join(label for label in names if label in known)
    summed = ''.join(label for label in names if label not in known)
    ellipsis = '.' * ('.' in output)
    if other:
        equation = Equation((output, other[0]), ellipsis + reached)
        result = _run(equation, (gradient, _gradient_helpers.conjugate(other[1])))
    else:
        result = _run(Equation((output,), ellipsis + reached), (gradient,))
    ((axes,), _) = _einsum_rules.expand(Equation((labels,), '.'), (len(like._shape),))
    sizes = dict(zip(axes, like._shape, strict=True))
    shape = [sizes[label] for label in (*(a for a in axes if isinstance(a, int)), *reached)]
    result = _gradient_helpers.sum_to_shape(result, tuple(shape))
    result = array_shape.reshape(result, (*shape, *(1 for _ in summed)))
    result = array_shape.broadcast_to(result, (*shape, *(sizes[label] for label in summed)))
    return _on_diagonals(result, '.' * ('.' in labels) + reached + summed, labels, sizes)


def _on_diagonals(values: Tensor, current: str, labels: str, sizes: dict[Any, int]) -> Tensor:
    """Brings axes to the order of an input.

    Every further occurrence of a label gets an axis, with zeros off the diagonal.
    """
    names = list(labels)
    spare = (letter for letter in string.ascii_letters if letter not in labels)
    for position, label in enumerate(labels):
        if label in labels[:position]:
            names[position] = next(spare)
            identity = creation.eye(sizes[label], dtype=values.dtype)
            terms = (current, label + names[position])
            current += names[position]
            values = _run(Equation(terms, current), (values, identity))
    return _run(Equation((current,), ''.join(names)), (values,))


EINSUM = op_registry.register(
    OpDef(
        'Einsum',
        _infer,
        _forward,
        _gradient,
        inputs='*T',
        dtypes={'T': dtypes.INEXACT | {dtypes.int32.numpy, dtypes.int64.numpy}},
        wide=True,
    )
)


def _run(equation: Equation, operands: Sequence[Any]) -> Tensor:
    result: Tensor = executor.run(EINSUM, *operands, equation=equation.text)
    return result


def einsum(equation: str, *inputs: Any, **kwargs: Any) -> Tensor:
    """Sums of products over labelled axes.

    Args:
        equation: such as ``'ij,jk->ik'``: letters for the axes of each input, ``...`` for
            any number of axes that broadcast, and the axes of the result. Without ``->``,
            the result has the labels that come once, in alphabetical order, after an
            ellipsis that comes once.
        *inputs: floats, complex numbers, int32 or int64, one for each term.
        **kwargs: ``optimize``, TensorFlow's names for the order of contraction, of which
            each gives the same greedy order here; and ``name``, which is ignored.

    Returns:
        A tensor of the dtype of the inputs. 16-bit floats compute in float32.

    Raises:
        InvalidArgumentError: a wrong equation, number of inputs, shape or dtype.
        TypeError: another keyword.
        KeyError: an unknown ``optimize`` for three inputs or more.
    """
    kwargs.pop('name', None)
    optimize = kwargs.pop('optimize', 'greedy')
    if kwargs:
        raise TypeError(
            f'[Einsum] keywords {", ".join(kwargs)} were given; allowed are name and optimize'
        )
    parsed = _einsum_rules.parse(equation)
    if len(inputs) != len(parsed.inputs):
        raise errors.InvalidArgumentError(
            f'[Einsum] Got {len(inputs)} inputs for equation "{equation}", expecting '
            f'{len(parsed.inputs)}; give one for each term',
            'Einsum',
        )
    if len(inputs) <= 2:
        return _run(parsed, inputs)
    if isinstance(optimize, str) and optimize not in _OPTIMIZERS:
        raise KeyError(
            f'[Einsum] optimize = {optimize!r} was given; allowed are {", ".join(_OPTIMIZERS)}'
        )
    return _contract_many(parsed, [conversion.convert_to_tensor(value) for value in inputs])


def _contract_many(equation: Equation, operands: list[Tensor]) -> Tensor:
    """Contracts the pair with the smallest result first, again and again."""
    _einsum_rules.result_shape(equation, tuple(tensor._spec().shape for tensor in operands))
    terms = list(equation.inputs)
    while len(terms) > 2:
        pairs = [(i, j) for j in range(len(terms)) for i in range(j)]
        i, j = min(pairs, key=lambda pair: _growth(equation, terms, operands, pair))
        pair = Equation((terms[i], terms[j]), _between(equation, terms, (i, j)))
        product = _run(pair, (operands[i], operands[j]))
        for position in (j, i):
            del terms[position], operands[position]
        terms.append(pair.output)
        operands.append(product)
    return _run(Equation(tuple(terms), equation.output), operands)


def _between(equation: Equation, terms: list[str], pair: tuple[int, int]) -> str:
    """The labels that the product of a pair must keep, for the others and the result."""
    i, j = pair
    others = {
        label
        for position, term in enumerate((*terms, equation.output))
        if position not in pair
        for label in term
    }
    labels = dict.fromkeys(terms[i] + terms[j])
    ellipsis = '.' * ('.' in labels)
    return ellipsis + ''.join(label for label in labels if label in others and label != '.')


def _growth(
    equation: Equation, terms: list[str], operands: list[Tensor], pair: tuple[int, int]
) -> int:
    """How many elements more the product of a pair has than the pair."""
    shapes = tuple(operands[position]._spec().shape for position in pair)
    product = Equation(tuple(terms[p] for p in pair), _between(equation, terms, pair))
    result, *given = [
        math.prod(dim or 1 for dim in shape)
        for shape in (_einsum_rules.result_shape(product, shapes), *shapes)
    ]
    return result - sum(given)
