"""Keys on a PKCS#11 token, on Debian's SoftHSM: really lost sessions, logins, modules and token files, and recovery."""

from __future__ import annotations

import ctypes
import os
import subprocess
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pkcs11
import pytest
from pkcs11 import Attribute, KeyType, ObjectClass
from tests.adapters.hsm.places import KINDS, LABEL, PIN, Token, module

from ingam.adapters.hsm.pkcs11 import TokenKeys
from ingam.adapters.hsm.token_decryptor import TokenDecryptor
from ingam.kernel.errors import Defect
from ingam.kernel.secret import Secret
from ingam.npki.signature import public_key, verify
from ingam.ports.signing import (
    Intent,
    KeyKind,
    KeyKindRefused,
    KeyMissing,
    KeysLocked,
    Signer,
    SigningOutage,
)


def good(signer: Signer, message: bytes = b"tbs") -> None:
    """It signs."""
    signature = signer.sign(Intent.of(message))
    verify(public_key(signer.public.spki), signer.public.algorithm, signature, message)


def reason(act: Callable[[], Any]) -> object:
    """Why it is an outage."""
    with pytest.raises(SigningOutage) as refused:
        act()
    return refused.value.facts["reason"]


def lost(signer: Signer) -> object:
    """Why nothing is signed."""
    return reason(lambda: signer.sign(Intent.of(b"tbs")))


def in_thread(keys: TokenKeys, act: Callable[[pkcs11.Session], Any]) -> Any:
    """What only the token's thread may do."""
    return keys._ask(lambda: keys._session.use(act))


def handle(session: Any) -> int:
    return int(session.handle)


def finalise() -> None:
    pkcs11._loaded[str(module())].finalize()


def with_session(token: Token, act: Callable[[pkcs11.Session], Any]) -> None:
    """Somebody else's session with the token, before ours."""
    os.environ["SOFTHSM2_CONF"] = str(token.folder / "softhsm2.conf")
    library = pkcs11.lib(str(module()))
    with library.get_token(token_label=LABEL).open(rw=True, user_pin=PIN.reveal()) as session:
        act(session)
    finalise()


def pair(session: pkcs11.Session, label: str, **private: bool) -> None:
    template = {Attribute[name]: value for name, value in private.items()}
    session.generate_keypair(KeyType.RSA, 1024, label=label, store=True, private_template=template)


# A lost session, login, module, token


def test_a_module_that_somebody_finalised_is_found_again(token: Token) -> None:
    keys = token.open()
    signer, other = keys.signer("issuing-1"), keys.signer("ocsp-1")
    keys._ask(finalise)
    assert lost(signer) == "pkcs11-error"
    good(signer)
    good(other)


def test_a_session_that_was_closed_is_opened_anew(token: Token) -> None:
    keys = token.open()
    signer = keys.signer("issuing-1")
    in_thread(keys, lambda session: session.close())
    assert lost(signer) == "session-handle-invalid"
    good(signer)


def test_a_login_that_ended_is_made_again(token: Token) -> None:
    keys = token.open()
    signer, decryptor = keys.signer("issuing-1"), keys.decryptor("encryption-1")
    logout = ctypes.CDLL(str(module())).C_Logout
    logout.argtypes = [ctypes.c_ulong]
    assert in_thread(keys, lambda session: logout(handle(session))) == 0
    assert lost(signer) in ("user-not-logged-in", "object-handle-invalid", "key-handle-invalid")
    good(signer)
    assert decryptor.decrypt(bytes(256), oaep=True) is None
    assert in_thread(keys, lambda session: logout(handle(session))) == 0
    with pytest.raises(SigningOutage):
        decryptor.decrypt(bytes(256), oaep=True)
    assert decryptor.decrypt(bytes(256), oaep=True) is None


