"""``tv.function`` as users write it."""

import collections
import io
from typing import Any

import numpy as np
import pytest

import tensorvar as tv

Pair = collections.namedtuple('Pair', 'first second')


def count(function: Any) -> int:
    return int(function.experimental_get_tracing_count())


def test_all_forms_of_the_decorator() -> None:
    def double(x: Any) -> Any:
        """Doubles."""
        return x * 2.0

    plain = tv.function(double)
    with_options = tv.function(jit_compile=True, autograph=False, reduce_retracing=True)(double)
    specified = tv.function(input_signature=[tv.TensorSpec([None], tv.float32)])(double)
    for function in (plain, with_options, specified, tv.function(plain)):
        assert function(tv.constant([1.0])).numpy() == [2.0]
        assert function.python_function is double
        assert (function.__name__, function.__doc__) == ('double', 'Doubles.')
    with pytest.raises(TypeError, match='no callable'):
        tv.function(3)


def test_python_arguments_count_by_type_and_value() -> None:
    @tv.function
    def times(x: Any, n: Any = 1, *, extra: Any = None) -> Any:
        return x * float(n)

    x = tv.constant(2.0)
    calls = [times(x, 1), times(x, n=1), times(x), times(n=1, x=x), times(x, 1, extra=None)]
    assert [float(y) for y in calls] == [2.0] * 5
    assert count(times) == 1
    for n in (1.0, True, 2, 2, 'nan'):
        times(x, n)
    assert count(times) == 5


def test_numpy_data_are_tensors() -> None:
    double = tv.function(lambda x: x * 2.0)
    for n in range(20):
        assert double(np.full(3, n, np.float32)).numpy().tolist() == [2.0 * n] * 3
        assert double(np.float32(n)).numpy() == 2.0 * n
    assert count(double) == 2


def test_structures_go_in_and_come_out() -> None:
    @tv.function
    def body(data: Any, pair: Any) -> Any:
        total = data['b'][0] + data['a'] * pair.second
        return {'total': total, 'pair': Pair(pair.first, None), 'list': [1, total, (2.5, 'text')]}

    for n in (1.0, 2.0):
        one = tv.constant(n)
        result = body({'b': (one,), 'a': one}, Pair(one, one))
        assert float(result['total']) == n + n * n
        assert isinstance(result['pair'], Pair)
        assert float(result['pair'].first) == n
        assert result['pair'].second is None
        assert result['list'][0].dtype is tv.int32
        assert result['list'][2][1].numpy() == b'text'
    assert count(body) == 1


def test_slices_of_a_gradient_come_out() -> None:
    table = tv.Variable([[1.0], [2.0], [3.0]])

    @tv.function
    def slope(rows: Any) -> Any:
        with tv.GradientTape() as tape:
            total = tv.reduce_sum(tv.gather(table, rows) ** 2.0)
        return tape.gradient(total, table)

    for rows in ([0, 2], [1, 1], [2, 0]):
        given = slope(tv.constant(rows))
        assert isinstance(given, tv.IndexedSlices)
        wanted = slope.python_function(tv.constant(rows))
        assert given.to_tensor().numpy().tolist() == wanted.to_tensor().numpy().tolist()


def test_returned_variables_become_tensors() -> None:
    v = tv.Variable(1.0)
    step = tv.function(lambda: v.assign_add(1.0))
    results = [step() for _ in range(3)]
    assert all(type(result) is tv.Tensor for result in results)
    assert [float(result) for result in results] == [2.0, 3.0, 4.0]


def test_a_result_that_is_no_value_is_refused() -> None:
    with pytest.raises(TypeError, match='returned'):
        tv.function(lambda: object())()


def test_an_input_signature() -> None:
    @tv.function(input_signature=[tv.TensorSpec([None, 2], tv.float32), tv.TensorSpec([])])
    def scaled(x: Any, factor: Any) -> Any:
        return x * factor

    for rows in (1, 3, 1):
        assert scaled(np.ones((rows, 2)), 2.0).shape == [rows, 2]
    assert scaled([[1, 2]], factor=3).numpy().tolist() == [[3.0, 6.0]]
    for wrong in (([[1.0]], 1.0), ([[1.0, 2.0]],), (tv.constant([[1, 2]]), 1.0)):
        with pytest.raises(TypeError):
            scaled(*wrong)
    with pytest.raises(TypeError, match='Binding inputs'):
        scaled([1.0, 2.0], 1.0)
    with pytest.raises(TypeError, match=r'shape \[1, 2\], int32, on CPU:0 for TensorSpec'):
        scaled(tv.constant([[1, 2]]), 1.0)


