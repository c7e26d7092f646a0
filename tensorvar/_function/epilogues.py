"""Products on a GPU with what is done to them, a bias and an activation, as one kernel.

``MatMul``, then ``AddV2`` or ``BiasAdd`` of a row, then ``Relu`` or ``Gelu``, the middle one or
the last one left out: where nobody else takes a value in between, and a kernel of ours
multiplies, that kernel does the rest, too. The results are those of the ops one by one, to the
bit: the same kernel adds up the same sums, and each step is rounded. What cuBLAS multiplies
stays as it is, one product and a chain of elementwise ops (see ``chains``).
"""

import operator
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from tensorvar import dtypes
from tensorvar._backend.base import Array
from tensorvar._core import device_kernels
from tensorvar._function import chains
from tensorvar._function.chains import Chains, Entry, Fused
from tensorvar._function.events import Event, Op
from tensorvar._function.tree import Spec
from tensorvar._ops import _matmul_arrays

if TYPE_CHECKING:
    from tensorvar._cuda.matmul_problem import Activation

_ACTIVATIONS: 'Mapping[str, Activation]' = {'Relu': 'relu', 'Gelu': 'gelu'}
_OUTPUT = 'output_type'


class _Found(NamedTuple):
    """A product and what follows it.

    Attributes:
        members: the ops with their positions, the product first.
        bias: slot of the row that is added, or None.
        activation: what is applied to the sums.
    """

    members: list[tuple[int, Op]]
    bias: int | None
    activation: 'Activation'


class Finder:
    """Finds the products of one segment that are done with what follows them.

    Args:
        canonical: gives the slot that stands for a slot.
        specs: shapes and dtypes by slot.
    """

    def __init__(self, canonical: Callable[[int], int], specs: Mapping[int, Spec]) -> None:
        self._canonical = canonical
        self._specs = specs
        # By slot how often it is taken, and where it is taken last.
        self._uses: Counter[int] = Counter()
        self._takers: dict[int, Entry] = {}

    def find(self, todo: Sequence[Entry], returned: Sequence[int]) -> Chains:
        """Replaces products and what follows them.

        Args:
            todo: the events with their positions.
            returned: slots that the function returns.
        """
        products = [
            (position, event)
            for position, event in todo
            if isinstance(event, Op) and self._is_product(event)
        ]
        if not products:
            return Chains(list(todo), [], frozenset())
        self._uses = Counter(returned)
        for entry in todo:
            for slot in map(self._canonical, entry[1].inputs):
                self._uses[slot] += 1
                self._takers[slot] = entry
        done: dict[int, Event] = dict(todo)
        left_out: list[tuple[int, Op]] = []
        borders = [position for position, event in todo if chains.is_border(event)]
        for found in self._found(products, borders):
            left_out += found.members
            for position, _ in found.members:
                del done[position]
            done[found.members[-1][0]] = self._fused(found)
        values = frozenset(event.outputs[0] for _, event in left_out)
        by_position = operator.itemgetter(0)
        return Chains(
            sorted(done.items(), key=by_position), sorted(left_out, key=by_position), values
        )

    def _found(
        self, products: Sequence[tuple[int, Op]], borders: Sequence[int]
    ) -> Iterator[_Found]:
        for position, product in products:
            found = self._followed(position, product, borders)
            if len(found.members) > 1 and self._is_ours(found):
                yield found

    def _is_product(self, event: Op) -> bool:
        if event.op.name != 'MatMul' or not event.device.is_gpu or not _is_plain(event):
            return False
        shape, dtype = self._specs[event.outputs[0]]
        return dtype in dtypes.FLOATING and 0 not in shape

    def _followed(self, position: int, product: Op, borders: Sequence[int]) -> _Found:
        """A product with as much of what follows as one kernel can do."""
        members, bias = [(position, product)], None
        activation: Activation = 'none'
        end = min((border for border in borders if border > position), default=None)
        while activation == 'none':
            slot = members[-1][1].outputs[0]
            place, taker = self._takers.get(slot, (position, None))
            if self._uses[slot] != 1 or not isinstance(taker, Op):
                break
            if not _is_plain(taker) or (end is not None and place > end):
                break
            if taker.op.name in _ACTIVATIONS and not taker.attributes.get('approximate'):
                activation = _ACTIVATIONS[taker.op.name]
            elif bias is None and (row := self._row(taker, slot)) is not None:
                bias = row
            else:
                break
            members.append((place, taker))
        return _Found(members, bias, activation)

    def _row(self, event: Op, slot: int) -> int | None:
        """What an op adds to each row of a matrix in a slot; None if it does not."""
        if event.op.name not in ('AddV2', 'BiasAdd'):
            return None
        shape, dtype = self._specs[slot]
        first, second = map(self._canonical, event.inputs)
        other = second if first == slot else first
        # Of two dimensions the second is the last, so ``channels_first`` means the same.
        return other if self._specs[other] == (shape[1:], dtype) else None

    def _is_ours(self, found: _Found) -> bool:
        product = found.members[0][1]
        kernels: Any = device_kernels.find(product.device.backend)
        if not kernels.usable:
            return False
        a, b = (self._specs[slot] for slot in product.inputs)
        asked = {key: value for key, value in product.attributes.items() if key != _OUTPUT}
        dtype = self._specs[product.outputs[0]][1]
        return _matmul_arrays.is_ours(kernels, a, b, dtype, activation=found.activation, **asked)

    def _fused(self, found: _Found) -> Fused:
        members = [event for _, event in found.members]
        inputs = tuple(map(self._canonical, members[0].inputs))
        if found.bias is not None:
            inputs = (*inputs, found.bias)
        title = '_'.join(event.op.name for event in members)
        last = members[-1]
        run, begin = Run(members, found.activation), found.members[0][0]
        # A re-run does the product, too: handed back it would take memory twice.
        fused = Fused(last.where, inputs, run=run, title=title, begin=begin)
        fused.outputs = last.outputs
        return fused


def _is_plain(event: Op) -> bool:
    return not (event.detached or event.has_unknown_shape) and len(event.outputs) == 1


class Run:
    """Runs a product with what follows, by one kernel, or op by op where arrays lie oddly.

    Args:
        members: the ops.
        activation: what is applied to the sums.
    """

    def __init__(self, members: Sequence[Op], activation: 'Activation') -> None:
        self._members = members
        self._backend = members[0].device.backend
        self._kernels: Any = device_kernels.find(self._backend)
        self._activation = activation

    def __call__(self, a: Array, b: Array, bias: Array | None = None) -> tuple[Array]:
        """The one result."""
        return (self._backend.call(self._compute, a, b, bias),)

    def _compute(self, a: Array, b: Array, bias: Array | None) -> Array:
        product, *others = self._members
        result = self._kernels.run(
            product.op, a, b, bias=bias, activation=self._activation, **product.attributes
        )
        if result is not NotImplemented:
            return result
        result = chains.computed(product, (a, b))
        for event in others:
            operands = (result,) if len(event.inputs) == 1 else (result, bias)
            result = chains.computed(event, operands)
        return result
