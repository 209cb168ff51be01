"""The demo certificates: one for every case that registration accepts or refuses, each in a key variant of its own.

A house keeps one valid certificate for a person and policy, as the real ones do, so every case of a person has a house
and policy of its own; what no house would issue is made by the sandbox.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from ingam.npki.kdf import Prf
from ingam.npki.key_file import Variant
from ingam.sandbox.authorities.houses import (
    CROSSCERT_4,
    KICA_6,
    SIGNKOREA_4,
    SIGNKOREA_5,
    STRANGER,
    TRADESIGN_4,
    YESSIGN_3,
    Licensed,
)

STANDINGS: Final = {None: "good", "revoke": "revoked", "suspend": "held", "supersede": "revoked"}


@dataclass(frozen=True, slots=True)
class Sample:
    """One demo certificate. `profile`: the house's word for its kind; `number` makes its name unique.

    `age`: days since it was issued, for a year; `act`: what its house did since: `revoke` or `suspend`, `acted` days
    ago, or `supersede` when it issued the next one to the same person.
    `expected`: what becomes of it when `tried_by` (or its owner) registers it: `registered` or the code of the refusal.
    `has_vid`: identifyData with a VID; `has_r`: R lies in the key; `matches`: the key is the certificate's; `km`: with
    an encryption pair beside it; `pfx`: also as one file.
    """

    slug: str
    person: str
    ca: Licensed
    profile: str
    number: str
    what_ko: str
    what_en: str
    expected: str = "registered"
    variant: Variant = Variant.PBES2_SEED
    prf: Prf | None = None
    iterations: int = 2048
    bits: int = 2048
    age: int = 40
    act: str | None = None
    acted: int = 3
    tried_by: str | None = None
    has_vid: bool = True
    has_r: bool = True
    matches: bool = True
    km: bool = False
    pfx: bool = False

    @property
    def by_house(self) -> bool:
        """Whether its house issued it; else the sandbox made it with a mistake in it."""
        return self.ca.configured and self.has_vid and self.matches

    @property
    def listed(self) -> bool:
        """Whether a house knows it, so that something may become of it."""
        return self.ca.configured

    @property
    def standing(self) -> str:
        """What its house says of it at first."""
        return STANDINGS[self.act]

    @property
    def sizes(self) -> list[int]:
        """The keys it takes, in bits: its own, a wrong one, one for encryption."""
        return [self.bits] + ([] if self.matches else [2048]) + ([2048] if self.km else [])


SAMPLES: Final = (
    Sample("securities", "hong", SIGNKOREA_4, "securities", "6422061", "증권/보험용 (코스콤)", "Securities (SignKorea)",
           pfx=True),
    Sample("universal-yessign", "hong", YESSIGN_3, "universal", "20260101120000001", "범용 (금융결제원)",
           "Universal (yessign)", variant=Variant.PBE_SHA1_SEED, age=20),
    Sample("universal-signkorea", "hong", SIGNKOREA_5, "universal", "6422062", "범용 (코스콤, RSA-3072)",
           "Universal (SignKorea, RSA-3072)", prf=Prf.SHA256, bits=3072),
    Sample("kica-securities", "hong", KICA_6, "securities", "6422081", "증권/보험용 (한국정보인증)",
           "Securities (KICA)", variant=Variant.PBE_SHA1_SEED),
    Sample("crosscert-securities", "kim", CROSSCERT_4, "securities", "6422082", "증권용 (한국전자인증)",
           "Securities (CrossCert)", iterations=1024),
    Sample("tradesign-securities", "alex", TRADESIGN_4, "securities", "0000148508", "증권용 (한국무역정보통신)",
           "Securities (TradeSign)", variant=Variant.PBE_SHA1_SEED),
    Sample("near-expiry", "hong", KICA_6, "universal", "6422083", "범용, 곧 만료", "Universal, about to expire",
           variant=Variant.PBE_SHA1_SEED, age=345),
    Sample("bank-only", "hong", YESSIGN_3, "bank", "20260101120000003", "은행/보험용", "Bank only", "bank-only",
           Variant.PBE_SHA1_SEED),
    Sample("kica-bank", "hong", KICA_6, "bank", "6422084", "은행/보험용 (한국정보인증)", "Bank only (KICA)",
           "bank-only", Variant.PBE_SHA1_SEED),
    Sample("expired", "hong", YESSIGN_3, "universal", "20250101120000004", "만료", "Expired", "cert-expired",
           Variant.SEED_CBC_SHA1, age=390, act="supersede"),
    Sample("revoked", "hong", SIGNKOREA_4, "securities", "6422065", "폐지", "Revoked", "cert-revoked",
           Variant.PBES2_AES_256, age=200, act="revoke", acted=45),
    Sample("suspended", "hong", CROSSCERT_4, "universal", "6422066", "효력정지", "Suspended", "cert-suspended",
           Variant.PBES2_ARIA_256, act="suspend"),
    Sample("without-vid", "hong", SIGNKOREA_4, "securities", "6422067", "식별번호(VID) 없음", "Without a VID",
           "vid-missing", Variant.PBES2_ARIA_128, has_vid=False),
    Sample("without-r", "hong", TRADESIGN_4, "universal", "0000148509", "비밀키에 R 없음", "Key without R",
           "vid-missing", iterations=1024, has_r=False),
    Sample("mismatched", "hong", SIGNKOREA_4, "securities", "6422069", "비밀키가 인증서와 다름", "Key does not match",
           "key-mismatch", matches=False),
    Sample("untrusted", "hong", STRANGER, "securities", "6422070", "믿지 않는 기관이 발급",
           "Issued by nobody we trust", "untrusted-issuer"),
    Sample("somebody-elses", "kim", SIGNKOREA_4, "securities", "6422071", "다른 사람(김증권)의 증권용",
           "Somebody else's (Kim's) securities certificate", "owner-mismatch", tried_by="hong", iterations=1024),
    Sample("union-head", "lee", SIGNKOREA_4, "securities", "6422072", "조합장의 증권용",
           "The union head's, securities", variant=Variant.PBES2_ARIA_192),
    Sample("corporate-universal", "gaon", SIGNKOREA_4, "universal-corporate", "6422073", "법인 범용, 암호용 쌍과 함께",
           "Corporate universal, with a km pair", km=True),
    Sample("corporate-securities", "gaon", SIGNKOREA_4, "securities-corporate", "6422074", "법인 증권/보험용",
           "Corporate securities", variant=Variant.PBES2_AES_256),
    Sample("corporate-for-a-person", "hong", SIGNKOREA_4, "securities-corporate", "6422075",
           "개인에게 발급된 법인용 정책", "A corporate policy for a person", "kind-clash"),
    Sample("foreigner", "alex", SIGNKOREA_4, "securities", "6422076", "외국인의 증권용", "A foreigner's, securities"),
)  # fmt: skip


def sample(slug: str) -> Sample:
    """The demo certificate of a name; KeyError for none."""
    return {one.slug: one for one in SAMPLES}[slug]
