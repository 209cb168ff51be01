"""A person at a browser, over a real socket: the four screens, the certificate window, and what a person does again."""

from __future__ import annotations

import base64
import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import httpx2

from ingam.kernel.secret import Secret
from ingam.npki import certificate, cms, key_file
from ingam.npki.certificate import Certificate
from ingam.npki.private_key import PrivateKey
from ingam.protocols.challenge import Challenge, Purpose, seal, text
from ingam.sandbox.people import BANKING_PASSWORD, CERTIFICATE_PASSWORD, person

HONG = person("hong")
CODE = re.compile(r"\n@localhost #([0-9]{6})$")
PATIENCE_S = 20
Fields = dict[str, str]


class Died(Exception):  # noqa: N818 - what a person sees: the server is not there
    """No answer came: the center is gone."""


@cache
def pair(folder: str) -> tuple[Certificate, PrivateKey]:
    """The certificate and the opened key of a demo folder."""
    place = Path(folder)
    key = key_file.open_key((place / "signPri.key").read_bytes(), CERTIFICATE_PASSWORD.encode())
    return certificate.parse((place / "signCert.der").read_bytes()), key


def until(what: Callable[[], bool], told: str) -> None:
    """Wait for something that another process does."""
    end = time.monotonic() + PATIENCE_S
    while not what():
        assert time.monotonic() < end, f"waited in vain: {told}"
        time.sleep(0.01)


@dataclass
class Person:
    """Hong with one browser. `before` is called before every request that may move something."""

    origin: str
    folders: dict[str, str]
    newest_code: Callable[[], str]
    before: Callable[[], None]
    client: httpx2.Client
    page: str = ""
    status: int = 0
    entrance: str = "/registration"
    last: tuple[str, Fields] | None = None
    posts: list[tuple[str, Fields]] = field(default_factory=list)

    # ── a browser ──

    def get(self, path: str = "/registration") -> str:
        with _alive():
            answer = self.client.get(path)
        while answer.status_code == 303:
            return self.get(_place(answer))
        return self._saw(answer)

    def post(self, path: str, fields: Fields) -> str:
        """Submit a form of the page that is seen, with its hidden fields; the answer is shown."""
        filled = {**self.hidden(), **fields}
        self.last = (path, filled)
        self.posts.append(self.last)
        self.before()
        answer = self.send(path, filled)
        return self.get(_place(answer)) if answer.status_code == 303 else self._saw(answer)

    def again(self) -> str:
        """The last form once more, byte for byte, as a browser does that was told to load the page again."""
        assert self.last is not None
        answer = self.send(*self.last)
        return self.get(_place(answer)) if answer.status_code == 303 else self._saw(answer)

    def send(self, path: str, fields: Fields, accept: str = "text/html") -> httpx2.Response:
        """One POST; nothing is followed. Raises Died."""
        headers = {"Origin": self.origin, "Sec-Fetch-Site": "same-origin", "Accept": accept}
        with _alive():
            answer = self.client.post(path, data=fields, headers=headers)
        assert answer.status_code < 500, (path, answer.status_code, answer.text[:2000])
        return answer

    def hidden(self) -> Fields:
        """csrf, run and version of the seen page's forms."""
        found = {name: re.search(f'name="{name}" value="([^"]*)"', self.page) for name in ("csrf", "run", "version")}
        return {name: match[1] for name, match in found.items() if match is not None}

    def _saw(self, answer: httpx2.Response) -> str:
        assert answer.status_code < 500, (str(answer.url), answer.status_code, answer.text[:2000])
        self.page, self.status = answer.text, answer.status_code
        return self.page

    @property
    def screen(self) -> str:
        """Which screen of the registration is seen."""
        for name, mark in _MARKS.items():
            if mark in self.page:
                return name
        return "other"

    # ── 로그인 ──

    def log_in(self, password: str = BANKING_PASSWORD) -> None:
        self.get("/login")
        self.post("/login/id", {"banking_id": HONG.banking_id, "password": password})

    def log_in_with(self, slug: str) -> str:
        """공동인증서 로그인, then 대출 거래."""
        self.get("/login?way=cert&then=/loan")
        told = self._told("/login/challenge", {})
        return self.post("/login/certificate", {"then": "/loan", **self.signed(told, slug)})

    # ── 타기관인증서등록 ──

    def identify(self, **changed: str) -> str:
        typed = {"banking_id": HONG.banking_id, "password": BANKING_PASSWORD, "idn": HONG.idn}
        return self.post("/registration/identify", typed | changed)

    def request_code(self) -> str:
        """인증번호 요청; somebody who is told to wait waits."""
        end = time.monotonic() + PATIENCE_S
        while True:
            page = self.post("/registration/factor/request", {"method": "sms"})
            if self.status != 429 or time.monotonic() > end:
                return page
            time.sleep(0.1)

    def prove(self, **changed: str) -> str:
        typed = {"method": "sms", "number_back": HONG.idn[6:], "phone_back": HONG.mobile[-4:]}
        typed["code"] = changed.get("code") or self.newest_code()
        return self.post("/registration/factor", typed | changed)

    def present(self, slug: str) -> str:
        """③: the challenge, the window, the form."""
        replace = {"replace": "yes"} if 'name="replace"' in self.page else {}
        told = self._told("/registration/challenge", {**self.hidden(), **replace})
        if "nonce" not in told:
            return self.get()
        return self.post("/registration/certificate", {**replace, **self.signed(told, slug)})

    def back(self) -> str:
        return self.post("/registration/back", {})

    def cancel(self) -> str:
        return self.post("/registration/cancel", {})

    def _told(self, path: str, fields: Fields) -> dict[str, Any]:
        self.before()
        told: dict[str, Any] = self.send(path, {**self.hidden(), **fields}, "application/json").json()
        return told

    # ── the vault's hands ──

    def signed(self, told: dict[str, Any], slug: str) -> Fields:
        """What the certificate window fills in."""
        owner, key = pair(self.folders[slug])
        challenge = Challenge(
            purpose=Purpose(told["purpose"]),
            origin=told["origin"],
            nonce=told["nonce"],
            issued=datetime.fromisoformat(told["issued"]),
            expires=datetime.fromisoformat(told["expires"]),
            session=told["session"],
            body=told["body"],
        )
        sealed = self._sealed(challenge, owner, key) if told["seal"] else None
        message = cms.sign(
            text(challenge, owner.der, sealed), owner, key.signing_key(),
            purpose=str(challenge.purpose), signing_time=datetime.now(UTC),
        )  # fmt: skip
        blob = "" if sealed is None else base64.b64encode(sealed).decode()
        return {"nonce": told["nonce"], "signed": base64.b64encode(message).decode(), "sealed": blob}

    def _sealed(self, challenge: Challenge, owner: Certificate, key: PrivateKey) -> bytes:
        with _alive():
            public = base64.b64decode(self.client.get("/seal-key").json()["public"])
        random = key.random
        assert random is not None
        return seal(public, Secret(random.reveal()), challenge, owner.der)


_MARKS = {
    "identifying": 'action="/registration/identify"',
    "awaiting": 'name="code"',
    "choosing": 'action="/registration/factor"',
    "certificate": 'data-challenge="/registration/challenge"',
    "locked": 'role="alert"><strong>',
    "registered": '/registration?new=1">',
    "login": 'action="/login/id"',
}


@contextmanager
def _alive() -> Iterator[None]:
    try:
        yield
    except httpx2.TransportError:
        raise Died from None


def _place(answer: httpx2.Response) -> str:
    return unquote(answer.headers["location"]).partition("#")[0]
