import django.db.models.deletion
from django.db import migrations, models

_COPY = """
    UPDATE projects_project SET files_revision = u.revision
    FROM debugfiles_uploads u WHERE u.project_id = projects_project.id
"""
_COPY_BACK = """
    INSERT INTO debugfiles_uploads (project_id, revision)
    SELECT id, files_revision FROM projects_project WHERE files_revision > 0
"""


class Migration(migrations.Migration):
    dependencies = [
        ("debugfiles", "0003_upload_records"),
        ("projects", "0002_project_files_revision"),
    ]

    operations = [
        migrations.RunSQL(_COPY, _COPY_BACK),
        migrations.DeleteModel(name="Uploads"),
        migrations.CreateModel(
            name="Retention",
            fields=[
                (
                    "project",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="retention",
                        serialize=False,
                        to="projects.project",
                    ),
                ),
                ("keep_days", models.PositiveIntegerField(null=True)),
                ("quota_bytes", models.BigIntegerField(null=True)),
                ("when_full", models.CharField(blank=True, default="", max_length=8)),
            ],
        ),
        migrations.AddIndex(
            model_name="debugfile",
            index=models.Index(fields=["project", "last_used"], name="debug_file_by_use"),
        ),
    ]
