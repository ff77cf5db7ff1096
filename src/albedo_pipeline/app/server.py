"""Serving the app: on which address, and to whom."""

import hmac
import logging
import secrets
import signal
import socket
from collections.abc import Awaitable, Callable
from http.cookies import SimpleCookie
from typing import Any
from urllib.parse import parse_qsl, quote, unquote, urlencode, urlsplit

import uvicorn
from fastapi import FastAPI
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import HTTPConnection
from starlette.responses import PlainTextResponse, RedirectResponse, Response

from albedo_pipeline.errors import ProjectError
from albedo_pipeline.params import AppParams

logger = logging.getLogger(__name__)
Scope = dict[str, Any]
ASGI = Callable[[Scope, Any, Any], Awaitable[None]]
_LOOPBACK = ("127.0.0.1", "localhost", "::1")
_COOKIE = "albedo_token"
_SECONDS_TO_END = 2
"""How long open connections may last when the app is stopped."""


def token_of(params: AppParams) -> str | None:
    """The token that browsers must give; None if they need none."""
    if params.public:
        return None
    if params.token or params.host in _LOOPBACK:
        return params.token
    return secrets.token_urlsafe(24)


def protected(app: FastAPI, params: AppParams, token: str | None) -> ASGI:
    """The app behind its token; on this machine alone, only for pages that it served itself.

    Otherwise a page of the web, open in a browser on this machine, could use it too: by a request,
    or by a name of its own that leads to this machine.
    """
    served: ASGI = TokenGate(app, token) if token else app
    if params.host in _LOOPBACK:
        names = ["127.0.0.1", "localhost", "[::1]"]
        return TrustedHostMiddleware(SameOrigin(served), names)  # type: ignore[arg-type]
    return served


class SameOrigin:
    """Refuses requests that a page of another address makes."""

    def __init__(self, app: ASGI) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Any, send: Any) -> None:
        """Answer a request, or hand it on."""
        headers = {} if scope["type"] == "lifespan" else HTTPConnection(scope).headers
        origin = headers.get("origin")
        if origin is None or urlsplit(origin).netloc == headers.get("host"):
            await self._app(scope, receive, send)
        else:
            await PlainTextResponse("Another page may not use this app.", 403)(scope, receive, send)


class TokenGate:
    """Lets only browsers in that gave the token; a cookie keeps it from then on."""

    def __init__(self, app: ASGI, token: str) -> None:
        self._app, self._token = app, token

    async def __call__(self, scope: Scope, receive: Any, send: Any) -> None:
        """Answer a request, or hand it on."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        request = HTTPConnection(scope)
        given = request.query_params.get("token")
        if given is not None and self._is_right(given):
            await self._remember(scope)(scope, receive, send)
        elif self._is_right(_cookie(request.headers.get("cookie", ""))):
            await self._app(scope, receive, send)
        else:
            text = "Open the address with the ?token=… that the log of the app shows."
            await PlainTextResponse(text, 403)(scope, receive, send)

    def _is_right(self, given: str) -> bool:
        return hmac.compare_digest(given.encode(), self._token.encode())

    def _remember(self, scope: Scope) -> Response:
        """Keep the token in a cookie, and take it out of the address."""
        others = [
            (name, value)
            for name, value in parse_qsl(scope["query_string"].decode("latin-1"))
            if name != "token"
        ]
        address = "/" + scope["path"].lstrip("/")  # two slashes would name another host
        response = RedirectResponse(address + (f"?{urlencode(others)}" if others else ""), 303)
        response.set_cookie(_COOKIE, quote(self._token), httponly=True, samesite="lax")
        return response


def _cookie(header: str) -> str:
    cookie = SimpleCookie(header).get(_COOKIE)
    return unquote(cookie.value) if cookie else ""


def listening(params: AppParams) -> socket.socket:
    """A socket at the address.

    Raises:
        ProjectError: if the address cannot be used.
    """
    family = socket.AF_INET6 if ":" in params.host else socket.AF_INET
    try:
        return socket.create_server((params.host, params.port), family=family)
    except OSError as error:
        raise ProjectError(
            f"app.host and app.port: {params.host}:{params.port} cannot be used "
            f"({error.strerror}); set another port"
        ) from error


def address_of(params: AppParams, port: int, token: str | None) -> str:
    """The address to open, with the token in it."""
    everywhere = params.host in ("0.0.0.0", "::")
    host = socket.gethostname() if everywhere else params.host
    name = f"[{host}]" if ":" in host else host
    return f"http://{name}:{port}/" + (f"?{urlencode({'token': token})}" if token else "")


def new_server(app: ASGI) -> uvicorn.Server:
    """A server that only logs what goes wrong."""
    config = uvicorn.Config(
        app,
        log_level="warning",
        timeout_graceful_shutdown=_SECONDS_TO_END,
        server_header=False,
    )
    return uvicorn.Server(config)


def serve(app: FastAPI, params: AppParams) -> None:
    """Serve the app until Ctrl-C or SIGTERM.

    Raises:
        ProjectError: if the address cannot be used.
    """
    token = token_of(params)
    with listening(params) as place:
        address = address_of(params, place.getsockname()[1], token)
        logger.info("The app is ready: %s (stop it with Ctrl-C)", address)
        # uvicorn raises a signal again when all connections have ended.
        signal.signal(signal.SIGTERM, signal.default_int_handler)
        try:
            new_server(protected(app, params, token)).run(sockets=[place])
        except KeyboardInterrupt:
            logger.info("app: stopped")
