"""`make demo` as a newcomer meets it, in a directory of its own."""

from __future__ import annotations

import http.cookiejar
import os
import re
import shlex
import signal
import subprocess
import sys
import urllib.parse
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.needed import program
from tests.service import eventually

ROOT = Path(__file__).resolve().parent.parent.parent
EXPECTED = (
    "inl_touch (inlined)",
    "ledger::(anonymous namespace)::leaf_post",
    "ledger::(anonymous namespace)::Walk<0>::down",
    "ledger.cpp:42",
    "shop::serve_request",
    "main.cpp:29",
)


@contextmanager
def demo(data_dir: Path) -> Iterator[str]:
    """What a demo printed that is up, and stops at the end."""
    ours = {"DATABASE_URL", "SYMBOLSVC_DATA_DIR"}
    process = subprocess.Popen(
        [sys.executable, "-m", "symbolsvc.demo", "--port", "0", "--data-dir", str(data_dir)],
        cwd=ROOT,
        env={name: value for name, value in os.environ.items() if name not in ours},
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    lines: list[str] = []
    try:
        for line in process.stdout:
            lines.append(line)
            if "stays up" in line:
                break
        yield "".join(lines)
    finally:
        process.send_signal(signal.SIGTERM)
        process.stdout.read()
        assert process.wait(60) == 0


class Reader:
    """Someone who signs in with what the demo printed, and reads pages."""

    def __init__(self, printed: str) -> None:
        self.opened = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar()))
        email, password = (re.search(rf"{name} +(\S+)", printed)[1] for name in ("e-mail", "password"))
        address = urllib.parse.urljoin(re.search(r"Open +(\S+)", printed)[1], "/login/")
        token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', self.read(address))[1]
        form = {"username": email, "password": password, "csrfmiddlewaretoken": token}
        self.opened.open(address, urllib.parse.urlencode(form).encode(), timeout=60).close()

    def read(self, address: str) -> str:
        with self.opened.open(address, timeout=60) as answer:
            return answer.read().decode()


@pytest.mark.e2e
def test_the_demo_shows_crashes_one_of_which_lacks_a_file_that_lies_ready(tmp_path: Path) -> None:
    curl = program("curl")
    with demo(tmp_path / "data") as printed:
        for words in EXPECTED:
            assert words in printed
        assert "? in libc.so.6 (missing)" in printed
        assert "/docs/" in printed
        reader = Reader(printed)
        lacking = re.search(r"and why: (http\S+)", printed)[1]
        (file,) = re.findall(r"The file to upload there: (\S+)", printed)
        before = reader.read(lacking)
        assert Path(file).is_file()
        assert file in before
        assert "leaf_post" not in before
        for command in re.findall(r"^  (curl .+)$", printed, re.MULTILINE):
            done = subprocess.run([curl, "-sSf", *shlex.split(command)[1:]], cwd=ROOT, capture_output=True)
            assert done.returncode == 0, done.stderr
        eventually(lambda: "leaf_post" in reader.read(lacking), 60)
    assert printed.count("\n  curl ") == 3
