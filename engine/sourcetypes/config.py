"""The configuration of symbol sources, in the form that Symbolicator's requests and configuration files have."""

from __future__ import annotations

import re
from collections.abc import Iterator
from enum import StrEnum
from typing import Any, Literal
from urllib.parse import urlsplit

import msgspec

from engine.errors import SymbolsvcError
from engine.sourcetypes.base import FileType
from engine.sourcetypes.globs import BadGlob, compile_glob

_PATH = re.compile(r" - at `\$(?P<path>[^`]*)`\Z")
_QUOTED = re.compile(r"""["'].*["']""", re.DOTALL)
_HEADER_NAME = re.compile(r"\A[!#$%&'*+\-.^_`|~0-9A-Za-z]+\Z")
_HEADER_VALUE = re.compile(r"\A[\t\x20-\x7e\x80-\xff]*\Z")
_REGION = re.compile(r"\A[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\Z")
_TOKEN = re.compile(r"\A[\x21-\x7e]*\Z")
_SECTIONS = ("filters", "layout")


class BadSource(SymbolsvcError):
    """A configuration is wrong. `path` names the field (`sources[0].url`); the message never holds its value."""

    code = "bad_source"

    def __init__(self, path: str, problem: str) -> None:
        super().__init__(f"{path}: {problem}")
        self.path = path
        self.problem = problem


class LayoutType(StrEnum):
    NATIVE = "native"
    SYMSTORE = "symstore"
    SYMSTORE_INDEX2 = "symstore_index2"
    SSQP = "ssqp"
    UNIFIED = "unified"
    DEBUGINFOD = "debuginfod"
    SLASHSYMBOLS = "slashsymbols"


class Casing(StrEnum):
    DEFAULT = "default"
    UPPERCASE = "uppercase"
    LOWERCASE = "lowercase"


class Layout(msgspec.Struct, frozen=True, kw_only=True):
    """Which paths files have on the source, and a casing forced upon them."""

    type: LayoutType = LayoutType.NATIVE
    casing: Casing = Casing.DEFAULT


class Filters(msgspec.Struct, frozen=True, kw_only=True):
    """Which modules and files a source is asked for; empty means all."""

    filetypes: tuple[FileType, ...] = ()
    path_patterns: tuple[str, ...] = ()
    requires_checksum: bool = False


class _Config(msgspec.Struct, frozen=True, kw_only=True, tag_field="type"):
    """What all types have. Its repr shows the id alone: everything else may hold a secret."""

    id: str

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.id!r}>"


class FilesConfig(_Config, frozen=True, kw_only=True):
    """What the types have that keep files by the rules of a layout."""

    filters: Filters = Filters()
    layout: Layout = Layout()
    is_public: bool = False
    has_index: bool = False

    # msgspec gives every struct a repr of its own that shows all fields.
    __repr__ = _Config.__repr__


class HttpConfig(FilesConfig, frozen=True, kw_only=True, tag="http"):
    url: str
    headers: dict[str, str] = {}
    accept_invalid_certs: bool = False

    __repr__ = _Config.__repr__


class S3Config(FilesConfig, frozen=True, kw_only=True, tag="s3"):
    """`region` is a name, or a name and the endpoint of an S3-compatible service."""

    bucket: str
    prefix: str = ""
    region: str | tuple[str, str] = "us-east-1"
    aws_credentials_provider: Literal["static", "container"] = "static"
    access_key: str = ""
    secret_key: str = ""

    __repr__ = _Config.__repr__


class GcsConfig(FilesConfig, frozen=True, kw_only=True, tag="gcs"):
    bucket: str
    prefix: str = ""
    private_key: str = ""
    client_email: str = ""
    bearer_token: str = ""

    __repr__ = _Config.__repr__


class SentryConfig(_Config, frozen=True, kw_only=True, tag="sentry"):
    url: str
    token: str = ""
    cookies: dict[str, str] = {}

    __repr__ = _Config.__repr__


class FilesystemConfig(FilesConfig, frozen=True, kw_only=True, tag="filesystem"):
    path: str

    __repr__ = _Config.__repr__


SourceConfig = HttpConfig | S3Config | GcsConfig | SentryConfig | FilesystemConfig


