"""OCSP and CRL: for now a page saying that it comes."""

from __future__ import annotations

from pathlib import Path

from starlette.applications import Starlette

from ingam.page import Bundle
from ingam.run.service_page import BUNDLE, serve, service_app
from ingam.settings import Settings


def app(settings: Settings, bundle: Path = BUNDLE) -> Starlette:
    """The process's application."""
    return service_app(settings, "va", Bundle.read(bundle))


def main() -> int:
    """`python -m ingam.run.va`."""
    return serve("va")


if __name__ == "__main__":
    raise SystemExit(main())
