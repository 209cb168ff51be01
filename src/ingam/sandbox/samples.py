"""The demo certificates: one for every case that registration accepts or refuses, each in a key variant of its own."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from ingam.kernel.instants import KST
from ingam.npki import shapes
from ingam.npki.kdf import Prf
from ingam.npki.key_file import Variant
from ingam.npki.shapes import Validity
from ingam.sandbox.authorities.books import Standing
from ingam.sandbox.authorities.houses import SIGNKOREA_4, SIGNKOREA_5, STRANGER, YESSIGN_3, Licensed
from ingam.sandbox.people import Person


@dataclass(frozen=True, slots=True)
class Sample:
    """One demo certificate. `suffix`: its policy below the CA's arc; `number` makes its name unique.

    `days`: how long before now it began and after now it ends (Korean days). `expected`: what becomes of it when
    `tried_by` (or its owner) registers it: `registered` or the code of the refusal. `has_vid`: identifyData with a VID;
    `has_r`: R lies in the key; `matches`: the key is the certificate's; `km`: with an encryption pair beside it; `pfx`:
    also as one file.
    """

    slug: str
    person: str
    ca: Licensed
    suffix: str
    number: str
    what_ko: str
    what_en: str
    expected: str = "registered"
    variant: Variant = Variant.PBES2_SEED
    prf: Prf | None = None
    iterations: int = 2048
    bits: int = 2048
    days: tuple[int, int] = (40, 325)
    standing: Standing = Standing.GOOD
    tried_by: str | None = None
    has_vid: bool = True
    has_r: bool = True
    matches: bool = True
    km: bool = False
    pfx: bool = False

    @property
    def sizes(self) -> list[int]:
        """The keys it takes, in bits: its own, a wrong one, one for encryption."""
        return [self.bits] + ([] if self.matches else [2048]) + ([2048] if self.km else [])

    @property
    def partition(self) -> str:
        """The list that would name it: three a CA, so that looking into the wrong one is found out."""
        return f"{self.ca.partition}{int(self.number[-4:]) % 3 + 1}"

    def validity(self, now: datetime) -> Validity:
        """From a minute in the past to 23:59:59 in Korea on its last day."""
        begins = (now - timedelta(days=self.days[0])).replace(second=0, microsecond=0)
        last = (now.astimezone(KST) + timedelta(days=self.days[1])).date()
        return Validity(begins, shapes.end_of_day(last))

    def subject(self, owner: Person) -> bytes:
        """DER of its subject in the manner of its CA (npki.md section 2.2)."""
        corporate = owner.kind == "corporate"
        house = self.ca.house
        root = (("C", house.country), ("O", house.organisation))
        if house.key == "yessign":
            unit = ("corporation4EC" if corporate else "personal4IB") if self.suffix in ("4", "2") else "personal"
            common = f"{owner.name}({owner.english})0099{self.number}"
            return shapes.name(*root, ("OU", unit), ("OU", "GAON"), ("CN", common))
        units = (("OU", "증권"), ("OU", "가온"), ("OU", "HTS"))
        return shapes.name(*root, *units, ("CN", f"{owner.name}-{self.number}"))


SAMPLES: Final = (
    Sample("securities", "hong", SIGNKOREA_4, "9", "6422061", "증권/보험용 (코스콤)", "Securities (SignKorea)",
           pfx=True),
    Sample("universal-yessign", "hong", YESSIGN_3, "1", "20260101120000001", "범용 (금융결제원)", "Universal (yessign)",
           variant=Variant.PBE_SHA1_SEED),
    Sample("universal-signkorea", "hong", SIGNKOREA_5, "5", "6422062", "범용 (코스콤, RSA-3072)",
           "Universal (SignKorea, RSA-3072)", prf=Prf.SHA256, bits=3072),
    Sample("near-expiry", "hong", YESSIGN_3, "1", "20250101120000002", "범용, 곧 만료", "Universal, about to expire",
           variant=Variant.PBE_SHA1_SEED, days=(345, 20)),
    Sample("bank-only", "hong", YESSIGN_3, "4", "20260101120000003", "은행/보험용", "Bank only", "bank-only",
           Variant.PBE_SHA1_SEED),
    Sample("expired", "hong", SIGNKOREA_4, "9", "6422064", "만료", "Expired", "cert-expired",
           Variant.SEED_CBC_SHA1, days=(390, -25)),
    Sample("revoked", "hong", SIGNKOREA_4, "9", "6422065", "폐지", "Revoked", "cert-revoked",
           Variant.PBES2_AES_256, standing=Standing.REVOKED),
    Sample("suspended", "hong", YESSIGN_3, "1", "20260101120000006", "효력정지", "Suspended", "cert-suspended",
           Variant.PBES2_ARIA_256, standing=Standing.HELD),
    Sample("without-vid", "hong", SIGNKOREA_4, "9", "6422067", "식별번호(VID) 없음", "Without a VID", "vid-missing",
           Variant.PBES2_ARIA_128, has_vid=False),
    Sample("without-r", "hong", SIGNKOREA_4, "9", "6422068", "비밀키에 R 없음", "Key without R", "vid-missing",
           iterations=1024, has_r=False),
    Sample("mismatched", "hong", SIGNKOREA_4, "9", "6422069", "비밀키가 인증서와 다름", "Key does not match",
           "key-mismatch", matches=False),
    Sample("untrusted", "hong", STRANGER, "9", "6422070", "믿지 않는 기관이 발급", "Issued by nobody we trust",
           "untrusted-issuer"),
    Sample("somebody-elses", "kim", SIGNKOREA_4, "9", "6422071", "다른 사람(김증권)의 증권용",
           "Somebody else's (Kim's) securities certificate", "owner-mismatch", tried_by="hong", iterations=1024),
    Sample("union-head", "lee", SIGNKOREA_4, "9", "6422072", "조합장의 증권용", "The union head's, securities",
           variant=Variant.PBES2_ARIA_192),
    Sample("corporate-universal", "gaon", SIGNKOREA_4, "7", "6422073", "법인 범용, 암호용 쌍과 함께",
           "Corporate universal, with a km pair", km=True),
    Sample("corporate-securities", "gaon", SIGNKOREA_4, "10", "6422074", "법인 증권/보험용", "Corporate securities",
           variant=Variant.PBES2_AES_256),
    Sample("corporate-for-a-person", "hong", SIGNKOREA_4, "10", "6422075", "개인에게 발급된 법인용 정책",
           "A corporate policy for a person", "kind-clash"),
    Sample("foreigner", "alex", SIGNKOREA_4, "9", "6422076", "외국인의 증권용", "A foreigner's, securities"),
)  # fmt: skip


def sample(slug: str) -> Sample:
    """The demo certificate of a name; KeyError for none."""
    return {one.slug: one for one in SAMPLES}[slug]
