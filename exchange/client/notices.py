"""A member's notices: what it owes for what it received, and its answers."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote, urljoin, urlsplit, urlunsplit

import requests

from exchange.errors import ExchangeError, ForbiddenError, NotFoundError, UnauthorizedError, UnavailableError

_SECONDS = (10, 60)
"""To connect, and to wait for an answer."""
_KNOWN: dict[int, type[ExchangeError]] = {401: UnauthorizedError, 403: ForbiddenError, 404: NotFoundError}


class Notices:
    """One member's notices at the exchange of ``url`` (any URL of it)."""

    def __init__(self, url: str, session: requests.Session) -> None:
        """``session`` carries the credential (``Client.session``, or one with ``auth`` set)."""
        parts = urlsplit(url)
        self._base = urlunsplit((parts.scheme, parts.netloc, "/api/v1/notices", "", ""))
        self._session = session

    def awaited(self) -> list[dict[str, Any]]:
        """Notices to which an answer is awaited, the newest first."""
        found: list[dict[str, Any]] = self._ask("GET", self._base)["notices"]
        return found

    def erased(self) -> list[str]:
        """Ids of the objects that notices call erased, whoever shared them."""
        told: list[dict[str, Any]] = self._ask("GET", f"{self._base}?show=all")["notices"]
        return [one["id"] for notice in told if notice["kind"] == "erasure" for one in notice["objects"]]

    def is_erased(self, stix_id: str) -> bool:
        """Whether an object that the member shared was erased; NotFoundError for what it never shared."""
        place = urljoin(self._base, f"objects/{quote(stix_id, safe='')}/state")
        return any(one["state"] == "erased" for one in self._ask("GET", place)["objects"])

    def acknowledge(self, notice: str, *, done: bool, statement: str = "") -> dict[str, Any]:
        """Say what was done; gives the notice as it is then. Raises NotFoundError for one that isn't one's own."""
        return self._ask("POST", f"{self._base}/{quote(notice, safe='')}/acknowledgement",
                         {"done": done, "statement": statement})

    def _ask(self, method: str, url: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        try:
            response = self._session.request(method, url, json=body, timeout=_SECONDS, allow_redirects=False,
                                             headers={"Accept": "application/json"})
            answer: Any = response.json()
        except requests.JSONDecodeError as error:
            kind = _KNOWN.get(response.status_code, UnavailableError)
            raise kind(f"{url} doesn't answer with JSON.", fix="Check the URL of the exchange.") from error
        except requests.RequestException as error:
            raise UnavailableError(f"{url} doesn't answer: {type(error).__name__}.",
                                   fix="Check the URL, and that the server runs.") from error
        if response.status_code != 200 or not isinstance(answer, dict):
            kind = _KNOWN.get(response.status_code, UnavailableError)
            said = answer.get("description") or answer.get("title") if isinstance(answer, dict) else ""
            raise kind(f"{url} answered {response.status_code}: {said or 'no reason given'}")
        return answer
