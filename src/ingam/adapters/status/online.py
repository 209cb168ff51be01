"""Asks OCSP first, a CRL only after a transport failure; nothing uncertain ever counts as good (A10-A13)."""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from ingam.adapters.status.outgoing import Outgoing, Unreachable
from ingam.kernel.errors import Outage
from ingam.kernel.instants import from_micros, to_micros
from ingam.npki.certificate import Certificate
from ingam.ports.ephemeral import Ephemeral
from ingam.ports.status import (
    Authorities,
    Good,
    IssuingAuthority,
    Revoked,
    Source,
    Status,
    StatusList,
    StatusUnavailable,
    Suspended,
    Unknown,
)
from ingam.ports.store import Conflict, Insert, Row, Save, Stale, Store, Update
from ingam.protocols import crl, ocsp

NONCE_BYTES = 32
CRL_MAX_AGE = timedelta(hours=24)
ROOT_LIST_REFRESH = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class _RootList:
    found: crl.RevocationList
    fetched: datetime


@dataclass(frozen=True, slots=True)
class _Listed:
    found: crl.RevocationList

    def status(self, serial: int) -> Status:
        entry, produced = self.found.entries.get(serial), self.found.this_update
        return Good(Source.CRL, produced) if entry is None else _ended(Source.CRL, produced, entry.at, entry.reason)


