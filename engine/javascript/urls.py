"""URLs of scripts as browsers, Node and build tools write them: joined, compared, and shortened to stems.

They are taken as text: nothing is decoded or encoded on the way, since artifacts are found by equal text.
"""

from __future__ import annotations

import re
from urllib.parse import urlsplit

_SCHEME = re.compile(r"\A[A-Za-z][A-Za-z0-9+.-]*:")
_WEB = ("http", "https")
_SUFFIXES = (".min", ".js", ".map", ".cjs", ".mjs", ".ts", ".d", ".jsx", ".tsx")
_COMPLETE = ("webpack:", "turbopack:")


def is_absolute_url(text: str) -> bool:
    """Whether a URL names its scheme, and for the web its host as well."""
    found = _SCHEME.match(text)
    if found is None:
        return False
    try:
        parts = urlsplit(text)
    except ValueError:
        return False
    return bool(parts.netloc) or parts.scheme not in _WEB


def join(base: str, right: str) -> str:
    """What `right` means where it stands in `base`, a URL or the path of a file."""
    if "://" in right or right.startswith(_COMPLETE):
        return right
    right = right.removeprefix("~")
    scheme, separator, rest = base.partition("://")
    if not separator:
        return right if right.startswith("/") else _applied(base, right, web=False)
    host, slash, path = rest.partition("/")
    if right.startswith("//"):
        return f"{scheme}:{right}"
    if right.startswith("/"):
        return f"{scheme}://{host}{right}"
    return f"{scheme}://{host}" + _applied(slash + path or "/", right, web=scheme.lower() in _WEB)


def _applied(base: str, right: str, *, web: bool) -> str:
    """The path `right` from the folder of the path `base`; on the web nothing lies above the root."""
    root = "/" if base.startswith("/") else ""
    folders = base.removeprefix("/").split("/")[:-1]
    for at, part in enumerate(right.split("/")):
        if part == "..":
            if folders and folders[-1] != "..":
                folders.pop()
            elif not web:
                folders.append(part)
        elif part and (part != "." or not (web or at == 0)):
            folders.append(part)
    return root + "/".join(folders)


def without_fragment(url: str) -> str:
    return url.partition("#")[0]


def candidates(abs_path: str) -> tuple[str, ...]:
    """All URLs under which a file may have been uploaded, best first: with and without query, with and without host."""
    full = without_fragment(abs_path)
    path = rooted(full)
    forms = (full, full.partition("?")[0], f"~{path}", f"~{path.partition('?')[0]}")
    return tuple(dict.fromkeys(forms))


def stem(abs_path: str) -> str:
    """The path of a file without host and without all that tells minified files, maps and sources apart."""
    path = rooted(abs_path)
    folder, slash, name = path.rpartition("/")
    name = name.partition("?")[0].partition("#")[0]
    while (shorter := _without_suffix(name)) != name:
        name = shorter
    return folder + slash + name


def rooted(url: str) -> str:
    """A URL without scheme and host, or without the `~` that stands for both."""
    scheme, separator, rest = url.partition("://")
    if separator and _SCHEME.match(f"{scheme}:"):
        return f"/{rest.partition('/')[2]}"
    return url.removeprefix("~")


def _without_suffix(name: str) -> str:
    return next((name.removesuffix(suffix) for suffix in _SUFFIXES if name.endswith(suffix)), name)
