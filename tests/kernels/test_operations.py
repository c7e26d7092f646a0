"""Operations on a simulated GPU that runs the CUDA kernels: the tests of the CPU, again.

Each imported test has to launch kernels of ours, and to give what it gives on the CPU. Which
dtypes the kernels take is tested beside them.
"""

from collections.abc import Iterator

import pytest

from tensorvar import pytest_fixtures
from tests._core.test_assign import (  # noqa: F401
    test_later_changes_of_the_source_do_not_show,
    test_results_chain,
    test_tensors_and_variables,
    test_the_variable_itself,
    test_update,
)
from tests._core.test_sliced_assign import (  # noqa: F401
    test_a_part_is_read_and_written_like_numpys,
    test_a_part_may_come_from_the_variable_itself,
    test_values_broadcast,
)
from tests._core.test_variable_write import (  # noqa: F401
    test_a_holder_keeps_the_old_value,
    test_a_training_step_stays_in_place,
    test_a_variable_may_be_added_to_itself,
    test_a_write_keeps_the_buffer_under_a_recorder,
    test_a_write_without_holder_keeps_the_buffer,
    test_another_threads_op_keeps_the_old_value,
    test_no_holder_is_left_by_a_read,
    test_refused_values_change_nothing,
    test_the_record_says_that_the_buffer_was_held,
)
from tests._ops.test_assign import (  # noqa: F401
    test_integers_wrap_around,
    test_the_lone_buffer_is_kept,
)
from tests._ops.test_gather import (  # noqa: F401
    test_axes,
    test_batch_dims,
    test_of_a_variable_elsewhere,
)
from tests._ops.test_gather_nd import test_gather_nd  # noqa: F401
from tests._ops.test_resource_scatter import (  # noqa: F401
    test_bools_by_slices,
    test_integers_divide_towards_zero,
    test_no_division_by_zero,
    test_reads,
    test_rows,
    test_runs_where_the_variable_lives,
    test_slices,
    test_wide_rows,
)
from tests._ops.test_tensor_scatter import test_tuples  # noqa: F401
from tests.support import emulated_kernels

# What moves no element, is refused, or writes a whole variable to a fresh buffer, for which
# array code takes one pass, too.
MAY_LAUNCH_NOTHING = (
    '[]', '(3, 0)', '[slice(1, 1', '[slice(5,', 'refused', 'by_zero',
    'another_threads', 'record_says',
)  # fmt: skip


@pytest.fixture
def simulated_gpus(
    kernel_target: emulated_kernels.EmulatedTarget, request: pytest.FixtureRequest
) -> Iterator[list[str]]:
    pytest_fixtures.reset_devices()
    pytest_fixtures.config.simulate_gpus(2)
    yield ['GPU:0', 'GPU:1']
    idle = any(part in request.node.name for part in MAY_LAUNCH_NOTHING)
    pytest_fixtures.reset_devices()
    assert kernel_target.launched or idle, 'no kernel of ours has run'


@pytest.fixture
def every_device(simulated_gpus: list[str]) -> str:
    return simulated_gpus[0]


@pytest.fixture
def device(simulated_gpus: list[str]) -> str:
    return simulated_gpus[0]
