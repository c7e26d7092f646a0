"""How the way between two cards is found."""

import logging
from typing import Any

import pytest

from tensorvar._backend import peer
from tests.support import fake_cupy


def test_a_pair_is_checked_once_and_each_direction_by_itself() -> None:
    asked = []

    def check(cupy: Any, source: int, destination: int) -> peer.Verdict:
        asked.append((source, destination))
        return peer.Verdict('peer' if source == 0 else 'staged', 'no')

    table = peer.PeerTable(check)
    for _ in range(2):
        assert table.route(None, 0, 1) == 'peer'
        assert table.route(None, 1, 0) == 'staged'
    assert asked == [(0, 1), (1, 0)]


def test_a_card_reaches_itself_without_a_check() -> None:
    table = peer.PeerTable(lambda *pair: pytest.fail('must not be asked'))
    assert table.route(None, 3, 3) == 'peer'
    assert table.matrix([3, 4]) == {
        (3, 3): 'peer', (3, 4): 'unknown', (4, 3): 'unknown', (4, 4): 'peer',
    }  # fmt: skip


def test_why_a_pair_copies_through_the_host_is_said_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    table = peer.PeerTable(lambda *pair: peer.Verdict('staged', 'they are strangers'))
    with caplog.at_level(logging.WARNING, 'tensorvar.transfer'):
        for _ in range(3):
            table.route(None, 0, 1)
    assert [record.getMessage() for record in caplog.records] == [
        'copies from CUDA device 0 to 1 go through the host: they are strangers'
    ]


def test_working_peer_access_is_found_and_leaves_the_current_card() -> None:
    cuda = fake_cupy.FakeCuda(2)
    assert peer.check_pair(cuda.module, 0, 1) == ('peer', '')
    assert cuda.device == 0


def test_cards_without_peer_access_are_staged() -> None:
    cuda = fake_cupy.FakeCuda(2)
    cuda.peers = False
    assert peer.check_pair(cuda.module, 1, 0).route == 'staged'


def test_damaged_data_is_found() -> None:
    cuda = fake_cupy.FakeCuda(2)
    cuda.corrupt_peers = True
    assert peer.check_pair(cuda.module, 1, 0).route == 'broken'


def test_access_that_cannot_be_enabled_is_staged() -> None:
    cuda = fake_cupy.FakeCuda(2)

    def refuse(other: int) -> None:
        raise fake_cupy.CUDARuntimeError(711, 'cudaErrorTooManyPeers')

    cuda.module.cuda.runtime._deviceEnsurePeerAccess = refuse
    verdict = peer.check_pair(cuda.module, 0, 1)
    assert verdict.route == 'staged'
    assert 'cudaErrorTooManyPeers' in verdict.why
    assert cuda.device == 0
