"""Starting processes that die with the one that started them, and ending them."""

from __future__ import annotations

import ctypes
import os
import pwd
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Final, Protocol

_PR_SET_PDEATHSIG: Final = 1
_PR_SET_NAME: Final = 15
_POLL_SECONDS: Final = 0.01
# Loaded before any fork: a child between fork and exec should not load libraries.
_LIBC: Final = ctypes.CDLL(None, use_errno=True)

Proceed = Callable[[], bool]


@dataclass(frozen=True, slots=True)
class Account:
    """A user of the operating system."""

    name: str
    uid: int
    gid: int


class Process(Protocol):
    """A child of this process, as `subprocess.Popen` shows one."""

    @property
    def pid(self) -> int: ...
    def poll(self) -> int | None: ...
    def wait(self, timeout: float | None = None) -> int: ...
    def send_signal(self, sig: int) -> None: ...
    def terminate(self) -> None: ...


def own_account() -> Account:
    """The user that this process runs as."""
    entry = pwd.getpwuid(os.geteuid())
    return Account(entry.pw_name, entry.pw_uid, entry.pw_gid)


def nobody() -> Account:
    """The account without rights."""
    entry = pwd.getpwnam("nobody")
    return Account(entry.pw_name, entry.pw_uid, entry.pw_gid)


def die_with(parent: int, death_signal: signal.Signals) -> None:
    """Have this process get `death_signal` when `parent`, which has just forked it, ends in whatever way."""
    _LIBC.prctl(_PR_SET_PDEATHSIG, int(death_signal), 0, 0, 0)
    if os.getppid() != parent:
        os._exit(1)


def rename(name: str) -> None:
    """Have this process listed under a name; where programs are named, the system keeps 15 bytes of it."""
    _LIBC.prctl(_PR_SET_NAME, name.encode(), 0, 0, 0)
    _replace_command_line(f"symbolsvc: {name}")


def _replace_command_line(text: str) -> None:
    """Overwrite what `ps` shows, as far as the command line is long (proc(5): `arg_start` and `arg_end` of stat)."""
    fields = Path("/proc/self/stat").read_bytes().rpartition(b")")[2].split()
    begin, end = int(fields[45]), int(fields[46])
    room = end - begin - 1
    if begin and room > 0:
        ctypes.memmove(begin, text.encode()[:room].ljust(room + 1, b"\0"), room + 1)


def detach() -> None:
    """Leave the terminal to the process that forked this one: its Ctrl-C, its input, and its output but stderr."""
    os.setpgid(0, 0)
    nowhere = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nowhere, 0)
    os.close(nowhere)
    os.dup2(2, 1)


def spawn(
    argv: Sequence[str | Path],
    *,
    death_signal: signal.Signals,
    env: Mapping[str, str],
    account: Account | None = None,
    output: IO[bytes] | None = None,
    pass_fds: Sequence[int] = (),
) -> subprocess.Popen[bytes]:
    """Start a process that gets `death_signal` when this one ends. It writes to `output`, else to our stderr.

    It has a process group of its own, so that Ctrl-C in a terminal reaches the supervisor alone.
    Raises OSError when the program cannot be started.
    """
    parent = os.getpid()
    return subprocess.Popen(
        argv,
        env=dict(env),
        stdin=subprocess.DEVNULL,
        stdout=output or sys.stderr,
        stderr=output or sys.stderr,
        process_group=0,
        pass_fds=pass_fds,
        user=account.uid if account else None,
        group=account.gid if account else None,
        extra_groups=[] if account else None,
        # After the change of user, which would clear the signal. The supervisor has one thread.
        preexec_fn=lambda: die_with(parent, death_signal),  # noqa: PLW1509
    )


def end(process: Process, steps: Sequence[tuple[signal.Signals, float]]) -> None:
    """Send each signal and wait its seconds, until the process has ended; SIGKILL comes last in any case."""
    for number, seconds in (*steps, (signal.SIGKILL, 10.0)):
        if process.poll() is not None:
            return
        process.send_signal(number)
        try:
            process.wait(seconds)
        except subprocess.TimeoutExpired:
            continue


def wait_for(condition: Callable[[], bool], seconds: float, proceed: Proceed = lambda: True) -> bool:
    """Whether `condition` came true within the time, and before `proceed` said no."""
    deadline = time.monotonic() + seconds
    while proceed():
        if condition():
            return True
        if time.monotonic() > deadline:
            return False
        time.sleep(_POLL_SECONDS)
    return False


def working_in(directory: Path, program: str) -> Iterator[int]:
    """The ids of the processes that run a program of this name with this working directory."""
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and _matches(entry, str(directory), program):
            yield int(entry.name)


def _matches(process: Path, directory: str, program: str) -> bool:
    try:
        runs = os.path.basename(os.readlink(process / "exe")).removesuffix(" (deleted)")
        return runs == program and os.readlink(process / "cwd").removesuffix(" (deleted)") == directory
    except OSError:  # it ended, or is another user's
        return False


def send(pids: Sequence[int], number: signal.Signals) -> None:
    """Send a signal to each process that is still there."""
    for pid in pids:
        try:
            os.kill(pid, number)
        except ProcessLookupError:
            continue
