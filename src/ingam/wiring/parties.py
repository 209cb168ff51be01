"""The outside parties of 신규공동인증서신청, each behind its port, at its configured address."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace

from ingam.adapters.address.juso import Juso
from ingam.adapters.bank.open_banking import Contract, OpenBanking
from ingam.adapters.card_reader.tesseract import TesseractReader
from ingam.adapters.email.smtp import SmtpEmail, Tls
from ingam.adapters.id_card.http import HttpIdCards
from ingam.adapters.payment.http import HttpPayments
from ingam.adapters.phone_identity.portone import PortOne
from ingam.adapters.real_name.http import HttpRealName
from ingam.kernel.secret import Secret
from ingam.ports.address import AddressBook
from ingam.ports.bank import Bank
from ingam.ports.card_reader import CardReader
from ingam.ports.clock import Clock
from ingam.ports.email import EmailSender
from ingam.ports.id_card import IdCards
from ingam.ports.payment import Payments
from ingam.ports.phone_identity import PhoneIdentity
from ingam.ports.real_name import RealName
from ingam.settings import Settings, SettingsRefused
from ingam.wiring.watching import Board, watched

Closing = Callable[[], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class PartyPorts:
    """What ①–④ ask, and who takes the e-mails."""

    real_name: RealName
    phone_identity: PhoneIdentity
    card_reader: CardReader
    id_cards: IdCards
    bank: Bank
    addresses: AddressBook
    email: EmailSender
    payments: Payments | None = None  # none where nothing that costs is offered
    closing: tuple[Closing, ...] = ()


def party_ports(settings: Settings, clock: Clock) -> PartyPorts:
    """Raises SettingsRefused where a party has no address."""
    ours = settings.parties
    real_name = HttpRealName(_at(settings, ours.real_name_host), key=ours.real_name_key)
    phone = PortOne(
        _at(settings, ours.phone_identity_host), secret=ours.phone_identity_secret,
        channel=ours.phone_identity_channel, clock=clock,
    )  # fmt: skip
    cards = HttpIdCards(_at(settings, ours.id_card_host), secret=ours.id_card_secret)
    contract = Contract(
        ours.bank_institution, ours.bank_client_id, ours.bank_client_secret, ours.bank_account,
        ours.bank_passphrase,
    )  # fmt: skip
    bank = OpenBanking(_at(settings, ours.bank_host), contract=contract, clock=clock)
    addresses = Juso(_at(settings, ours.address_host), key=ours.address_key)
    reader, email = TesseractReader(), _email(settings, clock)
    payments = None
    if "universal" in settings.issuance_products:
        payments = HttpPayments(_at(settings, ours.payment_host), secret=ours.payment_secret)
    closing = (
        real_name.aclose, phone.aclose, cards.aclose, bank.aclose, addresses.aclose, reader.aclose,
        *(() if payments is None else (payments.aclose,)),
    )  # fmt: skip
    return PartyPorts(real_name, phone, reader, cards, bank, addresses, email, payments, closing)


def watched_parties(board: Board, parties: PartyPorts) -> PartyPorts:
    """The same parties, seen by the board; the card reader is a process of ours."""
    return replace(
        parties,
        real_name=watched(board, "real-name", parties.real_name),
        phone_identity=watched(board, "phone-identity", parties.phone_identity),
        id_cards=watched(board, "id-card", parties.id_cards),
        bank=watched(board, "bank", parties.bank),
        addresses=watched(board, "address", parties.addresses),
        email=watched(board, "email", parties.email),
        payments=None if parties.payments is None else watched(board, "payment", parties.payments),
    )


def _email(settings: Settings, clock: Clock) -> SmtpEmail:
    ours = settings.parties
    host, _, port = (ours.email_server or f"localhost:{settings.port('sandbox') + 1}").rpartition(":")
    if not host or not port.isdigit():
        raise SettingsRefused(variable="INGAM_PARTY_EMAIL_SERVER")
    password = None if ours.email_password == Secret("sandbox") else ours.email_password
    return SmtpEmail(
        host, int(port), sender=ours.email_sender, name=settings.institution.name_ko, clock=clock,
        tls=Tls(ours.email_tls), user=ours.email_user or None, password=password if ours.email_user else None,
    )  # fmt: skip


def _at(settings: Settings, host: str) -> str:
    base = settings.addresses.get(host)
    if base is None:
        raise SettingsRefused(variable="INGAM_ADDRESSES", missing=host)
    return base
