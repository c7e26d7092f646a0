"""kernels/optimizer.cu, run on the CPU, against NumPy and what Keras recorded."""

import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from tensorvar import errors
from tensorvar._cuda import arguments, host_emulation, optimizer_rules, optimizers
from tests.support import (
    kernel_cases,
    kernel_reference,
    optimizer_cases,
    optimizer_reference,
    source_tree,
)

ORDERS = ('forward', 'reverse', 'random')
SINGLE = optimizer_cases.TYPES[0]
SINGLE_DTYPE = np.dtype(np.float32)
RULES = optimizer_reference.RULES
KERAS = json.loads((source_tree.ROOT / 'tests' / 'data' / 'keras_optimizers.json').read_text())
Scalar = optimizers.Scalar


class Uploads:
    """Copies, and counts how often."""

    def __init__(self) -> None:
        self.count = 0

    def __call__(self, array: np.ndarray) -> np.ndarray:
        self.count += 1
        return array.copy()


@pytest.fixture
def uploads() -> Uploads:
    return Uploads()


@pytest.fixture
def kernels(host: host_emulation.HostTarget, uploads: Uploads) -> optimizers.OptimizerKernels:
    return optimizers.OptimizerKernels(host, uploads)


def case_of(rule: str, types: tuple[str, str, bool] = SINGLE) -> optimizer_cases.Case:
    return optimizer_cases.Case(rule, types, 'odd', 'aligned', 0, False, None, False)


def filled(rule: str, sizes: Any, types: tuple[str, str, bool] = SINGLE) -> optimizer_cases.Arrays:
    generator = np.random.default_rng(7)
    place = optimizer_cases.beside_margins('aligned', generator, [])
    return optimizer_cases.fill(rule, types, sizes, generator, place)


def run_all(host: host_emulation.HostTarget, cases: list[optimizer_cases.Case], seed: int) -> None:
    generator = np.random.default_rng(seed)
    for case in cases:
        optimizer_cases.run(host, case, generator)


def test_every_rule_with_all_dtypes_in_every_order(host: host_emulation.HostTarget) -> None:
    cases = optimizer_cases.product_cases(seed=0)
    host.prepare(optimizer_cases.exports_of(cases))
    for seed, order in enumerate(ORDERS):
        host.order = order
        run_all(host, cases, seed)


def test_a_sample_of_random_cases(host: host_emulation.HostTarget) -> None:
    # Most of their kernels are built for the test above.
    cases = optimizer_cases.random_cases(60, seed=3)
    host.prepare(optimizer_cases.exports_of(cases))
    host.order = 'random'
    run_all(host, cases, 3)


@pytest.mark.soak
@pytest.mark.timeout(1200)
@pytest.mark.parametrize('order', ORDERS)
def test_random_cases(host: host_emulation.HostTarget, order: host_emulation.Order) -> None:
    seed = ORDERS.index(order)
    cases = optimizer_cases.random_cases(2_000, seed)
    host.prepare(optimizer_cases.exports_of(cases))
    host.order = order
    run_all(host, cases, seed)


@pytest.mark.parametrize('order', ORDERS)
@pytest.mark.parametrize(('count', 'most'), [(500, 3_000), (900, 40)])
def test_many_variables(
    host: host_emulation.HostTarget,
    uploads: Uploads,
    order: host_emulation.Order,
    count: int,
    most: int,
) -> None:
    host.order = order
    sizes = np.random.default_rng(1).integers(0, most, count)
    arrays = filled('adam', sizes)
    kernels = optimizers.OptimizerKernels(host, uploads)
    scalars = optimizers.initial_scalars(0.01)
    case = case_of('adam')
    for _ in range(2):
        optimizer_cases.check_step(kernels, case, arrays, scalars)
    # More than 816 do not fit into the arguments of a kernel.
    assert uploads.count == (1 if np.count_nonzero(sizes) > 816 else 0)


def test_a_table_is_uploaded_anew_only_for_other_addresses(
    host: host_emulation.HostTarget, uploads: Uploads
) -> None:
    kernels = optimizers.OptimizerKernels(host, uploads, 0)
    scalars = optimizers.initial_scalars(0.01)
    arrays = filled('sgd', (3, 5))
    for _ in range(3):
        optimizer_cases.check_step(kernels, case_of('sgd'), arrays, scalars)
    assert uploads.count == 1
    arrays.gradients[1] = arrays.gradients[1].copy()
    optimizer_cases.check_step(kernels, case_of('sgd'), arrays, scalars)
    assert uploads.count == 2