def test_an_input_signature_is_a_list() -> None:
    with pytest.raises(TypeError, match='must be a list or tuple'):
        tv.function(lambda x: x, input_signature=tv.TensorSpec([]))


def test_a_call_that_does_not_fit_names_the_function() -> None:
    @tv.function
    def scaled(x: Any, factor: Any, *, shift: Any = 0.0) -> Any:
        return x * factor + shift

    for args, keywords, text in (
        ((1.0,), {}, "missing a required argument: 'factor'"),
        ((1.0, 2.0, 3.0, 4.0), {}, 'too many positional arguments'),
        ((1.0, 2.0), {'shfit': 1.0}, "unexpected keyword argument 'shfit'"),
    ):
        with pytest.raises(TypeError, match=rf'{text}; allowed is .*scaled\(x: Any, factor'):
            scaled(*args, **keywords)


def test_methods_have_plans_of_their_own() -> None:
    class Layer:
        def __init__(self, start: float) -> None:
            self.weight = tv.Variable(start)

        @tv.function
        def step(self, x: Any) -> Any:
            self.weight.assign_add(x)
            return self.weight * 2.0

    layers = Layer(1.0), Layer(10.0)
    for n in (1, 2, 3):
        assert [float(layer.step(tv.constant(1.0))) for layer in layers] == [2 + 2 * n, 20 + 2 * n]
    assert [count(layer.step) for layer in layers] == [1, 1]


def test_a_method_of_a_class_without_weak_references() -> None:
    class Bare:
        __slots__ = ('factor',)

        @tv.function
        def scaled(self, x: Any) -> Any:
            return x * self.factor  # type: ignore[attr-defined]

    bare = Bare()
    bare.factor = 3.0  # type: ignore[attr-defined]
    assert [float(bare.scaled(tv.constant(n))) for n in (1.0, 2.0)] == [3.0, 6.0]
    assert count(bare.scaled) == 1


def test_functions_in_functions_and_closures() -> None:
    v = tv.Variable(1.0)
    inner = tv.function(lambda x: v.assign_add(x) * 2.0)

    @tv.function
    def outer(x: Any) -> Any:
        return inner(x) + inner(x * 10.0)

    wanted = [2 * 2 + 2 * 12, 2 * 13 + 2 * 23]
    assert [float(outer(tv.constant(1.0))) for _ in range(2)] == wanted
    assert (count(outer), count(inner)) == (1, 0)


def test_recursion() -> None:
    @tv.function
    def factorial(n: Any) -> Any:
        return n * factorial(n - 1) if n > 1 else n

    assert [int(factorial(tv.constant(n))) for n in (1, 3, 5, 3)] == [1, 6, 120, 6]


def test_variables_are_made_in_the_first_call_only() -> None:
    class Counter:
        value: Any = None

        @tv.function
        def step(self, x: Any) -> Any:
            if self.value is None:
                self.value = tv.Variable(x * 0.0)
            self.value.assign_add(x)
            return self.value * 1.0

    counter = Counter()
    assert [float(counter.step(tv.constant(2.0))) for _ in range(4)] == [2.0, 4.0, 6.0, 8.0]
    assert count(counter.step) == 2


def test_a_second_creation_names_both_lines() -> None:
    @tv.function
    def make(x: Any) -> Any:
        return tv.Variable(1.0) + x

    assert float(make(tv.constant(1.0))) == 2.0
    lines = r'test_function\.py:\d+.*test_function\.py:\d+'
    with pytest.raises(ValueError, match=f'only supports singleton.*{lines}'):
        make(tv.constant(1.0))


def test_a_late_creation_is_refused_too() -> None:
    made = []

    @tv.function
    def late(x: Any) -> Any:
        if x > 0:
            made.append(tv.Variable(1.0))
        return x * 2.0

    late(tv.constant(-1.0))
    with pytest.raises(ValueError, match='the first call was'):
        late(tv.constant(1.0))


