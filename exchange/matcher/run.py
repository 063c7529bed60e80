"""A run of the matcher: feed and entity tables in, accounts, evidence and a report out. No network, no server."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import orjson

from exchange.errors import InputError
from exchange.matcher import circle, claims, company, fusion, objections
from exchange.matcher.action.pack import ActionPack, load_actions
from exchange.matcher.change.fingerprint import FeedPrint
from exchange.matcher.change.kept import FEATURES, keep_features, keep_run
from exchange.matcher.compare import account, host, ip_range, picture, text, token, url
from exchange.matcher.compare.compound import compare as decide
from exchange.matcher.compare.compound import part_numbers
from exchange.matcher.contributors import Contributors
from exchange.matcher.direct import weigh_hits
from exchange.matcher.engine import Engine, open_engine
from exchange.matcher.entities import Entities, read_entities
from exchange.matcher.features import read_features
from exchange.matcher.indicators import Indicator, Terms, collect, read_indicators
from exchange.matcher.keys import meet_hashes
from exchange.matcher.mapping import TableMapping
from exchange.matcher.meanwhile import meanwhile
from exchange.matcher.neighbours import thin_neighbours
from exchange.matcher.networks import find_networks, recommend_steps, write_networks
from exchange.matcher.platform.ground import lay
from exchange.matcher.platform.questions import (
    bring_accounts,
    bring_members,
    describe,
    leave_platform,
    open_accounts,
    prepare_questions,
)
from exchange.matcher.platform.steps import Steps
from exchange.matcher.removed import read_removed
from exchange.matcher.report import Report
from exchange.matcher.results.seeds import write_seeds
from exchange.matcher.spark.engine import on_spark
from exchange.matcher.values import quoted
from exchange.matcher.voices import hear_voices
from exchange.matcher.warninglists import read_warning_lists, suppress
from exchange.matcher.weighing import Weights, load_weights
from exchange.matcher.witness import WITNESSING, hear_sources
from exchange.model.identifiers.keyring import Ring
from exchange.words import counted, verb

ACCOUNTS, EVIDENCE, REPORT = "accounts.parquet", "evidence.parquet", "report.json"
GROUND = "ground.duckdb"
EVIDENCE_ORDER = """account_id, nats, raw, holders, first_seen, last_seen, step, kind, local_value, indicator_id,
    source, signal, note"""
"""Leaves no two rows of an account at one place: the same input twice gives the same file. Numbers come first, because
texts take long to sort."""
ACTIONS, TIMELINE = "actions.parquet", "timeline.parquet"
_FEW_WORDS = "DICTIONARY_SIZE_LIMIT 1000, WRITE_BLOOM_FILTER false"
"""How columns of evidence are written: as a dictionary only where it is short. To try it on figures and texts that
hardly repeat takes a third of the time of writing, and saves a tenth of the file."""
_SMALL = 2_000_000
"""Bytes of entity tables (and what lies beside them) up to which a run is small."""
_JUDGED_FROM = 2  # the round from which company was heard, so that the platform's own sight can bear sources out
_BITS = 62  # sources beyond this number share bits: two of them may then count as one, never one as two


@dataclass(frozen=True)
class Options:
    """How a run is done."""

    at: int
    """Unix seconds of the moment that the run speaks of."""
    purpose: str | None = None
    memory: str | None = None
    """Such as ``4GB``; beyond it the engine uses the disk."""
    threads: int | None = None
    weights: Weights | None = None
    actions: ActionPack | None = None
    """The policy that recommends; None: the one that is shipped."""
    mapping: Mapping[str, TableMapping] | None = None
    feed: str | None = None
    """Where the feed came from, for whoever replays the run."""
    allow_from: frozenset[str] = frozenset()
    """Ids of producers whose word that a value is benign takes it out of the search, whoever named it."""
    spark: str | None = None
    """Spark's master, such as ``local[*]`` or ``spark://HOST:7077``: what is as large as the platform is done there."""
    warning_lists: tuple[Path, ...] = ()
    """Files and folders of MISP's warning lists; what is on one is not looked for."""
    state: Path | None = None
    """Folder in which the normal form of the tables, answers and finished steps are kept for the next run."""
    keep_after: float = 5.0
    """Seconds of work after which a finished step is kept (with ``state``)."""
    contributors: Contributors | None = None
    """What is known of the feed's producers; None: nothing."""
    ring: Ring | None = None
    """Keys of the groups that this member is in: local values are compared with the feed's keyed hashes too."""


