"""`ports.signing` on a PKCS#11 token: keys that are made in it, never leave it, and are found by their labels.

One session and one thread for a process, a bounded queue in front (`token_line`). What the token gives is verified with
the public key before it is released: a token that was changed for another one, or is broken, releases nothing. A lost
token, session or login is an outage for those who wait; the next one finds it again (`token_session`).

What SoftHSM 2.6 can do: RSA and both curves; RSAES-OAEP with SHA-1 only; RSAES-PKCS1-v1_5 without implicit rejection,
so that it stays off (security D6).
"""

from __future__ import annotations

import time
import weakref
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, TypeVar

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed, encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256, SHA384
from pkcs11 import Mechanism, ObjectClass
from pkcs11 import exceptions as told

from ingam.adapters.hsm import intents, token_keys
from ingam.adapters.hsm.key_names import decrypts, is_name, refuse_other_use
from ingam.adapters.hsm.token_decryptor import TokenDecryptor
from ingam.adapters.hsm.token_line import Line
from ingam.adapters.hsm.token_session import TokenSession
from ingam.kernel.errors import Defect
from ingam.kernel.secret import Secret
from ingam.npki import der
from ingam.npki.signature import PublicKey, PublicKeyRefused
from ingam.ports.signing import (
    Intent,
    KeyExists,
    KeyKind,
    KeyKindRefused,
    KeyMissing,
    KeysLocked,
    PublicHalf,
    SigningOutage,
)

T = TypeVar("T")

_SHA256_INFO: Final = der.algorithm("2.16.840.1.101.3.4.2.1")
# What a token says where it cannot make such a key.
_CANNOT: Final = (
    told.MechanismInvalid,
    told.MechanismParamInvalid,
    told.KeySizeRange,
    told.DomainParamsInvalid,
    told.AttributeValueInvalid,
    told.AttributeTypeInvalid,
    told.TemplateInconsistent,
)
_of_module: weakref.WeakValueDictionary[str, TokenKeys] = weakref.WeakValueDictionary()


