"""Refanging: every style seen in published files is undone, whatever the address; plain text stays as it is."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from exchange.model.identifiers.kinds import KINDS
from exchange.model.identifiers.refang import defang, is_defanged, refang

Style = Callable[[str], str]


def on_host(dots: Style, scheme: Style = str) -> Style:
    """A style that changes the host's dots and what stands before the host."""

    def style(address: str) -> str:
        before, mark, rest = address.partition("://") if "://" in address else ("", "", address)
        host, slash, path = rest.partition("/")
        return scheme(before + mark) + dots(host) + slash + path

    return style


def last_dot(host: str) -> str:
    return "[.]".join(host.rsplit(".", 1))


STYLES: dict[str, Style] = {
    "every dot": on_host(lambda host: host.replace(".", "[.]")),
    "first dot": on_host(lambda host: host.replace(".", "[.]", 1)),
    "last dot": on_host(last_dot),
    "scheme alone": on_host(str, lambda scheme: scheme.replace("tt", "xx")),
    "hxxp and dots": on_host(lambda host: host.replace(".", "[.]"), lambda scheme: scheme.replace("tt", "xx")),
    "capitals": on_host(lambda host: host.replace(".", "[.]"), lambda scheme: scheme.replace("tt", "XX")),
    "bracketed colon": on_host(str, lambda scheme: scheme.replace(":", "[:]")),
    "braces": on_host(lambda host: host.replace(".", "{.}"), lambda scheme: scheme.replace(":", "{:}")),
    "bracketed slashes": on_host(last_dot, lambda scheme: scheme.replace("://", "[://]")),
    "first letter": on_host(str, lambda scheme: scheme.replace("h", "[h]", 1)),
    "stars": on_host(str, lambda scheme: scheme.replace("tt", "**")),
    "round brackets": on_host(lambda host: host.replace(".", "(.)")),
    "spelled out": on_host(lambda host: host.replace(".", "[dot]")),
    "spelled out, apart": on_host(lambda host: host.replace(".", " (dot) ")),
    "backslash": on_host(lambda host: host.replace(".", "\\.")),
    "half a bracket": on_host(lambda host: host.replace(".", "[.", 1)),
    "our own": defang,
}
LABEL = st.from_regex(r"[a-z0-9](?:[a-z0-9-]{0,8}[a-z0-9])?", fullmatch=True)
HOST = st.builds(lambda labels, suffix: ".".join([*labels, suffix]), st.lists(LABEL, min_size=1, max_size=3),
                 st.sampled_from(["org", "com", "co.uk", "eu.com", "xn--p1ai"]))  # fmt: skip
PATH = st.from_regex(r"(?:/[a-z0-9_.~-]{1,8}){0,3}/?(?:\?[a-z]{1,4}=[a-z0-9]{1,6})?", fullmatch=True)


@pytest.mark.parametrize("style", STYLES.values(), ids=STYLES)
@settings(max_examples=30)
@given(scheme=st.sampled_from(["http", "https"]), host=HOST, path=PATH)
def test_an_address_comes_back_from_every_style(style: Style, scheme: str, host: str, path: str) -> None:
    for address in (f"{scheme}://{host}{path}", host):
        assert refang(style(address)) == refang(address) == address


@given(local=st.from_regex(r"[a-z0-9_+-]{1,10}(?:\.[a-z0-9]{1,5})?", fullmatch=True), host=HOST,
       sign=st.sampled_from(["[at]", "[@]", " [at] ", "(at)", "{@}"]))  # fmt: skip
def test_a_mail_address_comes_back(local: str, host: str, sign: str) -> None:
    assert refang(f"{local}{sign}{host.replace('.', '[.]')}") == f"{local}@{host}"
    assert refang(defang(f"{local}@{host}")) == f"{local}@{host}"


@given(st.text(alphabet="htxp[](){}.:/\\@* adot_", max_size=40))
def test_refanging_what_was_refanged_changes_nothing(text: str) -> None:
    assert refang(refang(text)) == refang(text)


@pytest.mark.parametrize(
    ("seen", "plain"),
    [
        ("t[.]/RGUD_bot", "t.me/RGUD_bot"),
        ("https://t[.]/lorem_ipsum", "https://t.me/lorem_ipsum"),
        ("at[.]/lorem", "at./lorem"),
        ("hxxps[:]//lorem[.]org", "https://lorem.org"),
        ("\ufefflorem\u200b[.]org\u00a0", "lorem.org"),
        ("They met (at noon) and left.", "They met (at noon) and left."),
        ("A list [of things] (dotted)", "A list [of things] (dotted)"),
        ("https://lorem.org/a_(b)/[c]", "https://lorem.org/a_(b)/[c]"),
    ],
)
def test_broken_styles_are_mended_and_prose_stays(seen: str, plain: str) -> None:
    assert refang(seen) == plain


def test_what_was_meant_not_to_be_clicked_is_told() -> None:
    assert is_defanged("lorem[.]org")
    assert not is_defanged("lorem.org")


@pytest.mark.parametrize(("name", "value"), [(name, value) for name in ("domain", "url", "email", "ipv4", "ipv6")
                                             for value in KINDS[name].examples.values()])  # fmt: skip
def test_no_program_makes_a_link_of_what_was_defanged(name: str, value: str) -> None:
    shown = defang(value)
    assert not shown.startswith("http")
    assert "." not in shown.partition("/")[0].replace("[.]", "") or name == "email"
