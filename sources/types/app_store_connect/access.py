"""Who asks App Store Connect, for which app, and how it signs in."""

from __future__ import annotations

import base64
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import msgspec
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, SECP256R1, EllipticCurvePrivateKey
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_der_private_key, load_pem_private_key

from sources.types.app_store_connect.problems import AppStoreFailure, Problem

AUDIENCE: Final = "appstoreconnect-v1"
# Apple takes none that is good for more than 20 minutes.
TOKEN_SECONDS: Final = 600
# For a clock that is ahead of Apple's.
_EARLIER_SECONDS: Final = 30
_COORDINATE_BYTES: Final = 32
_PEM: Final = b"-----BEGIN"
_NEEDED: Final = ("appconnectIssuer", "appconnectKey", "appconnectPrivateKey", "appId")


@dataclass(frozen=True, slots=True)
class AppStoreAccess:
    """An API key of App Store Connect, and the app whose builds are asked for."""

    issuer: str
    key_id: str
    private_key: str = field(repr=False)
    app_id: str
    bundle_id: str = ""


def read_access(config: Mapping[str, Any], secrets: Mapping[str, Any]) -> AppStoreAccess:
    """The access that a source describes. Raises AppStoreFailure (incomplete) naming what is missing or damaged."""
    values = {**config, **secrets}
    lacking = [name for name in _NEEDED if not isinstance(values.get(name), str) or not values[name].strip()]
    if lacking:
        raise AppStoreFailure(Problem.INCOMPLETE, f"the source is not configured: {', '.join(lacking)} is missing")
    bundle_id = values.get("bundleId")
    return AppStoreAccess(
        issuer=values["appconnectIssuer"].strip(),
        key_id=values["appconnectKey"].strip(),
        private_key=values["appconnectPrivateKey"],
        app_id=values["appId"].strip(),
        bundle_id=bundle_id.strip() if isinstance(bundle_id, str) else "",
    )


def bearer(access: AppStoreAccess) -> str:
    """A JSON web token (ES256) with the claims that Apple documents, good for ten minutes.

    Raises AppStoreFailure (the private key cannot be read).
    """
    issued = int(time.time()) - _EARLIER_SECONDS
    header = {"alg": "ES256", "kid": access.key_id, "typ": "JWT"}
    claims = {"iss": access.issuer, "iat": issued, "exp": issued + _EARLIER_SECONDS + TOKEN_SECONDS, "aud": AUDIENCE}
    unsigned = b".".join(_url64(msgspec.json.encode(part)) for part in (header, claims))
    # Tokens hold the two numbers side by side (RFC 7518), the library signs in DER.
    numbers = decode_dss_signature(load_key(access.private_key).sign(unsigned, ECDSA(SHA256())))
    signature = b"".join(number.to_bytes(_COORDINATE_BYTES, "big") for number in numbers)
    return b".".join((unsigned, _url64(signature))).decode()


def load_key(text: str) -> EllipticCurvePrivateKey:
    """Read a private key: the .p8 file's text or the base64 in it, line breaks escaped or lost.

    Raises AppStoreFailure (the private key cannot be read).
    """
    try:
        key = _parse_key(text.replace("\\n", "\n").strip().encode("ascii"))
    except (ValueError, TypeError, IndexError, UnicodeError, UnsupportedAlgorithm):
        key = None
    if not isinstance(key, EllipticCurvePrivateKey) or not isinstance(key.curve, SECP256R1):
        raise AppStoreFailure(Problem.KEY_UNREADABLE, "the private key cannot be read as one of App Store Connect")
    return key


def _parse_key(raw: bytes) -> object:
    if not raw.startswith(_PEM):
        raw = base64.b64decode(b"".join(raw.split()), validate=True)
    if not raw.startswith(_PEM):
        return load_der_private_key(raw, password=None)
    try:
        return load_pem_private_key(raw, password=None)
    except ValueError:
        # A text field may have turned the line breaks into spaces.
        body = raw.split(b"-----")[2]
        return load_der_private_key(base64.b64decode(b"".join(body.split()), validate=True), password=None)


def _url64(raw: bytes) -> bytes:
    return base64.urlsafe_b64encode(raw).rstrip(b"=")
