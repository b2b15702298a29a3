from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


def _add(model: str, index: models.Index) -> list[migrations.operations.base.Operation]:
    """An index that nobody waits for; what an interrupted attempt left is made anew."""
    return [
        migrations.RunSQL(f"DROP INDEX CONCURRENTLY IF EXISTS {index.name}", migrations.RunSQL.noop),
        AddIndexConcurrently(model, index),
    ]


class Migration(migrations.Migration):
    atomic = False

    dependencies = [
        ("crashes", "0009_group_names"),
    ]

    operations = [
        *_add(
            "crash",
            models.Index(
                fields=["project", "platform", "-received_at", "-id"],
                name="crash_newest_of_platform",
                condition=models.Q(platform__gt=""),
            ),
        ),
        *_add(
            "crash",
            models.Index(
                fields=["project", "os_name", "-received_at", "-id"],
                name="crash_newest_of_system",
                condition=models.Q(os_name__gt=""),
            ),
        ),
        *_add(
            "crash",
            models.Index(
                fields=["project", "-received_at", "-id"], name="crash_kept", condition=models.Q(state="kept")
            ),
        ),
        *_add(
            "group",
            models.Index(
                fields=["project", "-last_seen", "-id"], name="crash_group_open", condition=models.Q(state="open")
            ),
        ),
    ]
