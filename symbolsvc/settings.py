"""Django's settings, made from the environment (see environment/ for every name, its meaning and default)."""

from __future__ import annotations

from typing import Any

import psycopg.conninfo

from symbolsvc import environment, logs
from symbolsvc.running import secrets

ENVIRONMENT = environment.read()

BASE_DIR = environment.BASE_DIR
DATA_DIR = environment.data_dir(ENVIRONMENT)
CACHE_DIR = environment.cache_dir(ENVIRONMENT)

_SECRETS = secrets.settled(ENVIRONMENT, DATA_DIR)
SECRET_KEY = _SECRETS.secret_key
SECRET_KEYS = _SECRETS.secret_keys
DEBUG = False
ALLOWED_HOSTS = list(ENVIRONMENT["ALLOWED_HOSTS"])

INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.postgres",
    "procrastinate.contrib.django",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "django_htmx",
    "core",
    "projects",
    "sources",
    "debugfiles",
    "debugfiles.appstore",
    "symbolserver",
    "symbolication",
    "crashes",
    "symbolsvc",
]

API_BODY_MAX_BYTES = ENVIRONMENT["API_BODY_MAX_BYTES"]
BODY_IDLE_SECONDS = ENVIRONMENT["BODY_IDLE_SECONDS"]
BODY_MAX_SECONDS = ENVIRONMENT["BODY_MAX_SECONDS"]
# Bodies have bounds of their own (core.wire), per view.
DATA_UPLOAD_MAX_MEMORY_SIZE = None

MIDDLEWARE = [
    "symbolsvc.metrics.middleware.MetricsMiddleware",
    "symbolsvc.middleware.RequestIdMiddleware",
    "symbolsvc.middleware.SecurityHeadersMiddleware",
    "core.wire.handler.BodyMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]

SECURE_HSTS_SECONDS = 365 * 24 * 3600
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
# A proxy in front speaks TLS and says so; whoever can reach the service past the proxy gains nothing by claiming it.
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = ENVIRONMENT["PUBLIC_URL"].startswith("https://")
CSRF_TRUSTED_ORIGINS = [ENVIRONMENT["PUBLIC_URL"].rstrip("/")] if ENVIRONMENT["PUBLIC_URL"] else []

# A missing slash is answered 404 with a hint: a redirect would turn a POST into a GET.
APPEND_SLASH = False
CSRF_FAILURE_VIEW = "symbolsvc.errors.csrf_failure"
ROOT_URLCONF = "symbolsvc.urls"
WSGI_APPLICATION = "symbolsvc.wsgi.application"

LOGGING_CONFIG = None
logs.configure(level=ENVIRONMENT["LOG_LEVEL"], style=logs.style_of(ENVIRONMENT))

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "projects.pages.context.page_frame",
            ]
        },
    }
]

# Each connection is a process of the database, of some megabytes. A pool gives up one of those that nobody needed for
# this long.
IDLE_CONNECTION_SECONDS = 10.0


def _database(url: str) -> dict[str, Any]:
    parts = psycopg.conninfo.conninfo_to_dict(url)
    return {
        "ENGINE": "core.postgresql",
        "NAME": parts.pop("dbname", "symbolsvc"),
        "USER": parts.pop("user", ""),
        "PASSWORD": parts.pop("password", ""),
        "HOST": parts.pop("host", ""),
        "PORT": parts.pop("port", ""),
        # `core.postgresql` checks those that it takes from the pool, at less expense.
        "CONN_HEALTH_CHECKS": False,
        "OPTIONS": {
            **parts,
            "pool": {
                "min_size": 0,
                "max_size": ENVIRONMENT["DATABASE_POOL_SIZE"],
                "timeout": 10,
                "max_idle": IDLE_CONNECTION_SECONDS,
            },
        },
    }


DATABASES = {"default": _database(ENVIRONMENT["DATABASE_URL"])}
# Jobs are hints, rows are the truth: a finished job is of no use.
PROCRASTINATE_ON_APP_READY = "core.background.on_app_ready"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

LOGIN_URL = "pages:login"
# Of invitations, seconds.
PASSWORD_RESET_TIMEOUT = 3 * 24 * 3600
LOGIN_REDIRECT_URL = "pages:home"
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
]
LANGUAGE_CODE = "en"
USE_TZ = True
TIME_ZONE = "UTC"

STATIC_URL = "static/"
WHITENOISE_USE_FINDERS = True

REST_FRAMEWORK = {
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["rest_framework.parsers.JSONParser"],
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "projects.authentication.TokenAuthentication",
        "projects.authentication.MemberSession",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "EXCEPTION_HANDLER": "core.api.exception_handler",
    "UNAUTHENTICATED_USER": None,
}

SPECTACULAR_SETTINGS = {
    "TITLE": "symbolsvc",
    "DESCRIPTION": "Symbol sources of projects, and symbolication with them.",
    "VERSION": "0.1.0",
    "OAS_VERSION": "3.1.0",
    "SERVE_INCLUDE_SCHEMA": False,
    # Scripts and styles come from the installed package, not from a CDN.
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    # Several answers are completed, each in its own way.
    "ENUM_NAME_OVERRIDES": {"CompletedEnum": ["completed"]},
}
