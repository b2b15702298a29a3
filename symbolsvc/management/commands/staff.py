"""Let a user look at operations of the whole installation, or no more."""

from __future__ import annotations

from typing import Any

from django.contrib.auth import get_user_model
from django.core.management.base import CommandError, CommandParser

from symbolsvc.management.base import OperatorCommand
from symbolsvc.operations.staff import make_staff


class Command(OperatorCommand):
    help = __doc__

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("email", help="by which the user signs in")
        parser.add_argument("--remove", action="store_true", help="no longer")

    def handle(self, *args: Any, **options: Any) -> None:
        email = options["email"].strip().lower()
        user = get_user_model().objects.filter(username=email).first()
        if user is None:
            raise CommandError(f"There is no user {email}.")
        make_staff(user, staff=not options["remove"])
        self.print_result(
            {"email": email, "staff": user.is_staff},
            f"{email} {'sees' if user.is_staff else 'no longer sees'} /operations/",
            as_json=options["json"],
        )
