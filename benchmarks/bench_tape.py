"""Gradients: a chain of small ops, and one training step of a small classifier."""

from typing import Any

from benchmarks.cases import Cases

CHAIN = 20
BATCH, PIXELS, HIDDEN, CLASSES = 64, 64, 128, 10
RATE = 0.01


def tensorvar_cases(tv: Any) -> Cases:
    scalar = tv.Variable(0.5)
    images = tv.fill([BATCH, PIXELS], 0.5)
    labels = tv.zeros([BATCH], tv.int32)
    variables = [
        tv.Variable(tv.fill([PIXELS, HIDDEN], 0.01)),
        tv.Variable(tv.zeros([HIDDEN])),
        tv.Variable(tv.fill([HIDDEN, CLASSES], 0.01)),
        tv.Variable(tv.zeros([CLASSES])),
    ]

    def chain() -> Any:
        with tv.GradientTape() as tape:
            y = scalar * 1.0
            for _ in range(CHAIN):
                y = y * y + scalar
        return tape.gradient(y, scalar)

    def step() -> Any:
        w1, b1, w2, b2 = variables
        with tv.GradientTape() as tape:
            logits = tv.nn.relu(images @ w1 + b1) @ w2 + b2
            losses = tv.nn.sparse_softmax_cross_entropy_with_logits(labels=labels, logits=logits)
            loss = tv.reduce_mean(losses)
        for variable, gradient in zip(variables, tape.gradient(loss, variables), strict=True):
            variable.assign_sub(RATE * gradient)
        return loss

    return {'gradient of 40 scalar ops': chain, 'training step, 64-128-10': step}


def numpy_cases(np: Any) -> Cases:
    images = np.full((BATCH, PIXELS), 0.5, np.float32)
    rows, labels = np.arange(BATCH), np.zeros(BATCH, np.int32)
    w1, b1 = np.full((PIXELS, HIDDEN), 0.01, np.float32), np.zeros(HIDDEN, np.float32)
    w2, b2 = np.full((HIDDEN, CLASSES), 0.01, np.float32), np.zeros(CLASSES, np.float32)
    variables = w1, b1, w2, b2

    def step() -> Any:
        """The gradients by hand: what the arithmetic alone costs."""
        hidden = np.maximum(images @ w1 + b1, 0)
        logits = hidden @ w2 + b2
        shifted = logits - logits.max(axis=1, keepdims=True)
        logarithm = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
        loss = -logarithm[rows, labels].mean()
        slope = np.exp(logarithm)
        slope[rows, labels] -= 1
        slope /= BATCH
        hidden_slope = (slope @ w2.T) * (hidden > 0)
        gradients = (
            images.T @ hidden_slope,
            hidden_slope.sum(axis=0),
            hidden.T @ slope,
            slope.sum(axis=0),
        )
        for variable, gradient in zip(variables, gradients, strict=True):
            variable -= RATE * gradient
        return loss

    return {'training step, 64-128-10': step}


def torch_cases(torch: Any) -> Cases:
    scalar = torch.tensor(0.5, requires_grad=True)
    images = torch.full((BATCH, PIXELS), 0.5)
    labels = torch.zeros(BATCH, dtype=torch.int64)
    variables = [
        torch.full((PIXELS, HIDDEN), 0.01, requires_grad=True),
        torch.zeros(HIDDEN, requires_grad=True),
        torch.full((HIDDEN, CLASSES), 0.01, requires_grad=True),
        torch.zeros(CLASSES, requires_grad=True),
    ]

    def chain() -> Any:
        y = scalar * 1.0
        for _ in range(CHAIN):
            y = y * y + scalar
        return torch.autograd.grad(y, scalar)

    def step() -> Any:
        w1, b1, w2, b2 = variables
        logits = torch.relu(images @ w1 + b1) @ w2 + b2
        loss = torch.nn.functional.cross_entropy(logits, labels)
        gradients = torch.autograd.grad(loss, variables)
        with torch.no_grad():
            for variable, gradient in zip(variables, gradients, strict=True):
                variable.sub_(RATE * gradient)
        return loss

    return {'gradient of 40 scalar ops': chain, 'training step, 64-128-10': step}


def jax_cases(jax: Any) -> Cases:
    np = jax.numpy
    images = np.full((BATCH, PIXELS), 0.5, 'float32')
    labels = np.zeros(BATCH, 'int32')
    parameters = [
        np.full((PIXELS, HIDDEN), 0.01, 'float32'),
        np.zeros(HIDDEN, 'float32'),
        np.full((HIDDEN, CLASSES), 0.01, 'float32'),
        np.zeros(CLASSES, 'float32'),
    ]

    def loss_of(parameters: Any) -> Any:
        w1, b1, w2, b2 = parameters
        logarithm = jax.nn.log_softmax(jax.nn.relu(images @ w1 + b1) @ w2 + b2)
        return -np.take_along_axis(logarithm, labels[:, None], axis=1).mean()

    @jax.jit
    def update(parameters: Any) -> Any:
        gradients = jax.grad(loss_of)(parameters)
        return [p - RATE * g for p, g in zip(parameters, gradients, strict=True)]

    def step() -> Any:
        parameters[:] = update(parameters)
        return parameters

    return {'training step, 64-128-10': step}
