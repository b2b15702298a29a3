import base64
import stat
from concurrent.futures import ThreadPoolExecutor

import pytest

from symbolsvc import environment
from symbolsvc.environment import ConfigurationError
from symbolsvc.running import secrets

FERNET = base64.urlsafe_b64encode(b"k" * 32).decode()


def settled(tmp_path, **environ):
    return secrets.settled(environment.read(environ), tmp_path / "data")


def test_a_trial_makes_its_secrets_once(tmp_path):
    first, second = settled(tmp_path), settled(tmp_path)
    assert (first.secret_key, first.secret_keys) == (second.secret_key, second.secret_keys)
    assert len(first.secret_key) >= 32


def test_only_the_owner_can_read_them(tmp_path):
    settled(tmp_path)
    assert stat.S_IMODE((tmp_path / "data" / "secrets.json").stat().st_mode) == 0o600
    assert [path.name for path in (tmp_path / "data").iterdir()] == ["secrets.json"]


def test_all_who_ask_at_once_get_the_same(tmp_path):
    with ThreadPoolExecutor(16) as pool:
        made = list(pool.map(lambda _: settled(tmp_path).secret_key, range(64)))
    assert len(set(made)) == 1


def test_what_the_environment_says_comes_first(tmp_path):
    made = settled(tmp_path, SECRET_KEY="x" * 40)
    assert made.secret_key == "x" * 40
    assert made.secret_keys


def test_nothing_is_written_when_both_are_given(tmp_path):
    settled(tmp_path, SECRET_KEY="x" * 40, SECRET_KEYS=FERNET)
    assert not (tmp_path / "data").exists()


def test_production_takes_given_secrets_and_makes_none(tmp_path):
    given = {"SYMBOLSVC_ENV": "production", "SECRET_KEY": "x" * 40, "SECRET_KEYS": f"{FERNET},{FERNET}"}
    assert settled(tmp_path, **given).secret_keys == (FERNET, FERNET)
    for missing in ("SECRET_KEY", "SECRET_KEYS"):
        with pytest.raises(ConfigurationError, match=f"^{missing}: production"):
            settled(tmp_path, **{**given, missing: ""})
    assert not (tmp_path / "data").exists()


def test_production_refuses_a_short_key(tmp_path):
    with pytest.raises(ConfigurationError, match="at least 32"):
        settled(tmp_path, SYMBOLSVC_ENV="production", SECRET_KEY="short", SECRET_KEYS=FERNET)


@pytest.mark.parametrize("key", ["no key", "c2hvcnQ=", "ä" * 44])
def test_a_key_that_cannot_work_is_refused_without_showing_it(tmp_path, key):
    with pytest.raises(ConfigurationError, match="key 2 is not a Fernet key") as caught:
        settled(tmp_path, SECRET_KEYS=f"{FERNET},{key}")
    assert key not in caught.value.message


def test_a_damaged_file_is_said_to_be_damaged(tmp_path):
    settled(tmp_path)
    (tmp_path / "data" / "secrets.json").write_text("{}")
    with pytest.raises(ConfigurationError, match="damaged"):
        settled(tmp_path)


def test_they_are_not_shown_in_a_repr(tmp_path):
    made = settled(tmp_path)
    assert made.secret_key not in repr(made)
