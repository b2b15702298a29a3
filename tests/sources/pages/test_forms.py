"""Adding and changing sources by form, without scripts."""

from __future__ import annotations

import re

import pytest

from core.pages.answers import POLICY
from sources.models import SymbolSource
from sources.secrets import reveal_secrets
from sources.types import TYPES
from tests.sources.pages.made import CANARY, FORMS, ORGANIZATION, PROJECT, browser, make_source, text

pytestmark = pytest.mark.django_db


@pytest.fixture
def page(acme, acme_project, admin):
    return browser(admin)


def problems(answer):
    """The text at each field that is wrong."""
    found = re.findall(r'<small class="field-problem" id="id_(\w+)_error">(.*?)</small>', text(answer))
    assert all(f'id_{name}_error"' in answer.content.decode() for name, _ in found)
    return dict(found)


@pytest.mark.parametrize("kind", list(FORMS))
@pytest.mark.parametrize("base", [PROJECT, ORGANIZATION], ids=["project", "organization"])
def test_each_type_is_added_by_its_form(page, kind, base):
    assert 'name="name"' in text(page.get(f"{base}new/{kind}/"))
    answer = page.post(f"{base}new/{kind}/", FORMS[kind])
    assert (answer.status_code, answer.headers.get("Location")) == (303, base)
    source = SymbolSource.objects.get()
    assert (source.type, source.name, source.project is None) == (kind, FORMS[kind]["name"], base == ORGANIZATION)
    assert CANARY in str(reveal_secrets(source))
    assert source.name in text(page.get(base))


def test_a_form_stores_what_the_api_would(page):
    page.post(f"{PROJECT}new/http/", FORMS["http"])
    source = SymbolSource.objects.get()
    assert (source.source_id, source.config) == (
        "builds",
        {
            "url": "https://symbols.example.com/files",
            "username": "reader",
            "password": {"hidden-secret": True},
            "layout": {"type": "symstore", "casing": "lowercase"},
            "filters": {
                "filetypes": ["pe", "pdb"],
                "path_patterns": ["ledger*", "**/lib*"],
                "requires_checksum": True,
            },
        },
    )


def test_a_service_like_amazons_is_named_by_its_endpoint(page):
    page.post(f"{PROJECT}new/s3/", FORMS["s3"] | {"region": "here", "endpoint": "https://minio.example.com"})
    source = SymbolSource.objects.get()
    assert source.config["region"] == ["here", "https://minio.example.com"]
    shown = text(page.get(f"{PROJECT}{source.pk}/"))
    assert 'value="https://minio.example.com"' in shown


@pytest.mark.parametrize("kind", list(FORMS))
def test_a_form_has_the_fields_of_its_type_alone(page, kind):
    shown = set(re.findall(r'name="(\w+)"', text(page.get(f"{PROJECT}new/{kind}/"))))
    foreign = {entry.name for other in TYPES.values() for entry in other.fields}
    own = {entry.name for entry in TYPES[kind].fields}
    assert not (shown - {"filetypes", "layout", "filters"}) & (foreign - own)


@pytest.mark.parametrize("kind", list(FORMS))
def test_what_is_wrong_is_said_at_its_field(page, kind):
    answer = page.post(f"{PROJECT}new/{kind}/", {"name": "Only a name"})
    assert answer.status_code == 400
    required = {entry.name for entry in TYPES[kind].fields if entry.required}
    assert set(problems(answer)) == {"layout_type" if name == "layout" else name for name in required}
    assert text(answer).count("autofocus") == 1
    assert text(answer).count('aria-invalid="true"') == len(required)
    assert not SymbolSource.objects.exists()


@pytest.mark.parametrize(
    ("field", "value", "at"),
    [
        ("url", "ftp://example.com", "url"),
        ("url", "https://me:secret@example.com/", "url"),
        ("layout_type", "flat", "layout_type"),
        ("casing", "camel", "casing"),
        ("filetypes", ["exe"], "filetypes"),
        ("path_patterns", "fine\n[open", "path_patterns"),
        ("source_id", "sentry:mine", "source_id"),
        ("name", "n" * 300, "name"),
        ("username", "tab\there", "username"),
        ("password", "p" * 20_000, "password"),
        ("name", "nul\0", "name"),
    ],
    ids=lambda value: str(value)[:12].replace("\0", "nul").replace("\n", " "),
)
def test_each_refusal_of_the_service_has_its_place(page, field, value, at):
    answer = page.post(f"{PROJECT}new/http/", FORMS["http"] | {field: value})
    assert answer.status_code == 400
    assert list(problems(answer)) == [at]
    assert not SymbolSource.objects.exists()


def test_the_enter_key_saves_and_does_not_test(page):
    form = text(page.get(f"{PROJECT}new/http/")).split('id="source-form"')[1]
    assert "formaction" not in re.findall(r"<button[^>]*>", form)[0]


def test_an_id_that_is_taken_is_said_at_the_id(page, acme, acme_project):
    make_source(acme, acme_project, id="builds")
    answer = page.post(f"{PROJECT}new/http/", FORMS["http"])
    assert list(problems(answer)) == ["source_id"]
    assert re.search(r"<details open>\s*<summary>More", text(answer))


