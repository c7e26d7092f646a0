"""Names the tests for a real card that mean nothing on one without values, and why."""

_SIZE = 'a shape depends on values'
_REFUSED = 'the card must find out that values are bad'
_ACCEPTED = 'the card must find out that values are good'
_COMPARED = 'values must be seen to be right, or wrong'
_PROCESS = 'another process has no null card'
_DRIVER = 'the driver must refuse, or count, memory'

_BY_REASON = {
    _SIZE: (
        'tests/_ops/test_array_index.py::test_masks',
        'tests/_ops/test_array_layout.py::test_dtypes',
        'tests/_ops/test_array_layout.py::test_repeat',
        'tests/_ops/test_dropout.py::test_kept_values_are_scaled',
        'tests/_ops/test_dynamic_partition.py::test_dtypes',
        'tests/_ops/test_masking.py::test_axes_and_ranks',
        'tests/_ops/test_masking.py::test_dtypes',
        'tests/_ops/test_nn_reference.py::test_results_are_those_of_tensorflow',
        'tests/_ops/test_segment_reduction.py::test_dtypes',
        'tests/_ops/test_sequence_mask.py::test_sequence_mask',
        'tests/_ops/test_top_k.py::test_values_for_every_dtype',
        'tests/_ops/test_unique.py::test_dtypes',
        'tests/_ops/test_where.py::test_positions',
    ),
    _REFUSED: (
        'tests/_core/test_numerics_check.py::test_an_op_that_makes_infinity_raises',
        'tests/_ops/test_bincount.py::test_bad_bincount',
        'tests/_ops/test_check_numerics.py::test_others_raise',
        'tests/_ops/test_division.py::test_integer_division_by_zero_raises',
        'tests/_ops/test_dynamic_partition.py::test_bad_partitions',
        'tests/_ops/test_gather.py::test_indices_out_of_range',
        'tests/_ops/test_gather_nd.py::test_indices_out_of_range',
        'tests/_ops/test_histogram.py::test_bad_counts',
        'tests/_ops/test_lu.py::test_edges',
        'tests/_ops/test_power.py::test_pow_refuses_unsigned_bases_and_negative_integer_exponents',
        'tests/_ops/test_reverse_sequence.py::test_bad_reverse_sequence',
        'tests/_ops/test_segment.py::test_bad_arguments',
        'tests/_ops/test_segment_reduction.py::test_bad_arguments',
        'tests/_ops/test_sparse_loss.py::test_labels_that_are_no_class_raise',
        'tests/_ops/test_spectral.py::test_bad_eigenvalues',
        'tests/_ops/test_tensor_scatter.py::test_bad_arguments',
        'tests/_ops/test_unravel_index.py::test_bad_unravel_index',
        'tests/_ops/test_unsorted_segment.py::test_bad_arguments',
    ),
    _ACCEPTED: (
        'tests/_ops/test_assertions.py::test_comparisons_on_every_device',
        'tests/_ops/test_assertions.py::test_near_on_every_device',
        'tests/_ops/test_assertions.py::test_signs_on_every_device',
        'tests/_ops/test_check_numerics.py::test_finite_values_pass',
        'tests/_ops/test_lu.py::test_use_of_the_factors',
        'tests/_ops/test_solve.py::test_inv',
        'tests/_ops/test_solve.py::test_solve',
    ),
    _COMPARED: (
        'tests/test_cli.py::test_a_real_card_is_listed',
        'tests/test_support.py::test_parity_rejects_what_differs',
    ),
    _PROCESS: (
        'tests/test_examples.py::test_digits_on_a_real_gpu',
        'tests/test_examples.py::test_example_on_a_real_gpu',
    ),
    _DRIVER: (
        'tests/_backend/test_cupy_on_gpu.py::test_a_full_card_raises_our_error',
        'tests/_backend/test_cupy_on_gpu.py::test_memory_is_counted_limited_and_given_back',
    ),
}

TESTS = {test: reason for reason, tests in _BY_REASON.items() for test in tests}
"""Tests that are left out, without their parameters, and why."""
