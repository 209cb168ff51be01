"""OpenID Connect Core 1.0 as a provider of the code flow with PKCE alone (RFC 6749, 7636, 9207, 9700): no I/O.

An authorization request is read strictly. What is wrong with the client or its address is told to the person on our own
page and never sent anywhere; every other fault goes back to the exact address that was registered.
"""

from __future__ import annotations

import base64
import hmac
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Final, Protocol

from ingam.kernel.errors import Refusal

ID: Final = "urn:ingam:acr:id"  # ID and password
PASSKEY: Final = "urn:ingam:acr:passkey"  # a passkey that verified the person
CERTIFICATE: Final = "urn:ingam:acr:certificate"  # a joint certificate
SECOND: Final = "urn:ingam:acr:certificate-and-second"  # a joint certificate and additional authentication
ACRS: Final = (ID, PASSKEY, CERTIFICATE, SECOND)
"""Weakest first: an answer has the one that was asked for, or a stronger one."""

OPENID: Final = "openid"
SCOPES: Final = (OPENID, "profile")
LONGEST: Final = 512
"""Characters of `state`, `nonce` and every other value but the address."""

_S256: Final = re.compile(r"[A-Za-z0-9_-]{43}")
_VERIFIER: Final = re.compile(r"[A-Za-z0-9._~-]{43,128}")
_PRINTABLE: Final = re.compile(r"[\x20-\x7e]*")
_UNSUPPORTED: Final = {"request": "request_not_supported", "request_uri": "request_uri_not_supported"}


class ClientUnknown(Refusal):
    """No client of this id, or not with this very redirect address; nothing is sent to it."""

    code = "oidc-client-unknown"


class LogoutRefused(Refusal):
    """A request to log out that names what is not registered, or a token that is not ours; nobody was logged out."""

    code = "oidc-logout-refused"


class RequestError(Exception):
    """A fault that goes back to the client's registered address: `error` of RFC 6749 4.1.2.1 or OIDC Core 3.1.2.6."""

    def __init__(self, error: str, state: str | None) -> None:
        super().__init__(error)
        self.error = error
        self.state = state


class Registered(Protocol):
    """What a request is measured by."""

    @property
    def client_id(self) -> str: ...
    @property
    def redirect_uris(self) -> Sequence[str]: ...
    @property
    def scopes(self) -> Sequence[str]: ...
    @property
    def acr(self) -> str: ...


@dataclass(frozen=True, slots=True)
class AuthorizationRequest:
    """A request that may be carried out. `acr`: the least that is enough; `max_age`: seconds, or None."""

    client_id: str
    redirect_uri: str
    scope: tuple[str, ...]
    challenge: str
    acr: str
    state: str | None = field(default=None, repr=False)
    nonce: str | None = field(default=None, repr=False)
    max_age: int | None = None
    prompt: tuple[str, ...] = ()


def addressed(pairs: Sequence[tuple[str, str]], clients: Mapping[str, Registered]) -> tuple[Registered, str]:
    """The client and its address: both named once, the address equal byte for byte to a registered one (RFC 9700 2.1).

    Raises ClientUnknown.
    """
    ids, addresses = ([value for name, value in pairs if name == wanted] for wanted in ("client_id", "redirect_uri"))
    client = clients.get(ids[0]) if len(ids) == 1 else None
    if client is None or len(addresses) != 1 or addresses[0] not in client.redirect_uris:
        raise ClientUnknown
    return client, addresses[0]


def requested(pairs: Sequence[tuple[str, str]], client: Registered, redirect_uri: str) -> AuthorizationRequest:
    """The rest of the request. Raises RequestError."""
    given = dict(pairs)
    state = given.get("state")
    if len(given) != len(pairs):
        raise RequestError("invalid_request", None)
    if any(len(value) > LONGEST or not _PRINTABLE.fullmatch(value) for name, value in pairs if name != "redirect_uri"):
        raise RequestError("invalid_request", None)
    for name, error in _UNSUPPORTED.items():
        if name in given:
            raise RequestError(error, state)
    if given.get("response_type") != "code":
        raise RequestError("unsupported_response_type", state)
    if given.get("response_mode", "query") != "query":
        raise RequestError("invalid_request", state)
    if given.get("code_challenge_method") != "S256" or not _S256.fullmatch(given.get("code_challenge", "")):
        raise RequestError("invalid_request", state)
    return AuthorizationRequest(
        client_id=client.client_id,
        redirect_uri=redirect_uri,
        scope=_scope(given, client, state),
        challenge=given["code_challenge"],
        acr=_acr(given, client),
        state=state,
        nonce=given.get("nonce"),
        max_age=_max_age(given, state),
        prompt=_prompt(given, state),
    )


def _scope(given: Mapping[str, str], client: Registered, state: str | None) -> tuple[str, ...]:
    """What is known and allowed of what was asked; the rest is left out (OIDC Core 3.1.2.1)."""
    asked = given.get("scope", "").split()
    if OPENID not in asked:
        raise RequestError("invalid_scope", state)
    return tuple(one for one in SCOPES if one in asked and (one == OPENID or one in client.scopes))


def _acr(given: Mapping[str, str], client: Registered) -> str:
    """The weakest of what was asked for, but never less than the client's own least."""
    asked = [one for one in given.get("acr_values", "").split() if one in ACRS]
    least = min(asked, key=ACRS.index) if asked else client.acr
    return max(least, client.acr, key=ACRS.index)


def _max_age(given: Mapping[str, str], state: str | None) -> int | None:
    text = given.get("max_age")
    if text is None:
        return None
    if not (text.isascii() and text.isdigit() and len(text) < 10):
        raise RequestError("invalid_request", state)
    return int(text)


def _prompt(given: Mapping[str, str], state: str | None) -> tuple[str, ...]:
    asked = tuple(given.get("prompt", "").split())
    if not set(asked) <= {"none", "login", "consent", "select_account"} or ("none" in asked and len(asked) > 1):
        raise RequestError("invalid_request", state)
    return asked


@dataclass(frozen=True, slots=True)
class LogoutRequest:
    """RP-Initiated Logout 1.0, section 2; what we do not know of it is left alone."""

    hint: str | None = field(repr=False)
    client_id: str | None
    redirect_uri: str | None
    state: str | None


def logout_asked(pairs: Sequence[tuple[str, str]]) -> LogoutRequest:
    """Each parameter once, and bounded. Raises LogoutRefused."""
    given = {name: value for name, value in pairs if value}
    if len(given) != len([name for name, value in pairs if value]):
        raise LogoutRefused
    short = [given.get(name, "") for name in ("client_id", "state")]
    if not all(len(one) <= LONGEST and _PRINTABLE.fullmatch(one) for one in short):
        raise LogoutRefused
    return LogoutRequest(
        given.get("id_token_hint"), given.get("client_id"), given.get("post_logout_redirect_uri"), given.get("state")
    )


def verifies(challenge: str, verifier: str) -> bool:
    """RFC 7636 4.6, method S256."""
    if not _VERIFIER.fullmatch(verifier):
        return False
    return hmac.compare_digest(base64url(sha256(verifier.encode()).digest()), challenge)


def base64url(octets: bytes) -> str:
    """base64url without padding."""
    return base64.urlsafe_b64encode(octets).rstrip(b"=").decode()


def access_token_hash(token: str) -> str:
    """`at_hash` for an ID token signed with SHA-256 (OIDC Core 3.1.3.6): the left half of the hash."""
    return base64url(sha256(token.encode()).digest()[:16])
