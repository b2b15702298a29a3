"""What clients count of their own running (sessions, events): taken and dropped, so that they are content."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse

from crashes.addresses import read_address
from crashes.admission import admit
from crashes.answers import nothing, only_post, preflight
from crashes.formats import ERROR_POST
from crashes.router import answering


@answering
def take_events(request: HttpRequest) -> HttpResponse:
    """200 for a token that may send reports; nothing of the body is read. Raises Refusal (403, 503)."""
    if request.method == "OPTIONS":
        return preflight()
    if request.method != "POST":
        return only_post()
    admit(read_address(request, (), "", "", ""), ERROR_POST)
    return nothing()
