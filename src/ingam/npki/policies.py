"""What a certificate is for (용도) and whether it is taken here, keyed by issuer, policy and customer kind (A9).

The table is `policies.toml`. An issuer is recognised by its name (O, and how its CN begins); a name proves nothing by
itself, so nothing here is asked before `chain.validate` has tied that name to a configured authority's key.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from importlib.resources import files
from typing import Any, Final

from ingam.npki.subject import Name, fold

ANY_POLICY: Final = "2.5.29.32.0"


class CustomerKind(StrEnum):
    """Who registers; a 조합장 does so with a certificate of his own person (facts.md §11)."""

    PERSONAL = "personal"
    UNION_HEAD = "union-head"
    CORPORATE = "corporate"


class Acceptance(StrEnum):
    """What becomes of a policy; every value but `accepted` is the code of a refusal (flows.md, check 6)."""

    ACCEPTED = "accepted"
    NOT_ACCEPTED = "policy-not-accepted"
    BANK_ONLY = "bank-only"
    KIND_CLASH = "kind-clash"


@dataclass(frozen=True, slots=True)
class Authority:
    """A certification authority as the table knows it; `arc` dotted, `ended` where it issues no more."""

    key: str
    o: str
    brands: tuple[str, ...]
    arc: str
    name_ko: str
    name_en: str
    ended: bool

    def issued(self, issuer: Name) -> bool:
        """Whether the issuer's name is one of this authority's."""
        organisation, common = issuer.value("O"), issuer.value("CN")
        if organisation is None or common is None or fold(organisation) != fold(self.o):
            return False
        return fold(common).startswith(tuple(fold(brand) for brand in self.brands))


@dataclass(frozen=True, slots=True)
class Policy:
    """One row: `oid` dotted, `use` and `holder` the words of the table, `source` its provenance."""

    oid: str
    ca: Authority
    name_ko: str
    name_en: str
    use: str
    holder: str
    source: str


_KINDS: Final = {
    CustomerKind.PERSONAL: "personal",
    CustomerKind.UNION_HEAD: "personal",
    CustomerKind.CORPORATE: "corporate",
}
_ACCEPTED_USES: Final = frozenset(("universal", "securities"))


def authorities() -> tuple[Authority, ...]:
    """Every authority of the table."""
    return tuple(_table())


def policies() -> tuple[Policy, ...]:
    """Every row of the table."""
    return tuple(policy for rows in _table().values() for policy in rows.values())


def authority(issuer: Name) -> Authority | None:
    """The authority that an issuer's name belongs to, or None."""
    return next((one for one in _table() if one.issued(issuer)), None)


def lookup(issuer: Name, oid: str | None) -> Policy | None:
    """The row of a policy under this very issuer; None for another authority's policy, anyPolicy, or an unknown one."""
    found = authority(issuer)
    return None if found is None or oid is None else _table()[found].get(oid)


def accepts(issuer: Name, oid: str | None, customer_kind: CustomerKind) -> Acceptance:
    """Whether a customer of this kind may register or log in with it: 범용 and 증권용, never 은행용 (facts.md §1).

    `oid` is `Certificate.policy_oid`: None, where there is no single policy, is not accepted.
    """
    return judged(lookup(issuer, oid), customer_kind)


def judged(policy: Policy | None, customer_kind: CustomerKind) -> Acceptance:
    """`accepts` of a row that was found already; None: of no row."""
    if policy is None or policy.ca.ended:
        return Acceptance.NOT_ACCEPTED
    if policy.use == "bank":
        return Acceptance.BANK_ONLY
    if policy.use not in _ACCEPTED_USES or policy.holder not in ("personal", "corporate"):
        return Acceptance.NOT_ACCEPTED
    if policy.holder != _KINDS[customer_kind]:
        return Acceptance.KIND_CLASH
    return Acceptance.ACCEPTED


def issuer_name(issuer: Name, lang: str = "ko") -> str:
    """`코스콤`, `금융결제원` …, or in English; the issuer's own O or CN where the table does not know it."""
    found = authority(issuer)
    if found is not None:
        return found.name_ko if lang == "ko" else found.name_en
    return issuer.value("O") or issuer.value("CN") or str(issuer)


@lru_cache(maxsize=1)
def _table() -> dict[Authority, dict[str, Policy]]:
    text = files("ingam.npki").joinpath("policies.toml").read_text(encoding="utf-8")
    return dict(_read(row) for row in tomllib.loads(text)["authority"])


def _read(row: dict[str, Any]) -> tuple[Authority, dict[str, Policy]]:
    fields = ("key", "o", "arc", "name_ko", "name_en")
    ca = Authority(brands=tuple(row["brands"]), ended=row.get("ended", False), **{name: row[name] for name in fields})
    held = {}
    for one in row["policies"]:
        oid = f"{ca.arc}.{one.pop('suffix')}"
        held[oid] = Policy(oid, ca, **one)
    return ca, held
