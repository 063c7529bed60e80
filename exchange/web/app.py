"""The Flask application: authentication before everything, TAXII and health routes, errors as TAXII resources."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from importlib import import_module
from typing import Any

from flask import Flask, Request, Response, g, request
from flask.sessions import NullSession, SessionInterface
from werkzeug.exceptions import HTTPException
from werkzeug.middleware.proxy_fix import ProxyFix

from exchange.errors import ExchangeError
from exchange.intake.status import Told
from exchange.model import mailbox
from exchange.model.credential import RefusedError
from exchange.model.party import Organisation
from exchange.store.allowances import Allowances
from exchange.store.directory import meta_value
from exchange.store.engine import read
from exchange.web import api, health, schemas
from exchange.web.api import forms, log, openapi
from exchange.web.api.reads import note_reading
from exchange.web.auth.door import Door
from exchange.web.auth.limit import Keyed
from exchange.web.body import BYTES
from exchange.web.caller import Caller, current_request
from exchange.web.limits import COUNTED, Limits, own_limits
from exchange.web.request_id import own_id, request_id
from exchange.web.respond import Answer, error_response, http_error_response
from exchange.web.secure_headers import with_secure_headers
from exchange.web.taxii import collections, discovery, objects
from exchange.wiring import Exchange

_LOG = logging.getLogger("exchange.web")
_REQUESTS = logging.getLogger("exchange.web.requests")
_OPEN_PATHS = frozenset({"/healthz", "/readyz", openapi.PATH})
_FORMER_PATHS = ("/taxii2/", f"/taxii2/{mailbox.COMMUNITY}/", f"{api.PREFIX}/notices")
"""Where a suspended organisation is still let in: discovery, and what it owes for what it received."""


class _Application(Flask):
    """Flask without what this server never uses and each request would pay for."""

    def ensure_sync(self, func: Callable[..., Any]) -> Callable[..., Any]:
        """As it is: no function of this application is a coroutine."""
        return func


class _NoSessions(SessionInterface):
    """Who asks is shown by each request itself: nobody has a session."""

    _none = NullSession()

    def open_session(self, app: Flask, request: Request) -> NullSession:
        """The same for every request; it can't be written to."""
        return self._none


def create_app(exchange: Exchange) -> Flask:
    """The WSGI application of one exchange."""
    app = _Application("exchange.web", static_folder=None)
    app.session_interface = _NoSessions()
    app.config["PROVIDE_AUTOMATIC_OPTIONS"] = False
    app.config["MAX_FORM_MEMORY_SIZE"] = 0
    app.url_map.strict_slashes = False
    app.url_map.merge_slashes = False
    app.extensions["exchange"] = exchange
    if exchange.settings.metrics:
        from exchange.web.metrics import register  # noqa: PLC0415 - reads its environment when it is imported

        app.extensions["metrics"] = register(app, exchange)
    shared = Allowances(exchange.engine, exchange.clock)
    door = Door(exchange.settings, Keyed(shared, lambda: _key_of_guesses(exchange)))
    limits = app.extensions["limits"] = Limits(exchange.settings, shared)

    @app.before_request
    def authenticate() -> None:
        """Before everything else: who asks, and whether it asks too often. Raises ExchangeError (401, 429, 503)."""
        asked = current_request()
        path = asked.path
        if path in _OPEN_PATHS or path.startswith((schemas.PREFIX, forms.PATH)):
            return
        caller = g.caller = _caller(exchange, door, asked)
        if not asked.environ.get(COUNTED):
            _count(limits, caller, asked.method)

    @app.after_request
    def complete_headers(response: Response) -> Response:
        """Name the request, as its client named it, and add what every answer says."""
        if own := own_id():
            response.headers["X-Request-ID"] = own
        return with_secure_headers(response, complete=isinstance(response, Answer))

    @app.after_request
    def count_bytes(response: Response) -> Response:
        """Count what was read of the body against its sender's limit."""
        caller, sent = g.get("caller"), request.environ.get(BYTES, 0)
        if caller is not None and sent:
            limits.take("bytes", caller.organisation.id, sent, time.monotonic(), own_limits(caller.organisation))
        return response

    def count_objects(organisation: Organisation, told: Sequence[Told]) -> None:
        """Count pushed objects against their sender's limit."""
        limits.take("objects", organisation.id, len(told), time.monotonic(), own_limits(organisation))

    exchange.observers.append(count_objects)

    app.register_blueprint(health.routes)
    app.register_blueprint(schemas.routes)
    for routes in (discovery.routes, collections.routes, objects.routes):
        app.register_blueprint(routes, url_prefix="/taxii2")
    for noun in api.NOUNS:
        app.register_blueprint(import_module(f"exchange.web.api.{noun}").routes, url_prefix=api.PREFIX)
    app.after_request(note_reading)
    app.register_blueprint(log.tiles, url_prefix=log.TILES_PREFIX)
    _register_errors(app)
    hops = exchange.settings.proxies
    if hops:
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=hops, x_proto=hops, x_host=hops)  # type: ignore[method-assign]
    return app


