"""What the environment says, read once and frozen; production refuses what only a demo may have (security G7)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from ingam.customer.notice.quiet import Quiet
from ingam.kernel.errors import Refusal
from ingam.kernel.secret import Secret

STATUS_CACHE_MOST_S: Final = 600  # rule A11
CHECKPOINT_MOST_S: Final = 300  # rule G6
AUDIT_ORIGIN: Final = "audit.ingam.test/center"  # the demo's
CDN_MOST_S: Final = 300  # rule D13
COPY_TTL_MOST_S: Final = 180  # rule C12
CONSOLE_IDLE_MOST_S: Final = 900  # rule G1
APPROVAL_MOST_S: Final = 24 * 3600  # rule G3
_ORIGIN: Final = re.compile(r"(https?)://([A-Za-z0-9.-]+)(?::[0-9]{1,5})?")

_SMPP: Final = re.compile(r"(smpps?)://[!-.0-~]{1,15}@([A-Za-z0-9.-]{1,255}):[0-9]{1,5}(\?long=(udh|payload))?")

PORTS: Final = ("center", "vault", "console", "ca", "va", "relay", "sandbox", "mail", "finance_cloud")
"""Each has the next port after the base; `mail` is the sandbox's SMTP server. New ones go to the end."""


class SettingsRefused(Refusal):
    """The settings contradict themselves or are not for production; the process does not start."""

    code = "settings-refused"


@dataclass(frozen=True, slots=True)
class Limits:
    """Every limit of flows.md, with its default; seconds unless the name says otherwise."""

    login_max_fail: int = 5
    session_idle_s: int = 600
    session_warn_s: int = 60
    session_max_s: int = 4 * 3600
    flow_ttl_s: int = 30 * 60
    sms_ttl_s: int = 180
    sms_tries: int = 5
    sms_gap_s: int = 60
    sms_a_day: int = 5  # for each purpose
    sms_person_a_day: int = 10  # over all purposes
    sms_wrong_a_day: int = 15
    ars_call_s: int = 90  # one call, from dialling to the two digits
    ars_ttl_s: int = 180  # from asking for the call to the end of what it approved
    ars_a_day: int = 3  # calls of a person (E4)
    branch_ttl_s: int = 24 * 3600  # 1회용 인증번호
    branch_tries: int = 5  # wrong numbers of a person a day, over all of them (E3)
    otp_tries: int = 5  # wrong codes of a person's token a day
    proof_ttl_s: int = 300
    nonce_ttl_s: int = 180
    nonces_open: int = 5
    nonces_an_hour: int = 30
    address_nonces_an_hour: int = 600
    id_logins_an_hour: int = 100  # attempts at one ID, right or wrong, on new devices or on one recognised device (F9)
    device_logins_an_hour: int = 100
    address_logins_an_hour: int = 600
    vid_max_fail: int = 5
    no_medium_max_fail: int = 5
    contact_quarantine_s: int = 72 * 3600
    device_max: int = 5  # designated devices of a person
    passkey_max: int = 5
    status_cache_s: int = 600
    flow_resume_s: int = 600  # how long an interrupted issuance may be gone on with
    renew_window_days: int = 30  # before its end a certificate may be renewed; the authority's profile says the same
    issuance_fetch_s: int = 3600  # how long what an authority issued is fetched again; it repeats itself as long (D9)
    idcard_reads: int = 5  # photographs of a run
    idcard_checks_a_day: int = 3
    idcard_keep_s: int = 5 * 365 * 86_400  # masked pictures of identity cards: evidence of the RA, by its contract (H8)
    onewon_ttl_s: int = 30 * 60  # the manual's; 15 minutes is what the supervisor's guideline asks
    onewon_tries: int = 5
    onewon_account_a_day: int = 3
    onewon_person_a_day: int = 5
    onewon_wrong_a_month: int = 10
    copy_number_ttl_s: int = 180  # from showing the number to typing it
    copy_qr_ttl_s: int = 120
    copy_ttl_s: int = 600  # one copy, from announcing the receiving device to its end
    copy_opens: int = 30  # numbers of a person in a window
    copy_runs: int = 5  # numbers typed or read by a person in a window (C12)
    copy_window_s: int = 600
    keypad_ttl_s: int = 30 * 60  # a keypad, from the page's first touch to the form that it was for
    keypads_an_hour: int = 120  # of a session
    address_keypads_an_hour: int = 6_000
    incidents_an_hour: int = 10  # reports of loss (사고신고) of one ID, and from one device (F9)
    address_incidents_an_hour: int = 60
    keep_ended_s: int = 30 * 86_400  # sessions, flows and single-use things, after they are over
    recheck_hour: int = 3  # in Korea: the status of every registered certificate is asked for from then on
    keep_visits_s: int = 3600  # sessions that nobody logged in with
    keep_devices_s: int = 400 * 86_400  # since a device was last seen; its cookie lives a year


