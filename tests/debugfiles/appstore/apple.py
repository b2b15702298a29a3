"""A server that plays Apple: App Store Connect's documented endpoints, and the caches that archives come from.

Tokens are verified as Apple does, with the public key: signature, key id, issuer, audience, and times.
"""

from __future__ import annotations

import base64
import io
import json
import re
import time
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from tests.engine.webserver import Asked, WebServer, reply, web_server

ISSUER = "57246542-96fe-1a63-e053-0824d011072a"
KEY_ID = "2X9R4HXF34"
APP_ID = "1234567890"
BUNDLE_ID = "com.example.app"
KEY = ec.generate_private_key(ec.SECP256R1())
PEM = KEY.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
UPLOADED = "2026-11-{day:02}T03:04:05-07:00"


def source(**changes: Any) -> dict[str, Any]:
    """A source with the key that this Apple knows, as the REST API takes it."""
    body = {
        "id": "our-app",
        "type": "appStoreConnect",
        "name": "Our app",
        "appconnectIssuer": ISSUER,
        "appconnectKey": KEY_ID,
        "appconnectPrivateKey": PEM,
        "appId": APP_ID,
        "bundleId": BUNDLE_ID,
        **changes,
    }
    return {name: value for name, value in body.items() if value is not None}


def packed(files: dict[str, bytes], **options: Any) -> bytes:
    """A ZIP archive."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED, **options) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return made.getvalue()


@dataclass
class Apple:
    """Knows one key and one app. `refuse`, if set, answers in place of the API."""

    api: WebServer
    cache: WebServer
    builds: list[dict[str, Any]] = field(default_factory=list)
    bundles: list[dict[str, Any]] = field(default_factory=list)
    page_size: int = 200
    public_key: ec.EllipticCurvePublicKey = field(default_factory=KEY.public_key)
    refuse: Callable[[Asked, Any], None] | None = None
    next_link: str | None = None
    quota: str = "user-hour-lim:3600;user-hour-rem:3545;"
    problems: list[str] = field(default_factory=list)

    @property
    def url(self) -> str:
        return self.api.url

    @property
    def fetched(self) -> list[str]:
        """The archives that were asked for."""
        return self.cache.paths

    def add(self, version: str, *archives: bytes | None, day: int = 1, state: str = "VALID", **urls: str) -> str:
        """A build with a part for each archive; None: Apple has no dSYM files yet. The id of the build."""
        build = f"build-{version}"
        parts = [f"{build}-{number}" for number in range(len(archives))]
        for part, archive in zip(parts, archives, strict=True):
            self.bundles.append({"type": "buildBundles", "id": part, "attributes": {"dSYMUrl": None, "fileName": "a"}})
            if archive is not None:
                self.offer(part, archive)
        self.builds.insert(0, _build(build, version, parts, UPLOADED.format(day=day), state))
        return build

    def offer(self, part: str, archive: bytes) -> None:
        """Have dSYM files for a part from now on."""
        self.cache.routes[f"/{part}.zip"] = _ranges(archive)
        self.link(part, f"{self.cache.url}/{part}.zip?signature=canary-signature")

    def link(self, part: str, url: str) -> None:
        (found,) = [bundle for bundle in self.bundles if bundle["id"] == part]
        found["attributes"]["dSYMUrl"] = url

    def answer(self, asked: Asked, connection: Any) -> None:
        problem = self._problem(asked.headers.get("authorization", ""))
        if problem:
            self.problems.append(problem)
            reply("401 Unauthorized", _json({"errors": [{"status": "401", "code": "NOT_AUTHORIZED"}]}))(
                asked, connection
            )
        elif self.refuse is not None:
            self.refuse(asked, connection)
        else:
            parts = urlsplit(asked.target)
            query = {name: values[0] for name, values in parse_qs(parts.query).items()}
            body = {"/v1/apps": self._apps, "/v1/builds": self._builds}[parts.path](query)
            reply("200 OK", _json(body), X_Rate_Limit=self.quota, Content_Type="application/json")(asked, connection)

    def _apps(self, query: dict[str, str]) -> dict[str, Any]:
        known = {"filter[bundleId]": BUNDLE_ID, "filter[id]": APP_ID}
        fits = all(query.get(name, value) == value for name, value in known.items())
        app = {"type": "apps", "id": APP_ID, "attributes": {"name": "Our App", "bundleId": BUNDLE_ID}}
        return {"data": [app] if fits else [], "links": {"self": f"{self.url}/v1/apps"}}

    def _builds(self, query: dict[str, str]) -> dict[str, Any]:
        assert (query["filter[app]"], query["include"], query["sort"]) == (APP_ID, "buildBundles", "-uploadedDate")
        start = int(query.get("cursor", 0))
        page = self.builds[start : start + self.page_size]
        named = {item["id"] for build in page for item in build["relationships"]["buildBundles"]["data"]}
        links = {"self": f"{self.url}/v1/builds"}
        if start + self.page_size < len(self.builds):
            following = urlencode({**query, "cursor": str(start + self.page_size)})
            links["next"] = f"{self.url}/v1/builds?{following}"
        if self.next_link is not None:
            links["next"] = self.next_link
        included = [bundle for bundle in self.bundles if bundle["id"] in named]
        return {"data": page, "included": included, "links": links, "meta": {"paging": {"total": len(self.builds)}}}

    def _problem(self, authorization: str) -> str:
        """What is wrong with a token; empty for one that Apple would take."""
        found = re.fullmatch(r"Bearer ([\w-]+)\.([\w-]+)\.([\w-]+)", authorization)
        if found is None:
            return "no token"
        header, claims = (json.loads(_unpadded(part)) for part in found.groups()[:2])
        signature = _unpadded(found[3])
        try:
            numbers = (int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:], "big"))
            signed = f"{found[1]}.{found[2]}".encode()
            self.public_key.verify(encode_dss_signature(*numbers), signed, ec.ECDSA(SHA256()))
        except InvalidSignature:
            return "the signature"
        now = time.time()
        wrong = {
            "the header": header != {"alg": "ES256", "kid": KEY_ID, "typ": "JWT"},
            "the claims": set(claims) != {"iss", "iat", "exp", "aud"},
            "the issuer": claims.get("iss") != ISSUER,
            "the audience": claims.get("aud") != "appstoreconnect-v1",
            "the times": not claims["iat"] <= now < claims["exp"] <= claims["iat"] + 1200,
        }
        return ", ".join(name for name, problem in wrong.items() if problem)


@contextmanager
def running() -> Iterator[Apple]:
    with web_server() as api, web_server() as cache:
        apple = Apple(api, cache)
        api.default = apple.answer
        yield apple


def _build(build: str, version: str, parts: list[str], uploaded: str, state: str) -> dict[str, Any]:
    return {
        "type": "builds",
        "id": build,
        "attributes": {"version": version, "uploadedDate": uploaded, "processingState": state, "expired": False},
        "relationships": {"buildBundles": {"data": [{"type": "buildBundles", "id": part} for part in parts]}},
    }


def _ranges(content: bytes) -> Callable[[Asked, Any], None]:
    """A file with an entity tag and ranges, as caches serve it."""

    def act(asked: Asked, connection: Any) -> None:
        found = re.fullmatch(r"bytes=(\d+)-(\d+)", asked.headers.get("range", ""))
        if found is None:
            return reply("200 OK", content, ETag='"one"')(asked, connection)
        first, last = int(found[1]), min(int(found[2]), len(content) - 1)
        given = f"bytes {first}-{last}/{len(content)}"
        return reply("206 Partial Content", content[first : last + 1], ETag='"one"', Content_Range=given)(
            asked, connection
        )

    return act


def _json(value: Any) -> bytes:
    return json.dumps(value).encode()


def _unpadded(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
