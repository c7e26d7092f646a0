"""Cases of the optimizer kernels: rule, dtypes, sizes, addresses, and how they are run."""

import itertools
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np

from tensorvar._cuda import arguments, optimizers, source, targets
from tests.support import kernel_cases, kernel_reference, optimizer_reference

TYPES = (
    ('float32', 'float32', False),
    ('float32', 'bfloat16', False),
    ('bfloat16', 'bfloat16', False),
    ('bfloat16', 'bfloat16', True),
    ('float16', 'float16', True),
    ('float16', 'float32', False),
    ('float64', 'float64', False),
    ('float64', 'float16', False),
)
SIZES: dict[str, tuple[int, ...]] = {
    'one': (1,),
    'odd': (5, 1, 259),
    'small': (3, 4, 16, 7, 1, 64, 2, 8, 31, 5),
    'some empty': (0, 6, 0, 9, 0),
    'several chunks': (5_003, 1, 2_050),
    'vectors': (1_024, 2_048, 256),
}
OFFSETS = ('aligned', 'parameter', 'any')
LIMITS = (arguments.MAX_BYTES, 4096, 0)
_MARGIN = 64


class Case(NamedTuple):
    """One case.

    Attributes:
        rule: a key of ``optimizer_reference.RULES``.
        types: of ``TYPES``: parameter, gradient, whether there are masters.
        sizes: a key of ``SIZES``.
        offsets: of the addresses from multiples of 64: none, of the parameters by one
            element, of every array by any number of elements.
        limit: bytes of arguments that a kernel takes.
        decays: whether only every other parameter has weight decay.
        clip_norm: None for no clipping.
        skips: whether gradients that are not finite are skipped.
    """

    rule: str
    types: tuple[str, str, bool]
    sizes: str
    offsets: str
    limit: int
    decays: bool
    clip_norm: float | None
    skips: bool


_SETTINGS: tuple[Sequence[Any], ...] = (
    tuple(optimizer_reference.RULES), TYPES, tuple(SIZES), OFFSETS, LIMITS, (False, True),
    (None, 0.5, 1e4), (False, True),
)  # fmt: skip


def product_cases(seed: int) -> list[Case]:
    """Every rule with every combination of dtypes; the other settings are drawn."""
    generator = np.random.default_rng(seed)
    return [
        Case(rule, types, *_draw(generator, _SETTINGS[2:]))
        for rule, types in itertools.product(*_SETTINGS[:2])
    ]


def random_cases(count: int, seed: int) -> list[Case]:
    generator = np.random.default_rng(seed)
    return [Case(*_draw(generator, _SETTINGS)) for _ in range(count)]


def _draw(generator: np.random.Generator, settings: Sequence[Sequence[Any]]) -> list[Any]:
    return [choices[generator.integers(len(choices))] for choices in settings]


class Arrays(NamedTuple):
    """The arrays of a case; each lies in memory of its own, with a margin."""

    parameters: list[np.ndarray]
    gradients: list[np.ndarray]
    slots: dict[str, list[np.ndarray]]
    masters: list[np.ndarray | None]
    memories: list[tuple[np.ndarray, np.ndarray]]


Place = Callable[[np.ndarray, str], np.ndarray]
"""Gives a copy of values in the memory that a kernel works on, given what they are."""


