"""What 인증서복사 refuses, each with a code of its own; the texts lie in kernel/words/copying.*.toml."""

from __future__ import annotations

from ingam.kernel.errors import Refusal


class NoReceiver(Refusal):
    """No receiving device of this person is open."""

    code = "copy-no-receiver"


class ReceiverChanged(Refusal):
    """Another device announced itself since the screen was drawn; look again before saying yes."""

    code = "copy-receiver-changed"


class ReceiverDenied(Refusal):
    """The sender's person said that the receiver is not in their hands; the copy is over, its session as well (C3)."""

    code = "copy-stopped"


class SameDevice(Refusal):
    """Sender and receiver are one session of one browser."""

    code = "copy-same-device"


class OtherSession(Refusal):
    """The copy is another window's or device's of this person by now."""

    code = "copy-other-session"


class CopyOver(Refusal):
    """There is no copy any more: done, cancelled, failed, or its time is over. Fact `cause` for the audit."""

    code = "copy-over"


class OutOfOrder(Refusal):
    """Not yet, or no longer, at this step."""

    code = "copy-order"


class NotRegistered(Refusal):
    """Only a certificate that is registered here leaves (M-COPY-10)."""

    code = "copy-not-registered"


class NumberUnknown(Refusal):
    """No open mailbox of this person has this number (M-COPY-03, C1)."""

    code = "copy-number-unknown"


class NumberUsed(Refusal):
    """This number had its one run (M-COPY-05, C8)."""

    code = "copy-number-used"


class OpensSpent(Refusal):
    """Too many numbers were asked for in ten minutes; fact `m`, minutes."""

    code = "copy-opens-spent"


class RunsSpent(Refusal):
    """Too many numbers were tried in ten minutes; fact `m`, minutes (C12)."""

    code = "copy-runs-spent"


class LooksCrowded(Refusal):
    """More windows of this person watch for a receiver than anybody has."""

    code = "too-many-requests"


class OtherCertificate(Refusal):
    """What arrived is not the certificate that was proved (C14)."""

    code = "copy-other-certificate"
