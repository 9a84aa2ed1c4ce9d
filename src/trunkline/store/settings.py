"""Django's settings, from the environment of the instance (docs/reference/layout.md)."""

from __future__ import annotations

import os
from pathlib import Path

from trunkline.store.databases import database_from

HOME = Path(os.environ.get("TRUNKLINE_HOME", "var")).absolute()

DATABASES = {"default": database_from(os.environ.get("TRUNKLINE_DATABASE_URL", ""), HOME / "store.sqlite3")}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
INSTALLED_APPS = ["trunkline.store"]
USE_TZ = True
TIME_ZONE = "UTC"
