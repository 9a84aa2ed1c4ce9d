"""Django's settings for whoever needs the store only: call control, the clock, the command line. The web's: `trunkline.web.settings`."""

from __future__ import annotations

from trunkline.runtime.keys import derived_key
from trunkline.runtime.settings import load_settings
from trunkline.store.databases import database_from
from trunkline.store.mail_settings import mail_settings

INSTANCE = load_settings()

DATABASES = {"default": database_from(INSTANCE.database_url, INSTANCE.sqlite_path)}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
AUTH_USER_MODEL = "store.Person"
INSTALLED_APPS = ["trunkline.store"]
USE_TZ = True
TIME_ZONE = "UTC"
LANGUAGE_CODE = "en"

SECRET_KEY = derived_key(INSTANCE, "web").hex()
DEBUG = False
EMAIL_FILE_PATH = str(INSTANCE.mail_dir)
globals().update(mail_settings(INSTANCE))  # EMAIL_...
