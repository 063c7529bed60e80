"""TLS that ``cibx serve`` ends itself, without a proxy: TLS 1.2 and later, client certificates where they are offered.

A certificate is asked for and not demanded: members with tokens come without one. One that is offered and can't be
verified ends the connection.
"""

from __future__ import annotations

import ssl
from pathlib import Path

from exchange.errors import SettingError
from exchange.secret_files import too_open
from exchange.settings import Settings


def server_context(settings: Settings) -> ssl.SSLContext | None:
    """The context of CIBX_TLS_CERTIFICATE, _KEY and _CLIENT_CA; None where the first isn't set.

    Raises SettingError for files that can't be read, don't belong together, or let others at the key.
    """
    if not settings.tls_certificate:
        return None
    _check_key_file(settings.tls_key)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.options |= ssl.OP_NO_COMPRESSION | ssl.OP_NO_RENEGOTIATION
    context.set_alpn_protocols(["http/1.1"])
    try:
        context.load_cert_chain(settings.tls_certificate, settings.tls_key)
    except (ssl.SSLError, OSError) as error:
        raise SettingError(f"CIBX_TLS_CERTIFICATE and CIBX_TLS_KEY can't be used: {_why(error)}.",
                           fix="Name a PEM file with the chain, the server's certificate first, and one with its key."
                           ) from None
    if settings.tls_client_ca:
        try:
            context.load_verify_locations(settings.tls_client_ca)
        except (ssl.SSLError, OSError) as error:
            raise SettingError(f"CIBX_TLS_CLIENT_CA can't be used: {_why(error)}.",
                               fix="Name a PEM file with the authorities' certificates.") from None
        context.verify_mode = ssl.CERT_OPTIONAL
    return context


def _check_key_file(file: str) -> None:
    try:
        mode = Path(file).stat().st_mode
    except OSError as error:
        raise SettingError(f"CIBX_TLS_KEY names {file}, which can't be read: {error.strerror}.") from None
    if too_open(mode, file):
        raise SettingError(f"The key file {file} may be read or changed by others.", fix=f"Run chmod 600 {file}.")


def _why(error: OSError) -> str:
    return str(getattr(error, "reason", None) or error.strerror or "it is no such file")