def test_at_most_64_signatures_are_kept() -> None:
    add = tv.function(lambda x, n: x + float(n))
    x = tv.constant(1.0)
    for n in range(70):
        assert float(add(x, n)) == 1.0 + n
    assert count(add) == 70
    add(x, 69)
    add(x, 6)
    assert count(add) == 70
    add(x, 0)
    assert count(add) == 71


def test_an_argument_that_no_key_can_hold_runs_eagerly() -> None:
    total = tv.function(lambda x, names: x * float(len(names)))
    with pytest.warns(UserWarning, match='set'):
        assert float(total(tv.constant(2.0), {'a', 'b'})) == 4.0
    assert float(total(tv.constant(2.0), {'a'})) == 2.0


def test_zeros_of_both_signs_and_nan_as_arguments() -> None:
    shown = tv.function(lambda n: tv.constant(str(n)))
    assert [shown(n).numpy() for n in (0.0, -0.0, 0.0)] == [b'0.0', b'-0.0', b'0.0']
    for _ in range(3):
        shown(float('nan'))
    assert count(shown) == 3


def test_running_eagerly() -> None:
    calls = []

    @tv.function
    def double(x: Any) -> Any:
        calls.append(x)
        return x * 2.0

    tv.config.run_functions_eagerly(True)
    try:
        assert tv.config.functions_run_eagerly()
        for _ in range(3):
            double(tv.constant(1.0))
    finally:
        tv.config.run_functions_eagerly(False)
    assert len(calls) == 3
    double(tv.constant(1.0))
    double(tv.constant(1.0))
    assert len(calls) == 4


def test_wrong_arguments() -> None:
    with pytest.raises(TypeError):
        tv.function(lambda x: x)()


def test_the_printed_plan_names_ops_devices_buffers_and_branches() -> None:
    v = tv.Variable(np.ones((4, 4), np.float32))

    @tv.function
    def step(x: Any) -> Any:
        v.assign_sub(0.5 * tv.tanh(x @ v))
        return x * 2.0 if v[0, 0] > 0 else x

    step(tv.ones([4, 4]))
    text = step.pretty_printed_plan()
    for expected in ('MatMul on CPU:0', 'AssignSubVariableOp', 'branch: bool at test_function'):
        assert expected in text

    update = tv.function(lambda x: v.assign_sub(0.5 * tv.tanh(x @ v)))
    update(tv.ones([4, 4]))
    assert 'out=b0' in update.pretty_printed_plan()


def test_defaults_beside_an_input_signature() -> None:
    spec = tv.TensorSpec([], tv.float32)

    @tv.function(input_signature=[spec, spec])
    def weighted(x: Any, weight: Any = 2.0, offset: float = 1.0) -> Any:
        return x * weight + offset

    x = tv.constant(3.0)
    assert [float(y) for y in (weighted(x), weighted(x, 4.0), weighted(weight=5.0, x=x))] == [
        7.0, 13.0, 16.0,
    ]  # fmt: skip
    for wrong in ((), (x, x, x)):
        with pytest.raises(TypeError):
            weighted(*wrong)


def test_a_bound_method_tells_its_name() -> None:
    class Model:
        @tv.function
        def double(self, x: Any) -> Any:
            return x * 2.0

    bound = Model().double
    assert bound.__name__ == 'double'
    assert not hasattr(bound, 'halve')


def test_an_op_that_gives_a_tuple_of_one() -> None:
    x = tv.constant([[1.0, 2.0]])
    function = tv.function(lambda x: (tv.split(x, 1), tv.unstack(x), tv.meshgrid(x[0])))
    for _ in range(2):
        shapes = [part.shape.as_list() for part in tv.nest.flatten(function(x))]
        assert shapes == [[1, 2], [2], [2]]


@pytest.mark.filterwarnings('ignore:tv.function')
def test_what_no_replay_does_happens_each_time() -> None:
    stream = io.StringIO()

    @tv.function
    def body(x: Any) -> Any:
        tv.random.set_seed(3)
        tv.print(x, output_stream=stream)
        return tv.random.normal([]) * x, tv.timestamp()

    results = [body(tv.constant(1.0)) for _ in range(3)]
    assert len({float(number) for number, _ in results}) == 1
    times = [float(stamp) for _, stamp in results]
    assert times[0] < times[1] < times[2]
    assert stream.getvalue() == '1\n1\n1\n'
