"""What Kamailio loads. Kamailio puts this file's directory on its path, so that the script is the package `script` there."""

from script.callbacks import mod_init  # type: ignore[import-not-found]

__all__ = ["mod_init"]