class TokenKeys:
    """`ports.signing.SigningKeys`. `module`: the PKCS#11 library; `token`: the token's label.

    `prefix` stands before the names in the labels, where several authorities share a token. `depth`: of the queue;
    `answer_s`: how long a call may take with its waiting, `make_s` the making of a key; `retry_s`: how long a failed
    opening stands. `v15`: the token is known to reject implicitly; it is tried out before it is believed.

    Nothing is opened before the first call, so that a process may fork before. Besides what the port names, methods
    raise KeysLocked; a PIN that was refused is not tried again. Raises Defect `signing-token-in-use`: a process has one
    of these for a module.
    """

    def __init__(
        self,
        module: Path,
        token: str,
        pin: Secret[str],
        *,
        prefix: str = "",
        depth: int = 64,
        answer_s: float = 10,
        make_s: float = 120,
        retry_s: float = 0.25,
        v15: bool = False,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        if (other := _of_module.get(str(module))) is not None and not other.closed:
            raise Defect("signing-token-in-use")
        _of_module[str(module)] = self
        self._prefix, self._answer_s, self._make_s, self._v15 = prefix, answer_s, make_s, v15
        self._line = Line(depth)
        self._session = TokenSession(
            module, token, pin, retry_s=retry_s, monotonic=monotonic, lost=self._line.fail_waiting
        )
        # Also at the end of the process, where nobody closes it.
        self._close = weakref.finalize(self, self._line.close, answer_s, self._session.close)

    @property
    def closed(self) -> bool:
        """Whether it was closed."""
        return not self._close.alive

    def make(self, name: str, kind: KeyKind) -> TokenSigner:
        """A new key in the token; that of `encryption-N` signs nothing."""
        decrypting = decrypts(name)
        refuse_other_use(name, kind, decrypting=decrypting)
        public, key = self._line.ask(lambda: self._made(name, kind, decrypting), self._make_s)
        return TokenSigner(self, public, key)

    def signer(self, name: str) -> TokenSigner:
        """Raises KeyKindRefused for a key that can leave the token, or whose use is another one (D6, D12)."""
        if decrypts(name):
            raise KeyKindRefused(kind="encryption")
        public, key = self._ask(lambda: self._known(name, decrypting=False))
        return TokenSigner(self, public, key)

    def decryptor(self, name: str) -> TokenDecryptor:
        """Raises KeyKindRefused as `signer`, and where the token cannot decrypt with it at all."""
        if not decrypts(name):
            raise KeyKindRefused(kind="signing")
        public, key = self._ask(lambda: self._known(name, decrypting=True))
        if not isinstance(key, RSAPublicKey):
            raise KeyKindRefused(kind=public.kind.value)
        return TokenDecryptor(lambda act: self.with_key(name, act), public, key, v15=self._v15)

    def names(self) -> tuple[str, ...]:
        """Those whose labels have the prefix."""
        labels = self._ask(self._session.labels)
        found = (one.removeprefix(self._prefix) for one in labels if one.startswith(self._prefix))
        return tuple(sorted(name for name in found if is_name(name)))

    def close(self) -> None:
        """Log out; those who wait, and whoever comes, meet an outage."""
        self._close()

    def with_key(self, name: str, act: Callable[[Any], T]) -> T:
        """What `act` gives for the key's object, in the token's thread; an error of the token is a SigningOutage."""
        try:
            return self._ask(lambda: self._session.use(lambda _: act(self._private(name))))
        except KeysLocked:
            raise SigningOutage(reason="locked") from None

    def distrust(self) -> None:
        """What the token gave is wrong: it is looked for anew."""
        self._ask(self._session.lose)

    def _ask(self, act: Callable[[], T]) -> T:
        return self._line.ask(act, self._answer_s)

    def _private(self, name: str) -> Any:
        found = self._session.find(ObjectClass.PRIVATE_KEY, self._prefix + name)
        if found is None:
            raise SigningOutage(reason="no-such-key")
        return found

    def _pair(self, name: str) -> tuple[Any, Any]:
        for kind in (ObjectClass.PUBLIC_KEY, ObjectClass.PRIVATE_KEY):
            if self._session.find(kind, self._prefix + name) is None:
                raise KeyMissing(name=name)
        # Looking for the second one may have opened a session in which the first is not known yet.
        return self._private(name), self._session.find(ObjectClass.PUBLIC_KEY, self._prefix + name)

    def _made(self, name: str, kind: KeyKind, decrypting: bool) -> tuple[PublicHalf, PublicKey]:
        label = self._prefix + name
        if label in self._session.labels():
            raise KeyExists(name=name)
        try:
            self._session.use(
                lambda session: token_keys.generate(session, label, kind, decrypting=decrypting),
                write=True,
                bearing=_CANNOT,
            )
        except _CANNOT:
            raise KeyKindRefused(kind=kind.value) from None
        return self._known(name, decrypting=decrypting)

    def _known(self, name: str, *, decrypting: bool) -> tuple[PublicHalf, PublicKey]:
        private, public = self._pair(name)
        self._session.use(lambda _: token_keys.refuse_unfit(private, decrypting=decrypting))
        spki = self._session.use(lambda _: token_keys.spki(public))
        try:
            kind, key = token_keys.kind_of(spki)
        except PublicKeyRefused:
            raise KeyKindRefused(kind="unknown") from None
        return PublicHalf(name, kind, spki, kind.algorithm), key


class TokenSigner:
    """`ports.signing.Signer`."""

    waits = True

    def __init__(self, keys: TokenKeys, public: PublicHalf, key: PublicKey) -> None:
        self.public = public
        self._keys, self._key = keys, key
        self._rsa = isinstance(key, RSAPublicKey)

    def sign(self, intent: Intent) -> bytes:
        """RSASSA-PKCS1-v1_5 over the DigestInfo that is made here, or ECDSA over the hash; verified, then released."""
        if decrypts(self.public.name):
            raise KeyKindRefused(kind="encryption")
        digest = intents.digest(intent, self.public.kind)
        data, mechanism = (_info(digest), Mechanism.RSA_PKCS) if self._rsa else (digest, Mechanism.ECDSA)
        raw = self._keys.with_key(self.public.name, lambda key: bytes(key.sign(data, mechanism=mechanism)))
        signature = raw if self._rsa else _dss(raw)
        if not self._verified(signature, digest):
            self._keys.distrust()
            raise SigningOutage(reason="wrong-signature")
        return signature

    def _verified(self, signature: bytes, digest: bytes) -> bool:
        hashed = Prehashed(SHA384() if self.public.kind is KeyKind.P_384 else SHA256())
        try:
            if isinstance(self._key, RSAPublicKey):
                self._key.verify(signature, digest, PKCS1v15(), hashed)
            else:
                assert isinstance(self._key, EllipticCurvePublicKey)
                self._key.verify(signature, digest, ECDSA(hashed))
        except InvalidSignature:
            return False
        return True


def _info(digest: bytes) -> bytes:
    """DigestInfo of a SHA-256 (RFC 8017 section 9.2)."""
    return der.seq(_SHA256_INFO, der.octets(digest))


def _dss(raw: bytes) -> bytes:
    """DER of r and s, which a token gives as two numbers of one size (PKCS#11 3.0 section 6.3.1)."""
    half = len(raw) // 2
    return encode_dss_signature(int.from_bytes(raw[:half], "big"), int.from_bytes(raw[half:], "big"))
