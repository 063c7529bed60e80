"""The production server: gunicorn with gevent workers; each worker makes its own exchange after the fork."""

from __future__ import annotations

import logging
import os
import shutil
import ssl
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

from gunicorn.app.base import BaseApplication
from gunicorn.arbiter import Arbiter

from exchange.errors import SettingError
from exchange.settings import Settings
from exchange.web.logs import log_settings
from exchange.web.tls import server_context

_LOG = logging.getLogger("exchange.web")
_COUNTED = "PROMETHEUS_MULTIPROC_DIR"
"""Where prometheus_client lets workers count; it reads this when a worker imports it."""


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
            "bind": [self._bind, *filter(None, [self._settings.metrics])], "child_exit": _forget_worker,
            "workers": self._workers, "worker_class": "exchange.web.worker.TaxiiWorker",
            "worker_connections": 5_000, "backlog": 4_096, "timeout": 120, "graceful_timeout": 30,
            "keepalive": 65, "limit_request_line": 8_190, "limit_request_fields": 60,
            "limit_request_field_size": 8_190, "control_socket_disable": True, "proc_name": "cibx",
            "loglevel": "warning", "logconfig_dict": log_settings(self._settings.logs),
            # How the client came is read by the application, from as many proxies as CIBX_PROXIES says.
            "forwarded_allow_ips": "",
        }.items():
            self.cfg.set(name, value)

    def run(self) -> None:
        """Serve until the process is told to stop; workers count for /metrics in files of a folder of this run."""
        if not self._settings.metrics:
            _Master(self).run()
            return
        folder, master = mkdtemp(prefix="cibx-metrics-"), os.getpid()
        os.environ[_COUNTED] = folder
        try:
            _Master(self).run()
        finally:
            if os.getpid() == master:  # a worker's end comes by here too
                shutil.rmtree(folder, ignore_errors=True)

    @property
    def metrics_port(self) -> int | None:
        """The port of CIBX_METRICS."""
        return int(self._settings.metrics.rpartition(":")[2]) if self._settings.metrics else None

    def tls(self) -> ssl.SSLContext | None:
        """What TLS needs where it ends here; a new worker (SIGHUP) reads the files anew. Raises SettingError."""
        return server_context(self._settings)

    def load(self) -> Any:
        """The WSGI application, made in the worker."""
        import gevent  # noqa: PLC0415

        from exchange.web import shadow  # noqa: PLC0415
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
        gevent.spawn(shadow.follow, exchange, self._settings, gevent.sleep)
        deliveries = Deliveries(Dispatcher(exchange, lambda: way_out(self._settings)))
        gevent.spawn(deliveries.follow)
        app = create_app(exchange)
        if self._settings.traces:
            from exchange.web.traces import provider_of, register  # noqa: PLC0415 - an extra

            register(app, exchange, provider_of(self._settings))
        app.extensions["ends"] = (deliveries.stop,)
        return app


class _Master(Arbiter):  # type: ignore[misc]
    """gunicorn's master process."""

    def handle_hup(self) -> None:
        """Put new workers in the place of the old ones, unless they couldn't serve: then the old ones go on."""
        try:
            self.app.tls()
        except SettingError as error:
            _LOG.error("SIGHUP changes nothing: %s", error)
            return
        super().handle_hup()


def _forget_worker(_server: object, worker: Any) -> None:
    """A worker that ended has nothing open any more; what it counted stays."""
    folder = os.environ.get(_COUNTED)
    for gauge in Path(folder).glob(f"gauge_live*_{worker.pid}.db") if folder else ():
        gauge.unlink(missing_ok=True)
