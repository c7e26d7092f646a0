"""A training step of a small classifier: eager, as plan and graph, as the peers compile it.

Then the graph once more, as cuBLAS multiplies, and as kernels of ours do, which add the bias
and apply the activation, too. First all that runs at once; what PyTorch and JAX compile, which
may take a minute, is compared with it afterwards.
"""

from collections.abc import Callable
from typing import Any

from benchmarks import bench_step, libraries
from benchmarks.on_gpu_steps import multipliers, operands, session, timing
from tensorvar._function import graphs

BATCHES = (32, 4096)
_EFFORT = timing.Effort(rounds=16, batch_seconds=20e-3)

Calls = dict[str, tuple[Callable[[], Any], timing.Lane]]
"""What is called, and where its work is queued."""


def main(step: session.Session) -> None:
    """Compares the step for a small and a large batch; the time is that on the wall."""
    owns = {}
    for batch in BATCHES:
        found = step.attempt(f'batch {batch}', _own, batch)
        if found is None:
            continue
        owns[batch] = found
        calls = found | (_torch(batch) if operands.torch else {})
        step.attempt(f'batch {batch}', _compare, step, case_of(batch), calls)
        step.attempt(f'batch {batch}, products', _compare_products, step, batch)
    jax = operands.jax_with_card()
    if 'jax' in operands.absent:
        step.say(f'JAX: {operands.absent["jax"]}')
    for batch, calls in owns.items():
        peers: Calls = _torch_compiled(batch) if operands.torch else {}
        if jax is not None:
            peers |= _jax(jax, batch)
        if peers:
            what = f'{case_of(batch)}, compiled'
            step.attempt(what, _compare, step, what, calls | peers)


def case_of(batch: int) -> str:
    """What the comparison for a batch is called."""
    return f'training step, 64-128-10, batch {batch}'


def _compare(step: session.Session, case: str, calls: Calls) -> None:
    contenders = [
        timing.Contender(name, lambda _, call=call: call(), lane)
        for name, (call, lane) in calls.items()
    ]
    row = operands.compare(step, case, contenders, timing.WallClock(), _EFFORT)
    times = row.get('seconds', {}).items()
    step.say(f'{case}: {", ".join(f"{name} {value * 1e6:.0f} us" for name, value in times)}')


def _compare_products(step: session.Session, batch: int) -> None:
    lane = operands.LANES['tensorvar']
    calls = {
        f'tensorvar graph, {who}': (_multiplied_by(who, batch), lane) for who in multipliers.ALL
    }
    _compare(step, f'{case_of(batch)}, products', calls)


def _multiplied_by(who: str, batch: int) -> Callable[[], Any]:
    with multipliers.preferred(who):
        with operands.tv.device(operands.DEVICE):
            call = bench_step.tensorvar_cases(operands.tv)[f'batch {batch}, function']
        for _ in range(graphs.WARM_UP + 2):
            call()
    return call


def _own(batch: int) -> Calls:
    with operands.tv.device(operands.DEVICE):
        # Made under the scope, run without it, as a user's step is.
        cases = bench_step.tensorvar_cases(operands.tv)
        others = bench_step.tensorvar_cases(operands.tv)
    lane = operands.LANES['tensorvar']
    plan = cases[f'batch {batch}, function']
    known = set(graphs.runs())
    plan()
    for run in set(graphs.runs()) - known:
        run.stay_plain()
    return {
        'tensorvar': (cases[f'batch {batch}, eager'], lane),
        'tensorvar plan': (plan, lane),
        'tensorvar graph': (others[f'batch {batch}, function'], lane),
    }


def _torch(batch: int) -> Calls:
    torch = operands.torch
    lane = operands.LANES['torch']
    with torch.device('cuda'):
        return {'torch': (bench_step.torch_cases(torch)[f'batch {batch}, eager'], lane)}


def _torch_compiled(batch: int) -> Calls:
    torch = operands.torch
    lane = operands.LANES['torch']
    with torch.device('cuda'):
        return {
            'torch reduce-overhead': (compiled_step(torch, batch, 'reduce-overhead'), lane),
            'torch compiled': (compiled_step(torch, batch, None), lane),
        }


def _jax(jax: Any, batch: int) -> Calls:
    with libraries.ALL['jax'].scope(jax, operands.DEVICE):
        run = bench_step.jax_cases(jax)[f'batch {batch}, function']
    last: list[Any] = [None]

    def call() -> None:
        last[0] = run()

    return {'jax jit': (call, timing.Lane(None, lambda: jax.block_until_ready(last[0])))}


def compiled_step(torch: Any, batch: int, mode: str | None) -> Callable[[], Any]:
    """The same step with the forward part compiled, which compiles its gradient, too.

    Args:
        torch: the library, with the card as its default device.
        batch: rows of the images.
        mode: of ``torch.compile``; with ``'reduce-overhead'`` the parts are CUDA graphs.
    """
    images = torch.full((batch, bench_step.PIXELS), 0.5)
    labels = torch.zeros(batch, dtype=torch.int64)
    variables = [torch.full(shape, 0.01, requires_grad=True) for shape in bench_step.SHAPES]

    def loss_of(w1: Any, b1: Any, w2: Any, b2: Any) -> Any:
        logits = torch.relu(images @ w1 + b1) @ w2 + b2
        return torch.nn.functional.cross_entropy(logits, labels)

    compiled = torch.compile(loss_of, mode=mode)

    def step() -> Any:
        # The last step's results may be written over.
        torch.compiler.cudagraph_mark_step_begin()
        loss = compiled(*variables)
        gradients = torch.autograd.grad(loss, variables)
        with torch.no_grad():
            for variable, gradient in zip(variables, gradients, strict=True):
                variable.sub_(bench_step.RATE * gradient)
        return loss

    return step


if __name__ == '__main__':
    session.run(main)
