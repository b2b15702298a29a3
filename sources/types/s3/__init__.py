"""Buckets of Amazon S3 and of services with the same API."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass
from typing import Any, Final

from engine.sourcetypes.config import S3Config
from sources.addresses import Url, origin
from sources.fields import Field, Problems, Schema, Text
from sources.types.base import Config, Plain, SourceType
from sources.types.common import BUCKET, FILE_FIELDS, NAME_LENGTH, PREFIX, SECRET_LENGTH, engine_filters, engine_layout

REGIONS: Final = {
    "us-east-2": "US East (Ohio)",
    "us-east-1": "US East (N. Virginia)",
    "us-west-1": "US West (N. California)",
    "us-west-2": "US West (Oregon)",
    "ap-east-1": "Asia Pacific (Hong Kong)",
    "ap-south-1": "Asia Pacific (Mumbai)",
    "ap-northeast-2": "Asia Pacific (Seoul)",
    "ap-southeast-1": "Asia Pacific (Singapore)",
    "ap-southeast-2": "Asia Pacific (Sydney)",
    "ap-northeast-1": "Asia Pacific (Tokyo)",
    "ca-central-1": "Canada (Central)",
    "cn-north-1": "China (Beijing)",
    "cn-northwest-1": "China (Ningxia)",
    "eu-central-1": "EU (Frankfurt)",
    "eu-west-1": "EU (Ireland)",
    "eu-west-2": "EU (London)",
    "eu-west-3": "EU (Paris)",
    "eu-north-1": "EU (Stockholm)",
    "sa-east-1": "South America (São Paulo)",
    "us-gov-east-1": "AWS GovCloud (US-East)",
    "us-gov-west-1": "AWS GovCloud (US)",
}

DOC: Final = """\
A bucket, read with an access key of its own. `region` is the name of a region, or `[name, endpoint]` for a service with
Amazon's API elsewhere. The secret key comes back as `{"hidden-secret": true}`, and has to be sent again when bucket,
region or access key change. The host's own credentials are the operator's and cannot be used.
"""


@dataclass(frozen=True, slots=True)
class Region:
    """A region's name, or a list of its name and the endpoint's URL."""

    def clean(self, value: object, path: str, problems: Problems) -> Any:
        if type(value) is not list:
            return Text(NAME_LENGTH).clean(value, path, problems)
        if len(value) != 2:
            problems.add(path, "must be a name, or a list of a name and an endpoint")
            return value
        name, endpoint = value
        return [
            Text(NAME_LENGTH).clean(name, f"{path}[0]", problems),
            Url().clean(endpoint, f"{path}[1]", problems),
        ]

    def schema(self) -> Schema:
        name = Text(NAME_LENGTH).schema()
        pair: Schema = {
            "type": "array",
            "prefixItems": [name, Url().schema()],
            "items": {"type": "string"},
            "minItems": 2,
            "maxItems": 2,
        }
        listed = "\n".join(f"* `{region}` - {place}" for region, place in REGIONS.items())
        known: Schema = {"type": "string", "enum": list(REGIONS), "description": listed, "title": "Known regions"}
        return {
            "anyOf": [known, {**name, "title": "Any other region"}, {**pair, "title": "Name and endpoint"}],
        }


def _destination(config: Config) -> Hashable:
    region = config["region"]
    place = region if isinstance(region, str) else (region[0], origin(region[1]))
    return config["bucket"], place, config["access_key"]


def _engine_config(plain: Plain) -> S3Config:
    config = plain.config
    region = config["region"]
    return S3Config(
        id=plain.id,
        bucket=config["bucket"],
        prefix=config.get("prefix", ""),
        region=region if isinstance(region, str) else (region[0], region[1]),
        access_key=config["access_key"],
        secret_key=plain.secrets["secret_key"],
        layout=engine_layout(config),
        filters=engine_filters(config),
    )


TYPE: Final = SourceType(
    name="s3",
    label="Amazon S3",
    component="S3Source",
    fields=(
        BUCKET,
        Field("region", Region(), "The bucket's region, or `[name, endpoint]` (an http or https URL).", required=True),
        Field("access_key", Text(NAME_LENGTH), "The access key.", required=True),
        Field("secret_key", Text(SECRET_LENGTH), "The secret access key.", required=True),
        PREFIX,
        *FILE_FIELDS,
    ),
    secrets=frozenset({"secret_key"}),
    destination=_destination,
    engine_config=_engine_config,
    doc=DOC,
    example={
        "type": "s3",
        "id": "our-bucket",
        "name": "Our bucket",
        "layout": {"type": "symstore", "casing": "lowercase"},
        "bucket": "symbols",
        "region": "eu-central-1",
        "access_key": "AKIAIOSFODNN7EXAMPLE",
        "secret_key": "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
        "prefix": "windows/",
    },
)
