"""Prints `docs/reference/{settings,codes,commands}.md` from the code, so that they cannot differ from it."""

from __future__ import annotations

import sys
from argparse import ArgumentParser
from dataclasses import MISSING, fields
from importlib import import_module
from pathlib import Path

from ingam.kernel.words import table
from ingam.page.failures import STATUS
from ingam.run.cli import NOUNS, ca_options, cert, cert_options, copy
from ingam.run.cli.examples import EXAMPLES, lines_of, verbs_of
from ingam.settings import (
    ArsSettings,
    AuditSettings,
    CaSettings,
    ConsoleSettings,
    FinanceSettings,
    Institution,
    Limits,
    PartySettings,
    RelaySettings,
    Settings,
)

ROOT = Path(__file__).resolve().parent.parent
REFERENCE = ROOT / "docs" / "reference"
NOTE = "Printed from the code by `python scripts/reference.py`; do not edit."

MEANINGS = {
    "INGAM_MODE": "`demo`, `test` or `production`; production refuses sandbox addresses, demo keys, missing TLS",
    "INGAM_DATA": "the folder that keeps everything",
    "INGAM_PORT": "the first of nine ports: center, vault, console, ca, va, relay, sandbox, its SMTP, finance_cloud",
    "INGAM_STORE": "`postgresql://…`; empty is SQLite below the data folder",
    "INGAM_CENTER_ORIGIN": "origin of the center; in signed challenges, so choose it for ever",
    "INGAM_VAULT_ORIGIN": "origin of the vault; kept certificates are bound to it, so choose it for ever (B1)",
    "INGAM_SANDBOX_ORIGIN": "origin of the sandbox (demo)",
    "INGAM_ADDRESSES": "`name=http://base,…`: where each name is reached; all allowed outgoing requests (A13)",
    "INGAM_EPHEMERAL": "`valkey://host:port/0`, where several nodes share their limits; empty is in process (F9)",
    "INGAM_SMS": "`smpps://system_id@host:port?long=udh` (or `payload`); empty is the form API at INGAM_SMS_HOST",
    "INGAM_SMS_CA": "certificates (PEM) that the SMSC is trusted by; empty is the system's",
    "INGAM_SMS_HOST": "the SMS provider's name in INGAM_ADDRESSES",
    "INGAM_SMS_USER": "user of the SMS provider",
    "INGAM_SMS_SENDER": "the registered sender number",
    "INGAM_SMS_KEY": "key of the SMS provider",
    "INGAM_ISSUANCE_PRODUCTS": "what is offered: `gold`, `universal`; in production nothing until it is named",
    "INGAM_VAULT_ROOTS": "SHA-256 (hex, commas between) of the roots below which the vault has certificates issued",
    "INGAM_DESK_ROOTS": "SHA-256 of the roots that the certificate desk believes besides; nothing is issued below them",
    "INGAM_SERVICE_WORKER": "`0` takes the service worker away from every browser that has it (B13)",
    "INGAM_TERMS": "a folder of consent documents in the place of the demo's examples",
    "INGAM_REGIONS": "a table of networks and places (CIDR, Korean, English; tabs between): where a device is (C3)",
    "INGAM_CUSTOMERS": "core-banking system that keeps the customers (docs/reference/customers.md); empty: our tables",
    "INGAM_CUSTOMERS_KEY": "the key that it knows us by",
    "INGAM_CARDS": "core system that keeps security cards (docs/reference/cards.md); empty: our tables",
    "INGAM_CARDS_KEY": "the key that it knows us by",
    "INGAM_CUSTOMERS_CERTIFICATE": "our certificate and key (PEM), for TLS on both sides",
    "INGAM_CUSTOMERS_CA": "certificates (PEM) that it is trusted by; empty is the system's",
    "INGAM_UNION_HEADS": "so many heads of one union register a certificate each (docs/reference/customers.md); 1 to 9",
    "INGAM_OIDC_CLIENTS": "TOML file of OpenID Connect clients (docs/reference/oidc.md); empty: no provider",
    "INGAM_KILL_AT": "a numbered step at which the process kills itself; tests only, refused in production",
    "INGAM_CHEAP_PASSWORDS": "`1`: Argon2id with the least work; tests only, refused in production",
}

CA_MEANINGS = {
    "name": "which authority: its folder below DATA/ca",
    "workers": "processes that answer CMP",
    "va_workers": "processes that answer OCSP",
    "messages_a_minute": "CMP messages of one address; a center speaks for all its customers (D9)",
    "passphrase": "of the key files; empty reads the demo's own, and commands ask at the terminal",
    "file_keys": "`1` allows key files in production (G7)",
    "module": "path of a PKCS#11 library; empty is key files",
    "token": "label of the token",
    "pin": "the token's PIN",
    "directory": "`ldap://host:port` of the directory that lists and CA certificates are published to",
    "directory_user": "the DN that writes there",
    "directory_password": "its password",
    "cdn_max_age_s": "how long a cache may keep an OCSP answer: the latency of a revocation there (D13)",
    "mirror": "base URL of the responder that this one mirrors; it then has no keys and no books",
    "feed_secret": "64 hex digits, the same at the responder and its mirrors",
    "conformance": "a reusable reference number for conformance suites; sandbox authorities only",
    "npki_port": "port of the NPKI profile over raw TCP; 0 is off",
}

