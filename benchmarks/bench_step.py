"""A step of gradient descent on a 64-128-10 relu network: eager, as a function, compiled.

A function is ``tf.function`` for TensorFlow; compiled, it is that with ``jit_compile``,
``torch.compile`` where there is a C++ compiler for it, and ``jax.jit`` with the parameters
donated, which stands beside the functions too. NumPy's gradients are written by hand.
"""

import shutil
from collections.abc import Callable
from typing import Any

from benchmarks.cases import Cases

BATCHES = (1, 32, 256, 4096)
COMPILED = 32
PIXELS, HIDDEN, CLASSES = 64, 128, 10
SHAPES = (PIXELS, HIDDEN), (HIDDEN,), (HIDDEN, CLASSES), (CLASSES,)
RATE = 0.01


def tensorvar_cases(tv: Any) -> Cases:
    def wave(shape: tuple[int, ...], height: float) -> Any:
        count = shape[0] * shape[1] if len(shape) > 1 else shape[0]
        return tv.reshape(height * tv.cos(tv.range(float(count))), shape)

    def call_of(batch: int, wrap: Callable[[Any], Any]) -> Callable[[], Any]:
        variables = [tv.Variable(wave(shape, 0.1)) for shape in SHAPES]
        images, labels = wave((batch, PIXELS), 1.0), tv.range(batch) % CLASSES

        def step(images: Any, labels: Any) -> Any:
            w1, b1, w2, b2 = variables
            with tv.GradientTape() as tape:
                logits = tv.nn.relu(images @ w1 + b1) @ w2 + b2
                losses = tv.nn.sparse_softmax_cross_entropy_with_logits(
                    labels=labels, logits=logits
                )
                loss = tv.reduce_mean(losses)
            for variable, gradient in zip(variables, tape.gradient(loss, variables), strict=True):
                variable.assign_sub(RATE * gradient)
            return loss

        run = wrap(step)
        return lambda: run(images, labels)

    cases: Cases = {}
    for batch in BATCHES:
        cases[f'batch {batch}, eager'] = call_of(batch, lambda step: step)
        cases[f'batch {batch}, function'] = call_of(batch, tv.function)
    cases[f'batch {COMPILED}, compiled'] = call_of(COMPILED, tv.function(jit_compile=True))
    return cases


def numpy_cases(np: Any) -> Cases:
    def wave(shape: tuple[int, ...], height: float) -> Any:
        count = np.arange(np.prod(shape), dtype=np.float32)
        return (height * np.cos(count)).astype(np.float32).reshape(shape)

    def step_of(batch: int) -> Callable[[], Any]:
        variables = w1, b1, w2, b2 = [wave(shape, 0.1) for shape in SHAPES]
        images, labels = wave((batch, PIXELS), 1.0), np.arange(batch) % CLASSES
        rows = np.arange(batch)
        gradients = [np.empty_like(variable) for variable in variables]
        hidden, hidden_slope = (np.empty((batch, HIDDEN), np.float32) for _ in range(2))
        logits = np.empty((batch, CLASSES), np.float32)
        active = np.empty((batch, HIDDEN), bool)

        def step() -> Any:
            np.matmul(images, w1, out=hidden)
            np.add(hidden, b1, out=hidden)
            np.maximum(hidden, 0, out=hidden)
            np.matmul(hidden, w2, out=logits)
            np.add(logits, b2, out=logits)
            np.subtract(logits, logits.max(axis=1, keepdims=True), out=logits)
            chosen = logits[rows, labels]
            slope = np.exp(logits, out=logits)
            sums = slope.sum(axis=1, keepdims=True)
            loss = (np.log(sums[:, 0]) - chosen).mean()
            np.divide(slope, sums, out=slope)
            slope[rows, labels] -= 1
            np.multiply(slope, np.float32(1 / batch), out=slope)
            np.matmul(slope, w2.T, out=hidden_slope)
            np.greater(hidden, 0, out=active)
            np.multiply(hidden_slope, active, out=hidden_slope)
            np.matmul(images.T, hidden_slope, out=gradients[0])
            hidden_slope.sum(axis=0, out=gradients[1])
            np.matmul(hidden.T, slope, out=gradients[2])
            slope.sum(axis=0, out=gradients[3])
            for variable, gradient in zip(variables, gradients, strict=True):
                np.multiply(gradient, np.float32(RATE), out=gradient)
                np.subtract(variable, gradient, out=variable)
            return loss

        return step

    kinds = [(batch, kind) for batch in BATCHES for kind in ('eager', 'function')]
    return {
        f'batch {batch}, {kind}': step_of(batch) for batch, kind in [*kinds, (COMPILED, 'compiled')]
    }


def torch_cases(torch: Any) -> Cases:
    def wave(shape: tuple[int, ...], height: float) -> Any:
        count = shape[0] * shape[1] if len(shape) > 1 else shape[0]
        return (height * torch.cos(torch.arange(float(count)))).reshape(shape)

    def call_of(batch: int, wrap: Callable[[Any], Any]) -> Callable[[], Any]:
        variables = [wave(shape, 0.1).requires_grad_() for shape in SHAPES]
        images, labels = wave((batch, PIXELS), 1.0), torch.arange(batch) % CLASSES

        def step(images: Any, labels: Any) -> Any:
            w1, b1, w2, b2 = variables
            logits = torch.relu(images @ w1 + b1) @ w2 + b2
            loss = torch.nn.functional.cross_entropy(logits, labels)
            gradients = torch.autograd.grad(loss, variables)
            with torch.no_grad():
                for variable, gradient in zip(variables, gradients, strict=True):
                    variable.sub_(gradient, alpha=RATE)
            return loss

        run = wrap(step)
        return lambda: run(images, labels)

    cases = {f'batch {batch}, eager': call_of(batch, lambda step: step) for batch in BATCHES}
    if shutil.which('c++'):
        cases[f'batch {COMPILED}, compiled'] = call_of(COMPILED, torch.compile)
    return cases


def jax_cases(jax: Any) -> Cases:
    np = jax.numpy

    def wave(shape: tuple[int, ...], height: float) -> Any:
        count = shape[0] * shape[1] if len(shape) > 1 else shape[0]
        return (height * np.cos(np.arange(float(count)))).reshape(shape)

    def loss_of(parameters: Any, images: Any, labels: Any) -> Any:
        w1, b1, w2, b2 = parameters
        logarithms = jax.nn.log_softmax(jax.nn.relu(images @ w1 + b1) @ w2 + b2)
        return -np.take_along_axis(logarithms, labels[:, None], axis=1).mean()

    def update(parameters: Any, images: Any, labels: Any) -> Any:
        loss, gradients = jax.value_and_grad(loss_of)(parameters, images, labels)
        return loss, [p - RATE * g for p, g in zip(parameters, gradients, strict=True)]

    def call_of(batch: int, run: Callable[..., Any]) -> Callable[[], Any]:
        state = [wave(shape, 0.1) for shape in SHAPES]
        images, labels = wave((batch, PIXELS), 1.0), np.arange(batch) % CLASSES

        def call() -> Any:
            loss, state[:] = run(state, images, labels)
            return loss, state

        return call

    compiled = jax.jit(update, donate_argnums=0)
    cases: Cases = {}
    for batch in BATCHES:
        cases[f'batch {batch}, eager'] = call_of(batch, update)
        cases[f'batch {batch}, function'] = call_of(batch, compiled)
    cases[f'batch {COMPILED}, compiled'] = call_of(COMPILED, compiled)
    return cases
