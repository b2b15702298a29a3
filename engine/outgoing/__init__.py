"""The one door to the network."""

from engine.outgoing.connections import DestinationRestricted, session
from engine.outgoing.deadline import Deadline
from engine.outgoing.failures import PassingFailure, timed_out, unreachable
from engine.outgoing.pieces import Transfer
from engine.outgoing.reply import Opener, Part, PartRefused, Reply
from engine.outgoing.transfer import Answer, WebRequest, download, read_small
from engine.outgoing.trust import BadTrust, Trust

__all__ = [
    "Answer",
    "BadTrust",
    "Deadline",
    "DestinationRestricted",
    "Opener",
    "Part",
    "PartRefused",
    "PassingFailure",
    "Reply",
    "Transfer",
    "Trust",
    "WebRequest",
    "download",
    "read_small",
    "session",
    "timed_out",
    "unreachable",
]
