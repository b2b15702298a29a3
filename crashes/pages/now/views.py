"""The page itself."""

from __future__ import annotations

import logging
from typing import Any, Final

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from core.database import release
from core.pages import is_fragment, page, posting_address, streamed
from core.wire import BodyError
from crashes.pages.now.form import LIMITS, SaidForm, given_of, handed_over
from crashes.pages.now.given import NAMES, Given, NotReadable, What
from crashes.pages.now.looking import look
from crashes.pages.shown import show
from crashes.results import Result
from engine.errors import DeadlineExceeded
from projects.access import ProjectAccess
from projects.pages import project_page
from symbolication.runtime import take_ticket

log = logging.getLogger(__name__)

# What is rendered whole: nothing is stored that a folded thread could be asked for later.
MOST_THREADS: Final = 50
MOST_FRAMES: Final = 5_000
_BUSY: Final = "As many symbolications as this service allows are running. Nothing is wrong: send it again in a moment."
_TOO_LONG: Final = "It took too long: a source answers slowly. What was found is kept, so send it again in a minute."
_BROKEN: Final = "This could not be symbolicated because of a fault in the service. Its log says more."


@streamed
@require_http_methods(["GET", "HEAD", "POST"])
@project_page("symbolicate:post")
def now(request: HttpRequest, access: ProjectAccess) -> HttpResponse:
    """The form; with a POST what came of it below. Nothing of it is stored."""
    if request.method != "POST":
        return _page(request, access, SaidForm())
    ticket = take_ticket()
    if ticket is None:
        return _problem(request, access, SaidForm(), 503, _BUSY)
    said = SaidForm()
    try:
        with handed_over(request) as (said, content):
            if not said.is_valid():
                return _page(request, access, said, status=400)
            given = given_of(said, content)
            release()
            what, result = look(access, given, ticket.deadline)
        return _page(request, access, said, _shown(given, what, result))
    except NotReadable as error:
        return _problem(request, access, said, 400, error.message, error.field)
    except BodyError as error:
        return _problem(request, access, said, error.status, _said_of(error))
    except DeadlineExceeded:
        return _problem(request, access, said, 503, _TOO_LONG)
    except Exception:  # noqa: BLE001 - as the API answers it: the form and what was said stay
        log.exception("what was handed over could not be symbolicated")
        return _problem(request, access, said, 500, _BROKEN)
    finally:
        ticket.close()


now.body_limit = LIMITS.body  # type: ignore[attr-defined]


def _said_of(error: BodyError) -> str:
    if error.status == 413:
        return f"{error.message} Whoever runs the service can raise CRASH_FILE_BODY_MAX_BYTES."
    return error.message


def _shown(given: Given, what: What, result: Result) -> dict[str, Any]:
    frames = sum(len(thread.frames) for thread in result.threads)
    whole = len(result.threads) <= MOST_THREADS and frames <= MOST_FRAMES
    opened = range(len(result.threads)) if whole else ()
    return {
        "shown": show(result, opened=opened),
        "found": NAMES[what],
        "size": len(given.content),
        "frames": frames,
        "whole": whole,
    }


def _problem(
    request: HttpRequest, access: ProjectAccess, said: SaidForm, status: int, text: str, field: str = ""
) -> HttpResponse:
    return _page(request, access, said, {"problem": text, "problem_field": field}, status=status)


def _page(
    request: HttpRequest,
    access: ProjectAccess,
    said: SaidForm,
    more: dict[str, Any] | None = None,
    *,
    status: int = 200,
) -> HttpResponse:
    address = reverse("crash_pages:now", args=[access.organization.slug, access.project.slug])
    values = {
        "form": said,
        "action": posting_address(request, address),
        "most_bytes": LIMITS.body,
        "problem": "; ".join(str(text) for texts in said.errors.values() for text in texts) if said.is_bound else "",
        **(more or {}),
    }
    return page(
        request, "crashes/now/outcome.html" if is_fragment(request) else "crashes/now/now.html", values, status=status
    )
