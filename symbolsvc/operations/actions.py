"""What staff can do about jobs that failed."""

from __future__ import annotations

import logging

from django.contrib.auth.models import AbstractBaseUser, AnonymousUser
from django.db import IntegrityError, connection, transaction

log = logging.getLogger(__name__)


def retry_job(job_id: int, *, actor: AbstractBaseUser | AnonymousUser) -> bool:
    """Have a failed job run once more, at once; False when it is not there or not failed, or another one like it waits.

    What it does it does from its rows, as they are now.
    """
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(
                "UPDATE procrastinate_jobs SET status = 'todo', attempts = 0, scheduled_at = statement_timestamp(),"
                " worker_id = NULL WHERE id = %s AND status = 'failed'",
                [job_id],
            )
            done = bool(cursor.rowcount)
    except IntegrityError:
        done = False
    log.info("user %s has job %d run again: %s", actor.pk, job_id, "done" if done else "nothing to do")
    return done


def delete_job(job_id: int, *, actor: AbstractBaseUser | AnonymousUser) -> bool:
    """Forget a failed job; False when it is not there or not failed."""
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM procrastinate_jobs WHERE id = %s AND status = 'failed'", [job_id])
        done = bool(cursor.rowcount)
    log.info("user %s deletes failed job %d: %s", actor.pk, job_id, "done" if done else "nothing to do")
    return done
