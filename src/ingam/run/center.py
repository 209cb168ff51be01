"""The certificate center's process: the screens on loopback, and the outbox's worker as a task beside them."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import uvicorn
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.routing import BaseRoute

from ingam.adapters.store.migrate import check_revision
from ingam.center import seal_key
from ingam.center.about import web as about
from ingam.center.copying.service import Copying, CopyPorts
from ingam.center.copying.web import CopyingWeb
from ingam.center.doorway import Cookies, Doorway
from ingam.center.flow_door import FlowDoor
from ingam.center.heads.service import Heads
from ingam.center.heads.web import HeadsWeb
from ingam.center.home.web import Home
from ingam.center.inquiry import web as inquiry
from ingam.center.issuance import menu as issuance
from ingam.center.issuance.account import Accounting, AccountPorts
from ingam.center.issuance.card import CardChecking, CardPorts
from ingam.center.issuance.delivery import Delivery
from ingam.center.issuance.identity import Identification, IdentityPorts, Parts
from ingam.center.issuance.issuing import Issuing
from ingam.center.issuance.owed import Owed
from ingam.center.issuance.products import Offer
from ingam.center.issuance.progress import HERE as PROGRESS
from ingam.center.issuance.progress import ProgressWeb
from ingam.center.issuance.service import Issuance
from ingam.center.issuance.states import Kind
from ingam.center.issuance.walks import Walks
from ingam.center.issuance.web import IssuanceWeb
from ingam.center.keypad import keypads
from ingam.center.keypad import routes as keypad_routes
from ingam.center.login.service import Login
from ingam.center.login.web import LoginWeb
from ingam.center.management.desk_web import DeskWeb
from ingam.center.mybank.activity import Activity
from ingam.center.mybank.activity_web import ActivityWeb
from ingam.center.mybank.service import MyBank
from ingam.center.mybank.web import MyBankWeb
from ingam.center.offering import Offering
from ingam.center.once import Once
from ingam.center.registration.service import Registration
from ingam.center.registration.web import RegistrationWeb
from ingam.center.seal_key import SealKeys
from ingam.center.terms.registry import Registry
from ingam.center.terms.web import TermsWeb
from ingam.customer.account.accounts import Accounts
from ingam.customer.additional_auth.ars import ArsCalls
from ingam.customer.additional_auth.branch import BranchNumbers
from ingam.customer.additional_auth.calling import Calls
from ingam.customer.additional_auth.medium import Media
from ingam.customer.additional_auth.no_medium import NoMedium
from ingam.customer.additional_auth.service import AdditionalAuth
from ingam.customer.additional_auth.sms import SmsCodes
from ingam.customer.availability.reading import Availability
from ingam.customer.binding.bindings import Bindings
from ingam.customer.binding.challenges import Challenges
from ingam.customer.binding.proof import Prover
from ingam.customer.consent import Consents
from ingam.customer.evidence import Evidences
from ingam.customer.notice import LoginLockNotice, Notices, Sender, deliveries
from ingam.customer.notice.wishes import Wishes
from ingam.customer.payment import Fees
from ingam.customer.policy import Policy
from ingam.customer.policy.limits import LiveLimits
from ingam.customer.session.sessions import Sessions, Times
from ingam.kernel import steps
from ingam.kernel.errors import Failure
from ingam.page import Bundle, Pages, failure_handlers, middleware, set_up_log, shell_routes
from ingam.run.beside import steadily
from ingam.run.device_keys import device_keys
from ingam.run.expiring import expiring
from ingam.run.finance_night import finance_night
from ingam.run.financing import finance_login, finance_routes
from ingam.run.http import BoundedHttp
from ingam.run.incidents import incident_deliveries, incident_routes
from ingam.run.managing import management_deliveries, management_routes
from ingam.run.noticing import notices_routes
from ingam.run.oidc import oidc_routes
from ingam.run.on_behalf import asking_anew, deliver_revocations
from ingam.run.party_health import tell_health
from ingam.run.paying import owing_of, payment_deliveries
from ingam.run.pins import pin_deliveries, pin_routes
from ingam.run.protecting import protection_routes
from ingam.run.recheck import recheck
from ingam.run.renewing import renewal_deliveries, renewal_routes
from ingam.run.service_page import BUNDLE
from ingam.run.signing import loan_routes
from ingam.run.telling_numbers import telling_numbers
from ingam.run.tidy import tidy
from ingam.run.worker import work
from ingam.settings import Limits, Settings, read
from ingam.wiring import CenterPorts, center_ports
from ingam.wiring.watching import Board

TEMPLATES = (
    "ingam.center.about", "ingam.center.additional_auth", "ingam.center.copying", "ingam.center.finance_cert",
    "ingam.center.heads", "ingam.center.home", "ingam.center.incident", "ingam.center.issuance", "ingam.center.loan",
    "ingam.center.login", "ingam.center.management", "ingam.center.mybank", "ingam.center.notices",
    "ingam.center.oidc", "ingam.center.protection", "ingam.center.registration", "ingam.center.renewal",
    "ingam.center.task", "ingam.center.terms",
)  # fmt: skip


def app(settings: Settings, given: CenterPorts, bundle: Bundle) -> Starlette:
    """The application over its ports; the worker runs for as long as it does."""
    pages = Pages(TEMPLATES, settings, bundle, given.clock)
    policy = Policy(given.store)
    settings = replace(settings, limits=cast(Limits, LiveLimits(settings.limits, policy)))
    limits = settings.limits
    sessions = Sessions(given.store, given.clock, Times(limits.session_idle_s, limits.session_max_s))
    cookies = Cookies(settings.secure)
    availability = Availability(given.store, given.clock)
    pads = keypads(given.store, given.ephemeral, given.clock, limits, required=settings.keypad_required)
    built = Starlette(
        routes=[
            *_routes(settings, given, sessions, cookies, availability, policy),
            *keypad_routes(pads),
            *shell_routes(pages),
        ],
        middleware=[
            middleware(settings),
            Middleware(
                Doorway,
                sessions=sessions,
                customers=given.customers,
                ephemeral=given.ephemeral,
                clock=given.clock,
                cookies=cookies,
                digests=given.digests,
            ),
            Middleware(Offering, availability=availability),
            Middleware(FlowDoor, store=given.store, clock=given.clock, digests=given.digests, cookies=cookies),
            Middleware(Once, store=given.store, ephemeral=given.ephemeral, clock=given.clock),
        ],
        exception_handlers=failure_handlers(),
        lifespan=_beside(given, settings, policy),
    )
    built.state.pages = pages
    built.state.keypads = pads
    built.state.policy = policy
    return built


def _routes(
    settings: Settings, given: CenterPorts, sessions: Sessions, cookies: Cookies, availability: Availability,
    policy: Policy,
) -> list[BaseRoute]:  # fmt: skip
    """Every menu item's routes, over services that share one set of ports."""
    limits, store, clock, digests = settings.limits, given.store, given.clock, given.digests
    sender = Sender(settings.institution)
    notices = Notices(sender)
    bindings = Bindings(store, digests, given.fields)
    challenges = Challenges(store, given.ephemeral, clock, limits, settings.center_origin)
    prover = Prover(given.authorities, given.status, policy)
    seal_keys = SealKeys(clock, limits.nonce_ttl_s)
    accounts = Accounts(
        store,
        given.customers,
        digests,
        given.ephemeral,
        clock,
        max_fail=limits.login_max_fail,
        address_ceiling=limits.address_logins_an_hour,
        id_ceiling=limits.id_logins_an_hour,
        device_ceiling=limits.device_logins_an_hour,
        lock_notice=LoginLockNotice(notices),
    )
    host = settings.center_origin.partition("://")[2].partition(":")[0]
    keys = device_keys(settings, given, challenges, bindings, prover)
    auth = AdditionalAuth(
        clock,
        limits,
        sms=SmsCodes(store, clock, digests, limits, sender, host),
        branch=BranchNumbers(store, clock, digests, limits, sender),
        media=Media(store, clock, NoMedium(store, clock, limits), limits, given.otp, given.cards),
        ars=None if settings.ars.via == "none" else ArsCalls(store, clock, digests, limits, sender),
        ways=availability,
        devices=keys.designated,
    )
    registration = Registration(
        ports=given,
        accounts=accounts,
        auth=auth,
        challenges=challenges,
        prover=prover,
        bindings=bindings,
        seal_keys=seal_keys,
        notices=notices,
        sender=sender,
        limits=limits,
    )
    issuing = _issuance(settings, given, accounts, bindings, challenges, prover, seal_keys, notices, policy)
    copying = Copying(
        CopyPorts(
            store, clock, given.customers, digests, given.tickets, given.regions, settings.relay.origin,
            mails=given.parties is not None,
        ),
        limits,
        bindings=bindings,
        challenges=challenges,
        prover=prover,
        auth=auth,
        notices=notices,
        sender=sender,
    )  # fmt: skip
    login = Login(
        store, sessions, accounts, given.customers, challenges, prover, bindings, digests, clock, keys.passkeys,
        notices, Wishes(given.store, given.fields), finance=finance_login(settings, given, prover),
    )  # fmt: skip
    return [
        *Home(bindings, clock).routes(),
        *LoginWeb(login, sessions, clock, cookies, settings.finance.origin).routes(),
        *finance_routes(settings, given, auth, prover, notices),
        *RegistrationWeb(registration, auth, clock).routes(),
        *CopyingWeb(copying, settings.center_origin, settings.vault_origin).routes(),
        *DeskWeb(bindings, prover, given.authorities, given.ephemeral, clock, given.certification).routes(),
        *ActivityWeb(Activity(store, given.customers, digests)).routes(),
        *protection_routes(settings, given, auth, keys, sender),
        *renewal_routes(settings, given, sender, policy),
        *incident_routes(settings, given, auth, sender),
        *management_routes(settings, given, auth, keys, sender),
        *HeadsWeb(Heads(given, limits, auth=auth, notices=notices, sessions=sessions), auth, clock, cookies).routes(),
        *notices_routes(given, sender),
        *pin_routes(settings, given),
        *oidc_routes(settings, given, auth, cookies),
        *loan_routes(settings, given, challenges, bindings, prover),
        *seal_key.routes(seal_keys, settings.vault_origin),
        *issuing,
        *about.routes(prover),
        *(route for place in (inquiry, issuance) for route in place.routes()),
    ]


