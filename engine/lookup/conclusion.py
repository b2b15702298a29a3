"""What follows from the tries of a lookup, whatever the file was looked for."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace

from engine.caches import Miss
from engine.lookup.answer import Try, use_of
from engine.lookup.gathering import Gathered
from engine.lookup.kept import ANSWER_SECONDS, KeptAnswer, finite, objects_of
from engine.lookup.model import Candidate, Features, ModuleStatus, Purpose, Use, UseStatus
from engine.lookup.objects import InternalFailure, expiry

UNKNOWN_ARCH = "unknown"


@dataclass(frozen=True, slots=True)
class Conclusion:
    """The status of a lookup, the try that it rests on, and how its file was used; `expires` as times of tries."""

    gathered: Gathered
    purpose: Purpose
    status: ModuleStatus
    best: Try | None = None
    use: Use | None = None
    expires: float = float("inf")

    @property
    def arch(self) -> str:
        return self.best.facts.arch if self.best and self.best.facts else UNKNOWN_ARCH

    @property
    def features(self) -> Features:
        return self.best.features if self.best else Features()

    @property
    def candidates(self) -> tuple[Candidate, ...]:
        return self.gathered.rows(self.best, self.use, self.purpose)

    @property
    def lasts_until(self) -> float:
        """When the first of its tries is worth repeating; infinite when every file is there and of use."""
        return min(self.gathered.expires, self.expires)

    @property
    def valid_until(self) -> float:
        return min(self.lasts_until, time.time() + ANSWER_SECONDS)

    def kept(self, derived: str, expires: float) -> KeptAnswer:
        """What others may know of it until `expires`; `derived` is the key of the file that was made."""
        return KeptAnswer(
            self.status,
            self.arch,
            self.features,
            self.candidates,
            derived,
            objects_of(self.gathered),
            finite(expires),
        )

    def spoiled(self, made: Miss | InternalFailure) -> Conclusion:
        """The same when the file that was to be used could not be."""
        status = ModuleStatus.MALFORMED if isinstance(made, Miss) else ModuleStatus.OTHER
        return replace(self, status=status, use=use_of(made), expires=expiry(made))


def best_of(gathered: Gathered, rank: Callable[[Try], int | None]) -> Try | None:
    """The try with the lowest rank, the first of equal ones; None when no file has a rank."""
    ranked = [(found, attempt) for attempt in gathered.tries if (found := rank(attempt)) is not None]
    return min(ranked, key=lambda pair: pair[0])[1] if ranked else None


def found(gathered: Gathered, purpose: Purpose, best: Try) -> Conclusion:
    """A file that can be used."""
    return Conclusion(gathered, purpose, ModuleStatus.FOUND, best, Use(UseStatus.OK))


def nothing(gathered: Gathered, purpose: Purpose) -> Conclusion:
    """No file is of use: the first failure decides. Files without what is needed are none."""
    failed = next((attempt for attempt in gathered.tries if attempt.facts is None), None)
    if failed is None:
        return Conclusion(gathered, purpose, ModuleStatus.MISSING)
    status = failed.status()
    use = Use(UseStatus.MALFORMED) if status is ModuleStatus.MALFORMED else None
    return Conclusion(gathered, purpose, status, failed, use)
