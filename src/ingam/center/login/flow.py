"""공동인증서 로그인 as a machine: Challenged → Proved → Admitted · Refused.

A certificate that proves itself is still nobody's until a binding says whose it is (security A17): a re-issued one of
a bound person may start re-registration and never gets a session.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from ingam.kernel.flow import IllegalMove, Machine, Step


@dataclass(frozen=True, slots=True)
class Challenged:
    """A nonce was given out and has come back with a signature; it is used up."""

    nonce: str


@dataclass(frozen=True, slots=True)
class Proved:
    """Checks 2-8 passed: the key of this certificate signed this challenge, and it is good now."""

    fingerprint: str


@dataclass(frozen=True, slots=True)
class Admitted:
    """The binding says whose it is; the session rises to `cert`."""

    customer_id: str


@dataclass(frozen=True, slots=True)
class Refused:
    """No session. `code`: the failed check, login-unregistered or login-rebind."""

    code: str


State: TypeAlias = Challenged | Proved | Admitted | Refused


@dataclass(frozen=True, slots=True)
class Proven:
    """The numbered checks passed."""

    fingerprint: str


@dataclass(frozen=True, slots=True)
class Failed:
    """A numbered check refused."""

    code: str


@dataclass(frozen=True, slots=True)
class BindingFound:
    """The fingerprint is bound to an active customer."""

    customer_id: str


@dataclass(frozen=True, slots=True)
class BindingMissing:
    """Nobody is bound to it. `same_name`: a bound person has a certificate of this name and issuer."""

    same_name: bool


Event: TypeAlias = Proven | Failed | BindingFound | BindingMissing

EDGES: Mapping[type[Any], Mapping[type[Any], frozenset[type[Any]]]] = {
    Challenged: {Proven: frozenset({Proved}), Failed: frozenset({Refused})},
    Proved: {BindingFound: frozenset({Admitted}), BindingMissing: frozenset({Refused})},
    Admitted: {},
    Refused: {},
}


def move(state: State, event: Event) -> Step[State]:
    """The next state of a legal event (see EDGES)."""
    match state, event:
        case Challenged(), Proven(fingerprint):
            return Step(Proved(fingerprint))
        case Challenged(), Failed(code):
            return Step(Refused(code))
        case Proved(), BindingFound(customer_id):
            return Step(Admitted(customer_id))
        case Proved(), BindingMissing(same_name):
            return Step(Refused("login-rebind" if same_name else "login-unregistered"))
    raise IllegalMove


MACHINE: Machine[State, Event] = Machine("login", 1, EDGES, move)
