"""The relay's numbers in the text format of Prometheus: by code, never by person, mailbox or address (security H9)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from ingam.protocols.mailbox.mailbox import Opened
from ingam.relay.service import Relay
from ingam.run.handing import HandingExchange
from ingam.run.messages import Reply, fields

_HEAD: Final = fields([("Content-Type", "text/plain; version=0.0.4; charset=utf-8"), ("Cache-Control", "no-store")])


def metrics(relay: Relay, exchange: HandingExchange) -> Reply:
    """GET /metrics. On a store that nodes share, a mailbox is counted at each node that serves one of its devices."""
    counts, rooms = relay.counts, relay.rooms.all.values()
    waiting = sum(isinstance(room.state, Opened) for room in rooms)
    lines = [
        *_labelled("ingam_relay_began_total", "First words of devices by act", "act", counts.began),
        *_labelled("ingam_relay_ended_total", "Mailboxes that ended, by why", "why", counts.ended),
        *_labelled("ingam_relay_refused_total", "Refusals by code", "code", counts.refused),
        *_one("ingam_relay_messages_total", "counter", "Sealed messages taken", counts.messages),
        *_one("ingam_relay_octets_total", "counter", "Octets of sealed messages taken", counts.octets),
        *_one("ingam_relay_connections_total", "counter", "Connections", exchange.accepted),
        *_one("ingam_relay_malformed_total", "counter", "Requests refused for form or size", exchange.refused),
        *_one("ingam_relay_cut_total", "counter", "Connections ended for keeping the relay waiting", exchange.cut),
        *_one("ingam_relay_connections", "gauge", "Open connections", len(exchange.connections)),
        *_one("ingam_relay_waiting", "gauge", "Mailboxes here that wait for a second device", waiting),
        *_one("ingam_relay_running", "gauge", "Mailboxes here that two devices have joined", len(rooms) - waiting),
        *_one("ingam_relay_stopping", "gauge", "1 while the node begins nothing more", int(relay.stopping)),
    ]
    return Reply(200, _HEAD, ("\n".join(lines) + "\n").encode("utf-8"))


def _one(name: str, kind: str, text: str, value: int) -> list[str]:
    return [f"# HELP {name} {text}", f"# TYPE {name} {kind}", f"{name} {value}"]


def _labelled(name: str, text: str, label: str, values: Mapping[str, int]) -> list[str]:
    lines = [f'{name}{{{label}="{key}"}} {value}' for key, value in sorted(values.items())]
    return [f"# HELP {name} {text}", f"# TYPE {name} counter", *lines]
