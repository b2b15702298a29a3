"""A secret appears nowhere: in no answer, log line, error, repr or column of the database."""

from __future__ import annotations

import logging
import traceback

import pytest
from django.db import connection

from core.encryption import EncryptionError
from sources.composition import compose
from sources.models import SymbolSource
from sources.secrets import reveal_secrets
from sources.validation import read_source
from tests.sources.helpers import BODIES, HIDDEN, SECRETS

pytestmark = pytest.mark.django_db

CANARY = "canary0secret0value"
SPOILT = [
    {"url": "nonsense"},
    {"layout": {"type": "?"}},
    {"id": "sentry:x"},
    {"type": "nonsense"},
    {"type": "http"},
    {"nope": CANARY},
    {"filters": CANARY},
    {"name": [CANARY]},
    {"name": None},
    {"region": {CANARY: CANARY}},
]


class Opened:
    def __init__(self, organization, project) -> None:
        self.organization, self.project = organization, project


def every_column() -> str:
    """The text of every row of every table."""
    texts = []
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f'SELECT t::text FROM "{table}" t')
            texts += [row[0] for row in cursor.fetchall()]
    return "\n".join(texts)


def hidden_forms() -> list[str]:
    return [CANARY, CANARY.encode().hex(), CANARY[::-1]]


@pytest.mark.parametrize("kind", BODIES)
def test_a_secret_is_only_in_the_ciphertext(either, acme, acme_project, kind, caplog):
    caplog.set_level(logging.DEBUG)
    secret = SECRETS[kind]
    body = {**BODIES[kind], secret: CANARY}
    answers = [either.post(body), either.api.get(either.path), either.get(body["id"]), either.post(body)]
    answers += [either.put(body["id"], {**body, **spoilt}) for spoilt in SPOILT]
    answers += [either.post({**body, **spoilt}) for spoilt in SPOILT]
    answers += [either.post({**body, "password" if secret != "password" else "secret_key": CANARY})]
    answers += [either.put(body["id"], {**body, secret: {"hidden-secret": CANARY}})]
    answers += [either.put(body["id"], {**body, secret: HIDDEN}), either.put("unknown", body)]
    answers += [either.api.post(either.path, f'{{"{secret}": "{CANARY}" nonsense'), either.delete("unknown")]
    acme.refresh_from_db()
    acme_project.refresh_from_db()
    composition = compose(Opened(acme, acme_project))
    row = SymbolSource.objects.get()
    seen = [answer.content.decode() + repr(answer.headers) for answer in answers]
    seen += [caplog.text, repr(composition), str(composition), repr(row), str(row), repr(vars(row)), every_column()]
    seen.append(repr(read_source(body, may_keep=False)))
    for form in hidden_forms():
        assert form not in "\n".join(seen)
    assert [answer.status_code for answer in answers if answer.status_code >= 500] == []
    assert reveal_secrets(row) == {secret: CANARY}


def test_deleting_leaves_no_secret_behind(sources):
    sources.add({**BODIES["http"], "password": CANARY})
    sources.delete("honk")
    assert CANARY not in every_column()


def test_a_ciphertext_copied_to_another_row_is_worthless(sources, acme, acme_project, caplog):
    victim = {**BODIES["http"], "password": CANARY}
    thief = {**victim, "id": "thief", "url": "http://thief.example", "password": "own"}
    sources.add(victim, thief)
    row = SymbolSource.objects.get(source_id="honk")
    SymbolSource.objects.filter(source_id="thief").update(secrets=row.secrets, secrets_key=row.secrets_key)
    with pytest.raises(EncryptionError) as caught:
        reveal_secrets(SymbolSource.objects.get(source_id="thief"))
    assert CANARY not in "".join(traceback.format_exception(caught.value))
    acme_project.refresh_from_db()
    composition = compose(Opened(acme, acme_project))
    assert [source.id for source in composition.sources] == ["honk"]
    assert [skipped.id for skipped in composition.skipped] == ["thief"]
    assert "thief" in caplog.text
    assert CANARY not in caplog.text
