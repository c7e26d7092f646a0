"""Changes calls: makes a valid one wrong, or lifts its tensors out to differentiate it."""

import copy
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from benchmarks.agreement import draw as drawing
from benchmarks.agreement import syntax
from benchmarks.agreement.draw import Draw
from benchmarks.agreement.syntax import Expression

TENSORS = ('tensor', 'variable')


def tensors_in(node: Any) -> Iterator[Expression]:
    """Every tensor and variable in an expression, in order."""
    if isinstance(node, dict):
        for value in node.values():
            yield from tensors_in(value)
    elif isinstance(node, list):
        if node and node[0] in TENSORS:
            yield node
        else:
            for part in node:
                yield from tensors_in(part)


def spoil(draw: Draw, call: Expression) -> Expression | None:
    """A call that is wrong in one way; None if the way chosen does not fit it.

    Some stay valid, such as another shape that still broadcasts: then values are compared.
    """
    wrong = copy.deepcopy(call)
    ways = [_other_dtype, _other_shape, _none, _text, _far_axis, _unknown_keyword, _missing]
    done = draw.choose(ways)(draw, wrong)
    return wrong if done else None


def _other_dtype(draw: Draw, call: Expression) -> bool:
    tensors = list(tensors_in(call))
    if not tensors:
        return False
    chosen = draw.choose(tensors)
    others = [dtype for dtype in ('float32', 'float64', 'int32', 'bool', 'string')
              if dtype != chosen[1]]  # fmt: skip
    chosen[1] = draw.choose(others)
    chosen[3] = draw.values(chosen[1], chosen[2], 'positive')
    return True


def _other_shape(draw: Draw, call: Expression) -> bool:
    tensors = list(tensors_in(call))
    if not tensors:
        return False
    chosen = draw.choose(tensors)
    shape = list(chosen[2])
    way = draw.integer(0, 3)
    if way == 0 or not shape:
        shape = [2, *shape]
    elif way == 1:
        shape = shape[1:]
    else:
        shape[-1] += 2
    chosen[2] = shape
    chosen[3] = draw.values(chosen[1], shape, 'positive')
    return True


def _replace(draw: Draw, call: Expression, value: Expression) -> bool:
    _, _, arguments, keywords = call
    places: list[tuple[Any, Any]] = [(arguments, at) for at in range(len(arguments))]
    places += [(keywords, name) for name in keywords]
    if not places:
        return False
    owner, key = draw.choose(places)
    owner[key] = value
    return True


def _none(draw: Draw, call: Expression) -> bool:
    return _replace(draw, call, None)


def _text(draw: Draw, call: Expression) -> bool:
    return _replace(draw, call, 'text')


def _far_axis(draw: Draw, call: Expression) -> bool:
    keywords = call[3]
    if 'axis' not in keywords:
        return False
    keywords['axis'] = draw.choose([7, -7])
    return True


def _unknown_keyword(draw: Draw, call: Expression) -> bool:
    call[3]['colour'] = 1
    return True


def _missing(draw: Draw, call: Expression) -> bool:
    if not call[2]:
        return False
    call[2].pop()
    return True


@dataclass
class Lifted:
    """A call whose inexact tensors became names."""

    call: Expression
    values: list[tuple[str, Expression]] = field(default_factory=list)

    @property
    def names(self) -> list[str]:
        """The names of the tensors, in order."""
        return [name for name, _ in self.values]


def lift_tensors(call: Expression) -> Lifted:
    """Puts a name in place of every inexact tensor of a call."""
    changed = copy.deepcopy(call)
    lifted = Lifted(changed)
    for tensor in tensors_in(changed):
        if tensor[1] in drawing.INEXACT:
            name = f'x{len(lifted.values)}'
            lifted.values.append((name, list(tensor)))
            tensor[:] = syntax.ref(name)
    return lifted
