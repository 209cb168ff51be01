"""Who keeps 보안카드: our own tables, or the institution's core system."""

from __future__ import annotations

from ingam.adapters.cards.core import CoreCards
from ingam.adapters.cards.tables import Fields, TableCards
from ingam.ports.clock import Clock
from ingam.ports.store import Store
from ingam.settings import Settings


def kept_cards(settings: Settings, store: Store, clock: Clock, fields: Fields) -> TableCards | CoreCards:
    """By INGAM_CARDS."""
    if not settings.cards.address:
        return TableCards(store, clock, fields)
    return CoreCards(settings.cards.address, key=settings.cards.key)
