"""`gunicorn trunkline.web.wsgi`."""

import gc
import os

from django.core.wsgi import get_wsgi_application
from django.urls import get_resolver


def keep_what_is_loaded() -> None:
    """It is not looked through for garbage again and again: that stops a page for a tenth of a second."""
    _ = get_resolver().url_patterns  # else views are loaded by the first request
    gc.collect()
    gc.freeze()


os.environ.setdefault("DJANGO_SETTINGS_MODULE", "trunkline.web.settings")
application = get_wsgi_application()
keep_what_is_loaded()
