"""`make bench [ONLY=keys]`: every comparison, or one; each also runs alone as `python -m bench.<name>`."""

from __future__ import annotations

import sys
from importlib import import_module

COMPARISONS = {
    "keys": ("keys", "browser_keys"),
    "login": ("login",),
    "issuing": ("issuing",),
    "ocsp": ("ocsp",),
    "crl": ("crl",),
    "phone": ("phone", "browser_phone"),
    "cards": ("cards",),
    "enumeration": ("enumeration",),
    "audit": ("audit",),
    "import": ("importing",),
    "copying": ("copying", "browser_copying"),
}


def main(words: list[str]) -> int:
    """0 where every aim was met, 1 where one fell short, 2 for an unknown name."""
    chosen = words or list(COMPARISONS)
    if unknown := [word for word in chosen if word not in COMPARISONS]:
        print(f"no such comparison: {unknown[0]} (there are {', '.join(COMPARISONS)})", file=sys.stderr)
        return 2
    codes: list[int] = [import_module(f"bench.{module}").main() for word in chosen for module in COMPARISONS[word]]
    return max(codes)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
