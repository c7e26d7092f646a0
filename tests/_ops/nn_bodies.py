"""Small programs that run on TensorFlow and on tensorvar: the ops of neural networks.

Each takes the library and a namespace with the functions of its ``nn``, and gives
tensors. What TensorFlow's CPU refuses, such as channels first, is not here.
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

Body = Callable[[Any, Any], list[Any]]


def sample(*shape: int, seed: int = 0, dtype: Any = np.float32) -> np.ndarray:
    """Reproducible values without ties."""
    return np.random.default_rng(seed).normal(size=shape).astype(dtype)


def weights(shape: Sequence[int]) -> np.ndarray:
    """Gradients to start from that tell elements apart."""
    return np.cos(np.arange(int(np.prod(shape)), dtype=np.float32)).reshape(shape)


def with_gradients(tf: Any, function: Callable[..., Any], *inputs: np.ndarray) -> list[Any]:
    """The results of a function and its gradients with respect to the inputs."""
    tensors = [tf.constant(array) for array in inputs]
    with tf.GradientTape() as tape:
        for tensor in tensors:
            tape.watch(tensor)
        results = function(*tensors)
        results = list(results) if isinstance(results, (list, tuple)) else [results]
    starts = [tf.constant(weights(tuple(result.shape)), result.dtype) for result in results]
    return results + list(tape.gradient(results, tensors, output_gradients=starts))


IMAGES = sample(2, 6, 5, 4)
FILTER = sample(3, 2, 4, 3, seed=1)


def convolutions(tf: Any, nn: Any) -> list[Any]:
    results = []
    for strides, padding in ((1, 'SAME'), ([2, 1], 'VALID'), (3, 'SAME'), ([1, 2, 2, 1], 'SAME')):
        results += with_gradients(
            tf, lambda x, w, s=strides, p=padding: nn.conv2d(x, w, s, p), IMAGES, FILTER
        )
    pairs = [[0, 0], [1, 2], [0, 3], [0, 0]]
    results += with_gradients(tf, lambda x, w: nn.conv2d(x, w, 2, pairs), IMAGES, FILTER)
    return results


def dilated_convolutions(tf: Any, nn: Any) -> list[Any]:
    x, w = tf.constant(IMAGES), tf.constant(FILTER)
    return [
        nn.conv2d(x, w, 1, 'SAME', dilations=2),
        nn.conv2d(x, w, 2, 'VALID', dilations=[2, 1]),
        nn.conv2d(x, w, 1, [[0, 0], [1, 2], [0, 3], [0, 0]], dilations=2),
        nn.conv2d(tf.constant(IMAGES[None]), w, 2, 'SAME'),
        nn.convolution(x, w, dilations=2, padding='SAME'),
        nn.convolution(x, w, dilations=[1, 2]),
        nn.convolution(x, w, strides=2, padding='SAME'),
    ]


def grouped_convolutions(tf: Any, nn: Any) -> list[Any]:
    return with_gradients(
        tf, lambda x, w: nn.conv2d(x, w, 1, 'SAME'), IMAGES, sample(3, 2, 2, 6, seed=2)
    )


def convolutions_1d_3d(tf: Any, nn: Any) -> list[Any]:
    series, line = sample(2, 7, 3), sample(3, 3, 4, seed=1)
    volume, cube = sample(2, 4, 5, 3, 2), sample(2, 3, 2, 2, 3, seed=1)
    return [
        *with_gradients(tf, lambda x, w: nn.conv1d(x, w, 2, 'SAME'), series, line),
        nn.conv1d(tf.constant(series), tf.constant(line), 1, 'VALID', dilations=2),
        *with_gradients(tf, lambda x, w: nn.conv3d(x, w, [1, 2, 1, 1, 1], 'SAME'), volume, cube),
        nn.convolution(tf.constant(volume), tf.constant(cube)),
    ]


def convolutions_of_other_dtypes(tf: Any, nn: Any) -> list[Any]:
    integers = tf.constant(np.arange(60).reshape(1, 5, 4, 3) % 7, tf.int32)
    whole = tf.constant(np.arange(24).reshape(2, 2, 3, 2) % 5 - 2, tf.int32)
    half = [tf.constant(array, tf.float16) for array in (IMAGES, FILTER)]
    double = [tf.constant(array, tf.float64) for array in (IMAGES, FILTER)]
    return [
        nn.conv2d(integers, whole, 1, 'SAME'),
        nn.conv2d(*half, 1, 'SAME'),
        nn.conv2d(*double, 1, 'SAME'),
    ]


def transposed_convolutions(tf: Any, nn: Any) -> list[Any]:
    w = sample(3, 2, 3, 4, seed=3)
    pairs = [[0, 0], [1, 1], [0, 1], [0, 0]]
    series, line = sample(2, 5, 3), sample(3, 4, 3, seed=1)
    volume, cube = sample(2, 2, 2, 2, 3), sample(3, 2, 2, 4, 3, seed=1)
    return [
        *with_gradients(tf, lambda x, f: nn.conv2d_transpose(x, f, [2, 12, 9, 3], 2), IMAGES, w),
        nn.conv2d_transpose(IMAGES, w, [2, 13, 10, 3], 2, 'VALID'),
        nn.conv2d_transpose(IMAGES, w, [2, 11, 9, 3], 2, pairs),
        nn.conv1d_transpose(series, line, [2, 10, 4], 2),
        nn.conv3d_transpose(volume, cube, [2, 4, 4, 4, 4], 2),
        nn.conv_transpose(IMAGES, w, [2, 12, 10, 3], 2),
    ]


def depthwise_convolutions(tf: Any, nn: Any) -> list[Any]:
    w = sample(3, 2, 4, 2, seed=4)
    point = sample(1, 1, 8, 5, seed=5)
    ones, twos = [1, 1, 1, 1], [1, 2, 2, 1]
    pairs = [[0, 0], [1, 2], [0, 1], [0, 0]]
    return [
        *with_gradients(tf, lambda x, f: nn.depthwise_conv2d(x, f, ones, 'SAME'), IMAGES, w),
        *with_gradients(tf, lambda x, f: nn.depthwise_conv2d(x, f, twos, 'VALID'), IMAGES, w),
        nn.depthwise_conv2d(IMAGES, w, ones, pairs),
        nn.depthwise_conv2d(IMAGES, w, ones, 'SAME', dilations=[2, 2]),
        nn.depthwise_conv2d(IMAGES, w, ones, 'VALID', dilations=[1, 2]),
        nn.depthwise_conv2d(IMAGES, w, ones, pairs, dilations=[2, 2]),
        *with_gradients(
            tf, lambda x, f, p: nn.separable_conv2d(x, f, p, twos, 'SAME'), IMAGES, w, point
        ),
        nn.separable_conv2d(IMAGES, w, point, ones, 'SAME', dilations=[2, 1]),
    ]


def pools(tf: Any, nn: Any) -> list[Any]:
    volume = sample(2, 3, 4, 5, 2)
    results = []
    for pool in (nn.avg_pool, nn.max_pool):
        for size, strides, padding in ((2, 2, 'SAME'), ([3, 2], 1, 'VALID'), (2, 3, 'SAME')):
            results += with_gradients(
                tf, lambda x, f=pool, k=size, s=strides, p=padding: f(x, k, s, p), IMAGES
            )
        results += with_gradients(tf, lambda x, f=pool: f(x, 3, 2, 'SAME'), IMAGES[0])
        # TensorFlow's gradient of avg_pool fails here unless the layout is named.
        results += with_gradients(tf, lambda x, f=pool: f(x, 2, [1, 2, 2], 'SAME', 'NDHWC'), volume)
    pairs = [[0, 0], [1, 1], [0, 1], [0, 0]]
    return [
        *results,
        *with_gradients(tf, lambda x: nn.max_pool(x, 2, 2, pairs), IMAGES),
        nn.max_pool(tf.constant(IMAGES), [1, 1, 1, 2], [1, 1, 1, 2], 'VALID'),
        nn.max_pool(tf.constant(np.arange(40).reshape(1, 5, 4, 2) % 7, tf.int8), 2, 1, 'SAME'),
        nn.avg_pool1d(IMAGES[0], 2, 1, 'SAME'),
        nn.max_pool1d(IMAGES[0], 2, 1, 'SAME'),
        nn.avg_pool2d(IMAGES, 2, 1, 'SAME'),
        nn.max_pool2d(IMAGES, 2, 1, 'SAME'),
        nn.avg_pool3d(volume, 2, 1, 'SAME'),
        nn.max_pool3d(volume, 2, 1, 'SAME'),
    ]


def statistics(tf: Any, nn: Any) -> list[Any]:
    x = tf.constant(IMAGES)
    counts, sums, squares, shift = nn.sufficient_statistics(x, [0, 1], shift=1.0)
    plain = nn.sufficient_statistics(x, [0, 1, 2], keepdims=True)
    half = tf.constant(IMAGES, tf.float16)
    each = tf.constant([1.0, 2.0, 0.0, 4.0])
    return [
        *with_gradients(tf, lambda v: nn.moments(v, [0, 2]), IMAGES),
        *nn.moments(x, 1, keepdims=True),
        *nn.moments(x, None),
        *nn.moments(half, [0]),
        *nn.moments(tf.constant([1, 2, 4]), [0]),
        *with_gradients(tf, lambda v, w: nn.weighted_moments(v, [0, 1], w), IMAGES, IMAGES**2),
        *nn.weighted_moments(x, [3], each, keepdims=True),
        *nn.weighted_moments(half, [0], 0.0),
        counts,
        sums,
        squares,
        shift,
        *plain[:3],
        *nn.normalize_moments(counts, sums, squares, shift),
        *nn.normalize_moments(*plain),
    ]


def normalizations(tf: Any, nn: Any) -> list[Any]:
    x = tf.constant(IMAGES)
    vectors = [sample(4, seed=seed) ** 2 + 0.5 for seed in range(6, 10)]
    mean, variance, offset, scale = vectors
    pair = tf.constant(IMAGES + 1j * IMAGES[::-1])
    results = with_gradients(
        tf, lambda *args: nn.batch_normalization(*args, 1e-3), IMAGES, *vectors
    )
    return [
        *results,
        nn.batch_normalization(x, mean, variance, None, None, 1e-3),
        nn.batch_normalization(tf.constant(IMAGES, tf.float16), mean, variance, offset, scale, 0.1),
        *with_gradients(tf, lambda v: nn.l2_normalize(v, [1, 2]), IMAGES),
        nn.l2_normalize(x, dim=1),
        nn.l2_normalize(tf.zeros([3])),
        nn.l2_normalize(pair, -1),
        *with_gradients(tf, lambda v: nn.normalize(v, axis=-1), IMAGES),
        *nn.normalize(x, 1, axis=2),
        *nn.normalize(x),
        *with_gradients(tf, lambda v: nn.lrn(v, 2, 1.0, 0.5, 0.75), IMAGES),
        *with_gradients(tf, lambda v: nn.lrn(v), IMAGES),
        nn.lrn(tf.constant(IMAGES, tf.float16), 1),
    ]


def dropouts(tf: Any, nn: Any) -> list[Any]:
    x = tf.constant(IMAGES)
    tf.random.set_seed(3)
    return [
        nn.dropout(x, 0.3, seed=7),
        nn.dropout(x, 0.3, seed=7),
        nn.dropout(x, 0.3),
        nn.dropout(x, 0),
        nn.dropout(x, tf.constant(0.25)),
        nn.dropout(x, 0.5, noise_shape=[None, 1, 1, 4], seed=1),
        nn.dropout(x, 0.5, noise_shape=[4], seed=1),
        nn.dropout(tf.constant(IMAGES, tf.float16), 0.5, seed=2),
        nn.dropout(tf.constant(IMAGES, tf.float64), 0.5, seed=2),
        nn.stateless_dropout(x, 0.4, [1, 2]),
        *with_gradients(tf, lambda v: nn.dropout(v, 0.3, seed=5), IMAGES),
    ]


def selections(tf: Any, nn: Any) -> list[Any]:
    rows = sample(4, 40)
    ties = tf.constant([[1.0, 5.0, 3.0, 5.0], [2.0, 2.0, 2.0, 9.0]])
    scores = tf.constant([[0.1, 0.5, 0.5, 0.2], [0.4, 0.3, 0.2, 0.1], [np.inf, 1.0, 0.0, 0.0]])
    table = sample(7, 3)
    return [
        *with_gradients(tf, lambda v: nn.top_k(v, 3).values, rows),
        *nn.top_k(rows, 20),
        *nn.top_k(ties, 3, index_type=tf.int64),
        *nn.top_k(tf.constant([1, 200, 3], tf.uint8), 2),
        nn.in_top_k([2, 1, 0], scores, 1),
        nn.in_top_k([2, 3, 1], scores, 4),
        nn.in_top_k([9, -1, 1], scores, 2),
        nn.embedding_lookup(table, [[0, 1], [6, 6]]),
        nn.embedding_lookup([table[:3], table[3:5], table[5:]], [[0, 3], [6, 4]]),
        nn.embedding_lookup(table, [0, 1, 4], max_norm=1.0),
        nn.embedding_lookup(table, 1, max_norm=0.5),
        *with_gradients(
            tf,
            lambda a, b: tf.reduce_sum(nn.embedding_lookup([a, b], [1, 1, 5]), 0),
            table[:4],
            table[4:],
        ),
    ]


def losses(tf: Any, nn: Any) -> list[Any]:
    counts = np.array([0.0, 0.5, 1.0, 2.0, 7.0], np.float32)
    logs = sample(5)
    return [
        *with_gradients(tf, nn.log_poisson_loss, counts, logs),
        *with_gradients(tf, lambda t, x: nn.log_poisson_loss(t, x, True), counts[3:], logs[3:]),
        nn.log_poisson_loss(counts, logs, True),
        *with_gradients(tf, nn.crelu, IMAGES),
        nn.crelu(tf.constant([[1, -2], [0, 3]]), 0),
        nn.zero_fraction(tf.constant([0, 1, 0, 2])),
        nn.zero_fraction(tf.constant([True, False])),
        nn.zero_fraction(tf.zeros([0])),
    ]


BODIES: tuple[Body, ...] = (
    convolutions,
    dilated_convolutions,
    grouped_convolutions,
    convolutions_1d_3d,
    convolutions_of_other_dtypes,
    transposed_convolutions,
    depthwise_convolutions,
    pools,
    statistics,
    normalizations,
    dropouts,
    selections,
    losses,
)


def as_arrays(tf: Any, results: list[Any]) -> list[np.ndarray]:
    """Host arrays of results, also of gradients that are ``IndexedSlices``."""
    return [np.asarray(tf.convert_to_tensor(result).numpy()) for result in results]
