"""Another process that looks for a project's ledger: `python -m tests.debugfiles.elsewhere PROJECT CACHE`."""

from __future__ import annotations

import os
import sys
from pathlib import Path


def main(project_id: str, cache_dir: str) -> str:
    import django
    from django.conf import settings

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "symbolsvc.settings")
    settings.DATABASES["default"]["NAME"] = os.environ["SYMBOLSVC_TEST_DATABASE"]
    django.setup()
    from debugfiles.providers import project_files
    from engine.lookup import Store
    from projects.models import Project
    from tests.debugfiles.uploading import access_to
    from tests.engine.lookup.conftest import look

    project = Project.objects.select_related("organization").get(pk=project_id)
    return look(Store(Path(cache_dir)), [project_files(access_to(project))]).status.value


if __name__ == "__main__":
    sys.stdout.write(main(*sys.argv[1:]))
