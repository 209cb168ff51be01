"""What every command on the center's own server has: `--data` and `--lang`, and the settings that they mean."""

from __future__ import annotations

import os
from argparse import ArgumentParser, Namespace
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from ingam.adapters.store.migrate import check_revision
from ingam.settings import Settings, read


def options_of(verbs: Iterable[ArgumentParser], *, names_store: bool = False) -> None:
    """`names_store`: the command may be for a database elsewhere, and its help says by which variable."""
    text = "the data folder (else INGAM_DATA)" + ("; INGAM_STORE names PostgreSQL" if names_store else "")
    for verb in verbs:
        verb.add_argument("--data", type=Path, help=text)
        verb.add_argument("--lang", choices=("ko", "en"), help="of what is said (else that of LANG)")


def settings_of(options: Namespace) -> Settings:
    """The environment's, with `--data` in the place of INGAM_DATA. Raises SettingsRefused."""
    settings = read(os.environ)
    return settings if options.data is None else replace(settings, data=options.data)


def checked(options: Namespace) -> Settings:
    """The same, of a database at this program's revision. Raises SettingsRefused, WrongRevision, StoreOutage."""
    settings = settings_of(options)
    check_revision(settings.store)
    return settings
