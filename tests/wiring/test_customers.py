"""Who keeps the customers is a setting; production takes a core-banking system over TLS with a key of its own only."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from ingam.adapters.customers.core_bank import CoreBankCustomers
from ingam.adapters.customers.tables import TableCustomers
from ingam.adapters.store.migrate import migrate
from ingam.settings import CoreBankSettings, Settings, SettingsRefused, read
from ingam.wiring.customers import core_bank, kept_customers

CORE = {"INGAM_CUSTOMERS": "https://core.bank.example/api/", "INGAM_CUSTOMERS_KEY": "k"}


def refused(environment: Mapping[str, str]) -> str:
    with pytest.raises(SettingsRefused) as wrong:
        read(environment)
    return str(wrong.value.facts["variable"])


def test_an_address_of_a_core_banking_system_is_read() -> None:
    ours = read(CORE).customers
    assert (ours.address, ours.key.reveal()) == ("https://core.bank.example/api", "k")
    assert read({}).customers == CoreBankSettings()


@pytest.mark.parametrize("address", ["core.bank.example", "ftp://core", "https://user@core", "https://core/?x=1"])
def test_an_address_that_is_none_is_refused(address: str) -> None:
    assert refused({"INGAM_CUSTOMERS": address}) == "INGAM_CUSTOMERS"


def test_the_setting_chooses_who_keeps_the_customers(tmp_path: Path) -> None:
    from ingam.adapters.blind_index.process import ProcessBlindIndex
    from ingam.adapters.clock.system import SystemClock
    from ingam.adapters.customers.passwords import Passwords
    from ingam.adapters.hsm.file import open_keys
    from ingam.adapters.store import open_store

    settings = Settings(data=tmp_path)
    migrate(settings.store)

    async def walk() -> None:
        keys, passwords = open_keys(tmp_path / "keys"), Passwords(cheap=True)
        store, index, clock = open_store(settings.store, keys.outbox), ProcessBlindIndex(tmp_path), SystemClock()
        parts = (store, keys.fields, keys.digests, index, passwords, clock)
        assert isinstance(kept_customers(settings, *parts), TableCustomers)
        with_core = replace(settings, customers=CoreBankSettings("http://localhost:8706/core"))
        core = kept_customers(with_core, *parts)
        assert isinstance(core, CoreBankCustomers)
        await core.aclose()
        absent = replace(settings, customers=CoreBankSettings("https://core", certificate=tmp_path / "none.pem"))
        with pytest.raises(SettingsRefused):
            core_bank(absent, store, keys.fields, clock)
        passwords.close()
        await store.close()

    asyncio.run(walk())
