"""The one door to the network."""

from engine.outgoing.deadline import Deadline
from engine.outgoing.trust import BadTrust, Trust

__all__ = ["BadTrust", "Deadline", "Trust"]