def match(objects: Iterable[Mapping[str, Any]], entities: Path, out: Path, options: Options,
          say: Callable[[str], None] = lambda step: None) -> Report:
    """Match a feed's objects against the tables of a folder and write the results into ``out``.

    ``say`` is told each step as it begins. Raises InputError when there is nothing to match with; everything
    smaller is in the report's ``problems``.
    """
    weights = options.weights or load_weights()
    if not weights.cards:
        raise InputError(f"The weights {weights.version} hold no scorecard.",
                         fix="Fit one (python -m exchange.matcher.learning.worlds), or use the shipped made-7.")
    report = Report(weights=weights.version, at=options.at, purpose=options.purpose)
    if options.state and options.spark:
        raise InputError("--state and --engine spark don't go together.",
                         fix="A state is kept by DuckDB; leave one out.")
    if options.ring and options.spark:
        raise InputError("--keys and --engine spark don't go together.",
                         fix="Hash the values of links beforehand (cibx identifier hash), or leave one out.")
    for folder in (out, *([options.state] if options.state else [])):
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise InputError(f"The folder {folder} can't be made.", why=f"{error.strerror}.") from error
    clock, feed = _Clock(report, say), FeedPrint()
    ground = options.state / GROUND if options.state else None
    small = _is_small(entities)
    with (open_engine(out, memory=options.memory, threads=options.threads, ground=ground, small=small) as local,
          _placed(local, options) as engine,
          meanwhile(engine, lambda: _read_tables(engine, entities, options, say),
                    apart=not small and not options.spark) as tables):
        report.engine = engine.settings
        with clock("reading the feed"):
            known = replace(options.contributors or Contributors(), learned=weights.learned.sources)
            report.records = len(known.records)
            terms = Terms(options.at, weights.direct.default_confidence, weights.direct.sibling, options.purpose,
                          options.allow_from, known, weights.sources)
            lists, told = read_warning_lists(options.warning_lists)
            report.problems += told
            indicators = suppress(thin_neighbours(read_indicators(collect(feed.over(objects), report), terms, report),
                                                  report), lists, report)
        with clock("reading the tables"):
            there, read = tables()
            report.take_tables(read)
            if "removed" in there.tables:
                indicators += suppress(read_removed(engine, there.tables, terms.sibling, report), lists, report)
            if "links" in there.tables:
                indicators = meet_hashes(engine, indicators, options.ring, options.at, report)
            load_indicators(engine, indicators, weights, there, report.accounts)
        steps = Steps(engine, options.state, report, every=options.keep_after)
        steps.begin(repr(weights), str(options.at))
        with clock("comparing"):
            steps.once(lambda: _compare_and_decide(engine, indicators, there, weights, options.at, report))
        with clock("weighing"):
            _weigh(engine, there, weights, options.at, report, steps, say)
        with clock("clustering"):
            find_networks(engine, there, weights, report, out)
        with clock("recommending"):
            recommend_steps(engine, there, options.actions or load_actions(), options.at, report)
        with clock("writing"):
            _write(engine, weights, out, report)
            keep_run(engine, weights, out, _inputs(feed, options, report), entities,
                     [table.file for table in (options.mapping or {}).values() if table.file])
    (out / REPORT).write_bytes(orjson.dumps(report.as_json(), option=orjson.OPT_INDENT_2))
    return report


def _read_tables(engine: Engine, entities: Path, options: Options, say: Callable[[str], None]
                 ) -> tuple[Entities, Report]:
    """Bring the entity tables to their normal form; the report tells of nothing else."""
    mapping, report = dict(options.mapping or {}), Report()
    there = (read_entities(engine, entities, mapping, options.at, report) if options.spark else
             lay(engine, entities, mapping, options.at, report, say))
    return there, report


def _is_small(entities: Path) -> bool:
    """Whether the tables are so small that planning a statement costs more than carrying it out."""
    return sum(path.stat().st_size for path in entities.rglob("*") if path.is_file()) <= _SMALL


