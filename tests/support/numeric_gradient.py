"""Compares a tape's gradients with central differences, in float64.

A function with several results is reduced to one real number by random covectors,
``loss = sum(Re(conj(w) * y))``, which checks every entry of its Jacobian at once.
The second order is the same check applied to the gradient itself.
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

import tensorvar as tv

STEP = 1e-5
RELATIVE = 2e-5
ABSOLUTE = 2e-6

Function = Callable[..., Any]


def check(
    function: Function,
    *arguments: Any,
    order: int = 2,
    make: Callable[[np.ndarray], Any] = tv.constant,
    step: float = STEP,
    seed: int = 0,
) -> None:
    """Asserts that the tape differentiates ``function`` correctly at ``arguments``.

    Args:
        function: takes one tensor per argument and gives a tensor or a (nested)
            sequence of tensors of dtype float64 or complex128.
        *arguments: float64 or complex128 values, each away from kinks by more than
            ``step``.
        order: 1 checks gradients, 2 also gradients of gradients.
        make: turns an array into what ``function`` gets: ``tv.constant``, ``tv.Variable``.
        step: width of the differences.
        seed: of the covectors.
    """
    inputs = [np.array(argument) for argument in arguments]
    for position, array in enumerate(inputs):
        assert array.dtype in (np.float64, np.complex128), f'argument {position}: {array.dtype}'
    generator = np.random.default_rng(seed)
    covectors = [
        _draw(generator, result.shape, result.dtype) for result in _evaluate(function, inputs, make)
    ]
    gradients = _tape_gradients(function, [make(array) for array in inputs], covectors)
    for position, gradient in enumerate(gradients):
        numeric = _central_differences(function, inputs, position, covectors, make, step)
        scale = max(1.0, float(np.max(np.abs(numeric), initial=0.0)))
        np.testing.assert_allclose(
            gradient.numpy(),
            numeric,
            rtol=RELATIVE,
            atol=ABSOLUTE * scale,
            err_msg=f'gradient with respect to argument {position}, order left {order}',
        )
    if order > 1:

        def gradient_function(*tensors: Any) -> list[Any]:
            return _tape_gradients(function, tensors, covectors)

        check(gradient_function, *inputs, order=order - 1, make=make, step=step, seed=seed + 1)


def _tape_gradients(
    function: Function, tensors: Sequence[Any], covectors: Sequence[np.ndarray]
) -> list[Any]:
    with tv.GradientTape() as tape:
        for tensor in tensors:
            tape.watch(tensor)
        results = _flatten(function(*tensors))
    gradients = tape.gradient(
        results,
        list(tensors),
        output_gradients=[tv.constant(covector) for covector in covectors],
        unconnected_gradients='zero',
    )
    return [tv.convert_to_tensor(gradient) for gradient in gradients]


def _central_differences(
    function: Function,
    inputs: Sequence[np.ndarray],
    position: int,
    covectors: Sequence[np.ndarray],
    make: Callable[[np.ndarray], Any],
    step: float,
) -> np.ndarray:
    shifted = [array.copy() for array in inputs]
    slots = shifted[position].reshape(-1)
    numeric = np.zeros(slots.shape, slots.dtype)
    directions = (1.0, 1j) if slots.dtype.kind == 'c' else (1.0,)
    for index in range(slots.size):
        centre = slots[index]
        for direction in directions:
            slots[index] = centre + direction * step
            above = _loss(_evaluate(function, shifted, make), covectors)
            slots[index] = centre - direction * step
            below = _loss(_evaluate(function, shifted, make), covectors)
            numeric[index] += direction * (above - below) / (2 * step)
        slots[index] = centre
    return numeric.reshape(shifted[position].shape)


def _evaluate(
    function: Function, inputs: Sequence[np.ndarray], make: Callable[[np.ndarray], Any]
) -> list[np.ndarray]:
    return [result.numpy() for result in _flatten(function(*map(make, inputs)))]


def _loss(results: Sequence[np.ndarray], covectors: Sequence[np.ndarray]) -> float:
    pairs = zip(results, covectors, strict=True)
    return float(sum(np.sum(np.real(np.conj(covector) * result)) for result, covector in pairs))


def _draw(generator: np.random.Generator, shape: tuple[int, ...], dtype: Any) -> np.ndarray:
    drawn = generator.normal(size=shape)
    if dtype.kind == 'c':
        drawn = drawn + 1j * generator.normal(size=shape)
    return np.asarray(drawn)


def _flatten(results: Any) -> list[Any]:
    if isinstance(results, (list, tuple)):
        return [leaf for result in results for leaf in _flatten(result)]
    return [tv.convert_to_tensor(results)]
