"""What tests of Sentry's clients share."""

from tests.crashes.sentry.sending import sender  # noqa: F401 - pytest finds fixtures by name