RELAY_MEANINGS = {
    "origin": "origin of the copying relay as browsers reach it; both devices agree on it (C6)",
    "store": "`valkey://host:port/0` where several nodes share it; empty is in process",
    "ticket_keys": "public keys of the center's tickets, one in hex a line; empty is DATA/relay/tickets.pub",
    "drain_s": "how long running copies may finish after SIGTERM",
}

AUDIT_MEANINGS = {
    "store": "the center's database by the auditor's role (`ingam store roles`); empty is INGAM_STORE",
    "origin": "the audit's name in every checkpoint, for ever; not `.test` in production (G7)",
    "every_s": "seconds between two checkpoints where there is something new; 300 at most (G6)",
    "witnesses": "`key address, …`: who outside co-signs and remembers; https in production",
    "needed": "co-signatures without which no checkpoint is signed",
    "tsa": "address of a time-stamp authority (RFC 3161)",
    "tsa_roots": "certificates (PEM) that its stamps are trusted by",
}

ARS_MEANINGS = {
    "via": "`http` (a provider), `sip` (our own user agent on a trunk), or `none`",
    "host": "the provider's name in INGAM_ADDRESSES",
    "key": "its key",
    "caller_id": "the number that telephones show",
    "sip_trunk": "`host:port` of the trunk",
    "sip_transport": "`tls`, `tcp` or `udp`; production takes only `tls` (E6)",
    "sip_domain": "domain of our address there; empty is the trunk's host",
    "sip_user": "user of its Digest authentication",
    "sip_password": "its password",
    "sip_bind": "the address that SIP and speech are received on",
    "sip_address": "this host's address as the trunk sees it; empty is the one that leads there",
    "sip_ca": "certificates (PEM) that the trunk is trusted by; empty is the system's",
    "sip_srtp": "`0` allows a trunk without SRTP; not in production (E6)",
    "prompts": "a folder of recorded WAV files (docs/reference/ars.md); empty speaks by espeak-ng",
}

CONSOLE_MEANINGS = {
    "origin": "origin of the console as browsers reach it; its host is the relying party of operators' passkeys (G1)",
    "store": "the center's database by the console's role (`ingam store roles`); empty is INGAM_STORE",
    "idle_s": "seconds without use that end a login; 900 at most (G1)",
    "max_s": "seconds that end it however busy",
    "invitation_s": "how long an enrolment link waits",
    "approval_s": "how long a change waits for its second person; 86400 at most (G3)",
    "searches_a_day": "look-ups of one operator (G4)",
    "unmaskings_a_day": "masked fields that one operator sees (G4)",
    "unlocks_a_day": "releases of customers' locks by one operator; of one customer three (E3)",
    "address_visits_an_hour": "new visitors of one address",
}

FINANCE_MEANINGS = {
    "via": "`none` or `http`; production has none until it is named",
    "host": "the provider's name in `INGAM_ADDRESSES`",
    "client": "what the provider knows us by",
    "key": "what we prove ourselves with to the provider; the sandbox's is refused in production",
    "origin": "the one origin of the provider's window, which people are led to (B5)",
}
PARTY_MEANINGS = {
    "real_name_host": "실명확인: its name in INGAM_ADDRESSES",
    "real_name_key": "its key",
    "phone_identity_host": "휴대폰본인인증 (PortOne's shape): its name in INGAM_ADDRESSES",
    "phone_identity_secret": "its API secret",
    "phone_identity_channel": "its channel key",
    "id_card_host": "신분증 진위확인: its name in INGAM_ADDRESSES",
    "id_card_secret": "its secret",
    "bank_host": "오픈뱅킹: its name in INGAM_ADDRESSES",
    "bank_institution": "이용기관코드, 10 characters",
    "bank_client_id": "client of its OAuth token",
    "bank_client_secret": "its secret",
    "bank_account": "약정 계좌 that 1원 leaves from",
    "bank_passphrase": "입금이체용 암호문구",
    "address_host": "주소 API: its name in INGAM_ADDRESSES",
    "payment_host": "payment of fees: its name in INGAM_ADDRESSES; asked where `universal` is offered",
    "payment_secret": "what the payment provider knows us by",
    "address_key": "승인키",
    "email_server": "`host:port` of the SMTP server; empty is the sandbox's",
    "email_sender": "the address in From",
    "email_tls": "`starttls`, `tls`, or `none` for a server on this machine",
    "email_user": "user of the SMTP server",
    "email_password": "its password",
}


