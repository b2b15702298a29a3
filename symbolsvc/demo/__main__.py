"""`make demo`: start the service with a project full of crashes, say where to look, stay up.

Everything goes the way a user would go: the commands of manage.py, then the REST API and the address for crashes.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from types import FrameType
from typing import Any

from symbolsvc.demo import crashes, report, symbolserver
from symbolsvc.demo.client import Client, DemoError

ROOT = Path(__file__).resolve().parent.parent.parent
CRASH = Path(__file__).parent / "crash.json"
MINIDUMP = Path(__file__).parent / "crash.dmp"
ORGANIZATION, PROJECT, SOURCE = "demo", "crashy", "demo-symbols"
ADMIN = "admin@demo.example"
SCOPES = (
    "project:read", "project:write", "project:admin", "symbolicate:post", "error:post", "symbol:post", "event:read",
)  # fmt: skip
# The administrator's password, for later starts with the same data.
LOGIN = "demo-login.json"


def main(arguments: Sequence[str] | None = None) -> int:
    options = _options(arguments)
    # The demo's symbol server listens on loopback, which sources may not reach unless the operator says so.
    environment = {**os.environ, "ALLOWED_SOURCE_NETWORKS": f"{ORGANIZATION}=127.0.0.1/32"}
    service = _start(options, environment)
    signal.signal(signal.SIGTERM, _stop)
    try:
        url = _wait_until_ready(service)
        _show(_client(url, options, environment), _password(options))
        if options.once:
            return 0
        print("\nThe service stays up until Ctrl-C.", flush=True)
        return service.wait()
    except KeyboardInterrupt:
        return 0
    except DemoError as error:
        print(f"The demo failed: {error}", file=sys.stderr)
        return 1
    finally:
        service.terminate()
        service.wait()


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make demo", description=__doc__)
    parser.add_argument("--port", type=int, default=int(os.environ.get("PORT", "8000")))
    parser.add_argument("--data-dir", default="var")
    parser.add_argument("--once", action="store_true", help="stop after the report instead of staying up")
    return parser.parse_args(arguments)


def _stop(signum: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def _start(options: argparse.Namespace, environment: dict[str, str]) -> subprocess.Popen[str]:
    print("Starting symbolsvc (the first start creates its database) …", flush=True)
    command = ["up", "--host", "127.0.0.1", "--port", str(options.port), "--data-dir", options.data_dir]
    return subprocess.Popen(
        [sys.executable, str(ROOT / "manage.py"), *command],
        stdout=subprocess.PIPE,
        text=True,
        env={"LOG_LEVEL": "WARNING", **environment},
        # Ctrl-C reaches the demo alone, which then stops the service in order.
        start_new_session=True,
    )


def _wait_until_ready(service: subprocess.Popen[str]) -> str:
    assert service.stdout is not None  # noqa: S101 - for the type checker: it was opened as a pipe
    for line in service.stdout:
        if line.startswith("ready "):
            return line.split()[1]
    raise DemoError("the service did not start; its message stands above")


def _client(url: str, options: argparse.Namespace, environment: dict[str, str]) -> Client:
    names = ["--org", ORGANIZATION, "--project", PROJECT]
    admin = _manage(["bootstrap", *names, "--admin", ADMIN], options, environment)["admin"]
    if admin["password"]:
        _login_file(options).touch(mode=0o600)
        _login_file(options).write_text(json.dumps(admin), encoding="utf-8")
    scopes = [word for scope in SCOPES for word in ("--scope", scope)]
    token = _manage(["create_token", *names, *scopes, "--expires", "7"], options, environment)["token"]
    return Client(url, ORGANIZATION, PROJECT, token)


def _login_file(options: argparse.Namespace) -> Path:
    return Path(options.data_dir) / LOGIN


def _password(options: argparse.Namespace) -> str:
    try:
        return str(json.loads(_login_file(options).read_text(encoding="utf-8"))["password"])
    except FileNotFoundError:
        return "the one of before"


def _manage(command: list[str], options: argparse.Namespace, environment: dict[str, str]) -> Any:
    arguments = [sys.executable, str(ROOT / "manage.py"), *command, "--data-dir", options.data_dir, "--json"]
    done = subprocess.run(arguments, capture_output=True, text=True, env=environment, check=False)
    if done.returncode:
        raise DemoError(f"{command[0]}: {done.stderr.strip()}")
    return json.loads(done.stdout)


def _show(client: Client, password: str) -> None:
    _, symbols = symbolserver.start()
    source = {"type": "http", "id": SOURCE, "name": "Demo symbols", "url": symbols, "layout": {"type": "native"}}
    client.put_source(source)
    crashes.send(client)
    request = json.loads(CRASH.read_bytes())
    answer = client.symbolicate(request)
    paint = report.Palette(colours=sys.stdout.isatty())
    print(f"\nA stored symbol source of project {ORGANIZATION}/{PROJECT} symbolicates a real crash:\n")
    print("\n".join(report.lines(request, answer, paint)))
    print(_lines_to_copy(client))
    print(_where_to_look(client, password))


def _lines_to_copy(client: Client) -> str:
    address = f"{client.url}/{client.organization}/{client.token}"
    bearer = f"-H 'Authorization: Bearer {client.token}'"
    return f"""
Submit another crash:
  curl --data-binary @{_shown(MINIDUMP)} '{address}/minidump?version=2.1.1'
Upload the file that the crash of version 2.2.0-beta lacks; its frames get their names by themselves:
  curl -F upload_file=@{_shown(crashes.MISSING)} {address}/symbols
Symbolicate without storing anything:
  curl {bearer} -F upload_file_minidump=@{_shown(MINIDUMP)} {client.url}{client.project_path}/minidump/

API docs   {client.url}/docs/
Token      {client.token}   (organization {client.organization}, project {client.project}, for 7 days)"""


def _where_to_look(client: Client, password: str) -> str:
    pages = f"{client.url}/organizations/{client.organization}/{client.project}/"
    number = crashes.lacking(client)
    lacking = f"{pages}crashes/{number}/" if number else "was deleted"
    return f"""
Open       {pages}
  e-mail   {ADMIN}
  password {password}
A crash whose library has no debug file, and why: {lacking}
  The file to upload there: {crashes.MISSING}"""


def _shown(path: Path) -> str:
    """A path as short as it can be copied."""
    return os.path.relpath(path)


if __name__ == "__main__":
    sys.exit(main())