def test_token_files_that_went_away_are_an_outage_until_they_are_back(token: Token) -> None:
    keys = token.open()
    signer, decryptor = keys.signer("issuing-1"), keys.decryptor("encryption-1")
    away = token.objects.rename(token.folder / "away")
    token.objects.mkdir()
    for _ in range(3):
        assert lost(signer)
        with pytest.raises(SigningOutage):
            decryptor.decrypt(bytes(256), oaep=True)
        with pytest.raises(SigningOutage):
            keys.names()
        with pytest.raises(SigningOutage):
            keys.signer("ocsp-1")
        with pytest.raises(SigningOutage):
            keys.make("cmp-1", KeyKind.P_256)
    token.objects.rmdir()
    away.rename(token.objects)
    good(signer)
    assert decryptor.decrypt(bytes(256), oaep=True) is None
    assert keys.names() == tuple(sorted(KINDS))


def test_one_lost_token_is_an_outage_for_everybody_who_waits_and_for_nobody_after_them(token: Token) -> None:
    keys = token.open()
    signer = keys.signer("issuing-1")
    begun, go_on = threading.Event(), threading.Event()

    def hold() -> None:
        begun.set()
        assert go_on.wait(30)
        finalise()

    with ThreadPoolExecutor(6) as pool:
        holding = pool.submit(keys._ask, hold)
        assert begun.wait(5)
        waiting = [pool.submit(lost, signer) for _ in range(5)]
        while keys._line._jobs.qsize() < 5:
            pass
        go_on.set()
        holding.result()
        assert sorted(str(one.result()) for one in waiting) == ["pkcs11-error"] + ["token-lost"] * 4
    good(signer)


def test_a_token_lost_again_and_again_never_signs_wrongly_and_always_comes_back(token: Token) -> None:
    keys = token.open()
    signers = [keys.signer(name) for name in ("issuing-1", "ocsp-1", "root-1")]

    def sign(number: int) -> bool:
        if number % 10 == 9:
            keys._ask(finalise)
        try:
            good(signers[number % 3], str(number).encode())
        except SigningOutage:
            return False
        return True

    with ThreadPoolExecutor(4) as pool:
        signed = list(pool.map(sign, range(80)))
    assert any(signed)
    assert not all(signed)
    for signer in signers:
        in_thread(keys, lambda _: finalise())
        lost(signer)
        good(signer)


def test_a_token_changed_for_another_with_the_same_names_releases_nothing(token: Token, tmp_path: Path) -> None:
    keys = token.open()
    signer = keys.signer("ocsp-1")
    good(signer)
    away = token.objects.rename(token.folder / "away")
    other = Token.empty(tmp_path / "other")
    other.objects.rename(token.objects)

    def replace(session: pkcs11.Session) -> None:
        curve = {Attribute.EC_PARAMS: bytes.fromhex("06082a8648ce3d030107")}
        domain = session.create_domain_parameters(KeyType.EC, curve, local=True)
        domain.generate_keypair(label="ocsp-1", store=True)

    lost(signer)  # it has noticed that the token is another one
    keys.close()
    with_session(token, replace)
    again = token.open()
    signer._keys = again  # the signer of before, on the token of now
    for _ in range(2):
        assert lost(signer) == "wrong-signature"
    away.rename(token.folder / "back")


def test_a_key_that_was_deleted_is_missing(token: Token) -> None:
    keys = token.open()
    signer = keys.signer("ocsp-1")
    keys.close()

    def delete(session: pkcs11.Session) -> None:
        for one in session.get_objects({Attribute.LABEL: "ocsp-1"}):
            one.destroy()

    with_session(token, delete)
    again = token.open()
    signer._keys = again
    assert lost(signer) == "no-such-key"
    with pytest.raises(KeyMissing):
        again.signer("ocsp-1")
    good(again.signer("issuing-1"))


def test_a_failed_opening_stands_a_while_for_those_who_come_next(token: Token) -> None:
    now = [0.0]
    keys = token.open(retry_s=0.25, monotonic=lambda: now[0])
    signer = keys.signer("ocsp-1")
    away = token.objects.rename(token.folder / "away")
    token.objects.mkdir()
    assert lost(signer) == "object-handle-invalid"
    assert lost(signer) == "no-such-token"
    token.objects.rmdir()
    away.rename(token.objects)
    assert lost(signer) == "token-lost"
    now[0] += 0.25
    good(signer)


# The PIN


