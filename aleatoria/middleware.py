"""The HTTP middleware besides Django's own."""

from collections.abc import Awaitable, Callable

from asgiref.sync import iscoroutinefunction
from django.http import HttpRequest, HttpResponse
from django.utils.decorators import sync_and_async_middleware

from aleatoria.telemetry import trace

HEADER = "X-Request-ID"
Answer = Callable[[HttpRequest], HttpResponse | Awaitable[HttpResponse]]


@sync_and_async_middleware
def trace_requests(answer: Answer) -> Answer:
    """Give each request an id, which its log lines and its response carry, so that an error report can name it."""

    def begin() -> str:
        mark = trace.HttpTrace()
        trace.current.set(mark)
        return mark.connection

    if iscoroutinefunction(answer):

        async def traced(request: HttpRequest) -> HttpResponse:
            name = begin()
            response: HttpResponse = await answer(request)
            response[HEADER] = name
            return response

        return traced

    def traced_in_thread(request: HttpRequest) -> HttpResponse:
        name = begin()
        response: HttpResponse = answer(request)  # type: ignore[assignment] # it is not a coroutine function
        response[HEADER] = name
        return response

    return traced_in_thread