def settings_page() -> str:
    """Every variable with its default."""
    lines = ["# Settings", "", NOTE, "", "| variable | default | meaning |", "|---|---|---|"]
    names = {field.name: field for field in fields(Settings)}
    aliases = {"INGAM_PORT": "base_port", "INGAM_STORE": "store_url"}
    for variable, meaning in MEANINGS.items():
        field = names.get(aliases.get(variable, variable.removeprefix("INGAM_").lower()))
        default = getattr(field, "default", "")
        shown = "" if not isinstance(default, str | int | Path) or default in ("", False) else f"`{default}`"
        lines.append(f"| `{variable}` | {shown} | {meaning} |")
    lines += ["", "## Limits", "", "Whole numbers; names that end in `_s` are seconds.", "", "| variable | default |"]
    lines += ["|---|---|", *(f"| `INGAM_LIMIT_{one.name.upper()}` | `{one.default}` |" for one in fields(Limits))]
    for title, prefix, kind, meanings in (
        ("The certification authority", "CA", CaSettings, CA_MEANINGS),
        ("Copying", "RELAY", RelaySettings, RELAY_MEANINGS),
        ("The console", "CONSOLE", ConsoleSettings, CONSOLE_MEANINGS),
        ("The automatic call", "ARS", ArsSettings, ARS_MEANINGS),
        ("금융인증서", "FINANCE", FinanceSettings, FINANCE_MEANINGS),
        ("The auditor", "AUDIT", AuditSettings, AUDIT_MEANINGS),
        ("The outside parties of issuing", "PARTY", PartySettings, PARTY_MEANINGS),
    ):
        lines += ["", f"## {title}", "", "| variable | default | meaning |", "|---|---|---|"]
        for one in fields(kind):
            shown = "" if one.default in (MISSING, "", False, None, ()) else f"`{one.default}`"
            lines.append(f"| `INGAM_{prefix}_{one.name.upper()}` | {shown} | {meanings[one.name]} |")
    lines += ["", "## The institution", "", "| variable | default |", "|---|---|"]
    lines += [f"| `INGAM_INSTITUTION_{one.name.upper()}` | `{one.default}` |" for one in fields(Institution)]
    return "\n".join(lines) + "\n"


def codes_page() -> str:
    """Every failure code with its texts, and its HTTP status where it is not its family's."""
    korean, english = table("ko"), table("en")
    lines = [
        "# Codes",
        "",
        NOTE,
        "",
        "A code is permanent. Without a status of its own a refusal answers 422, an outage",
    ]
    lines += ["503, a defect 500.", "", "| code | status | Korean | English |", "|---|---|---|---|"]
    for key in sorted(key for key in korean if key.startswith("refusal.")):
        code = key.removeprefix("refusal.")
        lines.append(f"| `{code}` | {STATUS.get(code, '')} | {_cell(korean[key])} | {_cell(english[key])} |")
    return "\n".join(lines) + "\n"


def commands_page() -> str:
    """Every command of EXAMPLES with its line, its example, and its exit codes."""
    lines = ["# Commands", "", NOTE, "", "`ingam <noun> <verb> --help` has the options of each. More of `ca` is in"]
    lines += ["[ca.md](ca.md), of `copy` in [copy.md](copy.md)."]
    for program, examples in EXAMPLES.items():
        noun, *below = program.split()
        parser = _parser_of(noun)
        for one in below:
            parser = verbs_of(parser)[one]
        lines += ["", f"## ingam {program}", "", "| | | example |", "|---|---|---|"]
        told = {"": (parser.description or "").partition("\n\n")[0]} if "" in examples else lines_of(parser)
        lines += [
            f"| {_code(verb)} | {_cell(line)} | `{examples[verb]}` |" for verb, line in told.items() if verb in examples
        ]
        if codes := (parser.epilog or "").partition("\n\n")[0]:
            lines += ["", " ".join(codes.split())]
    return "\n".join(lines) + "\n"


def _parser_of(noun: str) -> ArgumentParser:
    """The parser of a noun's words, in English where it speaks one language at a time."""
    match noun:
        case "ca":
            return ca_options.parser()
        case "cert":
            return cert_options.parser("en", cert.RUNS)
        case "copy":
            return copy.parser("en")
    found: ArgumentParser = import_module(NOUNS[noun])._parser()
    return found


def _code(word: str) -> str:
    return f"`{word}`" if word else ""


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


def main() -> int:
    """Writes them; `--check` only tells whether they are in step."""
    pages = {"settings.md": settings_page(), "codes.md": codes_page(), "commands.md": commands_page()}
    if "--check" in sys.argv:
        read = {name: REFERENCE / name for name in pages}
        stale = [n for n, path in read.items() if not path.exists() or path.read_text(encoding="utf-8") != pages[n]]
        if stale:
            print(f"not in step with the code: {', '.join(stale)} (python scripts/reference.py)")
        return 1 if stale else 0
    for name, page in pages.items():
        (REFERENCE / name).write_text(page, encoding="utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