def test_a_pin_that_was_refused_is_not_tried_again(token: Token, monkeypatch: pytest.MonkeyPatch) -> None:
    logins = []
    library = pkcs11.lib

    def counted(path: str) -> Any:
        logins.append(path)
        return library(path)

    monkeypatch.setattr(pkcs11, "lib", counted)
    keys = token.open(Secret("canary-0000"))
    for _ in range(3):
        for act in (keys.names, lambda: keys.signer("ocsp-1"), lambda: keys.make("cmp-1", KeyKind.P_256)):
            with pytest.raises(KeysLocked):
                act()
    assert len(logins) == 1


def test_a_pin_that_was_changed_meanwhile_is_an_outage_for_signers(token: Token) -> None:
    keys = token.open()
    signer, decryptor = keys.signer("ocsp-1"), keys.decryptor("encryption-1")
    change = lambda session: session.set_pin(PIN.reveal(), "canary-1111")  # noqa: E731
    keys._ask(lambda: keys._session.use(change, write=True))
    keys._ask(finalise)
    lost(signer)
    for _ in range(2):
        assert lost(signer) == "locked"
        assert reason(lambda: decryptor.decrypt(bytes(256), oaep=True)) == "locked"
    with pytest.raises(KeysLocked):
        keys.signer("issuing-1")


# What a key may do


def test_D12_a_key_never_leaves_the_token_and_only_signs(token: Token) -> None:
    keys = token.open()
    keys.make("cmp-1", KeyKind.P_256)
    never = (Attribute.EXTRACTABLE, Attribute.DECRYPT, Attribute.UNWRAP, Attribute.DERIVE, Attribute.MODIFIABLE,
             Attribute.COPYABLE)  # fmt: skip
    always = (Attribute.SENSITIVE, Attribute.PRIVATE, Attribute.ALWAYS_SENSITIVE, Attribute.NEVER_EXTRACTABLE,
              Attribute.LOCAL)  # fmt: skip

    def look(session: Any) -> None:
        for key in session.get_objects({Attribute.CLASS: ObjectClass.PRIVATE_KEY}):
            decrypting = key[Attribute.LABEL] == "encryption-1"
            assert [bool(key[one]) for one in never if not decrypting or one is not Attribute.DECRYPT].count(True) == 0
            assert all(key[one] for one in always)
            assert bool(key[Attribute.SIGN]) is not decrypting
            assert bool(key[Attribute.DECRYPT]) is decrypting
            rsa = key.key_type is KeyType.RSA
            for secret in (Attribute.PRIVATE_EXPONENT, Attribute.PRIME_1) if rsa else (Attribute.VALUE,):
                with pytest.raises(pkcs11.AttributeSensitive):
                    key[secret]

    in_thread(keys, look)


@pytest.mark.parametrize(
    ("private", "kind"),
    [({"EXTRACTABLE": True, "DECRYPT": False, "UNWRAP": False}, "extractable"),
     ({"SENSITIVE": False, "DECRYPT": False, "UNWRAP": False}, "extractable"),
     ({"DECRYPT": True, "UNWRAP": False}, "other-use"),
     ({"DECRYPT": False, "UNWRAP": True}, "other-use"),
     ({"SIGN": False, "DECRYPT": False, "UNWRAP": False}, "other-use")],
)  # fmt: skip
def test_D12_a_key_that_may_leave_the_token_or_do_more_is_refused_whoever_made_it(
    token: Token, private: dict[str, bool], kind: str
) -> None:
    with_session(token, lambda session: pair(session, "issuing-5", **private))
    with pytest.raises(KeyKindRefused) as refused:
        token.open().signer("issuing-5")
    assert refused.value.facts == {"kind": kind}


def test_D6_a_key_that_also_signs_does_not_decrypt(token: Token) -> None:
    with_session(token, lambda session: pair(session, "encryption-5", SIGN=True, DECRYPT=True, UNWRAP=False))
    with pytest.raises(KeyKindRefused):
        token.open().decryptor("encryption-5")


def test_a_key_out_of_bounds_is_refused(token: Token) -> None:
    with_session(token, lambda session: pair(session, "issuing-5", DECRYPT=False, UNWRAP=False))
    with pytest.raises(KeyKindRefused) as refused:
        token.open().signer("issuing-5")
    assert refused.value.facts == {"kind": "unknown"}


