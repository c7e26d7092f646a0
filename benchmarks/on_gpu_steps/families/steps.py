"""Optimizer steps for many variables, and the norm: ``kernels/optimizer.cu``, ``reduce.cu``."""

import itertools
from typing import Any

import numpy as np

from benchmarks.on_gpu_steps.families.machine import (
    BFLOAT16,
    FLOAT32,
    Host,
    Machine,
    close,
    expect,
)
from tensorvar._cuda import optimizer_rules, optimizers

RATE = 0.01
_STEPS = 3
# So many do not fit into the arguments of a launch.
_MANY = 1000
_SIZES = (1, 7, 5003)


def check_optimizers(machine: Machine) -> None:
    """Adam and momentum for few and for many variables, and bfloat16 with float32 masters."""
    for sizes in (_SIZES, (5,) * _MANY):
        _adam(machine, sizes)
        _momentum(machine, sizes)
    _masters(machine)


def check_reduce(machine: Machine) -> None:
    """The norm of all gradients, what it clips, and a step that infinity prevents."""
    random = np.random.default_rng(4)
    gradients = [random.standard_normal(size).astype(FLOAT32) for size in (*_SIZES, 70_001)]
    for bad in (False, True):
        if bad:
            gradients[2][1234] = np.inf
        weights = [np.ones(each.size, FLOAT32) for each in gradients]
        parameters = [machine.put(each) for each in weights]
        scalars = machine.put(optimizers.initial_scalars(RATE))
        machine.run(
            machine.kernels.optimizers.apply,
            optimizer_rules.sgd(),
            parameters,
            [machine.put(each) for each in gradients],
            {},
            scalars,
            clip_norm=1.0,
            skip_non_finite=True,
        )
        found = machine.get(scalars)
        expect(found[optimizers.Scalar.FINITE] == (not bad), f'FINITE is wrong, bad: {bad}')
        if bad:
            factor = 0.0
        else:
            norm = float(np.sqrt(sum(np.sum(each.astype(np.float64) ** 2) for each in gradients)))
            close(found[[optimizers.Scalar.NORM]], np.array([norm]), 1e-6, 'the norm')
            factor = RATE / norm
        for weight, parameter, gradient in zip(weights, parameters, gradients, strict=True):
            change = np.zeros(weight.size) if bad else factor * gradient.astype(np.float64)
            close(machine.get(parameter), weight - change, 1e-6, 'a clipped step')


def _drawn(sizes: tuple[int, ...], seed: int) -> list[Host]:
    random = np.random.default_rng(seed)
    return [random.uniform(-1, 1, size).astype(FLOAT32) for size in sizes]


def _adam(machine: Machine, sizes: tuple[int, ...]) -> None:
    weights, gradients = _drawn(sizes, 5), _drawn(sizes, 6)
    parameters, given = ([machine.put(each) for each in some] for some in (weights, gradients))
    slots = {
        name: [machine.put(np.zeros(size, FLOAT32)) for size in sizes]
        for name in ('momentum', 'velocity')
    }
    scalars = machine.put(optimizers.initial_scalars(RATE))
    rule = optimizer_rules.adam()
    update = machine.run(machine.kernels.optimizers.plan, rule, parameters, given, slots, scalars)
    for _ in range(_STEPS):
        machine.run(update)
    for weight, gradient, parameter in zip(weights, gradients, parameters, strict=True):
        w, g = weight.astype(np.float64), gradient.astype(np.float64)
        m, v = np.zeros_like(w), np.zeros_like(w)
        for step in range(1, _STEPS + 1):
            m += (g - m) * 0.1
            v += (g * g - v) * 0.001
            rate = RATE * (1 - 0.999**step) ** 0.5 / (1 - 0.9**step)
            w -= m * rate / (np.sqrt(v) + 1e-7)
        close(machine.get(parameter), w, 1e-5, f'adam for {len(sizes)} variables')
    done = machine.get(scalars)[optimizers.Scalar.STEP]
    expect(done == _STEPS, f'{done} steps were counted, not {_STEPS}')


def _momentum(machine: Machine, sizes: tuple[int, ...]) -> None:
    weights, gradients = _drawn(sizes, 7), _drawn(sizes, 8)
    parameters, given = ([machine.put(each) for each in some] for some in (weights, gradients))
    slots = {'momentum': [machine.put(np.zeros(size, FLOAT32)) for size in sizes]}
    scalars = machine.put(optimizers.initial_scalars(RATE))
    for _ in range(_STEPS):
        machine.run(
            machine.kernels.optimizers.apply,
            optimizer_rules.sgd(0.9),
            parameters,
            given,
            slots,
            scalars,
        )
    # Step after step the momentum is (1, 1.9, 2.71) times the first.
    total = sum(itertools.accumulate(0.9**power for power in range(_STEPS)))
    for weight, gradient, parameter in zip(weights, gradients, parameters, strict=True):
        exact = weight.astype(np.float64) - RATE * total * gradient.astype(np.float64)
        close(machine.get(parameter), exact, 1e-6, f'momentum for {len(sizes)} variables')


def _masters(machine: Machine) -> None:
    [weights], [gradients] = _drawn((3001,), 9), _drawn((3001,), 10)
    parameter, master = machine.put(weights.astype(BFLOAT16)), machine.put(weights)
    gradient: Any = gradients.astype(BFLOAT16)
    machine.run(
        machine.kernels.optimizers.apply,
        optimizer_rules.sgd(),
        [parameter],
        [machine.put(gradient)],
        {},
        machine.put(optimizers.initial_scalars(RATE)),
        masters=[master],
    )
    exact = weights.astype(np.float64) - RATE * gradient.astype(np.float64)
    close(machine.get(master), exact, 1e-6, 'a master in float32')
    close(machine.get(parameter), exact, 5e-3, 'its parameter in bfloat16')
