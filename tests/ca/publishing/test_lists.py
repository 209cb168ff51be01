"""Which lists there are, and that certificates and lists name the same addresses."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.ca.publishing.world import authority, issuer, issuing, root

from ingam.ca.profiles import PRESETS, preset
from ingam.ca.profiles.shaping import service_shape, shape_of
from ingam.ca.publishing.lists import (
    EVERYTHING,
    ROOT_PLAN,
    Kind,
    ListId,
    ListIssuer,
    Plan,
    addresses_of,
    attribute_of,
    freshest_of,
    lists_of,
    name_of,
    own_place,
    place_of,
    plan_of,
    root_number,
)
from ingam.npki import subject
from ingam.ports.directory import Attribute

PARTITION = ListId(1, 3, Kind.PARTITION)
ROOT = ListId(root_number(1), EVERYTHING, Kind.FULL)


@pytest.mark.parametrize("key", sorted(PRESETS))
def test_a_certificate_and_its_list_name_the_same_addresses(key: str) -> None:
    of = preset(key)
    for profile in of.profiles.values():
        shape = shape_of(of, profile, 1, 3)
        named = {one for one in (shape.crl, shape.crl_http) if one is not None}
        assert named <= set(addresses_of(of, PARTITION))
        if shape.freshest is not None:
            assert (shape.freshest,) == freshest_of(of, ListIssuer(1, issuing(), None, plan_of(of)), PARTITION)


def test_the_file_of_a_list_is_what_its_http_address_ends_with() -> None:
    of = authority()
    assert (of.list_http("dp1p3") or "").endswith("/" + place_of(of, PARTITION, issuing()).file_name(Attribute.LIST))
    delta = place_of(of, PARTITION.delta, issuing()).file_name(Attribute.DELTA)
    assert (of.delta_http("dp1p3") or "").endswith("/" + delta)
    assert (of.root_list_http(1) or "").endswith("/" + place_of(of, ROOT, root()).file_name(attribute_of(ROOT)))
    assert (of.issuer_http(1) or "").endswith("/" + own_place(of, 1, issuing()).file_name(Attribute.CERTIFICATE))
    assert (of.root_http(1) or "").endswith("/" + own_place(of, -1, root()).file_name(Attribute.CERTIFICATE))


def test_the_entry_of_a_list_is_the_one_in_its_ldap_address() -> None:
    of = authority()
    assert place_of(of, PARTITION, issuing()).entry == "ou=dp1p3,ou=DemoCA,o=Ingam,c=KR"
    assert of.list_address("dp1p3") == f"ldap://{of.directory}/{place_of(of, PARTITION, issuing()).entry}"
    above = service_shape(of, "issuing", 1).crl or ""
    assert place_of(of, ROOT, root()).entry.lower() in above.lower()


def test_a_ca_stands_at_its_own_name() -> None:
    place = own_place(authority(), 1, issuing())
    assert (place.file, place.dn[-1]) == ("issuing-1", ("cn", issuing().subject.value("CN")))


def test_each_list_has_its_own_name_and_attribute() -> None:
    of = authority()
    every = [PARTITION, PARTITION.delta, ListId(1, EVERYTHING, Kind.FULL), ListId(1, EVERYTHING, Kind.DELTA)]
    assert [name_of(of, one, issuing()) for one in every] == ["dp1p3", "dp1p3-delta", "issuing-1", "issuing-1-delta"]
    assert [attribute_of(one) for one in every] == [Attribute.LIST, Attribute.DELTA] * 2
    assert (name_of(of, ROOT, root()), attribute_of(ROOT)) == ("root-1", Attribute.AUTHORITY_LIST)


def test_a_delta_and_its_base_know_each_other() -> None:
    for one in (PARTITION, ListId(2, EVERYTHING, Kind.FULL)):
        assert one.delta.complete == one == one.complete
        assert one.delta.delta == one.delta


def test_a_new_partition_begins_with_the_certificate_that_is_too_many() -> None:
    plan = Plan(full=False, deltas=())
    for issued, partitions in ((0, 1), (1, 1), (3, 1), (4, 2), (6, 2), (7, 3)):
        found = list(lists_of(authority(), issuer(plan), issued))
        assert found == [ListId(1, number, Kind.PARTITION) for number in range(1, partitions + 1)]


@given(st.integers(0, 100), st.integers(0, 5))
def test_every_certificate_is_in_a_partition_that_has_a_list(issued: int, before: int) -> None:
    """`before`: certificates that were issued between the choice of a partition and the look at the count."""
    number = authority().partition_number(issued)
    assert ListId(1, number, Kind.PARTITION) in lists_of(authority(), issuer(), issued + 1 + before)


def test_a_root_has_one_list_and_no_delta() -> None:
    above = ListIssuer(root_number(1), root(), None, ROOT_PLAN)
    assert list(lists_of(authority(), above, 5)) == [ROOT]
    assert addresses_of(authority(), ROOT) == ()
    assert freshest_of(authority(), above, ROOT) == ()


def test_deltas_of_partitions_are_made_where_certificates_name_them() -> None:
    of = authority()
    naming = replace(of, profiles={"one": replace(next(iter(of.profiles.values())), delta=True)})
    silent = replace(of, profiles={"one": replace(next(iter(of.profiles.values())), delta=False)})
    assert plan_of(naming).deltas == (Kind.FULL, Kind.PARTITION)
    assert plan_of(silent).deltas == (Kind.FULL,)


def test_without_http_the_delta_is_named_in_the_directory() -> None:
    of = replace(authority(), http=None)
    plan = Plan(deltas=(Kind.FULL, Kind.PARTITION))
    found = freshest_of(of, issuer(plan), PARTITION)
    assert found == (f"ldap://{of.directory}/ou=dp1p3,ou=DemoCA,o=Ingam,c=KR?deltaRevocationList",)
    spaced = freshest_of(of, issuer(plan), ListId(1, EVERYTHING, Kind.FULL))[0]
    assert " " not in spaced
    assert "%20" in spaced
    assert subject.text(issuing().subject).replace(" ", "%20").lower() in spaced.lower()
