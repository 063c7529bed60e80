"""The members of the exchange under test, as ``cibx apply`` reads them."""

from __future__ import annotations

from uuid import NAMESPACE_URL, uuid5

LANES = 160
"""Empty collections for tests to take one by one."""
KEYS = (
    "alpha",
    "alpha-two",
    "beta",
    "gamma",
    "delta",
    "outside",
    "reader",
    "writer",
    "expired",
    "revoked",
    "gamma-ana",
)
SECRETS = {key: f"made-up secret of {key} 0123456789" for key in KEYS}
"""Key id to secret; they go to ``cibx apply`` through the environment."""

_TERMS = """tlp = "TLP:GREEN"
regime = "EU-GDPR"
legal_basis = ["A6-1-f"]
special_basis = ["A9-2-e"]
refs = { lia = "LIA-2026-3", public_evidence = "https://evidence.example/1" }
purposes = ["cib-detection", "account-integrity"]
notice = "public-notice"
retention_days = 180
personal = "unknown"
requires_agreements = [{ id = "base", min_version = 1 }]
"""
_ORGANISATIONS = {
    # id: kind, country, groups, credentials (key, further lines)
    "org-alpha": ("platform", "IE", ("circle", "inner"), (("alpha", ""), ("alpha-two", ""))),
    "org-beta": ("ai-lab", "FR", ("circle", "inner"), (("beta", ""),)),
    "org-gamma": (
        "platform",
        "DE",
        ("circle",),
        (
            ("gamma", ""),
            ("gamma-ana", 'person = "ana@gamma.example"'),
            ("reader", 'scopes = ["read"]'),
            ("writer", 'scopes = ["write"]'),
            ("expired", "until = 2026-01-01"),
            ("revoked", "revoked = true"),
        ),
    ),
    "org-delta": ("researcher", "NL", ("circle",), (("delta", ""),)),
    "org-outside": ("platform", "SE", (), (("outside", ""),)),
}


def collection_id(alias: str) -> str:
    """The id that the description gives to the collection with this alias."""
    return str(uuid5(NAMESPACE_URL, f"collection under test {alias}"))


def lane(number: int) -> str:
    """Alias of an empty collection."""
    return f"lane-{number:03}"


def environment_name(key: str) -> str:
    """The environment variable that holds a key's secret."""
    return "CIBX_SECRET_OF_" + key.upper().replace("-", "_")


def description(lanes: int = LANES) -> str:
    """The TOML text: three communities, five organisations, the collections."""
    parts = [
        '[[group]]\nid = "circle"\ntitle = "Everybody here"',
        '[[group]]\nid = "inner"\ntitle = "Some of them"',
        _community("main", "circle"),
        _community("lanes", "circle"),
        _community("closed", "inner"),
    ]
    parts += [_organisation(name) for name in _ORGANISATIONS]
    everyone = '["circle"]'
    parts += [
        _collection("main", "indicators", everyone, everyone),
        _collection("main", "read-only", everyone, "[]"),
        _collection("main", "drop-box", '["org-alpha"]', everyone),
        _collection("main", "alpha-only", '["org-alpha"]', '["org-alpha"]'),
        _collection("main", "no-terms", everyone, everyone, terms=""),
        _collection("main", "strict", everyone, everyone, more='strictness = "strict"\n'),
        _collection("closed", "inner-only", '["inner"]', '["inner"]'),
    ]
    parts += [_collection("lanes", lane(n), everyone, everyone) for n in range(lanes)]
    return "\n\n".join(parts) + "\n"


def _community(name: str, group: str) -> str:
    return f'[[community]]\nid = "{name}"\ntitle = "Community {name}"\ngroup = "{group}"\ndescription = "For tests"'


def _organisation(name: str) -> str:
    kind, country, groups, credentials = _ORGANISATIONS[name]
    lines = [
        "[[organisation]]",
        f'id = "{name}"',
        f'name = "{name.title()}"',
        f'kind = "{kind}"',
        f'jurisdiction = "{country}"',
        'clearance = "TLP:RED"',
        f"groups = {list(groups)!r}",
        'regime = "EU-GDPR"',
        'controller_arrangement = "arrangement-1"',
        "",
        "[[organisation.agreement]]",
        'id = "base"',
        "version = 2",
        "since = 2026-01-01",
        'purposes = ["cib-detection", "account-integrity"]',
    ]
    for key, more in credentials:
        lines += [
            "",
            "[[organisation.credential]]",
            f'id = "{key}"',
            'purpose = "cib-detection"',
            f'secret_env = "{environment_name(key)}"',
            more,
        ]
    return "\n".join(lines)


def _collection(community: str, alias: str, readers: str, writers: str, *, terms: str = _TERMS, more: str = "") -> str:
    head = (
        f'[[collection]]\ncommunity = "{community}"\nalias = "{alias}"\nid = "{collection_id(alias)}"\n'
        f'title = "Collection {alias}"\nreaders = {readers}\nwriters = {writers}\n{more}'
    )
    return head + (f"[collection.default_terms]\n{terms}" if terms else "")
