"""Lines of the audit as rows: the chain's entry, the body apart, and the secret that opens it (security G5).

Every line has a secret of its own, wrapped by the store's sealer: its salt and the key of its body. So lines of one
person cost the same as those of nobody (F8), and each is erased on its date by deleting one row of `audit_key`. What
is asked for often stands in clear beside the body: when, what, how it ended, the keyed pseudonym of whose it is, and
the operator's number.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Final, NamedTuple

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from ingam.adapters.store.columns import Encoded, encode
from ingam.adapters.store.sealing import Sealer
from ingam.kernel.errors import Defect
from ingam.kernel.instants import to_micros
from ingam.ports.store import Audit
from ingam.protocols.audit import body
from ingam.protocols.audit.body import Field
from ingam.protocols.log.commitment import SALT

RECORD: Final = timedelta(days=5 * 365 + 2)
"""전자금융거래법 art. 22: records of transactions, five years."""

ACCESS: Final = timedelta(days=2 * 365 + 1)
"""개인정보의 안전성 확보조치 기준 art. 8: the log of who reached personal data, two years."""

ACCESS_ACTIONS: Final = (
    "login.", "access.", "console.login", "console.customer-open", "console.customer-search", "console.field-unmask",
    "console.search",
)  # fmt: skip
"""Actions of the access log by how they begin; others say it themselves (`Audit.access`)."""

SEALED: Final = ("session", "address", "reason", "facts")
"""What only the body has."""

_KEY: Final = 32
_NONCE: Final = 12


class Written(NamedTuple):
    """What is bound for one line, in the order of `ingam_audit_append` (revision 0008)."""

    at: int
    delete_at: int
    commitment: bytes
    action: Encoded
    result: Encoded
    subject: Encoded
    operator: Encoded
    sealed: bytes
    wrapped: bytes


def facts(line: Audit) -> str:
    """The facts as they are committed to."""
    return json.dumps(dict(line.facts), ensure_ascii=False, sort_keys=True)


def written(line: Audit, sealer: Sealer) -> Written:
    """A line's rows, all but its number. Raises WrongValue."""
    at, operator = to_micros(line.at), line.operator or _operator(line)
    fields: dict[str, Field] = {
        "at": at, "action": line.action, "result": line.result, "subject": line.subject, "operator": operator,
        "session": line.session, "address": line.address, "reason": line.reason, "facts": facts(line),
    }  # fmt: skip
    secret = secrets.token_bytes(SALT + _KEY)
    commitment = body.committed(secret[:SALT], fields)
    access = line.access or line.action.startswith(ACCESS_ACTIONS)
    return Written(
        at,
        to_micros(line.at + (ACCESS if access else RECORD)),
        commitment,
        encode("audit", "action", line.action),
        encode("audit", "result", line.result),
        encode("audit", "subject", line.subject),
        encode("audit", "operator", operator),
        _sealed(secret[SALT:], {name: fields[name] for name in SEALED}, commitment),
        sealer.seal(secret, _context(commitment)),
    )


def _operator(line: Audit) -> str | None:
    """The console names the operator among the facts."""
    told = line.facts.get("operator")
    return told if isinstance(told, str) else None


def opened(row: Mapping[str, Any], sealer: Sealer) -> dict[str, Any]:
    """A row of `audit` with the fields of its body; they are None, and no facts, where its secret was deleted.

    `row` has the columns of `audit`, `wrapped` of its secret and the `commitment` of its entry. Raises Defect
    `audit-body`.
    """
    clear = {name: value for name, value in row.items() if name not in ("sealed", "wrapped", "commitment")}
    if row["wrapped"] is None or row["commitment"] is None:
        return {**clear, **dict.fromkeys(SEALED), "facts": "{}"}
    return {**clear, **_opened(_secret(row, sealer)[SALT:], row["sealed"], row["commitment"])}


def check(row: Mapping[str, Any], sealer: Sealer) -> None:
    """Whether a row of driver's values is what its entry commits to. Raises BodyChanged."""
    try:
        secret = _secret(row, sealer)
        fields = {**row, **_opened(secret[SALT:], row["sealed"], row["commitment"])}
    except Defect:
        raise body.BodyChanged(seq=row["seq"]) from None
    body.check(row["seq"], secret[:SALT], fields, row["commitment"])


def _secret(row: Mapping[str, Any], sealer: Sealer) -> bytes:
    try:
        return sealer.open(row["wrapped"], _context(row["commitment"]))
    except Defect:
        raise Defect("audit-body", seq=row["seq"]) from None


def _context(commitment: bytes) -> str:
    return f"audit {commitment.hex()}"


def _sealed(key: bytes, fields: Mapping[str, Field], commitment: bytes) -> bytes:
    """AES-256-GCM under the line's own key: nonce (12 bytes) ‖ ciphertext ‖ tag."""
    nonce = secrets.token_bytes(_NONCE)
    return nonce + AESGCM(key).encrypt(nonce, json.dumps(dict(fields), ensure_ascii=False).encode(), commitment)


def _opened(key: bytes, sealed: bytes, commitment: bytes) -> dict[str, Any]:
    try:
        clear = AESGCM(key).decrypt(sealed[:_NONCE], sealed[_NONCE:], commitment)
    except (InvalidTag, ValueError):
        raise Defect("audit-body") from None
    fields: dict[str, Any] = json.loads(clear)
    return {name: fields[name] for name in SEALED}