def _issuance(
    settings: Settings, given: CenterPorts, accounts: Accounts, bindings: Bindings, challenges: Challenges,
    prover: Prover, seal_keys: SealKeys, notices: Notices, policy: Policy,
) -> list[BaseRoute]:  # fmt: skip
    """신규공동인증서신청, its documents, and 마이뱅크; nothing where nothing is issued."""
    parties, authority, limits = given.parties, given.certification, settings.limits
    if parties is None or authority is None:
        return []
    terms = Registry.read(settings.terms, production=settings.production).under(policy)
    parts = Parts(given.store, given.digests, given.fields, Consents(terms, given.store))
    walks = Walks(given, limits)
    identity = IdentityPorts(parties.real_name, parties.phone_identity)
    card = CardChecking(walks, parts, CardPorts(parties.card_reader, parties.id_cards), limits)
    accounting = Accounting(walks, parts, AccountPorts(parties.bank, parties.addresses), limits)
    fees = None if parties.payments is None else Fees(given.store, parties.payments, given.digests)
    offer = Offer(walks, parts, authority, bindings, settings.issuance_products, fees=fees is not None)
    issuing = Issuing(
        walks, parts, authority, accounting, offer, settings.center_origin, settings.institution.name_ko, fees
    )
    delivery = Delivery(walks, parts, authority, accounting, bindings, notices)
    identification = Identification(walks, parts, identity, limits, challenges, prover, seal_keys)
    evidences = Evidences(given.store, given.fields)
    owed = Owed(owing_of(settings, given), f"{settings.center_origin}{PROGRESS}")
    service = Issuance(walks, accounts, identification, card, accounting, offer, issuing, delivery)
    return [
        *(route for kind in Kind for route in IssuanceWeb(service, given.clock, settings.vault_origin, kind).routes()),
        *ProgressWeb(service, authority, given.store, given.clock, limits, owed).routes(),
        *TermsWeb(terms, given.clock).routes(),
        *MyBankWeb(MyBank(given.customers, authority, bindings, given.ephemeral, given.clock, evidences)).routes(),
    ]


