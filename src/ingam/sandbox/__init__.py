"""The outside world on one machine: the phone that SMS arrive at, the demo people, and the way to other authorities.

It speaks the wire protocols that the real parties speak; it knows nothing of the center's database, listens on
loopback only, and says on every screen that it is a sandbox. The other authorities run our own authority's code in a
process of their own (`behind`); the sandbox stands in front of them and makes what is wrong on purpose.
"""

from ingam.sandbox.authorities.houses import addresses

__all__ = ["addresses"]
