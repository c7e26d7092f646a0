"""Softmax cross-entropy of 256 rows of 1,000 classes, and its gradient.

A function is ``tf.function`` or ``jax.jit``.
"""

from typing import Any

from benchmarks.cases import Cases

ROWS, CLASSES = 256, 1_000
FORWARD = 'cross-entropy, eager'
GRADIENT = 'cross-entropy and gradient, eager'
FUNCTION = 'cross-entropy and gradient, function'


def tensorvar_cases(tv: Any) -> Cases:
    logits = tv.reshape(tv.cos(tv.range(float(ROWS * CLASSES))), [ROWS, CLASSES])
    labels = tv.range(ROWS)

    def forward(logits: Any, labels: Any) -> Any:
        losses = tv.nn.sparse_softmax_cross_entropy_with_logits(labels=labels, logits=logits)
        return tv.reduce_mean(losses)

    def gradient(logits: Any, labels: Any) -> Any:
        with tv.GradientTape() as tape:
            tape.watch(logits)
            loss = forward(logits, labels)
        return tape.gradient(loss, logits)

    function = tv.function(gradient)
    return {
        FORWARD: lambda: forward(logits, labels),
        GRADIENT: lambda: gradient(logits, labels),
        FUNCTION: lambda: function(logits, labels),
    }


def numpy_cases(np: Any) -> Cases:
    logits = np.cos(np.arange(ROWS * CLASSES, dtype=np.float32)).reshape(ROWS, CLASSES)
    rows = labels = np.arange(ROWS)

    def parts() -> Any:
        shifted = logits - logits.max(axis=1, keepdims=True)
        exponentials = np.exp(shifted)
        sums = exponentials.sum(axis=1, keepdims=True)
        loss = (np.log(sums[:, 0]) - shifted[rows, labels]).mean()
        return loss, exponentials, sums

    def gradient() -> Any:
        _, exponentials, sums = parts()
        slope = np.divide(exponentials, sums * np.float32(ROWS), out=exponentials)
        slope[rows, labels] -= np.float32(1 / ROWS)
        return slope

    return {FORWARD: parts, GRADIENT: gradient, FUNCTION: gradient}


def torch_cases(torch: Any) -> Cases:
    logits = torch.cos(torch.arange(float(ROWS * CLASSES))).reshape(ROWS, CLASSES)
    watched = logits.clone().requires_grad_()
    labels = torch.arange(ROWS)

    def gradient() -> Any:
        loss = torch.nn.functional.cross_entropy(watched, labels)
        return torch.autograd.grad(loss, watched)

    return {
        FORWARD: lambda: torch.nn.functional.cross_entropy(logits, labels),
        GRADIENT: gradient,
    }


def jax_cases(jax: Any) -> Cases:
    np = jax.numpy
    logits = np.cos(np.arange(float(ROWS * CLASSES))).reshape(ROWS, CLASSES)
    labels = np.arange(ROWS)

    def forward(logits: Any, labels: Any) -> Any:
        logarithms = jax.nn.log_softmax(logits)
        return -np.take_along_axis(logarithms, labels[:, None], axis=1).mean()

    gradient = jax.grad(forward)
    function = jax.jit(gradient)
    return {
        FORWARD: lambda: forward(logits, labels),
        GRADIENT: lambda: gradient(logits, labels),
        FUNCTION: lambda: function(logits, labels),
    }
