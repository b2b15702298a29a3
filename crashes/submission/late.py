"""Files for a crash that is there already: `?object=…&attachment_name=…`."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Final

from django.http import HttpRequest, HttpResponse

from crashes.accepting import NewAttachment, attach
from crashes.addresses import Address
from crashes.admission import Sender
from crashes.answers import TOO_LARGE, Refusal, accepted, malformed
from crashes.limits.rates import demand_turn
from crashes.models import Attachment, Crash
from crashes.receiving import Submission, base_name, received
from crashes.submission.parts import as_attachments, is_file, report_bounds

MOST_ATTACHMENTS: Final = 200
_HEX: Final = re.compile("[0-9a-f]{1,15}")
_TRUE: Final = frozenset({"1", "true", "yes"})
_UNLIMITED_BYTES: Final = 1 << 40


def take_attachment(request: HttpRequest, address: Address, sender: Sender) -> HttpResponse:
    """Store the file in the body for the crash that the address names.

    Raises Refusal: 400 for a crash that is not the project's, without telling whether it is another's; 413 when it has
    too many files or bytes already.
    """
    rules = demand_turn(project=sender.project, caller=f"attachments of token {sender.actor.token_id}")
    crash = _crash(sender, address.value("object"))
    if Attachment.objects.filter(crash=crash).count() >= MOST_ATTACHMENTS:
        raise Refusal(413, TOO_LARGE, f"the crash has {MOST_ATTACHMENTS} attachments already")
    # With all that comes later a crash may have twice what it may have at first.
    left = max(2 * (rules.report_bytes or _UNLIMITED_BYTES) - crash.stored_bytes, 0)
    with received(request, is_file=is_file, bounds=report_bounds(left)) as came:
        made = attach(crash=crash, attachment=_attachment(address, came))
    more = {"attachment_name": made.name, "attachment_id": str(made.pk), "object": crash.object_id}
    return accepted(crash.rxid, more)


def _crash(sender: Sender, named: str) -> Crash:
    text = named.strip().lower()
    by_id = {"pk": int(text, 16)} if _HEX.fullmatch(text) else {"rxid": text}
    crash = Crash.objects.filter(project=sender.project, **by_id).defer("attributes").first()
    if crash is None:
        raise malformed("object: the project has no such crash")
    return crash


def _attachment(address: Address, came: Submission) -> NewAttachment:
    given = next(as_attachments(iter(came.files)), None)
    if given is None:
        raise malformed("the form has no file")
    name = base_name(address.value("attachment_name")) or given.name
    return replace(given, name=name, inline=address.value("attachment_inline").lower() in _TRUE)
