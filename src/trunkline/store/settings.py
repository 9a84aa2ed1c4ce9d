"""Django's settings, from those of the instance (docs/reference/layout.md)."""

from __future__ import annotations

from trunkline.runtime.keys import derived_key
from trunkline.runtime.settings import load_settings
from trunkline.store.databases import database_from
from trunkline.store.mail_settings import mail_settings

INSTANCE = load_settings()

DATABASES = {"default": database_from(INSTANCE.database_url, INSTANCE.sqlite_path)}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
INSTALLED_APPS = ["trunkline.store", "trunkline.manager", "django.contrib.staticfiles"]
USE_TZ = True
TIME_ZONE = "UTC"
LANGUAGE_CODE = "en"

SECRET_KEY = derived_key(INSTANCE, "web").hex()
DEBUG = False
EMAIL_FILE_PATH = str(INSTANCE.mail_dir)
globals().update(mail_settings(INSTANCE))  # EMAIL_...
ALLOWED_HOSTS = ["localhost", ".localhost", "127.0.0.1", "[::1]", INSTANCE.sip_domain]
ROOT_URLCONF = "trunkline.manager.urls"
WSGI_APPLICATION = "trunkline.manager.wsgi.application"
MIDDLEWARE = [
    "trunkline.manager.headers.SafeHeaders",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.middleware.common.CommonMiddleware",
]
TEMPLATES = [{"BACKEND": "django.template.backends.django.DjangoTemplates", "APP_DIRS": True}]
STATIC_URL = "/static/"
WHITENOISE_USE_FINDERS = True
WHITENOISE_ALLOW_ALL_ORIGINS = False
