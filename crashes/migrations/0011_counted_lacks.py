from django.db import migrations, models

_COUNT = """
CREATE FUNCTION crashes_note_lacks() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO crashes_lackchange (file_id, change)
    SELECT file_id, CASE TG_OP WHEN 'INSERT' THEN count(*) ELSE -count(*) END FROM changed GROUP BY file_id;
    RETURN NULL;
END
$$;
CREATE TRIGGER crashes_lacks_more AFTER INSERT ON crashes_crashlack REFERENCING NEW TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION crashes_note_lacks();
CREATE TRIGGER crashes_lacks_less AFTER DELETE ON crashes_crashlack REFERENCING OLD TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION crashes_note_lacks();
UPDATE crashes_lackedfile SET crashes = counted.crashes
FROM (SELECT file_id, count(*) AS crashes FROM crashes_crashlack GROUP BY file_id) AS counted
WHERE counted.file_id = crashes_lackedfile.id;
"""
_FORGET = """
DROP TRIGGER crashes_lacks_more ON crashes_crashlack;
DROP TRIGGER crashes_lacks_less ON crashes_crashlack;
DROP FUNCTION crashes_note_lacks();
"""


class Migration(migrations.Migration):
    dependencies = [
        ("crashes", "0010_rare_crashes"),
    ]

    operations = [
        migrations.CreateModel(
            name="LackChange",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("file_id", models.BigIntegerField()),
                ("change", models.BigIntegerField()),
            ],
        ),
        migrations.AddField(
            model_name="lackedfile", name="crashes", field=models.BigIntegerField(default=0, db_default=0)
        ),
        # The triggers' lock keeps whoever writes lacks waiting until they have been counted.
        migrations.RunSQL(_COUNT, _FORGET),
    ]