@dataclass(frozen=True, slots=True)
class CaSettings:
    """The authority's own. `name`: its folder below DATA/ca; keys lie in files, or in a token where `module` is set."""

    name: str = "ingam"
    workers: int = 1  # processes that answer CMP
    va_workers: int = 1  # processes that answer OCSP
    messages_a_minute: int = 60_000  # CMP messages of one address: a center speaks for all its customers (D9)
    passphrase: Secret[str] = field(default_factory=lambda: Secret(""))  # of key files; "" reads the demo's own
    file_keys: bool = False  # key files in production (security G7)
    module: str = ""  # path of a PKCS#11 library
    token: str = ""  # label of the token
    pin: Secret[str] = field(default_factory=lambda: Secret(""))
    directory: str = ""  # ldap://host:port of the directory that lists are published to
    directory_user: str = ""  # DN that may write there
    directory_password: Secret[str] = field(default_factory=lambda: Secret(""))
    cdn_max_age_s: int = 300  # how long a cache may keep an OCSP answer: the latency of a revocation there (D13)
    mirror: str = ""  # base URL of the responder that this one mirrors; it then has no keys and no books
    feed_secret: Secret[str] = field(default_factory=lambda: Secret(""))  # 64 hex digits, of responder and mirrors
    conformance: str = ""  # a reusable reference number; sandbox authorities only
    npki_port: int = 0  # of the NPKI profile over raw TCP (npki.md section 6); 0 is off


@dataclass(frozen=True, slots=True)
class PartySettings:
    """The outside parties of 신규공동인증서신청: a name in `addresses`, and what each knows us by."""

    real_name_host: str = "realname.ingam.test"
    real_name_key: Secret[str] = field(default_factory=lambda: Secret("sandbox"))
    phone_identity_host: str = "portone.test"
    phone_identity_secret: Secret[str] = field(default_factory=lambda: Secret("sandbox"))
    phone_identity_channel: str = "channel-key-ingam-demo"
    id_card_host: str = "idcard.test"
    id_card_secret: Secret[str] = field(default_factory=lambda: Secret("sandbox"))
    bank_host: str = "openbanking.test"
    bank_institution: str = "M202600001"  # 이용기관코드
    bank_client_id: str = "ingam-demo"
    bank_client_secret: Secret[str] = field(default_factory=lambda: Secret("sandbox"))
    bank_account: Secret[str] = field(default_factory=lambda: Secret("2930000000001"))  # 약정 계좌 that 1원 leaves from
    bank_passphrase: Secret[str] = field(default_factory=lambda: Secret("sandbox"))
    address_host: str = "juso.test"
    address_key: Secret[str] = field(default_factory=lambda: Secret("sandbox"))
    payment_host: str = "pay.test"  # asked where 범용 is offered
    payment_secret: Secret[str] = field(default_factory=lambda: Secret("sandbox"))
    email_server: str = ""  # host:port; "" is the sandbox's on this machine
    email_sender: str = "no-reply@ingam.test"
    email_tls: str = "none"  # none, starttls, tls; the demo's server is on this machine
    email_user: str = ""
    email_password: Secret[str] = field(default_factory=lambda: Secret("sandbox"))


@dataclass(frozen=True, slots=True)
class ArsSettings:
    """The automatic call: by a provider of `addresses`, or by our own user agent on an institution's SIP trunk."""

    via: str = "http"  # none | http | sip
    host: str = "ars.test"  # the provider's name in `addresses`
    key: Secret[str] = field(default_factory=lambda: Secret("sandbox"))
    caller_id: str = "15440000"  # the number that telephones show
    sip_trunk: str = ""  # host:port of the trunk
    sip_transport: str = "tls"  # tls, tcp, udp; only tls in production (E6)
    sip_domain: str = ""  # of our address; "" is the trunk's host
    sip_user: str = ""
    sip_password: Secret[str] = field(default_factory=lambda: Secret(""))
    sip_bind: str = "0.0.0.0"  # noqa: S104 - the trunk's ACL and E6 guard what arrives
    sip_address: str = ""  # of this host as the trunk sees it; "" is the one that leads there
    sip_ca: Path | None = None  # PEM of who signs the trunk's certificate; None: the system's
    sip_srtp: bool = True  # refuses a trunk without it; only on in production (E6)
    prompts: Path | None = None  # a folder of recorded WAV files; None speaks by espeak-ng


@dataclass(frozen=True, slots=True)
class FinanceSettings:
    """금융인증서: its provider under contract, and the one origin of its window that people are led to (B5)."""

    via: str = "http"  # none | http
    host: str = "fincert.test"  # the provider's name in `addresses`
    client: str = "ingam-demo"
    key: Secret[str] = field(default_factory=lambda: Secret("sandbox"))
    origin: str = "http://localhost:8708"


@dataclass(frozen=True, slots=True)
class RelaySettings:
    """The blind mailbox of copying: a process, or several nodes on one Valkey."""

    origin: str = "http://localhost:8705"  # as browsers reach it; part of what both devices agree on (C6)
    store: str = field(default="", repr=False)  # "" is in process; valkey://host:port/0 where there are several nodes
    ticket_keys: Path | None = None  # public keys of the center, one in hex a line; None: DATA/relay/tickets.pub
    drain_s: int = 200  # how long running copies may finish after SIGTERM


