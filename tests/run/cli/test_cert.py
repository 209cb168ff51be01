"""`ingam cert` from the outside: what it prints, what it writes, and the exit code of every cause."""

from __future__ import annotations

import io
import json
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp as peer
from tests.npki import certs
from tests.protocols.crl.test_crl import revocation_list
from tests.protocols.ocsp.test_ocsp import answer, responder

from ingam.kernel.words import table
from ingam.npki import cms, cms_plain, key_file, pfx
from ingam.npki.key_file import Variant
from ingam.run.cli import NOUNS, answers, main

SAMPLES = certs.SAMPLES
PINK, KIEA = SAMPLES / "pypinksign", SAMPLES / "kiea-mydata"
SAMPLE_PASSWORDS = {PINK: "WTuA8Ev0lWXVFSiI!", KIEA: "11223344", PINK / "test.pfx": "WTuA8Ev0lWXVFSiI!"}
PASSWORD, NEW = "ingam-Test#2026", "another-One#19"
NOW = "2026-11-22T12:00:00+00:00"
Run = Callable[..., SimpleNamespace]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs `ingam cert …` with what is typed on stdin; answers code, out, err and the JSON of out."""
    monkeypatch.setenv("LC_ALL", "ko_KR.UTF-8")

    def running(*words: str | Path, typed: str | bytes | None = None) -> SimpleNamespace:
        arguments = ["cert", *map(str, words)]
        octets = typed.encode() if isinstance(typed, str) else typed
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(octets or b"")))
        if octets is not None:
            arguments.append("--password-stdin")
        code = main(arguments)
        told = capsys.readouterr()
        parsed: Any = json.loads(told.out) if "--json" in arguments and told.out else None
        return SimpleNamespace(code=code, out=told.out, err=told.err, json=parsed)

    return running


@pytest.fixture
def pair(tmp_path: Path) -> Path:
    """홍길동's pair under the test world's CA, without R."""
    return laid(tmp_path / "pair", certs.person_der())


def laid(place: Path, der: bytes, key_name: str = "rsa2048-02", variant: Variant = Variant.PBE_SHA1_SEED) -> Path:
    place.mkdir(parents=True)
    plain = (certs.VECTORS / "keys" / f"{key_name}.p8").read_bytes()
    (place / "signCert.der").write_bytes(der)
    (place / "signPri.key").write_bytes(key_file.seal_key(plain, PASSWORD.encode(), variant))
    return place


@pytest.fixture
def anchors(tmp_path: Path) -> Path:
    """The test world's root, CA and OCSP responder."""
    place = tmp_path / "anchors"
    place.mkdir()
    for at, party in enumerate((certs.root(), certs.ca(), responder())):
        (place / f"{at}.cer").write_bytes(party.certificate.der)
    return place


@pytest.mark.parametrize("path", SAMPLE_PASSWORDS, ids=lambda path: path.name)
def test_every_sample_is_shown(path: Path, run: Run) -> None:
    told = run("show", path, "--json", typed=SAMPLE_PASSWORDS[path])
    assert told.code == 0
    expected = x509.load_der_x509_certificate(
        (path if path.is_dir() else path.parent).joinpath("signCert.der").read_bytes()
    )
    assert told.json["serial"] == expected.serial_number
    assert told.json["key"]["bits"] == 2048
    assert told.json["key"]["has_r"] is True
    assert told.json["matches"] is True
    wanted = ("subject", "display_name", "issuer", "policy", "not_before", "not_after", "fingerprint_sha256")
    assert all(told.json[name] for name in wanted)


def test_show_tells_what_it_can_without_a_password(run: Run) -> None:
    told = run("show", KIEA, "--json")
    assert told.code == 0
    assert told.json["display_name"] == "mydataServer"
    assert told.json["policy"] == {"oid": "1.2.410.200004.5.1.1.7", "name": "범용(법인)"}
    assert told.json["key"] == {
        "variant": "pbes2-seed", "iterations": 1024, "prf": "hmac-sha1", "bits": 2048, "has_r": None
    }  # fmt: skip
    assert told.json["matches"] is None
    assert "비밀번호를 넣으면" in run("show", KIEA).out


