"""The one session with a PKCS#11 token: opened when it is first used, given up at the first error, opened anew.

It lives in the thread of its line and nowhere else. A module is initialised afresh before a lost token is looked for:
what it kept of the token's state does not outlive the token. A PIN that was refused once is not tried again, for tokens
count and lock.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, Final, TypeVar

import pkcs11
from pkcs11 import Attribute, ObjectClass, PKCS11Error
from pkcs11 import exceptions as told

from ingam.kernel.secret import Secret
from ingam.ports.signing import KeysLocked, SigningOutage

T = TypeVar("T")

_PIN_REFUSED: Final = (
    told.PinIncorrect,
    told.PinInvalid,
    told.PinLenRange,
    told.PinLocked,
    told.PinExpired,
    told.UserPinNotInitialized,
)


class TokenSession:
    """`module`: the library; `token`: its label. `retry_s`: how long a failed opening stands for those who come next.

    `lost` is told when the token was found lost; `monotonic` gives seconds.
    """

    def __init__(
        self,
        module: Path,
        token: str,
        pin: Secret[str],
        *,
        retry_s: float,
        monotonic: Callable[[], float],
        lost: Callable[[], None],
    ) -> None:
        self._module, self._token, self._pin = str(module), token, pin
        self._retry_s, self._monotonic, self._lost = retry_s, monotonic, lost
        self._library: Any = None
        self._session: pkcs11.Session | None = None
        self._found: dict[tuple[ObjectClass, str], Any] = {}
        self._pid = os.getpid()
        self._not_before = float("-inf")
        self._refused = False

    def use(self, act: Callable[[pkcs11.Session], T], *, write: bool = False, bearing: tuple[type, ...] = ()) -> T:
        """What `act` gives with the open session (`write`: one that may make keys).

        An error of the token ends the session and is a SigningOutage, except those that `bearing` names. Raises
        KeysLocked.
        """
        session = self._opened(write)
        try:
            return act(session)
        except PKCS11Error as error:
            if isinstance(error, bearing):
                raise
            self.lose()
            raise SigningOutage(reason=_reason(error)) from None

    def find(self, kind: ObjectClass, label: str) -> Any | None:
        """The object of a class and label, or None where the token has none or several."""
        self._opened()  # what was found in a session that is no more is forgotten
        found = self._found.get((kind, label))
        if found is None:
            found = self._search(kind, label)
            if found is None:
                # A token whose files or card went away may seem empty: only a session just opened is believed.
                self.drop()
                found = self._search(kind, label)
        return found

    def labels(self) -> list[str]:
        """Of every private key, from a session just opened."""
        self.drop()
        return self.use(
            lambda session: [one[Attribute.LABEL] for one in _objects(session, ObjectClass.PRIVATE_KEY)],
        )

    def lose(self) -> None:
        """Give the session up, and tell those who wait that the token is lost."""
        self.drop()
        self._lost()

    def drop(self) -> None:
        """Close the session and the module, whatever they answer."""
        self._session = None
        self._found.clear()
        if self._library is not None:
            with suppress(PKCS11Error):
                self._library.finalize()

    def close(self) -> None:
        """Log out."""
        if self._session is not None and self._pid == os.getpid():
            with suppress(PKCS11Error):
                self._session.close()
        self.drop()

    def _search(self, kind: ObjectClass, label: str) -> Any | None:
        found = self.use(lambda session: _objects(session, kind, label))
        if len(found) != 1:
            return None
        self._found[kind, label] = found[0]
        return found[0]

    def _opened(self, write: bool = False) -> pkcs11.Session:
        if self._pid != os.getpid():  # a forked child has no session of its own yet
            self._pid = os.getpid()
            self.drop()
        if self._session is not None and write and not self._session.rw:
            self.drop()
        if self._session is None:
            self._session = self._open(write)
        return self._session

    def _open(self, write: bool) -> pkcs11.Session:
        if self._refused:
            raise KeysLocked
        if self._monotonic() < self._not_before:
            raise SigningOutage(reason="token-lost")
        try:
            library = self._library = pkcs11.lib(self._module)
            return library.get_token(token_label=self._token).open(rw=write, user_pin=self._pin.reveal())
        except _PIN_REFUSED:
            self._refused = True
            self.drop()
            raise KeysLocked from None
        except PKCS11Error as error:
            self._not_before = self._monotonic() + self._retry_s
            self.lose()
            raise SigningOutage(reason=_reason(error)) from None


def _objects(session: pkcs11.Session, kind: ObjectClass, label: str | None = None) -> list[Any]:
    # A search that a dead session refuses is ended again behind our back, and prints; so it is asked for something else
    # first, which raises here.
    with suppress(told.RandomNoRNG, told.FunctionNotSupported):
        session.generate_random(64)
    wanted: dict[Attribute, Any] = {Attribute.CLASS: kind}
    return list(session.get_objects(wanted if label is None else {**wanted, Attribute.LABEL: label}))


def _reason(error: PKCS11Error) -> str:
    """`session-handle-invalid` of SessionHandleInvalid; nothing that the token said in its own words."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "-", type(error).__name__).lower()
