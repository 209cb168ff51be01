"""`ingam copy receive`: shows a number, takes one certificate, asks, writes it into an NPKI folder, reads it back."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from ingam.kernel.errors import Failure, Refusal
from ingam.kernel.instants import korean_day, korean_minute
from ingam.kernel.secret import Secret
from ingam.npki import certificate as certificates
from ingam.npki import folder, key_file, policies, subject
from ingam.npki.certificate import Certificate
from ingam.page.qr import QrCode
from ingam.protocols.mailbox import endpoint, number, receiver, ticket, wire, words
from ingam.protocols.mailbox.endpoint import Admitted, Asked, Deliver, Refused, ShowWords, Stored
from ingam.protocols.mailbox.frames import Payload, is_code
from ingam.protocols.mailbox.number import Number
from ingam.run.cli.answers import failure_text
from ingam.run.cli.copy_center import Center, CenterRefused, CenterUnreachable
from ingam.run.cli.copy_link import Dial, Link, RelayUnreachable
from ingam.run.cli.copy_talk import Talk, Tell, own
from ingam.run.cli.copy_terminal import Terminal

AGAIN: Final = (endpoint.WrongCode, endpoint.Expired, endpoint.PeerGone)
_OUT: Final = (
    "login-required", "session-over", "csrf-refused",
    "copy-over", "copy-expired", "copy-other-session", "copy-receiver-changed",
)  # fmt: skip


class PayloadRefused(Refusal):
    """What came is no certificate with a key file."""

    code = "copy-payload"


class ReceiverOut(Refusal):
    """The center gives this device no number: the sender's person said no (C3), it took too long, another came."""

    code = "copy-receiver-out"


@dataclass(frozen=True, slots=True)
class Arrived:
    """What came, read within the bounds of an import (C14)."""

    owner: Certificate
    key_file: Secret[bytes]


class Receiving:
    """The receiving end at a terminal."""

    def __init__(self, center: Center, terminal: Terminal, dial: Callable[[str], Dial]) -> None:
        self._center, self._terminal, self._dial = center, terminal, dial
        self._place = Path()
        self._writing: asyncio.Future[bytes] | None = None
        self._kept: tuple[Certificate, Path] | None = None

    async def go(self, place: Path, *, qr: bool = False) -> endpoint.End:
        """Runs until one has succeeded, or the person wants no further number. Raises what center and relay refuse."""
        self._place = place
        await self._center.page("receive")
        await self._center.post("receive/begin")
        self._terminal.say("receiving", place=str(place))
        try:
            while True:
                end = await self._run(qr=qr)
                if self._kept is not None or not isinstance(end, AGAIN) or not await self._again(end):
                    return end
        finally:
            # A copy that is complete, or only waits for the center to hear so, is not left.
            if self._kept is None:
                await self._leave()

    async def _again(self, end: endpoint.End) -> bool:
        self._terminal.why(end.code)
        return await self._terminal.agrees("ask_new_number")

    async def _leave(self) -> None:
        """It is over at the center as well."""
        try:
            await asyncio.shield(self._center.post("receive/leave"))
        except (Failure, asyncio.CancelledError):
            return

    async def _run(self, *, qr: bool) -> endpoint.End:
        """One number, one run. What lies in the folder at its end is stored, whatever the other side heard (C13)."""
        text = await self._ticket()
        given = ticket.unverified(text)
        link = Link(self._dial(given.relay), self._note)
        opened = await link.begin(wire.Open(text))
        if not isinstance(opened, wire.Opened):
            raise RelayUnreachable
        await self._center.post("receive/opened", ticket=given.id, mailbox=opened.mailbox)
        drawn = Number(opened.mailbox, number.draw_secret(), number.draw_qr() if qr else None)
        self._show(drawn, opened)
        brings = own(given.relay, self._center.device, drawn.secret, opened=True, qr=drawn.qr)
        talk = Talk(receiver.RECEIVER, receiver.start(brings), link, self._words, self._delivered)
        end = await self._ended(asyncio.ensure_future(talk.go(Admitted(opened.mailbox))))
        if self._kept is None:
            return end
        await self._complete(heard=isinstance(end, endpoint.Acknowledged))
        return endpoint.Acknowledged()

    async def _ticket(self) -> str:
        """For a new number. Raises ReceiverOut where the center lets this run of the command have none."""
        try:
            return str((await self._center.post("receive/open")).get("ticket", ""))
        except CenterRefused as refused:
            if refused.code in _OUT:
                raise ReceiverOut from None
            raise

    async def _ended(self, run: asyncio.Future[endpoint.End]) -> endpoint.End:
        """The run's end. An interruption ends it, but not between writing and telling so: then it ends by itself."""
        try:
            return await asyncio.shield(run)
        except asyncio.CancelledError:
            if self._writing is None:
                run.cancel()
            return await run
        finally:
            if self._writing is not None:
                await asyncio.gather(self._writing, return_exceptions=True)

    def _show(self, drawn: Number, opened: wire.Opened) -> None:
        if drawn.qr is not None:
            self._terminal.pictured(QrCode.of(drawn.qr_text).lines())
        self._terminal.say("number", number=drawn.shown)
        self._terminal.say("number_until", until=korean_minute(opened.ends))
        self._terminal.say("never_tell")

    def _note(self, what: str) -> None:
        self._terminal.say(f"link_{what}")

    async def _words(self, shown: ShowWords, _: Tell) -> None:
        self._terminal.say("connected_sender", device=shown.device)
        self._terminal.say("words_receiver", words=words.shown(shown.first, shown.second, self._terminal.lang))

    async def _delivered(self, came: Deliver, tell: Tell) -> None:
        """Read, allowed by the center, agreed to by the person, written, read back; or refused by its code."""
        try:
            arrived = read(came)
            await self._center.post("receive/arrived", fingerprint=arrived.owner.fingerprint.hex())
            where = self._where(arrived.owner)
            if self._occupied(where, arrived.owner):
                tell(Asked())
                if not await self._replaces(where, arrived.owner):
                    tell(Refused("replace-declined"))
                    return
            self._writing = asyncio.ensure_future(self._write(where, arrived))
            tell(Stored(await asyncio.shield(self._writing)))
        except (CenterRefused, CenterUnreachable, PayloadRefused) as refused:
            self._terminal.line(
                getattr(refused, "told", "") or failure_text(Refusal(refused.code), self._terminal.lang)
            )
            tell(Refused(refused.code if is_code(refused.code) else "cannot-keep"))
        except (folder.FolderRefused, OSError) as refused:
            code = refused.code if isinstance(refused, folder.FolderRefused) else "folder-unreadable"
            self._terminal.line(failure_text(Refusal(code), self._terminal.lang))
            tell(Refused("cannot-keep"))

    async def _write(self, where: Path, arrived: Arrived) -> bytes:
        """The hash of what was read back; kept is what is the same as what came."""
        digest = await asyncio.to_thread(keep, where, arrived)
        if digest == Payload(arrived.owner.der, arrived.key_file).digest:
            self._kept = (arrived.owner, where)
        return digest

    def _where(self, owner: Certificate) -> Path:
        """Below an NPKI folder its own place; else the folder that was given."""
        return folder.pair_folder(self._place, owner) if self._place.name.casefold() == "npki" else self._place

    def _occupied(self, where: Path, came: Certificate) -> bool:
        """Whether a pair lies there. Another person's folder is not emptied: only places of NPKI are put aside."""
        before = _certificate_in(where)
        if before not in (None, came.der) and where == self._place:
            raise folder.FolderRefused("folder-occupied")
        return before is not None

    async def _replaces(self, where: Path, came: Certificate) -> bool:
        """M-COPY-08: the same one, or another one of the same place, which is put aside and not deleted."""
        self._terminal.rows(described(came, self._terminal.lang))
        same = _certificate_in(where) == came.der
        return await self._terminal.agrees("ask_replace" if same else "ask_replace_other", place=str(where))

    async def _complete(self, *, heard: bool) -> None:
        """It is said where it lies; the center is told until it has heard it: only this completes the copy there (C13).

        `heard`: the sending device was told as well. Whatever fails here, or is interrupted, takes nothing back.
        """
        assert self._kept is not None
        owner, where = self._kept
        self._terminal.rows(described(owner, self._terminal.lang))
        self._terminal.say("received", place=str(where))
        if not heard:
            self._terminal.say("received_unheard")
        try:
            await self._center.tell("receive/stored", fingerprint=owner.fingerprint.hex())
        except (CenterRefused, CenterUnreachable, asyncio.CancelledError):
            self._terminal.say("stored_untold")