@dataclass(frozen=True, slots=True)
class ConsoleSettings:
    """The operators' and the branches' screens: an origin and a database role of their own (security G1)."""

    origin: str = "http://localhost:8702"
    store: str = field(default="", repr=False)  # the center's database, by a role of its own; "" is the center's
    idle_s: int = CONSOLE_IDLE_MOST_S
    max_s: int = 8 * 3600  # a working day; then the passkey is asked for again
    invitation_s: int = 24 * 3600  # how long an enrolment link waits
    approval_s: int = APPROVAL_MOST_S  # how long a change waits for its second person
    searches_a_day: int = 200  # of one operator
    unmaskings_a_day: int = 30  # fields, of one operator
    unlocks_a_day: int = 50  # releases of locks, by one operator
    address_visits_an_hour: int = 1200


@dataclass(frozen=True, slots=True)
class AuditSettings:
    """The auditor's process: what it reads by, how often it signs, and who outside remembers that it did (G6)."""

    store: str = field(default="", repr=False)  # the center's database, by the auditor's role; "" is the center's
    origin: str = AUDIT_ORIGIN  # the audit's name in every checkpoint, for ever
    every_s: int = 60  # between two checkpoints where there is something new; 300 at most
    witnesses: tuple[str, ...] = ()  # of each `<key's text> <address>`
    needed: int = 0  # co-signatures without which no checkpoint is signed
    tsa: str = ""  # address of a time-stamp authority (RFC 3161)
    tsa_roots: Path | None = None  # PEM: the roots that its certificate is trusted by


@dataclass(frozen=True, slots=True)
class Institution:
    """What an institution changes without code: names, telephone numbers, links, the accent colour."""

    name_ko: str = "증권금융"
    name_en: str = "Securities Finance"
    bank_ko: str = "우리사주뱅킹"
    bank_en: str = "ESOP Banking"
    tel: str = "1544-0000"
    call_hours_ko: str = "평일 09:00–18:00"  # when somebody answers there
    call_hours_en: str = "weekdays 09:00–18:00, Korean time"
    branch_ko: str = "가까운 영업점"
    branch_en: str = "your nearest branch"
    branch_hours_ko: str = "평일 09:00–16:00"
    branch_hours_en: str = "weekdays 09:00–16:00"
    branch_link: str = ""  # where branches are found; "" shows no link
    authority_link: str = "http://www.signkorea.co.kr"
    deposit_link: str = ""  # where 예수금계좌신규개설 leads; "" shows our own page with the telephone number
    brand: str = "#14509b"
    mark: str = "印"
    quiet_hours: str = "21:00-08:00"  # in Korea: what can wait is not sent then; "" is none


@dataclass(frozen=True, slots=True)
class CoreBankSettings:
    """The core-banking system that keeps the customers; `address` "" keeps them in our own tables."""

    address: str = ""  # base URL of its API (docs/reference/customers.md)
    key: Secret[str] = field(default_factory=lambda: Secret("sandbox"))
    certificate: Path | None = None  # our certificate and key (PEM), for TLS on both sides
    ca: Path | None = None  # who its certificate is trusted by (PEM); None: the system's


@dataclass(frozen=True, slots=True)
class Settings:
    """One process's settings. Origins are `http://localhost:PORT` in the demo, https elsewhere."""

    mode: str = "demo"  # demo | test | production
    data: Path = Path("data")
    base_port: int = 8700
    center_origin: str = "http://localhost:8700"
    vault_origin: str = "http://localhost:8701"
    sandbox_origin: str = "http://localhost:8706"
    store_url: str = field(default="", repr=False)  # may hold a password; "" = SQLite below `data`; or postgresql://…
    ephemeral: str = field(default="", repr=False)  # "" is in process; valkey(s)://host:port/0 where nodes share limits
    addresses: Mapping[str, str] = field(
        default_factory=dict
    )  # name under .test → base URL: the allowed outgoing requests
    sms: str = field(default="", repr=False)  # "" is Aligo's form API; smpp(s)://system_id@host:port?long=udh|payload
    sms_ca: Path | None = None  # certificates that an SMSC over TLS is trusted by; None: the system's
    sms_host: str = "sms.aligo.test"  # the provider's name in `addresses`
    sms_user: str = "ingam-demo"
    sms_sender: str = "15440000"
    sms_key: Secret[str] = field(default_factory=lambda: Secret("sandbox"))
    issuance_products: tuple[str, ...] = ("gold", "universal")  # none: no 신규공동인증서신청, as in production
    vault_roots: tuple[str, ...] = ()  # SHA-256 of the roots that the vault lets issue: a center cannot name others
    service_worker: bool = True  # off takes it away from every browser that has it (B13)
    terms: Path | None = None  # a folder of consent documents that takes the place of the demo's
    customers: CoreBankSettings = field(default_factory=CoreBankSettings)
    oidc_clients: Path | None = None  # OpenID Connect clients (TOML); None: this center is no provider
    kill_at: str | None = None
    limits: Limits = field(default_factory=Limits)
    institution: Institution = field(default_factory=Institution)
    parties: PartySettings = field(default_factory=PartySettings)
    ars: ArsSettings = field(default_factory=ArsSettings)
    finance: FinanceSettings = field(default_factory=FinanceSettings)
    ca: CaSettings = field(default_factory=CaSettings)
    relay: RelaySettings = field(default_factory=RelaySettings)
    console: ConsoleSettings = field(default_factory=ConsoleSettings)
    audit: AuditSettings = field(default_factory=AuditSettings)
    regions: Path | None = (
        None  # a table of networks and their places: what the center tells of a receiving device (C3)
    )
    keypad_required: bool = False  # secret fields are taken sealed only: no page without script, no `ingam copy`
    device_software: bool = True  # INGAM_DEVICE_SOFTWARE=no: only WebAuthn keys make a designated device (E8)
    cheap_passwords: bool = False  # tests only: Argon2id with the least work

    @property
    def production(self) -> bool:
        """Whether the demo's leniences are refused."""
        return self.mode == "production"

    @property
    def secure(self) -> bool:
        """Whether the center is served over TLS: cookies then carry `__Host-` and Secure (F2)."""
        return self.center_origin.startswith("https://")

    def port(self, process: str) -> int:
        """The port of a process, counted from the base port in the order of PORTS."""
        return self.base_port + PORTS.index(process)

    @property
    def ticket_keys(self) -> Path:
        """Where the center writes and the relay reads the public keys of tickets (C12)."""
        return self.relay.ticket_keys or self.data / "relay" / "tickets.pub"

    @property
    def store(self) -> str:
        """The address of the store: SQLite in the data folder unless set."""
        return self.store_url or f"sqlite:///{self.data / 'center' / 'center.db'}"


