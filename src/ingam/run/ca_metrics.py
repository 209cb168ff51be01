"""The metrics of the authority's CMP endpoint in the text format of Prometheus, summed over its workers."""

from __future__ import annotations

from typing import Final

from ingam.ca.endpoint.service import Endpoint
from ingam.ca.revoking.service import Revoking
from ingam.protocols.cmp.message import BodyKind
from ingam.run.exchange import Exchange
from ingam.run.messages import Reply, fields
from ingam.run.tallies import Row, Tallies

_BODIES: Final = (*(one.name.lower() for one in BodyKind), "unread", "audit")
_OUTCOMES: Final = ("ok", "refused")
_HEAD: Final = fields([("Content-Type", "text/plain; version=0.0.4; charset=utf-8"), ("Cache-Control", "no-store")])


class CaMetrics:
    """Writes this worker's numbers, and tells everybody's."""

    def __init__(self, endpoint: Endpoint, revoking: Revoking, tallies: Tallies, row: Row) -> None:
        self._endpoint, self._revoking, self._tallies, self._row = endpoint, revoking, tallies, row

    def write(self, exchange: Exchange) -> None:
        """Now and then, and before telling."""
        counted = {(body, outcome): 0 for body in _BODIES for outcome in _OUTCOMES}
        for (body, code), count in self._endpoint.answered.items():
            counted[body, "ok" if code == "ok" else "refused"] += count
        others = [self._revoking.alarms, exchange.accepted, exchange.refused, exchange.cut]
        self._row.write([*counted.values(), *others], [len(exchange.connections)])

    def reply(self, exchange: Exchange) -> Reply:
        """GET /metrics."""
        self.write(exchange)
        names = [(body, outcome) for body in _BODIES for outcome in _OUTCOMES]
        *answers, alarms, accepted, refused, cut, open_now = self._tallies.sums(len(names) + 5)
        lines = ["# HELP ingam_cmp_answers_total CMP messages answered", "# TYPE ingam_cmp_answers_total counter"]
        lines += [
            f'ingam_cmp_answers_total{{body="{body}",outcome="{outcome}"}} {count}'
            for (body, outcome), count in zip(names, answers, strict=True)
            if count
        ]
        told = {
            "ingam_ca_alarms_total": ("counter", "Rate ceilings met: somebody should look", alarms),
            "ingam_ca_connections_total": ("counter", "Connections", accepted),
            "ingam_ca_refused_total": ("counter", "Requests refused for their form or size", refused),
            "ingam_ca_cut_total": ("counter", "Connections ended for keeping the server waiting", cut),
            "ingam_ca_connections": ("gauge", "Open connections", open_now),
        }
        for name, (kind, text, number) in told.items():
            lines += [f"# HELP {name} {text}", f"# TYPE {name} {kind}", f"{name} {number}"]
        return Reply(200, _HEAD, ("\n".join(lines) + "\n").encode())
