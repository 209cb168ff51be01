"""The status service over HTTP: what caches may keep, what OpenSSL accepts, and how soon a revocation is everywhere."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import http.client
import os
import subprocess
import sys
import time
from base64 import b64encode
from collections.abc import Iterator
from dataclasses import replace
from email.utils import parsedate_to_datetime
from pathlib import Path
from urllib.parse import quote

import pytest
from cryptography import x509
from cryptography.x509 import ocsp as peer
from tests.ca.status.ground import GOOD, REVOKED, UNKNOWN, LiveBooks, asking, counted, generation
from tests.npki import certs
from tests.run import va_world
from tests.run.test_exchange import answers as parted
from tests.run.test_exchange import say as say_to

from ingam.ca.status.limits import StatusLimits
from ingam.ca.status.responders import Generations
from ingam.npki import certificate
from ingam.ports.books import State
from ingam.protocols.ocsp.answering import issuer_hashes
from ingam.run.exchange import Request, plain
from ingam.run.published import Published, is_published
from ingam.run.tallies import Tallies
from ingam.run.va import Authority, Beside, Va
from ingam.run.va_metrics import VaMetrics
from ingam.run.va_origin import HttpOrigin, OriginRefused

NONCE = bytes(range(32))


# One process, over HTTP in memory


class Here:
    """A `Va` over books in memory; `published` has one list and one certificate."""

    def __init__(self, folder: Path) -> None:
        (folder / "dp1p1.crl").write_bytes(b"list")
        (folder / "issuing-1.der").write_bytes(b"certificate")
        (folder / "log").mkdir()
        (folder / "log" / "checkpoint").write_bytes(b"head")
        self.folder, self.books, self.signer = folder, LiveBooks(), counted()
        self.books.issue(7)
        made = generation(self.signer)
        # The ground's certificates are of its own day; the service's clock is the machine's.
        made.responder.until = int(time.time()) + 80 * 86_400
        served = Beside("ingam", folder, self.books, Generations([made]), va_world.SECRET)
        self.tallies = Tallies(1)
        self.authority = Authority(served, StatusLimits(), bytes(16))
        metrics = VaMetrics(["ingam"], [self.authority.answers], self.tallies, self.tallies.row(0))
        self.va = Va([self.authority], lambda _request: plain(404, "page"), metrics)

    def ask(
        self, method: bytes, target: bytes, body: bytes = b"", head: bytes = b""
    ) -> tuple[int, dict[bytes, bytes], bytes]:
        length = b"Content-Length: %d\r\n" % len(body) if body else b""
        whole = b"%s %s HTTP/1.1\r\nHost: a\r\nConnection: close\r\n%s%s\r\n%s" % (method, target, length, head, body)
        (answer,) = parted(say_to(whole, application=self.va))
        return answer


@pytest.fixture
def here(tmp_path: Path) -> Iterator[Here]:
    made = Here(tmp_path)
    yield made
    made.authority.answers.close()


def path_of(raw: bytes) -> bytes:
    return b"/" + quote(b64encode(raw).decode(), safe="").encode()


def said(body: bytes) -> object:
    found = peer.load_der_ocsp_response(body)
    if found.response_status is not peer.OCSPResponseStatus.SUCCESSFUL:
        return found.response_status.name
    return found.certificate_status


@pytest.mark.parametrize("target", [b"/", b"/ocsp", b"/ocsp/", b"/ocsp/ingam", b"/ocsp/ingam/"])
def test_a_post_is_answered_and_kept_by_nobody(here: Here, target: bytes) -> None:
    status, head, body = here.ask(b"POST", target, asking(7))
    assert (status, head[b"Content-Type"], head[b"Cache-Control"]) == (200, b"application/ocsp-response", b"no-store")
    assert said(body) is GOOD and b"ETag" not in head


@pytest.mark.parametrize("before", [b"", b"/ocsp/ingam"])
@pytest.mark.parametrize("escaped", [True, False])
def test_D13_a_get_may_be_kept_for_five_minutes_by_caches_old_and_new(here: Here, before: bytes, escaped: bool) -> None:
    target = before + (path_of(asking(7)) if escaped else b"/" + b64encode(asking(7)))
    for _ in range(2):  # signed, then from memory
        status, head, body = here.ask(b"GET", target)
        assert status == 200 and said(body) is GOOD
        assert head[b"Cache-Control"] == b"max-age=300, public, no-transform, must-revalidate"
        date, expires = (parsedate_to_datetime(head[name].decode()) for name in (b"Date", b"Expires"))
        assert 299 <= (expires - date).total_seconds() <= 300
        single = next(iter(peer.load_der_ocsp_response(body).responses))
        assert parsedate_to_datetime(head[b"Last-Modified"].decode()) == single.this_update_utc
        assert head[b"ETag"] == b'"%s"' % hashlib.sha256(body).hexdigest()[:40].encode()
    assert here.signer.signed == 1


def test_who_has_the_answer_already_is_told_so_and_a_revocation_is_another_answer(here: Here) -> None:
    target = path_of(asking(7))
    _, head, _ = here.ask(b"GET", target)
    tag = head[b"ETag"]
    for asked in (tag, b"W/" + tag, b'"x", ' + tag, b"*"):
        status, again, body = here.ask(b"GET", target, head=b"If-None-Match: %s\r\n" % asked)
        assert (status, body, again[b"ETag"]) == (304, b"", tag) and again[b"Cache-Control"] == head[b"Cache-Control"]
    here.books.change(7, State.REVOKED, 1)
    status, head, body = here.ask(b"GET", target, head=b"If-None-Match: %s\r\n" % tag)
    assert (status, said(body)) == (200, REVOKED) and head[b"ETag"] != tag


def test_D13_nonces_unknown_and_errors_are_kept_by_nobody(here: Here) -> None:
    for raw, expected in (
        (asking(7, nonce=NONCE), GOOD),
        (asking(99), UNKNOWN),
        (b"\x30\x80\x00", "MALFORMED_REQUEST"),
    ):
        status, head, body = here.ask(b"GET", path_of(raw), head=b'If-None-Match: "x"\r\n')
        assert (status, said(body), head[b"Cache-Control"]) == (200, expected, b"no-store")
        assert b"Expires" not in head


def test_head_says_what_get_says(here: Here) -> None:
    _, got, body = here.ask(b"GET", path_of(asking(7)))
    status, head, nothing = here.ask(b"HEAD", path_of(asking(7)))
    assert (status, nothing) == (200, b"") and head[b"Content-Length"] == str(len(body)).encode()
    assert head[b"ETag"] == got[b"ETag"]


def test_a_question_over_the_bound_is_refused_before_it_is_read(here: Here) -> None:
    body = b"x" * 9000
    assert here.va.limit(b"POST", b"/") < len(body) and here.va.limit(b"GET", b"/") == 0
    whole = b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n" % len(body)
    (answer,) = parted(say_to(whole, application=here.va))
    assert answer[0] == 413


@pytest.mark.parametrize(
    ("target", "kind", "found"),
    [
        (b"/crl/dp1p1.crl", b"application/pkix-crl", b"list"),
        (b"/dp1p1.crl", b"application/pkix-crl", b"list"),
        (b"/ingam/dp1p1.crl?x", b"application/pkix-crl", b"list"),
        (b"/certificates/issuing-1.cer", b"application/pkix-cert", b"certificate"),
        (b"/ingam/issuing-1.der", b"application/pkix-cert", b"certificate"),
        (b"/log/checkpoint", b"text/plain; charset=utf-8", b"head"),
    ],
)
def test_published_files_are_served_and_kept_for_five_minutes(
    here: Here, target: bytes, kind: bytes, found: bytes
) -> None:
    status, head, body = here.ask(b"GET", target)
    assert (status, head[b"Content-Type"], body) == (200, kind, found)
    assert head[b"Cache-Control"].startswith(b"max-age=300, public") and b"Expires" in head
    status, _, body = here.ask(b"GET", target, head=b"If-None-Match: %s\r\n" % head[b"ETag"])
    assert (status, body) == (304, b"")


def test_a_replaced_file_is_served_from_the_next_request_on(here: Here) -> None:
    here.ask(b"GET", b"/crl/dp1p1.crl")
    draft = here.folder / ".draft"
    draft.write_bytes(b"newer list")
    os.replace(draft, here.folder / "dp1p1.crl")
    assert here.ask(b"GET", b"/crl/dp1p1.crl")[2] == b"newer list"
    (here.folder / "dp1p1.crl").unlink()
    assert here.ask(b"GET", b"/crl/dp1p1.crl")[2] == b"page\n"


def test_a_large_file_is_streamed_and_a_small_one_kept(here: Here) -> None:
    (here.folder / "dp1p2.crl").write_bytes(os.urandom(3_000_000))
    status, head, body = here.ask(b"GET", b"/crl/dp1p2.crl")
    assert (status, body) == (200, (here.folder / "dp1p2.crl").read_bytes())
    assert here.ask(b"GET", b"/crl/dp1p2.crl", head=b"If-None-Match: %s\r\n" % head[b"ETag"])[0] == 304
    status, head, body = here.ask(b"HEAD", b"/crl/dp1p2.crl")
    assert (status, head[b"Content-Length"], body) == (200, b"3000000", b"")


@pytest.mark.parametrize(
    "name",
    [
        b"../keys/x.der",
        b"a/b.crl",
        b".crl",
        b"x.p8",
        b"A.crl",
        b"x.crl\0",
        b"log/../x.crl",
        b"log/tile/0/1",
        b"-x.crl",
        b"x.crl/",
    ],
)
def test_only_names_of_published_files_are_looked_for(name: bytes) -> None:
    assert not is_published(name)


def test_the_names_of_the_log_are_served(tmp_path: Path) -> None:
    for name in (b"log/tile/0/x001/x234/067", b"log/tile/1/000.p/12", b"log/checkpoint"):
        assert is_published(name)
    assert Published(tmp_path).reply(b"log/checkpoint", Request(b"GET", b"/", {}, b"", "", True, False)) is None


def test_health_readiness_and_metrics(here: Here) -> None:
    assert here.ask(b"GET", b"/healthz")[2] == b"ok\n"
    assert here.ask(b"GET", b"/readyz")[0] == 200
    here.ask(b"POST", b"/", asking(7))
    here.ask(b"POST", b"/", asking(7))
    here.ask(b"POST", b"/", asking(99))
    text = here.ask(b"GET", b"/metrics")[2].decode()
    for line in (
        'ingam_ocsp_answers_total{authority="ingam",kind="presigned"} 2',
        'ingam_ocsp_answers_total{authority="ingam",kind="on_demand"} 1',
        'ingam_ocsp_presigned_signatures_total{authority="ingam"} 1',
        'ingam_ocsp_kept{authority="ingam"} 1',
        "ingam_va_ready 1",
    ):
        assert line in text.split("\n")
    here.books.away = True
    status, _, body = here.ask(b"GET", b"/readyz")
    assert (status, body) == (503, b"ingam books-outage\n")


def test_D12_a_responder_near_its_end_is_a_failure_of_readiness(here: Here) -> None:
    assert isinstance(here.authority.served, Beside)
    here.authority.served.generations.all[0].responder.until = int(time.time()) + 6 * 86_400
    status, _, body = here.ask(b"GET", b"/readyz")
    assert (status, body) == (503, b"ingam ocsp-responder-ending\n")


def test_addresses_with_a_slash_too_many_and_whole_addresses_are_understood(here: Here) -> None:
    for before in (b"/", b"/ocsp/ingam/"):
        assert said(here.ask(b"GET", before + path_of(asking(7)))[2]) is GOOD
    assert said(here.ask(b"POST", b"http://ocsp.ingam.test/ocsp/ingam", asking(7))[2]) is GOOD
    assert said(here.ask(b"GET", b"http://ocsp.ingam.test/ocsp/ingam" + path_of(asking(7)))[2]) is GOOD


def test_other_pages_and_methods(here: Here) -> None:
    assert here.ask(b"GET", b"/")[2] == b"page\n"
    assert here.ask(b"GET", b"/ocsp/nobody/MAAA")[2] == b"page\n"
    assert here.ask(b"POST", b"/language", b"x")[2] == b"page\n"
    status, head, _ = here.ask(b"DELETE", b"/")
    assert (status, head[b"Allow"]) == (405, b"GET, HEAD, POST")


@pytest.mark.parametrize("query", [b"", b"?after=0", b"?after=x&nonce=00", b"?after=0&nonce=" + b"00" * 16])
def test_the_feed_is_for_mirrors(here: Here, query: bytes) -> None:
    for target in (b"/feed", b"/ocsp/ingam/feed"):
        assert here.ask(b"GET", target + query, head=b"Authorization: Ingam-Feed 00\r\n")[0] == 403
    here.authority.teller = None
    assert here.ask(b"GET", b"/feed" + query)[0] == 404


def test_workers_add_up_and_one_that_is_begun_anew_goes_on_counting() -> None:
    tallies = Tallies(2)
    tallies.row(0).write([5, 1], [3])
    tallies.row(1).write([7, 0], [2])
    assert tallies.sums(3) == [12, 1, 5]
    again = tallies.row(0)
    again.write([1, 0], [1])
    assert tallies.sums(3) == [13, 1, 3]


@pytest.mark.parametrize("address", ["http://va.example/ocsp/x", "http://10.0.0.1/", "ftp://localhost/", "localhost"])
def test_the_way_to_the_origin_is_loopback_tls_or_a_tunnel(address: str) -> None:
    with pytest.raises(OriginRefused):
        HttpOrigin(address)


# Processes of their own


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("va")
    va_world.prepare(folder)
    asyncio.run(va_world.issue(folder))
    return folder


@pytest.fixture(scope="module")
def service(world: Path) -> Iterator[int]:
    """Two workers on one port."""
    with va_world.started(world, workers=2) as port:
        yield port


@pytest.fixture(scope="module")
def mirror(world: Path, service: int) -> Iterator[int]:
    with va_world.started(world, workers=2, origin=f"http://127.0.0.1:{service}/ocsp/ingam") as port:
        yield port


def question(world: Path, serial: int, nonce: bytes | None = None) -> bytes:
    issuer = replace(certs.ca(), certificate=certificate.parse((world / "ca.der").read_bytes()))
    return asking(serial, nonce=nonce, issuer=issuer)


class Client:
    """A connection that stays."""

    def __init__(self, port: int) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)

    def post(self, raw: bytes) -> object:
        self._connection.request("POST", "/", raw)
        return said(self._connection.getresponse().read())

    def close(self) -> None:
        self._connection.close()


def openssl(world: Path, port: int, serial: int, *words: str) -> str:
    """What `openssl ocsp` prints."""
    command = ["openssl", "ocsp", "-issuer", str(world / "ca.pem"), *words, "-cert", str(world / f"{serial:x}.pem")]
    command += ["-CAfile", str(world / "ca.pem"), "-url", f"http://127.0.0.1:{port}/"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=30)
    assert done.returncode == 0, done.stderr
    return done.stdout + done.stderr


@pytest.mark.parametrize("words", [(), ("-no_nonce",), ("-sha256",), ("-sha256", "-no_nonce"), ("-nonce",)])
def test_openssl_believes_our_answers(world: Path, service: int, words: tuple[str, ...]) -> None:
    serial = va_world.SERIALS[0]
    text = openssl(world, service, serial, *words)
    assert "Response verify OK" in text and f"{serial:x}.pem: good" in text, text
    assert "WARNING" not in text.replace("WARNING: no nonce in response", "") or "-no_nonce" in words


def test_openssl_believes_answers_about_several_certificates(world: Path, service: int) -> None:
    first, second = va_world.SERIALS[0], va_world.SERIALS[3]  # of which no test changes one
    text = openssl(world, service, first, "-cert", str(world / f"{second:x}.pem"), "-no_nonce")
    assert "Response verify OK" in text and text.count(": good") == 2


def test_openssl_believes_what_a_mirror_passes_on(world: Path, mirror: int) -> None:
    for words in ((), ("-no_nonce",)):
        text = openssl(world, mirror, va_world.SERIALS[0], *words)
        assert "Response verify OK" in text and ": good" in text


def test_openssl_reads_an_answer_fetched_by_get(world: Path, service: int, tmp_path: Path) -> None:
    raw = tmp_path / "request.der"
    command = [
        "openssl",
        "ocsp",
        "-issuer",
        str(world / "ca.pem"),
        "-cert",
        str(world / f"{va_world.SERIALS[0]:x}.pem"),
    ]
    subprocess.run([*command, "-no_nonce", "-reqout", str(raw)], check=True, capture_output=True)
    connection = http.client.HTTPConnection("127.0.0.1", service, timeout=10)
    connection.request("GET", path_of(raw.read_bytes()).decode())
    (tmp_path / "answer.der").write_bytes(connection.getresponse().read())
    connection.close()
    read = [*command, "-respin", str(tmp_path / "answer.der"), "-CAfile", str(world / "ca.pem"), "-no_nonce"]
    done = subprocess.run(read, capture_output=True, text=True)
    assert "Response verify OK" in done.stderr and ": good" in done.stdout


def test_another_implementation_reads_them(world: Path, service: int) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", service, timeout=10)
    connection.request("POST", "/ocsp/ingam", question(world, va_world.SERIALS[0], NONCE))
    found = peer.load_der_ocsp_response(connection.getresponse().read())
    connection.close()
    assert found.extensions.get_extension_for_class(x509.OCSPNonce).value.nonce == NONCE
    issuer = certificate.parse((world / "ca.der").read_bytes())
    assert found.issuer_key_hash == issuer_hashes(issuer)[0][20:]


def test_a_revocation_by_another_process_is_in_the_very_next_answer_of_every_worker(world: Path, service: int) -> None:
    serial = va_world.SERIALS[1]
    clients = [Client(service) for _ in range(8)]  # over both workers
    raw = question(world, serial)
    assert [one.post(raw) for one in clients] == [GOOD] * 8
    asyncio.run(va_world.change(world, serial, State.REVOKED, 1))
    assert [one.post(raw) for one in clients] == [REVOKED] * 8
    for one in clients:
        one.close()


def test_a_revocation_is_on_every_mirror_within_a_second(world: Path, service: int, mirror: int) -> None:
    serial = va_world.SERIALS[2]
    clients = [Client(mirror) for _ in range(4)]
    raw = question(world, serial)
    assert [one.post(raw) for one in clients] == [GOOD] * 4
    asyncio.run(va_world.change(world, serial, State.HELD, 6))
    begun = time.monotonic()
    while [one.post(raw) for one in clients] != [REVOKED] * 4:
        assert time.monotonic() - begun < 1
    for one in clients:
        one.close()


def test_a_mirror_whose_origin_is_gone_stops_answering_from_memory(world: Path) -> None:
    raw = question(world, va_world.SERIALS[0])
    with contextlib.ExitStack() as outer:
        with va_world.started(world) as origin_port:
            port = outer.enter_context(va_world.started(world, origin=f"http://127.0.0.1:{origin_port}/ocsp/ingam"))
            client = Client(port)
            assert client.post(raw) is GOOD
        begun = time.monotonic()
        while client.post(raw) != "TRY_LATER":
            assert time.monotonic() - begun < 3
        client.close()


def test_books_that_are_refused_end_the_service(tmp_path: Path) -> None:
    va_world.prepare(tmp_path)
    (tmp_path / "ocsp.der").write_bytes((tmp_path / "ca.der").read_bytes())
    words = [sys.executable, "-m", "tests.run.va_world", str(tmp_path), str(va_world.free_port()), "2"]
    done = subprocess.run(words, capture_output=True, text=True, timeout=60, cwd=Path(__file__).parents[2])
    assert done.returncode == 2 and "ocsp-responder-refused reason=purpose" in done.stderr
