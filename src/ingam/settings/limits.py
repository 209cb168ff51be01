"""Every limit of the center: how long, how often, how many; INGAM_LIMIT_…."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ingam.settings.refused import SettingsRefused


@dataclass(frozen=True, slots=True)
class Limits:
    """Every limit of flows.md, with its default; seconds unless the name says otherwise."""

    login_max_fail: int = 5
    session_idle_s: int = 600
    session_warn_s: int = 60
    session_max_s: int = 4 * 3600
    flow_ttl_s: int = 30 * 60
    sms_ttl_s: int = 180
    sms_tries: int = 5
    sms_gap_s: int = 60
    sms_a_day: int = 5  # for each purpose
    sms_person_a_day: int = 10  # over all purposes
    sms_wrong_a_day: int = 15
    ars_call_s: int = 90  # one call, from dialling to the two digits
    ars_ttl_s: int = 180  # from asking for the call to the end of what it approved
    ars_a_day: int = 3  # calls of a person (E4)
    branch_ttl_s: int = 24 * 3600  # 1회용 인증번호
    branch_tries: int = 5  # wrong numbers of a person a day, over all of them (E3)
    otp_tries: int = 5  # wrong codes of a person's token a day
    proof_ttl_s: int = 300
    nonce_ttl_s: int = 180
    nonces_open: int = 5
    nonces_an_hour: int = 30
    address_nonces_an_hour: int = 600
    id_logins_an_hour: int = 100  # attempts at one ID, right or wrong, on new devices or on one recognised device (F9)
    device_logins_an_hour: int = 100
    address_logins_an_hour: int = 600
    vid_max_fail: int = 5
    no_medium_max_fail: int = 5
    contact_quarantine_s: int = 72 * 3600
    device_max: int = 5  # designated devices of a person
    passkey_max: int = 5
    status_cache_s: int = 600
    flow_resume_s: int = 600  # how long an interrupted issuance may be gone on with
    renew_window_days: int = 30  # before its end a certificate may be renewed; the authority's profile says the same
    issuance_fetch_s: int = 3600  # how long what an authority issued is fetched again; it repeats itself as long (D9)
    idcard_reads: int = 5  # photographs of a run
    idcard_checks_a_day: int = 3
    idcard_keep_s: int = 5 * 365 * 86_400  # masked pictures of identity cards: evidence of the RA, by its contract (H8)
    onewon_ttl_s: int = 30 * 60  # the manual's; 15 minutes is what the supervisor's guideline asks
    onewon_tries: int = 5
    onewon_account_a_day: int = 3
    onewon_person_a_day: int = 5
    onewon_wrong_a_month: int = 10
    copy_number_ttl_s: int = 180  # from showing the number to typing it
    copy_qr_ttl_s: int = 120
    copy_ttl_s: int = 600  # one copy, from announcing the receiving device to its end
    copy_opens: int = 30  # numbers of a person in a window
    copy_runs: int = 5  # numbers typed or read by a person in a window (C12)
    copy_window_s: int = 600
    keypad_ttl_s: int = 30 * 60  # a keypad, from the page's first touch to the form that it was for
    keypads_an_hour: int = 120  # of a session
    address_keypads_an_hour: int = 6_000
    incidents_an_hour: int = 10  # reports of loss (사고신고) of one ID, and from one device (F9)
    address_incidents_an_hour: int = 60
    keep_ended_s: int = 30 * 86_400  # sessions, flows and single-use things, after they are over
    recheck_hour: int = 3  # in Korea: the status of every registered certificate is asked for from then on
    recheck_by_list: int = 20  # so many certificates of one issuer's list are answered by the list, fewer one by one
    recheck_silent_h: int = 24  # hours that an authority may say nothing before operators are alarmed
    fee_unpaid_days: int = 14  # so long the nights try to charge the fee of a certificate that stands
    keep_visits_s: int = 3600  # sessions that nobody logged in with
    keep_devices_s: int = 400 * 86_400  # since a device was last seen; its cookie lives a year


def read_limits(environment: Mapping[str, str]) -> Limits:
    """Each limit by its name in capitals: INGAM_LIMIT_SMS_TTL_S=…"""
    chosen = {}
    for name in Limits.__dataclass_fields__:
        text = environment.get(f"INGAM_LIMIT_{name.upper()}")
        if text is not None:
            if not (text.isascii() and text.isdigit()) or int(text) < 1:
                raise SettingsRefused(variable=f"INGAM_LIMIT_{name.upper()}")
            chosen[name] = int(text)
    return Limits(**chosen)
