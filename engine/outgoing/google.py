"""Access to Google Cloud Storage behind the guarded door: addresses, and the tokens of service accounts.

The protocol is a GET with a bearer token, so files come through the same code as from any web server, with its limits
in time, its pieces and its resuming, which Google's client library would replace by its own. What is needed besides
is a token: a claim signed with the account's key is exchanged for one (RFC 7523).
"""

from __future__ import annotations

import base64
import hashlib
import time
from dataclasses import dataclass, field
from urllib.parse import quote

import msgspec
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_der_private_key, load_pem_private_key

from engine.errors import FailureKind, LookupFailure
from engine.outgoing.connections import session
from engine.outgoing.deadline import Deadline
from engine.outgoing.failures import unreachable
from engine.outgoing.remembered import Remembered
from engine.outgoing.reply import Reply
from engine.outgoing.transfer import WebRequest, read_small
from engine.outgoing.trust import Trust

STORAGE = "https://storage.googleapis.com"
TOKENS = "https://oauth2.googleapis.com/token"
READ = "https://www.googleapis.com/auth/devstorage.read_only"
READ_AND_WRITE = "https://www.googleapis.com/auth/devstorage.read_write"
CLAIM_SECONDS = 3600
# A token is renewed this long before it ends.
MARGIN_SECONDS = 300.0
TOKEN_SECONDS = 20.0
ANSWER_BYTES = 1 << 20
_PEM = b"-----BEGIN"
_GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer"


@dataclass(frozen=True, slots=True)
class GoogleAccess:
    """Who asks: a service account by its key, or the holder of `bearer_token`; nobody in particular without either.

    `storage` and `tokens` are where the two services are reached.
    """

    client_email: str = ""
    private_key: str = field(default="", repr=False)
    bearer_token: str = field(default="", repr=False)
    scope: str = READ
    storage: str = STORAGE
    tokens: str = TOKENS

    def object_url(self, bucket: str, name: str) -> str:
        return f"{self.storage}/download/storage/v1/b/{quote(bucket, safe='')}/o/{quote(name, safe='')}?alt=media"

    def metadata_url(self, bucket: str, name: str) -> str:
        return f"{self.storage}/storage/v1/b/{quote(bucket, safe='')}/o/{quote(name, safe='')}"

    def upload_url(self, bucket: str, name: str) -> str:
        place = f"{self.storage}/upload/storage/v1/b/{quote(bucket, safe='')}/o"
        return f"{place}?uploadType=media&name={quote(name, safe='')}"

    def list_url(self, bucket: str, prefix: str) -> str:
        return f"{self.storage}/storage/v1/b/{quote(bucket, safe='')}/o?maxResults=1&prefix={quote(prefix, safe='')}"

    def page_url(self, bucket: str, prefix: str, first: str, token: str) -> str:
        """A page of the objects below `prefix` from the name `first` on; `token` is what the page before said."""
        place = f"{self.storage}/storage/v1/b/{quote(bucket, safe='')}/o?prefix={quote(prefix, safe='')}"
        fields = "&fields=nextPageToken,items(name,updated)"
        begin = f"&startOffset={quote(first, safe='')}" if first else ""
        return place + fields + begin + (f"&pageToken={quote(token, safe='')}" if token else "")


class _Token(msgspec.Struct, frozen=True):
    access_token: str
    expires_in: float = CLAIM_SECONDS


_tokens: Remembered[str] = Remembered(1024)


def authorization(access: GoogleAccess, trust: Trust, deadline: Deadline) -> dict[str, str]:
    """The header that says who asks, empty for nobody. Raises LookupFailure when a token cannot be had."""
    token = access.bearer_token
    if not token and access.private_key:
        token = _token(access, trust, deadline)
    return {"Authorization": f"Bearer {token}"} if token else {}


def forget_token(access: GoogleAccess, trust: Trust) -> None:
    """Ask for a new token next time: the server does not take this one."""
    _tokens.forget(_name(access, trust))


def load_key(text: str) -> RSAPrivateKey:
    """Read a private key: PEM or the base64 of it, with or without the lines around, line breaks escaped or lost.

    Raises LookupFailure (not configured).
    """
    try:
        key = _parse_key(text.replace("\\n", "\n").strip().encode("ascii"))
    except (ValueError, TypeError, UnicodeError, UnsupportedAlgorithm):
        key = None
    if not isinstance(key, RSAPrivateKey):
        raise LookupFailure(FailureKind.NOT_CONFIGURED, "the private key cannot be read")
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


def _token(access: GoogleAccess, trust: Trust, deadline: Deadline) -> str:
    name = _name(access, trust)
    known = _tokens.get(name)
    if known is not None:
        return known
    form = {"grant_type": _GRANT, "assertion": _assertion(access)}
    request = WebRequest(session(trust), access.tokens, {}, body=form)
    with request.open(None, deadline.at_most(TOKEN_SECONDS)) as reply:
        answer = _read_token(reply)
    _tokens.put(name, answer.access_token, max(0.0, answer.expires_in - MARGIN_SECONDS))
    return answer.access_token


def _read_token(reply: Reply) -> _Token:
    if 400 <= reply.status < 500:
        raise LookupFailure(FailureKind.REFUSED, f"{reply} (the service account or its key is not accepted)")
    if reply.status != 200:
        raise unreachable(str(reply))
    try:
        answer = msgspec.json.decode(read_small(reply, ANSWER_BYTES), type=_Token)
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise unreachable("the token service does not answer as agreed") from None
    if not (answer.access_token.isascii() and answer.access_token.isprintable()):
        raise unreachable("the token service does not answer as agreed")
    return answer


def _assertion(access: GoogleAccess) -> str:
    """The signed claim to be the account (a JSON web token, RS256)."""
    now = int(time.time())
    claims = {
        "iss": access.client_email,
        "scope": access.scope,
        "aud": access.tokens,
        "iat": now,
        "exp": now + CLAIM_SECONDS,
    }
    unsigned = b".".join(_url64(msgspec.json.encode(part)) for part in ({"alg": "RS256", "typ": "JWT"}, claims))
    signature = load_key(access.private_key).sign(unsigned, PKCS1v15(), SHA256())
    return b".".join((unsigned, _url64(signature))).decode()


def _url64(raw: bytes) -> bytes:
    return base64.urlsafe_b64encode(raw).rstrip(b"=")


def _name(access: GoogleAccess, trust: Trust) -> tuple[object, ...]:
    digest = hashlib.sha256(access.private_key.encode("utf-8", "surrogatepass")).digest()
    return access.client_email, digest, access.scope, access.tokens, trust