def test_show_all_tells_identifiers_addresses_and_usage_too(run: Run) -> None:
    told = run("show", KIEA, "--all", "--json").json["all"]
    assert told["policies"] == ["1.2.410.200004.5.1.1.7"]
    assert told["signature_algorithm"] == "1.2.840.113549.1.1.11"
    assert "digitalSignature" in told["key_usage"]
    assert told["vid_hash"] == "sha256"
    assert len(bytes.fromhex(told["subject_key_id"])) == len(bytes.fromhex(told["authority_key_id"])) == 20
    assert told["crl"][0].startswith("ldap://")
    assert told["ocsp"][0].startswith("http")
    assert told["subject_key_id"] in run("show", KIEA, "--all").out


def test_show_of_a_pair_without_R_says_so(pair: Path, run: Run) -> None:
    told = run("show", pair, "--json", typed=PASSWORD)
    assert (told.code, told.json["key"]["has_r"], told.json["display_name"]) == (0, False, "홍길동")


def test_show_tells_a_mismatch_and_ends_with_5(tmp_path: Path, run: Run) -> None:
    place = laid(tmp_path / "other", certs.person_der(), "rsa2048-05")
    told = run("show", place, "--json", typed=PASSWORD)
    assert (told.code, told.json["matches"]) == (5, False)


CAUSES: list[tuple[str, str, int]] = [
    ("wrong password", "wrong-password", 3),
    ("cut key", "key-damaged", 4),
    ("cut certificate", "cert-malformed", 4),
    ("no key", "folder-incomplete", 4),
    ("no folder", "folder-missing", 2),
    ("other key", "key-mismatch", 5),
]


@pytest.mark.parametrize(("cause", "code", "ends"), CAUSES)
def test_every_cause_has_its_code_and_its_exit_code(
    cause: str, code: str, ends: int, pair: Path, tmp_path: Path, run: Run
) -> None:
    key, cert = pair / "signPri.key", pair / "signCert.der"
    match cause:
        case "cut key":
            key.write_bytes(key.read_bytes()[:-1])
        case "cut certificate":
            cert.write_bytes(cert.read_bytes()[:-1])
        case "no key":
            key.unlink()
        case "other key":
            cert.write_bytes(certs.person_der(key_name="rsa2048-03"))
    path = tmp_path / "none" if cause == "no folder" else pair
    typed = "wrong" if cause == "wrong password" else PASSWORD
    told = run("export", path, "--pfx", tmp_path / "out.pfx", "--json", typed=typed)
    assert (told.code, told.json["error"]["code"]) == (ends, code)
    assert not (tmp_path / "out.pfx").exists()
    plain = run("export", path, "--pfx", tmp_path / "out.pfx", typed=typed)
    assert f"[{code}]" in plain.err
    assert plain.out == ""


def test_a_password_is_needed_and_never_an_argument(pair: Path, tmp_path: Path, run: Run) -> None:
    told = run("export", pair, "--pfx", tmp_path / "out.pfx")
    assert told.code == 2
    assert run("show", pair, "--password", PASSWORD).code == 2


def test_at_a_terminal_the_password_is_asked_for_and_an_empty_line_skips_it(
    pair: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(isatty=lambda: True))
    typed = iter((PASSWORD, "", PASSWORD, NEW, NEW, NEW, NEW, "differs"))
    monkeypatch.setattr("getpass.getpass", lambda prompt: next(typed))
    for matches in (True, None):
        assert main(["cert", "show", str(pair), "--json"]) == 0
        assert json.loads(capsys.readouterr().out)["matches"] is matches
    assert main(["cert", "change-password", str(pair)]) == 0
    assert main(["cert", "change-password", str(pair), "--json"]) == 2
    assert json.loads(capsys.readouterr().out.split("\n", 1)[1])["error"]["code"] == "cert-password-differs"


def test_a_password_file_is_read_to_its_line_end_and_no_further(pair: Path, tmp_path: Path, run: Run) -> None:
    (tmp_path / "secret").write_bytes(PASSWORD.encode() + b"\r\n")
    assert run("show", pair, "--password-file", tmp_path / "secret", "--json").json["matches"] is True
    (tmp_path / "secret").write_bytes(b" " + PASSWORD.encode())
    assert run("show", pair, "--password-file", tmp_path / "secret").code == 3
    assert run("show", pair, "--password-file", tmp_path / "none").code == 2


