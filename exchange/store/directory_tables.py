"""How members, groups, agreements, credentials, communities and collections lie in the database.

Declared with SQLModel and used through Core. Lists and tables are canonical JSON text, times RFC 3339
UTC text.
"""

from __future__ import annotations

from sqlalchemy import Column, ForeignKey, Table, Text, UniqueConstraint
from sqlmodel import Field, SQLModel


class MetaRow(SQLModel, table=True):
    """A fact about the database itself: the directory's version, the secret that signs cursors."""

    __tablename__ = "meta"
    key: str = Field(sa_column=Column(Text, primary_key=True))
    value: str = Field(sa_column=Column(Text, nullable=False))


class OrganisationRow(SQLModel, table=True):
    """A member (``exchange.model.party.Organisation``)."""

    __tablename__ = "organisation"
    id: str = Field(sa_column=Column(Text, primary_key=True))
    name: str = Field(sa_column=Column(Text, nullable=False))
    kind: str = Field(sa_column=Column(Text, nullable=False))
    jurisdiction: str = Field(sa_column=Column(Text, nullable=False))
    jurisdiction_class: str = Field(sa_column=Column(Text, nullable=False))
    clearance: str = Field(sa_column=Column(Text, nullable=False))
    identity: str | None = Field(sa_column=Column(Text))
    regime: str | None = Field(sa_column=Column(Text))
    active: bool = Field(nullable=False)
    controller_arrangement: str | None = Field(sa_column=Column(Text))
    client_of: str = Field(sa_column=Column(Text, nullable=False))
    facts: str = Field(sa_column=Column(Text, nullable=False))


class GroupRow(SQLModel, table=True):
    """A sharing group; ``group`` itself is a word of SQL."""

    __tablename__ = "grp"
    id: str = Field(sa_column=Column(Text, primary_key=True))
    title: str = Field(sa_column=Column(Text, nullable=False))


class MembershipRow(SQLModel, table=True):
    """A dated membership; one for each organisation and group."""

    __tablename__ = "membership"
    org: str = Field(sa_column=Column(Text, ForeignKey("organisation.id"), primary_key=True))
    grp: str = Field(sa_column=Column(Text, ForeignKey("grp.id"), primary_key=True))
    since: str | None = Field(sa_column=Column(Text))
    until: str | None = Field(sa_column=Column(Text))
    status: str = Field(sa_column=Column(Text, nullable=False))


class AgreementRow(SQLModel, table=True):
    """What an organisation signed, in its present version."""

    __tablename__ = "agreement"
    org: str = Field(sa_column=Column(Text, ForeignKey("organisation.id"), primary_key=True))
    id: str = Field(sa_column=Column(Text, primary_key=True))
    version: int = Field(nullable=False)
    status: str = Field(sa_column=Column(Text, nullable=False))
    since: str | None = Field(sa_column=Column(Text))
    until: str | None = Field(sa_column=Column(Text))
    purposes: str = Field(sa_column=Column(Text, nullable=False))
    default_terms: str | None = Field(sa_column=Column(Text))


class CommunityRow(SQLModel, table=True):
    """A community: one TAXII API root."""

    __tablename__ = "community"
    id: str = Field(sa_column=Column(Text, primary_key=True))
    title: str = Field(sa_column=Column(Text, nullable=False))
    grp: str = Field(sa_column=Column(Text, ForeignKey("grp.id"), nullable=False))
    description: str | None = Field(sa_column=Column(Text))


class CollectionRow(SQLModel, table=True):
    """A TAXII collection."""

    __tablename__ = "collection"
    __table_args__ = (UniqueConstraint("community", "alias", name="collection_alias"),)
    id: str = Field(sa_column=Column(Text, primary_key=True))
    community: str = Field(sa_column=Column(Text, ForeignKey("community.id"), nullable=False))
    alias: str | None = Field(sa_column=Column(Text))
    title: str = Field(sa_column=Column(Text, nullable=False))
    description: str | None = Field(sa_column=Column(Text))
    readers: str = Field(sa_column=Column(Text, nullable=False))
    writers: str = Field(sa_column=Column(Text, nullable=False))
    default_terms: str | None = Field(sa_column=Column(Text))
    strictness: str = Field(sa_column=Column(Text, nullable=False))


class CredentialRow(SQLModel, table=True):
    """A key; of a secret only the digest is here."""

    __tablename__ = "credential"
    id: str = Field(sa_column=Column(Text, primary_key=True))
    org: str = Field(sa_column=Column(Text, ForeignKey("organisation.id"), nullable=False))
    digest: str = Field(sa_column=Column(Text, nullable=False))
    purpose: str | None = Field(sa_column=Column(Text))
    person: str | None = Field(sa_column=Column(Text))
    scopes: str = Field(sa_column=Column(Text, nullable=False))
    since: str | None = Field(sa_column=Column(Text))
    until: str | None = Field(sa_column=Column(Text))
    revoked: bool = Field(nullable=False)
    oidc: str | None = Field(sa_column=Column(Text))
    certificates: str = Field(sa_column=Column(Text, nullable=False, server_default="[]"))


def table(name: str) -> Table:
    """The Core table of that name."""
    return SQLModel.metadata.tables[name]


DIRECTORY_TABLES = ("grp", "organisation", "membership", "agreement", "community", "collection", "credential")
"""In the order in which rows may be inserted; removal goes the other way."""
KEYS = {
    name: tuple(column.name for column in table(name).primary_key.columns) for name in DIRECTORY_TABLES
}
"""The primary key's columns of each table."""
JSON_COLUMNS = frozenset({
    "client_of", "facts", "purposes", "default_terms", "readers", "writers", "scopes", "oidc", "certificates",
})
"""Columns whose text is JSON."""