def test_line_of_a_wrong_pattern_is_named(page):
    answer = page.post(f"{PROJECT}new/http/", FORMS["http"] | {"path_patterns": "fine\nfine\n[open"})
    assert problems(answer)["path_patterns"].startswith("Line 3: ")


@pytest.mark.parametrize("kind", list(FORMS))
def test_an_edit_keeps_the_secret_and_never_shows_it(page, acme, acme_project, kind):
    source = make_source(acme, acme_project, kind)
    before = reveal_secrets(source)
    shown = text(page.get(f"{PROJECT}{source.pk}/"))
    assert "One is stored and not shown" in shown
    entered = entered_in(shown) | {"name": "Another name"}
    assert page.post(f"{PROJECT}{source.pk}/?type={kind}", entered).status_code == 303
    changed = SymbolSource.objects.get()
    assert (changed.name, changed.source_id, reveal_secrets(changed)) == ("Another name", source.source_id, before)
    assert changed.config == source.config


def test_a_secret_is_retyped_or_removed(page, acme, acme_project):
    source = make_source(acme, acme_project)
    entered = entered_in(text(page.get(f"{PROJECT}{source.pk}/")))
    page.post(f"{PROJECT}{source.pk}/", entered | {"password": "new one"})
    assert reveal_secrets(SymbolSource.objects.get()) == {"password": "new one"}
    page.post(f"{PROJECT}{source.pk}/", entered | {"forget_password": "on"})
    assert reveal_secrets(SymbolSource.objects.get()) == {}
    assert "One is stored" not in text(page.get(f"{PROJECT}{source.pk}/"))


@pytest.mark.parametrize(
    ("kind", "field", "value", "at"),
    [
        ("http", "url", "https://evil.example/", "password"),
        ("s3", "bucket", "theirs", "secret_key"),
        ("gcs", "bucket", "theirs", "private_key"),
        ("appStoreConnect", "appconnectIssuer", "69a6de70-0000-47e3-e053-5b8c7c11a4d1", "appconnectPrivateKey"),
    ],
    ids=list(FORMS)[:1] + ["s3", "gcs", "appStoreConnect"],
)
def test_a_secret_that_would_go_elsewhere_has_to_be_retyped(page, acme, acme_project, kind, field, value, at):
    source = make_source(acme, acme_project, kind)
    entered = entered_in(text(page.get(f"{PROJECT}{source.pk}/"))) | {field: value}
    answer = page.post(f"{PROJECT}{source.pk}/", entered)
    assert answer.status_code == 400
    assert "must be sent again" in problems(answer)[at].lower()
    assert SymbolSource.objects.get().config == source.config


def test_a_source_becomes_one_of_another_type_with_its_secret_entered_anew(page, acme, acme_project):
    source = make_source(acme, acme_project)
    assert 'name="bucket"' in text(page.get(f"{PROJECT}{source.pk}/?type=s3"))
    entered = {name: value for name, value in FORMS["s3"].items() if name != "secret_key"}
    assert list(problems(page.post(f"{PROJECT}{source.pk}/?type=s3", entered))) == ["secret_key"]
    assert page.post(f"{PROJECT}{source.pk}/?type=s3", FORMS["s3"]).status_code == 303
    changed = SymbolSource.objects.get()
    assert (changed.type, changed.source_id, changed.position) == ("s3", "honk", source.position)


def test_the_old_place_of_file_types_is_read_and_left(page, acme, acme_project):
    source = make_source(acme, acme_project, filetypes=["pdb"])
    entered = entered_in(text(page.get(f"{PROJECT}{source.pk}/")))
    assert entered["filetypes"] == ["pdb"]
    page.post(f"{PROJECT}{source.pk}/", entered)
    config = SymbolSource.objects.get().config
    assert (config.get("filetypes"), config["filters"]) == (None, {"filetypes": ["pdb"]})


def test_a_source_of_a_type_that_is_not_known_can_be_deleted(page, acme, acme_project):
    source = make_source(acme, acme_project)
    SymbolSource.objects.update(type="azure")
    assert "azure" in text(page.get(PROJECT))
    answer = page.get(f"{PROJECT}{source.pk}/")
    assert answer.headers["Location"] == f"{PROJECT}{source.pk}/delete/"
    assert page.post(answer.headers["Location"]).status_code == 303


@pytest.mark.parametrize(
    "config", [[], "text", {"layout": 7, "filters": [], "url": {}}, {"region": [1, 2, 3]}], ids=str
)
def test_damaged_rows_have_pages(page, acme, acme_project, config):
    source = make_source(acme, acme_project)
    SymbolSource.objects.update(config=config)
    for address in ("", f"{source.pk}/", f"{source.pk}/test/", f"{source.pk}/delete/", f"{source.pk}/?type=s3"):
        assert page.get(PROJECT + address).status_code == 200


