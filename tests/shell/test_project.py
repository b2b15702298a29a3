"""`--project`: what a project has stored is asked from the shell too."""

from __future__ import annotations

import json

import pytest
from django.core.management import call_command

from symbolsvc.management.commands.symbolicate import Command
from symbolsvc.shell.arguments import UsageError
from symbolsvc.shell.projects import open_project
from tests.cast import Api, make_token
from tests.engine.run.serving import BASE, PLAIN, read_image, serve_elf, stack
from tests.engine.webserver import web_server
from tests.shell.conftest import BUILDS
from tests.sources.helpers import HTTP, Endpoint, project_path

pytestmark = pytest.mark.django_db
LEDGER = BUILDS / "nofp/libledger.so"


@pytest.fixture
def request_file(tmp_path):
    image = read_image(LEDGER.read_bytes(), "libledger.so", type="elf")
    file = tmp_path / "request.json"
    file.write_text(json.dumps({"stacktraces": [stack(PLAIN)], "modules": [image.module(BASE)]}))
    return file


@pytest.fixture
def server(acme_project, settings):
    """A symbol server that is stored as a source of the project."""
    with web_server() as made:
        serve_elf(made, LEDGER.read_bytes(), "libledger.so")
        settings.ENVIRONMENT = {**settings.ENVIRONMENT, "ALLOWED_SOURCE_NETWORKS": ("127.0.0.1/32",)}
        api = Api(make_token(acme_project.organization))
        Endpoint(api, project_path()).add(HTTP | {"url": made.url})
        yield made


def test_the_stored_sources_of_the_project_are_asked(symbolicate, request_file, server):
    said = symbolicate(request_file, "--project", "acme/native-app", "--fresh", open_project=open_project)
    assert (said.status, said.err) == (0, "")
    assert server.asked


def test_the_command_of_django_does_the_same(cache, monkeypatch, capsys, request_file, server):
    monkeypatch.setenv("CACHE_DIR", str(cache))
    call_command(Command(), str(request_file), "--project", "acme/native-app", "--fresh")
    assert "Thread" in capsys.readouterr().out


@pytest.mark.parametrize("reference", ["acme", "acme/", "acme/nothing", "nobody/native-app", "/"])
def test_a_project_that_is_not_there_is_a_wrong_command_line(acme_project, reference):
    with pytest.raises(UsageError, match="--project"):
        open_project(reference)
