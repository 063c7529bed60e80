"""Objects of a collection: pages, one object, versions, manifest, push, delete (TAXII 2.1, 5.3 to 5.8)."""

from __future__ import annotations

from flask import Blueprint, Response, request

from exchange.errors import BadRequestError, NotFoundError
from exchange.feed.page import PageMaker, manifest_page, objects_page, versions_page
from exchange.feed.query import Asked, read_query
from exchange.model import mailbox
from exchange.store.objects import Versions
from exchange.web.again import may_be_offered, offer_again
from exchange.web.body import read_body
from exchange.web.caller import current_caller, current_exchange, current_request
from exchange.web.negotiation import check_accept, check_content_type
from exchange.web.respond import answer
from exchange.web.taxii.by_id import offer_by_id
from exchange.web.taxii.page_answer import context_of, headers_of

routes = Blueprint("objects", __name__)
_PAGING = frozenset({"added_after", "limit", "next"})
_LISTED = _PAGING | {"match[id]", "match[type]", "match[version]", "match[spec_version]"}
_ONE = _PAGING | {"match[version]", "match[spec_version]"}
_VERSIONS = _PAGING | {"match[spec_version]"}
_DELETED = frozenset({"match[version]", "match[spec_version]"})
_ALL = Versions(keywords=frozenset({"all"}))
_PATH = "/<community>/collections/<collection>"


@routes.before_request
def _negotiate() -> None:
    check_accept(request.headers.get("Accept"))


@routes.get(f"{_PATH}/objects/")
def list_objects(community: str, collection: str) -> Response:
    """Objects in the order of adding (5.4)."""
    asked = _asked(_LISTED)
    return _page(community, collection, "objects", asked, objects_page)


@routes.get(f"{_PATH}/manifest/")
def manifest(community: str, collection: str) -> Response:
    """What there is, without the objects (5.3)."""
    asked = _asked(_LISTED)
    return _page(community, collection, "manifest", asked, manifest_page)


@routes.get(f"{_PATH}/objects/<object_id>/")
def one_object(community: str, collection: str, object_id: str) -> Response:
    """The versions of one object that are asked for, the newest by default (5.6)."""
    asked = _asked(_ONE, object_id)
    return _page(community, collection, "object", asked, objects_page)


@routes.get(f"{_PATH}/objects/<object_id>/versions/")
def versions(community: str, collection: str, object_id: str) -> Response:
    """The versions of one object (5.8)."""
    asked = _asked(_VERSIONS, object_id, _ALL)
    return _page(community, collection, "versions", asked, versions_page)


@routes.post(f"{_PATH}/objects/")
def push(community: str, collection: str) -> Response:
    """Take an envelope; the answer is its status resource (5.5)."""
    caller, exchange = current_caller(), current_exchange()
    caller.writable(community, collection)
    check_content_type(request.headers.get("Content-Type"))
    body = read_body(request, exchange.settings.max_content_length)
    caller = caller.renewed(exchange)  # a body may take two minutes to come: what ended meanwhile has ended
    target = caller.writable(community, collection)
    receipt, status = exchange.push(caller.organisation, caller.credential, target, body, caller.now,
                                    directory=caller.directory)
    return answer(status, 202, {"CIBX-Receipt": receipt})


@routes.delete(f"{_PATH}/objects/<object_id>/")
def delete(community: str, collection: str, object_id: str) -> Response:
    """Withdraw the caller's own versions of an object: all, or those that the filters name (5.7)."""
    caller, exchange = current_caller(), current_exchange()
    target = caller.writable(community, collection)
    unknown = [n for n in request.args if n not in _DELETED]
    if unknown:
        raise BadRequestError(f"DELETE has no parameter {unknown[0][:60]!r}.",
                              fix="Its filters are match[version] and match[spec_version].")
    asked = _asked(_DELETED, object_id, _ALL)
    exchange.withdraw(caller.organisation, caller.credential, target, object_id, asked.filter, caller.now)
    return answer(b"{}")


def _asked(allowed: frozenset[str], object_id: str | None = None, versions: Versions | None = None) -> Asked:
    if object_id is not None and (len(object_id) > 512 or not object_id.isprintable()):
        raise NotFoundError("There is no such object.")
    sent = current_request()
    given = list(sent.args.items(multi=True)) if sent.query_string else ()
    return read_query(given, allowed=allowed, fixed_id=object_id,
                      page_size=current_exchange().settings.page_size,
                      default_versions=versions or Versions())


def _page(community: str, name: str, endpoint: str, asked: Asked, make: PageMaker) -> Response:
    sent, caller, exchange = current_request(), current_caller(), current_exchange()
    collection = caller.readable(community, name)
    if collection.community == mailbox.COMMUNITY:
        reader = exchange.mailbox_reader(caller.directory, caller.organisation, caller.credential, caller.now)
    else:
        reader = exchange.reader(caller.directory, caller.organisation, caller.credential,
                                 caller.narrower_purpose, caller.now, encrypted=sent.is_secure)
    ids = ",".join(asked.filter.ids or ()) if endpoint in {"object", "versions"} else ""
    context = context_of(endpoint, collection, caller.organisation, ids)
    page = exchange.page(make, collection, reader, context, asked, leaves=sent.method != "HEAD", seen=caller.seen)
    if not page.found and endpoint in {"object", "versions"} and not exchange.exists(collection, reader, ids):
        raise NotFoundError("There is no such object.")
    if not page.found and may_be_offered():
        offer_again(caller, *exchange.empty_until(collection, reader, asked))
    if page.found and endpoint == "object" and not sent.query_string and collection.community != mailbox.COMMUNITY:
        offer_by_id(caller, collection, reader, asked, ids)
    return answer(page.body, 200, headers_of(page))
