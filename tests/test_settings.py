"""What the environment may say, and what a production start refuses (security G7, A11, B1)."""

from __future__ import annotations

import pytest

from ingam.settings import PORTS, Settings, SettingsRefused, read, refuse_unseen_audit

PRODUCTION = {
    "INGAM_MODE": "production",
    "INGAM_CENTER_ORIGIN": "https://center.example",
    "INGAM_VAULT_ORIGIN": "https://vault.center.example",
    "INGAM_RELAY_ORIGIN": "https://relay.center.example",
    "INGAM_SMS_KEY": "of-the-contract",
    "INGAM_ARS_KEY": "of-the-contract",
    "INGAM_SMS_HOST": "sms.provider.example",
    "INGAM_ADDRESSES": "ocsp.authority.example=https://ocsp.authority.example",
}


def variable(environment: dict[str, str]) -> str:
    """Which variable is refused."""
    with pytest.raises(SettingsRefused) as caught:
        read(environment)
    return str(caught.value.facts["variable"])


def test_nothing_said_is_the_demo_on_nine_ports_from_8700() -> None:
    settings = read({})
    assert (settings.mode, settings.center_origin, settings.vault_origin) == (
        "demo", "http://localhost:8700", "http://localhost:8701",
    )  # fmt: skip
    assert [settings.port(name) for name in PORTS] == list(range(8700, 8709))
    assert not settings.secure and not settings.production
    assert settings == Settings()


def test_a_port_moves_every_origin() -> None:
    settings = read({"INGAM_PORT": "9000"})
    assert settings.center_origin == "http://localhost:9000" and settings.port("sandbox") == 9006


@pytest.mark.parametrize("port", ["", "80", "65530", "8700x", "-1", "８７００", "1e4"])
def test_a_port_that_is_none_is_refused(port: str) -> None:
    assert variable({"INGAM_PORT": port}) == "PORT"


def test_a_limit_is_set_by_its_name_and_is_a_whole_number_above_nought() -> None:
    assert read({"INGAM_LIMIT_LOGIN_MAX_FAIL": "3"}).limits.login_max_fail == 3
    for text in ("0", "-1", "3.5", "three", ""):
        assert variable({"INGAM_LIMIT_LOGIN_MAX_FAIL": text}) == "INGAM_LIMIT_LOGIN_MAX_FAIL"


def test_A11_no_setting_stretches_the_status_cache_past_ten_minutes() -> None:
    assert read({"INGAM_LIMIT_STATUS_CACHE_S": "60"}).limits.status_cache_s == 60
    assert variable({"INGAM_LIMIT_STATUS_CACHE_S": "601"}) == "INGAM_LIMIT_STATUS_CACHE_S"


def test_addresses_are_pairs_of_name_and_base() -> None:
    told = "a.test=http://localhost:1/x, b.test=https://b.example"
    assert read({"INGAM_ADDRESSES": told}).addresses == {
        "a.test": "http://localhost:1/x",
        "b.test": "https://b.example",
    }
    for wrong in ("a.test", "a.test=", "a.test=ftp://x", "=http://x", "a.test=http://x,b"):
        assert variable({"INGAM_ADDRESSES": wrong}) == "INGAM_ADDRESSES"


@pytest.mark.parametrize(
    "origin",
    ["http://center.example", "http://127.0.0.1:8700", "localhost:8700", "https://a.example/path", "https://a b", "",
     "https://a.example; script-src *"],
)  # fmt: skip
def test_F2_plain_http_is_for_loopback_and_an_origin_is_only_an_origin(origin: str) -> None:
    assert variable({"INGAM_CENTER_ORIGIN": origin}) == "INGAM_CENTER_ORIGIN"
    assert variable({"INGAM_VAULT_ORIGIN": origin}) == "INGAM_VAULT_ORIGIN"


