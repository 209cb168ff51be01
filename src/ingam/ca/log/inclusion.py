"""What an owner gets and keeps: the proof that his certificate's issue is in the log (security H3)."""

from __future__ import annotations

from ingam.ca.log.stored import BooksChanged, StoredTree
from ingam.kernel.errors import Refusal
from ingam.ports.books import Leaves
from ingam.protocols.log import head
from ingam.protocols.log.bundle import UnverifiedBundle
from ingam.protocols.log.commitment import SaltMalformed, commit
from ingam.protocols.log.proof import NotIncluded, verify_inclusion


class NeverIssued(Refusal):
    """These books hold no issue of this serial."""

    code = "log-never-issued"


class NotYetSigned(Refusal):
    """The leaf is in the log; the head that speaks of it comes with the next batch."""

    code = "log-not-yet"


class Erased(Refusal):
    """Salt and event of this leaf were deleted: nobody can say any more what it was (security H3)."""

    code = "log-erased"


def bundle(leaves: Leaves, ca: int, serial: int) -> UnverifiedBundle:
    """The proof for a certificate's issue under the newest head; its `text` is what is handed out.

    Raises NeverIssued, NotYetSigned, Erased, BooksChanged, BooksOutage.
    """
    index = leaves.leaf_of(ca, serial)
    if index is None:
        raise NeverIssued
    return bundle_at(leaves, index)


def bundle_at(leaves: Leaves, index: int) -> UnverifiedBundle:
    """The same for any leaf. Raises NeverIssued, NotYetSigned, Erased, BooksChanged, BooksOutage."""
    newest, leaf = leaves.head(), leaves.leaf(index)
    if leaf is None:
        raise NeverIssued
    if not leaf.salt or not leaf.event:
        raise Erased
    if newest is None or index >= newest.size:
        raise NotYetSigned
    path = StoredTree(leaves, newest.size).inclusion(index, newest.size)
    try:
        # A proof that would fail at its owner's is found here first.
        verify_inclusion(commit(leaf.salt, leaf.event), index, newest.size, path, newest.root)
    except (NotIncluded, SaltMalformed):
        raise BooksChanged(kept=newest.size) from None
    return UnverifiedBundle(index, leaf.salt, tuple(path), leaf.event, head.parse(newest.text))
