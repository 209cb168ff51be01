"""`ingam copy send`: the receiving device in hand, the additional code, the password, the number, the words.

The order is the browser's (C3, C2, F5, C10). The key is opened once, to prove the password and to sign what names the
receiving device; the key file itself leaves as it lies on the disk.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from ingam.kernel.errors import Failure, Refusal
from ingam.kernel.instants import korean_minute
from ingam.kernel.secret import Secret
from ingam.kernel.words import say
from ingam.npki import certificate as certificates
from ingam.npki import cms, folder, key_file
from ingam.npki.certificate import Certificate
from ingam.npki.folder import Found
from ingam.npki.private_key import PrivateKey
from ingam.protocols.challenge import Challenge, Purpose, text
from ingam.protocols.mailbox import endpoint, frames, number, sender, ticket, wire, words
from ingam.protocols.mailbox.endpoint import Admitted, Agreed, Left, ShowWords
from ingam.protocols.mailbox.number import NumberMalformed
from ingam.run.cli.copy_center import Center, CenterRefused, CenterUnreachable
from ingam.run.cli.copy_link import Dial, Link, RelayRefused
from ingam.run.cli.copy_receive import described
from ingam.run.cli.copy_talk import Talk, Tell, own
from ingam.run.cli.copy_terminal import Terminal

LOOK_S: Final = 2.0
PATIENCE_S: Final = 600.0
CODE_TRIES: Final = 5
AGAIN: Final = (endpoint.WrongCode, endpoint.Expired, endpoint.PeerGone)
_HASH: Final = re.compile(r"[0-9a-f]{64}")
_OTHER_NUMBER: Final = ("copy-number-unknown", "copy-number-used", "mailbox-unknown", "mailbox-taken")
_RELAYS_WORD: Final = "copy-declined"
_WRONG_CODE: Final = ("sms-wrong", "copy-code-incomplete")


class PairTooLarge(Refusal):
    """A certificate or key file beyond what one message between the devices carries (frames.MOST_…)."""

    code = "copy-too-large"


class NoReceiver(Refusal):
    """No receiving device was opened in ten minutes."""

    code = "copy-no-receiver"


class Stopped(Refusal):
    """The person does not have the receiving device in hand."""

    code = "copy-stopped-here"


class NotRegistered(Refusal):
    """M-COPY-10: only the registered certificate leaves."""

    code = "copy-not-registered"


class ChallengeRefused(Refusal):
    """The center asks for a signature over something that is not this copy."""

    code = "copy-challenge"


@dataclass(frozen=True, slots=True)
class Leaving:
    """What leaves: the certificate, its file as it lies there, and the key while it is needed."""

    owner: Certificate
    key_file: Secret[bytes]
    key: PrivateKey


def pair_of(found: Found) -> Found:
    """A pair that can leave. Raises FolderRefused where there is none, PairTooLarge."""
    if found.certificate is None or found.key is None:
        raise folder.FolderRefused("folder-without-pair")
    if len(found.certificate) > frames.MOST_CERTIFICATE or len(found.key) > frames.MOST_KEY_FILE:
        raise PairTooLarge
    return found


class Sending:
    """The sending end at a terminal."""

    def __init__(self, center: Center, terminal: Terminal, dial: Callable[[str], Dial]) -> None:
        self._center, self._terminal, self._dial = center, terminal, dial
        self._out = False
        self._device = ""

    async def go(self, pair: Found) -> endpoint.End:
        """From ① 받는 기기 to the end of `pair_of` a folder; its code `copy-unconfirmed` has been told already.

        Raises what center and relay refuse, and what opening the key refuses.
        """
        await self._center.page("send")
        try:
            await self._confirm(await self._receiver())
            leaving = await self._proved(pair)
            while True:
                end = await self._run(leaving)
                if self._out or not isinstance(end, AGAIN):
                    return end
                self._terminal.say("wrong_number" if isinstance(end, endpoint.WrongCode) else "number_over")
        finally:
            # What has been sent may be stored there any moment: then only the receiver's word counts (C13).
            if not self._out:
                await self._leave()

    async def _leave(self) -> None:
        try:
            await asyncio.shield(self._center.post("send/leave"))
        except (Failure, asyncio.CancelledError):
            return

    # ① and ②

    async def _receiver(self) -> dict[str, Any]:
        """What the center knows of the receiving device, as soon as one is open."""
        told = False
        end = asyncio.get_running_loop().time() + PATIENCE_S
        while asyncio.get_running_loop().time() < end:
            found = (await self._center.post("send/look")).get("receiver")
            if isinstance(found, dict):
                return found
            if not told:
                self._terminal.say("waiting_receiver")
                told = True
            await asyncio.sleep(LOOK_S)
        raise NoReceiver

    async def _confirm(self, seen: dict[str, Any]) -> None:
        """C3: what is known, and whether the person has it in hand. A no stops the other device too."""
        known = "known_yes" if seen.get("known") else "known_no"
        network = "network_same" if seen.get("same_network") else "network_other"
        self._device = f"{seen.get('kind_text', '')} · {seen.get('browser', '')}"
        self._terminal.rows({
            "device": self._device, "region": str(seen.get("region", "")),
            "network": self._word(network), "opened": _minute(seen.get("opened")), "seen": self._word(known),
        })  # fmt: skip
        receiver = str(seen.get("id", ""))
        if not await self._terminal.agrees("ask_in_hand"):
            await self._center.post("send/deny", receiver=receiver)
            raise Stopped
        if (await self._center.post("send/confirm", receiver=receiver)).get("factor"):
            await self._factor()

    async def _factor(self) -> None:
        """② the code of an SMS; a wrong one may be typed again while the center allows it."""
        await self._center.post("send/code")
        self._terminal.say("code_sent")
        for _ in range(CODE_TRIES):
            try:
                await self._center.post("send/factor", code=await self._terminal.ask("ask_code"))
            except CenterRefused as refused:
                if refused.code not in _WRONG_CODE:
                    raise
                self._terminal.line(refused.told)
            else:
                return
        raise Stopped

    def _word(self, name: str) -> str:
        return say(f"copying.{name}", self._terminal.lang)

    # ③

    async def _proved(self, pair: Found) -> Leaving:
        """The password is proved by opening the key, and the key signs what names the receiving device (F5, A19)."""
        assert pair.certificate is not None
        assert pair.key is not None
        owner = certificates.parse(pair.certificate)
        self._terminal.rows(described(owner, self._terminal.lang))
        told = await self._center.post("send/challenge")
        if owner.fingerprint.hex() not in (told.get("bound") or ()):
            raise NotRegistered
        self._terminal.line(str(told.get("body_text", "")))
        password = await self._terminal.secret("ask_certificate_password")
        key = await asyncio.to_thread(key_file.open_key, pair.key, password.reveal().encode("utf-8"))
        key.require_match(*owner.public_key)
        leaving = Leaving(owner, Secret(pair.key), key)
        await self._center.post("send/prove", **signed(told, leaving, self._center.origin))
        return leaving

    # ④

    async def _run(self, leaving: Leaving) -> endpoint.End:
        """One number, one run. An empty line instead of a number ends it."""
        typed = await self._number()
        if typed is None:
            return endpoint.Cancelled()
        try:
            relay, link = await self._joined(typed.mailbox)
        except (CenterRefused, RelayRefused) as refused:
            if refused.code not in _OTHER_NUMBER:
                raise
            return endpoint.WrongCode()
        brings = own(relay, self._center.device, typed.secret, opened=False)
        talk = Talk(sender.SENDER, sender.start(brings, typed.mailbox), link, self._asker(leaving))
        end = await self._ended(talk, typed.mailbox)
        if isinstance(end, endpoint.Acknowledged):
            self._terminal.say("sent")
            await self._tell_center(leaving)
        elif end.code == endpoint.UNCONFIRMED:
            self._terminal.say("sent_unsure")
        elif isinstance(end, endpoint.Declined) and end.code != _RELAYS_WORD:
            self._terminal.say("declined_there")
        return end

    async def _ended(self, talk: Talk, mailbox: str) -> endpoint.End:
        """The run's end. Interrupted once the payload is under way, it is one that nobody has answered."""
        try:
            end = await talk.go(Admitted(mailbox))
        except asyncio.CancelledError:
            if not _out(end := talk.state):
                raise
        finally:
            self._out = _out(talk.state)
        return end

    async def _tell_center(self, leaving: Leaving) -> None:
        """The receiving device becomes known by this (C2); a copy it is already by the receiver's answer (C13)."""
        try:
            await self._center.tell("send/copied", fingerprint=leaving.owner.fingerprint.hex())
        except (CenterRefused, CenterUnreachable, asyncio.CancelledError):
            self._terminal.say("sent_untold")

    async def _joined(self, mailbox: str) -> tuple[str, Link]:
        """The relay's origin and the link, with the ticket for this mailbox."""
        given = str((await self._center.post("send/join", mailbox=mailbox)).get("ticket", ""))
        relay = ticket.unverified(given).relay
        link = Link(self._dial(relay), self._note)
        await link.begin(wire.Join(given))
        return relay, link

    async def _number(self) -> number.Number | None:
        while True:
            line = await self._terminal.ask("ask_number")
            if not line:
                return None
            try:
                return number.typed(line)
            except NumberMalformed:
                self._terminal.say("number_short")

    def _asker(self, leaving: Leaving) -> Callable[[ShowWords, Tell], Any]:
        async def ask(shown: ShowWords, tell: Tell) -> None:
            # What the center calls it; how the other device calls itself is only its own word (C3).
            self._terminal.say("connected", device=self._device)
            both = words.shown(shown.first, shown.second, self._terminal.lang)
            if await self._terminal.agrees("ask_words", words=both):
                self._terminal.say("sending")
                tell(Agreed(leaving.owner.der, leaving.key_file))
            else:
                tell(Left())

        return ask

    def _note(self, what: str) -> None:
        self._terminal.say(f"link_{what}")


