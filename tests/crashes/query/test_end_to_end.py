"""The object and query API on the running service, over what a client sent."""

from __future__ import annotations

import gzip
import http.client
import json

from tests.service import Service
from tests.symbolication.http import new_tenant

MARKER = b"btt\x00 the snapshot as it came"


def ask(service: Service, method: str, target: str, body: bytes | list[bytes] = b"", **headers: str):
    """Status, headers and body; a list goes in chunks, without a length."""
    connection = http.client.HTTPConnection(*service.address, timeout=30)
    try:
        chunked = isinstance(body, list)
        connection.request(method, target, iter(body) if chunked else body, headers, encode_chunked=chunked)
        answer = connection.getresponse()
        return answer.status, answer.headers, answer.read()
    finally:
        connection.close()


def test_what_was_sent_is_found_fetched_and_counted(service: Service):
    tenant = new_tenant(service)
    where = f"universe={tenant.organization}&project={tenant.project}"
    token = service.token(
        tenant.organization, tenant.project, scopes=["error:post", "object:get", "query:post", "event:raw"]
    )
    for host in ("a", "b", "a"):
        status, _, body = ask(service, "POST", f"/post?token={token}&format=btt&hostname={host}", MARKER)
        assert status == 200, body
    rxid = json.loads(body)["_rxid"]
    query = {"filter": [{"hostname": [["equal", "a"]]}], "select": ["hostname", "_rxid"], "limit": 1}
    text = json.dumps(query).encode()

    status, _, body = ask(
        service,
        "POST",
        f"/api/query?{where}",
        [text[:10], text[10:]],
        **{"X-Coroner-Token": token, "Transfer-Encoding": "chunked"},
    )

    assert status == 200, body
    found = json.loads(body)["response"]
    assert found["values"] == [["*", ["a", 1]], ["*", [rxid, 1]]]
    assert found["cardinalities"]["initial"] == {"rows": 2}
    ((_, ((object_id, _),)),) = found["objects"]
    status, headers, body = ask(service, "GET", f"/api/get?token={token}&{where}&object={object_id}&resource=raw")
    assert (status, body) == (200, MARKER)
    assert headers["Content-Disposition"] == f'attachment; filename="{object_id}.btt"'
    folded = json.dumps({"fold": {"hostname": [["histogram"]]}}).encode()
    status, _, body = ask(
        service, "POST", f"/api/query?token={token}", gzip.compress(folded), **{"Content-Encoding": "gzip"}
    )
    assert status == 200, body
    assert json.loads(body)["response"]["values"] == [["*", [[[["a", 2], ["b", 1]]]], 3]]
