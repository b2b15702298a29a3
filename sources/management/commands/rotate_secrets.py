"""`manage.py rotate_secrets`: put every stored secret under the newest of SECRET_KEYS."""

from __future__ import annotations

from argparse import ArgumentParser
from dataclasses import dataclass, field
from typing import Any, Final
from uuid import UUID

from django.core.management.base import BaseCommand, CommandError
from django.db import transaction

from core.encryption import EncryptionError, newest_key_id
from core.rotation import rotations
from engine.errors import SymbolsvcError
from sources.models import SymbolSource
from sources.secrets import rotate_secrets

BATCH: Final = 100


@dataclass(slots=True)
class _Tally:
    rotated: int = 0
    failures: list[str] = field(default_factory=list)


class Command(BaseCommand):
    help = (
        "Re-encrypts the secrets of symbol sources and of scraping under the newest of SECRET_KEYS, in batches. Safe"
        " beside a running service; after an interruption, run it again: what is done stays done. Older keys can go"
        " when it succeeds."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--batch", type=int, default=BATCH, help=f"rows per transaction (default {BATCH})")

    def handle(self, *args: Any, **options: Any) -> None:
        newest = _newest()
        tally, last = _Tally(), None
        while (last := _rotate_batch(newest, max(options["batch"], 1), last, tally)) is not None:
            self.stdout.write(f"{tally.rotated} re-encrypted so far")
        already = SymbolSource.objects.filter(secrets_key=newest).count() - tally.rotated
        for rotate in rotations().values():
            tally.rotated += rotate(tally.failures.append)
        for failure in tally.failures:
            self.stderr.write(failure)
        summary = f"{tally.rotated} re-encrypted, {max(already, 0)} already under the newest key"
        if tally.failures:
            raise CommandError(f"{summary}, {len(tally.failures)} failed: keep the older keys until these are solved")
        self.stdout.write(summary)


def _newest() -> str:
    try:
        return newest_key_id()
    except EncryptionError as error:
        raise CommandError(error.message) from None


def _rotate_batch(newest: str, size: int, after: UUID | None, tally: _Tally) -> UUID | None:
    """Re-encrypt the next rows by primary key, in one transaction; the last one's key, or None when none was left."""
    waiting = SymbolSource.objects.exclude(secrets=None).exclude(secrets_key=newest).order_by("pk")
    if after is not None:
        waiting = waiting.filter(pk__gt=after)
    with transaction.atomic():
        rows = list(waiting.select_for_update()[:size])
        outcomes = [_rotate(row) for row in rows]
    tally.failures += [outcome for outcome in outcomes if outcome is not None]
    tally.rotated += outcomes.count(None)
    return rows[-1].pk if rows else None


def _rotate(row: SymbolSource) -> str | None:
    try:
        rotate_secrets(row)
    except SymbolsvcError as error:
        return f"source {row.source_id!r} of organization {row.organization_id}: {error.message}"
    return None
