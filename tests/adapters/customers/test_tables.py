"""Customers in our own tables: passwords, field encryption (H6), and no word about unknown IDs (F8)."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from argon2 import PasswordHasher
from tests.clocks import SetClock

from ingam.adapters.blind_index.in_memory import InMemoryBlindIndex
from ingam.adapters.customers.fields import CustomerFields, FieldCipher, SealedField
from ingam.adapters.customers.passwords import PasswordQueueFull, Passwords
from ingam.adapters.customers.tables import TableCustomers
from ingam.adapters.hsm.file import FileDigests, FileFieldKeys, OutboxSealer
from ingam.adapters.store import open_store
from ingam.kernel.errors import Defect, Refusal
from ingam.kernel.secret import Secret
from ingam.ports.customers import Customer, CustomerKind, NewCustomer
from ingam.ports.store import Conflict, Row, Store, Update
from ingam.ports.store import Save as SaveRows

KEYS = FileFieldKeys({1: bytes(32)})
DIGESTS = FileDigests(bytes(32))
PASSWORD = Secret("비밀번호 Canary-77")
HONG = Customer(
    "c1", CustomerKind.UNION_HEAD, "hong7510", "홍길동", Secret("7510051000001"), "01085130001", "0285130001", None,
    "hong@example.test", datetime(2026, 1, 2, tzinfo=UTC), "가온우리사주조합",
)  # fmt: skip


@dataclass
class Desk:
    store: Store
    customers: TableCustomers
    fields: CustomerFields
    passwords: Passwords


def run(url: str, walk: Callable[[Desk], Awaitable[None]], passwords: Passwords | None = None) -> None:
    async def walked() -> None:
        store = open_store(url, OutboxSealer(bytes(32)))
        checked = passwords or Passwords(cheap=True)
        index = InMemoryBlindIndex(Secret(bytes(32)), SetClock())
        customers = TableCustomers(store, KEYS, DIGESTS, index, checked, SetClock())
        try:
            await walk(Desk(store, customers, CustomerFields(store, KEYS), checked))
        finally:
            checked.close()
            await store.close()

    asyncio.run(walked())


async def row(desk: Desk, customer_id: str = "c1") -> Row:
    found = await desk.store.one("customer", {"customer_id": customer_id})
    assert found is not None
    return found


def test_an_enrolled_customer_comes_back_whole(store_url: str) -> None:
    async def walk(desk: Desk) -> None:
        await desk.customers.enrol(NewCustomer(HONG, PASSWORD))
        assert await desk.customers.by_id("c1") == HONG
        assert await desk.customers.by_banking_id("hong7510") == HONG
        assert await desk.customers.authenticate("hong7510", PASSWORD) == HONG
        kim = Customer("c2", CustomerKind.PERSONAL, "kim", "김", Secret("8203152000002"), "01085130002")
        await desk.customers.enrol(NewCustomer(kim, PASSWORD))
        assert await desk.customers.by_id("c2") == kim

    run(store_url, walk)


def test_members_of_one_union_share_its_row(store_url: str) -> None:
    async def walk(desk: Desk) -> None:
        await desk.customers.enrol(NewCustomer(HONG, PASSWORD))
        await desk.customers.enrol(NewCustomer(replace(HONG, customer_id="c2", banking_id="lee"), PASSWORD))
        assert len(await desk.store.many("esop_union", {})) == 1

    run(store_url, walk)


def test_a_taken_banking_id_is_a_conflict_and_changes_nothing(store_url: str) -> None:
    async def walk(desk: Desk) -> None:
        await desk.customers.enrol(NewCustomer(HONG, PASSWORD))
        with pytest.raises(Conflict):
            await desk.customers.enrol(NewCustomer(replace(HONG, customer_id="c2", name="남"), Secret("other")))
        assert await desk.customers.authenticate("hong7510", PASSWORD) == HONG
        assert await desk.customers.by_id("c2") is None

    run(store_url, walk)


@pytest.mark.parametrize("banking_id", ["hong7510", "nobody", "", "a\x00b", "x" * 10_000, "\ud800"])
def test_F8_a_wrong_password_and_an_unknown_id_are_the_same_and_cost_the_same_work(
    sqlite_url: str, banking_id: str
) -> None:
    passwords = Passwords(cheap=True)
    work: list[str] = []
    hasher = passwords._hasher

    class Watched:
        def verify(self, encoded: str, password: bytes) -> bool:
            work.append(encoded.rpartition("$")[0].rpartition("$")[0])
            return hasher.verify(encoded, password)

    passwords._hasher = Watched()  # type: ignore[assignment]

    async def walk(desk: Desk) -> None:
        passwords._hasher = hasher
        await desk.customers.enrol(NewCustomer(HONG, PASSWORD))
        passwords._hasher = Watched()  # type: ignore[assignment]
        for wrong in ("", "wrong", "x" * 100_000, "\ud800"):
            assert await desk.customers.authenticate(banking_id, Secret(wrong)) is None

    run(sqlite_url, walk, passwords)
    assert work == ["$argon2id$v=19$m=8,t=1,p=1"] * 4


def test_a_password_typed_in_another_unicode_form_is_the_same(sqlite_url: str) -> None:
    async def walk(desk: Desk) -> None:
        await desk.customers.enrol(NewCustomer(HONG, Secret("\uac00")))
        assert await desk.customers.authenticate("hong7510", Secret("\u1100\u1161")) is not None

    run(sqlite_url, walk)


def test_a_hash_of_old_parameters_is_renewed_at_the_next_login(sqlite_url: str) -> None:
    old = PasswordHasher(time_cost=2, memory_cost=16, parallelism=1).hash(PASSWORD.reveal())

    async def walk(desk: Desk) -> None:
        await desk.customers.enrol(NewCustomer(HONG, Secret("x")))
        await desk.store.save(SaveRows(rows=[Update("customer", {"customer_id": "c1"}, {"password_hash": old})]))
        assert await desk.customers.authenticate("hong7510", Secret("wrong")) is None
        assert (await row(desk))["password_hash"] == old
        assert await desk.customers.authenticate("hong7510", PASSWORD) is not None
        renewed = (await row(desk))["password_hash"]
        assert renewed != old
        assert not desk.passwords.is_old(str(renewed))
        assert await desk.customers.authenticate("hong7510", PASSWORD) is not None

    run(sqlite_url, walk)


def test_passwords_are_hashed_with_the_parameters_that_we_say() -> None:
    passwords = Passwords()
    try:
        encoded = asyncio.run(passwords.hash(PASSWORD))
        assert encoded.startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    finally:
        passwords.close()


def test_a_flood_of_passwords_is_an_outage_and_then_over() -> None:
    passwords = Passwords(cheap=True, waiting=3)

    async def walk() -> None:
        found = await asyncio.gather(*(passwords.fits(None, Secret(str(n))) for n in range(10)), return_exceptions=True)
        assert [type(f) for f in found].count(PasswordQueueFull) == 7
        assert not await passwords.fits(None, Secret("x"))

    try:
        asyncio.run(walk())
    finally:
        passwords.close()


# -- field encryption --------------------------------------------------------------------------------------------------

SECRETS = ["홍길동", "7510051000001", "01085130001", "0285130001", "hong@example.test", "Canary-77"]


def test_H6_no_identifying_field_is_in_the_database_file_or_its_log(sqlite_url: str) -> None:
    async def walk(desk: Desk) -> None:
        await desk.customers.enrol(NewCustomer(HONG, PASSWORD))
        await desk.customers.authenticate("hong7510", PASSWORD)
        folder = Path(sqlite_url.removeprefix("sqlite:///")).parent
        found = b"".join(path.read_bytes() for path in folder.iterdir())
        assert b"hong7510" in found
        for secret in SECRETS:
            assert secret.encode() not in found

    run(sqlite_url, walk)


@pytest.mark.parametrize("columns", [("name", "mobile"), ("idn", "name"), ("mobile", "home_phone")])
def test_H6_ciphertexts_swapped_between_columns_fail_to_open(sqlite_url: str, columns: tuple[str, str]) -> None:
    async def walk(desk: Desk) -> None:
        await desk.customers.enrol(NewCustomer(HONG, PASSWORD))
        stored = await row(desk)
        first, second = columns
        swap = Update("customer", {"customer_id": "c1"}, {first: stored[second], second: stored[first]})
        await desk.store.save(SaveRows(rows=[swap]))
        with pytest.raises(SealedField):
            await desk.customers.by_id("c1")

    run(sqlite_url, walk)


@pytest.mark.parametrize("column", ["name", "idn", "mobile", "email", "data_key"])
def test_H6_ciphertexts_swapped_between_customers_fail_to_open(sqlite_url: str, column: str) -> None:
    async def walk(desk: Desk) -> None:
        await desk.customers.enrol(NewCustomer(HONG, PASSWORD))
        await desk.customers.enrol(NewCustomer(replace(HONG, customer_id="c2", banking_id="lee"), PASSWORD))
        stolen = (await row(desk, "c2"))[column]
        await desk.store.save(SaveRows(rows=[Update("customer", {"customer_id": "c1"}, {column: stolen})]))
        with pytest.raises(Defect):
            await desk.customers.by_id("c1")

    run(sqlite_url, walk)


def test_H6_even_with_data_keys_swapped_along_fields_of_another_row_fail_to_open(sqlite_url: str) -> None:
    async def walk(desk: Desk) -> None:
        await desk.customers.enrol(NewCustomer(HONG, PASSWORD))
        await desk.customers.enrol(NewCustomer(replace(HONG, customer_id="c2", banking_id="lee"), PASSWORD))
        theirs = await row(desk, "c2")
        whole = {name: theirs[name] for name in ("data_key", "name", "idn", "mobile", "home_phone", "email")}
        await desk.store.save(SaveRows(rows=[Update("customer", {"customer_id": "c1"}, whole)]))
        with pytest.raises(Defect):
            await desk.customers.by_id("c1")

    run(sqlite_url, walk)


def test_H6_a_field_is_bound_to_table_column_row_and_key_version() -> None:
    cipher = FieldCipher(Secret(bytes(32)), 1)
    sealed = cipher.seal("binding", "details", "b1", b"clear")
    assert cipher.open("binding", "details", "b1", sealed) == b"clear"
    assert sealed != cipher.seal("binding", "details", "b1", b"clear")
    moved = [("bindin", "gdetails", "b1"), ("customer", "details", "b1"), ("binding", "name", "b1"),
             ("binding", "details", "b2"), ("binding", "detailsb1", "")]  # fmt: skip
    for place in moved:
        with pytest.raises(SealedField):
            cipher.open(*place, sealed)
    for wrong in (b"\x00\x02" + sealed[2:], sealed[:-1], b"", sealed[:5], FieldCipher(Secret(b"1" * 32), 1).seal(
        "binding", "details", "b1", b"clear"
    )):  # fmt: skip
        with pytest.raises(SealedField):
            cipher.open("binding", "details", "b1", wrong)


def test_H6_fields_of_other_tables_open_under_their_customers_key_only(sqlite_url: str) -> None:
    async def walk(desk: Desk) -> None:
        await desk.customers.enrol(NewCustomer(HONG, PASSWORD))
        await desk.customers.enrol(NewCustomer(replace(HONG, customer_id="c2", banking_id="lee"), PASSWORD))
        sealed = await desk.fields.seal("c1", "binding", "details", "b1", b"clear")
        assert await desk.fields.open("c1", "binding", "details", "b1", sealed) == b"clear"
        for customer_id in ("c2", "nobody"):
            with pytest.raises(SealedField):
                await desk.fields.open(customer_id, "binding", "details", "b1", sealed)

    run(sqlite_url, walk)


def test_H1_a_customer_and_its_refusals_do_not_print_what_is_personal(sqlite_url: str) -> None:
    async def walk(desk: Desk) -> None:
        await desk.customers.enrol(NewCustomer(HONG, PASSWORD))
        told = repr(await desk.customers.by_id("c1"))
        with pytest.raises(Refusal) as refused:
            await desk.customers.enrol(NewCustomer(replace(HONG, customer_id="c2"), PASSWORD))
        told += repr(refused.value) + str(refused.value) + repr(refused.value.__cause__)
        for secret in [*SECRETS, "hong7510"]:
            assert secret not in told

    run(sqlite_url, walk)
