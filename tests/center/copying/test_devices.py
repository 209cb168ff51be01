"""What is said of a device: kinds, systems and browsers out of closed lists, networks as digests, regions as names."""

from __future__ import annotations

from ipaddress import ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.center.copying.world import IPHONE, KIT, PC, PHONE

from ingam.adapters.hsm.file import FileDigests
from ingam.adapters.regions.file import FileRegions
from ingam.center.copying.devices import Devices, Headers, browser_text, described, device_text, network_of, region_text
from ingam.ports.regions import Region

DEVICES = Devices(FileDigests(bytes(32)), FileRegions([(ip_network("203.0.113.0/24"), Region("서울", "Seoul"))]))
MAC = f"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) {KIT}"


@pytest.mark.parametrize(
    ("headers", "told"),
    [
        (Headers(PC), ("pc", "Windows", "Chrome")),
        (Headers(f"{PC} Edg/130.0"), ("pc", "Windows", "Edge")),
        (Headers(f"{PC} Whale/3.28"), ("pc", "Windows", "Whale")),
        (Headers(f"{PC} OPR/115.0"), ("pc", "Windows", "Opera")),
        (Headers(PHONE), ("phone", "Android", "Chrome")),
        (Headers(PHONE.replace(" Mobile", "")), ("tablet", "Android", "Chrome")),
        (Headers(f"{PHONE} SamsungBrowser/27.0"), ("phone", "Android", "Samsung Internet")),
        (Headers(f"{PHONE} KAKAOTALK 10.0"), ("phone", "Android", "KakaoTalk")),
        (Headers("Mozilla/5.0 (Android 14; Mobile; rv:133.0) Firefox/133.0"), ("phone", "Android", "Firefox")),
        (Headers(IPHONE), ("phone", "iOS", "Safari")),
        (Headers(IPHONE.replace("Version/18.0", "CriOS/130.0")), ("phone", "iOS", "Chrome")),
        (Headers(IPHONE.replace("iPhone;", "iPad;")), ("tablet", "iPadOS", "Safari")),
        (Headers(f"{MAC} Version/18.0 Safari/605.1.15"), ("pc", "macOS", "Safari")),
        (Headers(f"Mozilla/5.0 (X11; CrOS x86_64 14541.0.0) {KIT} Chrome/130.0"), ("pc", "ChromeOS", "Chrome")),
        (Headers("Mozilla/5.0 (X11; Linux x86_64; rv:133.0) Gecko/20100101 Firefox/133.0"), ("pc", "Linux", "Firefox")),
        (Headers(PC, "?1", '"Android"'), ("phone", "Android", "Chrome")),
        (Headers(PC, "?0", '"Chrome OS"'), ("pc", "ChromeOS", "Chrome")),
        (Headers(PC, "?0", '"<b>"'), ("pc", "Windows", "Chrome")),
        (Headers("ingam/0.1.0 (Linux)"), ("command-line", "Linux", "ingam")),
        (Headers(""), ("pc", "other", "other")),
        (Headers("<script>"), ("pc", "other", "other")),
    ],
)  # fmt: skip
def test_a_device_is_described_in_words_of_ours(headers: Headers, told: tuple[str, str, str]) -> None:
    assert described(headers) == told


@given(st.text(), st.text(), st.text())
def test_C3_nothing_of_a_device_s_own_is_shown_whatever_it_sends(agent: str, mobile: str, platform: str) -> None:
    device = DEVICES.of(Headers(agent, mobile, platform), "203.0.113.7")
    kinds = {"pc", "phone", "tablet", "command-line"}
    systems = {"iPadOS", "iOS", "Android", "Windows", "ChromeOS", "macOS", "Linux", "other"}
    browsers = {
        "Whale", "Samsung Internet", "Edge", "Opera", "Firefox", "KakaoTalk", "Naver", "Chrome", "Safari", "other",
        "ingam",
    }  # fmt: skip
    assert device.kind in kinds and device.system in systems and device.browser in browsers
    for lang in ("ko", "en"):
        assert len(device_text(device, lang).encode()) <= 120


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("203.0.113.7", "203.0.113.0/24"),
        ("2001:db8:1:2::/64", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::9", "2001:db8:1:2::/64"),
        ("testclient", "testclient"),
        ("", ""),
    ],
)
def test_two_devices_are_in_one_network_within_a_24_or_a_64(address: str, network: str) -> None:
    assert network_of(address) == network


def test_H9_no_address_is_kept_of_a_device() -> None:
    one, near, far = (DEVICES.of(Headers(PC), each) for each in ("203.0.113.7", "203.0.113.99", "198.51.100.1"))
    assert one == near and one.network != far.network
    assert "203.0.113" not in repr(one)
    assert (region_text(one, "ko"), region_text(one, "en")) == ("서울", "Seoul")
    assert (region_text(far, "ko"), region_text(far, "en")) == ("지역 정보 없음", "Region not known")
    assert (device_text(one, "en"), browser_text(one, "ko")) == ("PC · Windows · Chrome", "Windows · Chrome")