@pytest.mark.parametrize('limit', [arguments.MAX_BYTES, 4096])
def test_arguments_keep_to_the_limit(limit: int) -> None:
    sizes_of = []

    class Target(kernel_cases.Recorder):
        def kernel(self, export: Any, signature: arguments.Signature) -> Any:
            sizes_of.append(signature.size)
            return super().kernel(export, signature)

    for count in (1, 79, 97, 480, 800, 817, 2_000):
        arrays = filled('rmsprop centered momentum', [1] * count)
        optimizers.OptimizerKernels(Target(2), np.copy, limit).plan(
            optimizer_reference.RULES['rmsprop centered momentum'],
            arrays.parameters,
            arrays.gradients,
            arrays.slots,
            optimizers.initial_scalars(1),
            clip_norm=1.0,
        )
    assert max(sizes_of) <= limit
    assert max(sizes_of) > limit - 1024


def numbers(values: list[Any], dtype: np.dtype[Any]) -> np.ndarray:
    return np.array([float(value) for value in values], dtype)


# Keras computes the powers of Adam's betas in float32, and the clip factor, too.
ULPS = {'adam': 8, 'adam clipped': 8, 'adam scaled': 8, 'adamw': 8, 'amsgrad': 4, 'sgd clipped': 2}


@pytest.mark.parametrize('record', KERAS['records'], ids=lambda r: f'{r["name"]} {r["dtype"]}')
def test_agrees_with_keras(kernels: optimizers.OptimizerKernels, record: dict[str, Any]) -> None:
    """The same bits in float64; in float32, too, but for Adam's powers and the clip factor."""
    name, dtype = record['name'], np.dtype(record['dtype'])
    base = next(each for each in (name, name.rpartition(' ')[0], 'sgd') if each in RULES)
    rule = RULES[base]
    parameters = [numbers(each, SINGLE_DTYPE).astype(dtype) for each in KERAS['parameters']]
    first = np.float32(0.1 if base == 'adagrad' else 0)
    slots = {
        label: [np.full(each.shape, first, dtype) for each in parameters] for label in rule.slots
    }
    scalars = optimizers.initial_scalars(
        np.float32(record['options']['learning_rate']),
        KERAS['loss_scale'] if record['scaled'] else 1.0,
    )
    ulps = ULPS.get(name, 0) if dtype == np.float32 else 0
    for step, (gradients, expected) in enumerate(
        zip(KERAS['gradients'], record['parameters'], strict=True)
    ):
        given = [numbers(each, SINGLE_DTYPE).astype(dtype) for each in gradients]
        if record['scaled'] and step == KERAS['not_finite']:
            given[0][1] = np.inf
        kernels.apply(
            rule,
            parameters,
            given,
            slots,
            scalars,
            decays=[True, False] if name == 'adamw' else None,
            clip_norm=record['options'].get('global_clipnorm'),
            skip_non_finite=record['scaled'],
        )
        if record['scaled'] and not scalars[Scalar.FINITE]:
            scalars[Scalar.LOSS_SCALE] /= 2
        for found, wanted in zip(parameters, expected, strict=True):
            assert_near(found, numbers(wanted, dtype), ulps)
    assert scalars[Scalar.STEP] == record['steps']
    for label, kept in slots.items():
        for found, wanted in zip(kept, record['slots'][label], strict=True):
            assert_near(found, numbers(wanted, dtype), ulps)


def assert_near(found: np.ndarray, wanted: np.ndarray, ulps: int) -> None:
    apart = np.max(np.abs(found - wanted) / np.spacing(np.abs(wanted)))
    assert apart <= ulps, f'{apart} units in the last place: {found}, not {wanted}'


def test_what_is_on_the_device_may_change_between_steps(
    host: host_emulation.HostTarget, uploads: Uploads
) -> None:
    """As in the replay of a captured graph: the same launches, other numbers."""
    kernels = optimizers.OptimizerKernels(host, uploads)
    arrays = filled('adam', (7, 20))
    scalars = optimizers.initial_scalars(0.1, 2.0)
    update = kernels.plan(RULES['adam'], arrays.parameters, arrays.gradients, arrays.slots, scalars)
    for step, (rate, scale) in enumerate([(0.1, 2.0), (0.05, 2.0), (0.05, 1024.0)], start=1):
        scalars[Scalar.LEARNING_RATE] = rate
        scalars[Scalar.LOSS_SCALE] = scale
        arrays.gradients[0][...] = step
        rates = optimizer_reference.Rates(step, rate, 1 / scale)
        old = [each.copy() for each in arrays.parameters]
        slots = [{name: each[i].copy() for name, each in arrays.slots.items()} for i in (0, 1)]
        update()
        for i in (0, 1):
            expected, _, _ = optimizer_reference.stepped(
                RULES['adam'], old[i], arrays.gradients[i], slots[i], rates
            )
            what = f'step {step} tensor {i}'
            kernel_reference.assert_same(arrays.parameters[i], expected, what, products=False)
    assert scalars[Scalar.STEP] == 3


