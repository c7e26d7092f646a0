"""Formulas of elementwise ops drawn at random, operands for them, and what must come out."""

import ctypes
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from tensorvar import dtypes
from tensorvar._core.op_registry import OPS
from tensorvar._cuda import fused, fused_ops, fused_plan
from tensorvar._cuda.fused_ops import Formula, Step
from tests.support import kernel_cases, kernel_reference, tolerances

DTYPES = tuple(each for each in kernel_reference.DTYPES if each.kind != 'c')
FLOATS = tuple(each for each in DTYPES if each in dtypes.FLOATING)
LAYOUTS = ('dense', 'dense', 'misaligned', 'single', 'row', 'column', 'middle', 'transposed')
SHAPES = (
    (1,), (3,), (31,), (257,), (1023,), (5, 7), (16, 64), (33, 65), (2, 3, 5), (4, 9, 16),
    (3, 2, 33),
)  # fmt: skip
# The reference of Erf is SciPy's, which is not the C library's; a bias has one dimension.
NOT_DRAWN = frozenset({'BiasAdd', 'Erf'})
_LEAST_PARTS = {'SelectV2': 3, 'ClipByValue': 3, 'AddN': 3}
_ONE_INPUT = frozenset({
    'Abs', 'BroadcastTo', 'Cast', 'Ceil', 'Elu', 'Erf', 'Exp', 'Expm1', 'Floor', 'Gelu',
    'IsFinite', 'IsInf', 'IsNan', 'LeakyRelu', 'Log', 'Log1p', 'LogicalNot', 'Neg', 'Reciprocal',
    'Relu', 'Relu6', 'Rint', 'Round', 'Rsqrt', 'Selu', 'Sigmoid', 'Sign', 'Softplus', 'Softsign',
    'Sqrt', 'Square', 'Tanh',
})  # fmt: skip
ALPHA = float(np.float32(0.2))
_FLOAT32 = np.dtype(np.float32)


class Plan(NamedTuple):
    """A formula with what its ops need beside their inputs.

    Attributes:
        formula: the formula.
        attributes: of each step.
    """

    formula: Formula
    attributes: tuple[dict[str, Any], ...]


class Case(NamedTuple):
    """A plan with operands, places for the results, and the values expected there."""

    plan: Plan
    operands: list[np.ndarray]
    results: list[np.ndarray]
    expected: list[np.ndarray]


class _CLibrary:
    """NumPy, with the functions of the C library where the two may differ in the last bit."""

    def __init__(self) -> None:
        library = ctypes.CDLL('libm.so.6')
        for ours, theirs, count in (
            ('exp', 'exp', 1), ('expm1', 'expm1', 1), ('log', 'log', 1), ('log1p', 'log1p', 1),
            ('tanh', 'tanh', 1), ('power', 'pow', 2),
        ):  # fmt: skip
            setattr(self, ours, self._function(library, theirs, count))

    def __getattr__(self, name: str) -> Any:
        return getattr(np, name)

    @staticmethod
    def _function(library: Any, name: str, count: int) -> Callable[..., np.ndarray]:
        single, double = getattr(library, f'{name}f'), getattr(library, name)
        for function, kind in ((single, ctypes.c_float), (double, ctypes.c_double)):
            function.restype, function.argtypes = kind, [kind] * count
        each = {np.dtype('f4'): np.vectorize(single), np.dtype('f8'): np.vectorize(double)}

        def apply(*arrays: np.ndarray) -> np.ndarray:
            dtype = arrays[0].dtype
            wide = np.dtype('f4') if dtype.itemsize == 2 else dtype
            shape = np.broadcast_shapes(*(array.shape for array in arrays))
            if 0 in shape:
                return np.empty(shape, dtype)
            return each[wide](*(a.astype(wide) for a in arrays)).astype(wide).astype(dtype)

        return apply


C_LIBRARY = _CLibrary()


def arity(op: str) -> int:
    """How many inputs an op gets here."""
    return _LEAST_PARTS.get(op, 1 if op in _ONE_INPUT else 2)


def attributes_of(op: str, shape: Sequence[int], target: np.dtype[Any]) -> dict[str, Any]:
    """Attributes with which an op can be run."""
    return {
        'LeakyRelu': {'alpha': ALPHA},
        'LeakyReluGrad': {'alpha': ALPHA},
        'Gelu': {'approximate': True},
        'BiasAdd': {'channels_first': False},
        'Cast': {'dtype': target},
        'BroadcastTo': {'shape': tuple(shape)},
    }.get(op, {})


def result_of(op: str, given: Sequence[np.dtype[Any]], attributes: dict[str, Any]) -> Any:
    """The dtype of an op's result."""
    if op == 'Cast':
        return attributes['dtype']
    if op.startswith(('Is', 'Logical', 'Less', 'Greater', 'Equal', 'NotEqual')):
        return np.dtype(bool)
    return given[1] if op == 'SelectV2' else given[0]


