"""Pictures: PDQ fingerprints (256 bits) at most 31 bits apart, exactly.

Cut into 8 pairs of bands of 16 bits, two fingerprints at most 31 bits apart have a pair with at most three bits of
difference (were all 8 pairs four apart, it would be 32), and so in that pair a band with at most one. Each shared
fingerprint is listed under every band value and its 16 neighbours, the local ones under theirs, and one equi-join finds
who has such a band. Of those by chance the other band of the pair leaves one in 400, before a distance is counted: what
is joined is two numbers a row, so many pictures against many cost little room and time.
"""

from __future__ import annotations

from exchange.matcher.engine import Engine
from exchange.matcher.values import real

NEEDS = "avatars"
HOW = ("picture",)
RADIUS = 31
_BANDS, _IN_PAIR = 16, 3


def words_sql(pdq: str) -> str:
    """The four 64-bit words of a fingerprint of 64 hex digits, as columns w0 to w3 (BIGINT, the first bit its sign)."""
    return ", ".join(f"CAST(CAST(unhex(substr({pdq}, {16 * n + 1}, 16)) AS BIT) AS BIGINT) AS w{n}" for n in range(4))


def distance_sql(left: str, right: str) -> str:
    """Hamming distance of two rows with words, as INTEGER (bit_count alone is a TINYINT)."""
    return "(" + " + ".join(f"bit_count(xor({left}.w{n}, {right}.w{n}))::INTEGER" for n in range(4)) + ")"


def bands_sql(row: str) -> str:
    """The 16 bands of a row with words as a list of numbers: the band's place, its bits, and those of its neighbour."""
    def bits(n: int) -> str:
        """The n-th 16 bits of the hash, from the left (SQL)."""
        return f"(({row}.w{n // 4} >> {48 - 16 * (n % 4)}) & 65535)"

    return f"[{', '.join(f'({n} * 65536 + {bits(n)}) * 65536 + {bits(n ^ 1)}' for n in range(_BANDS))}]"


def digits_sql(row: str) -> str:
    """The 64 hex digits of a row with words."""
    return " || ".join(f"lpad(lower(to_hex({row}.w{n})), 16, '0')" for n in range(4))


def compare(engine: Engine, at: int, at_radius: float) -> None:
    """Fill ``hits`` from avatars. A picture is taken to be in use from the account's creation until ``at``."""
    flips = ", ".join(["0", *(str(1 << bit + 16) for bit in range(16))])
    engine.run(f"""CREATE OR REPLACE TEMP TABLE shared_pictures AS
        SELECT pdq, {words_sql('pdq')}, row_number() OVER (ORDER BY pdq) AS number
        FROM (SELECT DISTINCT text AS pdq FROM probes WHERE how = 'picture') p""")
    engine.run(f"""CREATE OR REPLACE TEMP TABLE shared_bands AS
        SELECT number, xor(band, flip) AS band, CASE flip WHEN 0 THEN {_IN_PAIR} ELSE {_IN_PAIR - 1} END AS most
        FROM (SELECT number, unnest({bands_sql('p')}) AS band FROM shared_pictures p),
            (SELECT unnest([{flips}]) AS flip)""")
    engine.run(f"""CREATE OR REPLACE TEMP TABLE alike AS SELECT DISTINCT a.account_id, b.number
        FROM (SELECT account_id, unnest({bands_sql('w')}) AS band FROM pictures w) a
        JOIN shared_bands b ON a.band >> 16 = b.band >> 16 WHERE bit_count(xor(a.band, b.band)) <= b.most""")
    engine.run(f"""CREATE OR REPLACE TEMP TABLE met AS
        SELECT DISTINCT a.account_id, a.w0, a.w1, a.w2, a.w3, b.pdq, {distance_sql('a', 'b')} AS distance
        FROM alike c JOIN pictures a ON a.account_id = c.account_id JOIN shared_pictures b ON b.number = c.number
        WHERE {distance_sql('a', 'b')} <= {RADIUS}""")
    engine.here("met")
    engine.run(f"""INSERT INTO hits
        SELECT m.account_id, p.ix, 'picture', 1 - {real(1 - at_radius)} * m.distance / {RADIUS}, m.local, p.shared,
            a.created, {at}, count(DISTINCT m.account_id) OVER (PARTITION BY m.pdq)
        FROM (SELECT account_id, pdq, distance, {digits_sql('w')} AS local FROM met w) m
        JOIN probes p ON p.text = m.pdq LEFT JOIN everyone a ON a.account_id = m.account_id
        WHERE p.how = 'picture'""")
