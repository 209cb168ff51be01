"""SRTP: only what the other end sealed is opened, once."""

from __future__ import annotations

import pytest

from ingam.adapters.ars.srtp import Srtp
from ingam.kernel.secret import Secret
from ingam.protocols.sip import rtp
from ingam.protocols.sip.rtp import Packet

ONE, TWO, OTHER = (Secret(bytes([n]) * 30) for n in (1, 2, 3))
PACKET = rtp.write(Packet(0, False, 7, 160, 9, b"speech" * 20))


def test_E6_what_one_end_seals_the_other_opens() -> None:
    here, there = Srtp(ONE, TWO), Srtp(TWO, ONE)
    sealed = here.seal(PACKET)
    assert b"speech" not in sealed and len(sealed) == len(PACKET) + 10  # HMAC-SHA1-80
    assert there.open(sealed) == PACKET


@pytest.mark.parametrize("other", [Srtp(TWO, OTHER), Srtp(ONE, TWO)])
def test_E6_another_key_opens_nothing(other: Srtp) -> None:
    assert other.open(Srtp(ONE, TWO).seal(PACKET)) is None


def test_E6_a_changed_or_repeated_packet_is_none() -> None:
    here, there = Srtp(ONE, TWO), Srtp(TWO, ONE)
    sealed = here.seal(PACKET)
    for changed in (sealed[:-1], sealed[:20] + b"\x00" + sealed[21:], PACKET, b"", b"\x80" * 5000):
        assert there.open(changed) is None
    assert there.open(sealed) == PACKET
    assert there.open(sealed) is None
