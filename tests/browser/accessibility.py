"""axe-core on a page."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from tests.clients.tools import client

if TYPE_CHECKING:
    from playwright.sync_api import Page

_RUN = """async (only) => {
    const options = {resultTypes: ["violations"], ...(only.length ? {runOnly: {type: "rule", values: only}} : {})};
    const {violations} = await axe.run(document, options);
    return violations.filter(({impact}) => ["serious", "critical"].includes(impact)).map(({id, help, nodes}) =>
        `${id}: ${help}: ` + nodes.slice(0, 3).map((node) => node.html.slice(0, 200)).join(" | "));
}"""


@cache
def _axe() -> str:
    return client("axe-core", "4.14.1").read_text(encoding="utf-8")


def violations(page: Page, *only: str) -> list[str]:
    """What axe-core finds serious or critical; of the rules `only`, if some are named."""
    if not page.evaluate("'axe' in window"):
        # Not by a script element: the page's own policy stays as it is.
        page.evaluate(_axe())
    return page.evaluate(_RUN, list(only))  # type: ignore[no-any-return]
