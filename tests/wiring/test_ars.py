"""Which way the automatic call goes is the settings' choice, and what they miss is said at the start."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from ingam.adapters.ars.absent import AbsentArs
from ingam.adapters.ars.http import HttpArs
from ingam.adapters.ars.sip import SipArs
from ingam.ports.ars import ArsCaller
from ingam.settings import ArsSettings, Settings, SettingsRefused
from ingam.wiring.ars import ars_caller

TRUNK = ArsSettings(via="sip", sip_trunk="trunk.example:5061")


def chosen(ars: ArsSettings) -> ArsCaller:
    return ars_caller(replace(Settings(), ars=ars, addresses={"ars.test": "http://localhost:1/ars"}))


@pytest.mark.parametrize(
    ("ars", "kind"), [(ArsSettings(), HttpArs), (ArsSettings(via="none"), AbsentArs), (TRUNK, SipArs)]
)
def test_each_way_has_its_caller(ars: ArsSettings, kind: type) -> None:
    assert isinstance(chosen(ars), kind)


@pytest.mark.parametrize(
    ("ars", "variable"),
    [
        (ArsSettings(host="nowhere.test"), "INGAM_ADDRESSES"),
        (replace(TRUNK, sip_ca=Path("nowhere.pem")), "INGAM_ARS_SIP_CA"),
        (replace(TRUNK, prompts=Path("nowhere")), "INGAM_ARS_PROMPTS"),
    ],
)
def test_what_is_missing_is_said_at_the_start(ars: ArsSettings, variable: str) -> None:
    with pytest.raises(SettingsRefused) as raised:
        chosen(ars)
    assert raised.value.facts["variable"] == variable
