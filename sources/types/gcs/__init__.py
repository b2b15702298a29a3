"""Buckets of Google Cloud Storage, read by a service account."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Final

from engine.sourcetypes.config import GcsConfig
from sources.fields import NOT_BLANK_LINES, Field, Text
from sources.types.base import Config, Plain, SourceType
from sources.types.common import BUCKET, FILE_FIELDS, NAME_LENGTH, PREFIX, SECRET_LENGTH, engine_filters, engine_layout

DOC: Final = """\
A bucket, read by the service account `client_email` with its `private_key` (the PEM text of the key file, line breaks
included). The key comes back as `{"hidden-secret": true}`, and has to be sent again when bucket or account change.
"""


def _destination(config: Config) -> Hashable:
    return config["bucket"], config["client_email"]


def _engine_config(plain: Plain) -> GcsConfig:
    config = plain.config
    return GcsConfig(
        id=plain.id,
        bucket=config["bucket"],
        prefix=config.get("prefix", ""),
        client_email=config["client_email"],
        private_key=plain.secrets["private_key"],
        layout=engine_layout(config),
        filters=engine_filters(config),
    )


TYPE: Final = SourceType(
    name="gcs",
    label="Google Cloud Storage",
    component="GcsSource",
    fields=(
        BUCKET,
        Field("client_email", Text(NAME_LENGTH), "The service account's address.", required=True),
        Field(
            "private_key",
            Text(SECRET_LENGTH, NOT_BLANK_LINES, "must not be blank or hold control characters other than line breaks"),
            "The service account's private key.",
            required=True,
        ),
        PREFIX,
        *FILE_FIELDS,
    ),
    secrets=frozenset({"private_key"}),
    destination=_destination,
    engine_config=_engine_config,
    doc=DOC,
    example={
        "type": "gcs",
        "id": "our-gcs",
        "name": "Our GCS bucket",
        "layout": {"type": "unified"},
        "bucket": "symbols",
        "client_email": "reader@example.iam.gserviceaccount.com",
        "private_key": "-----BEGIN PRIVATE KEY-----\n…\n-----END PRIVATE KEY-----\n",
    },
)
