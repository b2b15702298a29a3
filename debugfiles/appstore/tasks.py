"""When imports run."""

from __future__ import annotations

from typing import Final
from uuid import UUID

from core.background import periodic, task
from debugfiles.appstore import services
from debugfiles.appstore.importing import run_import

# A queue of its own: an import waits for Apple for minutes, and nothing else should.
IMPORTS: Final = "imports"


@task(queue=IMPORTS)
def import_dsyms(*, source: str) -> None:
    """Run the import of one source, if it is due and nobody else does."""
    run_import(UUID(source))


@periodic("* * * * *")
def sweep_imports(timestamp: int) -> None:  # noqa: ARG001 - the scheduler names its moment
    """Have due imports run, those of killed workers among them."""
    services.add_missing()
    for source_pk in services.due():
        services.hint(source_pk)
