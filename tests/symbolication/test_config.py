"""The operator's configuration file: its forms, and what is said about a wrong one."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from django.core.checks import run_checks

from engine.sourcetypes.config import GcsConfig, HttpConfig, S3Config
from sources.defaults import BadConfiguration, load

# The example of Symbolicator's documentation.
EXAMPLE: list[dict[str, Any]] = [
    {
        "id": "my-bucket-linux",
        "type": "s3",
        "bucket": "my-project-my-bucket",
        "region": "us-east-1",
        "prefix": "/linux",
        "access_key": "AMVSAVWEXRIRJPOMCKWN",
        "secret_key": "Lqnc45YWr9y7qftCI+vST/1ZPmmw1H6SkbIf2v/8",
        "filters": {"filetypes": ["elf_debug", "elf_code"]},
        "layout": {"type": "native", "casing": "lowercase"},
    },
    {
        "id": "my-bucket-windows",
        "type": "s3",
        "bucket": "my-project-my-bucket",
        "region": "us-east-1",
        "prefix": "/windows",
        "access_key": "AMVSAVWEXRIRJPOMCKWN",
        "secret_key": "Lqnc45YWr9y7qftCI+vST/1ZPmmw1H6SkbIf2v/8",
        "filters": {"filetypes": ["pe", "pdb"]},
        "layout": {"type": "native", "casing": "lowercase"},
    },
    {
        "id": "microsoft",
        "type": "http",
        "filters": {"filetypes": ["pe", "pdb"]},
        "url": "https://msdl.microsoft.com/download/symbols/",
    },
]


def written(tmp_path: Path, text: str, name: str = "config.yml") -> Path:
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    return path


def test_the_documented_example_loads_as_it_stands(tmp_path: Path) -> None:
    sources = load(written(tmp_path, json.dumps(EXAMPLE, indent=2), "config.json"))

    assert [source.id for source in sources] == ["my-bucket-linux", "my-bucket-windows", "microsoft"]
    assert isinstance(sources[0], S3Config)
    assert sources[0].prefix == "/linux"
    assert isinstance(sources[2], HttpConfig)


def test_json_may_be_indented_with_tabs_and_begin_with_a_byte_order_mark(tmp_path: Path) -> None:
    path = written(tmp_path, "\ufeff" + json.dumps({"sources": EXAMPLE}, indent="\t"))

    assert len(load(path)) == 3


def test_a_yaml_file_of_symbolicator_loads_and_its_other_keys_are_ignored(tmp_path: Path) -> None:
    text = """
cache_dir: /data
bind: "0.0.0.0:3021"
logging: {level: info}
sources:
  - id: builds
    type: http
    url: https://symbols.example.com/
    is_public: true
    layout: {type: debuginfod}
  - id: bucket
    type: gcs
    bucket: b
    private_key: k
    client_email: e@example.com
  - id: disk
    type: filesystem
    path: /srv/symbols
"""
    sources = load(written(tmp_path, text))

    assert [source.id for source in sources] == ["builds", "bucket", "disk"]
    assert isinstance(sources[1], GcsConfig)


@pytest.mark.parametrize("text", ["", "sources:\n", "sources: []\n", "[]", "cache_dir: /data\n"])
def test_a_file_may_name_no_source(tmp_path: Path, text: str) -> None:
    assert load(written(tmp_path, text)) == ()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("sources: 5", "list of sources"),
        ('"text"', "list of sources"),
        ("sources: [{id: a, type: http}]", "sources[0]"),
        ("sources: [{id: a, type: ftp, url: x}]", "sources[0]"),
        ("sources: [{id: a, type: http, url: not-a-url}]", "sources[0].url"),
        ("- {id: a, type: http, url: 'https://a/'}\n- {id: a, type: http, url: 'https://b/'}", "sources[1].id"),
        ("a: [", "neither JSON nor YAML near line"),
        ("{a: b: c}", "neither JSON nor YAML"),
        ("!!python/object/apply:os.system ['true']", "neither JSON nor YAML"),
        ("[" * 5000, "neither JSON nor YAML"),
    ],
)
def test_what_is_wrong_is_named_with_its_place(tmp_path: Path, text: str, words: str) -> None:
    path = written(tmp_path, text)

    with pytest.raises(BadConfiguration) as caught:
        load(path)

    assert words in caught.value.message
    assert str(path) in caught.value.message
    assert "SYMBOLICATOR_CONFIG" in caught.value.message


def test_a_mistake_does_not_bring_a_secret_into_the_message(tmp_path: Path) -> None:
    canary = "canary-5f1e"
    for text in (
        f"sources: [{{id: a, type: s3, bucket: b, secret_key: {canary}, region: 5}}]",
        f"sources: [{{id: a, type: s3, secret_key: {canary}: x}}]",
        f"sources: [{{id: a, type: http, url: 'ftp://u:{canary}@h/'}}]",
        f"sources: [{{id: a, type: {canary}}}]",
    ):
        with pytest.raises(BadConfiguration) as caught:
            load(written(tmp_path, text, f"{len(text)}.yml"))
        assert canary not in str(caught.value)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(BadConfiguration, match=r"none\.yml cannot be read: No such file"):
        load(tmp_path / "none.yml")


def test_bytes_that_are_no_text_are_named(tmp_path: Path) -> None:
    path = tmp_path / "config.yml"
    path.write_bytes(b"\xff\xfe\x00sources")

    with pytest.raises(BadConfiguration, match="not UTF-8"):
        load(path)


def with_environment(settings: Any, **values: Any) -> None:
    settings.ENVIRONMENT = {**settings.ENVIRONMENT, **values}


def test_a_wrong_file_stops_the_start(settings: Any, tmp_path: Path) -> None:
    with_environment(settings, SYMBOLICATOR_CONFIG=str(written(tmp_path, "sources: 5")))

    assert "symbolication.E001" in [found.id for found in run_checks()]


def test_a_good_file_passes_the_checks_of_the_start(settings: Any, tmp_path: Path) -> None:
    with_environment(settings, SYMBOLICATOR_CONFIG=str(written(tmp_path, json.dumps(EXAMPLE))))

    assert [found for found in run_checks() if str(found.id).startswith("symbolication.E")] == []


def test_a_wrong_word_in_the_allow_list_stops_the_start(settings: Any) -> None:
    with_environment(settings, ALLOWED_SOURCE_NETWORKS=("10.0.0.300/8",))

    assert "symbolication.E002" in [found.id for found in run_checks()]


@pytest.mark.parametrize(("limit", "warned"), [(200, False), (256, True), (None, True)])
def test_a_limit_that_leaves_no_thread_is_warned_about(settings: Any, limit: int | None, warned: bool) -> None:
    with_environment(settings, MAX_CONCURRENT_REQUESTS=limit, WEB_THREADS=256)

    assert ("symbolication.W001" in [found.id for found in run_checks()]) is warned