@contextmanager
def _placed(local: Engine, options: Options) -> Iterator[Engine]:
    """The engine for what is as large as the platform: this one, or Spark."""
    if options.spark is None:
        yield local
        return
    with on_spark(local, options.spark, options.memory) as engine:
        yield engine


def _inputs(feed: FeedPrint, options: Options, report: Report) -> dict[str, Any]:
    """What a run speaks of and what went into it, for those that replay it."""
    return {"at": options.at, "purpose": options.purpose, "accounts": report.accounts, "came_from": options.feed,
            "records": len((options.contributors or Contributors()).records),
            "keys": sorted(term.key.id for term in options.ring.terms) if options.ring else [],
            "feed": {"objects": feed.objects, "sha256": feed.digest}, "engine": report.engine,
            "options": {"allow_from": sorted(options.allow_from),
                        "contributors": (options.contributors or Contributors()).as_json(),
                        "warning_lists": [*map(str, options.warning_lists)],
                        "mapping": {name: [table.file, dict(table.columns), dict(table.kinds)]
                                    for name, table in sorted((options.mapping or {}).items())}}}


class _Clock:
    """Tells each step and notes how long it took."""

    def __init__(self, report: Report, say: Callable[[str], None]) -> None:
        self._report, self._say = report, say

    @contextmanager
    def __call__(self, step: str) -> Iterator[None]:
        self._say(step)
        start = time.perf_counter()
        yield
        self._report.seconds[step] = time.perf_counter() - start


def load_indicators(engine: Engine, indicators: list[Indicator], weights: Weights, there: Entities,
                    accounts: int) -> None:
    """Make the tables indicators, probes, kinds (for a platform of so many accounts), and empty ones for what will be
    found."""
    engine.run("""CREATE TEMP TABLE indicators (ix INTEGER, indicator_id VARCHAR, source VARCHAR,
        source_name VARCHAR, campaign VARCHAR, campaign_class VARCHAR, observed BIGINT, confidence DOUBLE,
        record DOUBLE, witness BOOLEAN, record_why VARCHAR, confirmed BIGINT, campaign_ref VARCHAR, tlp VARCHAR)""")
    engine.load("indicators", (
        {"ix": ix, "indicator_id": i.id, "source": i.source, "source_name": i.source_name, "campaign": i.campaign,
         "campaign_class": i.campaign_class, "observed": i.observed, "confidence": i.confidence,
         "record": i.trust.factor, "witness": i.trust.witness, "record_why": i.trust.why or None,
         "confirmed": i.trust.confirmed, "campaign_ref": i.campaign_ref, "tlp": i.tlp}
        for ix, i in enumerate(indicators)))
    engine.run("""CREATE TEMP TABLE probes (ix INTEGER, kind VARCHAR, how VARCHAR, key BIGINT, text VARCHAR,
        bits INTEGER, similarity DOUBLE, shared VARCHAR)""")
    parts = part_numbers(indicators)
    engine.load("probes", (
        {"ix": ix if p.part is None else parts[ix, p.part], "kind": p.kind, "how": p.how, "key": p.key, "text": p.text,
         "bits": p.bits, "similarity": p.similarity, "shared": p.shared}
        for ix, i in enumerate(indicators) for p in i.probes))
    engine.run("""CREATE TEMP TABLE kinds (kind VARCHAR, base DOUBLE, half_life DOUBLE, together DOUBLE,
        handover DOUBLE, cap INTEGER, family VARCHAR, signal VARCHAR, company BOOLEAN)""")
    engine.load("kinds", (
        {"kind": k.name, "base": k.base, "half_life": k.half_life, "together": k.together,
         "handover": k.handover, "cap": k.cap_among(accounts),
         "family": k.family, "signal": k.signal, "company": k.company} for k in weights.kinds.values()))
    engine.run("""CREATE TEMP TABLE class_kinds (campaign_class VARCHAR, kind VARCHAR, strength DOUBLE,
        half_life DOUBLE)""")
    engine.load("class_kinds", weights.classes.factors(weights.kinds))
    for name, values in (("source", {i.source for i in indicators}),
                         ("signal", {k.signal for k in weights.kinds.values()})):
        engine.run(f"CREATE TEMP TABLE {name}_bits ({name} VARCHAR, bits BIGINT, voice VARCHAR)")
        engine.load(f"{name}_bits", (
            {name: value, "bits": 1 << n % _BITS, "voice": value} for n, value in enumerate(sorted(values))))
    engine.run(f"""CREATE TEMP TABLE hits (account_id {there.account_type}, ix INTEGER, kind VARCHAR,
        similarity DOUBLE, local VARCHAR, shared VARCHAR, first_seen BIGINT, last_seen BIGINT, holders
            BIGINT)""")
    objections.load_objections(engine, indicators)
    engine.run("CREATE TEMP TABLE too_common (kind VARCHAR, holders BIGINT)")


