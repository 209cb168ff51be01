"""What a process that decodes strangers' pictures gives up, for good, before it sees one (security F11).

Twice: `first` before anything is loaded (its own network, no core dump, no new privileges, memory), `last` when all is
loaded (another user, no files, no new processes, and by seccomp no system call but those that reading a picture needs).
Each names the fences that stand, so that whoever started it can tell what this machine does not allow.
"""

from __future__ import annotations

import ctypes
import errno
import os
import platform
import resource
import signal
import struct
from typing import Final

MEMORY: Final = 1536 * 1024 * 1024
"""Bytes of address space; most of it is reserved by libraries and never touched."""

CPU_S: Final = 15
"""Of one picture, loading included."""

NOBODY: Final = 65_534

_PR_SET_PDEATHSIG, _PR_SET_DUMPABLE, _PR_SET_SECCOMP, _PR_SET_NO_NEW_PRIVS = 1, 4, 22, 38
_CLONE_NEWUSER, _CLONE_NEWNET = 0x10000000, 0x40000000
_FILTER: Final = 2

_LOAD_WORD, _JUMP_EQUAL, _RETURN = 0x20, 0x15, 0x06
_ALLOW, _REFUSE, _KILL = 0x7FFF0000, 0x00050000 | errno.EPERM, 0x80000000

_CALLS: Final = {
    # read write close fstat lseek mmap mprotect munmap brk rt_sigaction rt_sigprocmask rt_sigreturn ioctl readv writev
    # sched_yield mremap madvise nanosleep getpid exit gettimeofday getrlimit getrusage times getuid gettid futex
    # sched_getaffinity clock_gettime clock_getres clock_nanosleep exit_group getrandom set_robust_list sigaltstack rseq
    "x86_64": (0xC000003E, (
        0, 1, 3, 5, 8, 9, 10, 11, 12, 13, 14, 15, 19, 20, 24, 25, 28, 35, 39, 60, 96, 97, 98, 100, 102, 131, 186,
        202, 204, 228, 229, 230, 231, 273, 318, 334,
    )),
    "aarch64": (0xC00000B7, (
        57, 62, 63, 64, 65, 66, 80, 93, 94, 98, 99, 101, 113, 114, 115, 123, 124, 132, 134, 135, 139, 153, 163, 165,
        169, 172, 174, 178, 214, 215, 216, 222, 226, 233, 278, 293,
    )),
}  # fmt: skip
"""By machine: its number in an audit, and the calls that are let through; any other one answers EPERM."""


def first(parent: int) -> list[str]:
    """Before anything is loaded, in a process of one thread. `parent`: the process id that must still be there.

    Returns the names of the fences that stand. Raises SystemExit where the parent is gone.
    """
    libc = ctypes.CDLL(None, use_errno=True)
    _die_with(parent)
    stand = ["no-new-privileges"] if libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 else []
    _limit(resource.RLIMIT_CORE, 0)
    _limit(resource.RLIMIT_CPU, CPU_S)
    _limit(resource.RLIMIT_AS, MEMORY)
    _limit(resource.RLIMIT_FSIZE, 0)
    stand += ["cpu", "memory", "file-size"]
    if libc.unshare(_CLONE_NEWNET) == 0 or libc.unshare(_CLONE_NEWUSER | _CLONE_NEWNET) == 0:
        stand.append("network")
    return stand


def last(parent: int) -> list[str]:
    """When everything is loaded; afterwards nothing can be opened, started or connected. Returns the fences added."""
    stand = []
    if os.geteuid() == 0 and _somebody_else():
        stand.append("user")
        _die_with(parent)  # a change of user took that back
    _limit(resource.RLIMIT_NPROC, 0)
    _limit(resource.RLIMIT_NOFILE, 3)
    stand += ["processes", "files"]
    if _seccomp():
        stand.append("seccomp")
    return stand


def _die_with(parent: int) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    libc.prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)
    if os.getppid() != parent:
        raise SystemExit(1)


def _limit(what: int, most: int) -> None:
    resource.setrlimit(what, (most, most))


def _somebody_else() -> bool:
    try:
        os.setgroups([])
        os.setresgid(NOBODY, NOBODY, NOBODY)
        os.setresuid(NOBODY, NOBODY, NOBODY)
    except OSError:  # a user namespace with one user in it
        return False
    return True


def _seccomp() -> bool:
    """Installs the filter; False where the machine or its kernel has none."""
    if platform.machine() not in _CALLS:
        return False
    audit, calls = _CALLS[platform.machine()]
    rules = [
        struct.pack("=HBBI", _LOAD_WORD, 0, 0, 4),
        struct.pack("=HBBI", _JUMP_EQUAL, 1, 0, audit),
        struct.pack("=HBBI", _RETURN, 0, 0, _KILL),
        struct.pack("=HBBI", _LOAD_WORD, 0, 0, 0),
        *(struct.pack("=HBBI", _JUMP_EQUAL, len(calls) - place, 0, call) for place, call in enumerate(calls)),
        struct.pack("=HBBI", _RETURN, 0, 0, _REFUSE),
        struct.pack("=HBBI", _RETURN, 0, 0, _ALLOW),
    ]
    program = ctypes.create_string_buffer(b"".join(rules))
    head = ctypes.create_string_buffer(struct.pack("@HP", len(rules), ctypes.addressof(program)))
    return bool(ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_SECCOMP, _FILTER, head, 0, 0) == 0)