def test_a_late_step_is_corrected_for(kernels: optimizers.OptimizerKernels) -> None:
    for step in (999, 1e6, 2.0**40):
        scalars = optimizers.initial_scalars(0.01)
        scalars[Scalar.STEP] = step
        optimizer_cases.check_step(kernels, case_of('adam'), filled('adam', (5,)), scalars)


def test_the_gradient_may_be_the_parameter(kernels: optimizers.OptimizerKernels) -> None:
    weights = np.arange(1, 1500, dtype=np.float32)
    expected = weights - weights * np.float32(0.25)
    kernels.apply(RULES['sgd'], [weights], [weights], {}, optimizers.initial_scalars(0.25))
    assert np.array_equal(weights, expected)


def test_all_dtypes_at_once(
    host: host_emulation.HostTarget, kernels: optimizers.OptimizerKernels
) -> None:
    """One launch for each combination, and one common norm."""
    parts = [filled('adam', (9, 0, 3), types) for types in optimizer_cases.TYPES]
    arrays = optimizer_cases.Arrays([], [], {'momentum': [], 'velocity': []}, [], [])
    for part in parts:
        arrays.parameters.extend(part.parameters)
        arrays.gradients.extend(part.gradients)
        arrays.masters.extend(part.masters)
        for name, kept in arrays.slots.items():
            kept.extend(part.slots[name])
    case = case_of('adam')._replace(clip_norm=0.5, skips=True, decays=True)
    optimizer_cases.check_step(kernels, case, arrays, optimizers.initial_scalars(0.01))


def test_nothing_but_empty_arrays(kernels: optimizers.OptimizerKernels) -> None:
    arrays = filled('adam', (0, 0))
    scalars = optimizers.initial_scalars(0.1)
    case = case_of('adam')._replace(clip_norm=1.0, skips=True)
    optimizer_cases.check_step(kernels, case, arrays, scalars)
    optimizer_cases.check_step(kernels, case, filled('adam', ()), scalars)
    assert scalars[Scalar.NORM] == 0
    assert scalars[Scalar.FINITE] == 1


@pytest.mark.parametrize('bad', [np.inf, -np.inf, np.nan])
@pytest.mark.parametrize('types', optimizer_cases.TYPES[:5], ids=str)
def test_a_step_with_gradients_that_are_not_finite_is_skipped(
    kernels: optimizers.OptimizerKernels, types: tuple[str, str, bool], bad: float
) -> None:
    arrays = filled('adam', (300, 41), types)
    arrays.gradients[1][40] = bad
    scalars = optimizers.initial_scalars(0.1, 8.0)
    kept = [*arrays.parameters, *arrays.slots['momentum'], *arrays.slots['velocity']]
    kept += [master for master in arrays.masters if master is not None]
    before = [array.copy() for array in kept]
    options: dict[str, Any] = {'masters': arrays.masters, 'skip_non_finite': True}
    step = (RULES['adam'], arrays.parameters, arrays.gradients, arrays.slots, scalars)
    kernels.apply(*step, **options, clip_norm=1.0)
    assert all(np.array_equal(a, b) for a, b in zip(kept, before, strict=True))
    assert scalars[Scalar.STEP] == scalars[Scalar.FINITE] == 0
    arrays.gradients[1][40] = 1
    kernels.apply(*step, **options, clip_norm=1.0)
    assert scalars[Scalar.STEP] == scalars[Scalar.FINITE] == 1
    assert not any(np.array_equal(a, b) for a, b in zip(kept, before, strict=True))


def test_a_norm_that_is_not_finite_makes_all_nan_as_in_tensorflow(
    kernels: optimizers.OptimizerKernels,
) -> None:
    arrays = filled('sgd', (30, 4))
    arrays.gradients[1][2] = np.inf
    step = (RULES['sgd'], arrays.parameters, arrays.gradients, {}, optimizers.initial_scalars(1))
    kernels.apply(*step, clip_norm=1.0)
    assert all(np.isnan(each).all() for each in arrays.parameters)