def _compare_and_decide(engine: Engine, indicators: list[Indicator], there: Entities, weights: Weights, at: int,
                        report: Report) -> None:
    compare(engine, there, weights, at, report)
    decide(engine, indicators, there.tables, weights, report)


def compare(engine: Engine, there: Entities, weights: Weights, at: int, report: Report) -> None:
    """Run every comparator whose table is there and that the feed has values for."""
    steps: tuple[tuple[Any, Callable[[], None]], ...] = (
        (token, lambda: token.compare(engine)),
        (ip_range, lambda: ip_range.compare(engine)),
        (host, lambda: host.compare(engine, weights.direct.subdomain)),
        (url, lambda: url.compare(engine)),
        (picture, lambda: picture.compare(engine, at, weights.direct.picture_at_radius)),
        (text, lambda: text.compare(engine)),
        (account, lambda: account.compare(engine, at)),
    )
    wanted = dict(engine.rows("SELECT how, count(*) FROM probes GROUP BY 1"))
    for module, compare in steps:
        asked = sum(wanted.get(how, 0) for how in module.HOW)
        if not asked:
            continue
        if module.NEEDS in there.tables:
            compare()
        else:
            report.leave_out(f"there is no local table of {module.NEEDS} to compare with", module.HOW[0], asked)
    engine.run("""CREATE OR REPLACE TEMP TABLE hits AS
        SELECT account_id, ix, kind, max(similarity) AS similarity, local, shared, min(first_seen) AS first_seen,
            max(last_seen) AS last_seen, max(holders) AS holders
        FROM hits GROUP BY account_id, ix, kind, local, shared""")
    report.too_common.update(dict(engine.rows("SELECT kind, count(*) FROM too_common GROUP BY 1")))


def prepare(engine: Engine, there: Entities, weights: Weights, at: int, report: Report) -> None:
    """Weigh direct evidence and objections; make everything that rounds of company need."""
    open_accounts(engine, there)
    bring_accounts(engine, there, "SELECT account_id FROM hits")
    _tell_strangers(engine, report)
    if repeated := weigh_hits(engine, weights, at):
        report.leave_out("a hit on a value that the same source had already named (it counts once)", "", repeated)
    objections.weigh_objections(engine, weights)
    hear_sources(engine, weights)
    company.empty(engine, there.account_type)
    circle.empty(engine, there.account_type)
    prepare_questions(engine, there)
    claims.weigh_claims(engine, weights)


def _tell_strangers(engine: Engine, report: Report) -> None:
    """Count meetings of rows whose account stands in no row of accounts: nobody is judged by them."""
    meetings, strangers, one = engine.one("""SELECT count(*), count(DISTINCT h.account_id), min(h.account_id)
        FROM hits h ANTI JOIN accounts a ON a.account_id = h.account_id""")
    if meetings:
        report.leave_out("a meeting of an account that the table of accounts lacks", str(one), meetings)
        report.problems.append(f"{counted(strangers, 'account')} with rows that meet shared values, {one} for one,"
                               f" {verb(strangers, 'is', 'are')} not in the table of accounts and"
                               f" {verb(strangers, 'gets', 'get')} no score. Add them, or write account_id alike in all"
                               " tables.")


