"""Symbol servers over http and https, with an optional user name and password."""

from __future__ import annotations

import base64
from typing import Final

from engine.sourcetypes.config import HttpConfig
from sources.addresses import Url, origin
from sources.fields import ANY_TEXT, Field, Text
from sources.types.base import Config, Plain, SourceType
from sources.types.common import FILE_FIELDS, SECRET_LENGTH, engine_filters, engine_layout

_NO_CONTROLS: Final = "must not hold control characters"

DOC: Final = """\
A symbol server that is asked by `GET`. `url` is the folder that the layout's paths hang below; it holds no user name
or password. Either of `username` and `password` makes every request carry `Authorization: Basic …`; the password comes
back as `{"hidden-secret": true}`, and has to be sent again when the scheme, host or port of `url` changes.
"""


def _destination(config: Config) -> tuple[str, str, int]:
    return origin(config["url"])


def _engine_config(plain: Plain) -> HttpConfig:
    config = plain.config
    return HttpConfig(
        id=plain.id,
        url=config["url"],
        headers=_headers(config.get("username"), plain.secrets.get("password")),
        layout=engine_layout(config),
        filters=engine_filters(config),
    )


def _headers(username: str | None, password: str | None) -> dict[str, str]:
    if username is None and password is None:
        return {}
    pair = f"{username or ''}:{password or ''}".encode()
    return {"authorization": f"Basic {base64.b64encode(pair).decode()}"}


TYPE: Final = SourceType(
    name="http",
    label="SymbolServer (HTTP)",
    component="HttpSource",
    fields=(
        Field("url", Url(), "Where the files lie: an absolute http or https URL.", required=True),
        Field("username", Text(2048, ANY_TEXT, _NO_CONTROLS), "The user name that is sent."),
        Field("password", Text(SECRET_LENGTH, ANY_TEXT, _NO_CONTROLS), "The password that is sent."),
        *FILE_FIELDS,
    ),
    secrets=frozenset({"password"}),
    destination=_destination,
    engine_config=_engine_config,
    doc=DOC,
    example={
        "type": "http",
        "id": "honk",
        "name": "honk source",
        "layout": {"type": "native"},
        "url": "http://honk.beep",
        "username": "honkhonk",
        "password": "geheim",
    },
)
