"""Django's settings, made from the environment (see environment.py for every name, its meaning and default)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import psycopg.conninfo

from symbolsvc import environment

ENVIRONMENT = environment.read()

BASE_DIR = Path(__file__).resolve().parent.parent
DATA_DIR = Path(ENVIRONMENT["SYMBOLSVC_DATA_DIR"]).absolute()
CACHE_DIR = Path(ENVIRONMENT["CACHE_DIR"] or DATA_DIR / "cache")

SECRET_KEY = ENVIRONMENT["SECRET_KEY"]
SECRET_KEYS = ENVIRONMENT["SECRET_KEYS"]
DEBUG = False
ALLOWED_HOSTS = list(ENVIRONMENT["ALLOWED_HOSTS"])

INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.staticfiles",
    "django.contrib.postgres",
    "procrastinate.contrib.django",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "core",
    "projects",
    "sources",
    "symbolication",
    "symbolsvc",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]

# A missing slash is answered 404 with a hint: a redirect would turn a POST into a GET.
APPEND_SLASH = False
ROOT_URLCONF = "symbolsvc.urls"
WSGI_APPLICATION = "symbolsvc.wsgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
            ]
        },
    }
]


def _database(url: str) -> dict[str, Any]:
    parts = psycopg.conninfo.conninfo_to_dict(url)
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": parts.pop("dbname", "symbolsvc"),
        "USER": parts.pop("user", ""),
        "PASSWORD": parts.pop("password", ""),
        "HOST": parts.pop("host", ""),
        "PORT": parts.pop("port", ""),
        "OPTIONS": {**parts, "pool": {"min_size": 0, "max_size": ENVIRONMENT["DATABASE_POOL_SIZE"], "timeout": 10}},
    }


DATABASES = {"default": _database(ENVIRONMENT["DATABASE_URL"])}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

AUTH_PASSWORD_VALIDATORS = [{"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator"}]
LANGUAGE_CODE = "en"
USE_TZ = True
TIME_ZONE = "UTC"

STATIC_URL = "static/"
STATIC_ROOT = BASE_DIR / "static-root"
WHITENOISE_USE_FINDERS = True

REST_FRAMEWORK = {
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["rest_framework.parsers.JSONParser"],
    "DEFAULT_AUTHENTICATION_CLASSES": ["projects.authentication.TokenAuthentication", "projects.authentication.MemberSession"],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "EXCEPTION_HANDLER": "core.api.exception_handler",
    "UNAUTHENTICATED_USER": None,
}
