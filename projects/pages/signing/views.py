"""Signing in, the first password of an invited account, and another one."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.contrib.auth.forms import PasswordChangeForm
from django.contrib.auth.views import LoginView, PasswordChangeView, PasswordResetConfirmView
from django.http import HttpRequest, HttpResponse
from django.urls import reverse_lazy

from core.pages import page
from projects.pages.signing.forms import SignInForm, address_of
from projects.pages.signing.turns import give_back, take, turns_of


class SignIn(LoginView):
    """Leads back to where one came from (`next`, on this host only); the session gets another key."""

    template_name = "projects/login.html"
    authentication_form = SignInForm
    redirect_authenticated_user = True

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """Sign in, unless there were too many tries: 429 then, and when to try again."""
        turns = turns_of(request, address_of(request.POST.get("username", "")))
        wait = take(turns)
        if wait:
            return _too_many(request, wait)
        answer = super().post(request, *args, **kwargs)
        if request.user.is_authenticated:
            give_back(turns)
        return answer


class FirstPassword(PasswordResetConfirmView):
    """Where an invitation leads: choose a password, and be signed in. It works once, and for three days."""

    template_name = "projects/first_password.html"
    post_reset_login = True
    success_url = reverse_lazy("pages:home")


class ChangePassword(PasswordChangeView):
    """Another password for oneself. Other sessions of the account end."""

    template_name = "projects/password.html"
    success_url = reverse_lazy("pages:home")

    def form_valid(self, form: PasswordChangeForm) -> HttpResponse:
        """Change it, and say so."""
        messages.success(
            self.request, "The password is changed. Wherever else you were signed in, you are not any more."
        )
        return super().form_valid(form)


def _too_many(request: HttpRequest, wait: int) -> HttpResponse:
    minutes = -(-wait // 60)
    words = f"{wait} seconds" if wait < 90 else f"{minutes} minutes"
    answer = page(request, "projects/too_many.html", {"words": words}, status=429)
    answer.headers["Retry-After"] = str(wait)
    return answer