def read(environment: Mapping[str, str]) -> Settings:
    """The settings of an environment (INGAM_*). Raises SettingsRefused."""
    mode = environment.get("INGAM_MODE", "demo")
    if mode not in ("demo", "test", "production"):
        raise SettingsRefused(variable="INGAM_MODE")
    base = _port(environment.get("INGAM_PORT", "8700"))
    origins = {name: f"http://localhost:{base + number}" for number, name in enumerate(PORTS)}
    settings = Settings(
        mode=mode,
        data=Path(environment.get("INGAM_DATA", "data")),
        base_port=base,
        center_origin=environment.get("INGAM_CENTER_ORIGIN", origins["center"]).rstrip("/"),
        vault_origin=environment.get("INGAM_VAULT_ORIGIN", origins["vault"]).rstrip("/"),
        sandbox_origin=environment.get("INGAM_SANDBOX_ORIGIN", origins["sandbox"]).rstrip("/"),
        store_url=environment.get("INGAM_STORE", ""),
        ephemeral=environment.get("INGAM_EPHEMERAL", ""),
        addresses=_addresses(environment.get("INGAM_ADDRESSES", "")),
        sms=environment.get("INGAM_SMS", ""),
        sms_ca=Path(environment["INGAM_SMS_CA"]) if environment.get("INGAM_SMS_CA") else None,
        sms_host=environment.get("INGAM_SMS_HOST", "sms.aligo.test"),
        sms_user=environment.get("INGAM_SMS_USER", "ingam-demo"),
        sms_sender=environment.get("INGAM_SMS_SENDER", "15440000"),
        sms_key=Secret(environment.get("INGAM_SMS_KEY", "sandbox")),
        issuance_products=_products(environment, mode),
        vault_roots=_roots(environment.get("INGAM_VAULT_ROOTS", "")),
        service_worker=environment.get("INGAM_SERVICE_WORKER", "1") != "0",
        terms=Path(environment["INGAM_TERMS"]) if environment.get("INGAM_TERMS") else None,
        oidc_clients=Path(environment["INGAM_OIDC_CLIENTS"]) if environment.get("INGAM_OIDC_CLIENTS") else None,
        customers=_customers(environment),
        kill_at=environment.get("INGAM_KILL_AT") or None,
        limits=_limits(environment),
        institution=_institution(environment),
        parties=_parties(environment),
        ars=_ars(environment),
        finance=_finance(environment, mode, origins["finance_cloud"]),
        ca=_ca(environment),
        relay=_relay(environment, origins["relay"]),
        console=_console(environment, origins["console"]),
        audit=_audit(environment),
        regions=Path(environment["INGAM_REGIONS"]) if environment.get("INGAM_REGIONS") else None,
        keypad_required=environment.get("INGAM_KEYPAD_REQUIRED") == "1",
        device_software=_yes(environment, "INGAM_DEVICE_SOFTWARE"),
        cheap_passwords=environment.get("INGAM_CHEAP_PASSWORDS") == "1",
    )
    _refuse(settings)
    return settings


def _port(text: str) -> int:
    if not (text.isascii() and text.isdigit()) or not 1024 <= int(text) <= 65535 - len(PORTS):
        raise SettingsRefused(variable="PORT")
    return int(text)


