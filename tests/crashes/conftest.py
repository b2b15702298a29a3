"""What tests of submissions share: the tenant of the captures on the running service, and projects of their own."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from debugfiles.inspecting import converter
from tests.crashes.replay import SUBDOMAIN, make_token
from tests.service import Service
from tests.symbolication.http import Tenant, new_tenant


@pytest.fixture(scope="session", autouse=True)
def _converter():
    yield
    if converter.cache_info().currsize and converter()._own is not None:
        converter()._own.kill()
        converter()._own.wait()


@dataclass(frozen=True)
class Place:
    """A fresh project on the running service, with the token of a tool that uploads to its organization."""

    tenant: Tenant
    uploader: str

    def url(self, format_: str, query: str = "") -> str:
        """The hosted form of address."""
        return (
            f"{self.tenant.url}/{self.tenant.organization}/{self.uploader}/{format_}"
            f"?project={self.tenant.project}&{query}"
        )


_uploaders: dict[tuple[str, str], str] = {}


@pytest.fixture
def place(service: Service) -> Place:
    tenant = new_tenant(service)
    key = (tenant.url, tenant.organization)
    if key not in _uploaders:
        _uploaders[key] = service.token(tenant.organization, scopes=["symbol:post"])
    return Place(tenant, _uploaders[key])


@pytest.fixture(scope="session")
def saucebot(service: Service) -> Service:
    """The running service with the organization and the token that the captures were recorded with."""
    service.bootstrap(SUBDOMAIN, "web")
    make_token(service, SUBDOMAIN, "web")
    return service