def chain(*ops: str, dtype: np.dtype[Any] = _FLOAT32, inputs: int = 1) -> Plan:
    """Ops of which each takes the result of the one before, and the inputs in turn."""
    steps, notes, last = [], [], 0
    for place, op in enumerate(ops):
        parts = [last, *range(1, arity(op))]
        attributes = attributes_of(op, (), dtype)
        result = result_of(op, [dtype] * len(parts), attributes)
        step = fused_ops.step(op, parts, [dtype] * len(parts), attributes, result)
        assert step is not None
        steps.append(step)
        notes.append(attributes)
        last = inputs + place
    return Plan(fused_ops.Formula((dtype,) * inputs, tuple(steps), (last,)), tuple(notes))


def draw(generator: np.random.Generator, shape: tuple[int, ...], ops: Sequence[str]) -> Plan:
    """Draws a formula whose values all have one shape."""
    count = int(generator.integers(1, 6))
    known = [DTYPES[i] for i in generator.integers(0, len(DTYPES), count)]
    if generator.random() < 0.7:
        # Mostly one type, so that ops of several inputs have a choice.
        known = [known[0]] * count
    inputs = tuple(known)
    steps: list[Step] = []
    attributes: list[dict[str, Any]] = []
    wanted = int(generator.integers(2, 14))
    for _ in range(1000):
        if len(steps) == wanted:
            break
        made = _draw_step(generator, shape, ops, known)
        if made is not None:
            steps.append(made[0])
            attributes.append(made[1])
            known.append(made[0].dtype)
    others = generator.integers(count, len(known), int(generator.integers(0, 4))).tolist()
    outputs = tuple(dict.fromkeys([len(known) - 1, *others]))
    return _without_what_is_not_used(Formula(inputs, tuple(steps), outputs), attributes)


def _draw_step(
    generator: np.random.Generator,
    shape: tuple[int, ...],
    ops: Sequence[str],
    known: Sequence[np.dtype[Any]],
) -> tuple[Step, dict[str, Any]] | None:
    op = ops[generator.integers(len(ops))]
    first = int(generator.integers(len(known)))
    alike = [value for value, dtype in enumerate(known) if dtype == known[first]]
    chosen = [first, *generator.choice(alike, arity(op) - 1).tolist()]
    if op == 'SelectV2':
        bools = [value for value, dtype in enumerate(known) if dtype.kind == 'b']
        if not bools:
            return None
        chosen[0] = int(generator.choice(bools))
        chosen[1] = chosen[2]
    target = DTYPES[generator.integers(len(DTYPES))]
    if op == 'Cast' and not _is_defined(known[first], target):
        return None
    attributes = attributes_of(op, shape, target)
    given = [known[value] for value in chosen]
    if given[0] not in OPS[op].dtypes.get('T', dtypes.ANY) and op not in ('SelectV2', 'AddN'):
        return None
    step = fused_ops.step(op, chosen, given, attributes, result_of(op, given, attributes))
    return None if step is None else (step, attributes)


def _is_defined(source: np.dtype[Any], target: np.dtype[Any]) -> bool:
    # What becomes of a float that an integer cannot hold is up to the device.
    return source not in FLOATS or target in FLOATS or target.kind == 'b'


def _without_what_is_not_used(formula: Formula, attributes: list[dict[str, Any]]) -> Plan:
    count = len(formula.inputs)
    used = set(formula.outputs)
    for position in range(len(formula.steps) - 1, -1, -1):
        if count + position in used:
            used.update(formula.steps[position].inputs)
    kept = sorted(used)
    places = {value: place for place, value in enumerate(kept)}
    steps, notes = [], []
    for value in kept:
        if value >= count:
            step = formula.steps[value - count]
            steps.append(step._replace(inputs=tuple(places[each] for each in step.inputs)))
            notes.append(attributes[value - count])
    inputs = tuple(formula.inputs[value] for value in kept if value < count)
    outputs = tuple(places[value] for value in formula.outputs)
    return Plan(Formula(inputs, tuple(steps), outputs), tuple(notes))


def evaluate(plan: Plan, operands: Sequence[np.ndarray], xp: Any = C_LIBRARY) -> list[np.ndarray]:
    """What the ops' own forwards give, one after the other."""
    values = list(operands)
    with np.errstate(all='ignore'):
        for step, attributes in zip(plan.formula.steps, plan.attributes, strict=True):
            arrays = [values[each] for each in step.inputs]
            made = np.asarray(OPS[step.name].forward(xp, *arrays, **attributes))
            assert made.dtype == step.dtype, f'{step.name}: {made.dtype}, not {step.dtype}'
            values.append(made)
    return [values[each] for each in plan.formula.outputs]


