"""The application that daphne runs: `daphne benchmarks.peers.tutorial.asgi:application`."""

from channels.routing import ProtocolTypeRouter, URLRouter
from django.core.asgi import get_asgi_application
from django.urls import path

_http = get_asgi_application()  # sets Django up, so it comes before anything that needs it

from benchmarks.peers.tutorial.consumers import ChatConsumer  # noqa: E402

application = ProtocolTypeRouter({"http": _http, "websocket": URLRouter([path("ws", ChatConsumer.as_asgi())])})
