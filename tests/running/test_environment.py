import pytest
from django.core.management import call_command

from symbolsvc import environment
from symbolsvc.environment import ConfigurationError
from tests.service import MANAGE, ROOT, manage
from tests.service import environment as service_environment


def test_nothing_set_gives_the_defaults():
    values = environment.read({})
    assert values["SYMBOLSVC_ENV"] == "trial"
    assert values["MAX_CONCURRENT_REQUESTS"] == 200
    assert values["WEB_WORKERS"] >= 1
    assert environment.data_dir(values) == ROOT / "var"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SYMBOLSVC_ENV", "staging"),
        ("SYMBOLICATOR_ANONYMOUS", "perhaps"),
        ("WEB_THREADS", "0"),
        ("BODY_IDLE_SECONDS", "soon"),
        ("LOG_LEVEL", "LOUD"),
        ("LOG_FORMAT", "xml"),
    ],
)
def test_a_value_that_makes_no_sense_is_refused_by_name(name, value):
    with pytest.raises(ConfigurationError, match=f"^{name}: "):
        environment.read({name: value})


def test_unlimited_is_no_limit():
    assert environment.read({"MAX_CONCURRENT_REQUESTS": "unlimited"})["MAX_CONCURRENT_REQUESTS"] is None


def test_a_secret_can_come_from_a_file(tmp_path):
    path = tmp_path / "key"
    path.write_text("from the file\n")
    assert environment.read({"SECRET_KEY_FILE": str(path)})["SECRET_KEY"] == "from the file"


def test_a_secret_file_that_is_not_there_is_named(tmp_path):
    with pytest.raises(ConfigurationError, match="SECRET_KEY_FILE"):
        environment.read({"SECRET_KEY_FILE": str(tmp_path / "missing")})


def test_only_secrets_are_read_from_files(tmp_path):
    path = tmp_path / "level"
    path.write_text("DEBUG")
    assert environment.read({"LOG_LEVEL_FILE": str(path)})["LOG_LEVEL"] == "INFO"


def test_the_page_of_settings_is_current():
    call_command("settings_docs", "--check")


@pytest.mark.parametrize("command", ["up", "worker", "migrate"])
def test_production_demands_its_secrets(tmp_path, command):
    done = manage(command, env=service_environment(tmp_path / "data", SYMBOLSVC_ENV="production"))
    assert done.returncode == 2
    assert done.stderr.startswith("SECRET_KEY: ")
    assert len(done.stderr.splitlines()) == 1


def test_a_data_dir_without_a_name_is_refused(tmp_path):
    done = manage("migrate", "--data-dir", env=service_environment(tmp_path / "data"))
    assert (done.returncode, done.stderr) == (2, "--data-dir: name a directory\n")


def test_the_data_dir_option_wins_over_the_environment(tmp_path):
    script = "from django.conf import settings; print(settings.DATA_DIR)"
    env = service_environment(tmp_path / "from-environment", "postgresql://nowhere/x")
    done = manage("shell", "--no-imports", "-c", script, f"--data-dir={tmp_path / 'option'}", env=env)
    assert done.stdout.strip() == str(tmp_path / "option"), done.stderr
    assert not (tmp_path / "from-environment").exists()


def test_help_needs_no_database(tmp_path):
    done = manage("bootstrap", "--help", env=service_environment(tmp_path / "data"))
    assert (done.returncode, "--project" in done.stdout) == (0, True)
    assert MANAGE[1].endswith("manage.py")
