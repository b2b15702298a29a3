"""The program of `tests/fixtures/jvm`, run as it was obfuscated, and its errors in the form of requests."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

from tests.needed import program

PROGRAMS = Path(__file__).parents[2] / "fixtures/jvm"
VARIANTS = ("plain", "optimized")
_FRAME = re.compile(
    r"^\tat (?:(?P<jdk>[\w.]+)/)?(?P<module>[\w.$]+)\.(?P<function>[\w$<>]+)\((?P<filename>\S+):(?P<lineno>\d+)\)"
)
_MORE = re.compile(r"^\t\.\.\. (\d+) more$")
_ERROR = re.compile(r"^(?:Caused by: )?(?:(?P<module>[\w.]+)\.)?(?P<type>[\w$]+): ")


def thrown(variant: str) -> list[dict]:
    """The stack traces that a variant prints: the error, then its cause; the innermost frame first."""
    jar = PROGRAMS / variant / "shop.jar"
    command = [program("java"), "-Xshare:auto", "-XX:TieredStopAtLevel=1", "-cp", jar, "shop.Main"]
    return traces(subprocess.run(command, capture_output=True, text=True, timeout=60, check=True).stderr)


def written() -> list[dict]:
    """The same of the program as it was written."""
    return traces((PROGRAMS / "original.txt").read_text())


def traces(printed: str) -> list[dict]:
    """The traces, without the frames of the JDK; those that a cause shares with its error are printed once."""
    found: list[dict] = []
    for line in printed.splitlines():
        if error := _ERROR.match(line):
            found.append({"exception": {"type": error["type"], "module": error["module"] or ""}, "frames": []})
        elif frame := _FRAME.match(line):
            found[-1]["frames"].append(frame.groupdict())
        elif more := _MORE.match(line):
            found[-1]["frames"] += found[-2]["frames"][-int(more[1]) :]
    for trace in found:
        own = (frame for frame in trace["frames"] if not frame["jdk"])
        trace["frames"] = [_frame(frame, index) for index, frame in enumerate(own)]
    return found


def _frame(printed: dict[str, str], index: int) -> dict:
    names = {name: printed[name] for name in ("function", "module", "filename")}
    return names | {"lineno": int(printed["lineno"]), "index": index}


def mapping_of(variant: str) -> bytes:
    return (PROGRAMS / variant / "mapping.txt").read_bytes()


def places(trace: dict) -> tuple:
    """What a person reads of a trace."""
    error = trace["exception"]
    frames = [(frame["module"], frame["function"], frame["filename"], frame["lineno"]) for frame in trace["frames"]]
    return error["module"], error["type"], frames
