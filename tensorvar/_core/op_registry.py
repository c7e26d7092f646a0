"""The op record, and the map from op names to records.

An operation is one ``OpDef``: its shape rule, its forward computation in array
module terms, an optional CUDA kernel, and its gradient or the explicit mark
``NOT_DIFFERENTIABLE``. Adding an op is writing one such record in ``_ops/``.
This module knows nothing of tensors.
"""

import functools
import inspect
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

import numpy as np

from tensorvar import dtypes
from tensorvar._shapes import PartialShape


class ArraySpec(NamedTuple):
    """What a shape rule sees and gives: a shape and a canonical NumPy dtype.

    A dimension of a result is None when only the data decides it.
    """

    shape: PartialShape
    dtype: np.dtype[Any]

    @property
    def nbytes(self) -> int:
        """Bytes of the elements; 0 where a dimension is not known."""
        return math.prod(dim or 0 for dim in self.shape) * self.dtype.itemsize


class NotDifferentiable:
    """The type of the mark ``NOT_DIFFERENTIABLE``."""

    def __repr__(self) -> str:
        return 'NOT_DIFFERENTIABLE'


NOT_DIFFERENTIABLE: Final = NotDifferentiable()

Infer = Callable[..., Any]
Forward = Callable[..., Any]
Gradient = Callable[..., Any]
Kernel = Callable[..., Any]
ValueCheck = Callable[..., None]


class ChangedCopy:
    """The ``forward`` of an op that changes parts of a variable: a copy, changed in place.

    Args:
        in_place: the op's ``in_place``.
    """

    __slots__ = ('in_place',)

    def __init__(self, in_place: Forward) -> None:
        self.in_place = in_place

    def __call__(self, xp: Any, variable: Any, *arrays: Any, **attributes: Any) -> Any:
        result = xp.array(variable, order='C', copy=True)
        self.in_place(xp, result, *arrays, **attributes)
        return result


