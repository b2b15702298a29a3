"""The rules of a project for its crashes, as a form."""

from __future__ import annotations

from typing import Any, Final

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_http_methods

from core.api import MissingScope
from core.pages import page, redirect_to
from core.templatetags.pages import size
from crashes.models import Crash, CrashRules
from crashes.retention.api import READ, WRITE
from crashes.retention.expiring import used_bytes
from crashes.rules import OwnRules, Rules, default_rules, rules_of, set_rules
from projects.access import ProjectAccess
from projects.pages import project_page
from projects.pages.forms import PageForm

_MOST: Final = 1 << 60
_MOST_NAMES: Final = 200
_NUMBERS: Final = ("keep_days", "most_crashes", "most_bytes", "per_minute", "report_bytes")


class Lines(forms.CharField):
    """Texts, one on each line."""

    def __init__(self, *, longest: int, **kwargs: Any) -> None:
        super().__init__(required=False, widget=forms.Textarea(attrs={"rows": 4, "spellcheck": "false"}), **kwargs)
        self._longest = longest

    def clean(self, value: Any) -> list[str]:
        lines = [line.strip() for line in super().clean(value).splitlines()]
        found = list(dict.fromkeys(line for line in lines if line))
        if len(found) > _MOST_NAMES:
            raise forms.ValidationError(f"At most {_MOST_NAMES} lines.")
        if any(len(line) > self._longest for line in found):
            raise forms.ValidationError(f"A line has at most {self._longest} characters.")
        return found


class RulesForm(PageForm):
    """Empty is what the service says for every project, 0 is without a limit."""

    keep_days = forms.IntegerField(label="Keep crashes for days", required=False, min_value=0, max_value=36_500)
    most_crashes = forms.IntegerField(label="At most crashes", required=False, min_value=0, max_value=_MOST)
    most_bytes = forms.IntegerField(label="At most bytes", required=False, min_value=0, max_value=_MOST)
    per_minute = forms.IntegerField(label="Reports a minute", required=False, min_value=0, max_value=(1 << 31) - 1)
    report_bytes = forms.IntegerField(label="Bytes of one report", required=False, min_value=0, max_value=_MOST)
    secret_names = Lines(
        label="Secret names",
        longest=200,
        help_text=(
            "One on each line. The value of an attribute, annotation or variable with such a name is replaced by"
            " [redacted] before it is stored, in any case of letters. Names like password, token, cookie or"
            " authorization are known already. It holds for crashes that come from now on; the report itself stays as"
            " it came, for those who may download it."
        ),
    )
    in_app = Lines(
        label="The application's own modules and paths",
        longest=500,
        help_text="One on each line, with * and ?. Frames there count for grouping before those of libraries.",
    )
    not_in_app = Lines(
        label="Not the application's own", longest=500, help_text="One on each line; goes before the list above."
    )

    def __init__(self, *args: Any, default: Rules, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in _NUMBERS:
            value = getattr(default, name)
            said = "no limit" if value is None else size(value) if name.endswith("bytes") else f"{value:,}"
            self.fields[name].help_text = f"Empty: as this service says ({said}). 0: no limit."

    @property
    def own(self) -> OwnRules:
        return OwnRules(**self.cleaned_data)


@require_http_methods(["GET", "HEAD", "POST"])
@project_page(*READ)
def edited(request: HttpRequest, access: ProjectAccess) -> HttpResponse:
    """Show the rules and set them."""
    default = default_rules()
    if request.method != "POST":
        return _shown(request, access, RulesForm(initial=_initial(access), default=default))
    if access.scopes.isdisjoint(WRITE):
        raise MissingScope(WRITE)
    form = RulesForm(request.POST, default=default)
    if not form.is_valid():
        return _shown(request, access, form)
    set_rules(project=access.project, actor=access.actor, own=form.own)
    messages.success(request, "Saved. What is not kept any more goes within the hour.")
    return redirect_to(request, "crash_pages:rules", access.organization.slug, access.project.slug)


def _initial(access: ProjectAccess) -> dict[str, Any]:
    row = CrashRules.objects.filter(project=access.project).first() or CrashRules()
    lists = {name: "\n".join(getattr(row, name)) for name in ("secret_names", "in_app", "not_in_app")}
    return {name: getattr(row, name) for name in _NUMBERS} | lists


def _shown(request: HttpRequest, access: ProjectAccess, form: RulesForm) -> HttpResponse:
    values = {
        "form": form,
        "rules": rules_of(access.project),
        "may_write": not access.scopes.isdisjoint(WRITE),
        "crash_count": Crash.objects.filter(project=access.project).count(),
        "used_bytes": used_bytes(access.project),
    }
    return page(request, "crashes/rules.html", values, status=400 if form.errors else 200)