def _yes(environment: Mapping[str, str], variable: str) -> bool:
    """`yes` (the default) or `no`."""
    text = environment.get(variable, "yes")
    if text not in ("yes", "no"):
        raise SettingsRefused(variable=variable)
    return text == "yes"


def _addresses(text: str) -> dict[str, str]:
    """`ocsp.signkorea.test=http://localhost:8706/ocsp/signkorea,…`"""
    pairs = [pair.strip() for pair in text.split(",") if pair.strip()]
    if not all(re.fullmatch(r"[A-Za-z0-9.-]+=https?://\S+", pair) for pair in pairs):
        raise SettingsRefused(variable="INGAM_ADDRESSES")
    return {name: base for name, _, base in (pair.partition("=") for pair in pairs)}


def _limits(environment: Mapping[str, str]) -> Limits:
    """Each limit by its name in capitals: INGAM_LIMIT_SMS_TTL_S=…"""
    chosen = {}
    for name in Limits.__dataclass_fields__:
        text = environment.get(f"INGAM_LIMIT_{name.upper()}")
        if text is not None:
            if not (text.isascii() and text.isdigit()) or int(text) < 1:
                raise SettingsRefused(variable=f"INGAM_LIMIT_{name.upper()}")
            chosen[name] = int(text)
    return Limits(**chosen)


def _institution(environment: Mapping[str, str]) -> Institution:
    chosen = {
        name: environment[f"INGAM_INSTITUTION_{name.upper()}"]
        for name in Institution.__dataclass_fields__
        if f"INGAM_INSTITUTION_{name.upper()}" in environment
    }
    return Institution(**chosen)


def _products(environment: Mapping[str, str], mode: str) -> tuple[str, ...]:
    """What is issued has parties and an authority under contract: production offers only what is named."""
    text = environment.get("INGAM_ISSUANCE_PRODUCTS", "" if mode == "production" else "gold,universal")
    return tuple(one.strip() for one in text.split(",") if one.strip())


def _roots(text: str) -> tuple[str, ...]:
    found = tuple(one.strip() for one in text.split(",") if one.strip())
    if not all(re.fullmatch(r"[0-9a-f]{64}", one) for one in found):
        raise SettingsRefused(variable="INGAM_VAULT_ROOTS")
    return found


def _customers(environment: Mapping[str, str]) -> CoreBankSettings:
    """INGAM_CUSTOMERS (its address), INGAM_CUSTOMERS_KEY, INGAM_CUSTOMERS_CERTIFICATE, INGAM_CUSTOMERS_CA."""
    address = environment.get("INGAM_CUSTOMERS", "").rstrip("/")
    if address and not re.fullmatch(r"https?://[^\s@?#]+", address):
        raise SettingsRefused(variable="INGAM_CUSTOMERS")
    files = {name: environment.get(f"INGAM_CUSTOMERS_{name}") for name in ("CERTIFICATE", "CA")}
    return CoreBankSettings(
        address,
        Secret(environment.get("INGAM_CUSTOMERS_KEY", "sandbox")),
        Path(files["CERTIFICATE"]) if files["CERTIFICATE"] else None,
        Path(files["CA"]) if files["CA"] else None,
    )


def _parties(environment: Mapping[str, str]) -> PartySettings:
    """INGAM_PARTY_BANK_HOST …: each by its name in capitals."""
    chosen: dict[str, Any] = {}
    for one in fields(PartySettings):
        text = environment.get(f"INGAM_PARTY_{one.name.upper()}")
        if text is not None:
            chosen[one.name] = Secret(text) if one.type == "Secret[str]" else text
    return PartySettings(**chosen)


def _ars(environment: Mapping[str, str]) -> ArsSettings:
    """INGAM_ARS_VIA, INGAM_ARS_SIP_TRUNK …: each by its name in capitals."""
    chosen: dict[str, Any] = {}
    for one in fields(ArsSettings):
        text = environment.get(f"INGAM_ARS_{one.name.upper()}")
        if text is None:
            continue
        if one.type == "Secret[str]":
            chosen[one.name] = Secret(text)
        elif one.type == "bool":
            chosen[one.name] = text != "0"
        else:
            chosen[one.name] = (Path(text) if text else None) if one.type == "Path | None" else text
    return ArsSettings(**chosen)


def _finance(environment: Mapping[str, str], mode: str, origin: str) -> FinanceSettings:
    """INGAM_FINANCE_VIA, INGAM_FINANCE_KEY …; production has no provider until it names one."""
    chosen: dict[str, Any] = {"origin": origin, "via": "none" if mode == "production" else "http"}
    for one in fields(FinanceSettings):
        text = environment.get(f"INGAM_FINANCE_{one.name.upper()}")
        if text is not None:
            chosen[one.name] = Secret(text) if one.type == "Secret[str]" else text
    return FinanceSettings(**(chosen | {"origin": chosen["origin"].rstrip("/")}))