def listen(engine: Engine, there: Entities, weights: Weights, at: int, accounts: int, *, last: bool = True,
           judge: bool = True) -> None:
    """One round of company and circles; only the last one writes out all values, the others those that are asked.

    ``judge``: whether enough was heard before to tell which sources are proven."""
    if company.gather(engine, there, weights, at):
        if judge and weights.sources.proven_from:
            hear_voices(engine, weights)
            objections.weigh_objections(engine, weights)
            hear_sources(engine, weights)
        company.one_round(engine, weights, at)
        bring_accounts(engine, there, "SELECT account_id FROM company")
        # claims ask whether a source names the very value, and so do models that reviews taught
        describe(engine, there, "true" if last or weights.learned.models else WITNESSING)
    else:
        company.empty(engine, there.account_type)
    circle.gather_circles(engine, weights, accounts)
    claims.weigh_claims(engine, weights)


def _weigh(engine: Engine, there: Entities, weights: Weights, at: int, report: Report, steps: Steps,
           say: Callable[[str], None]) -> None:
    """All stages; the last one writes the evidence down."""
    steps.once(lambda: prepare(engine, there, weights, at, report))
    last = len(weights.cards) - 1
    for number in range(last + 1):
        say(f"weighing, round {number + 1} of {last + 1}")
        steps.once(lambda number=number: _stage(engine, there, weights, at, report.accounts, number),  # type: ignore[misc]
                   [FEATURES] if number == last else [], last=number == last)


def _stage(engine: Engine, there: Entities, weights: Weights, at: int, accounts: int, number: int) -> None:
    """Listen (but for the first time), and weigh with the card of the stage."""
    last = number == len(weights.cards) - 1
    if number:
        listen(engine, there, weights, at, accounts, last=last, judge=number >= _JUDGED_FROM)
    card = weights.cards[number]
    weighed = fusion.weigh(read_features(engine, weights), card, weights)
    fusion.keep_state(engine, weighed)
    if last:
        leave_platform(engine)
        fusion.write_evidence(engine, weighed, card)
        keep_features(engine, weighed.features)
        bring_members(engine, there, weights.cluster.candidate_from)


def _write(engine: Engine, weights: Weights, out: Path, report: Report) -> None:
    """Write whole files under other names first, so that a killed run leaves no half of a result."""
    engine.run("CREATE OR REPLACE TEMP TABLE everybody AS SELECT account_id FROM everyone")
    engine.here("everybody")
    engine.run(f"""COPY (SELECT a.account_id, COALESCE(s.score, {weights.silent_probability}) AS score,
            COALESCE(s.log_odds, {weights.silent}) AS log_odds, s.account_id IS NOT NULL AS has_evidence,
            COALESCE(bit_count(s.firm), 0)::INTEGER AS sources, COALESCE(bit_count(s.signals), 0)::INTEGER
                AS signals,
            m.cluster, m.role, m.class,
            COALESCE(m.likely_from, {weights.classes.likely}) AS likely_from, COALESCE(d.action, 'none') AS action
        FROM everybody a LEFT JOIN state s ON s.account_id = a.account_id
        LEFT JOIN told m ON m.account_id = a.account_id LEFT JOIN actions d ON d.account_id = a.account_id
        ORDER BY account_id)
        TO {quoted(str(engine.work / ACCOUNTS))} (FORMAT parquet)""")
    engine.run(f"""COPY (SELECT * FROM evidence ORDER BY {EVIDENCE_ORDER})
        TO {quoted(str(engine.work / EVIDENCE))} (FORMAT parquet, {_FEW_WORDS})""")
    of_networks = write_networks(engine)
    for table, order, name in (("actions", "account_id", ACTIONS), ("timeline", "cluster, day, what", TIMELINE)):
        engine.run(f"COPY (SELECT * FROM {table} ORDER BY {order}) TO {quoted(str(engine.work / name))}"
                   " (FORMAT parquet)")
    report.accounts_with_evidence, report.accounts_likely = engine.one(
        f"""SELECT count(*), count(*) FILTER (score >= COALESCE(likely_from, {weights.classes.likely}))
        FROM state LEFT JOIN told USING (account_id)""")
    for name in (ACCOUNTS, EVIDENCE, *of_networks, ACTIONS, TIMELINE, write_seeds(engine)):
        (engine.work / name).replace(out / name)
