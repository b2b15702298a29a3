"""Make an organization, a project and, if asked, an administrator, unless they exist."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import Any, Final

from django.contrib.auth import get_user_model
from django.core.management.base import CommandParser
from django.db import connection, transaction

from projects import services
from projects.access import SYSTEM
from projects.models import Membership, Organization, Project
from projects.scopes import OWNER
from symbolsvc.management.base import OperatorCommand
from symbolsvc.migrating import bring_up_to_date
from symbolsvc.operations.staff import make_staff

# Two of these at once wait for each other. The number is any that no other lock uses.
_LOCK: Final = 7_305_810_231


@dataclass(frozen=True, slots=True)
class Admin:
    """`password` is known only when it has just been made."""

    email: str
    password: str | None


class Command(OperatorCommand):
    help = __doc__

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--org", required=True, metavar="SLUG")
        parser.add_argument("--project", required=True, metavar="SLUG")
        parser.add_argument("--admin", metavar="EMAIL")

    def handle(self, *args: Any, **options: Any) -> None:
        bring_up_to_date()
        with transaction.atomic():
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_LOCK])
            organization = _organization(options["org"])
            project = _project(organization, options["project"])
            admin = _admin(organization, options["admin"]) if options["admin"] else None
        self.print_result(
            _as_dict(organization, project, admin), _readable(organization, project, admin), as_json=options["json"]
        )


def _organization(slug: str) -> Organization:
    found = Organization.objects.filter(slug=slug).first()
    return found or services.create_organization(slug=slug, name=slug, actor=SYSTEM)


def _project(organization: Organization, slug: str) -> Project:
    found = organization.projects.filter(slug=slug).first()
    return found or services.create_project(organization=organization, slug=slug, name=slug, actor=SYSTEM)


def _admin(organization: Organization, email: str) -> Admin:
    address = email.strip().lower()
    user = get_user_model().objects.filter(username=address).first()
    password = None
    if user is None:
        password = secrets.token_urlsafe(18)
        user = services.create_user(email=address, password=password)
        make_staff(user, staff=True)
    if not Membership.objects.filter(organization=organization, user=user).exists():
        services.add_member(organization=organization, user=user, role=OWNER, actor=SYSTEM)
    return Admin(address, password)


def _as_dict(organization: Organization, project: Project, admin: Admin | None) -> dict[str, Any]:
    return {
        "organization": {"id": str(organization.id), "slug": organization.slug},
        "project": {"id": str(project.id), "slug": project.slug},
        "admin": None if admin is None else {"email": admin.email, "password": admin.password},
    }


def _readable(organization: Organization, project: Project, admin: Admin | None) -> str:
    lines = [f"organization {organization.slug} (id {organization.id})", f"project {project.slug} (id {project.id})"]
    if admin is not None:
        known = f"password {admin.password} (not shown again)" if admin.password else "exists already"
        lines.append(f"admin {admin.email}, {known}")
    return "\n".join(lines)
