"""Write docs/metrics.md anew."""

from __future__ import annotations

from typing import Any

from symbolsvc.environment import BASE_DIR
from symbolsvc.management.base import OperatorCommand
from symbolsvc.metrics.documentation import page


class Command(OperatorCommand):
    help = __doc__

    def handle(self, *args: Any, **options: Any) -> None:
        path = BASE_DIR / "docs" / "metrics.md"
        path.write_text(page(), encoding="utf-8")
        self.print_result({"path": str(path)}, str(path), as_json=options["json"])
