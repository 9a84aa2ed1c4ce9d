"""Django's settings of the web process: the store's, and what pages need."""

from __future__ import annotations

from datetime import timedelta
from urllib.parse import urlsplit

from trunkline.store.settings import *  # noqa: F403 - Django's way to build settings on settings
from trunkline.store.settings import INSTANCE

_WEB = urlsplit(INSTANCE.web_url)
_ENCRYPTED = _WEB.scheme == "https"

INSTALLED_APPS = [
    "trunkline.web",  # first: its templates replace allauth's
    "trunkline.manager",
    "trunkline.operator",
    "trunkline.api",
    "trunkline.store",
    "allauth.account",
    "allauth.mfa",
    "allauth.usersessions",
    "allauth",
    "django_htmx",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.humanize",
    "django.contrib.messages",
    "django.contrib.sessions",
    "django.contrib.staticfiles",
]
MIDDLEWARE = [
    "trunkline.web.headers.SafeHeaders",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "trunkline.web.company.CompanyInPath",
    "django.middleware.common.CommonMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "trunkline.web.problems.ProblemPages",
]
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "builtins": ["trunkline.web.templatetags.components", "django.templatetags.static"],
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "trunkline.web.frame.frame",
                "trunkline.manager.help.topics.help_here",
            ],
        },
    }
]
ROOT_URLCONF = "trunkline.web.urls"
WSGI_APPLICATION = "trunkline.web.wsgi.application"
ALLOWED_HOSTS = ["localhost", ".localhost", "127.0.0.1", "[::1]", INSTANCE.sip_domain, _WEB.hostname or "localhost"]
CSRF_TRUSTED_ORIGINS = [INSTANCE.web_url]
APPEND_SLASH = False

FILE_UPLOAD_HANDLERS = ["trunkline.web.uploads.Bounded", "django.core.files.uploadhandler.TemporaryFileUploadHandler"]

STATIC_URL = "/static/"
WHITENOISE_USE_FINDERS = True
WHITENOISE_ALLOW_ALL_ORIGINS = False

# TLS ends at a proxy on this machine, which tells scheme and client (docs/reference/layout.md)
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if _ENCRYPTED else None
SECURE_HSTS_SECONDS = int(timedelta(days=365).total_seconds()) if _ENCRYPTED else 0
ALLAUTH_TRUSTED_PROXY_COUNT = 1 if _ENCRYPTED else 0
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = _ENCRYPTED
SESSION_COOKIE_SAMESITE = "Lax"
CSRF_COOKIE_HTTPONLY = True
SESSION_COOKIE_AGE = int(timedelta(days=14).total_seconds())
MESSAGE_STORAGE = "django.contrib.messages.storage.session.SessionStorage"
CACHES = {"default": {"BACKEND": "django.core.cache.backends.db.DatabaseCache", "LOCATION": "web_cache"}}

SILENCED_SYSTEM_CHECKS = ["auth.W004"]  # an account is unique however it is capitalised: a constraint on its lower case
AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {
        "NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator",
        "OPTIONS": {"user_attributes": ("account", "email")},
    },
]
LOGGING = {  # into the process's own log, tracebacks of failed pages too
    "version": 1,
    "disable_existing_loggers": False,
    "handlers": {"stderr": {"class": "logging.StreamHandler"}},
    "root": {"handlers": ["stderr"], "level": "WARNING"},
    "loggers": {"django": {"handlers": ["stderr"], "level": "WARNING", "propagate": False}},
}
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "home"
LOGOUT_REDIRECT_URL = "account_login"

ACCOUNT_ADAPTER = "trunkline.web.accounts.adapter.AccountAdapter"
ACCOUNT_USER_MODEL_USERNAME_FIELD = "account"
ACCOUNT_LOGIN_METHODS = {"username", "email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "username*", "password1*"]
ACCOUNT_EMAIL_VERIFICATION = "mandatory"
ACCOUNT_EMAIL_VERIFICATION_BY_CODE_ENABLED = True
ACCOUNT_EMAIL_VERIFICATION_SUPPORTS_RESEND = True
ACCOUNT_PASSWORD_RESET_BY_CODE_ENABLED = True
ACCOUNT_EMAIL_NOTIFICATIONS = True
ACCOUNT_CHANGE_EMAIL = True
ACCOUNT_REAUTHENTICATION_REQUIRED = True
ACCOUNT_REAUTHENTICATION_TIMEOUT = 300
ACCOUNT_SESSION_REMEMBER = None
ACCOUNT_FORMS = {"login": "trunkline.web.accounts.forms.SignInForm"} | {
    name: f"trunkline.web.accounts.words.{form}"
    for name, form in {
        "reauthenticate": "ConfirmPassword",
        "change_password": "ChangePassword",
        "set_password": "SetPassword",
        "reset_password": "ForgottenPassword",
        "reset_password_from_key": "NewPassword",
        "add_email": "NewAddress",
        "confirm_email_verification_code": "CodeForAddress",
        "confirm_password_reset_code": "CodeForPassword",
    }.items()
}
MFA_FORMS = {
    name: f"trunkline.web.accounts.words.{form}"
    for name, form in {
        "authenticate": "CodeAtSignIn",
        "reauthenticate": "ConfirmCode",
        "activate_totp": "SetUpApp",
        "add_webauthn": "AddPasskey",
        "edit_webauthn": "RenamePasskey",
    }.items()
}
MFA_ADAPTER = "trunkline.web.accounts.adapter.SecondFactorAdapter"
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_RECOVERY_CODES_SHOW_ONCE = True
MFA_TOTP_ISSUER = "Trunkline"
MFA_TOTP_TOLERANCE = 1
MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN = not _ENCRYPTED  # browsers themselves allow it on localhost only
