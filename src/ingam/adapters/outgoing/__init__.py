"""How adapters of outside parties speak HTTP: one bounded client, and a breaker that leaves a fallen party alone."""

from ingam.adapters.outgoing.breaker import Breaker
from ingam.adapters.outgoing.caller import Answer, Caller

__all__ = ["Answer", "Breaker", "Caller"]
