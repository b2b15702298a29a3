"""`manage.py up`, from its start to its end, with every process killed once."""

import http.client
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import psycopg
import pytest

from symbolsvc.running.listening import Address
from tests.service import (
    MANAGE,
    ROOT,
    Service,
    children_of,
    create_database,
    database_processes,
    drop_database,
    environment,
    eventually,
    manage,
    remove_place,
    url_of,
)

pytestmark = pytest.mark.e2e

SCOPES = ("project:read", "project:write")


def get(service, path, token=None):
    connection = http.client.HTTPConnection(*service.address, timeout=20)
    try:
        connection.request("GET", path, headers={"Authorization": f"Bearer {token}"} if token else {})
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


def answers(service, path="/readyz"):
    try:
        return get(service, path)[0] == 200
    except OSError:
        return False


def web_workers(service):
    return list(children_of(service.child("symbolsvc: web")))


@pytest.fixture(scope="module")
def data_dir(tmp_path_factory):
    path = tmp_path_factory.mktemp("up") / "data"
    yield path
    remove_place(path)


@pytest.fixture(scope="module")
def up(data_dir):
    """A service with its own embedded database."""
    service = Service(data_dir, environment(data_dir, GRACEFUL_SECONDS="5", CRASH_WORKERS="2")).start()
    yield service
    if service.process.poll() is None:
        service.stop()


@pytest.fixture
def running(up):
    """The same, started again by the test that stopped it, or here."""
    if up.process.poll() is not None:
        up.start()
    eventually(lambda: answers(up))
    return up


@pytest.fixture(scope="module")
def org(up):
    """An organization with the project `web`, for tests that are about something else."""
    return up.bootstrap()["organization"]["slug"]


@pytest.fixture(scope="module")
def token(up, org):
    return up.token(org, scopes=SCOPES)


def test_it_is_ready_when_it_says_so(running):
    assert get(running, "/livez") == (200, b'{"status": "ok"}')
    assert answers(running, "/readyz")


def test_what_forks_has_one_thread(running):
    assert len(list(Path(f"/proc/{running.process.pid}/task").iterdir())) == 1


def test_each_web_process_takes_requests_of_its_own(running):
    workers = web_workers(running)
    assert len(workers) == 2
    listening = subprocess.run(
        ["grep", "-c", f":{running.address[1]:04X} 00000000:0000 0A", "/proc/net/tcp"], capture_output=True
    )
    assert int(listening.stdout) == 2


def test_bootstrap_and_tokens_beside_it(running):
    made = running.bootstrap(admin="admin@acme.example")
    org = made["organization"]["slug"]
    token = running.token(org, scopes=SCOPES)
    status, body = get(running, f"/api/0/projects/{org}/web/symbol-sources/", token)
    assert (status, json.loads(body)) == (200, [])
    again = running.bootstrap(org, admin="admin@acme.example")
    assert again == {**made, "admin": {"email": "admin@acme.example", "password": None}}


def test_a_second_one_on_the_same_directory_is_refused(running):
    done = manage("up", "--port", "0", env=running.env)
    assert (done.returncode, done.stdout) == (2, "")
    assert len(done.stderr.splitlines()) == 1
    assert "another `up`" in done.stderr
    assert answers(running)


def test_a_port_in_use_is_refused(running, tmp_path):
    host, port = running.address
    done = manage("up", "--port", str(port), env=environment(tmp_path / "other"))
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == f"{host}:{port}: Address already in use\n"


@pytest.mark.parametrize("word", ["symbolsvc: web", "symbolsvc: cache keeper", "engine.convert.server"])
def test_a_killed_process_is_started_again(running, word):
    killed = running.child(word)
    os.kill(killed, signal.SIGKILL)
    eventually(lambda: any(word in line and pid != killed for pid, line in running.children().items()))
    eventually(lambda: answers(running))
    name = {"engine.convert.server": "converter"}.get(word, word.removeprefix("symbolsvc: "))
    assert f"{name} ended with status -9, starting it again" in running.log


