"""Pins, licences, secrets and audits: that each check says what is wrong when something is."""

from __future__ import annotations

import pytest

from supply import audit, licences, pins, secrets
from supply.pins import DEV, RUNTIME, TOOLS

NAMES = (RUNTIME, DEV, TOOLS)


@pytest.mark.parametrize("name", NAMES)
def test_what_is_pinned_is_what_is_asked_for(name):
    assert list(pins.disagreements(name)) == []


@pytest.mark.parametrize("name", [RUNTIME, DEV])
def test_nothing_is_missing_of_what_packages_want(name):
    assert list(pins.unmet(name)) == []


@pytest.fixture
def files(tmp_path, monkeypatch):
    """Requirement files of a test: `write(name, asked, pinned)`."""
    monkeypatch.setattr(pins, "ROOT", tmp_path)
    pins.pinned.cache_clear()

    def write(name, asked, pinned):
        (tmp_path / f"{name}.in").write_text(asked)
        (tmp_path / f"{name}.txt").write_text(pinned)

    yield write
    pins.pinned.cache_clear()


HASH = " \\\n    --hash=sha256:" + "0" * 64 + "\n    # via -r requirements.in\n"


@pytest.mark.parametrize(
    ("asked", "pinned", "objection"),
    [
        ("a==1\nb==1", f"a==1{HASH}", "requirements.txt lacks b"),
        ("a==1", f"a==1{HASH}b==2{HASH}", "requirements.in does not ask for b"),
        ("a==1", "a==1\n    # via -r requirements.in\n", "requirements.txt: a has no hash"),
        ("A_b==2 # why", f"a-b==1{HASH}", "requirements.txt has another version than A_b==2"),
        ('a==1; python_version < "3.12"\na==2; python_version >= "3.12"', f"a==1 ; python_version < '3.12'{HASH}",
         'requirements.txt has another version than a==2; python_version >= "3.12"'),
    ],
    ids=["lacking", "too much", "no hash", "version", "marker"],
)  # fmt: skip
def test_pins_that_disagree_are_told(files, asked, pinned, objection):
    files(RUNTIME, asked, pinned)
    assert list(pins.disagreements(RUNTIME)) == [objection]


def test_another_version_in_the_tests_is_told(files):
    files(RUNTIME, "a==1", f"a==1{HASH}")
    files(DEV, "-r requirements.in\n", f"a==2{HASH}")
    assert "requirements-dev.txt has another version of a than requirements.txt" in list(pins.disagreements(DEV))


def test_what_a_package_wants_and_nobody_pinned_is_told(files):
    files(RUNTIME, "Django==5.2.19", f"django==5.2.19{HASH}")
    assert any("lacks sqlparse" in objection for objection in pins.unmet(RUNTIME))


def test_what_is_no_pin_is_no_requirement(files):
    files(RUNTIME, "a==1", "a>=1\n")
    with pytest.raises(ValueError, match="no pinned requirement"):
        list(pins.disagreements(RUNTIME))


def test_the_page_of_licences_is_as_it_would_be_made_and_each_is_judged():
    assert list(licences.objections()) == []


def test_a_stale_page_and_an_unjudged_licence_are_told(tmp_path, monkeypatch):
    page = tmp_path / "licences.md"
    page.write_text(licences.page().replace("| psycopg | 3", "| psycopg | 2"))
    monkeypatch.setattr(licences, "PAGE", page)
    monkeypatch.setattr(licences, "REASONS", {})
    told = list(licences.objections())
    assert told[0].startswith("docs/licences.md is stale")
    assert any(one.startswith("psycopg: its licence is LGPL-3.0-only") for one in told)


@pytest.mark.parametrize(
    ("expression", "permissive"),
    [
        ("MIT", True),
        ("MIT OR GPL-3.0-only", True),
        ("MIT AND GPL-3.0-only", False),
        ("MPL-2.0 AND (Apache-2.0 OR MIT)", False),
        ("unknown", False),
    ],
)
def test_a_licence_is_permissive_by_all_of_its_parts(expression, permissive):
    assert licences.is_permissive(expression) is permissive


def test_no_file_under_version_control_looks_like_a_secret():
    assert len(secrets.committed()) > 1000
    assert list(secrets.objections()) == []


# In two parts each, so that this file holds none.
SAMPLES = {
    "a private key": "-----BEGIN " + "PRIVATE KEY-----\n" + "MIIEvQIBADANBgkqh" * 20,
    "an access key of Amazon": "AKIA" + "JQ2M7PXKZ4WT5RNB",
    "a key of Google's": "AIza" + "SyA1234567890abcdefghijklmnopqrstuv",
    "a token of GitHub": "ghp_" + "a1" * 18,
    "a finer token of GitHub": "github_pat_" + "a1" * 41,
    "a token of GitLab": "glpat-" + "a1" * 10,
    "a token of Slack": "xoxb-" + "123456789012-" + "ab1" * 10,
    "a key of Stripe": "sk_live_" + "a1" * 12,
    "a token of PyPI": "pypi-" + "AgEIcHlwaS5vcmc" + "x" * 60,
    "a token of npm": "npm_" + "a1" * 18,
    "a token of Sentry": "sntrys_" + "eyJ" * 20,
    "a signed web token": "eyJ" + "hbGciOiJIUzI1NiJ9.eyJ" + "zdWIiOiIxMjM0In0x.abcdefghij0123456789ab",
    "a password in a connection": "postgresql://app:" + "correct-horse-battery@db/x",
}


@pytest.mark.parametrize("form", secrets.FORMS)
def test_each_form_of_a_secret_is_found_and_not_repeated(form):
    (told,) = secrets.finds(b"x = 1\nkey = '" + SAMPLES[form].encode() + b"'\n")
    assert told == f"line 2: looks like {form}"


def test_a_known_example_is_no_secret():
    assert list(secrets.finds(b"AKIAIOSFODNN7EXAMPLE")) == []


def test_an_audit_fails_for_a_vulnerability_and_says_what_it_could_not_learn(capsys):
    clean = {"name": "a", "version": "1", "vulns": []}
    bad = {"name": "b", "version": "2", "vulns": [{"id": "PYSEC-1", "fix_versions": ["3"]}]}
    assert audit.report("requirements", [clean, {"name": "c", "skip_reason": "not found"}]) == 0
    assert audit.report("requirements", [clean, bad]) == 1
    said = capsys.readouterr().out
    assert "b 2: PYSEC-1; mended in 3" in said
    assert "nothing could be learned of c" in said