def test_list_has_the_columns_of_the_certificate_window(pair: Path, tmp_path: Path, run: Run) -> None:
    (pair / "old.pfx").write_bytes((PINK / "test.pfx").read_bytes())
    told = run("list", tmp_path, "--at", NOW)
    head, *rows = told.out.splitlines()
    assert head.split() == ["용도", "소유자", "만료일", "발급기관", "상태", "위치"]
    assert any("홍길동" in row and "2027-04-17" in row and "코스콤" in row for row in rows)
    assert any("old.pfx" in row for row in rows)
    found = run("list", tmp_path, "--json", "--at", NOW).json["found"]
    assert {one["state"] for one in found} == {"current", "pfx"}
    late = run("list", tmp_path, "--json", "--at", "2027-04-01T00:00:00Z").json["found"]
    assert "near-expiry" in {one["state"] for one in late}


def test_list_tells_a_damaged_certificate_and_goes_on(pair: Path, tmp_path: Path, run: Run) -> None:
    (laid(tmp_path / "b", certs.person_der()) / "signCert.der").write_bytes(b"damaged")
    told = run("list", tmp_path, "--json", "--at", NOW)
    assert told.code == 0
    assert sorted(one["state"] for one in told.json["found"]) == ["cert-malformed", "current"]
    assert run("list", tmp_path / "none").code == 2