def test_plans_do_not_pile_up(
    kernels: optimizers.OptimizerKernels, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(optimizers, '_MOST_PLANS', 3)
    scalars = optimizers.initial_scalars(0.1)
    for count in range(1, 8):
        optimizer_cases.check_step(kernels, case_of('sgd'), filled('sgd', (count,)), scalars)
        assert len(kernels._updates) <= 3


def ones(*shape: int, dtype: Any = np.float32) -> np.ndarray:
    return np.ones(shape, dtype)


Build = Callable[[], dict[str, Any]]
MEMORY = ones(20)
WRONG: dict[str, tuple[str, Build]] = {
    'a parameter of integers': (
        'parameter 0 of int32; allowed', lambda: {'parameters': [ones(3, dtype=np.int32)]},
    ),
    'a gradient of integers': (
        'gradient 0 of int64; allowed', lambda: {'gradients': [ones(3, dtype=np.int64)]},
    ),
    'a complex parameter': (
        'parameter 0 of complex64', lambda: {'parameters': [ones(3, dtype=np.complex64)]},
    ),
    'a slot of another dtype': (
        "slot 'momentum' 0 of float64 for a parameter of float32; it must be float32",
        lambda: {'slots': {'momentum': [ones(3, dtype=np.float64)]}},
    ),
    'a master of float32': (
        'parameter 0 of float32 with a master', lambda: {'masters': [ones(3)]},
    ),
    'a gradient of another shape': (
        'of shape .3,. and its gradient of shape .3, 1.', lambda: {'gradients': [ones(3, 1)]},
    ),
    'a missing gradient': ('1 for parameter, 0 for gradient', lambda: {'gradients': []}),
    'a missing flag': ('0 for weight decay', lambda: {'decays': []}),
    'missing slots': ("slots .*; the rule needs .'momentum'.", lambda: {'slots': {}}),
    'strides': (
        'gradient 0 of shape .3,. and strides .8,.', lambda: {'gradients': [ones(6)[::2]]},
    ),
    'an odd address': (
        '2 bytes past its alignment',
        lambda: {'gradients': [ones(16, dtype=np.uint8)[2:14].view(np.float32)]},
    ),
    'a parameter twice': (
        'parameter 0 and parameter 1 share memory',
        lambda: {
            'parameters': [MEMORY[:3], MEMORY[2:5]],
            'gradients': [ones(3), ones(3)],
            'slots': {'momentum': [ones(3), ones(3)]},
        },
    ),
    'a gradient beside its place': (
        'parameter 0 and gradient 0 share memory',
        lambda: {'parameters': [MEMORY[:3]], 'gradients': [MEMORY[1:4]]},
    ),
    'a slot that is the gradient': (
        "gradient 0 and slot 'momentum' 0 share memory",
        lambda: {'gradients': [MEMORY[:3]], 'slots': {'momentum': [MEMORY[:3]]}},
    ),
    'scalars of float32': (
        'scalars of float32', lambda: {'scalars': ones(16)},
    ),
    'a negative norm': ('clip_norm is -1', lambda: {'clip_norm': -1.0}),
}  # fmt: skip


@pytest.mark.parametrize('name', WRONG)
def test_what_does_not_go_together(kernels: optimizers.OptimizerKernels, name: str) -> None:
    words, changes = WRONG[name]
    given: dict[str, Any] = {
        'parameters': [ones(3)],
        'gradients': [ones(3)],
        'slots': {'momentum': [ones(3)]},
        'scalars': optimizers.initial_scalars(0.1),
    } | changes()
    dtypes = 'dtype' in name or 'integers' in name or 'master' in name or 'complex' in name
    expected = errors.InvalidTypeError if dtypes else errors.InvalidArgumentError
    with pytest.raises(expected, match=rf'^\[Momentum\] .*{words}'):
        kernels.apply(optimizer_rules.sgd(0.9), **given)


def test_gradients_may_share_memory(kernels: optimizers.OptimizerKernels) -> None:
    one, two, gradient = ones(5), ones(4), ones(6)
    given = [gradient[:5], gradient[2:]]
    kernels.apply(RULES['sgd'], [one, two], given, {}, optimizers.initial_scalars(0.5))
    assert (one == 0.5).all()
    assert (two == 0.5).all()
