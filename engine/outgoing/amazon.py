"""Clients of S3 and of what speaks its protocol, behind the guarded door.

boto3 signs, names endpoints and reads answers. It gets its connections from here, and nothing from the environment,
from files of the account that runs the service, or from the metadata service of the machine.
"""

from __future__ import annotations

import os
import threading
from collections import OrderedDict
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from engine.errors import FailureKind, LookupFailure
from engine.outgoing.connections import CONNECT_SECONDS, IDLE_SECONDS, current_deadline, pool_classes
from engine.outgoing.transfer import stream
from engine.outgoing.trust import Trust

KEPT_CLIENTS = 64
# Answers that are no file: lists and errors.
ANSWER_BYTES = 4 << 20
CONNECTIONS = 10
NO_CREDENTIALS = "the container's host offers no credentials"


@dataclass(frozen=True, slots=True)
class S3Access:
    """How to reach a service and who asks.

    Without `endpoint` it is Amazon's own in `region`. Without `access_key` requests are not signed, unless `container`
    asks for the credentials that the container's host offers.
    """

    region: str
    endpoint: str = ""
    access_key: str = field(default="", repr=False)
    secret_key: str = field(default="", repr=False)
    container: bool = False


_clients: OrderedDict[tuple[str, S3Access, Trust], Any] = OrderedDict()
_lock = threading.Lock()


def s3_client(access: S3Access, trust: Trust, *, owner: str) -> Any:
    """This process's client for `owner` (the name of a cache, say), made when it is not there.

    Connects to nothing but, for `container`, to what offers the credentials. Raises LookupFailure (not configured) for
    what cannot be a region, an endpoint or credentials.
    """
    key = (owner, access, trust)
    with _lock:
        if key in _clients:
            _clients.move_to_end(key)
            return _clients[key]
    made = _make_or_explain(access, trust)
    with _lock:
        client = _clients.setdefault(key, made)
        while len(_clients) > KEPT_CLIENTS:
            _clients.popitem(last=False)
    return client


def _make_or_explain(access: S3Access, trust: Trust) -> Any:
    # The library is imported on first use: that takes a while, and many installations never need it.
    from botocore.exceptions import BotoCoreError, CredentialRetrievalError

    try:
        return _make(access, trust)
    except CredentialRetrievalError:
        raise LookupFailure(FailureKind.NOT_CONFIGURED, NO_CREDENTIALS) from None
    except (BotoCoreError, ValueError):
        raise LookupFailure(FailureKind.NOT_CONFIGURED, "the region or endpoint cannot be used") from None


def _make(access: S3Access, trust: Trust) -> Any:
    import boto3
    from botocore import UNSIGNED
    from botocore.config import Config

    session = _session_class()()
    session.register_component("data_loader", _loader())
    session.register_component("credential_provider", _credentials(access, trust))
    config = Config(
        signature_version=None if access.access_key or access.container else UNSIGNED,
        retries={"total_max_attempts": 1, "mode": "standard"},
        connect_timeout=CONNECT_SECONDS,
        read_timeout=IDLE_SECONDS,
        s3={"addressing_style": "path" if access.endpoint else "auto"},
        request_checksum_calculation="when_required",
        response_checksum_validation="when_required",
        ignore_configured_endpoint_urls=True,
        user_agent="symbolsvc",
    )
    client = boto3.Session(botocore_session=session).client(
        "s3", region_name=access.region, endpoint_url=access.endpoint or None, config=config, verify=True
    )
    client._endpoint.http_session = _door(trust)
    client.meta.events.register("before-call.s3", _stay)
    return client


def _stay(context: dict[str, Any], **_: Any) -> None:
    """Mark a request as redirected already.

    Asked by a redirect to look for the bucket's region, the library believes every following redirect too, and an
    endpoint could keep it going until the stack ends.
    """
    context.setdefault("s3_redirect", {})["redirected"] = True


def _credentials(access: S3Access, trust: Trust) -> Any:
    from botocore import credentials, utils

    if access.container:
        fetcher = utils.ContainerMetadataFetcher(session=_door(trust))
        return credentials.CredentialResolver([credentials.ContainerProvider(fetcher=fetcher)])

    class Static(credentials.CredentialProvider):  # type: ignore[misc]
        METHOD = "static"

        def load(self) -> Any:
            return credentials.Credentials(access.access_key, access.secret_key) if access.access_key else None

    return credentials.CredentialResolver([Static()])


@lru_cache(maxsize=1)
def _loader() -> Any:
    """The service descriptions of the library, read once for all clients."""
    from botocore.loaders import create_loader

    return create_loader()


@lru_cache(maxsize=1)
def _session_class() -> Any:
    from botocore import configprovider, session

    class Isolated(session.Session):  # type: ignore[misc]
        """A session that takes every setting's default, whatever environment and files say."""

        def _register_config_store(self) -> None:
            defaults = configprovider.BOTOCORE_DEFAUT_SESSION_VARIABLES
            mapping = {name: configprovider.ConstantProvider(row[2]) for name, row in defaults.items()}
            sections = {name: configprovider.ConstantProvider(None) for name in ("s3", "proxies_config")}
            self._components.register_component("config_store", configprovider.ConfigValueStore(mapping | sections))

        @property
        def full_config(self) -> dict[str, Any]:
            return {"profiles": {}}

        def get_auth_token(self, **_: Any) -> None:
            return None

    return Isolated


def _door(trust: Trust) -> Any:
    """What botocore sends requests with, made of guarded connections."""
    return _door_class()(trust)


@lru_cache(maxsize=1)
def _door_class() -> Any:
    from botocore.httpsession import URLLib3Session

    class Door(URLLib3Session):  # type: ignore[misc]
        def __init__(self, trust: Trust) -> None:
            super().__init__(
                verify=True, proxies={}, timeout=(CONNECT_SECONDS, IDLE_SECONDS), max_pool_connections=CONNECTIONS
            )
            self._manager.pool_classes_by_scheme = pool_classes(trust)

        def send(self, request: Any) -> Any:
            """Bodies that are no files are read here, with bounds that the library does not have."""
            streamed, request.stream_output = request.stream_output, True
            response = super().send(request)
            if not streamed or response.status_code >= 300:
                response._content = _content(response.raw)
            return response

    return Door


def _content(raw: Any) -> bytes:
    content = bytearray()
    for chunk in stream(raw, current_deadline.get(), decode=False):
        content += chunk
        if len(content) > ANSWER_BYTES:
            raise LookupFailure(FailureKind.TOO_LARGE, "the answer is larger than allowed")
    return bytes(content)


def _forget_clients() -> None:
    """A forked child must not write into its parent's connections."""
    global _lock
    _clients.clear()
    _lock = threading.Lock()


os.register_at_fork(after_in_child=_forget_clients)