class OnlineStatus:
    """`StatusChecker` over HTTP. `token` gives the nonces; `cache_s` bounds the login cache (A11)."""

    def __init__(
        self,
        authorities: Authorities,
        outgoing: Outgoing,
        store: Store,
        ephemeral: Ephemeral,
        *,
        cache_s: int = 600,
        crl_fallback: bool = True,
        token: Callable[[int], bytes] = secrets.token_bytes,
    ) -> None:
        self._authorities = authorities
        self._outgoing = outgoing
        self._store = store
        self._ephemeral = ephemeral
        self._cache_s = cache_s
        self._crl_fallback = crl_fallback
        self._token = token
        self._root_lists: dict[bytes, _RootList] = {}

    async def check(self, person: Certificate, issuer: Certificate, *, fresh: bool, at: datetime) -> Status:
        """The status now; `fresh` ignores our cache. Raises StatusUnavailable with the code of its cause."""
        issuing = self._authorities.by_fingerprint.get(issuer.fingerprint)
        if issuing is None:
            raise StatusUnavailable("status-not-configured")
        key = f"status:{issuer.fingerprint.hex()}:{person.serial:x}"
        if not fresh and (kept := await self._ephemeral.get(key)):
            return _remembered(kept)
        try:
            status = await self._ask(person, issuing, at)
        except StatusUnavailable:
            raise
        except Outage as outage:
            raise StatusUnavailable(outage.code, **outage.facts) from None
        if isinstance(status, Good):
            await self._ephemeral.put(key, _kept(status), self._cache_s)
        else:
            await self._ephemeral.drop(key)
        return status

    async def root_list(self, issuer: Certificate, at: datetime) -> tuple[frozenset[int], datetime]:
        """Serials of revoked CAs in the list of the issuer's root, and its nextUpdate (A10)."""
        issuing = self._authorities.by_fingerprint.get(issuer.fingerprint)
        if issuing is None or issuing.root is None or not issuing.root_list:
            raise StatusUnavailable("status-not-configured")
        try:
            found = await self._root_list(issuing, issuing.root, at)
        except Outage as outage:
            raise StatusUnavailable("root-list-unavailable", cause=outage.code) from None
        return frozenset(found.entries), found.next_update

    async def whole_list(self, issuer: Certificate, partition: str, at: datetime) -> StatusList:
        """One partition's list, by one request; all the checks that a list standing in for a responder passes (A12)."""
        issuing = self._authorities.by_fingerprint.get(issuer.fingerprint)
        if issuing is None or not issuing.crl:
            raise StatusUnavailable("status-not-configured")
        address = issuing.crl.replace("{partition}", partition)
        try:
            found, _ = await self._list(address, issuing.certificate, partition, at, CRL_MAX_AGE)
        except Outage as outage:
            raise StatusUnavailable(outage.code, **outage.facts) from None
        return _Listed(found)

    async def _ask(self, person: Certificate, issuing: IssuingAuthority, at: datetime) -> Status:
        """A definite answer ends the search; only a transport failure or tryLater asks the list (A12)."""
        try:
            return await self._by_ocsp(person, issuing, at)
        except (Unreachable, ocsp.OcspTryLater):
            if not self._crl_fallback or not issuing.crl:
                raise
            return await self._by_crl(person, issuing, at)

    async def _by_ocsp(self, person: Certificate, issuing: IssuingAuthority, at: datetime) -> Status:
        await self._responders_stand(issuing, at)
        nonce = self._token(NONCE_BYTES)
        question = ocsp.request(ocsp.cert_id(person, issuing.certificate), nonce)
        data = await self._outgoing.post(issuing.ocsp, question, "application/ocsp-request", ocsp.MAX_ANSWER)
        found = ocsp.verify(
            ocsp.parse(data),
            person=person,
            issuer=issuing.certificate,
            responders=issuing.responders,
            nonce=nonce,
            at=at,
        )
        if found.status == "good":
            return Good(Source.OCSP, found.this_update, data)
        if found.status == "unknown" or found.revoked_at is None:
            return Unknown(Source.OCSP, found.this_update)
        return _ended(Source.OCSP, found.this_update, found.revoked_at, found.reason)

    async def _responders_stand(self, issuing: IssuingAuthority, at: datetime) -> None:
        """A responder on its root's list no longer speaks for anybody (A11)."""
        if issuing.root is None or not issuing.root_list:
            return
        revoked = (await self._root_list_or_unavailable(issuing, issuing.root, at)).entries
        if any(one.serial in revoked for one in issuing.responders):
            raise StatusUnavailable("status-responder-revoked")

    async def _root_list_or_unavailable(
        self, issuing: IssuingAuthority, root: Certificate, at: datetime
    ) -> crl.RevocationList:
        # A missing root list is no transport failure of the responder: it must not open the way to a CRL.
        try:
            return await self._root_list(issuing, root, at)
        except Outage as outage:
            raise StatusUnavailable("root-list-unavailable", cause=outage.code) from None

    async def _by_crl(self, person: Certificate, issuing: IssuingAuthority, at: datetime) -> Status:
        partition = crl.partition_of(person)
        if partition is None:
            raise StatusUnavailable("status-crl-partition")
        address = issuing.crl.replace("{partition}", partition)
        found, data = await self._list(address, issuing.certificate, partition, at, CRL_MAX_AGE)
        entry = found.entries.get(person.serial)
        if entry is None:
            return Good(Source.CRL, found.this_update, data)
        return _ended(Source.CRL, found.this_update, entry.at, entry.reason)

    async def _root_list(self, issuing: IssuingAuthority, root: Certificate, at: datetime) -> crl.RevocationList:
        kept = self._root_lists.get(root.fingerprint)
        if kept is not None and at < kept.fetched + ROOT_LIST_REFRESH and at <= kept.found.next_update:
            return kept.found
        try:
            found, _ = await self._list(issuing.root_list, root, None, at, None)
        except Unreachable:
            # The list that we hold is good until its nextUpdate; the root publishes rarely.
            if kept is not None and at <= kept.found.next_update:
                return kept.found
            raise
        self._root_lists[root.fingerprint] = _RootList(found, at)
        return found

    async def _list(
        self, address: str, issuer: Certificate, partition: str | None, at: datetime, max_age: timedelta | None
    ) -> tuple[crl.RevocationList, bytes]:
        where: Row = {"issuer": issuer.fingerprint.hex(), "partition": partition or ""}
        lowest = await self._highest_seen(where)
        data = await self._outgoing.get(address, crl.MAX_CRL)
        found = crl.verify(
            crl.parse(data), issuer=issuer, partition=partition, lowest_number=lowest, at=at, max_age=max_age
        )
        await self._remember_seen(where, found, lowest)
        return found, data

    async def _highest_seen(self, where: Row) -> int:
        row = await self._store.one("crl_seen", where)
        return -1 if row is None else int(str(row["number"]))

    async def _remember_seen(self, where: Row, found: crl.RevocationList, lowest: int) -> None:
        """A number never goes back, also not when two requests see two lists at once (A12). Raises CrlUnusable."""
        while found.number > lowest:
            values: Row = {"number": str(found.number), "this_update": found.this_update}
            seen: Row = {**where, "number": str(lowest)}
            change = Insert("crl_seen", {**where, **values}) if lowest < 0 else Update("crl_seen", seen, values)
            try:
                await self._store.save(Save(rows=[change]))
                return
            except (Conflict, Stale):
                lowest = await self._highest_seen(where)
        if found.number < lowest:
            raise crl.CrlUnusable("status-crl-older")


def _ended(source: Source, produced: datetime, at: datetime, reason: str) -> Status:
    if reason == ocsp.HOLD:
        return Suspended(source, produced, at)
    return Revoked(source, produced, at, reason)


def _kept(status: Good) -> bytes:
    return json.dumps({"source": str(status.source), "produced": to_micros(status.produced)}).encode()


def _remembered(kept: bytes) -> Good:
    facts = json.loads(kept)
    return Good(Source(facts["source"]), from_micros(facts["produced"]))
