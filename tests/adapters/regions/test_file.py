"""The table of regions: the longest prefix wins, anything else is not known, and a wrong line is named."""

from __future__ import annotations

import re
from ipaddress import IPv4Address, IPv6Address, ip_network
from pathlib import Path

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from ingam.adapters.regions.file import FileRegions, RegionsRefused, read
from ingam.ports.regions import Region

TABLE = """# networks of documentation (RFC 5737, RFC 3849)
203.0.113.0/24\t서울\tSeoul
203.0.113.128/25\t부산\tBusan

2001:db8::/32\t대전\tDaejeon
2001:db8:1::/48\t제주\tJeju
"""


@pytest.fixture
def regions(tmp_path: Path) -> FileRegions:
    (tmp_path / "regions.tsv").write_text(TABLE, encoding="utf-8")
    return read(tmp_path / "regions.tsv")


@pytest.mark.parametrize(
    ("address", "name"),
    [
        ("203.0.113.7", "Seoul"),
        ("203.0.113.200", "Busan"),
        ("::ffff:203.0.113.200", "Busan"),
        ("198.51.100.1", None),
        ("2001:db8:1:2::/64", "Jeju"),
        ("2001:db8:2::5", "Daejeon"),
        ("2001:db8::/16", None),
        ("127.0.0.1", None),
        ("", None),
        ("testclient", None),
    ],
)
def test_the_longest_prefix_says_where_an_address_is(regions: FileRegions, address: str, name: str | None) -> None:
    found = regions.of(address)
    assert (found and found.name_en) == name


def test_without_a_table_nothing_is_known() -> None:
    assert FileRegions([]).of("203.0.113.7") is None


@pytest.mark.parametrize(
    "line",
    ["203.0.113.0/24", "203.0.113.1/24\tA\tB", "x\tA\tB", "203.0.113.0/24\t\tB", "203.0.113.0/24\tA\t" + "B" * 41],
)
def test_a_line_that_says_nothing_is_refused_by_its_number(tmp_path: Path, line: str) -> None:
    (tmp_path / "regions.tsv").write_text(f"# first\n{line}\n", encoding="utf-8")
    with pytest.raises(RegionsRefused, match=re.escape("line=2")):
        read(tmp_path / "regions.tsv")


def test_a_table_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RegionsRefused):
        read(tmp_path / "none.tsv")


@given(st.ip_addresses(), st.integers(0, 32))
def test_an_address_is_where_the_networks_that_hold_it_are(address: IPv4Address | IPv6Address, prefix: int) -> None:
    assume(getattr(address, "ipv4_mapped", None) is None)  # looked up as the IPv4 address that it carries
    network = ip_network((address, prefix), strict=False)
    found = FileRegions([(network, Region("서울", "Seoul"))])
    assert found.of(str(address)) == Region("서울", "Seoul")
    outside = ip_network((int(network.network_address) ^ (1 << (network.max_prefixlen - 1)), network.max_prefixlen))
    assert prefix == 0 or found.of(str(outside.network_address)) is None


@given(st.text(max_size=60))
def test_no_text_breaks_it(text: str) -> None:
    assert FileRegions([]).of(text) is None
