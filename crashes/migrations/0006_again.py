import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("crashes", "0007_regressions"),
    ]

    operations = [
        migrations.CreateModel(
            name="SourcesSeen",
            fields=[
                (
                    "project",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="sources_seen",
                        serialize=False,
                        to="projects.project",
                    ),
                ),
                ("project_revision", models.BigIntegerField()),
                ("organization_revision", models.BigIntegerField()),
            ],
        ),
        migrations.AddField(model_name="crashlack", name="files_revision", field=models.BigIntegerField(default=0)),
        migrations.AddField(model_name="lackedfile", name="cause", field=models.TextField(blank=True, default="")),
        migrations.AddField(model_name="lackedfile", name="remedy", field=models.TextField(blank=True, default="")),
    ]
