"""What `authority.toml` and `profiles.toml` may not say: each refusal with the place where it stands."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from ingam.ca.profiles import ProfileRefused, load, preset, preset_files, read

DEMO, FIELD = preset_files("ingam"), preset_files("signkorea")


def changed(file: str, old: str, new: str, base: dict[str, str] = DEMO) -> dict[str, str]:
    """The two texts with one thing changed; `file`: `authority` or `profiles`."""
    name = f"{file}.toml"
    assert old in base[name]
    return {**base, name: base[name].replace(old, new, 1)}


def refused(texts: dict[str, str]) -> ProfileRefused:
    with pytest.raises(ProfileRefused) as caught:
        read(*texts.values())
    return caught.value


@pytest.mark.parametrize(
    ("file", "old", "new", "code", "at"),
    [
        ("authority", "demo = true", "demo = true\nmagic = 1", "ca-profile-unknown-key", "authority.magic"),
        ("authority", "[keys]", "[keys]\ntsa = 'p-256'", "ca-profile-unknown-key", "keys.tsa"),
        ("authority", "[keys]", "[more]\n[keys]", "ca-profile-unknown-key", "more"),
        ("profiles", "hosts = true", "hosts = true\nhost = 1", "ca-profile-unknown-key", "profile.server.host"),
        ("profiles", "hosts = false", "hosts = false\nhost = 1", "ca-profile-unknown-key", "defaults.host"),
        ("authority", "demo = true\n", "", "ca-profile-missing-key", "authority.demo"),
        ("authority", "[root]", "[roots]", "ca-profile-missing-key", "root"),
        ("profiles", "day_end = true", "", "ca-profile-missing-key", "profile.securities.day_end"),
        ("profiles", 'title_ko = "서버용 (TLS)"\n', "", "ca-profile-missing-key", "profile.server.title_ko"),
        ("authority", "demo = true", "demo = 1", "ca-profile-value", "authority.demo"),
        ("authority", "serial_bytes = 16", "serial_bytes = true", "ca-profile-value", "authority.serial_bytes"),
        ("authority", "serial_bytes = 16", "serial_bytes = 21", "ca-profile-value", "authority.serial_bytes"),
        ("authority", "partition_size = 10000", "partition_size = 0", "ca-profile-value", "authority.partition_size"),
        ("authority", "responder_days = 90", "responder_days = 91", "ca-profile-value", "authority.responder_days"),
        ("authority", 'country = "KR"', 'country = "US"', "ca-profile-value", "authority.country"),
        ("authority", 'arc = "2.25.', 'arc = "2..25.', "ca-profile-value", "authority.arc"),
        ("authority", "dp{generation}p", "dp{number}p", "ca-profile-value", "authority.partition_prefix"),
        ("authority", "CA{generation}", "CA{generation!r}", "ca-profile-value", "authority.issuing_common"),
        ("authority", "CA{generation}", "CA{", "ca-profile-value", "authority.issuing_common"),
        ("authority", "http://ocsp.ingam.test", "http://ocsp ingam.test", "ca-profile-value", "authority.ocsp"),
        ("authority", "http://dir.ingam.test", "ldap://dir.ingam.test", "ca-profile-value", "authority.http"),
        ("authority", 'root = "rsa-3072"', 'root = "rsa-1024"', "ca-profile-value", "keys.root"),
        ("authority", "이 인증서는 시연용이며", "시연용" + "가" * 200, "ca-profile-value", "authority.notice"),
        ("authority", "이 인증서는 시연용이며", "시연용\U00020000", "ca-profile-value", "authority.notice"),
        ("authority", 'organisation = "Ingam"', f'organisation = "{"x" * 65}"', "ca-profile-value",
         "authority.organisation"),
        ("profiles", 'customer = "personal"', 'customer = "all"', "ca-profile-value", "profile.securities.customer"),
        ("profiles", 'suffix = "9"', 'suffix = "09"', "ca-profile-value", "profile.securities.suffix"),
        ("profiles", '"nonRepudiation"]', '"keyCertSign"]', "ca-profile-value", "profile.securities.key_usage"),
        ("profiles", 'purposes = ["server-auth"]', 'purposes = ["anything"]', "ca-profile-value",
         "profile.server.purposes"),
        ("profiles", 'keys = ["rsa", "p-256"]', 'keys = ["rsa", "rsa"]', "ca-profile-value", "profile.securities.keys"),
        ("profiles", 'keys = ["rsa", "p-256"]', "keys = []", "ca-profile-value", "profile.securities.keys"),
        ("profiles", "rsa_bits = [2048, 4096]", "rsa_bits = [1024, 4096]", "ca-profile-value",
         "profile.securities.rsa_bits"),
        ("profiles", "rsa_bits = [2048, 4096]", "rsa_bits = [4096, 2048]", "ca-profile-value",
         "profile.securities.rsa_bits"),
        ("profiles", "{name}-{number}", "{name}-{idn}", "ca-profile-value", "profile.securities.common"),
        ("profiles", '"{branch}"]', '"{branch:>99}"]', "ca-profile-value", "profile.securities.units"),
        ("profiles", 'lists = ["ldap", "http"]', 'lists = ["ftp"]', "ca-profile-value", "profile.securities.lists"),
        ("profiles", "[profile.server]", "[profile.'a b']", "ca-profile-value", "profile"),
        ("profiles", "[profile.securities]", "[profile]\nsecurities = 1\n[x]", "ca-profile-unknown-key", "x"),
    ],
)  # fmt: skip
def test_what_a_file_may_not_say_is_refused_with_its_place(file: str, old: str, new: str, code: str, at: str) -> None:
    found = refused(changed(file, old, new))
    assert (found.code, found.facts["at"]) == (code, at)


@pytest.mark.parametrize(
    ("file", "old", "new", "rule", "base"),
    [
        ("authority", "sandbox = false", "sandbox = true", "demo-and-sandbox", DEMO),
        ("authority", "serial_bytes = 16", "serial_bytes = 8", "serial-too-short", DEMO),
        ("authority", 'arc = "2.25.87309791621482727547270451842754097887.1"', 'arc = "1.2.410.200004.5.1.1"',
         "demo-in-a-foreign-arc", DEMO),
        ("authority", "Ingam Demo CA{generation}", "Ingam CA{generation}", "demo-does-not-say-so", DEMO),
        ("authority", "Ingam Demo Root CA", "Ingam Root CA", "demo-does-not-say-so", DEMO),
        ("authority", "이 인증서는 시연용이며 법적 효력이 없습니다(Demonstration only, no legal effect)",
         "이 인증서는 공동인증서입니다", "demo-does-not-say-so", DEMO),
        ("authority", "CA{generation} (sandbox)", "CA{generation}", "sandbox-does-not-say-so", FIELD),
        ("authority", "http://ocsp.signkorea.test", "http://ocsp.signkorea.example", "address-outside-test", FIELD),
        ("authority", "dir.ingam.test:389", "dir.ingam.example:389", "address-outside-test", DEMO),
        ("authority", 'encryption = "rsa-3072"', 'encryption = "p-256"', "encryption-needs-rsa", DEMO),
        ("profiles", "purposes = []", 'purposes = ["client-auth"]', "person-with-purposes", DEMO),
        ("profiles", 'customer = "personal"', 'customer = "none"', "identified-nobody", DEMO),
        ("profiles", "{name}-{number}", "{name}", "name-not-unique", DEMO),
        ("profiles", 'qualified = false\nkey_usage = ["keyEncipherment"]\nkeys = ["rsa"]',
         'qualified = false\nkey_usage = ["keyEncipherment"]', "encryption-needs-rsa", DEMO),
        ("profiles", "hosts = true", "hosts = false", "hosts-without-server", DEMO),
        ("profiles", 'common = "{name}"\n', 'common = "{host}"\n', "hosts-without-server", DEMO),
        ("profiles", 'lists = ["ldap"]', 'lists = ["ldap", "http"]', "no-http-address", FIELD),
        ("profiles", 'access = ["ocsp"]', 'access = ["ocsp", "ca-issuers"]', "no-http-address", FIELD),
        ("profiles", "delta = false", "delta = true", "no-http-address", FIELD),
        ("profiles", 'lists = ["ldap"]', "lists = []", "no-list", FIELD),
        ("profiles", 'suffix = "5"', 'suffix = "9"', "policy-twice", DEMO),
        ("profiles", 'suffix = "5"', 'suffix = "100"', "policy-twice", DEMO),
    ],
)  # fmt: skip
def test_two_things_that_contradict_are_refused_by_the_name_of_the_rule(
    file: str, old: str, new: str, rule: str, base: dict[str, str]
) -> None:
    found = refused(changed(file, old, new, base))
    assert (found.code, found.facts["rule"]) == ("ca-profile-clash", rule)


def test_D11_a_real_authority_never_has_short_serials() -> None:
    real = changed("authority", "sandbox = true", "sandbox = false", FIELD)
    assert refused(real).facts["rule"] == "serial-too-short"


def test_an_institution_with_a_contract_says_its_own_arc_and_addresses() -> None:
    text = DEMO["authority.toml"]
    for old, new in (
        ("demo = true", "demo = false"), ("2.25.87309791621482727547270451842754097887.1", "1.2.410.200004.5.1.1"),
        (".test", ".example"), ("Demo ", ""),
    ):  # fmt: skip
        text = text.replace(old, new)
    found = read(text, DEMO["profiles.toml"])
    assert found.profile("securities").policy == "1.2.410.200004.5.1.1.9"
    assert found.ocsp == "http://ocsp.ingam.example"


def test_a_file_that_is_no_toml_is_refused() -> None:
    assert refused({**DEMO, "profiles.toml": "= ="}).code == "ca-profile-syntax"
    assert refused({**DEMO, "authority.toml": "[authority"}).code == "ca-profile-syntax"


def test_profiles_lie_beside_their_authority(tmp_path: Path) -> None:
    (tmp_path / "authority.toml").write_text(
        DEMO["authority.toml"].replace('"profiles.toml"', '"../profiles.toml"'), encoding="utf-8"
    )
    with pytest.raises(ProfileRefused) as caught:
        load(tmp_path / "authority.toml")
    assert caught.value.facts == {"at": "authority.profiles"}


def test_profiles_cannot_be_changed_behind_the_back() -> None:
    with pytest.raises(TypeError):
        preset("ingam").profiles["x"] = preset("ingam").profile("ra")  # type: ignore[index]


VALUE = some.one_of(some.none(), some.just('""'), some.just("[]"), some.just("{}"), some.just("-1"), some.just("1.5"),
                    some.just("true"), some.just('"x"'), some.just('["x"]'), some.just("2026-01-01"))  # fmt: skip


@given(data=some.data(), value=VALUE)
@settings(max_examples=300, deadline=None)
def test_whatever_stands_behind_a_key_it_is_read_or_refused(data: some.DataObject, value: str | None) -> None:
    name = data.draw(some.sampled_from(sorted(DEMO)))
    lines = DEMO[name].splitlines()
    at = data.draw(some.sampled_from([place for place, line in enumerate(lines) if " = " in line]))
    lines[at] = "" if value is None else f"{lines[at].split(' = ')[0]} = {value}"
    try:
        read(*{**DEMO, name: "\n".join(lines)}.values())
    except ProfileRefused as wrong:
        assert wrong.code.startswith("ca-profile-")
