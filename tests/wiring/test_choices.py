"""What the settings choose: how messages leave, and where limits are kept."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.clocks import SetClock

from ingam.adapters.ephemeral.in_process import InProcessEphemeral
from ingam.adapters.ephemeral.valkey import ValkeyEphemeral
from ingam.adapters.sms.aligo import AligoSms
from ingam.adapters.sms.smpp import SmppSms
from ingam.settings import SettingsRefused, read
from ingam.wiring import ephemeral_store
from ingam.wiring.sms import sms_sender

SMPP = {"INGAM_SMS": "smpp://ingam@localhost:2775", "INGAM_SMS_KEY": "pa55word"}
TLS = {"INGAM_SMS": "smpps://ingam@localhost:3550?long=payload", "INGAM_SMS_KEY": "pa55word"}


def test_messages_leave_by_the_form_api_or_by_smpp() -> None:
    assert isinstance(sms_sender(read({"INGAM_ADDRESSES": "sms.aligo.test=http://localhost:1/aligo"})), AligoSms)
    for environment in (SMPP, TLS):
        assert isinstance(sms_sender(read(environment)), SmppSms)


@pytest.mark.parametrize("key", ["longer than eight", "비밀"])
def test_an_smpp_password_that_the_protocol_cannot_carry_is_refused(key: str) -> None:
    with pytest.raises(SettingsRefused) as refused:
        sms_sender(read(SMPP | {"INGAM_SMS_KEY": key}))
    assert refused.value.facts == {"variable": "INGAM_SMS_KEY"}


def test_certificates_of_the_smsc_that_are_not_there_are_refused(tmp_path: Path) -> None:
    with pytest.raises(SettingsRefused) as refused:
        sms_sender(read(TLS | {"INGAM_SMS_CA": str(tmp_path / "none.pem")}))
    assert refused.value.facts == {"variable": "INGAM_SMS_CA"}


def test_limits_are_kept_in_process_or_on_the_valkey_that_is_named() -> None:
    assert isinstance(ephemeral_store(read({}), SetClock()), InProcessEphemeral)
    shared = ephemeral_store(read({"INGAM_EPHEMERAL": "valkey://localhost:6379/0"}), SetClock())
    assert isinstance(shared, ValkeyEphemeral)
