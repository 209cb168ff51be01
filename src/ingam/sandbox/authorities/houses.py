"""Which authorities there are: two generations of roots, and the CAs in the shape of SignKorea and yessign under them.

All names carry "(sandbox)"; all addresses end in `.test`, and only a setting says where those lie.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from ingam.npki import shapes
from ingam.npki.shapes import Policy

CENTRAL: Final = "Korea Certification Authority Central"


@dataclass(frozen=True, slots=True)
class Root:
    """A root: `years` before and after its founding in which it is valid."""

    key: str
    common: str
    bits: int
    notice: str
    years: tuple[int, int]

    @property
    def name(self) -> bytes:
        """DER of its name."""
        return shapes.name(("C", "KR"), ("O", "KISA"), ("OU", CENTRAL), ("CN", self.common))


@dataclass(frozen=True, slots=True)
class House:
    """What the CAs of one operator have in common; `country` is `KR` or `kr`, as they write it."""

    key: str
    operator: str
    country: str
    organisation: str
    arc: str
    cps: str
    notice: str
    notice_first: bool
    ocsp: str
    directory: str
    list_suffix: str

    @property
    def ocsp_host(self) -> str:
        """The responder's name without a port."""
        return self.ocsp.split("/")[2].split(":")[0]

    def policy(self, suffix: str) -> Policy:
        """The PolicyInformation of a policy below this house's arc."""
        return Policy(f"{self.arc}.{suffix}", self.cps, self.notice, self.notice_first)


@dataclass(frozen=True, slots=True)
class Licensed:
    """One CA: `partition` begins the names of its lists (`dp4p1`), `path_length` None as SignKorea CA5 has it.

    `configured` False: nobody trusts it; it signs what must be refused.
    """

    key: str
    house: House
    root: Root
    common: str
    bits: int
    serial: int
    first_serial: int
    partition: str
    path_length: int | None = 0
    configured: bool = True

    @property
    def name(self) -> bytes:
        """DER of its name."""
        house = self.house
        return shapes.name(("C", house.country), ("O", house.organisation), ("OU", "AccreditedCA"), ("CN", self.common))

    @property
    def responder_name(self) -> bytes:
        """DER of its responder's name."""
        house = self.house
        common = f"{house.organisation}OCSP-{self.key[-1]} (sandbox)"
        return shapes.name(("C", house.country), ("O", house.organisation), ("OU", "AccreditedCA"), ("CN", common))

    @property
    def root_list(self) -> str:
        """Where the root's list lies, as certificates below the root name it."""
        root = f"CN={self.root.key},OU=Korea-Certification-Authority-Central,O=KISA,C=KR"
        return f"ldap://{self.house.directory}:389/{root}?authorityRevocationList"

    def list_address(self, partition: str) -> str:
        """Where a partition's list lies, as certificates and lists name it (npki.md section 2.1)."""
        house = self.house
        entry = f"ou={partition},ou=AccreditedCA,o={house.organisation},c={house.country}"
        return f"ldap://{house.directory}:389/{entry}{house.list_suffix}"


ROOT_4: Final = Root("root4", "KISA RootCA 4 (sandbox)", 2048, shapes.NOTICE_ACCREDITED, (16, 4))
ROOT_5: Final = Root("root5", "KISA RootCA 5 (sandbox)", 3072, shapes.NOTICE_JOINT, (1, 19))
ROOT_X: Final = Root("rootx", "KISA RootCA 4 (sandbox)", 2048, shapes.NOTICE_ACCREDITED, (16, 4))
"""A stranger with the same name as ROOT_4: names prove nothing."""

SIGNKOREA: Final = House(
    key="signkorea",
    operator="(주)코스콤",
    country="KR",
    organisation="SignKorea",
    arc="1.2.410.200004.5.1.1",
    cps="http://www.signkorea.com/cps.html",
    notice="이 인증서는 공동인증서입니다",
    notice_first=False,
    ocsp="http://ocsp.signkorea.test",
    directory="dir.signkorea.test",
    list_suffix="",
)
YESSIGN: Final = House(
    key="yessign",
    operator="금융결제원",
    country="kr",
    organisation="yessign",
    arc="1.2.410.200005.1.1",
    cps="http://www.yessign.or.kr/cps.htm",
    notice="이 인증서는 공동인증서입니다",
    notice_first=True,
    ocsp="http://ocsp.yessign.test:4612",
    directory="ds.yessign.test",
    list_suffix="?certificateRevocationList",
)

SIGNKOREA_4: Final = Licensed(
    "signkorea-ca4", SIGNKOREA, ROOT_4, "SignKorea CA4 (sandbox)", 2048, 4139, 0x061D0239, "dp4p"
)
SIGNKOREA_5: Final = Licensed(
    "signkorea-ca5", SIGNKOREA, ROOT_5, "SignKorea CA5 (sandbox)", 3072, 0x115FB855FB7E873D, 0x08522101, "dp5p", None
)
YESSIGN_3: Final = Licensed("yessign-ca3", YESSIGN, ROOT_4, "yessignCA Class 3 (sandbox)", 2048, 4136, 0x459C75, "dp3p")
STRANGER: Final = Licensed(
    "stranger-ca4", SIGNKOREA, ROOT_X, "SignKorea CA4 (sandbox)", 2048, 4139, 0x061D0239, "dp9p", configured=False
)

HOUSES: Final = (SIGNKOREA, YESSIGN)
ROOTS: Final = (ROOT_4, ROOT_5, ROOT_X)
LICENSED: Final = (SIGNKOREA_4, SIGNKOREA_5, YESSIGN_3, STRANGER)


def licensed(key: str) -> Licensed:
    """The CA of a key; KeyError for none."""
    return {one.key: one for one in LICENSED}[key]


def addresses(sandbox_origin: str) -> dict[str, str]:
    """Host under `.test` → base address on the sandbox: the map that the center is configured with (security A13)."""
    origin = sandbox_origin.rstrip("/")
    found = {"dirsys.rootca.test": f"{origin}/dir/rootca", "sms.aligo.test": f"{origin}/aligo"}
    for house in HOUSES:
        found[house.ocsp_host] = f"{origin}/ocsp/{house.key}"
        found[house.directory] = f"{origin}/dir/{house.key}"
    return found
