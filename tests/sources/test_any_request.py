"""Whatever is sent, the answer is one that is documented, and what is stored is what was sent."""

from __future__ import annotations

import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.sources.helpers import BODIES, HIDDEN, SECRETS
from tests.sources.test_validation import JSON, NAMES

pytestmark = pytest.mark.django_db

over_the_wire = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@over_the_wire
@given(
    base=st.sampled_from([*BODIES.values(), {}]),
    changes=st.dictionaries(st.sampled_from(NAMES) | st.text(max_size=10), JSON, max_size=3),
)
def test_any_json_is_stored_as_sent_or_refused(sources, base, changes):
    body = {**base, **changes}
    created = sources.post(json.dumps(body))
    assert created.status_code in {201, 400}
    if created.status_code == 400:
        (key,) = created.json()
        assert key in {"error", "detail"}
        return
    source_id = created.json()["id"]
    assert created.json() == expected(body, source_id)
    assert sources.get(source_id).json() == [created.json()]
    replaced = sources.put(source_id, created.json())
    assert (replaced.status_code, replaced.json()) == (200, created.json())
    assert sources.delete(source_id).status_code == 204


def expected(body: dict, source_id: str) -> dict:
    shown = {
        name: {inner: item for inner, item in value.items() if item is not None} if isinstance(value, dict) else value
        for name, value in body.items()
        if value is not None
    }
    secret = SECRETS[body["type"]]
    return {**shown, "id": source_id} | ({secret: HIDDEN} if secret in shown else {})


@over_the_wire
@given(
    body=st.binary(max_size=200),
    source_id=st.text(max_size=300),
    method=st.sampled_from(["GET", "POST", "PUT", "DELETE"]),
)
def test_any_bytes_and_any_id_are_answered(sources, body, source_id, method):
    path = sources.at(source_id.encode("utf-8", "replace").decode())
    response = sources.api.request(method, path, body)
    assert response.status_code in {200, 400, 404}
    response.json()
