"""Random programs over three devices, with faults, beside a NumPy model of every variable.

``make soak`` runs thousands of them, the suite a few.
"""

import contextlib
import gc

import numpy as np
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

import tensorvar as tv
from tensorvar import pytest_fixtures

DEVICES = ('CPU:0', 'GPU:0', 'GPU:1')
LENGTH = 6
devices = st.sampled_from(DEVICES)
# Small whole numbers: every sum is exact, so values are compared for equality.
values = st.lists(st.integers(-8, 8), min_size=LENGTH, max_size=LENGTH)
FAILURES = (tv.errors.OpError, MemoryError)


class Program(RuleBasedStateMachine):
    """Variables and the values they must have."""

    def __init__(self) -> None:
        super().__init__()
        pytest_fixtures.reset_devices()
        tv.config.simulate_gpus(2, memory_limit='64KiB')
        self.pairs: list[tuple[tv.Variable, np.ndarray]] = []
        self.kept: list[tuple[tv.Tensor, np.ndarray]] = []

    def teardown(self) -> None:
        self.pairs.clear()
        self.kept.clear()
        gc.collect()
        for name in DEVICES[1:]:
            tv.config.release_memory(name)
            assert tv.config.get_memory_info(name)['current'] == 0
        pytest_fixtures.reset_devices()

    def choose(self, data: st.DataObject) -> int:
        return data.draw(st.integers(0, len(self.pairs) - 1))

    @initialize(device=devices, value=values)
    def create_the_first(self, device: str, value: list[int]) -> None:
        self.create(device, value)

    @precondition(lambda self: len(self.pairs) < 8)
    @rule(device=devices, value=values)
    def create(self, device: str, value: list[int]) -> None:
        with tv.device(device):
            variable = tv.Variable(value, dtype=tv.float32)
        self.pairs.append((variable, np.array(value, np.float32)))

    @precondition(lambda self: len(self.pairs) > 1)
    @rule(data=st.data())
    def drop(self, data: st.DataObject) -> None:
        del self.pairs[self.choose(data)]

    @rule(data=st.data(), device=devices, value=values)
    def assign(self, data: st.DataObject, device: str, value: list[int]) -> None:
        variable, model = self.pairs[self.choose(data)]
        with tv.device(device):
            variable.assign(value)
        model[:] = value

    @rule(data=st.data(), device=devices, scale=st.integers(-2, 2))
    def add_another(self, data: st.DataObject, device: str, scale: int) -> None:
        target, target_model = self.pairs[self.choose(data)]
        source, source_model = self.pairs[self.choose(data)]
        bounded = np.abs(target_model).max() + 2 * np.abs(source_model).max() < 2**20
        if bounded:
            with tv.device(device):
                target.assign_add(source * float(scale))
            target_model += source_model * scale

    @rule(data=st.data(), start=st.integers(0, LENGTH - 1), value=st.integers(-8, 8))
    def assign_slice(self, data: st.DataObject, start: int, value: int) -> None:
        variable, model = self.pairs[self.choose(data)]
        variable[start:].assign([value] * (LENGTH - start))
        model[start:] = value

    @rule(data=st.data(), device=devices)
    def move(self, data: st.DataObject, device: str) -> None:
        variable, _ = self.pairs[self.choose(data)]
        variable.to_device(device)
        assert variable.device.endswith(device)

    @precondition(lambda self: len(self.kept) < 8)
    @rule(data=st.data(), device=devices)
    def keep_a_read(self, data: st.DataObject, device: str) -> None:
        variable, model = self.pairs[self.choose(data)]
        with tv.device(device):
            self.kept.append((variable.read_value(), model.copy()))

    @rule()
    def forget_reads(self) -> None:
        self.kept.clear()

    @rule(data=st.data(), device=devices)
    def gradient(self, data: st.DataObject, device: str) -> None:
        variable, model = self.pairs[self.choose(data)]
        with tv.device(device), tv.GradientTape() as tape:
            loss = tv.reduce_sum(variable * variable)
        gradient = tape.gradient(loss, variable)
        np.testing.assert_array_equal(gradient.numpy(), 2 * model)

    @rule(
        data=st.data(),
        device=devices,
        fault=st.sampled_from(['allocate', 'copy']),
        after=st.integers(0, 2),
        value=values,
    )
    def assign_under_a_fault(
        self, data: st.DataObject, device: str, fault: str, after: int, value: list[int]
    ) -> None:
        """Either all of the new value or, after an error, all of the old one."""
        variable, model = self.pairs[self.choose(data)]
        with contextlib.suppress(*FAILURES), tv.testing.fail(device, fault, after=after):
            with tv.device(device):
                variable.assign(tv.constant(value, tv.float32) * 1.0)
            model[:] = value

    @invariant()
    def every_variable_has_its_value(self) -> None:
        for variable, model in self.pairs:
            np.testing.assert_array_equal(variable.numpy(), model)

    @invariant()
    def a_read_keeps_the_old_value(self) -> None:
        for tensor, model in self.kept:
            np.testing.assert_array_equal(tensor.numpy(), model)


TestRandomPrograms = Program.TestCase
