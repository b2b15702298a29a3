"""The forms of projects."""

from __future__ import annotations

from typing import Final

from django import forms

from projects.models import NAME_LENGTH, SLUG_LENGTH
from projects.pages.forms import PageForm
from projects.services import PLATFORM_LENGTH

# To choose from; anything else may be typed.
PLATFORMS: Final = ("native", "cocoa", "javascript", "java", "csharp", "python", "node", "unity", "unreal", "electron")


def _name() -> forms.CharField:
    return forms.CharField(label="Name", max_length=NAME_LENGTH, widget=forms.TextInput({"autocomplete": "off"}))


def _platform() -> forms.CharField:
    return forms.CharField(
        label="Platform",
        max_length=PLATFORM_LENGTH,
        required=False,
        widget=forms.TextInput({"list": "platforms", "autocomplete": "off"}),
        help_text="What the program is made for. It is shown beside the name and changes nothing else.",
    )


class NewProjectForm(PageForm):
    """A new project. Without a slug one is made from the name."""

    name = _name()
    slug = forms.CharField(
        label="Slug",
        max_length=SLUG_LENGTH,
        required=False,
        widget=forms.TextInput({"autocomplete": "off", "autocapitalize": "none", "spellcheck": "false"}),
        help_text="The name in addresses: lower-case letters, digits, - and _. Left empty, it is made from the name."
        " It stays, since clients and builds know it.",
    )
    platform = _platform()
    platforms = PLATFORMS


class SettingsForm(PageForm):
    """What of a project may change."""

    name = _name()
    platform = _platform()
    platforms = PLATFORMS