def _refuse_finance(settings: Settings) -> None:
    """Its window is nobody's origin of ours (B5); G7: no sandbox's key and no clear line in production."""
    finance, found = settings.finance, _ORIGIN.fullmatch(settings.finance.origin)
    if finance.via not in ("none", "http"):
        raise SettingsRefused(variable="INGAM_FINANCE_VIA")
    ours = (settings.center_origin, settings.vault_origin, settings.console.origin, settings.relay.origin)
    clear = found is not None and found[1] == "http"
    if found is None or finance.origin in ours or (clear and found[2] != "localhost"):
        raise SettingsRefused(variable="INGAM_FINANCE_ORIGIN")
    if settings.production and finance.via == "http" and (clear or finance.key == Secret("sandbox")):
        raise SettingsRefused(variable="INGAM_FINANCE_ORIGIN" if clear else "INGAM_FINANCE_KEY")


def _ca(environment: Mapping[str, str]) -> CaSettings:
    """INGAM_CA_NAME, INGAM_CA_WORKERS …: each by its name in capitals."""
    chosen: dict[str, Any] = {}
    for one in fields(CaSettings):
        text = environment.get(f"INGAM_CA_{one.name.upper()}")
        if text is None:
            continue
        if one.type in ("int", "bool"):
            if not (text.isascii() and text.isdigit() and len(text) < 9):
                raise SettingsRefused(variable=f"INGAM_CA_{one.name.upper()}")
            chosen[one.name] = int(text) if one.type == "int" else text == "1"
        else:
            chosen[one.name] = Secret(text) if one.type == "Secret[str]" else text
    return CaSettings(**chosen)


def _relay(environment: Mapping[str, str], origin: str) -> RelaySettings:
    keys, drain = environment.get("INGAM_RELAY_TICKET_KEYS"), environment.get("INGAM_RELAY_DRAIN_S", "200")
    if not (drain.isascii() and drain.isdigit() and len(drain) < 5):
        raise SettingsRefused(variable="INGAM_RELAY_DRAIN_S")
    return RelaySettings(
        origin=environment.get("INGAM_RELAY_ORIGIN", origin).rstrip("/"),
        store=environment.get("INGAM_RELAY_STORE", ""),
        ticket_keys=Path(keys) if keys else None,
        drain_s=int(drain),
    )


def _console(environment: Mapping[str, str], origin: str) -> ConsoleSettings:
    """INGAM_CONSOLE_ORIGIN, INGAM_CONSOLE_STORE, INGAM_CONSOLE_IDLE_S …: each by its name in capitals."""
    chosen: dict[str, Any] = {"origin": origin}
    for one in fields(ConsoleSettings):
        text = environment.get(f"INGAM_CONSOLE_{one.name.upper()}")
        if text is None:
            continue
        if one.type == "int":
            if not (text.isascii() and text.isdigit() and len(text) < 9 and int(text) > 0):
                raise SettingsRefused(variable=f"INGAM_CONSOLE_{one.name.upper()}")
            chosen[one.name] = int(text)
        else:
            chosen[one.name] = text.rstrip("/") if one.name == "origin" else text
    return ConsoleSettings(**chosen)


def _refuse_ars(ars: ArsSettings) -> None:
    if ars.via not in ("none", "http", "sip"):
        raise SettingsRefused(variable="INGAM_ARS_VIA")
    if ars.sip_transport not in ("tls", "tcp", "udp"):
        raise SettingsRefused(variable="INGAM_ARS_SIP_TRANSPORT")
    if ars.via == "sip" and not re.fullmatch(r"[A-Za-z0-9.-]+:[0-9]{1,5}", ars.sip_trunk):
        raise SettingsRefused(variable="INGAM_ARS_SIP_TRUNK")


def _refuse_sandbox_ars(ars: ArsSettings) -> None:
    """Keys that are pressed travel over TLS and SRTP in production, or by a provider that knows us (E6, E7)."""
    if ars.via == "http" and ars.key == Secret("sandbox"):
        raise SettingsRefused(variable="INGAM_ARS_KEY")
    if ars.via == "sip" and ars.sip_transport != "tls":
        raise SettingsRefused(variable="INGAM_ARS_SIP_TRANSPORT")
    if ars.via == "sip" and not ars.sip_srtp:
        raise SettingsRefused(variable="INGAM_ARS_SIP_SRTP")


def _audit(environment: Mapping[str, str]) -> AuditSettings:
    """INGAM_AUDIT_WITNESSES: `<key> <address>, …`; the others by their names in capitals."""
    numbers = {name: environment.get(f"INGAM_AUDIT_{name.upper()}", default) for name, default in _AUDIT_NUMBERS}
    for name, text in numbers.items():
        if not (text.isascii() and text.isdigit() and len(text) < 5):
            raise SettingsRefused(variable=f"INGAM_AUDIT_{name.upper()}")
    roots = environment.get("INGAM_AUDIT_TSA_ROOTS")
    witnesses = environment.get("INGAM_AUDIT_WITNESSES", "")
    return AuditSettings(
        store=environment.get("INGAM_AUDIT_STORE", ""),
        origin=environment.get("INGAM_AUDIT_ORIGIN", AUDIT_ORIGIN),
        every_s=int(numbers["every_s"]),
        witnesses=tuple(" ".join(one.split()) for one in witnesses.split(",") if one.strip()),
        needed=int(numbers["needed"]),
        tsa=environment.get("INGAM_AUDIT_TSA", ""),
        tsa_roots=Path(roots) if roots else None,
    )