def test_a_killed_web_worker_is_replaced(running):
    before = web_workers(running)
    os.kill(before[0], signal.SIGKILL)
    eventually(lambda: len(set(web_workers(running)) - {before[0]}) == 2)
    assert all(answers(running) for _ in range(10))


def test_web_workers_end_with_their_first_process(running):
    workers = web_workers(running)
    os.kill(running.child("symbolsvc: web"), signal.SIGKILL)
    eventually(lambda: not any(Path(f"/proc/{pid}/exe").exists() for pid in workers), 5)
    eventually(lambda: answers(running))


def all_job_processes(service):
    """Those of crashes are forked last."""
    eventually(lambda: len(service.job_processes("crashes")) == 2, 60)
    return service.job_processes()


@pytest.mark.parametrize("queue", ["maintenance", "crashes"])
def test_a_killed_job_process_is_replaced_and_the_others_work_on(running, queue):
    before = set(all_job_processes(running))
    killed = running.job_processes(queue)[0]
    os.kill(killed, signal.SIGKILL)
    eventually(lambda: killed not in running.job_processes() and len(running.job_processes()) == len(before))
    assert before - {killed} < set(running.job_processes())
    assert f"[up] jobs {queue} 1 ended with status -9, starting it again" in running.log


def test_a_killed_database_is_started_again_and_nothing_is_lost(running, org, token):
    os.kill(running.child("bin/postgres"), signal.SIGKILL)
    eventually(lambda: answers(running))
    for _ in range(10):
        assert get(running, f"/api/0/projects/{org}/web/symbol-sources/", token)[0] == 200
    assert "database ended with status -9" in running.log
    eventually(running.job_processes)


def everything(service):
    pids = [service.process.pid, *service.children(), *web_workers(service), *database_processes(service.data_dir)]
    assert len(pids) > 8
    return pids


def alive(pids):
    return [pid for pid in pids if Path(f"/proc/{pid}/exe").exists()]


def test_a_killed_supervisor_leaves_nothing_and_can_be_started_again(running, org, token):
    pids = everything(running)
    running.stop(signal.SIGKILL)
    running.start()
    # Made before; nothing but the rows of then knows it.
    assert get(running, f"/api/0/projects/{org}/web/symbol-sources/", token)[0] == 200
    assert not alive(pids)


def test_a_command_works_right_after_the_supervisor_was_killed(running, org):
    running.stop(signal.SIGKILL)
    assert len(running.token(org, scopes=SCOPES)) == 64


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_stops_in_good_order(running, number):
    pids = everything(running)
    running.lines.clear()
    assert running.stop(number) == 0
    assert not alive(pids)
    assert running.lines == [], "one line on standard output is all there is"
    assert not (running.data_dir / "run").exists()


def test_a_second_start_is_quick(running):
    running.stop()
    began = time.monotonic()
    running.start()
    # 2 s on an idle machine; tests share theirs.
    assert time.monotonic() - began < 15


def test_a_stop_during_the_start_is_a_stop(running):
    running.stop()
    process = subprocess.Popen(
        [*MANAGE, "up", "--port", "0"], env=running.env, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    )
    eventually(lambda: children_of(process.pid))
    process.send_signal(signal.SIGTERM)
    assert process.wait(30) == 0
    assert process.stdout.read() == b""
    process.stdout.close()
    assert not database_processes(running.data_dir)


def test_a_database_that_does_not_answer_is_said_to_be_so(tmp_path):
    env = environment(tmp_path / "data", "postgresql://nobody:hunter2@127.0.0.1:9/none")
    done = manage("up", "--port", "0", env=env)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == "DATABASE_URL: the database does not answer.\n"


