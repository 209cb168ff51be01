"""Which houses there are: names under `.test`, and the generations of their CAs. The rest is in their own settings.

Nothing here makes a certificate: `ca/profiles/presets` says how a house names itself and what it issues.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

ROOTS: Final = ("root4", "root5")


@dataclass(frozen=True, slots=True)
class House:
    """The CAs of one operator. `organisation`: O in its names; `ocsp`, `directory`: hosts in its certificates."""

    key: str
    organisation: str
    name_ko: str
    name_en: str
    ocsp: str
    directory: str

    @property
    def cmp(self) -> str:
        """Host of its CMP service."""
        return f"ca.{self.key}.test"

    def shown(self, lang: str) -> str:
        """`코스콤 (SignKorea)`, `Koscom (SignKorea)`."""
        return self.name_en if lang == "en" else self.name_ko


@dataclass(frozen=True, slots=True)
class Licensed:
    """One CA. `generation`: its number in the house's books; `root`: one of ROOTS; `partition`: of its lists' names.

    `configured` False: nobody trusts it; it signs what must be refused.
    """

    key: str
    house: House
    generation: int
    root: str
    partition: str
    common: str
    configured: bool = True

    @property
    def responder(self) -> str:
        """What its OCSP responder is called here."""
        return f"{self.key}-ocsp"


SIGNKOREA: Final = House(
    "signkorea", "SignKorea", "코스콤 (SignKorea)", "Koscom (SignKorea)", "ocsp.signkorea.test", "dir.signkorea.test"
)
YESSIGN: Final = House(
    "yessign", "yessign", "금융결제원 (yessign)", "KFTC (yessign)", "ocsp.yessign.test", "ds.yessign.test"
)
KICA: Final = House(
    "kica", "KICA", "한국정보인증 (signGATE)", "KICA (signGATE)", "ocsp.signgate.test", "ldap.signgate.test"
)
CROSSCERT: Final = House(
    "crosscert", "CrossCert", "한국전자인증 (CrossCert)", "CrossCert", "ocsp.crosscert.test", "dir.crosscert.test"
)
TRADESIGN: Final = House(
    "tradesign", "TradeSign", "한국무역정보통신 (TradeSign)", "KTNET (TradeSign)", "ocsp.tradesign.test",
    "ldap.tradesign.test",
)  # fmt: skip
HOUSES: Final = (SIGNKOREA, YESSIGN, KICA, CROSSCERT, TRADESIGN)

SIGNKOREA_4: Final = Licensed("signkorea-ca4", SIGNKOREA, 1, "root4", "dp4p", "SignKorea CA4 (sandbox)")
SIGNKOREA_5: Final = Licensed("signkorea-ca5", SIGNKOREA, 2, "root5", "dp5p", "SignKorea CA5 (sandbox)")
YESSIGN_3: Final = Licensed("yessign-ca3", YESSIGN, 1, "root4", "dp3p", "yessignCA Class 3 (sandbox)")
KICA_6: Final = Licensed("kica-ca6", KICA, 1, "root4", "dp6p", "signGATE CA6 (sandbox)")
CROSSCERT_4: Final = Licensed("crosscert-ca4", CROSSCERT, 1, "root4", "dp4p", "CrossCertCA4 (sandbox)")
TRADESIGN_4: Final = Licensed("tradesign-ca4", TRADESIGN, 1, "root4", "dp4p", "TradeSignCA4 (sandbox)")
STRANGER: Final = Licensed("stranger-ca4", SIGNKOREA, 1, "rootx", "dp4p", "SignKorea CA4 (sandbox)", configured=False)
"""Bears the names of SIGNKOREA_4 and of the root above it: names prove nothing."""

LICENSED: Final = (SIGNKOREA_4, SIGNKOREA_5, YESSIGN_3, KICA_6, CROSSCERT_4, TRADESIGN_4)


def house(key: str) -> House | None:
    """The house of a key."""
    return next((one for one in HOUSES if one.key == key), None)


def addresses(sandbox_origin: str) -> dict[str, str]:
    """Host under `.test` → base address on the sandbox: the map that the center is configured with (security A13)."""
    origin = sandbox_origin.rstrip("/")
    found = {
        "dirsys.rootca.test": f"{origin}/dir/rootca",
        "sms.aligo.test": f"{origin}/aligo",
        "ars.test": f"{origin}/ars",
        "realname.ingam.test": f"{origin}/realname",
        "portone.test": f"{origin}/portone",
        "idcard.test": f"{origin}/idcard",
        "openbanking.test": f"{origin}/openbanking",
        "juso.test": f"{origin}/juso",
        "pay.test": f"{origin}/pay-api",
    }
    for one in HOUSES:
        found[one.ocsp] = f"{origin}/ocsp/{one.key}"
        found[one.directory] = f"{origin}/dir/{one.key}"
        found[one.cmp] = f"{origin}/cmp/{one.key}"
    return found
