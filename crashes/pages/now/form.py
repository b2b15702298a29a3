"""The form of the page: a text or a file, and what is said of it. The body is a stream, and a file lies nameless."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final
from uuid import UUID

from django import forms
from django.http import HttpRequest

from core.wire.multipart import MultipartLimits, PartTooLarge
from core.wire.multipart_form import Form, named, read_multipart
from crashes.pages.now.given import NAMES, Given, NotReadable, What
from symbolication.crash_files import FILE_LIMIT, SPARE, spool

TEXT_LIMIT: Final = 8 << 20
_TEXT: Final = "text"
_FILE: Final = "file"
_SAID: Final = ("what", "release", "dist", "mapping")
_KEEP: Final = named(fields=(_TEXT, *_SAID), files=(_FILE,))
LIMITS: Final = MultipartLimits(body=FILE_LIMIT, field=TEXT_LIMIT, spare=SPARE, parts=20)
_CHOICES: Final = [(what.value, name) for what, name in NAMES.items()]


class SaidForm(forms.Form):
    """What is said of what is handed over."""

    text = forms.CharField(required=False, strip=False)
    what = forms.ChoiceField(choices=_CHOICES, required=False)
    release = forms.CharField(required=False, max_length=250)
    dist = forms.CharField(required=False, max_length=64)
    mapping = forms.UUIDField(
        required=False, error_messages={"invalid": "This is no UUID such as 0f8fad5b-d9cb-469f-a165-70867728950e."}
    )


@contextmanager
def handed_over(request: HttpRequest) -> Iterator[tuple[SaidForm, memoryview]]:
    """The form, and the bytes that were handed over; the file is gone when the block ends.

    Raises BodyError, and NotReadable for a text that is too large to be pasted.
    """
    try:
        form = read_multipart(request, limits=LIMITS, keep=_KEEP, spool=spool())
    except PartTooLarge as error:
        if error.name != _TEXT:
            raise
        raise NotReadable(f"Of pasted texts at most {TEXT_LIMIT >> 20} MiB are read: choose it as a file.") from None
    with form:
        yield _said(form), _content(form)


def given_of(said: SaidForm, content: memoryview) -> Given:
    """What is to be looked at. Raises NotReadable where nothing was handed over."""
    if not len(content):
        raise NotReadable("Paste something, or choose a file.")
    values = said.cleaned_data
    what = What(values["what"] or What.AUTO)
    mapping = values["mapping"] if isinstance(values["mapping"], UUID) else None
    return Given(content, what, values["release"].strip(), values["dist"].strip(), mapping)


def _said(form: Form) -> SaidForm:
    said = {one.head.name: one.data.decode("utf-8", "replace").replace("\x00", "") for one in form.fields}
    return SaidForm(said)


def _content(form: Form) -> memoryview:
    """The file where one was chosen, else the text."""
    for spooled in form.files:
        if spooled.size:
            return memoryview(spooled.content())
    texts = (one.data for one in form.fields if one.head.name == _TEXT)
    return memoryview(next(texts, b"").strip())
