"""Locks of a union's account: each head's counter is among them, and a release is of all."""

from __future__ import annotations

from dataclasses import replace

from tests.center.registration.world import HONG, KIM

from ingam.customer.locks import KINDS
from ingam.ports.customers import CustomerKind, Head

UNION = replace(HONG, kind=CustomerKind.UNION_HEAD, heads=(Head(2, KIM.name, KIM.idn, KIM.mobile),))


def test_a_lock_of_a_union_has_the_counter_of_every_head_and_of_a_person_their_own() -> None:
    for name in ("vid", "no-medium", "sms-wrong", "branch-wrong", "onewon"):
        (own,) = KINDS[name].keys(HONG)
        assert KINDS[name].keys(UNION) == (own, f"{own}:2")
        assert set(KINDS[name].keys(UNION)) == set(KINDS[name].keys(UNION.as_head(2) or HONG))
    (own,) = KINDS["number"].keys(HONG)
    assert KINDS["number"].keys(UNION) == (own, f"{own}:2", f"{own}:heads")