def beside_margins(offsets: str, generator: np.random.Generator, memories: list[Any]) -> Place:
    """Copies to memory whose margins are noted in ``memories``."""

    def place(values: np.ndarray, kind: str) -> np.ndarray:
        size = values.dtype.itemsize
        odd = offsets == 'any' or (offsets == 'parameter' and kind == 'parameter')
        offset = size * int(generator.integers(1, _MARGIN // size)) if odd else 0
        memory = kernel_cases.memory_at(values.nbytes, offset)
        array = memory[_MARGIN : _MARGIN + values.nbytes].view(values.dtype)
        array[...] = values
        memories.append((memory, array))
        return array

    return place


def fill(
    rule_name: str,
    types: tuple[str, str, bool],
    sizes: Sequence[int],
    generator: np.random.Generator,
    place: Place,
) -> Arrays:
    """Arrays with drawn values."""
    rule = optimizer_reference.RULES[rule_name]
    parameter, gradient = map(kernel_reference.dtype_named, types[:2])
    kept = np.dtype(np.float64 if parameter == np.float64 else np.float32)
    arrays = Arrays([], [], {name: [] for name in rule.slots}, [], [])
    for size in sizes:
        wide = generator.standard_normal(size)
        arrays.parameters.append(place(wide.astype(parameter), 'parameter'))
        drawn = generator.standard_normal(size) * 10.0 ** generator.integers(-3, 2, size)
        arrays.gradients.append(place(drawn.astype(gradient), 'gradient'))
        master = place(wide.astype(np.float32), 'master') if types[2] else None
        arrays.masters.append(master)
        for name in rule.slots:
            values = np.abs(generator.standard_normal(size)).astype(kept)
            arrays.slots[name].append(place(values, 'slot'))
    return arrays


def decays_of(case: Case, count: int) -> list[bool]:
    return [not case.decays or position % 2 == 0 for position in range(count)]


def run(target: targets.Target, case: Case, generator: np.random.Generator) -> None:
    """Runs a case for two steps and compares it with the reference."""
    memories: list[tuple[np.ndarray, np.ndarray]] = []
    place = beside_margins(case.offsets, generator, memories)
    arrays = fill(case.rule, case.types, SIZES[case.sizes], generator, place)
    before = [memory.copy() for memory, _ in memories]
    kernels = optimizers.OptimizerKernels(target, np.copy, case.limit)
    scalars = optimizers.initial_scalars(0.05, 4.0)
    check_step(kernels, case, arrays, scalars)
    check_step(kernels, case, arrays, scalars)
    for (memory, array), old in zip(memories, before, strict=True):
        first = array.ctypes.data - memory.ctypes.data if array.size else 0
        old[first : first + array.nbytes] = memory[first : first + array.nbytes]
        assert np.array_equal(memory, old), f'{case}: it wrote beside an array'


def check_step(
    kernels: optimizers.OptimizerKernels, case: Case, arrays: Arrays, scalars: np.ndarray
) -> None:
    """Does a step and compares all arrays with the reference."""
    rule = optimizer_reference.RULES[case.rule]
    decays = decays_of(case, len(arrays.parameters))
    olds = [_copies(arrays, position) for position in range(len(arrays.parameters))]
    step = int(scalars[optimizers.Scalar.STEP]) + 1
    kernels.apply(
        rule,
        arrays.parameters,
        arrays.gradients,
        arrays.slots,
        scalars,
        masters=arrays.masters,
        decays=decays,
        clip_norm=case.clip_norm,
        skip_non_finite=case.skips,
    )
    assert scalars[optimizers.Scalar.STEP] == step
    check_norm(case, arrays, scalars)
    factor = scalars[optimizers.Scalar.CLIP_FACTOR] / scalars[optimizers.Scalar.LOSS_SCALE]
    rates = optimizer_reference.Rates(step, scalars[optimizers.Scalar.LEARNING_RATE], factor)
    for position, (parameter, slots, master) in enumerate(olds):
        gradient = arrays.gradients[position]
        expected, kept, mastered = optimizer_reference.stepped(
            rule, parameter, gradient, slots, rates, master=master, decays=decays[position]
        )
        what = f'{case} step {step} tensor {position}'
        same = kernel_reference.assert_same
        same(arrays.parameters[position], expected, f'{what} parameter', products=False)
        for name, wanted in kept.items():
            same(arrays.slots[name][position], wanted, f'{what} {name}', products=False)
        if mastered is not None:
            found = arrays.masters[position]
            assert found is not None
            same(found, mastered, f'{what} master', products=False)


def check_norm(case: Case, arrays: Arrays, scalars: np.ndarray) -> None:
    """Compares norm and clip factor, if the case asks for them."""
    factor = scalars[optimizers.Scalar.CLIP_FACTOR]
    if case.clip_norm is None:
        assert factor == 1
    if case.clip_norm is None and not case.skips:
        return
    wide = [gradient.astype(np.float64) for gradient in arrays.gradients]
    exact = np.sqrt(sum(float(np.sum(each * each)) for each in wide))
    exact /= scalars[optimizers.Scalar.LOSS_SCALE]
    norm = scalars[optimizers.Scalar.NORM]
    assert abs(norm - exact) <= 1e-6 * exact, f'{case}: a norm of {norm}, not {exact}'
    assert scalars[optimizers.Scalar.FINITE] == 1
    if case.clip_norm is not None:
        wanted = 1.0 if norm <= case.clip_norm else case.clip_norm / norm
        assert factor == wanted


def _copies(
    arrays: Arrays, position: int
) -> tuple[np.ndarray, dict[str, np.ndarray], np.ndarray | None]:
    master = arrays.masters[position]
    slots = {name: each[position].copy() for name, each in arrays.slots.items()}
    return arrays.parameters[position].copy(), slots, None if master is None else master.copy()


def exports_of(cases: Sequence[Case]) -> Iterator[source.Export]:
    """The kernels that cases need, found without building any."""
    for case in dict.fromkeys(cases):
        recorder = kernel_cases.Recorder(2)
        generator = np.random.default_rng(0)
        place = beside_margins('aligned', generator, [])
        arrays = fill(case.rule, case.types, SIZES[case.sizes], generator, place)
        optimizers.OptimizerKernels(recorder, np.copy, case.limit).plan(
            optimizer_reference.RULES[case.rule],
            arrays.parameters,
            arrays.gradients,
            arrays.slots,
            optimizers.initial_scalars(0.1),
            masters=arrays.masters,
            clip_norm=case.clip_norm,
            skip_non_finite=case.skips,
        )
        yield from recorder.exports