_AUDIT_NUMBERS: Final = (("every_s", "60"), ("needed", "0"))
_WITNESS: Final = re.compile(r"[!-*,-~]+\+[0-9a-f]{8}\+[A-Za-z0-9+/=]+ https?://\S+")


def _refuse_audit(audit: AuditSettings) -> None:
    if not 1 <= audit.every_s <= CHECKPOINT_MOST_S:
        raise SettingsRefused(variable="INGAM_AUDIT_EVERY_S")
    if not re.fullmatch(r"[!-*,-~]{1,255}", audit.origin):
        raise SettingsRefused(variable="INGAM_AUDIT_ORIGIN")
    if not all(_WITNESS.fullmatch(one) for one in audit.witnesses) or audit.needed > len(audit.witnesses):
        raise SettingsRefused(variable="INGAM_AUDIT_WITNESSES")
    if not re.fullmatch(r"|https?://\S+", audit.tsa) or bool(audit.tsa) != bool(audit.tsa_roots):
        raise SettingsRefused(variable="INGAM_AUDIT_TSA")


def refuse_unseen_audit(settings: Settings) -> None:
    """What the auditor's process does not start with in production: nobody outside, or a demo's (G6, G7).

    Raises SettingsRefused.
    """
    audit = settings.audit
    if not settings.production:
        return
    if ".test" in audit.origin:
        raise SettingsRefused(variable="INGAM_AUDIT_ORIGIN")
    if any(not one.partition(" ")[2].startswith("https://") or ".test" in one for one in audit.witnesses):
        raise SettingsRefused(variable="INGAM_AUDIT_WITNESSES")
    if not audit.witnesses and not audit.tsa:
        raise SettingsRefused(variable="INGAM_AUDIT_WITNESSES")
    if "//localhost" in audit.tsa or ".test" in audit.tsa:
        raise SettingsRefused(variable="INGAM_AUDIT_TSA")
    if not settings.store.startswith("sqlite:") and audit.store in ("", settings.store):
        raise SettingsRefused(variable="INGAM_AUDIT_STORE")  # a role of its own, where there are roles


def _refuse(settings: Settings) -> None:
    _refuse_audit(settings.audit)
    _refuse_ca(settings)
    _refuse_ars(settings.ars)
    _refuse_finance(settings)
    _refuse_quiet(settings.institution)
    _refuse_origins(settings)
    _refuse_console(settings)
    if settings.parties.email_tls not in ("none", "starttls", "tls"):
        raise SettingsRefused(variable="INGAM_PARTY_EMAIL_TLS")
    if not set(settings.issuance_products) <= {"gold", "universal"}:
        raise SettingsRefused(variable="INGAM_ISSUANCE_PRODUCTS")
    for name in ("copy_number_ttl_s", "copy_qr_ttl_s"):
        if getattr(settings.limits, name) > COPY_TTL_MOST_S:
            raise SettingsRefused(variable=f"INGAM_LIMIT_{name.upper()}")
    if settings.limits.status_cache_s > STATUS_CACHE_MOST_S:
        raise SettingsRefused(variable="INGAM_LIMIT_STATUS_CACHE_S")
    if not settings.production:
        return
    if settings.kill_at is not None:
        raise SettingsRefused(variable="INGAM_KILL_AT")
    if settings.cheap_passwords:
        raise SettingsRefused(variable="INGAM_CHEAP_PASSWORDS")
    _refuse_clear_lines(settings)
    served = {"CENTER": settings.center_origin, "VAULT": settings.vault_origin, "RELAY": settings.relay.origin}
    for variable, origin in served.items():
        if not origin.startswith("https://"):
            raise SettingsRefused(variable=f"INGAM_{variable}_ORIGIN")
    if settings.sms_key == Secret("sandbox"):
        raise SettingsRefused(variable="INGAM_SMS_KEY")
    if settings.customers.address and not settings.customers.address.startswith("https://"):
        raise SettingsRefused(variable="INGAM_CUSTOMERS")
    if settings.customers.address and settings.customers.key == Secret("sandbox"):
        raise SettingsRefused(variable="INGAM_CUSTOMERS_KEY")
    _refuse_sandbox_ars(settings.ars)
    if settings.issuance_products:
        _refuse_sandbox_parties(settings.parties, paid="universal" in settings.issuance_products)
        if not settings.vault_roots:
            raise SettingsRefused(variable="INGAM_VAULT_ROOTS")
    if any(name.endswith(".test") for name in settings.addresses):
        raise SettingsRefused(variable="INGAM_ADDRESSES")


