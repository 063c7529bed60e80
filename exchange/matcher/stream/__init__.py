"""One event against all indicators, in this process: which of them it meets and what that is worth.

``Index`` holds a feed's indicators in memory; adding or removing one takes microseconds, and a detection job asks it of
each event as it happens. It says what a run of the matcher says of the same row, before scorecard and company: a hit
is a reason to look, never a verdict.

    from exchange.matcher.stream import Event, Index

    index = Index(load_weights(), read_indicators(collect(objects, report), terms, report))
    for met in index.meet(Event("12345", "device", "dv_72c5d055f0bb46ae", seen=now)):
        print(met.indicator, met.source_name, met.nats)
"""

from exchange.matcher.stream.event import KINDS, Event, read_event
from exchange.matcher.stream.index import Index, Met

__all__ = ["KINDS", "Event", "Index", "Met", "read_event"]