def test_B1_the_vault_has_an_origin_of_its_own() -> None:
    same = {"INGAM_CENTER_ORIGIN": "https://a.example", "INGAM_VAULT_ORIGIN": "https://a.example/"}
    assert variable(same) == "INGAM_VAULT_ORIGIN"


def test_G7_production_starts_with_what_production_needs() -> None:
    settings = read(PRODUCTION)
    assert settings.production and settings.secure


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("INGAM_KILL_AT", "registration.7"),
        ("INGAM_CHEAP_PASSWORDS", "1"),
        ("INGAM_CENTER_ORIGIN", "http://localhost:8700"),
        ("INGAM_VAULT_ORIGIN", "http://localhost:8701"),
        ("INGAM_RELAY_ORIGIN", "http://localhost:8705"),
        ("INGAM_RELAY_STORE", "memcached://somewhere"),
        ("INGAM_SMS_KEY", "sandbox"),
        ("INGAM_ARS_KEY", "sandbox"),
        ("INGAM_ADDRESSES", "ocsp.signkorea.test=http://localhost:8706/ocsp/signkorea"),
        ("INGAM_MODE", "producktion"),
        ("INGAM_CUSTOMERS", "http://core.example"),
    ],
)
def test_G7_production_refuses_what_only_a_demo_may_have(name: str, value: str) -> None:
    assert variable(PRODUCTION | {name: value}) == name


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("INGAM_STORE", "postgresql://ingam_center:x@db.example/ingam"),
        ("INGAM_STORE", "postgresql://ingam_center:x@db.example/ingam?sslmode=require"),
        ("INGAM_CONSOLE_STORE", "postgresql://ingam_console:x@db.example/ingam"),
        ("INGAM_AUDIT_STORE", "postgresql://ingam_auditor:x@db.example/ingam"),
        ("INGAM_EPHEMERAL", "valkey://cache.example:6379/0"),
        ("INGAM_RELAY_STORE", "redis://cache.example:6379/0"),
    ],
)
def test_G7_production_reaches_databases_elsewhere_over_tls(name: str, value: str) -> None:
    assert variable(PRODUCTION | {name: value}) == name
    assert read({name: value})  # a demo may


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("INGAM_STORE", "postgresql://ingam_center@/ingam?host=/run/postgresql"),
        ("INGAM_STORE", "postgresql://ingam_center:x@localhost/ingam"),
        ("INGAM_STORE", "postgresql://ingam_center:x@db.example/ingam?sslmode=verify-full"),
        ("INGAM_EPHEMERAL", "valkeys://cache.example:6379/0"),
        ("INGAM_EPHEMERAL", "valkey://127.0.0.1:6379/0"),
    ],
)
def test_G7_a_database_of_this_machine_or_over_tls_is_fine(name: str, value: str) -> None:
    assert read(PRODUCTION | {name: value}).production


AUDITED = {
    "INGAM_AUDIT_ORIGIN": "audit.example/center",
    "INGAM_AUDIT_WITNESSES": "witness.example+0badc0de+BAAA https://witness.example/audit",
}


