"""What plans of ``tv.function`` launch: fused chains of elementwise ops, and CUDA graphs."""

from typing import Any

import numpy as np

import tensorvar as tv
from benchmarks.on_gpu_steps.families.machine import Machine, close, equal, expect

_DEVICE = 'GPU:0'
# One run is traced, then two are replayed; the next one captures.
_TURNS = 8


def check_fused(machine: Machine) -> None:
    """A chain in one kernel has the bits of its ops one by one, or nearly where they round."""
    del machine
    random = np.random.default_rng(12)
    x, y = (random.uniform(-2, 2, (96, 70)).astype(np.float32) for _ in range(2))

    def exactly(x: Any, y: Any) -> Any:
        return tv.maximum(x * y + x, y) - tv.where(x > y, x, -y) * x

    def nearly(x: Any, y: Any) -> Any:
        return tv.tanh(x * y) * tv.sigmoid(x) + tv.exp(-y * y)

    for dtype in ('float32', 'bfloat16', 'float16'):
        for chain in (exactly, nearly):
            with tv.device('CPU:0'):
                host = chain(*(tv.cast(tv.constant(each), dtype) for each in (x, y))).numpy()
            plan = tv.function(chain)
            with tv.device(_DEVICE, fallback='error'):
                given = [tv.cast(tv.constant(each), dtype) for each in (x, y)]
                expected = chain(*given).numpy()
                close(expected, host, 1e-5 if dtype == 'float32' else 2e-2, f'{dtype}, op by op')
                for _ in range(3):
                    found = plan(*given).numpy()
                    if chain is exactly:
                        equal(found, expected, f'a chain of {dtype}')
                    else:
                        close(found, expected, 1e-6 if dtype == 'float32' else 1e-2, dtype)
            text = plan.pretty_printed_plan()
            expect('fused_' in text, f'the plan launches no fused kernel:\n{text}')


def check_graph(machine: Machine) -> None:
    """A step that reads, computes, writes and reads again, beside the same step eagerly."""
    del machine
    random = np.random.default_rng(13)
    images = random.uniform(-1, 1, (64, 48)).astype(np.float32)
    weights = random.uniform(-0.2, 0.2, (48, 48)).astype(np.float32)

    def step(variable: Any, x: Any) -> Any:
        y = tv.tanh(tv.matmul(x, variable))
        before = variable * 2.0
        variable.assign_sub(tv.matmul(x, y, transpose_a=True) * 0.01)
        return y, variable - before

    with tv.device(_DEVICE, fallback='error'):
        eager, planned = tv.Variable(weights), tv.Variable(weights)
        plan = tv.function(lambda x: step(planned, x))
        for turn in range(_TURNS):
            x = tv.constant(images * np.float32(1 + turn / 10))
            for found, expected in zip(plan(x), step(eager, x), strict=True):
                close(found.numpy(), expected.numpy(), 1e-5, f'turn {turn}')
        close(planned.numpy(), eager.numpy(), 1e-5, 'the variable')
        expect(not np.array_equal(planned.numpy(), weights), 'the variable was not written')
    text = plan.pretty_printed_plan()
    expect('# a CUDA graph\n' in text, f'the plan did not become a graph:\n{text}')
