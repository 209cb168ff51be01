"""The outside world on one machine: other authorities, the phone that SMS arrive at, and the demo people.

It speaks the wire protocols that the real parties speak and answers from its own records; it knows nothing of the
center's database, listens on loopback only, and says on every screen that it is a sandbox.
"""

from ingam.sandbox.authorities.houses import addresses

__all__ = ["addresses"]