def _out(state: sender.State) -> bool:
    """Whether it may be kept there: it is under way, or has been, without a word that it is not."""
    arrived = isinstance(state, sender.Sending | endpoint.Acknowledged)
    return arrived or getattr(state, "code", "") == endpoint.UNCONFIRMED


def _minute(opened: object) -> str:
    """When it was opened, as the center said. Raises CenterUnreachable for what is no instant."""
    try:
        return korean_minute(datetime.fromisoformat(str(opened)))
    except ValueError:
        raise CenterUnreachable from None


def signed(told: dict[str, Any], leaving: Leaving, origin: str) -> dict[str, str]:
    """`nonce` and `signed` of a copy-out challenge of this center, whose text hashes to what is signed (A19).

    Raises ChallengeRefused for anything else.
    """
    try:
        challenge = Challenge(
            Purpose(told["purpose"]),
            str(told["origin"]),
            str(told["nonce"]),
            datetime.fromisoformat(told["issued"]),
            datetime.fromisoformat(told["expires"]),
            str(told["session"]),
            str(told["body"]),
        )
        shown = hashlib.sha256(str(told["body_text"]).encode()).hexdigest()
        content = text(challenge, leaving.owner.der, None)
    except (KeyError, ValueError, TypeError):
        raise ChallengeRefused from None
    if (challenge.purpose, challenge.origin, challenge.body) != (Purpose.COPY_OUT, origin, shown):
        raise ChallengeRefused
    if not _HASH.fullmatch(challenge.nonce) or not _HASH.fullmatch(challenge.session):
        raise ChallengeRefused
    key, purpose = leaving.key.signing_key(), str(challenge.purpose)
    # The instant of the challenge: this machine's clock may be wrong.
    made = cms.sign(content, leaving.owner, key, purpose=purpose, signing_time=challenge.issued)
    return {"nonce": challenge.nonce, "signed": base64.b64encode(made).decode("ascii")}
