"""What a ceremony is told from outside: who stands by, where the keys lie, which software made them.

All of it goes into the record as it is given, so it is text of one line each and holds no secret.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from ingam.kernel.errors import Refusal
from ingam.npki.certificate import Certificate
from ingam.ports.signing import SigningKeys

MOST_CHARACTERS: Final = 200
MOST_OUTPUT: Final = 20_000

Random = Callable[[int], bytes]
"""n bytes of a CSPRNG."""


class CeremonyRefused(Refusal):
    """The ceremony cannot be held as asked; no certificate was made (facts: reason).

    reason: participant, place, software, tool (text that is empty, too long, or more than a line); root-ends,
    issuing-ends (what signs ends before what it would sign); no-root, no-responder; key-of-another (a key is not that
    of its certificate); records (a hundred in one second).
    """

    code = "ceremony-refused"


class CeremonyExists(Refusal):
    """There is an authority in this folder already; it is never replaced."""

    code = "ceremony-exists"


class CeremonyUnderWay(Refusal):
    """Another process is holding a ceremony for this folder at this moment."""

    code = "ceremony-under-way"


class KeysLeftOver(Refusal):
    """Keys of these names are left over from a ceremony that did not end (facts: names); nothing was made.

    Use them (`reuse_keys`), or delete them in the token by its own tool.
    """

    code = "ceremony-keys-left-over"


class KeyOtherKind(Refusal):
    """A key that is left over is of another kind than is asked for (facts: name, kind)."""

    code = "ceremony-key-kind"


class Participant(NamedTuple):
    """A natural person who stands by, as given. `role`: e.g. `operator`, `witness`."""

    name: str
    role: str


class Keys(NamedTuple):
    """The places of keys: the root's, which may be kept apart, and that of all others; often the same."""

    root: SigningKeys
    others: SigningKeys

    def close(self) -> None:
        """Both."""
        self.root.close()
        if self.others is not self.root:
            self.others.close()


class Places(NamedTuple):
    """How the record calls the places of keys: e.g. `encrypted files`, `PKCS#11 token 'x', SoftHSM 2.6.1`."""

    root: str
    others: str


class Above(NamedTuple):
    """A root that stands already, and stands above other authorities too. `number`: its generation.

    Its key lies in the root's place of keys under `root-<number>`; the authority's folder gets the certificate alone.
    """

    number: int
    certificate: Certificate


@dataclass(frozen=True, slots=True)
class Plan:
    """`software`: versions by name; `tools`: what tools printed, by their command.

    `responder_by_root`: the root issues the OCSP responder for as long as the CA lives, as the field does (npki.md
    section 7); else the CA itself issues one of at most 90 days (security D12). `reuse_keys`: take keys that are left
    over. `log_origin`: the name of the transparency log, whose key is then printed in its text form. `above`: the root
    that signs, where it is not one of this authority's own.
    """

    participants: tuple[Participant, ...]
    places: Places
    software: Mapping[str, str]
    tools: Mapping[str, str] = field(default_factory=dict)
    responder_by_root: bool = False
    reuse_keys: bool = False
    log_origin: str | None = None
    above: Above | None = None

    def __post_init__(self) -> None:
        """Raises CeremonyRefused for text that could forge lines of the record."""
        if not self.participants or not all(map(_line, (part for one in self.participants for part in one))):
            raise CeremonyRefused(reason="participant")
        if not all(map(_line, self.places)):
            raise CeremonyRefused(reason="place")
        if not all(_line(part) for pair in self.software.items() for part in pair):
            raise CeremonyRefused(reason="software")
        if not all(_line(command) and _output(text) for command, text in self.tools.items()):
            raise CeremonyRefused(reason="tool")


def _line(text: str) -> bool:
    return text.strip() != "" and len(text) <= MOST_CHARACTERS and text.isprintable()


def _output(text: str) -> bool:
    return len(text) <= MOST_OUTPUT and all(line.isprintable() for line in text.replace("\t", " ").splitlines())
