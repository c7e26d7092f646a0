"""Goals of a run on a card: met, missed, or without a figure."""

from typing import Any

import pytest

from benchmarks.on_gpu_steps import goals, report

GIB = 1 << 30


def row(case: str, noise: float = 0.01, **more: Any) -> dict[str, Any]:
    seconds = more.pop('seconds')
    return {'case': case, 'seconds': seconds, 'noise': noise, **more}


def verdict(goal: str, **steps: list[dict[str, Any]]) -> goals.Verdict:
    result = {'steps': {name: {'rows': rows} for name, rows in steps.items()}}
    [found] = [each for each in goals.verdicts(result) if each.goal == goal]
    return found


def test_a_run_without_figures_misses_nothing_and_meets_nothing() -> None:
    found = goals.verdicts({'steps': {}})
    assert len({each.goal for each in found}) == len(found) > 40
    assert {each.status for each in found} == {goals.NO_FIGURE}


@pytest.mark.parametrize(('seconds', 'status'), [(3.9e-6, goals.MET), (4.1e-6, goals.MISSED)])
def test_host_time(seconds: float, status: str) -> None:
    times = {'tensorvar': seconds, 'torch': 4e-6, 'cupy': 8e-6}
    rows = [row('assign_add, host alone', seconds=times)]
    for peer, target in (('torch', 'no slower'), ('cupy', '>= 200%')):
        goal = f'host time of v.assign_add(t), 4 elements, beside {peer}'
        found = verdict(goal, dispatch=rows)
        assert (found.target, found.status) == (target, status)


def writes(of_copy: float, torch: float) -> list[dict[str, Any]]:
    """Large writes at a part of the copy rate; PyTorch takes so many times as long."""
    return [
        row('assign_add float32 16 B', group='assign_add float32', bytes=48, of_copy=0.01,
            seconds={'tensorvar': 1.0, 'torch': torch}),
        row('assign_add float32 1 GiB', group='assign_add float32', bytes=3 * GIB,
            of_copy=of_copy, seconds={'tensorvar': 1.0, 'torch': 2.0}),
    ]  # fmt: skip


def test_writes_beside_the_copy_rate_and_the_peers() -> None:
    goal = 'assign_add float32 from 64 MiB up, of the copy rate'
    assert verdict(goal, assign=writes(0.96, 1)) == (goal, '>= 95%', '96% (1 GiB)', goals.MET)
    assert verdict(goal, assign=writes(0.94, 1)).status == goals.MISSED
    goal = 'assign_add float32, 4 elements to 1 GiB, beside torch'
    assert verdict(goal, assign=writes(1, 1.5))[2:] == ('1.50 times as fast (16 B)', goals.MET)
    assert verdict(goal, assign=writes(1, 0.995)).status == goals.MET, 'within the noise'
    assert verdict(goal, assign=writes(1, 0.5))[2:] == ('0.50 times as fast (16 B)', goals.MISSED)


def test_a_peer_that_is_absent_is_named() -> None:
    rows = [row('bfloat16 4096', seconds={'tensorvar': 1.0}, absent={'torch': 'not installed'})]
    rows = [{**rows[0], 'case': f'bfloat16 {size}'} for size in goals.SQUARES]
    found = verdict('matmul bfloat16, beside torch, geometric mean of 3 sizes', matmul=rows)
    assert (found.figure, found.status) == ('torch: not installed', goals.NO_FIGURE)


@pytest.mark.parametrize(('torch', 'status'), [(1.021, goals.MET), (1.019, goals.MISSED)])
def test_squares_beside_torch(torch: float, status: str) -> None:
    times = dict(zip(goals.SQUARES, (0.5 * torch, 2 * torch, torch), strict=True))
    rows = [
        row(f'bfloat16 {size}', seconds={'tensorvar': 1.0, 'torch': time})
        for size, time in times.items()
    ]
    goal = 'matmul bfloat16, beside torch, geometric mean of 3 sizes'
    assert verdict(goal, matmul=rows)[1:] == ('>= 102%', f'{torch:.1%}', status)
    assert verdict(goal, matmul=rows[1:]).status == goals.NO_FIGURE


