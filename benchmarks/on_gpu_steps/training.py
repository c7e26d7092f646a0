"""One training step of a small classifier, as each library's users write it."""

from collections.abc import Callable
from typing import Any

from benchmarks import bench_tape, libraries
from benchmarks.on_gpu_steps import operands, session, timing

CASE = 'training step, 64-128-10'
_EFFORT = timing.Effort(rounds=16, batch_seconds=20e-3)


def main(step: session.Session) -> None:
    """Compares the step eagerly and compiled; the time is that on the wall."""
    with operands.tv.device(operands.DEVICE):
        # Made under the scope, run without it, as a user's step is.
        calls: dict[str, Callable[[], Any]] = {
            'tensorvar': bench_tape.tensorvar_cases(operands.tv)[CASE]
        }
    lanes = dict(operands.LANES)
    if operands.torch:
        with operands.torch.device('cuda'):
            calls['torch'] = bench_tape.torch_cases(operands.torch)[CASE]
            calls['torch compiled'] = compiled_step(operands.torch)
        lanes['torch compiled'] = lanes['torch']
    jax: Any = operands.optional('jax')
    if jax is None:
        step.say('JAX is missing')
    else:
        with libraries.ALL['jax'].scope(jax, operands.DEVICE):
            _add_jax(jax, calls, lanes)
    contenders = [
        timing.Contender(name, lambda _, call=call: call(), lanes[name])
        for name, call in calls.items()
    ]
    row = operands.compare(step, CASE, contenders, timing.WallClock(), _EFFORT)
    times = row.get('seconds', {}).items()
    step.say(', '.join(f'{name} {value * 1e6:.0f} us' for name, value in times))


def _add_jax(jax: Any, calls: dict[str, Callable[[], Any]], lanes: dict[str, Any]) -> None:
    run = bench_tape.jax_cases(jax)[CASE]
    last: list[Any] = [None]

    def call() -> None:
        last[0] = run()

    calls['jax jit'] = call
    lanes['jax jit'] = timing.Lane(None, lambda: jax.block_until_ready(last[0]))


def compiled_step(torch: Any) -> Callable[[], Any]:
    """The same step with the forward part compiled, which compiles its gradient, too."""
    images = torch.full((bench_tape.BATCH, bench_tape.PIXELS), 0.5)
    labels = torch.zeros(bench_tape.BATCH, dtype=torch.int64)
    shapes = (
        (bench_tape.PIXELS, bench_tape.HIDDEN),
        (bench_tape.HIDDEN,),
        (bench_tape.HIDDEN, bench_tape.CLASSES),
        (bench_tape.CLASSES,),
    )
    variables = [torch.full(shape, 0.01, requires_grad=True) for shape in shapes]

    @torch.compile
    def loss_of(w1: Any, b1: Any, w2: Any, b2: Any) -> Any:
        logits = torch.relu(images @ w1 + b1) @ w2 + b2
        return torch.nn.functional.cross_entropy(logits, labels)

    def step() -> Any:
        loss = loss_of(*variables)
        gradients = torch.autograd.grad(loss, variables)
        with torch.no_grad():
            for variable, gradient in zip(variables, gradients, strict=True):
                variable.sub_(bench_tape.RATE * gradient)
        return loss

    return step


if __name__ == '__main__':
    session.run(main)
