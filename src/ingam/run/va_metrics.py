"""The metrics of the status service in the text format of Prometheus, summed over its workers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, Protocol

from ingam.ca.status.answers import Counts
from ingam.run.exchange import Exchange
from ingam.run.messages import Reply, fields
from ingam.run.tallies import Row, Tallies

_ANSWERS: Final = {
    "presigned": "presigned", "demanded": "on_demand", "try_later": "try_later", "malformed": "malformed",
    "unauthorized": "unauthorized",
}  # fmt: skip
_OTHERS: Final = {
    "signed": ("ingam_ocsp_presigned_signatures_total", "Answers signed (or fetched from the origin) to be kept"),
    "refreshed": ("ingam_ocsp_refreshed_total", "Kept answers renewed before their end"),
    "changes": ("ingam_ocsp_changes_total", "Status changes that dropped what was kept"),
}
_CONNECTIONS: Final = {
    "accepted": ("ingam_va_connections_total", "counter", "Connections"),
    "refused": ("ingam_va_refused_total", "counter", "Requests refused for their form or size"),
    "cut": ("ingam_va_cut_total", "counter", "Connections ended for keeping the server waiting"),
}
_HEAD: Final = fields([("Content-Type", "text/plain; version=0.0.4; charset=utf-8"), ("Cache-Control", "no-store")])


class Counted(Protocol):
    """An authority's answers: what they count and how many they keep."""

    def counted(self) -> Counts:
        """What happened since the start."""

    @property
    def kept(self) -> int:
        """How many answers are kept."""


class VaMetrics:
    """Writes this worker's numbers, and tells everybody's. `names`: of the authorities, in their order."""

    def __init__(self, names: Sequence[str], answers: Sequence[Counted], tallies: Tallies, row: Row) -> None:
        self._names, self._answers, self._tallies, self._row = names, answers, tallies, row

    def write(self, exchange: Exchange) -> None:
        """Now and then, and before telling."""
        names, all_counts = (*_ANSWERS, *_OTHERS), [one.counted() for one in self._answers]
        counted = [getattr(counts, name) for counts in all_counts for name in names]
        counted += [getattr(exchange, name) for name in _CONNECTIONS]
        self._row.write(counted, [*(one.kept for one in self._answers), len(exchange.connections)])

    def reply(self, exchange: Exchange, troubles: Sequence[str]) -> Reply:
        """GET /metrics."""
        self.write(exchange)
        return Reply(200, _HEAD, self._text(troubles).encode("utf-8"))

    def _text(self, troubles: Sequence[str]) -> str:
        width = len(_ANSWERS) + len(_OTHERS)
        size = width * len(self._names) + len(_CONNECTIONS) + len(self._names) + 1
        sums = iter(self._tallies.sums(size))
        rows = [dict(zip((*_ANSWERS, *_OTHERS), (next(sums) for _ in range(width)), strict=True)) for _ in self._names]
        lines = _described("ingam_ocsp_answers_total", "counter", "OCSP answers by how they came about")
        for name, row in zip(self._names, rows, strict=True):
            lines += [
                f'ingam_ocsp_answers_total{{authority="{name}",kind="{kind}"}} {row[key]}'
                for key, kind in _ANSWERS.items()
            ]
        for key, (metric, text) in _OTHERS.items():
            lines += _described(metric, "counter", text)
            lines += [f'{metric}{{authority="{name}"}} {row[key]}' for name, row in zip(self._names, rows, strict=True)]
        for metric, kind, text in _CONNECTIONS.values():
            lines += [*_described(metric, kind, text), f"{metric} {next(sums)}"]
        lines += _described("ingam_ocsp_kept", "gauge", "Answers kept ready to send")
        lines += [f'ingam_ocsp_kept{{authority="{name}"}} {next(sums)}' for name in self._names]
        lines += [
            *_described("ingam_va_connections", "gauge", "Open connections"),
            f"ingam_va_connections {next(sums)}",
        ]
        lines += _described("ingam_va_ready", "gauge", "1 where nothing stands in the way of answering")
        return "\n".join([*lines, f"ingam_va_ready {int(not troubles)}"]) + "\n"


def _described(metric: str, kind: str, text: str) -> list[str]:
    return [f"# HELP {metric} {text}", f"# TYPE {metric} {kind}"]