@pytest.mark.parametrize(('torch', 'status'), [(0.971, goals.MET), (0.969, goals.MISSED)])
def test_other_products_beside_torch(torch: float, status: str) -> None:
    thin = [
        row('bfloat16 1 x 2 x 3', group='matmul thin bfloat16', noise=0.5,
            seconds={'tensorvar': 1.0, 'torch': part})
        for part in (1.5, torch)
    ]  # fmt: skip
    assert verdict('matmul bfloat16, thin shapes, beside torch', matmul=thin[1:]).status == status


def test_our_fastest_kernel_beside_cublas() -> None:
    goal = 'our fastest kernel, float32 tf32, beside cuBLAS, geometric mean of 3 sizes'
    seconds = {'sm90': 1.0, 'mma': 2.0, 'cublas': 0.93}
    rows = [row(f'tf32 NN {size} x {size} x {size}', seconds=seconds) for size in goals.SQUARES]
    assert verdict(goal, matmul_table=rows) == (goal, '>= 90%', '93.0%', goals.MET)
    rows[1] = row(rows[1]['case'], seconds={'cublas': 1.0})
    assert verdict(goal, matmul_table=rows).status == goals.NO_FIGURE


def test_optimizers() -> None:
    rows = [
        row('adam float32 200 x 1048576', of_copy=0.95,
            seconds={'tensorvar': 1.0, 'torch fused': 1.2, 'torch foreach': 0.8})
    ]  # fmt: skip
    name = 'Adam, 200 x 1048576'
    assert verdict(f'{name}, beside torch fused', optimizers=rows).status == goals.MET
    assert verdict(f'{name}, beside torch foreach', optimizers=rows).status == goals.MISSED
    assert verdict(f'{name}, of the copy rate', optimizers=rows)[2:] == ('95%', goals.MET)
    other = verdict('Adam, 10000 x 64, beside torch fused', optimizers=rows)
    assert other.status == goals.NO_FIGURE


@pytest.mark.parametrize(('narrow', 'status'), [(1.9, goals.MET), (2.1, goals.MISSED)])
def test_heavy_duplicates_of_bfloat16(narrow: float, status: str) -> None:
    rows = [
        row(f'scatter_add half on one row, {dtype} x 64', seconds={'tensorvar': seconds})
        for dtype, seconds in (('bfloat16', narrow), ('float32', 1.0))
    ]
    goal = 'scatter_add half on one row x 64, bfloat16 beside float32'
    assert verdict(goal, scatter=rows).status == status


def test_training_steps() -> None:
    case = 'training step, 64-128-10, batch 32'
    ours = {'tensorvar': 3.0, 'tensorvar plan': 2.0, 'tensorvar graph': 1.0}
    rows = [
        row(case, seconds={**ours, 'torch': 2.5}),
        row(f'{case}, compiled', seconds={**ours, 'torch reduce-overhead': 1.5, 'jax jit': 0.9}),
    ]
    name = 'training step, batch 32'
    for goal, status in (
        ('eager beside torch eager', goals.MISSED), ('plan beside torch eager', goals.MET),
        ('graph beside torch reduce-overhead', goals.MET), ('graph beside jax jit', goals.MISSED),
    ):  # fmt: skip
        assert verdict(f'{name}, {goal}', training=rows).status == status


def test_the_table_ends_with_the_counts() -> None:
    rows = [row('assign_add, host alone', seconds={'tensorvar': 1e-6, 'torch': 2e-6})]
    text = report.goal_table({'steps': {'dispatch': {'rows': rows}}})
    lines = text.splitlines()
    assert (
        ' '.join(lines[1].split())
        == 'host time of v.assign_add(t), 4 elements, beside torch no slower 2.00 times as fast met'
    )
    assert lines[-1] == f'1 met, 0 missed, {len(lines) - 3} no figure'