@dataclass(frozen=True, slots=True, eq=False)
class OpDef:
    """One operation.

    Attributes:
        name: TensorFlow's name of the op, unique.
        infer: ``infer(*specs, **attributes)`` gives the ``ArraySpec`` of the result,
            or a tuple of them; complete by itself, and raises for bad arguments.
        forward: ``forward(xp, *arrays, **attributes)`` gives the result array or a
            tuple of arrays, with exactly the inferred shapes and dtypes.
        gradient: ``gradient(context, *output_gradients)`` gives one gradient (a
            tensor, ``IndexedSlices`` or None) per input; or ``NOT_DIFFERENTIABLE``.
        inputs: a letter per input, separated by blanks; equal letters share a dtype,
            ``*T`` stands for any number of inputs of one dtype.
        dtypes: the dtypes that each letter takes; a letter not listed takes any.
        kernel: ``kernel(kernels, *arrays, **attributes)`` on a GPU, in place of ``in_place``
            if there is one, else of ``forward``; or None. It gets the
            ``kernels.Kernels`` of the device. It writes into the first array and
            returns that, or returns a new one; or it returns NotImplemented, with nothing
            done, to leave the call to the other.
        check_values: ``check_values(specs, values, **attributes)`` raises for inputs of the
            host that the op refuses, before they go to a GPU, where a bad one would be
            seen too late; or None. ``values`` holds an array of the host, or None, for each
            of the inputs, ``specs`` their ``ArraySpec``.
        direct: whether ``forward`` alone refuses exactly what ``infer`` refuses once
            dtypes are allowed and equal, so that the fast path may skip ``infer``.
        on_variable: whether the op runs where its first input, a variable, lives.
        in_place: ``in_place(xp, target, *arrays, **attributes)`` writes into the buffer
            of a variable; only for ops that change one.
        stateful: whether two equal calls may differ, as for random draws.
        grain: for an elementwise op, how many bytes of an input are worth a further thread
            on the CPU; 0 for an op that is not cut. See ``host_pieces``.
        asks_for_copy: whether calling the op is asking for a copy, as for ``identity``; its
            copies are explicit then, and no guard refuses them.
        wide: whether 16-bit floats are computed in float32 and rounded once.
        none_arrives: whether ``gradient`` gets None, and not zeros, for an output on which
            nothing depends.
        ufunc: name of the array module's function that is all that ``forward`` calls; or
            None.
        host_function: ``host_function(*arrays)`` gives what ``forward`` does for NumPy's
            arrays and the attributes ``plain``, or raises ValueError to leave it to
            ``forward``; the fast path calls it. By default NumPy's function ``ufunc``.
        host_into: ``host_into(*arrays, out=None)`` gives for NumPy's arrays what ``forward``
            does without attributes, in ``out`` if that is given; or None. Large arrays go
            there. By default NumPy's function ``ufunc``.
        plain: the attributes of most calls.

    The rest is worked out once, for the fast path: ``letters`` and ``variadic`` of
    ``inputs``; ``allowed``, the dtypes of the first input; ``uniform``, whether all
    inputs share one dtype.
    """

    name: str
    infer: Infer
    forward: Forward
    gradient: Gradient | NotDifferentiable
    inputs: str = 'T'
    dtypes: Mapping[str, frozenset[np.dtype[Any]]] = field(default_factory=dict)
    kernel: Kernel | None = None
    check_values: ValueCheck | None = None
    direct: bool = False
    on_variable: bool = False
    in_place: Forward | None = None
    stateful: bool = False
    wide: bool = False
    grain: int = 0
    asks_for_copy: bool = False
    none_arrives: bool = False
    ufunc: str | None = None
    host_function: Callable[..., Any] | None = None
    host_into: Callable[..., Any] | None = None
    plain: dict[str, Any] = field(default_factory=dict)
    letters: tuple[str, ...] = field(init=False)
    variadic: bool = field(init=False)
    allowed: frozenset[np.dtype[Any]] = field(init=False)
    uniform: bool = field(init=False)

    def __post_init__(self) -> None:
        letters = tuple(self.inputs.split())
        variadic = letters[-1:] != () and letters[-1].startswith('*')
        object.__setattr__(self, 'letters', tuple(letter.lstrip('*') for letter in letters))
        object.__setattr__(self, 'variadic', variadic)
        first = self.letters[0] if self.letters else ''
        object.__setattr__(self, 'allowed', self.dtypes.get(first, dtypes.ANY))
        object.__setattr__(self, 'uniform', len(set(self.letters)) == 1)
        if self.ufunc is not None:
            object.__setattr__(self, 'host_function', getattr(np, self.ufunc))
            object.__setattr__(self, 'host_into', self.host_into or self.host_function)

    def letter(self, position: int) -> str:
        """The dtype letter of the input at ``position``."""
        if self.variadic and position >= len(self.letters):
            return self.letters[-1]
        return self.letters[position]

    def argument(self, position: int) -> str:
        """The name of the input at ``position``, as its shape rule calls it."""
        names = _argument_names(self.infer)
        return names[min(position, len(names) - 1)] if names else 'input'

    def __repr__(self) -> str:
        return f'<OpDef {self.name}>'


@functools.cache
def _argument_names(infer: Infer) -> tuple[str, ...]:
    parameters = inspect.signature(infer).parameters.values()
    return tuple(p.name for p in parameters if p.kind is not p.KEYWORD_ONLY)


OPS: dict[str, OpDef] = {}
FUNCTIONS: dict[str, Callable[..., Any]] = {}
"""Functions above single ops that operators need, such as ``truediv`` and ``getitem``."""


def register(op: OpDef) -> OpDef:
    """Adds a record to ``OPS`` and returns it.

    Raises:
        ValueError: the name is taken.
    """
    if op.name in OPS:
        raise ValueError(f'[register] the op name {op.name!r} is taken; names are unique')
    OPS[op.name] = op
    return op


def provide(name: str, function: Callable[..., Any]) -> None:
    """Offers a function of ``_ops/`` to the operators of tensors and variables."""
    FUNCTIONS[name] = function
