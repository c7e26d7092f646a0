"""The byte counter: sums, peak, and its lock across a fork."""

import os

from tensorvar._backend.byte_counter import ByteCounter


def test_counts_and_remembers_the_peak():
    counter = ByteCounter()
    counter.add(300)
    counter.subtract(100)
    assert (counter.current, counter.peak) == (200, 300)
    counter.reset_peak()
    assert counter.peak == 200


def test_the_lock_may_be_taken_again_by_a_destructor():
    counter = ByteCounter()
    with counter._lock:
        counter.add(8)
        counter.subtract(8)
    assert counter.current == 0


def test_a_forked_child_gets_a_new_lock():
    counter = ByteCounter()
    before = counter._lock
    child = os.fork()
    if child == 0:
        os._exit(0 if counter._lock is not before else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert counter._lock is before
