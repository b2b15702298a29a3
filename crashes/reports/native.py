"""Native frames of reports in JSON: addresses in modules that the report lists."""

from __future__ import annotations

from itertools import groupby
from typing import Any

import msgspec

from crashes.again.lacks import Lack
from crashes.reports.answers import AnsweredFrame, AnsweredStack, read_answer
from crashes.reports.context import Context
from crashes.reports.lacking import lacked_modules
from crashes.reports.material import Given, GivenStack, Kind, Material
from crashes.results import Frame, Module
from engine.native.wire import decode_request
from engine.outgoing import Deadline
from symbolication import stored


def symbolicate_native(material: Material, context: Context, deadline: Deadline) -> tuple[list[Module], list[Lack]]:
    """Name the native frames; the modules as the answer has them, and what was lacking. Raises DeadlineExceeded."""
    chosen = [stack.of_kind(Kind.NATIVE) for stack in material.stacks]
    request = {
        "signal": material.signal,
        "modules": material.modules,
        "stacktraces": [
            {"frames": [_asked(stack, at, given) for at, given in own]}
            for stack, own in zip(material.stacks, chosen, strict=True)
        ],
    }
    answered = stored.native(context.access, decode_request(msgspec.json.encode(request)), deadline)
    answer = read_answer(answered.body)
    for stack, own in zip(answer.stacktraces, chosen, strict=True):
        _fill(stack, [given for _, given in own])
    return answer.modules, list(lacked_modules(answered.looked))


def _asked(stack: GivenStack, at: int, given: Given) -> dict[str, Any]:
    asked: dict[str, Any] = {"instruction_addr": given.address or 0}
    if given.frame.addr_mode:
        asked["addr_mode"] = given.frame.addr_mode
    if given.frame.trust:
        asked["trust"] = given.frame.trust
    adjusted = {"all": True, "none": False}.get(
        stack.adjustment, at > 0 if stack.adjustment == "all_but_first" else None
    )
    if adjusted is not None:
        asked["adjust_instruction_addr"] = adjusted
    elif at and given is _first_native(stack):
        # Only in this request is it the first one: what called a frame of another kind is a caller all the same.
        asked["adjust_instruction_addr"] = True
    return asked


def _first_native(stack: GivenStack) -> Given | None:
    return next((given for given in stack.frames if given.kind is Kind.NATIVE), None)


def _fill(stack: AnsweredStack, own: list[Given]) -> None:
    chains = {index: list(chain) for index, chain in groupby(stack.frames, lambda frame: frame.original_index)}
    stack.plain_frames()
    for index, chain in chains.items():
        if index < len(own):
            own[index].made = [_kept(frame, own[index].frame) for frame in chain]


def _kept(answered: AnsweredFrame, sent: Frame) -> Frame:
    """The frame of the answer, or what the client says of it where nothing was found."""
    if answered.function is None and sent.function is not None:
        sent.status, sent.trust = "symbolicated", answered.trust
        sent.package = answered.package or sent.package
        sent.instruction_addr = answered.instruction_addr or sent.instruction_addr
        return sent
    answered.package = answered.package or sent.package
    if sent.function and sent.function != answered.function:
        answered.raw_function = sent.function
    return answered