def test_what_never_comes_up_is_given_up(tmp_path):
    name = f"broken_{os.getpid()}"
    database = create_database(name, bare=True)
    try:
        with psycopg.connect(database, autocommit=True) as connection:
            connection.execute("CREATE TABLE django_migrations (no_such_columns int)")
        done = manage("up", "--port", "0", env=environment(tmp_path / "data", url_of(database)))
        assert (done.returncode, done.stdout) == (1, "")
        assert done.stderr.splitlines()[-1] == "web does not start; its messages are above."
    finally:
        drop_database(name)


def test_a_free_port_is_found_and_kept():
    address = Address("127.0.0.1", 0)
    with socket.socket() as other, pytest.raises(OSError, match="in use"):
        other.bind(("127.0.0.1", address.port))


def test_an_address_of_version_6_is_written_as_urls_want_it():
    assert str(Address("::1", 0)).startswith("[::1]:")


# Of the interpreter, and of what is installed beside it: no small part of the files.
_BASE_WITHOUT = ("test", "site-packages")
_SITE_WITHOUT = ("botocore", "cfnlint", "hypothesis", "moto", "mypy", "networkx", "pip", "sympy")


def _linked(source, target):
    """Hundreds of megabytes that are only read need not be copied."""
    try:
        os.link(source, target, follow_symlinks=False)
    except OSError:
        shutil.copy2(source, target, follow_symlinks=False)


@pytest.fixture
def closed_home(tmp_path):
    """A clone and an environment under a home directory that nobody else may enter, of a user without rights."""
    if os.geteuid() != 0:
        pytest.skip("only root can become another user")
    home = Path(f"/tmp/h{os.getpid()}")
    clone = home / "clone"
    site = Path(sys.prefix) / "lib" / f"python{sys.version_info.major}.{sys.version_info.minor}" / "site-packages"
    base = Path(sys.base_prefix)
    # What is compiled comes along: compiling takes longer than what is tested.
    ignore = shutil.ignore_patterns(".*", "var", "node_modules", "tests", "bench", "fuzz")
    home.mkdir(mode=0o700)
    try:
        shutil.copytree(ROOT, clone, ignore=ignore, symlinks=True)
        # The interpreter may lie where only root can go.
        for place, name, without in ((base, "python", _BASE_WITHOUT), (site, "site", _SITE_WITHOUT)):
            unneeded = shutil.ignore_patterns(*without)
            shutil.copytree(place, home / name, ignore=unneeded, symlinks=True, copy_function=_linked)
        subprocess.run(["chown", "-R", "65534:65534", clone], check=True)
        os.chown(home, 65534, 65534)
        yield home
    finally:
        shutil.rmtree(home)


def test_it_runs_under_a_closed_home_as_a_plain_user(closed_home):
    python = closed_home / "python" / "bin" / f"python{sys.version_info.major}.{sys.version_info.minor}"
    data_dir = closed_home / ("a-directory-with-a-long-name-" * 3) / "data"
    env = {"PATH": "/usr/bin:/bin", "HOME": str(closed_home), "PYTHONPATH": str(closed_home / "site")}
    env["LD_LIBRARY_PATH"] = str(closed_home / "python" / "lib")
    as_user = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]
    command = [*as_user, str(python), str(closed_home / "clone" / "manage.py")]
    up = subprocess.Popen(
        [*command, "up", "--port", "0", "--data-dir", str(data_dir), "--workers", "1"],
        env=env,
        cwd="/",
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert up.stdout.readline().startswith("ready http://127.0.0.1:")
        arguments = ["bootstrap", "--org", "acme", "--project", "web", "--data-dir", str(data_dir), "--json"]
        done = subprocess.run([*command, *arguments], env=env, cwd="/", capture_output=True, text=True)
        assert json.loads(done.stdout)["project"]["slug"] == "web"
        sockets = Path(json.loads((data_dir / "database.json").read_text())["sockets"])
        assert len(str(sockets)) < 80
    finally:
        up.terminate()
        assert up.wait(30) == 0
        up.stdout.close()
    assert closed_home.stat().st_mode & 0o777 == 0o700
    sockets.rmdir()
