"""The tables of the center, once, for both databases; `Instant` columns are microseconds since 1970 UTC.

What identifies a person is encrypted per field (security H6) or a keyed digest (H7, F8); nothing here is searchable
by name or number.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, Index, Integer, LargeBinary, MetaData, Table, Text, text

metadata = MetaData()


class Instant(BigInteger):
    """An aware datetime, stored as microseconds since 1970-01-01 UTC."""


flow = Table(
    "flow", metadata,
    Column("flow_id", Text, primary_key=True),
    Column("machine", Text, nullable=False),
    Column("version", Integer, nullable=False),
    Column("state", Text, nullable=False),
    Column("session", Text, nullable=False),
    Column("customer_id", Text),
    Column("expires_at", Instant, nullable=False),
    Column("runs", Text, nullable=False, server_default=text("''")),  # the id of a run without its number
    Index("flow_by_session", "session", "machine"),
    Index("flow_by_customer", "customer_id", "machine"),
    Index("flow_by_runs", "runs"),
)  # fmt: skip

ledger_issued = Table(
    "ledger_issued", metadata,
    Column("kind", Text, primary_key=True),
    Column("id", Text, primary_key=True),
    Column("expires_at", Instant, nullable=False),
    Column("facts", Text, nullable=False),
    Index("ledger_issued_by_expiry", "expires_at"),
)  # fmt: skip

ledger_used = Table(
    "ledger_used", metadata,
    Column("kind", Text, primary_key=True),
    Column("id", Text, primary_key=True),
    Column("used_at", Instant, nullable=False),
    Column("voided", Boolean, nullable=False),
)  # fmt: skip

outbox = Table(
    "outbox", metadata,
    Column("id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=True),
    Column("due_at", Instant, nullable=False),
    Column("kind", Text, nullable=False),
    Column("payload", LargeBinary),
    Column("dedup", Text, nullable=False, unique=True),
    Column("attempts", Integer, nullable=False, server_default=text("0")),
    Column("lease_until", Instant),
    Column("delivered_at", Instant),
    Index("outbox_due", "due_at",
          sqlite_where=text("delivered_at IS NULL"), postgresql_where=text("delivered_at IS NULL")),
)  # fmt: skip

audit = Table(
    "audit", metadata,
    Column("seq", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=False),
    Column("at", Instant, nullable=False),
    Column("action", Text, nullable=False),
    Column("result", Text, nullable=False),
    Column("subject", Text),
    Column("operator", Text),
    Column("sealed", LargeBinary, nullable=False),  # session, address, reason, facts under the line's own key (G5)
    Index("audit_by_action", "action", "at"),
    Index("audit_by_operator", "operator", "seq"),
    Index("audit_by_subject", "subject", "seq"),
)  # fmt: skip

audit_chain = Table(
    "audit_chain", metadata,
    Column("seq", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=False),
    Column("at", Instant, nullable=False),
    Column("delete_at", Instant, nullable=False),
    Column("commitment", LargeBinary, nullable=False),  # HMAC of the line under its salt
    Column("link", LargeBinary, nullable=False),  # over all entries before
)  # fmt: skip

audit_key = Table(
    "audit_key", metadata,
    Column("seq", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=False),
    Column("delete_at", Instant, nullable=False),
    Column("wrapped", LargeBinary, nullable=False),  # salt and key of the line's body, sealed
    Index("audit_key_by_date", "delete_at"),
)  # fmt: skip

counter = Table(
    "counter", metadata,
    Column("key", Text, primary_key=True),
    Column("started_at", Instant, nullable=False),
    Column("hits", Integer, nullable=False),
)  # fmt: skip

customer = Table(
    "customer", metadata,
    Column("customer_id", Text, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("banking_id", Text, nullable=False, unique=True),
    Column("password_hash", Text, nullable=False),
    Column("data_key", LargeBinary, nullable=False),
    Column("key_version", Integer, nullable=False),
    Column("name", LargeBinary, nullable=False),
    Column("idn", LargeBinary, nullable=False),
    Column("idn_index", LargeBinary, nullable=False, index=True),
    Column("mobile", LargeBinary, nullable=False),
    Column("home_phone", LargeBinary),
    Column("work_phone", LargeBinary),
    Column("email", LargeBinary),
    Column("mobile_changed_at", Instant),
    Column("union_id", Text),
    Column("status", Text, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("home_phone_changed_at", Instant),
    Column("work_phone_changed_at", Instant),
    Column("third_phone", LargeBinary),
    Column("third_phone_changed_at", Instant),
)  # fmt: skip

esop_union = Table(
    "esop_union", metadata,
    Column("union_id", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("business_number", Text, nullable=False),
)  # fmt: skip

session = Table(
    "session", metadata,
    Column("session", Text, primary_key=True),  # SHA-256 of the cookie's 256 bits, hex (F2)
    Column("level", Text, nullable=False),  # pre | id | cert
    Column("customer_id", Text),
    Column("csrf", Text, nullable=False),
    Column("device", Text),  # SHA-256 of the device cookie, hex
    Column("created_at", Instant, nullable=False),
    Column("seen_at", Instant, nullable=False),
    Column("expires_at", Instant, nullable=False),
    Column("ended_at", Instant),
    Column("ended_by", Text),
    Column("slot", Integer),  # which head of a union, as certificate or passkey said; none: the first
    Column("head", Text, nullable=False, server_default=text("''")),  # keyed HMAC of that head's number; "" of others
    Index("session_by_customer", "customer_id"),
)  # fmt: skip

device_seen = Table(
    "device_seen", metadata,
    Column("banking_key", Text, primary_key=True),  # keyed HMAC of the banking ID (F8), or of that and a union's head
    Column("device", Text, primary_key=True),
    Column("first_at", Instant, nullable=False),
    Column("last_at", Instant, nullable=False),
    Column("proved_at", Instant),  # a certificate was used, registered, issued or received on it (C2)
    Column("confirmed_at", Instant),  # additional authentication succeeded on it (F6)
)  # fmt: skip

_STANDING = text("status IN ('ACTIVE', 'SUSPENDED')")

binding = Table(
    "binding", metadata,
    Column("binding_id", Text, primary_key=True),
    Column("customer_id", Text, nullable=False),
    Column("fingerprint", Text, nullable=False),  # SHA-256 of the certificate, hex (A17)
    Column("name_key", Text, nullable=False),  # keyed HMAC of normalised subject and issuer: finds re-issued ones
    Column("policy_oid", Text, nullable=False),
    Column("not_after", Instant, nullable=False),
    Column("details", LargeBinary, nullable=False),  # encrypted JSON: subject, issuer, serial, certificate
    Column("status", Text, nullable=False),  # ACTIVE | SUSPENDED | REPLACED | RELEASED | STALE
    Column("bound_at", Instant, nullable=False),
    Column("ended_at", Instant),
    Column("recheck_at", Instant, nullable=False, server_default=text("0")),  # when its status is asked for next
    Column("remind_at", Instant, nullable=False, server_default=text("0")),  # when its end is told of next
    Column("slot", Integer, nullable=False, server_default=text("1")),  # above 1: another head of a union
    Index("binding_one_active", "customer_id", "slot", unique=True,
          sqlite_where=_STANDING, postgresql_where=_STANDING),
    Index("binding_by_customer", "customer_id"),
    Index("binding_one_owner", "fingerprint", unique=True, sqlite_where=_STANDING, postgresql_where=_STANDING),
    Index("binding_by_name", "name_key"),
    Index("binding_by_reminder", "remind_at"),
    Index("binding_by_recheck", "recheck_at"),
)  # fmt: skip

_ACTIVE_FINANCE = text("status = 'ACTIVE'")

finance_binding = Table(
    "finance_binding", metadata,
    Column("binding_id", Text, primary_key=True),
    Column("customer_id", Text, nullable=False),
    Column("fingerprint", Text, nullable=False),  # SHA-256 of the certificate, hex
    Column("name_key", Text, nullable=False),
    Column("policy_oid", Text, nullable=False),
    Column("not_after", Instant, nullable=False),
    Column("details", LargeBinary, nullable=False),  # encrypted JSON: the certificate
    Column("status", Text, nullable=False),  # ACTIVE | REPLACED | RELEASED
    Column("bound_at", Instant, nullable=False),
    Column("ended_at", Instant),
    Column("head", Text, nullable=False, server_default=text("''")),  # keyed HMAC of the number of a union's head
    Column("slot", Integer, nullable=False, server_default=text("1")),  # above 1: another head of a union
    Index("finance_one_active", "customer_id", "slot", unique=True, sqlite_where=_ACTIVE_FINANCE,
          postgresql_where=_ACTIVE_FINANCE),
    Index("finance_one_owner", "fingerprint", unique=True, sqlite_where=_ACTIVE_FINANCE,
          postgresql_where=_ACTIVE_FINANCE),
    Index("finance_by_name", "name_key"),
)  # fmt: skip

crl_seen = Table(
    "crl_seen", metadata,
    Column("issuer", Text, primary_key=True),  # SHA-256 of the issuing CA certificate, hex
    Column("partition", Text, primary_key=True),
    Column("number", Text, nullable=False),  # CRLNumber in decimal; may pass 64 bits
    Column("this_update", Instant, nullable=False),
)  # fmt: skip

consent = Table(
    "consent", metadata,
    Column("consent_id", Text, primary_key=True),
    Column("customer_id", Text, nullable=False),
    Column("code", Text, nullable=False),  # T1 … T9
    Column("version", Text, nullable=False),
    Column("hash", Text, nullable=False),  # SHA-256 of the document's exact bytes, hex
    Column("at", Instant, nullable=False),
    Column("channel", Text, nullable=False),
    Column("flow_id", Text),
    Column("withdrawn_at", Instant),
    Index("consent_by_customer", "customer_id", "at"),
)  # fmt: skip

identity_proof = Table(
    "identity_proof", metadata,
    Column("customer_id", Text, primary_key=True),
    Column("ci_key", Text, nullable=False),  # keyed HMAC of the CI that an identity agency first told
    Column("method", Text, nullable=False),
    Column("at", Instant, nullable=False),
)  # fmt: skip

id_card_image = Table(
    "id_card_image", metadata,
    Column("image_id", Text, primary_key=True),
    Column("flow_id", Text, nullable=False, index=True),
    Column("customer_id", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("image", LargeBinary, nullable=False),  # masked before, then encrypted (H8, H6)
    Column("taken_at", Instant, nullable=False),
    Column("delete_at", Instant, nullable=False),
    Index("id_card_image_by_date", "delete_at"),
)  # fmt: skip

contact = Table(
    "contact", metadata,
    Column("contact_id", Text, primary_key=True),
    Column("customer_id", Text, nullable=False),
    Column("details", LargeBinary, nullable=False),  # encrypted JSON: e-mail, telephones, address
    Column("flow_id", Text),
    Column("at", Instant, nullable=False),
    Index("contact_by_customer", "customer_id", "at"),
)  # fmt: skip

protection = Table(
    "protection", metadata,
    Column("customer_id", Text, primary_key=True),
    Column("status", Text, nullable=False),  # ON | OFF
    Column("applied_at", Instant, nullable=False),
    Column("ended_at", Instant),
)  # fmt: skip

protection_event = Table(
    "protection_event", metadata,
    Column("event_id", Text, primary_key=True),
    Column("customer_id", Text, nullable=False),
    Column("kind", Text, nullable=False),  # a word of customer.device.protection.Happened
    Column("details", LargeBinary),  # encrypted: the alias of a device, a masked number
    Column("at", Instant, nullable=False),
    Index("protection_event_by_customer", "customer_id", "at"),
)  # fmt: skip

designated_device = Table(
    "designated_device", metadata,
    Column("device_id", Text, primary_key=True),
    Column("customer_id", Text, nullable=False),
    Column("credential", Text, nullable=False, unique=True),  # credential or key id, base64url
    Column("public_key", LargeBinary, nullable=False),  # COSE_Key, or the point of a software key
    Column("counter", BigInteger, nullable=False),
    Column("kind", Text, nullable=False),  # hardware | software
    Column("mark", Text, nullable=False),  # SHA-256 of the device cookie, hex: the browser that it was made in
    Column("details", LargeBinary, nullable=False),  # encrypted JSON: alias, browser
    Column("slot", Integer, nullable=False),  # 1 … the most devices of a person
    Column("status", Text, nullable=False),  # ACTIVE | REMOVED
    Column("added_at", Instant, nullable=False),
    Column("used_at", Instant),
    Column("ended_at", Instant),
    Column("head_slot", Integer, nullable=False, server_default="1"),  # which head of a union
    Column("head", Text, nullable=False, server_default=text("''")),  # keyed HMAC of that head's number; "" of others
    Index("designated_device_by_customer", "customer_id", "status"),
    Index("designated_device_by_slot", "customer_id", "head_slot", "head", "slot", unique=True,
          sqlite_where=text("status = 'ACTIVE'"), postgresql_where=text("status = 'ACTIVE'")),
)  # fmt: skip

passkey = Table(
    "passkey", metadata,
    Column("passkey_id", Text, primary_key=True),
    Column("customer_id", Text, nullable=False),
    Column("credential", Text, nullable=False, unique=True),  # base64url
    Column("public_key", LargeBinary, nullable=False),  # COSE_Key
    Column("counter", BigInteger, nullable=False),
    Column("backed_up", Boolean, nullable=False),
    Column("details", LargeBinary, nullable=False),  # encrypted JSON: alias, browser
    Column("slot", Integer, nullable=False),
    Column("status", Text, nullable=False),  # ACTIVE | REMOVED
    Column("added_at", Instant, nullable=False),
    Column("used_at", Instant),
    Column("ended_at", Instant),
    Column("head_slot", Integer, nullable=False, server_default="1"),  # which head of a union
    Column("head", Text, nullable=False, server_default=text("''")),  # keyed HMAC of that head's number; "" of others
    Index("passkey_by_customer", "customer_id", "status"),
    Index("passkey_by_slot", "customer_id", "head_slot", "head", "slot", unique=True,
          sqlite_where=text("status = 'ACTIVE'"), postgresql_where=text("status = 'ACTIVE'")),
)  # fmt: skip

operator = Table(
    "operator", metadata,
    Column("employee", Text, primary_key=True),  # the natural person that four eyes counts (G2)
    Column("name", Text, nullable=False),
    Column("branch", Text, nullable=False),
    Column("roles", Text, nullable=False),  # names in their order, with commas
    Column("handle", LargeBinary, nullable=False, unique=True),  # WebAuthn user handle, random
    Column("person_index", LargeBinary),  # blind index of their own number: who works here may be a customer too (E10)
    Column("created_at", Instant, nullable=False),
    Column("ended_at", Instant),
)  # fmt: skip

operator_key = Table(
    "operator_key", metadata,
    Column("credential", Text, primary_key=True),  # credential id in base64url
    Column("employee", Text, nullable=False),
    Column("public_key", LargeBinary, nullable=False),  # COSE
    Column("counter", BigInteger, nullable=False),
    Column("backed_up", Boolean, nullable=False),
    Column("aaguid", LargeBinary, nullable=False),
    Column("added_at", Instant, nullable=False),
    Column("used_at", Instant),
    Column("ended_at", Instant),
    Index("operator_key_by_employee", "employee"),
)  # fmt: skip

operator_session = Table(
    "operator_session", metadata,
    Column("session", Text, primary_key=True),  # SHA-256 of the cookie's 256 bits, hex (F2)
    Column("employee", Text),
    Column("csrf", Text, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("seen_at", Instant, nullable=False),
    Column("expires_at", Instant, nullable=False),
    Column("ended_at", Instant),
    Column("ended_by", Text),
    Index("operator_session_by_employee", "employee"),
)  # fmt: skip

operator_change = Table(
    "operator_change", metadata,
    Column("change_id", Text, primary_key=True),  # its state lies in `flow`; this row is what lists are made of
    Column("kind", Text, nullable=False),
    Column("status", Text, nullable=False),
    Column("maker", Text, nullable=False),
    Column("checker", Text),
    Column("at", Instant, nullable=False),
    Index("operator_change_by_status", "status", "at"),
)  # fmt: skip

policy = Table(
    "policy", metadata,
    Column("name", Text, primary_key=True),
    Column("value", Text, nullable=False),  # JSON
    Column("version", Integer, nullable=False),
    Column("change_id", Text, nullable=False),  # the approved change that set it
    Column("at", Instant, nullable=False),
)  # fmt: skip

way = Table(
    "way", metadata,
    Column("way", Text, primary_key=True),  # a word of customer.availability.Way; no row: on, all day
    Column("off", Boolean, nullable=False),
    Column("reason_ko", Text, nullable=False),
    Column("reason_en", Text, nullable=False),
    Column("until", Instant),  # on again by itself
    Column("days", Text),  # "01234": Monday to Friday; NULL with the two below: all day
    Column("opens", Integer),  # minutes of the Korean day
    Column("closes", Integer),
    Column("changed_at", Instant, nullable=False),
    Column("changed_by", Text, nullable=False),  # employee number
)  # fmt: skip

service_notice = Table(
    "service_notice", metadata,
    Column("notice_id", Text, primary_key=True),
    Column("kind", Text, nullable=False),  # info | warn
    Column("text_ko", Text, nullable=False),
    Column("text_en", Text, nullable=False),
    Column("from_at", Instant, nullable=False),
    Column("until_at", Instant, nullable=False),
    Column("made_at", Instant, nullable=False),
    Column("made_by", Text, nullable=False),
    Column("withdrawn_at", Instant),
    Column("withdrawn_by", Text),
    Index("service_notice_standing", "withdrawn_at", "until_at"),
)  # fmt: skip

notice_wish = Table(
    "notice_wish", metadata,
    Column("customer_id", Text, primary_key=True),
    Column("lang", Text, nullable=False),  # ko | en
    Column("mails", Boolean, nullable=False),
    Column("expiry", Boolean, nullable=False),
    Column("logins", Boolean, nullable=False),
    Column("changed_at", Instant, nullable=False),
    Column("spoken", Boolean, nullable=False, server_default=text("false")),  # the language is a login's, not chosen
)  # fmt: skip

former_mobile = Table(
    "former_mobile", metadata,
    Column("customer_id", Text, primary_key=True),
    Column("number", LargeBinary, nullable=False),  # encrypted; hears every notice until then (E9)
    Column("until", Instant, nullable=False),
    Index("former_mobile_by_end", "until"),
)  # fmt: skip

party_health = Table(
    "party_health", metadata,
    Column("party", Text, primary_key=True),  # the name of an outside party in the settings' addresses
    Column("node", Text, primary_key=True),  # the process that speaks to it
    Column("state", Text, nullable=False),  # well | failing | away
    Column("well_at", Instant),
    Column("failed_at", Instant),
    Column("cause", Text),  # a code
    Column("told_at", Instant, nullable=False),
)  # fmt: skip

ars_call = Table(
    "ars_call", metadata,
    Column("call_id", Text, primary_key=True),  # 32 hex, unguessable; the two digits follow from it by a keyed digest
    Column("customer_id", Text, nullable=False),
    Column("purpose", Text, nullable=False),
    Column("flow_id", Text, nullable=False),
    Column("session", Text, nullable=False),
    Column("phone", Text, nullable=False),  # a Phone: the number itself lies in the customer's record
    Column("state", Text, nullable=False),  # queued, or a ports.ars.CallState
    Column("asked_at", Instant, nullable=False),
    Column("state_at", Instant, nullable=False),
    Column("expires_at", Instant, nullable=False),
    Index("ars_call_by_flow", "flow_id", "asked_at"),
)  # fmt: skip

branch_number = Table(
    "branch_number", metadata,
    Column("number_id", Text, primary_key=True),
    Column("customer_id", Text, nullable=False),
    Column("purpose", Text, nullable=False),
    Column("digest", Text, nullable=False),  # keyed HMAC of number_id and the eight digits (E10)
    Column("branch", Text, nullable=False),
    Column("operator_id", Text, nullable=False),
    Column("day", Text, nullable=False),  # the day in Korea, for the list of the day
    Column("state", Text, nullable=False),  # issued | used | void
    Column("issued_at", Instant, nullable=False),
    Column("expires_at", Instant, nullable=False),
    Column("ended_at", Instant),
    Column("slot", Integer, nullable=False, server_default="1"),  # which head of a union
    Index("branch_number_by_customer", "customer_id", "state"),
    Index("branch_number_by_day", "branch", "day"),
)  # fmt: skip

otp_token = Table(
    "otp_token", metadata,
    Column("customer_id", Text, primary_key=True),
    Column("kind", Text, nullable=False),  # totp | hotp
    Column("key", LargeBinary, nullable=False),  # encrypted under the customer's data key (H6)
    Column("moving", BigInteger, nullable=False),  # TOTP: the last step that was used; HOTP: the next counter
    Column("enrolled_at", Instant, nullable=False),
)  # fmt: skip

security_card = Table(
    "security_card", metadata,
    Column("customer_id", Text, primary_key=True),
    Column("first", Integer, nullable=False),  # what is asked for, until it was answered rightly
    Column("second", Integer, nullable=False),
    Column("turn", BigInteger, nullable=False),  # right answers so far
    Column("issued_at", Instant, nullable=False),
)  # fmt: skip

security_card_numbers = Table(
    "security_card_numbers", metadata,
    Column("customer_id", Text, primary_key=True),
    Column("numbers", LargeBinary, nullable=False),  # encrypted under the customer's data key (H6)
)  # fmt: skip

customer_medium = Table(
    "customer_medium", metadata,
    Column("customer_id", Text, primary_key=True),
    Column("kind", Text, nullable=False),  # card | totp | hotp
    Column("since_at", Instant, nullable=False),
)  # fmt: skip

oidc_grant = Table(
    "oidc_grant", metadata,
    Column("code", Text, primary_key=True),  # SHA-256 of the code, hex
    Column("token", Text, nullable=False),  # SHA-256 of the access token that it gave, hex
    Column("client_id", Text, nullable=False),
    Column("customer_id", Text, nullable=False),
    Column("at", Instant, nullable=False),
    Column("expires_at", Instant, nullable=False),
    Index("oidc_grant_by_expiry", "expires_at"),
    Index("oidc_grant_by_customer", "customer_id", "at"),
)  # fmt: skip

union_head = Table(
    "union_head", metadata,
    Column("head_id", Text, primary_key=True),
    Column("customer_id", Text, nullable=False),
    Column("slot", Integer, nullable=False),  # 2 …: the first head is the customer
    Column("details", LargeBinary, nullable=False),  # encrypted JSON: name, number
    Column("status", Text, nullable=False),  # ACTIVE | ENDED
    Column("since_at", Instant, nullable=False),
    Column("ended_at", Instant),
    Index("union_head_by_slot", "customer_id", "slot", unique=True,
          sqlite_where=text("status = 'ACTIVE'"), postgresql_where=text("status = 'ACTIVE'")),
)  # fmt: skip

binding_claim = Table(
    "binding_claim", metadata,
    Column("claim_key", Text, primary_key=True),  # keyed HMAC of issuer, subject and serial number
    Column("customer_id", Text, nullable=False),
    Column("at", Instant, nullable=False),
    Column("ended_at", Instant),  # a binding took its place
    Index("binding_claim_by_customer", "customer_id"),
)  # fmt: skip

import_run = Table(
    "import_run", metadata,
    Column("run_id", Text, primary_key=True),  # SHA-256 of the file, hex
    Column("started_at", Instant, nullable=False),
    Column("at_row", BigInteger, nullable=False),  # rows that are done
    Column("bound", BigInteger, nullable=False),
    Column("claimed", BigInteger, nullable=False),
    Column("there", BigInteger, nullable=False),
    Column("refused", BigInteger, nullable=False),
    Column("report_bytes", BigInteger, nullable=False),  # so long is the report that belongs to these rows
    Column("finished_at", Instant),
)  # fmt: skip

customer_number = Table(
    "customer_number", metadata,
    Column("customer_id", Text, primary_key=True),
    Column("phone", Text, primary_key=True),  # a Phone
    Column("number", LargeBinary, nullable=False),  # encrypted; empty: there is none any more
    Column("at", Instant, nullable=False),
    Column("told_at", Instant),  # since when the core-banking system has it
)  # fmt: skip

customer_key = Table(
    "customer_key", metadata,
    Column("customer_id", Text, primary_key=True),  # a customer that a core-banking system keeps
    Column("data_key", LargeBinary, nullable=False),
    Column("key_version", Integer, nullable=False),
    Column("at", Instant, nullable=False),
)  # fmt: skip

evidence = Table(
    "evidence", metadata,
    Column("number", Text, primary_key=True),  # of the receipt
    Column("customer_id", Text, nullable=False),
    Column("act", Text, nullable=False),  # the purpose that was signed for
    Column("at", Instant, nullable=False),
    Column("digest", Text, nullable=False),  # SHA-256 of all of it, hex; the audit line of the act has it too
    Column("sealed", LargeBinary, nullable=False),  # encrypted: protocols.evidence
    Index("evidence_by_customer", "customer_id", "at"),
)  # fmt: skip

loan_application = Table(
    "loan_application", metadata,
    Column("number", Text, primary_key=True),  # that of its evidence
    Column("customer_id", Text, nullable=False),
    Column("details", LargeBinary, nullable=False),  # encrypted JSON: kind, amount, months, account
    Column("status", Text, nullable=False),  # RECEIVED
    Column("at", Instant, nullable=False),
    Index("loan_application_by_customer", "customer_id", "at"),
)  # fmt: skip

payment = Table(
    "payment", metadata,
    Column("key", Text, primary_key=True),  # 32 hex, of the run and the attempt: the provider's idempotency key
    Column("customer_id", Text, nullable=False),
    Column("flow_id", Text, nullable=False),
    Column("machine", Text, nullable=False),
    Column("product", Text, nullable=False),
    Column("amount", BigInteger, nullable=False),  # won
    Column("stage", Text, nullable=False),  # see customer/payment and its owing
    Column("certificate", Text),  # SHA-256 of the one that it pays for, hex
    Column("approval", Text, nullable=False),  # 승인번호
    Column("opened_at", Instant, nullable=False),
    Column("settled_at", Instant),
    Index("payment_by_flow", "flow_id", "opened_at"),
    Index("payment_by_customer", "customer_id", "opened_at"),
)  # fmt: skip

pin_key = Table(
    "pin_key", metadata,
    Column("handle", Text, primary_key=True),  # 128 random bits, hex, which the vault keeps
    Column("customer_id", Text, nullable=False),
    Column("device", LargeBinary, nullable=False),  # the record's device key, a P-256 point
    Column("proves", LargeBinary, nullable=False),  # Ed25519; its other half lies in the slot, sealed under the PIN
    Column("sealed", LargeBinary, nullable=False),  # encrypted: the scalar
    Column("asked", BigInteger, nullable=False),  # tries, ever
    Column("proved", BigInteger, nullable=False),  # the last try that opened
    Column("missed", BigInteger, nullable=False),  # tries before it that did not
    Column("made_at", Instant, nullable=False),
    Column("asked_at", Instant, nullable=False),
    Column("slot", Integer, nullable=False, server_default="1"),  # which head of a union
    Index("pin_key_by_customer", "customer_id", "asked_at"),
    Index("pin_key_by_use", "asked_at"),
)  # fmt: skip