def read(came: Deliver) -> Arrived:
    """The certificate parses, and the key file is one of the forms that an import takes. Raises PayloadRefused."""
    try:
        owner = certificates.parse(came.certificate)
        key_file.describe(came.key_file.reveal())
    except Failure:
        raise PayloadRefused from None
    return Arrived(owner, came.key_file)


def keep(where: Path, arrived: Arrived) -> bytes:
    """Writes the pair and gives the hash of what is read back (C13). Raises FolderRefused, OSError.

    A pair of another certificate in this folder is put aside, whole, under a name with the time.
    """
    before = _certificate_in(where)
    if before is not None and before != arrived.owner.der:
        where.rename(where.with_name(f"{where.name[:200]} ({datetime.now(UTC):%Y%m%d-%H%M%S})"))
    folder.save_pair(where, arrived.owner.der, arrived.key_file.reveal(), replace=True)
    back = folder.read(where)
    if back.certificate is None or back.key is None:
        raise folder.FolderRefused("folder-without-pair")
    return Payload(back.certificate, Secret(back.key)).digest


def described(owner: Certificate, lang: str) -> dict[str, str]:
    """Whose, what for, by whom, until when."""
    policy = policies.lookup(owner.issuer, owner.policy_oid)
    use = None if policy is None else (policy.name_ko if lang == "ko" else policy.name_en)
    return {
        "owner": subject.display_name(owner.subject),
        "use": use or owner.policy_oid or "-",
        "issuer": policies.issuer_name(owner.issuer, lang) or str(owner.issuer),
        "until": korean_day(owner.not_after),
    }


def _certificate_in(where: Path) -> bytes | None:
    """The certificate that lies there; None where there is no pair. Raises FolderRefused for half of one."""
    if not where.is_dir():
        return None
    try:
        return folder.read(where).certificate
    except folder.FolderRefused as refused:
        if refused.code == "folder-without-pair":
            return None
        raise