def operand(
    generator: np.random.Generator, dtype: np.dtype[Any], shape: tuple[int, ...], layout: str
) -> np.ndarray:
    """An array that broadcasts to a shape."""
    extents = {
        'single': (),
        'row': shape[-1:],
        'column': (*shape[:-1], 1),
        'middle': (1, *shape[1:-1], 1) if len(shape) > 2 else (1,) * len(shape),
        'transposed': shape[::-1],
    }.get(layout, shape)
    size = int(np.prod(extents))
    offset = int(generator.integers(1, 16)) if layout == 'misaligned' else 0
    memory = np.empty((size + offset) * dtype.itemsize + 64, np.uint8)
    begin = -memory.ctypes.data % 64 + offset * dtype.itemsize
    array = memory[begin : begin + size * dtype.itemsize].view(dtype).reshape(extents)
    array[...] = kernel_reference.values(dtype, size, generator).reshape(extents)
    return array.T if layout == 'transposed' else array


def place(
    generator: np.random.Generator, dtype: np.dtype[Any], shape: tuple[int, ...]
) -> np.ndarray:
    """Memory for a result, sometimes at an odd element."""
    layout = 'misaligned' if generator.random() < 0.3 else 'dense'
    array = operand(generator, dtype, shape, layout)
    array.view(np.uint8)[...] = 0xCD
    return array


def case(generator: np.random.Generator, ops: Sequence[str]) -> Case:
    """Draws a plan that the kernels take, with operands."""
    while True:
        shape = SHAPES[generator.integers(len(SHAPES))]
        plan = draw(generator, shape, ops)
        formula = plan.formula
        if formula.inputs and len(formula.outputs) <= fused_plan.MOST_OUTPUTS:
            break
    layouts = generator.choice(LAYOUTS, len(formula.inputs)).tolist()
    operands = [
        operand(generator, dtype, shape, layout)
        for dtype, layout in zip(formula.inputs, layouts, strict=True)
    ]
    # Ops see what is spread out, as those steps that read it alone would not be of the shape.
    spread = [np.broadcast_to(each, shape) for each in operands]
    results = [place(generator, formula.dtype(value), shape) for value in formula.outputs]
    return Case(plan, operands, results, evaluate(plan, spread))


def run(kernels: fused.FusedKernels, case: Case) -> None:
    """Computes a case and compares."""
    kernels.prepare(case.plan.formula)(case.results, case.operands)
    for number, (actual, expected) in enumerate(zip(case.results, case.expected, strict=True)):
        what = f'{describe(case)}, result {number}'
        kernel_reference.assert_same(actual, expected, what, products=False)


def describe(case: Case) -> str:
    """A case in words."""
    formula = case.plan.formula
    count = len(formula.inputs)
    steps = [
        f'v{count + place} = {step.name}{step.inputs} {step.dtype}'
        for place, step in enumerate(formula.steps)
    ]
    operands = [f'{each.dtype}{each.shape}' for each in case.operands]
    return f'{operands}: {"; ".join(steps)} -> {formula.outputs} {case.results[0].shape}'


def exports_of(cases: Sequence[Case]) -> list[Any]:
    """The kernels that cases need, found without building any."""
    recorder = kernel_cases.Recorder(2)
    kernels = fused.FusedKernels(recorder)
    for each in cases:
        kernels.prepare(each.plan.formula)(each.results, each.operands)
    return recorder.exports


def single_ops(seed: int) -> list[Case]:
    """Every op alone, with every dtype that it has."""
    generator = np.random.default_rng(seed)
    drawn = (_single_op(op, dtype, generator) for op in fused_ops.names() for dtype in DTYPES)
    return [case for case in drawn if case is not None]


def _single_op(op: str, dtype: np.dtype, generator: np.random.Generator) -> Case | None:
    """An op alone, as a case, where its dtypes allow that."""
    target = _FLOAT32 if dtype != _FLOAT32 else np.dtype('f8')
    given = [dtype] * arity(op)
    if op == 'SelectV2':
        given[0] = np.dtype(bool)
    shape = (5, 67)
    attributes = attributes_of(op, shape, target)
    step = fused_ops.step(
        op, range(len(given)), given, attributes,
        result_of(op, given, attributes),
    )  # fmt: skip
    if step is None or dtype not in OPS[op].dtypes.get('T', dtypes.ANY):
        return None
    formula = fused_ops.Formula(tuple(given), (step,), (len(given),))
    plan = Plan(formula, (attributes,))
    layouts = ('dense', 'row' if op == 'BiasAdd' else 'dense', 'dense')
    operands = [
        operand(generator, each, shape, layout)
        for each, layout in zip(given, layouts, strict=False)
    ]
    results = [place(generator, step.dtype, shape)]
    return Case(plan, operands, results, evaluate(plan, operands, np))


def run_single(kernels: fused.FusedKernels, case: Case) -> None:
    """Computes an op and compares, within rounding where it comes from a library."""
    step = case.plan.formula.steps[0]
    if step.name not in fused_ops.INEXACT:
        run(kernels, case)
        return
    kernels.prepare(case.plan.formula)(case.results, case.operands)
    pair = case.results[0], case.expected[0]
    finite = np.isfinite(pair[1].astype('f8'))
    close = [np.where(finite, each, 0).astype(step.dtype) for each in pair]
    tolerances.assert_close(*close, what=f'{step.name} {step.dtype}')
    rest = [each[~finite] for each in pair]
    kernel_reference.assert_same(*rest, step.name, products=False)
