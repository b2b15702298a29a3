import json
import re
from datetime import timedelta

import pytest
from django.contrib.auth import get_user_model
from django.core.management import CommandError, call_command
from django.utils import timezone

from projects.models import ApiToken, AuditEntry, Membership, Organization, Project
from tests.service import environment as service_environment
from tests.service import manage, remove_place

pytestmark = pytest.mark.django_db


@pytest.fixture
def run(capsys):
    def call(*arguments):
        call_command(*arguments)
        return capsys.readouterr().out

    return call


def bootstrap(run, *more):
    return json.loads(run("bootstrap", "--org", "acme", "--project", "native-app", "--json", *more))


def test_bootstrap_makes_organization_project_and_admin(run):
    made = bootstrap(run, "--admin", "Admin@acme.example")
    assert made["organization"] == {"id": str(Organization.objects.get().id), "slug": "acme"}
    assert made["project"] == {"id": str(Project.objects.get().id), "slug": "native-app"}
    user = get_user_model().objects.get()
    assert made["admin"]["email"] == user.email == "admin@acme.example"
    assert user.check_password(made["admin"]["password"])
    assert Membership.objects.get().role == "owner"


def test_bootstrap_again_prints_the_same_without_the_password(run):
    first = bootstrap(run, "--admin", "admin@acme.example")
    second = bootstrap(run, "--admin", "admin@acme.example")
    assert second == {**first, "admin": {"email": "admin@acme.example", "password": None}}
    assert AuditEntry.objects.count() == len({entry.action for entry in AuditEntry.objects.all()})


def test_bootstrap_without_an_admin_makes_none(run):
    assert bootstrap(run)["admin"] is None
    assert not get_user_model().objects.exists()


def test_bootstrap_keeps_the_role_of_a_member(run):
    bootstrap(run, "--admin", "admin@acme.example")
    Membership.objects.update(role="member")
    bootstrap(run, "--admin", "admin@acme.example")
    assert Membership.objects.get().role == "member"


def test_bootstrap_speaks_to_people(run):
    text = run("bootstrap", "--org", "acme", "--project", "native-app", "--admin", "admin@acme.example")
    assert "project native-app" in text
    assert "not shown again" in text


def test_bootstrap_makes_nothing_when_a_name_is_malformed(run):
    with pytest.raises(CommandError, match="slug"):
        run("bootstrap", "--org", "acme", "--project", "Not A Slug", "--json")
    assert not Organization.objects.exists()


def test_a_token_is_64_hex_digits_and_only_its_digest_is_kept(run):
    bootstrap(run)
    text = json.loads(run("create_token", "--org", "acme", "--scope", "project:read", "--json"))["token"]
    assert re.fullmatch(r"[0-9a-f]{64}", text)
    token = ApiToken.objects.get()
    assert (token.prefix, token.scopes, token.project, token.expires_at) == (text[:8], ["project:read"], None, None)


def test_a_token_is_bound_named_and_ends(run):
    made = bootstrap(run)
    arguments = ["--project", "native-app", "--scope", "project:read", "--scope", "symbolicate:post"]
    text = run("create_token", "--org", made["organization"]["id"], *arguments, "--expires", "7", "--name", "ci")
    token = ApiToken.objects.get()
    assert text.strip().startswith(token.prefix)
    assert (token.project, token.name, len(token.scopes)) == (Project.objects.get(), "ci", 2)
    assert abs(token.expires_at - timezone.now() - timedelta(days=7)) < timedelta(minutes=1)


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (["--org", "nowhere", "--scope", "project:read"], "There is no organization nowhere."),
        (["--org", "99999999999", "--scope", "project:read"], "There is no organization 99999999999."),
        (["--org", "acme", "--project", "none", "--scope", "project:read"], "There is no project none in acme."),
        (["--org", "acme", "--scope", "project:fly"], "scopes: only these exist"),
        (["--org", "acme", "--scope", "project:read", "--expires", "0"], "--expires"),
        (["--org", "acme", "--scope", "project:read", "--expires", "9999999999"], "--expires"),
    ],
)
def test_what_does_not_exist_is_said_in_one_line(run, arguments, text):
    bootstrap(run)
    with pytest.raises(CommandError) as caught:
        run("create_token", *arguments)
    assert text in str(caught.value)
    assert "\n" not in str(caught.value)
    assert not ApiToken.objects.exists()


def test_a_database_that_was_never_set_up_is_said_in_one_line(tmp_path):
    data_dir = tmp_path / "data"
    done = manage("create_token", "--org", "acme", "--scope", "project:read", env=service_environment(data_dir))
    assert done.returncode == 1
    assert done.stderr == "CommandError: The database is not set up: run `manage.py migrate`, or `up` once.\n"
    remove_place(data_dir)


def test_a_command_alone_starts_and_stops_the_database(tmp_path):
    env = service_environment(tmp_path / "data")
    made = manage("bootstrap", "--org", "acme", "--project", "web", "--json", env=env)
    assert made.returncode == 0, made.stderr
    # Only where the first one's rows are still there is there an organization.
    token = manage("create_token", "--org", "acme", "--scope", "project:read", "--json", env=env)
    assert len(json.loads(token.stdout)["token"]) == 64
    remove_place(tmp_path / "data")


def test_a_token_for_a_symbolicator_comes_with_its_configuration(run):
    bootstrap(run)
    made = json.loads(
        run(
            *("create_token", "--org", "acme", "--project", "native-app", "--purpose", "sentry-source"),
            *("--url", "https://symbols.test/", "--json"),
        )
    )

    token = ApiToken.objects.get()
    assert (token.project.slug, token.name) == ("native-app", "sentry-source")
    assert set(token.scopes) == {"project:read", "symbols:read"}
    place = "https://symbols.test/api/0/projects/acme/native-app/"
    shared = {"id": "symbolsvc:acme/native-app", "token": made["token"]}
    assert made["source"] == {"type": "sentry", **shared, "url": f"{place}files/dsyms/"}
    assert made["javascript_source"] == {**shared, "url": f"{place}artifact-lookup/"}


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (["--purpose", "sentry-source"], "name a --project"),
        (["--project", "native-app", "--purpose", "sentry-source", "--scope", "org:read"], "the --purpose decides"),
        (["--project", "native-app"], "--scope: at least one"),
    ],
)
def test_a_purpose_decides_the_scopes_and_is_for_a_project(run, arguments, text):
    bootstrap(run)
    with pytest.raises(CommandError, match=text):
        run("create_token", "--org", "acme", *arguments)
    assert not ApiToken.objects.exists()