def test_what_people_name_things_stays_text(page, acme, acme_project):
    hostile = "<script>alert(1)</script>\"'><img src=x onerror=alert(2)>{{ 7 }}"
    url = "https://example.com/<script>alert(1)</script>\"'"
    source = make_source(acme, acme_project, name=hostile, id=hostile, url=url, username=hostile)
    make_source(acme, name=hostile, id="<b>bold</b>")
    for address in ("", f"{source.pk}/", f"{source.pk}/test/", f"{source.pk}/delete/"):
        shown = text(page.get(PROJECT + address))
        assert "<script>alert" not in shown
        assert "<img src=x" not in shown
        assert "<b>bold" not in shown
        assert "&lt;script&gt;" in shown


class TestExamples:
    @pytest.fixture
    def example(self, page):
        def ask(kind="http", **entered):
            answer = page.post(f"{PROJECT}example/{kind}/", {"layout_type": "native", **entered})
            assert answer.headers["Content-Security-Policy"] == POLICY
            return text(answer)

        return ask

    def test_the_address_follows_what_is_typed(self, example):
        assert "https://s.example/a/39/88be7f44385cce25e399210deb9a5f57be012e" in example(url="https://s.example/a")
        assert "https://…/39/88be7f44385cce25e399210deb9a5f57be012e" in example(url="")

    @pytest.mark.parametrize(
        ("layout", "sample", "address"),
        [
            ("native", "elf", "39/88be7f44385cce25e399210deb9a5f57be012e.debug"),
            ("debuginfod", "elf", "3988be7f44385cce25e399210deb9a5f57be012e/debuginfo"),
            ("symstore", "pe", "ledger.pdb/3249D99D0C4049318610F4E4FB0B69361/ledger.pdb"),
            ("symstore", "pe", "ledger.dll/5AB380779000/ledger.dll"),
            ("symstore_index2", "pe", "le/ledger.pdb/"),
            ("ssqp", "pe", "ledger.pdb/3249d99d0c4049318610f4e4fb0b69361/ledger.pdb"),
            ("unified", "macho", "67/e9247c814e392ba027dbde6748fcbf/debuginfo"),
            ("native", "macho", "67E9/247C/814E/392B/A027/DBDE6748FCBF"),
        ],
    )
    def test_each_layout_has_its_paths(self, example, layout, sample, address):
        assert address in example(url="https://s.example/", layout_type=layout, **{"file-sample": sample})

    def test_casing_changes_them(self, example):
        shown = example(layout_type="symstore", casing="lowercase", **{"file-sample": "pe"})
        assert "ledger.pdb/3249d99d0c4049318610f4e4fb0b69361/ledger.pdb" in shown

    def test_buckets_have_their_prefix(self, example):
        assert "s3://symbols/win/39/88be" in example("s3", bucket="symbols", prefix="/win/")
        assert "gs://symbols/39/88be" in example("gcs", bucket="symbols")

    def test_a_module_of_ones_own(self, example):
        assert "https://s.example/ab/cdef0123" in example(
            url="https://s.example/", **{"file-code_id": "ABCDEF0123", "file-type": "elf"}
        )

    @pytest.mark.parametrize(
        ("entered", "note"),
        [
            ({"layout_type": ""}, "Choose a layout"),
            ({"layout_type": "flat"}, "Correct first: layout.type"),
            ({"path_patterns": "other*"}, "filters leave this module out"),
            ({"filetypes": ["pdb"], "layout_type": "debuginfod"}, "no place for this module"),
            ({"file-debug_id": "nonsense"}, "is not a debug id"),
            ({"url": "https://[half/"}, "https://…/39"),
        ],
        ids=lambda value: str(value)[:30],
    )
    def test_what_cannot_be_shown_is_said(self, example, entered, note):
        assert note in example(**entered)

    def test_the_form_of_a_stored_source_begins_with_its_example(self, page, acme, acme_project):
        source = make_source(acme, acme_project)
        assert "http://honk.beep/39/88be7f44385cce25e399210deb9a5f57be012e" in text(page.get(f"{PROJECT}{source.pk}/"))


def entered_in(shown):
    """What a browser would send of the form that edits a source, if nobody touched it."""
    form = shown[shown.index('id="source-form"') :].split("</form>")[0]
    entered: dict[str, object] = {}
    for tag in re.findall(r"<input [^>]*>", form):
        attributes = dict(re.findall(r'([\w-]+)="([^"]*)"', tag))
        name, kind = attributes["name"], attributes.get("type", "text")
        if kind == "checkbox" and " checked" in tag:
            entered[name] = [*entered.get(name, []), attributes.get("value", "on")]  # type: ignore[misc]
        elif kind in ("text", "password") and "value" in attributes:
            entered[name] = attributes["value"].replace("&quot;", '"').replace("&amp;", "&")
    for name, inner in re.findall(r'<select name="([\w-]+)".*?>(.*?)</select>', form, re.S):
        entered[name] = next(iter(re.findall(r'value="([^"]*)" selected', inner)), "")
    for name, inner in re.findall(r'<textarea name="([\w-]+)"[^>]*>\s*(.*?)</textarea>', form, re.S):
        entered[name] = inner
    return entered