@pytest.mark.parametrize(
    ("name", "value", "refused"),
    [
        ("INGAM_AUDIT_ORIGIN", "audit.ingam.test/center", "INGAM_AUDIT_ORIGIN"),
        ("INGAM_AUDIT_WITNESSES", "", "INGAM_AUDIT_WITNESSES"),
        (
            "INGAM_AUDIT_WITNESSES",
            "witness.example+0badc0de+BAAA http://witness.example/audit",
            "INGAM_AUDIT_WITNESSES",
        ),
        ("INGAM_AUDIT_WITNESSES", "w.ingam.test+0badc0de+BAAA https://w.example/", "INGAM_AUDIT_WITNESSES"),
        ("INGAM_AUDIT_TSA", "http://localhost:8706/tsa", "INGAM_AUDIT_TSA"),
        ("INGAM_STORE", "postgresql://center@localhost/ingam", "INGAM_AUDIT_STORE"),
    ],
)
def test_G7_production_starts_no_auditor_that_nobody_outside_sees(name: str, value: str, refused: str) -> None:
    refuse_unseen_audit(read(PRODUCTION | AUDITED))
    roots = {"INGAM_AUDIT_TSA_ROOTS": "roots.pem"} if name == "INGAM_AUDIT_TSA" else {}
    with pytest.raises(SettingsRefused) as told:
        refuse_unseen_audit(read(PRODUCTION | AUDITED | roots | {name: value}))
    assert told.value.facts["variable"] == refused


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("INGAM_AUDIT_EVERY_S", "301"),
        ("INGAM_AUDIT_EVERY_S", "0"),
        ("INGAM_AUDIT_ORIGIN", "two words"),
        ("INGAM_AUDIT_NEEDED", "1"),
        ("INGAM_AUDIT_WITNESSES", "witness.example"),
        ("INGAM_AUDIT_TSA", "ftp://tsa.example"),
        ("INGAM_AUDIT_TSA", "http://tsa.example"),
    ],
)
def test_G6_the_auditor_signs_at_least_each_five_minutes_and_knows_whom_it_asks(name: str, value: str) -> None:
    assert variable({name: value}) in (name, "INGAM_AUDIT_WITNESSES")


def test_E6_production_rings_over_tls_with_srtp() -> None:
    trunk = {"INGAM_ARS_VIA": "sip", "INGAM_ARS_SIP_TRUNK": "trunk.example:5061"}
    assert read(PRODUCTION | trunk).ars.sip_srtp
    assert read(PRODUCTION | {"INGAM_ARS_VIA": "none", "INGAM_ARS_KEY": "sandbox"}).ars.via == "none"
    assert variable(PRODUCTION | trunk | {"INGAM_ARS_SIP_TRANSPORT": "udp"}) == "INGAM_ARS_SIP_TRANSPORT"
    assert variable(PRODUCTION | trunk | {"INGAM_ARS_SIP_SRTP": "0"}) == "INGAM_ARS_SIP_SRTP"
    assert variable(trunk | {"INGAM_ARS_SIP_TRUNK": "trunk"}) == "INGAM_ARS_SIP_TRUNK"


def test_H1_settings_do_not_print_keys_or_the_stores_password() -> None:
    told = {"INGAM_SMS_KEY": "canary-key", "INGAM_STORE": "postgresql://ingam:canary-password@db/ingam"}
    assert "canary" not in repr(read(told))


def test_G7_production_issues_nothing_until_it_names_products_and_contracted_parties() -> None:
    assert read(PRODUCTION).issuance_products == ()
    asked = PRODUCTION | {"INGAM_ISSUANCE_PRODUCTS": "gold"}
    assert variable(asked) == "INGAM_PARTY_REAL_NAME_KEY"
    secrets = ("REAL_NAME_KEY", "PHONE_IDENTITY_SECRET", "ID_CARD_SECRET", "BANK_CLIENT_SECRET", "BANK_PASSPHRASE",
               "ADDRESS_KEY", "EMAIL_PASSWORD")  # fmt: skip
    named = asked | {f"INGAM_PARTY_{name}": "contracted" for name in secrets}
    assert variable(named) == "INGAM_PARTY_EMAIL_TLS"
    assert variable(named | {"INGAM_PARTY_EMAIL_TLS": "starttls"}) == "INGAM_PARTY_EMAIL_SERVER"
    whole = named | {"INGAM_PARTY_EMAIL_TLS": "starttls", "INGAM_PARTY_EMAIL_SERVER": "mail.example:587"}
    assert variable(whole) == "INGAM_VAULT_ROOTS"
    whole |= {"INGAM_VAULT_ROOTS": "ab" * 32}
    assert read(whole).issuance_products == ("gold",)


