"""The one tree of errors: a code, an HTTP status, and what / why / how to mend it in words.

Every room raises these; the web room turns them into TAXII error resources, the command line into one
sentence and an exit code.
"""

from __future__ import annotations


class ExchangeError(Exception):
    """Anything this system refuses, in words a person can act on.

    ``what`` says what was refused and where, ``why`` the cause, ``fix`` the remedy.
    """

    status = 500
    code = "internal"
    exit_code = 1

    def __init__(self, what: str, *, why: str = "", fix: str = "", code: str | None = None) -> None:
        super().__init__(what)
        self.what = what
        self.why = why
        self.fix = fix
        if code is not None:
            self.code = code

    def __str__(self) -> str:
        """One paragraph: what, why, how to mend it."""
        return " ".join(part for part in (self.what, self.why, self.fix) if part)


class InputError(ExchangeError):
    """A file, argument or setting given by a person is wrong (exit code 2 on the command line)."""

    status = 400
    code = "input"
    exit_code = 2


class SettingError(InputError):
    """A setting, a policy pack or the store's file is wrong; the program doesn't start. No fault of a client."""

    status = 500
    code = "setting"


class BadRequestError(ExchangeError):
    """A request can't be understood."""

    status = 400
    code = "bad-request"


class UnauthorizedError(ExchangeError):
    """No valid credential came with the request."""

    status = 401
    code = "unauthorized"


class ForbiddenError(ExchangeError):
    """The caller may know of the resource but may not do this to it."""

    status = 403
    code = "forbidden"


class NotFoundError(ExchangeError):
    """The resource doesn't exist, or the caller may not know that it does (P16)."""

    status = 404
    code = "not-found"
    exit_code = 2  # what was named is wrong: trying again won't help


class NotAcceptableError(ExchangeError):
    """Nothing the client accepts can be produced."""

    status = 406
    code = "not-acceptable"


class RequestTimeoutError(ExchangeError):
    """The request's body didn't arrive in time."""

    status = 408
    code = "request-timeout"


class TooLargeError(ExchangeError):
    """The request's body is larger than the limit."""

    status = 413
    code = "too-large"


class UnsupportedMediaError(ExchangeError):
    """The request's body is of a type that isn't taken here."""

    status = 415
    code = "unsupported-media-type"


class UnprocessableError(ExchangeError):
    """The body is well formed but is not what the endpoint takes."""

    status = 422
    code = "unprocessable"


class TooManyRequestsError(ExchangeError):
    """A rate limit was reached; ``retry_after`` is in seconds."""

    status = 429
    code = "too-many-requests"

    def __init__(self, what: str, *, retry_after: int, why: str = "", fix: str = "") -> None:
        super().__init__(what, why=why, fix=fix)
        self.retry_after = retry_after


class UnavailableError(ExchangeError):
    """The store can't answer now; the client may try again."""

    status = 503
    code = "unavailable"


class StorageFullError(ExchangeError):
    """The disk is full: nothing was acknowledged, reads go on."""

    status = 507
    code = "storage-full"
