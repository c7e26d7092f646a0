"""TensorFlow's shuffle, computed for all places at once.

TensorFlow swaps, for i = 0, 1, ..., the elements at i and at ``target[i] >= i``. After
that nothing touches place i any more, so each result is found by following the swaps
back: what swap i takes from its target was left there by the last earlier swap k with
the same target, and is what stood at place k just before swap k. That in turn was left
by the last swap with target k, and so on.
"""

from typing import Any

from tensorvar._backend.base import Array
from tensorvar._ops import distributions, philox


def permutation(xp: Any, key: int, counter: int, length: int) -> Array:
    """The numbers below ``length`` (at least 1), shuffled; int64."""
    targets = _targets(xp, key, counter, length)
    same_target, brought_by = _earlier_swaps(xp, targets)
    places = xp.arange(length, dtype=xp.int64)
    # What stands at each place just before its own swap.
    standing = _roots(xp, xp.where(brought_by >= 0, brought_by, places))
    return xp.where(same_target >= 0, standing[same_target], targets)


def _targets(xp: Any, key: int, counter: int, length: int) -> Array:
    steps = xp.arange(length, dtype=xp.uint64)
    words = philox.words(xp, key, counter, steps[: -(-length // 4)])
    drawn = distributions.word_order(xp, words.even, words.odd)[:length]
    # TensorFlow leaves out the last swap, whose only choice is its own place.
    return (steps + drawn % (length - steps)).astype(xp.int64)


def _earlier_swaps(xp: Any, targets: Array) -> tuple[Array, Array]:
    """For each i, the last swaps before swap i with target[i], and with i, as target.

    -1 stands for none.
    """
    length = targets.size
    places = xp.arange(length, dtype=xp.int64)
    # Sorting pairs packed in 64 bits is several times faster than a stable argsort.
    bits = length.bit_length()
    pairs = xp.sort(targets << bits | places)
    order = pairs & ((1 << bits) - 1)
    ordered = pairs >> bits
    repeated = ordered[1:] == ordered[:-1]
    same_target = xp.full(length, -1, dtype=xp.int64)
    same_target[order[1:]] = xp.where(repeated, order[:-1], -1)
    # Only the last swap with a target is wanted; the others write past the end.
    with_target = xp.full(length + 1, -1, dtype=xp.int64)
    with_target[xp.where(repeated, length, ordered[:-1])] = order[:-1]
    with_target[ordered[-1:]] = order[-1:]
    # Swap i itself is the last with target i, if it is one of them.
    brought_by = xp.where(targets == places, same_target, with_target[:-1])
    return same_target, brought_by


def _roots(xp: Any, parents: Array) -> Array:
    """Where each chain of parents ends; a root is its own parent."""
    while True:
        further = parents[parents]
        if not xp.nonzero(further != parents)[0].size:
            return parents
        parents = further
