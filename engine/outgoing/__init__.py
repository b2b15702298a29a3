"""The one door to the network."""

from engine.outgoing.connections import DestinationRestricted, session
from engine.outgoing.deadline import Deadline
from engine.outgoing.transfer import Answer, PassingFailure, download, timed_out, unreachable
from engine.outgoing.trust import BadTrust, Trust

__all__ = [
    "Answer",
    "BadTrust",
    "Deadline",
    "DestinationRestricted",
    "PassingFailure",
    "Trust",
    "download",
    "session",
    "timed_out",
    "unreachable",
]
