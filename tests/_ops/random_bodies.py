"""Draws that run alike on TensorFlow and on tensorvar, for comparing their numbers.

Each body takes the library and gives a list of tensors. ``data/random_reference.npz``
holds what TensorFlow gives for them.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

FLOATS = ('float16', 'bfloat16', 'float32', 'float64')
Body = Callable[[Any], list[Any]]


def global_seed(tf: Any) -> list[Any]:
    results = []
    for seed in (5, -7, 2**70 + 3, 0):
        tf.random.set_seed(seed)
        results += [tf.random.uniform([6]), tf.random.uniform([2, 3]), tf.random.normal([5])]
        results += [tf.random.truncated_normal([5]), tf.random.shuffle(tf.range(9))]
        results += [tf.random.uniform([4], -3, 9, tf.int32)]
    return results


def own_seed(tf: Any) -> list[Any]:
    """Streams go on, apart from each other, and start anew."""
    results = []
    for seed in (1, 0):
        tf.random.set_seed(seed)
        for _ in range(2):
            for own in (0, 1, -3, 2**31 + 5):
                results.append(tf.random.uniform([3], seed=own))
                results.append(tf.random.uniform([3], seed=own, dtype=tf.float64))
                results.append(tf.random.normal([3], seed=own))
                results.append(tf.random.uniform([3], 0, 10, seed=own))
                results.append(tf.random.uniform([3], 0, 10, tf.int32, seed=own))
                results.append(tf.random.uniform([3], 0, 20, tf.int32, seed=own))
                results.append(tf.random.uniform([3], 0, 10, tf.int64, seed=own))
                results.append(tf.random.shuffle(tf.range(7), seed=own))
    return results


def shapes_and_streams(tf: Any) -> list[Any]:
    """Empty draws take nothing; a shape of int64 has a stream of its own."""
    tf.random.set_seed(1)
    results = []
    for shape in ([0], [2], [], [40], [2], np.array([2], np.int64), [2], [3, 0], [2]):
        results.append(tf.random.uniform(shape, seed=1))
    for shape in ([1], [2], [1], [5]):
        results.append(tf.random.shuffle(tf.zeros(shape), seed=1))
        results.append(tf.random.shuffle(tf.range(6), seed=2))
    return results


def floats(tf: Any) -> list[Any]:
    results = []
    for name in FLOATS:
        dtype = getattr(tf, name)
        for shape in ([], [1], [7], [3, 5], [0, 2]):
            results.append(tf.random.stateless_uniform(shape, [3, -4], dtype=dtype))
            results.append(tf.random.stateless_normal(shape, [3, -4], dtype=dtype))
            results.append(tf.random.stateless_truncated_normal(shape, [3, -4], dtype=dtype))
        results.append(tf.random.stateless_normal([9], [1, 2], 0.1, 3.0, dtype))
    return results


def uniform_floats(tf: Any) -> list[Any]:
    results = []
    for name in FLOATS:
        dtype = getattr(tf, name)
        results.append(tf.random.stateless_uniform([30], [8, 9], dtype=dtype))
        results.append(tf.random.stateless_uniform([30], [8, 9], -0.3, 1.7, dtype))
        results.append(tf.random.stateless_uniform([30], [8, 9], 0, 7.1, dtype))
    return results


def long_truncated(tf: Any) -> list[Any]:
    """Long enough for many groups that need more candidates than one counter gives."""
    return [
        tf.random.stateless_truncated_normal([1001], [11, 12], dtype=tf.float32),
        tf.random.stateless_truncated_normal([501], [11, 12], dtype=tf.float64),
    ]


def integers(tf: Any) -> list[Any]:
    results = []
    for name in ('int32', 'int64', 'uint32', 'uint64'):
        dtype = getattr(tf, name)
        results.append(tf.random.stateless_uniform([2, 5], [5, 6], None, None, dtype))
        results.append(tf.random.stateless_uniform([], [5, 6], None, None, dtype))
    for name in ('int32', 'int64'):
        dtype = getattr(tf, name)
        low, high = dtype.min, dtype.max
        for bounds in ((0, 10), (-5, 7), (low, high), (low, 0), (0, high), (-3, -2)):
            results.append(tf.random.stateless_uniform([7], [5, 6], *bounds, dtype))
    return results


def seeds(tf: Any) -> list[Any]:
    results = [tf.random.stateless_uniform([2], [2**40, -(2**50)])]
    results.append(tf.random.stateless_uniform([2], np.array([-5, 2], np.int64)))
    results.append(tf.random.stateless_uniform([2], tf.constant([-5, 2]), alg='philox'))
    results.append(tf.random.split([1, 2], 3))
    results.append(tf.random.split(np.array([1, 2], np.int64)))
    results.append(tf.random.fold_in([1, 2], 3))
    results.append(tf.random.fold_in([1, 2], np.int64(3)))
    results += [tf.random.experimental.stateless_split([1, 2]), tf.random.split([7, 8], num=1)]
    shuffle = tf.random.experimental.stateless_shuffle
    results += [shuffle(tf.range(length), [8, 9]) for length in (1, 2, 3, 8, 40)]
    results.append(shuffle(tf.reshape(tf.range(12), [6, 2]), [8, 9]))
    return results


def generator(tf: Any) -> list[Any]:
    one = tf.random.Generator.from_seed(1234)
    state = one.state.read_value
    results = [one.normal([2, 3]), state(), one.uniform([3]), one.truncated_normal([3])]
    results += [one.uniform([3], 1, 5, tf.int32), one.uniform([3], None, None, tf.uint32)]
    results += [one.uniform_full_int([2]), one.uniform_full_int([], tf.int32), one.normal([0])]
    results += [state(), one.skip(3), state(), one.skip(-5), state(), one.key]
    results += [one.make_seeds(3), state(), *[part.state for part in one.split(2)], state()]
    one.reset([1, 2, 3])
    results += [one.normal([2]), state()]
    one.reset_from_seed(5)
    results += [one.uniform([2], -1.0, 1.0, tf.float64), state()]
    one.reset_from_key_counter(1, [2, 3])
    results += [one.normal([2], 1.0, 2.0, tf.float16), state()]
    return results


def generator_states(tf: Any) -> list[Any]:
    make = tf.random.Generator
    results = [make(copy_from=make.from_seed(3)).state, make.from_state([1, 2, 3], 1).state]
    for seed in ([1, 2, 3, 4], [1, 2], 2**64 + 5, -1, 0):
        results += [make.from_seed(seed).state, tf.random.create_rng_state(seed, 'philox')]
    results.append(tf.random.create_rng_state(1234, 'threefry'))
    results.append(make.from_key_counter(2**64 - 1, [1, 2**64 - 2], 'philox').state)
    for state in ([-1, -1, 3], [5, 7, 1], [2**63 - 1, 7, 1], [-5, 7, 1]):
        one = make.from_state(state, 'philox')
        results += [one.normal([3]), one.state.read_value()]
        for delta in (-1, -(2**20), 2**24 - 1, 2**57, -(2**56) + 1, -(2**40)):
            one.skip(delta)
            results.append(one.state.read_value())
    return results


EXACT: tuple[Body, ...] = (shapes_and_streams, uniform_floats, integers, seeds)
"""Bodies without normal values."""

BODIES: tuple[Body, ...] = (
    *EXACT, global_seed, own_seed, floats, long_truncated, generator, generator_states,
)  # fmt: skip


def as_arrays(results: list[Any]) -> list[np.ndarray]:
    """The values as NumPy arrays; bfloat16 as float32, which holds it exactly."""
    arrays = [np.asarray(result.numpy()) for result in results]
    return [a.astype(np.float32) if a.dtype.name == 'bfloat16' else a for a in arrays]
