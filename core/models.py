"""What the whole installation has once."""

from __future__ import annotations

from typing import Final

from django.db import models

THE_ONE: Final = 1


class Installation(models.Model):
    """The one row of a database: by what a host sees that it belongs to it."""

    id = models.SmallIntegerField(primary_key=True, default=THE_ONE)
    # What lies in the blob store under `core.installation.MARK`.
    store_mark = models.CharField(max_length=64)
    # The name of the key that sealed the secrets (`core.encryption.key_id_of`).
    key_id = models.CharField(max_length=16)

    class Meta:
        constraints = [models.CheckConstraint(condition=models.Q(id=THE_ONE), name="core_installation_one")]
