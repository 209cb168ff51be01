"""본인확인 추가인증: the closed lists of methods and purposes that every proof is bound to (security E1)."""

from __future__ import annotations

from enum import StrEnum


class Method(StrEnum):
    """The manual's three ways of 본인확인 추가인증."""

    SMS = "sms"  # 휴대폰 SMS 인증
    ARS = "ars"  # 2채널 인증 (ARS승인)
    BRANCH_OTP = "branch-otp"  # 1회용 인증번호 인증


class Purpose(StrEnum):
    """What a proof authorises, once; a proof for one purpose is worth nothing for another (E1).

    신규발급 and 재발급 have none: their own ①–③ (telephone identification, identity card, 1원) ask for more.
    """

    REGISTRATION = "registration"
    REBIND = "rebind"
    RELEASE = "release"
    REVOCATION = "revocation"
    FINANCE_REGISTRATION = "finance-registration"  # 금융인증서
    FINANCE_RELEASE = "finance-release"
    COPY_OUT = "copy-out"
    DEVICE_ADD = "device-add"
    DEVICE_REMOVE = "device-remove"
    CONTACT_CHANGE = "contact-change"
    RESUME = "resume"  # 효력회복 of a suspended certificate (E11)
    SUSPENSION = "suspension"  # 효력정지 where an account has several heads, and no certificate said whose
    HEAD = "head"  # 조합장 확인: which head of a union is here, after the ID login
    LOGIN = "login"  # 다른 서비스 로그인, where that service asks for a second proof (F12)
