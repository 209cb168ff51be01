"""`ingam ca`: found and run a certification authority; every verb works also while the authority serves."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Callable, Sequence
from typing import Final

from ingam.kernel.errors import Failure
from ingam.run.cli import (
    ca_ceremony,
    ca_export,
    ca_issuing,
    ca_lists,
    ca_operator_acts,
    ca_options,
    ca_revoking,
    ca_signing,
    ca_status,
    ca_telling,
)

VERBS: Final[dict[str, Callable[[Namespace], int]]] = {
    "init": ca_ceremony.init,
    "roll-over": ca_ceremony.roll_over,
    "roll-root": ca_ceremony.roll_root,
    "renew-responder": ca_ceremony.renew_responder,
    "ceremony list": ca_ceremony.records,
    "ceremony show": ca_ceremony.record,
    "register": ca_issuing.enter,
    "issue": ca_issuing.issue,
    "revoke": ca_revoking.revoke,
    "suspend": ca_revoking.suspend,
    "resume": ca_revoking.resume,
    "statement": ca_revoking.state,
    "sign": ca_signing.sign,
    "operator list": ca_operator_acts.listed,
    "operator add": ca_operator_acts.add,
    "operator remove": ca_operator_acts.remove,
    "operator apply": ca_operator_acts.apply,
    "operator key": ca_signing.make_key,
    "status": ca_status.status,
    "crl": ca_lists.crl,
    "export": ca_export.export,
}
"""Every verb, with its act where it has several."""


def main(argv: Sequence[str]) -> int:
    """Run `ingam ca …`; returns the exit code that --help documents."""
    try:
        options = ca_options.parser().parse_args(list(argv))
    except SystemExit as ended:
        return int(ended.code or 0)
    verb = f"{options.verb} {options.act}" if "act" in options else options.verb
    try:
        return VERBS[verb](options)
    except Failure as failure:
        return ca_telling.tell_failure(failure, as_json=options.json)
