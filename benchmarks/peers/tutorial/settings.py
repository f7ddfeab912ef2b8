"""Settings as the Channels tutorial has them, with the pub/sub layer, which its documentation prefers for speed."""

import os
from pathlib import Path

SECRET_KEY = "for the benchmark only"  # noqa: S105
ALLOWED_HOSTS = ["127.0.0.1"]
INSTALLED_APPS = ["daphne", "django.contrib.contenttypes", "django.contrib.auth", "channels"]
DATABASES = {
    "default": {"ENGINE": "django.db.backends.sqlite3", "NAME": Path(os.environ["DATA_DIR"]) / "tutorial.sqlite3"}
}
VALKEY_URL = f"redis://127.0.0.1:{os.environ['VALKEY_PORT']}/0"
CHANNEL_LAYERS = {
    "default": {"BACKEND": "channels_redis.pubsub.RedisPubSubChannelLayer", "CONFIG": {"hosts": [VALKEY_URL]}}
}
