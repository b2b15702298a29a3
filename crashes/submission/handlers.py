"""Taking a report in, in any of the formats."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from django.http import HttpRequest, HttpResponse

from crashes.accepting import Report, accept
from crashes.addresses import Address, is_reserved
from crashes.admission import Sender
from crashes.answers import accepted
from crashes.limits.rates import demand_turn
from crashes.receiving import received
from crashes.rules import Rules
from crashes.scrubbing import scrub_attributes
from crashes.submission import modifiers
from crashes.submission.json_report import JsonFacts, read_fingerprint
from crashes.submission.kinds import examined
from crashes.submission.late import take_attachment
from crashes.submission.parts import Sorted, is_file, report_bounds, sort
from crashes.submission.waiting import more_answers

DOOR: Final = "backtrace"
# Where neither the project nor the settings limit the size of reports.
UNLIMITED_BYTES: Final = 1 << 40


@dataclass(frozen=True, slots=True)
class Told:
    """What a submission says beside its files: attributes by precedence, modifiers apart."""

    attributes: Mapping[str, Any]
    modifiers: Mapping[str, str]


def take_report(request: HttpRequest, address: Address, sender: Sender) -> HttpResponse:
    """Store a report, or a file for one that is there already (`object=`), and answer with its `_rxid`.

    Raises Refusal, BodyError and BlobError. The rate is judged before anything of the body is read.
    """
    if address.value("object"):
        return take_attachment(request, address, sender)
    rules = demand_turn(project=sender.project, caller=f"token {sender.actor.token_id}")
    bounds = report_bounds(rules.report_bytes or UNLIMITED_BYTES)
    with received(request, is_file=is_file, bounds=bounds, sha1=False) as came:
        sorted_ = sort(came, address.format)
        facts = examined(address.format, sorted_.main.incoming.path)
        told = _told(address, facts, sorted_.fields)
        done = accept(project=sender.project, report=_report(address.format, sorted_, facts, told, rules))
    return accepted(done.rxid, more_answers(done, sender, told.modifiers))


def _told(address: Address, facts: JsonFacts, fields: Mapping[str, list[str]]) -> Told:
    """JSON before form before query, and of several values the last: what comes later wins.

    What was said expressly stands first: it is kept where there are too many.
    """
    values: dict[str, Any] = {}
    for given in (address.values, fields):
        for name, each in given.items():
            if modifiers.is_modifier(name) or not is_reserved(name):
                values.setdefault(name, each[-1])
    found, attributes = modifiers.split({**values, **dict(facts.attributes), **values})
    return Told(attributes, found)


def _report(format_: str, sorted_: Sorted, facts: JsonFacts, told: Told, rules: Rules) -> Report:
    return Report(
        format=format_,
        door=DOOR,
        main=sorted_.main.incoming,
        attachments=sorted_.attachments,
        attributes=scrub_attributes(told.attributes, rules.secret_names),
        classifiers=facts.classifiers,
        modifiers=told.modifiers,
        uuid=facts.uuid,
        occurred_at=facts.occurred_at,
        client_fingerprint=_fingerprint(facts, told),
    )


def _fingerprint(facts: JsonFacts, told: Told) -> str:
    """The one that was asked for expressly, the report's own, or the attribute that some clients use."""
    asked = read_fingerprint(told.modifiers.get(modifiers.FINGERPRINT))
    return asked or facts.fingerprint or read_fingerprint(told.attributes.get("fingerprint"))