def test_two_keys_of_one_label_are_none(token: Token) -> None:
    for _ in range(2):
        with_session(token, lambda session: pair(session, "issuing-5", DECRYPT=False, UNWRAP=False))
    with pytest.raises(KeyMissing):
        token.open().signer("issuing-5")


def test_ml_dsa_is_refused_and_nothing_is_left(token: Token) -> None:
    keys = token.open()
    with pytest.raises(KeyKindRefused) as refused:
        keys.make("root-2", KeyKind.ML_DSA_65)
    assert refused.value.facts == {"kind": "ml-dsa-65"}
    assert keys.names() == tuple(sorted(KINDS))


def test_D6_v15_stays_off_where_the_token_does_not_reject_implicitly(token: Token) -> None:
    decryptor = token.open(v15=True).decryptor("encryption-1")
    if decryptor.v15:  # a SoftHSM on OpenSSL 3.2 or newer
        assert decryptor.decrypt(bytes(255) + b"\2", oaep=False) is not None
    else:
        with pytest.raises(KeyKindRefused):
            decryptor.decrypt(bytes(256), oaep=False)
    assert decryptor.oaep_hash in ("sha1", "sha256")


def test_D6_v15_is_off_unless_it_is_asked_for(token: Token, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(TokenDecryptor, "_rejects_implicitly", lambda _: True)
    assert not token.open().decryptor("encryption-1").v15


# Its place in a process


def test_a_process_has_one_of_these_for_a_module(token: Token) -> None:
    keys = token.open()
    with pytest.raises(Defect) as refused:
        token.open()
    assert refused.value.code == "signing-token-in-use"
    keys.close()
    good(token.open().signer("ocsp-1"))


def test_nothing_is_opened_before_the_first_call() -> None:
    before = threading.active_count()
    keys = TokenKeys(Path("/nowhere.so"), LABEL, PIN, retry_s=0)
    assert threading.active_count() == before
    assert reason(keys.names) == "pkcs11-error"
    keys.close()


def test_authorities_that_share_a_token_see_their_own_keys(token: Token) -> None:
    one = token.open(prefix="one:")
    made = one.make("issuing-1", KeyKind.P_256)
    good(made)
    assert one.names() == ("issuing-1",)
    with pytest.raises(KeyMissing):
        one.signer("ocsp-1")
    one.close()
    assert token.open().names() == tuple(sorted(KINDS))


def test_a_full_queue_is_an_outage_at_once(token: Token) -> None:
    keys = token.open(depth=1)
    signer = keys.signer("ocsp-1")
    begun, go_on = threading.Event(), threading.Event()

    def hold() -> None:
        begun.set()
        assert go_on.wait(30)

    with ThreadPoolExecutor(2) as pool:
        holding = pool.submit(keys._ask, hold)
        assert begun.wait(5)
        waiting = pool.submit(good, signer)
        while keys._line._jobs.empty():
            pass
        assert lost(signer) == "queue-full"
        go_on.set()
        holding.result()
        waiting.result()


_CHILD = """
import os, sys
from pathlib import Path
from ingam.adapters.hsm.pkcs11 import TokenKeys
from ingam.kernel.secret import Secret
from ingam.ports.signing import Intent

keys = TokenKeys(Path(sys.argv[1]), sys.argv[2], Secret(sys.argv[3]))
if sys.argv[4] == "opened":
    signer = keys.signer("ocsp-1")
    signer.sign(Intent.of(b"parent"))
child = os.fork()
signer = keys.signer("ocsp-1")
for _ in range(20):
    signer.sign(Intent.of(b"both"))
if child:
    assert os.waitpid(child, 0)[1] == 0
    signer.sign(Intent.of(b"parent again"))
    print("signed")
"""


@pytest.mark.parametrize("state", ["opened", "unopened"])
def test_a_forked_child_and_its_parent_both_sign_and_end_without_closing(token: Token, state: str) -> None:
    words = [sys.executable, "-W", "error", "-c", _CHILD, str(module()), LABEL, PIN.reveal(), state]
    env = {**os.environ, "SOFTHSM2_CONF": str(token.folder / "softhsm2.conf")}
    done = subprocess.run(words, env=env, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "signed\n", "")