def _key_of_guesses(exchange: Exchange) -> bytes:
    """A secret of the database that never changes. Raises UnavailableError."""
    with read(exchange.engine) as connection:
        return meta_value(connection, "redaction.secret").encode()


def _caller(exchange: Exchange, door: Door, asked: Request) -> Caller:
    """Who is asking; raises UnauthorizedError or TooManyRequestsError."""
    now, (directory, seen) = exchange.clock(), exchange.look()
    proven = door.let_in(asked, directory, exchange.moment(now), former=_open_to_former(asked.path))
    return Caller(directory, directory.organisations[proven.credential.org], proven.credential,
                  asked.headers.get("CIBX-Purpose"), now, proven.again, seen)


def _count(limits: Limits, caller: Caller, method: str) -> None:
    """Count a request against the caller's limits; keys that run the exchange have none.

    Raises TooManyRequestsError.
    """
    now = time.monotonic()
    limits.ask_for(caller.credential, caller.organisation, now)
    if method in {"POST", "PUT"} and "operate" not in caller.credential.scopes:
        limits.check_sender(caller.organisation.id, now, own_limits(caller.organisation))


def _open_to_former(path: str) -> bool:
    return path == _FORMER_PATHS[0] or path.startswith(_FORMER_PATHS[1:])


def _note_refused(status: int, code: str, error_id: str, reason: str = "") -> None:
    """A line by which the operator finds what a member asks about; neither its path nor its key stands in it."""
    _REQUESTS.info("request refused", extra={
        "error_id": error_id, "status": status, "code": code, "reason": reason, **_about()})


def _about() -> dict[str, str]:
    caller: Caller | None = g.get("caller")
    return {
        "method": request.method if request.url_rule is not None else "",
        "route": "" if request.url_rule is None else request.url_rule.rule,
        "org": "" if caller is None else caller.organisation.id,
    }


def _register_errors(app: Flask) -> None:
    @app.errorhandler(ExchangeError)
    def refused(error: ExchangeError) -> Response:
        """An error of ours as a TAXII error message, with its line in the log."""
        error_id = request_id()
        if error.status >= 500:
            _LOG.error("request failed: %s", error, extra={"error_id": error_id, "code": error.code, **_about()})
        else:
            _note_refused(error.status, error.code, error_id, error.reason if isinstance(error, RefusedError) else "")
        return error_response(error, error_id)

    @app.errorhandler(HTTPException)
    def framework(error: HTTPException) -> Response:
        """Flask's own errors as TAXII error messages too; a redirect is a 404."""
        if 300 <= (error.code or 500) < 400:
            return error_response(ExchangeError("Not found."), "")
        allowed = {k: v for k, v in error.get_headers() if k.lower() == "allow"}
        error_id = request_id()
        _note_refused(error.code or 500, f"http-{error.code}", error_id)
        return http_error_response(error.code or 500, error.description or "", error_id, allowed)

    @app.errorhandler(Exception)
    def broken(error: Exception) -> Response:
        """A fault of the program: 500, and its frames in the log."""
        error_id = request_id()
        _LOG.error("internal error", exc_info=error, extra={"error_id": error_id, **_about()})
        return http_error_response(500, "The server failed; its operator finds this error by its id.",
                                   error_id, {})