def decode_sources(raw: Any, *, operator: bool) -> tuple[SourceConfig, ...]:
    """Read a list of sources from JSON (bytes or msgspec.Raw) or from what a JSON or YAML reader gave.

    Unknown fields are ignored and null counts as absent. Raises BadSource for the first mistake, and for what is the
    operator's alone (directories, the host's own credentials, unchecked certificates) unless `operator` is set.
    """
    if isinstance(raw, (bytes, bytearray, memoryview, msgspec.Raw)):
        raw = _parse(raw)
    if isinstance(raw, list):
        raw = [_without_nulls(item) for item in raw]
    try:
        configs: tuple[SourceConfig, ...] = msgspec.convert(raw, tuple[SourceConfig, ...])
    except msgspec.ValidationError as error:
        raise _bad(str(error)) from None
    for index, config in enumerate(configs):
        for field, problem in _problems(config, operator):
            raise BadSource(f"sources[{index}].{field}", problem)
    return configs


def _parse(raw: Any) -> Any:
    try:
        return msgspec.json.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise BadSource("sources", "is not valid JSON") from None


def _without_nulls(item: Any) -> Any:
    if not isinstance(item, dict):
        return item
    kept = {key: value for key, value in item.items() if value is not None}
    for name in _SECTIONS:
        if isinstance(kept.get(name), dict):
            kept[name] = {key: value for key, value in kept[name].items() if value is not None}
    return kept


def _bad(text: str) -> BadSource:
    """The decoder's text, with the path in front and without the value that it quotes."""
    found = _PATH.search(text)
    path = found["path"] if found else ""
    problem = _QUOTED.sub("", text[: found.start()] if found else text)
    return BadSource(f"sources{path}", " ".join(problem.split()))


def _problems(config: SourceConfig, operator: bool) -> Iterator[tuple[str, str]]:
    if not operator:
        yield from _reserved(config)
    if not isinstance(config, SentryConfig):
        yield from _bad_patterns(config.filters)
    if isinstance(config, (HttpConfig, SentryConfig)) and not _is_web_address(config.url):
        yield "url", "must be an http or https URL"
    if isinstance(config, HttpConfig):
        yield from _bad_headers(config.headers)
    if isinstance(config, S3Config):
        yield from _bad_region(config.region)
    yield from _bad_credentials(config)


def _reserved(config: SourceConfig) -> Iterator[tuple[str, str]]:
    if isinstance(config, FilesystemConfig):
        yield "type", "sources of this type are set up by the operator only"
    if isinstance(config, S3Config) and config.aws_credentials_provider == "container":
        yield "aws_credentials_provider", "the credentials of the host are used by the operator's sources only"
    if isinstance(config, HttpConfig) and config.accept_invalid_certs:
        yield "accept_invalid_certs", "certificates may be left unchecked by the operator's sources only"


def _bad_patterns(filters: Filters) -> Iterator[tuple[str, str]]:
    for index, pattern in enumerate(filters.path_patterns):
        try:
            compile_glob(pattern)
        except BadGlob as error:
            yield f"filters.path_patterns[{index}]", error.message


def _bad_headers(headers: dict[str, str]) -> Iterator[tuple[str, str]]:
    for name, value in headers.items():
        if not _HEADER_NAME.match(name):
            yield "headers", "holds a name that no header can have"
        if not _HEADER_VALUE.match(value):
            yield "headers", "holds a value with characters that no header can have"


def _bad_region(region: str | tuple[str, str]) -> Iterator[tuple[str, str]]:
    name, endpoint = (region, "") if isinstance(region, str) else region
    if not _REGION.match(name):
        yield "region", "must be the name of a region"
    if not isinstance(region, str) and not _is_web_address(endpoint):
        yield "region", "must have an http or https URL as its endpoint"


def _bad_credentials(config: SourceConfig) -> Iterator[tuple[str, str]]:
    """What is sent in a header has to fit into one."""
    if isinstance(config, GcsConfig) and not _TOKEN.match(config.bearer_token):
        yield "bearer_token", "holds characters that no token can have"
    if isinstance(config, SentryConfig):
        if not _TOKEN.match(config.token):
            yield "token", "holds characters that no token can have"
        if not all(_TOKEN.match(part) for pair in config.cookies.items() for part in pair):
            yield "cookies", "holds characters that no cookie can have"


def _is_web_address(url: str) -> bool:
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and bool(parts.hostname)
