"""The second engine: the platform-sized side of a run on Apache Spark, the suspect-sized one on DuckDB as always.

Two ways lead there, and both start from the SQL that DuckDB runs, so nothing is written twice. Statements that join and
group are transpiled (``dialect``), if they keep to what means the same on both engines. Expressions over single rows,
where engines differ most (casts, hashes, regular expressions, Unicode), are not: DuckDB itself computes them on Spark's
workers (``workers``).
"""
