"""The HTTP server that channels and pages are mounted on, with the operator's end points."""

from collections.abc import Awaitable, Callable, Iterable
from time import perf_counter

import structlog
from aiohttp import web

from frontdesk.core.channel import Transport
from frontdesk.core.errors import InvalidInput, Unavailable
from frontdesk.core.metrics import Metrics
from frontdesk.core.models import Models, ModelState
from frontdesk.core.store import Store

log = structlog.get_logger(__name__)

Next = Callable[[web.Request], Awaitable[web.StreamResponse]]
MAX_BODY = 1024 * 1024


@web.middleware
async def errors_as_json(request: web.Request, handler: Next) -> web.StreamResponse:
    """Our errors become their status; anything else becomes a 500 that tells the client nothing."""
    try:
        return await handler(request)
    except Unavailable as error:
        headers = {"Retry-After": f"{error.retry_after:.0f}"}
        return web.json_response({"error": "temporarily unavailable, please try again"}, status=503, headers=headers)
    except InvalidInput as error:
        return web.json_response({"error": str(error)}, status=error.status)
    except web.HTTPException:
        raise
    except Exception:
        log.exception(
            "a request failed", method=request.method, route=getattr(request.match_info.route.resource, "canonical", "")
        )
        return web.json_response({"error": "internal error"}, status=500)


class Operations:
    """`/healthz`: the process lives. `/readyz`: it can take messages. `/metrics`: Prometheus.

    A model that loads or has failed does not keep it from being ready, but is told of.
    """

    def __init__(self, store: Store, metrics: Metrics, ready: Callable[[], bool], models: Models) -> None:
        self._store = store
        self._metrics = metrics
        self._ready = ready
        self._models = models
        self._started = perf_counter()

    def mount(self, http: web.Application) -> None:
        http.router.add_get("/healthz", self._healthz)
        http.router.add_get("/readyz", self._readyz)
        http.router.add_get("/metrics", self._render)

    async def _healthz(self, _request: web.Request) -> web.Response:
        return web.json_response({"status": "ok", "uptime_s": round(perf_counter() - self._started, 1)})

    async def _readyz(self, _request: web.Request) -> web.Response:
        if not self._ready():
            return web.json_response({"status": "starting"}, status=503)
        health = await self._store.health()
        body = {
            "status": "ok" if health.ok else "unavailable",
            "inbox": health.inbox,
            "outbox": health.outbox,
            "dead": health.dead,
            "models": {model.name: _shown(model.state) for model in self._models},
        }
        return web.json_response(body, status=200 if health.ok else 503)

    async def _render(self, _request: web.Request) -> web.Response:
        ready = {model.name: model.state.status == "ready" for model in self._models}
        text = self._metrics.render(await self._store.health(), ready)
        return web.Response(body=text, headers={"Content-Type": "text/plain; version=0.0.4; charset=utf-8"})


def _shown(state: ModelState) -> dict[str, str | float]:
    """`progress` is between 0 and 1."""
    shown: dict[str, str | float] = {"status": state.status}
    if state.detail:
        shown["detail"] = state.detail
    if state.progress is not None:
        shown["progress"] = round(state.progress, 3)
    return shown


def application(operations: Operations, transports: Iterable[Transport]) -> web.Application:
    http = web.Application(middlewares=[errors_as_json], client_max_size=MAX_BODY)
    operations.mount(http)
    for transport in transports:
        transport.mount(http)
    return http