def _refuse_clear_lines(settings: Settings) -> None:
    """G7: what leaves this machine towards a database or a Valkey goes over TLS, with the server's name checked."""
    databases = {
        "INGAM_STORE": settings.store_url,
        "INGAM_CONSOLE_STORE": settings.console.store,
        "INGAM_AUDIT_STORE": settings.audit.store,
    }
    for variable, url in databases.items():
        if _leaves(url, "postgresql", "postgres") and "sslmode=verify-full" not in url.partition("?")[2].split("&"):
            raise SettingsRefused(variable=variable)
    for variable, url in {"INGAM_EPHEMERAL": settings.ephemeral, "INGAM_RELAY_STORE": settings.relay.store}.items():
        if _leaves(url, "valkey", "redis"):
            raise SettingsRefused(variable=variable)


def _leaves(url: str, *schemes: str) -> bool:
    """Whether it is of one of these schemes and names another machine; a socket's folder (`?host=/…`) is this one."""
    parts = urlsplit(url)
    return parts.scheme in schemes and parts.hostname not in (None, "localhost", "127.0.0.1", "::1")


def _refuse_sandbox_parties(parties: PartySettings, *, paid: bool) -> None:
    for one in fields(PartySettings):
        if (paid or not one.name.startswith("payment")) and getattr(parties, one.name) in (Secret("sandbox"), "none"):
            raise SettingsRefused(variable=f"INGAM_PARTY_{one.name.upper()}")
    if not parties.email_server:
        raise SettingsRefused(variable="INGAM_PARTY_EMAIL_SERVER")


def _refuse_ca(settings: Settings) -> None:
    ca = settings.ca
    if not re.fullmatch(r"[a-z0-9-]{1,32}", ca.name):
        raise SettingsRefused(variable="INGAM_CA_NAME")
    if not (1 <= ca.workers <= 64 and 1 <= ca.va_workers <= 64):
        raise SettingsRefused(variable="INGAM_CA_WORKERS")
    if not 1 <= ca.cdn_max_age_s <= CDN_MOST_S:
        raise SettingsRefused(variable="INGAM_CA_CDN_MAX_AGE_S")
    if settings.production and (ca.conformance or (ca.module and ca.file_keys)):
        # G7: no reusable secret, and no key in a file where a token is configured.
        raise SettingsRefused(variable="INGAM_CA_CONFORMANCE" if ca.conformance else "INGAM_CA_FILE_KEYS")


def _refuse_console(settings: Settings) -> None:
    """G1, G3: its bounds, and an origin that is nobody else's."""
    console = settings.console
    if console.idle_s > CONSOLE_IDLE_MOST_S:
        raise SettingsRefused(variable="INGAM_CONSOLE_IDLE_S")
    if console.approval_s > APPROVAL_MOST_S:
        raise SettingsRefused(variable="INGAM_CONSOLE_APPROVAL_S")
    if console.origin in (settings.center_origin, settings.vault_origin):
        raise SettingsRefused(variable="INGAM_CONSOLE_ORIGIN")


def refuse_open_console(settings: Settings) -> None:
    """G1, G7, for the console's own start: production serves it over TLS, with a database role of its own."""
    if settings.production and not settings.console.origin.startswith("https://"):
        raise SettingsRefused(variable="INGAM_CONSOLE_ORIGIN")
    if settings.production and settings.store_url and settings.console.store in ("", settings.store_url):
        raise SettingsRefused(variable="INGAM_CONSOLE_STORE")


def _refuse_quiet(institution: Institution) -> None:
    try:
        Quiet.read(institution.quiet_hours)
    except ValueError:
        raise SettingsRefused(variable="INGAM_INSTITUTION_QUIET_HOURS") from None


def _refuse_sms(settings: Settings) -> None:
    """SMPP in clear is for this machine (a tunnel's end) alone in production; its password is INGAM_SMS_KEY."""
    found = _SMPP.fullmatch(settings.sms)
    if settings.sms and found is None:
        raise SettingsRefused(variable="INGAM_SMS")
    local = found is not None and found[2] in ("localhost", "127.0.0.1")
    if settings.production and found is not None and found[1] == "smpp" and not local:
        raise SettingsRefused(variable="INGAM_SMS")


def _refuse_origins(settings: Settings) -> None:
    """Origins stand in headers and signed texts; the vault has one of its own (B1), plain HTTP is loopback's."""
    origins = {
        "INGAM_CENTER_ORIGIN": settings.center_origin,
        "INGAM_VAULT_ORIGIN": settings.vault_origin,
        "INGAM_RELAY_ORIGIN": settings.relay.origin,
        "INGAM_CONSOLE_ORIGIN": settings.console.origin,
    }
    for variable, origin in origins.items():
        found = _ORIGIN.fullmatch(origin)
        if found is None or (found[1] == "http" and found[2] != "localhost"):
            raise SettingsRefused(variable=variable)
    if not re.fullmatch(r"|(valkey|redis)s?://\S+", settings.relay.store):
        raise SettingsRefused(variable="INGAM_RELAY_STORE")
    if not re.fullmatch(r"|(valkey|redis)s?://\S+", settings.ephemeral):
        raise SettingsRefused(variable="INGAM_EPHEMERAL")
    _refuse_sms(settings)
    if settings.center_origin == settings.vault_origin:
        raise SettingsRefused(variable="INGAM_VAULT_ORIGIN")
