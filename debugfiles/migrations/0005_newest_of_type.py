from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False

    dependencies = [
        ("debugfiles", "0004_retention"),
    ]

    operations = [
        # What an interrupted attempt left is made anew.
        migrations.RunSQL("DROP INDEX CONCURRENTLY IF EXISTS debug_file_newest_of_type", migrations.RunSQL.noop),
        AddIndexConcurrently(
            "debugfile", models.Index(fields=["project", "symbol_type", "-id"], name="debug_file_newest_of_type")
        ),
    ]
