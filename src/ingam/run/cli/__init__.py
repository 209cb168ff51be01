"""The command line: `ingam <noun> <verb> …`. One module a noun, loaded when it is asked for."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from importlib import import_module
from typing import Final

NOUNS: Final = {
    "audit": "ingam.run.cli.audit",
    "ca": "ingam.run.cli.ca",
    "cert": "ingam.run.cli.cert",
    "console": "ingam.run.cli.console",
    "copy": "ingam.run.cli.copy",
    "customer": "ingam.run.cli.customer",
    "doctor": "ingam.run.cli.doctor",
    "import": "ingam.run.cli.import_bindings",
    "evidence": "ingam.run.cli.evidence",
    "log": "ingam.run.cli.log",
    "ra": "ingam.run.cli.ra",
    "relay": "ingam.run.cli.relay",
    "store": "ingam.run.cli.store",
}
"""Each module has `main(argv) -> int`: the arguments behind the noun, the exit code."""

HELP: Final = """\
ingam <noun> …                        ingam <noun> --help

  audit     감사 기록이 서명된 그대로인지 확인합니다 (서버) · verify the audit against its checkpoints (on the server)
  ca        인증기관을 만들고 운영합니다 (서버) · found and run a certification authority (on the server)
  cert      공동인증서를 열고, 검증하고, 바꾸고, 내보냅니다 · joint certificates on this machine
  console   콘솔의 첫 운영자 두 사람을 만듭니다 (서버) · the first two operators of the console (on the server)
  copy      인증서를 다른 기기에서 받거나 다른 기기로 보냅니다 · copy a certificate from or to another device
  customer  고객을 등록하고 잠금을 풉니다 (서버) · enrol and unlock customers (on the server)
  doctor    보관함이 공개된 것과 같은지 확인합니다 · whether a served vault is the published one
  import    다른 시스템의 인증서 등록을 가져옵니다 (서버) · take over registrations of another system (on the server)
  evidence  서명한 거래의 증거를 꺼내고 확인합니다 · evidence of what a customer signed: export, verify
  log       투명성 로그를 검증하고 증명을 확인합니다 · verify the transparency log, make and check proofs
  ra        인증센터를 인증기관의 등록기관으로 만듭니다 (서버) · make this center an RA of an authority
  relay     복사 중계가 믿을 공개키를 꺼냅니다 (서버) · the public key that relays of copying trust
  store     데이터베이스 스키마를 준비합니다 (서버) · make and renew the schema (on the server)"""

USAGE: Final = 2
NOBODY_READS: Final = 141
"""128 + SIGPIPE: what a shell reports of a program whose reader went away."""


def main(argv: Sequence[str] | None = None) -> int:
    """Runs one command and returns its exit code."""
    words = list(sys.argv[1:] if argv is None else argv)
    noun = words[0] if words else None
    if noun not in NOUNS:
        asked = noun in ("-h", "--help")
        print(HELP, file=sys.stdout if asked else sys.stderr)
        return 0 if asked else USAGE
    try:
        code: int = import_module(NOUNS[noun]).main(words[1:])
        sys.stdout.flush()
    except ModuleNotFoundError as missing:
        return _not_installed(noun, missing)
    except BrokenPipeError:
        # `ingam cert list | head`: nobody reads any more, and the interpreter must not try again at its end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return NOBODY_READS
    return code


def _not_installed(noun: str, missing: ModuleNotFoundError) -> int:
    """The bare package has `cert` and `doctor`; what serves comes with the extra. Raises what is not that."""
    if (missing.name or "ingam").partition(".")[0] == "ingam":
        raise missing
    print(f"ingam {noun}: {missing.name} 없음 · is missing: pip install 'ingam[server]'", file=sys.stderr)
    return USAGE
