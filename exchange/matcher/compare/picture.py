"""Pictures: PDQ fingerprints (256 bits) at most 31 bits apart, exactly.

Cut into 16 bands of 16 bits, two fingerprints at most 31 bits apart have a band with at most one bit of difference
(were all 16 bands two apart, it would be 32). So each shared fingerprint is listed under every band value and its
16 neighbours, the local ones under theirs, and one equi-join finds all candidates; the distance is then counted.
"""

from __future__ import annotations

from exchange.matcher.engine import Engine

NEEDS = "avatars"
HOW = ("picture",)
RADIUS = 31
_BANDS = 16


def distance_sql(left: str, right: str) -> str:
    """Hamming distance of two fingerprints of 64 hex digits, as INTEGER (bit_count alone is a TINYINT)."""
    def word(text: str, number: int) -> str:
        return f"CAST('0x' || {text}[{16 * number + 1}:{16 * number + 16}] AS UBIGINT)"

    return "(" + " + ".join(
        f"bit_count(xor({word(left, n)}, {word(right, n)}))::INTEGER" for n in range(4)) + ")"


def bands_sql(pdq: str) -> str:
    """The 16 bands of a fingerprint as a list of numbers, the band's place in the upper bits."""
    parts = (f"CAST('0x' || {pdq}[{4 * n + 1}:{4 * n + 4}] AS INTEGER) + {n << 16}" for n in range(_BANDS))
    return f"[{', '.join(parts)}]"


def compare(engine: Engine, at: int, at_radius: float) -> None:
    """Fill ``hits`` from avatars. A picture is taken to be in use from the account's creation until ``at``."""
    flips = ", ".join(["0", *(str(1 << bit) for bit in range(16))])
    engine.run(f"""CREATE OR REPLACE TEMP TABLE shared_bands AS
        SELECT pdq, xor(band, flip) AS band FROM (
            SELECT pdq, unnest({bands_sql('pdq')}) AS band
            FROM (SELECT DISTINCT text AS pdq FROM probes WHERE how = 'picture')),
            (SELECT unnest([{flips}]) AS flip)""")
    engine.run(f"""CREATE OR REPLACE TEMP TABLE met AS
        SELECT account_id, local, pdq, {distance_sql('local', 'pdq')} AS distance FROM (
            SELECT DISTINCT a.account_id, a.pdq AS local, b.pdq
            FROM (SELECT account_id, pdq, unnest({bands_sql('pdq')}) AS band FROM avatars) a
            JOIN shared_bands b ON a.band = b.band)
        WHERE distance <= {RADIUS}""")
    engine.run(f"""INSERT INTO hits
        SELECT m.account_id, p.ix, 'picture', 1 - {1 - at_radius} * m.distance / {RADIUS}, m.local, p.shared,
            a.created, {at}, count(DISTINCT m.account_id) OVER (PARTITION BY m.pdq)
        FROM met m JOIN probes p ON p.text = m.pdq LEFT JOIN accounts a ON a.account_id = m.account_id
        WHERE p.how = 'picture'""")
