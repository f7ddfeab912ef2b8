"""The application a server runs: `daphne aleatoria.asgi:application`."""

import gc
import os

from channels.routing import ProtocolTypeRouter, URLRouter
from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "aleatoria.settings")
_http = get_asgi_application()  # sets Django up, so it comes before anything of ours

from aleatoria.routing import websocket_urlpatterns  # noqa: E402

application = ProtocolTypeRouter({"http": _http, "websocket": URLRouter(websocket_urlpatterns)})

# What is loaded by now stays: the collector need not walk through it again whenever some sockets have been opened.
gc.collect()
gc.freeze()
gc.set_threshold(20_000, 20, 50)
