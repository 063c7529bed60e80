"""The production server: gunicorn with gevent workers; each worker makes its own exchange after the fork."""

from __future__ import annotations

from typing import Any

from gunicorn.app.base import BaseApplication

from exchange.settings import Settings


class Server(BaseApplication):  # type: ignore[misc]
    """gunicorn set up for one exchange."""

    def __init__(self, settings: Settings, *, bind: str, workers: int) -> None:
        self._settings = settings
        self._bind = bind
        self._workers = workers
        super().__init__()

    def load_config(self) -> None:
        """gunicorn's settings; time limits in seconds."""
        for name, value in {
            "bind": self._bind, "workers": self._workers, "worker_class": "exchange.web.worker.TaxiiWorker",
            "worker_connections": 5_000, "backlog": 4_096, "timeout": 120, "graceful_timeout": 30,
            "keepalive": 65, "limit_request_line": 8_190, "limit_request_fields": 60,
            "limit_request_field_size": 8_190, "control_socket_disable": True, "proc_name": "cibx",
            "loglevel": "warning",
            # How the client came is read by the application, from as many proxies as CIBX_PROXIES says.
            "forwarded_allow_ips": "",
        }.items():
            self.cfg.set(name, value)

    def load(self) -> Any:
        """The WSGI application, made in the worker."""
        import gevent  # noqa: PLC0415

        from exchange.web.app import create_app  # noqa: PLC0415 - after the worker is set up for gevent
        from exchange.web.deliveries import Deliveries, way_out  # noqa: PLC0415
        from exchange.webhooks.dispatch import Dispatcher  # noqa: PLC0415
        from exchange.wiring import Exchange  # noqa: PLC0415

        exchange = Exchange(self._settings, pause=gevent.sleep)

        def keep_log(_ended: object = None) -> None:
            """Keep the log as long as the worker lives: of what ended it gevent tells, and it begins again."""
            gevent.spawn(exchange.notary.follow, gevent.sleep, lambda: True).link_exception(keep_log)

        keep_log()
        gevent.spawn(exchange.obligations.follow, gevent.sleep, exchange.clock)
        deliveries = Deliveries(Dispatcher(exchange, lambda: way_out(self._settings)))
        gevent.spawn(deliveries.follow)
        return create_app(exchange)