def _beside(given: CenterPorts, settings: Settings, policy: Policy) -> Any:
    """The tasks beside the screens: the worker (an SMS leaves as soon as its transaction is committed), and tidying."""

    @asynccontextmanager
    async def beside(_: Starlette) -> AsyncIterator[None]:
        stop = asyncio.Event()
        calls = Calls(given.store, given.clock, given.ars, settings.limits, Sender(settings.institution))
        ended = asking_anew(given.authorities, given.status, given.clock)
        revocations = deliver_revocations(given.store, given.clock, given.digests, given.certification, ended)
        deliver = deliveries(given.sms, given.parties.email if given.parties else None) | calls.deliveries | revocations
        deliver |= incident_deliveries(settings, given) | management_deliveries(given)
        deliver |= payment_deliveries(settings, given)
        deliver |= renewal_deliveries(settings, given)
        deliver |= pin_deliveries(settings, given)
        night = finance_night(settings, given)
        deliver |= night.deliveries
        health = given.health or Board(given.clock)
        tasks = [
            asyncio.create_task(steadily("finance-night", lambda: night.follow(stop), stop)),
            asyncio.create_task(steadily("policy", lambda: policy.follow(stop), stop)),
            asyncio.create_task(steadily("health", lambda: tell_health(given.store, given.clock, health, stop), stop)),
            asyncio.create_task(steadily("worker", lambda: work(given.store, deliver, given.clock, stop), stop)),
            asyncio.create_task(steadily("expiring", lambda: expiring(settings, given).follow(stop), stop)),
            asyncio.create_task(steadily("recheck", lambda: recheck(settings, given).follow(stop), stop)),
            asyncio.create_task(steadily("numbers", lambda: telling_numbers(given.tell_numbers, stop), stop)),
            asyncio.create_task(steadily("tidy", lambda: tidy(given.store, given.clock, settings.limits, stop), stop)),
        ]
        try:
            yield
        finally:
            stop.set()
            await asyncio.gather(*tasks)
            await calls.aclose()
            await given.shut()

    return beside


def main() -> int:
    """`python -m ingam.run.center`; 2 where settings, schema or bundle are refused."""
    set_up_log()
    try:
        settings = read(os.environ)
        steps.arm(settings.kill_at)
        check_revision(settings.store)
        application = app(settings, center_ports(settings), Bundle.read(Path(BUNDLE)))
    except Failure as failure:
        print(failure, file=sys.stderr)
        return 2
    uvicorn.run(
        application,
        host="127.0.0.1",
        port=settings.port("center"),
        loop="uvloop",
        http=BoundedHttp,
        log_config=None,
        access_log=False,
        server_header=False,
        date_header=True,
        # Over TLS a proxy on this machine says whose request it is; without one, nobody may say so (F9).
        proxy_headers=settings.secure,
        timeout_graceful_shutdown=3,
    )
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