def test_list_without_a_folder_looks_in_the_usual_places(
    tmp_path: Path, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.delenv("USER", raising=False)
    assert "찾지 못했습니다" in run("list").out
    laid(tmp_path / "NPKI" / "SignKorea" / "USER" / "cn=x", certs.person_der())
    (found,) = run("list", "--json").json["found"]
    assert found["ca_folder"] == "SignKorea"


def test_verify_offline_says_that_the_status_was_not_checked(pair: Path, anchors: Path, run: Run) -> None:
    told = run("verify", pair, "--anchors", anchors, "--at", NOW)
    assert told.code == 0
    assert "확인하지 않았습니다" in told.out
    told = run("verify", pair, "--anchors", anchors, "--at", NOW, "--json")
    assert told.json["status"] == {"checked": False, "source": None, "result": None}
    assert len(told.json["path"]) == 3


def test_verify_refuses_with_6_what_is_expired_or_untrusted(pair: Path, anchors: Path, run: Run) -> None:
    late = run("verify", pair, "--anchors", anchors, "--at", "2028-01-01T00:00:00Z", "--json")
    assert (late.code, late.json["error"]["code"]) == (6, "cert-expired")
    strange = run("verify", pair, "--at", NOW, "--json")
    assert (strange.code, strange.json["error"]["code"]) == (6, "untrusted-issuer")


def test_an_anchor_may_be_an_intermediate(pair: Path, anchors: Path, run: Run) -> None:
    (anchors / "0.cer").unlink()
    (anchors / "2.cer").unlink()
    told = run("verify", pair, "--anchors", anchors, "--at", NOW, "--json")
    assert (told.code, len(told.json["path"])) == (0, 2)
    (anchors / "1.cer").unlink()
    assert run("verify", pair, "--anchors", anchors, "--at", NOW).code == 4


def test_an_anchor_may_be_pem(pair: Path, anchors: Path, run: Run) -> None:
    for file in list(anchors.iterdir()):
        loaded = x509.load_der_x509_certificate(file.read_bytes())
        file.with_suffix(".pem").write_bytes(loaded.public_bytes(Encoding.PEM))
        file.unlink()
    assert run("verify", pair, "--anchors", anchors, "--at", NOW).code == 0


def test_verify_by_a_crl_file(tmp_path: Path, anchors: Path, run: Run) -> None:
    held = laid(tmp_path / "held", certs.person_der())
    good = laid(tmp_path / "good", certs.person_der(serial=99))
    (tmp_path / "list.crl").write_bytes(revocation_list(partition="dp4p1"))
    words = ("--anchors", anchors, "--crl", tmp_path / "list.crl", "--at", NOW, "--json")
    told = run("verify", held, *words)
    assert (told.code, told.json["error"]["code"]) == (6, "cert-suspended")
    told = run("verify", good, *words)
    assert (told.code, told.json["status"]["result"]) == (0, "good")
    (tmp_path / "list.crl").write_bytes(revocation_list(partition="dp4p2"))
    assert run("verify", good, *words).code == 6


@contextmanager
def serving(status: peer.OCSPCertStatus, nonce: bytes | None = None) -> Iterator[str]:
    """An OCSP responder on a free loopback port; it repeats the nonce that it was asked with, unless told another."""

    class Responder(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            asked = peer.load_der_ocsp_request(self.rfile.read(int(self.headers["Content-Length"])))
            own = asked.extensions.get_extension_for_class(x509.OCSPNonce).value.nonce
            body = answer(status=status, nonce=nonce or own)
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            return None

    server = HTTPServer(("127.0.0.1", 0), Responder)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@pytest.mark.parametrize(
    ("status", "nonce", "ends", "code"),
    [
        (peer.OCSPCertStatus.GOOD, None, 0, None),
        (peer.OCSPCertStatus.REVOKED, None, 6, "cert-revoked"),
        (peer.OCSPCertStatus.UNKNOWN, None, 6, "status-unknown"),
        (peer.OCSPCertStatus.GOOD, b"another nonce...", 6, "status-nonce-mismatch"),
    ],
)
def test_A11_verify_online_believes_only_a_fresh_answer_of_a_vouched_responder(
    status: peer.OCSPCertStatus, nonce: bytes | None, ends: int, code: str | None, pair: Path, anchors: Path, run: Run
) -> None:
    with serving(status, nonce) as address:
        words = ("verify", pair, "--anchors", anchors, "--online", "--ocsp-url", address, "--at", NOW, "--json")
        told = run(*words)
        assert told.code == ends
        assert (told.json["error"]["code"] if code else told.json["status"]["result"]) == (code or "good")
        (anchors / "2.cer").unlink()
        untrusted = run(*words)
        assert (untrusted.code, untrusted.json["error"]["code"]) == (6, "status-responder-untrusted")


@pytest.mark.parametrize("address", ["http://127.0.0.1:1/", "file:///etc/hostname", "ldap://127.0.0.1/"])
def test_A12_what_cannot_be_confirmed_is_never_good(address: str, pair: Path, anchors: Path, run: Run) -> None:
    told = run("verify", pair, "--anchors", anchors, "--online", "--ocsp-url", address, "--at", NOW, "--json")
    assert (told.code, told.json["error"]["code"]) == (6, "status-unavailable")


def copied(source: Path, place: Path) -> Path:
    place.mkdir()
    for one in source.iterdir():
        (place / one.name).write_bytes(one.read_bytes())
    return place


def test_change_password_keeps_R_and_changes_both_pairs(tmp_path: Path, run: Run) -> None:
    place = copied(KIEA, tmp_path / "pair")
    before = bytes(key_file.open_key((place / "signPri.key").read_bytes(), b"11223344").pkcs8.reveal())
    assert run("change-password", place, typed=f"11223344\n{NEW}\n").code == 0
    for name in ("signPri.key", "kmPri.key"):
        key_file.open_key((place / name).read_bytes(), NEW.encode())
    after = bytes(key_file.open_key((place / "signPri.key").read_bytes(), NEW.encode()).pkcs8.reveal())
    assert after == before
    assert run("show", place, typed="11223344").code == 3
    assert (place / "signCert.der").read_bytes() == (KIEA / "signCert.der").read_bytes()


def test_change_password_refuses_a_weak_one_and_touches_nothing(pair: Path, run: Run) -> None:
    before = (pair / "signPri.key").read_bytes()
    for weak, code in (("short1#", "length"), ("비밀번호비밀번호1#", "ascii"), ("goodpass'19", "forbidden")):
        told = run("change-password", pair, "--json", typed=f"{PASSWORD}\n{weak}\n")
        assert (told.code, told.json["error"]["code"]) == (2, f"cert-password-{code}")
    assert run("change-password", pair, typed=f"wrong\n{NEW}\n").code == 3
    assert run("change-password", pair, typed=PASSWORD).code == 2
    assert (pair / "signPri.key").read_bytes() == before


def test_change_password_of_a_pfx(tmp_path: Path, run: Run) -> None:
    (tmp_path / "a.pfx").write_bytes((PINK / "test.pfx").read_bytes())
    (tmp_path / "new").write_text(NEW)
    told = run(
        "change-password", tmp_path / "a.pfx", "--new-password-file", tmp_path / "new", typed="WTuA8Ev0lWXVFSiI!"
    )
    assert told.code == 0
    held = pfx.open_pfx((tmp_path / "a.pfx").read_bytes(), NEW.encode())
    assert held.key.has_random


def test_export_and_import_bring_the_same_bytes_back(tmp_path: Path, run: Run) -> None:
    out = tmp_path / "out.pfx"
    assert run("export", KIEA, "--pfx", out, typed="11223344").code == 0
    assert run("import", out, tmp_path / "NPKI", "--json", typed="11223344").code == 0
    told = run("import", out, tmp_path / "flat", "--variant", "pbes2-aria-256", "--json", typed="11223344")
    assert "만료된 인증서" in told.err
    assert told.json["path"] == str(tmp_path / "flat")
    (tree,) = (tmp_path / "NPKI").glob("SignKorea/USER/cn=mydataServer*")
    for place in (tree, tmp_path / "flat"):
        for name in ("signPri.key", "kmPri.key"):
            ours = key_file.open_key((place / name).read_bytes(), b"11223344")
            theirs = key_file.open_key((KIEA / name).read_bytes(), b"11223344")
            assert ours.pkcs8 == theirs.pkcs8
        assert (place / "kmCert.der").read_bytes() == (KIEA / "kmCert.der").read_bytes()
    assert key_file.describe((tmp_path / "flat" / "signPri.key").read_bytes()).variant == "pbes2-aria-256"


def test_B16_the_export_for_backup_opens_too(pair: Path, tmp_path: Path, run: Run) -> None:
    told = run("export", pair, "--pfx", tmp_path / "out.pfx", "--for-backup", typed=PASSWORD)
    assert (told.code, "보관용" in told.out) == (0, True)
    assert run("show", tmp_path / "out.pfx", "--json", typed=PASSWORD).json["matches"] is True


def test_nothing_that_is_there_is_replaced_unless_forced(pair: Path, tmp_path: Path, run: Run) -> None:
    out = tmp_path / "out.pfx"
    out.write_bytes(b"mine")
    assert run("export", pair, "--pfx", out, typed=PASSWORD).code == 2
    assert out.read_bytes() == b"mine"
    assert run("export", pair, "--pfx", out, "--force", typed=PASSWORD).code == 0
    told = run("import", out, KIEA, "--json", typed=PASSWORD)
    assert (told.code, told.json["error"]["code"]) == (2, "folder-occupied")
    assert run("import", pair, tmp_path / "x", typed=PASSWORD).code == 4


def test_A5_sign_uses_signed_attributes_unless_told_otherwise(pair: Path, tmp_path: Path, run: Run) -> None:
    text = tmp_path / "text.txt"
    text.write_bytes(b"any text")
    assert run("sign", pair, "--in", text, "--at", NOW, typed=PASSWORD).code == 0
    verified = cms.verify_data(cms.parse((tmp_path / "text.txt.p7s").read_bytes()), content=b"any text")
    assert verified.certificate == certs.person().certificate
    assert verified.signing_time == certs.NOW
    for form, verify in (("plain", cms_plain.verify_plain), ("koscom-brief", cms_plain.verify_brief)):
        out = tmp_path / form
        assert run("sign", pair, "--in", text, "--out", out, "--form", form, typed=PASSWORD).code == 0
        assert verify(out.read_bytes()).content == b"any text"


def test_sign_needs_its_input_and_the_right_password(pair: Path, tmp_path: Path, run: Run) -> None:
    assert run("sign", pair, "--in", tmp_path / "none", typed=PASSWORD).code == 4
    (tmp_path / "text").write_bytes(b"text")
    assert run("sign", pair, "--in", tmp_path / "text", typed="wrong").code == 3
    assert not (tmp_path / "text.p7s").exists()


def test_help_documents_the_exit_codes_in_both_languages(run: Run) -> None:
    korean, english = run("--help"), run("--help", "--lang", "en")
    assert (korean.code, english.code) == (0, 0)
    for code in ("0", "2", "3", "4", "5", "6"):
        assert f"{code} " in korean.out.split("종료 코드")[1]
        assert f"{code} " in english.out.split("Exit codes")[1]
    for verb in ("list", "show", "verify", "change-password", "export", "import", "sign"):
        assert run(verb, "--help").code == 0


def test_usage_errors_end_with_2(run: Run) -> None:
    for words in ((), ("none",), ("show",), ("verify", "x", "--at", "yesterday"), ("export", "x")):
        assert run(*words).code == 2
    assert main([]) == main(["none"]) == 2
    assert main(["--help"]) == 0


def test_messages_are_korean_unless_the_system_or_the_person_asks_for_english() -> None:
    assert answers.language(None, {}) == answers.language(None, {"LANG": "C.UTF-8"}) == "ko"
    assert answers.language(None, {"LANG": "en_US.UTF-8"}) == "en"
    assert answers.language(None, {"LANG": "en_US.UTF-8", "LC_ALL": "ko_KR.UTF-8"}) == "ko"
    assert answers.language("en", {"LANG": "ko_KR.UTF-8"}) == "en"


def test_every_code_that_the_command_tells_has_a_text() -> None:
    codes = set(answers.EXIT_CODES) - {"usage", "cms-key-mismatch"}
    codes |= {entry["code"] for name in ("refusals", "pfx") for entry in told_codes(name)}
    for lang in ("ko", "en"):
        assert codes <= {key.split(".", 1)[1] for key in table(lang) if key.startswith("refusal.")}


def told_codes(name: str) -> list[dict[str, str]]:
    manifest = json.loads((certs.VECTORS / name / "manifest.json").read_text(encoding="utf-8"))
    return [entry for entry in manifest["files"] + manifest.get("refused", []) if "code" in entry]


def test_H1_no_password_and_no_key_byte_is_printed(pair: Path, tmp_path: Path, run: Run) -> None:
    for words in (("show", pair), ("show", pair, "--json"), ("export", pair, "--pfx", tmp_path / "o.pfx")):
        for typed in (PASSWORD, "Wrong-Secret#77"):
            told = run(*words, typed=typed)
            assert PASSWORD not in told.out + told.err
            assert "Wrong-Secret" not in told.out + told.err


def test_the_bare_package_needs_cryptography_alone() -> None:
    """Nothing of the server is imported, directly or not, by the command."""
    script = (
        "import sys; from ingam.run.cli import main; main(['cert', 'list', sys.argv[1]]);"
        "print(*(sorted({name.split('.')[0] for name in sys.modules} & "
        "{'starlette', 'msgspec', 'jinja2', 'sqlalchemy', 'httpx2', 'uvicorn', 'structlog'})), file=sys.stderr)"
    )
    ended = subprocess.run([sys.executable, "-c", script, str(PINK)], capture_output=True, text=True, check=True)
    assert ended.stderr.strip() == ""


def test_every_noun_can_be_loaded_later() -> None:
    assert NOUNS["cert"] == "ingam.run.cli.cert"


def test_H9_a_folder_of_a_strangers_stick_gives_no_commands_to_the_terminal(run: Run, tmp_path: Path) -> None:
    hostile = ["a\x1b[2J\x1b]0;owned\x07", "b\x9b31m", "c\u202egnp.tset", "d\nvalid", "\udcff\udcfe"]
    for name in hostile:
        laid(tmp_path / name, certs.person_der())
    (tmp_path / "e\x1bc").mkdir()
    (tmp_path / "e\x1bc" / "signCert.der").write_bytes(certs.person_der())
    told = run("list", tmp_path)
    assert told.code == 0 and told.err
    for line in (told.out + told.err).splitlines():
        assert line.isprintable(), ascii(line)
    assert len(told.out.splitlines()) == 1 + len(hostile)
    paths = {Path(row["path"]).name for row in run("list", tmp_path, "--json").json["found"]}
    assert paths == set(hostile)
    assert run("show", tmp_path / hostile[4]).out.encode("utf-8")