@pytest.mark.parametrize("name", ["INGAM_LIMIT_COPY_NUMBER_TTL_S", "INGAM_LIMIT_COPY_QR_TTL_S"])
def test_C12_a_number_lives_three_minutes_at_most(name: str) -> None:
    assert read({name: "180"}) and variable({name: "181"}) == name


def test_a_root_is_named_by_its_sha_256() -> None:
    for name in ("INGAM_VAULT_ROOTS", "INGAM_DESK_ROOTS"):
        assert variable({name: "ab:cd"}) == name


@pytest.mark.parametrize("wrong", ["platinum", "gold,platinum"])
def test_a_product_that_nobody_knows_is_refused(wrong: str) -> None:
    assert variable({"INGAM_ISSUANCE_PRODUCTS": wrong}) == "INGAM_ISSUANCE_PRODUCTS"


@pytest.mark.parametrize("text", ["http://localhost:1", "valkey://", "file:///tmp/x"])
def test_an_ephemeral_store_is_a_valkey_or_in_process(text: str) -> None:
    assert read({"INGAM_EPHEMERAL": "valkeys://limits.example:6379/0"}).ephemeral == "valkeys://limits.example:6379/0"
    assert variable({"INGAM_EPHEMERAL": text}) == "INGAM_EPHEMERAL"


@pytest.mark.parametrize("text", ["smpp://localhost:2775", "smpps://ingam@", "smpp://a@b:1?long=sar", "https://a@b:1"])
def test_an_smsc_is_named_with_its_system_id_host_and_port(text: str) -> None:
    assert read({"INGAM_SMS": "smpp://ingam@localhost:2775"}).sms == "smpp://ingam@localhost:2775"
    assert variable({"INGAM_SMS": text}) == "INGAM_SMS"


def test_G7_production_speaks_smpp_over_tls_or_to_this_machine() -> None:
    assert variable({**PRODUCTION, "INGAM_SMS": "smpp://ingam@smsc.example:2775"}) == "INGAM_SMS"
    for text in ("smpps://ingam@smsc.example:3550", "smpp://ingam@localhost:2775"):
        assert read({**PRODUCTION, "INGAM_SMS": text}).sms == text


@pytest.mark.parametrize("hours", ["9-5", "21:00", "25:00-08:00"])
def test_quiet_hours_that_cannot_be_read_are_refused(hours: str) -> None:
    with pytest.raises(SettingsRefused) as refused:
        read({"INGAM_INSTITUTION_QUIET_HOURS": hours})
    assert refused.value.facts == {"variable": "INGAM_INSTITUTION_QUIET_HOURS"}
    assert read({"INGAM_INSTITUTION_QUIET_HOURS": ""}).institution.quiet_hours == ""


def test_G7_production_refuses_the_sandboxs_finance_certificates() -> None:
    tls = {"INGAM_MODE": "production", "INGAM_FINANCE_VIA": "http", "INGAM_FINANCE_ORIGIN": "https://fincert.example"}
    for changed, variable in (
        ({}, "INGAM_FINANCE_KEY"),
        ({"INGAM_FINANCE_ORIGIN": "http://localhost:8708", "INGAM_FINANCE_KEY": "k"}, "INGAM_FINANCE_ORIGIN"),
        ({"INGAM_FINANCE_VIA": "widget"}, "INGAM_FINANCE_VIA"),
    ):
        with pytest.raises(SettingsRefused) as refused:
            read({**tls, **changed})
        assert refused.value.facts["variable"] == variable


def test_B5_the_window_of_finance_certificates_is_no_origin_of_ours() -> None:
    for origin in ("http://localhost:8700", "http://localhost:8701", "http://fincert.example", "javascript:x"):
        with pytest.raises(SettingsRefused) as refused:
            read({"INGAM_FINANCE_ORIGIN": origin})
        assert refused.value.facts["variable"] == "INGAM_FINANCE_ORIGIN"
