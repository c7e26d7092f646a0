"""Quotas of control groups, of both versions, at every level."""

import math
from pathlib import Path

import pytest

from tensorvar._backend import cpu_quota, host_threads

CASES: dict[str, tuple[str, dict[str, str], float]] = {
    'two processors': ('0::/\n', {'cpu.max': '200000 100000\n'}, 2.0),
    'a part of one': ('0::/\n', {'cpu.max': '50000 100000\n'}, 0.5),
    'no limit': ('0::/\n', {'cpu.max': 'max 100000\n'}, math.inf),
    'no file': ('0::/\n', {}, math.inf),
    'the least of all levels': (
        '0::/a/b\n',
        {'a/b/cpu.max': '800000 100000', 'a/cpu.max': '300000 100000', 'cpu.max': 'max 100000'},
        3.0,
    ),
    'a group named as outside': ('0::/docker/1f\n', {'cpu.max': '100000 100000\n'}, 1.0),
    'a group outside': ('0::/../other\n', {'cpu.max': '100000 100000\n'}, 1.0),
    'the first version': (
        '4:cpu,cpuacct:/\n3:cpuset:/\n',
        {'cpu/cpu.cfs_quota_us': '150000\n', 'cpu/cpu.cfs_period_us': '100000\n'},
        1.5,
    ),
    'the first version without a limit': (
        '2:cpuacct:/\n1:cpu:/\n0::/\n',
        {'cpu/cpu.cfs_quota_us': '-1\n', 'cpu/cpu.cfs_period_us': '100000\n'},
        math.inf,
    ),
    'the first version, below': (
        '1:cpu:/docker/1f\n',
        {'cpu/docker/1f/cpu.cfs_quota_us': '400000', 'cpu/docker/1f/cpu.cfs_period_us': '100000'},
        4.0,
    ),
    'both versions': (
        '1:cpu:/\n0::/\n',
        {'cpu/cpu.cfs_quota_us': '300000', 'cpu/cpu.cfs_period_us': '100000'},
        3.0,
    ),
    'no groups': ('', {'cpu.max': '100000 100000'}, math.inf),
}


@pytest.mark.parametrize('name', CASES)
def test_the_least_quota_counts(name: str, tmp_path: Path) -> None:
    membership, files, expected = CASES[name]
    (tmp_path / 'cgroup').write_text(membership)
    for path, text in files.items():
        file = tmp_path / 'mount' / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    assert cpu_quota.granted(tmp_path / 'cgroup', tmp_path / 'mount') == expected


def test_a_system_without_groups_sets_no_limit(tmp_path: Path) -> None:
    assert cpu_quota.granted(tmp_path / 'cgroup', tmp_path) == math.inf


@pytest.mark.parametrize(
    ('quota', 'expected'), [(0.5, 1), (1.0, 1), (1.5, 2), (7.0, 7), (64.0, 8), (math.inf, 8)]
)
def test_a_process_has_no_more_processors_than_its_quota(
    quota: float, expected: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cpu_quota, 'granted', lambda: quota)
    monkeypatch.setattr(host_threads, '_visible', lambda: 8)
    assert host_threads.processors.__wrapped__() == expected
