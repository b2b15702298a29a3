"""App Store Connect: dSYM files are imported from it. Lookups do not ask it."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Final

from sources.fields import NOT_BLANK_LINES, Field, Text
from sources.types.base import Config, SourceType
from sources.types.common import NAME_LENGTH, SECRET_LENGTH

DOC: Final = """\
An app on App Store Connect, whose dSYM files are imported into the project; lookups do not ask it. `appconnectKey`
(the key's id) may be left out: such a source is stored, is not configured yet, and answers about it say so in a
`Warning` header. The private key (the text of the .p8 file) comes back as `{"hidden-secret": true}`, and has to be sent
again when the issuer changes.
"""


def _destination(config: Config) -> Hashable:
    return (config["appconnectIssuer"],)


def _missing(config: Config) -> tuple[str, ...]:
    return () if "appconnectKey" in config else ("appconnectKey",)


TYPE: Final = SourceType(
    name="appStoreConnect",
    label="App Store Connect",
    component="AppStoreConnectSource",
    fields=(
        Field("appconnectIssuer", Text(NAME_LENGTH), "The App Store Connect issuer ID.", required=True),
        Field("appconnectKey", Text(NAME_LENGTH), "The ID of the App Store Connect API key."),
        Field(
            "appconnectPrivateKey",
            Text(SECRET_LENGTH, NOT_BLANK_LINES, "must not be blank or hold control characters other than line breaks"),
            "The App Store Connect API private key.",
            required=True,
        ),
        Field("appName", Text(512), "The app's name."),
        Field("appId", Text(NAME_LENGTH), "The app's Apple ID: the number under App Information.", required=True),
        Field("bundleId", Text(NAME_LENGTH), "The app's bundle ID. Given, the app is looked up by it."),
    ),
    secrets=frozenset({"appconnectPrivateKey"}),
    destination=_destination,
    engine_config=None,
    missing=_missing,
    doc=DOC,
    example={
        "type": "appStoreConnect",
        "id": "our-app",
        "name": "Our app",
        "appconnectIssuer": "57246542-96fe-1a63-e053-0824d011072a",
        "appconnectKey": "2X9R4HXF34",
        "appconnectPrivateKey": "-----BEGIN PRIVATE KEY-----\n…\n-----END PRIVATE KEY-----\n",
        "appId": "1234567890",
    },
)
