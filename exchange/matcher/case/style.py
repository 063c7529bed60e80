"""The looks of a case page: one style sheet, light, dark and on paper; nothing is fetched."""

STYLE = """
:root { color-scheme: light dark; --paper: #fbfbfa; --card: #ffffff; --ink: #22272e; --soft: #636c76; --line: #e3e5e8;
  --accent: #2c5f8a; --for: #b35c44; --down: #3d8579; --seed: #c58b1b; --start: #a9b1ba; --origin: #173b5c;
  --relay: #3f7cb0; --amplifier: #a3c4de; --other: #c9ced4; --tie: #b9c0c8; }
@media (prefers-color-scheme: dark) { :root { --paper: #14171b; --card: #1b1f25; --ink: #e2e5e9; --soft: #98a1ab;
  --line: #2d333b; --accent: #7db2de; --for: #d98a72; --down: #6fb5a8; --seed: #e0ad4a; --start: #6b747e;
  --origin: #d7e8f7; --relay: #7db2de; --amplifier: #3f6d94; --other: #4a525b; --tie: #47505a; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--paper); color: var(--ink); font: 15px/1.5 system-ui, "Segoe UI", Roboto,
  "Helvetica Neue", "DejaVu Sans", sans-serif; }
main { max-width: 1040px; margin: 0 auto; padding: 36px 28px 64px; }
header { border-bottom: 1px solid var(--line); padding-bottom: 20px; margin-bottom: 24px; }
h1 { font-size: 26px; line-height: 1.2; margin: 0 0 8px; font-weight: 650; letter-spacing: -0.01em; }
h2 { font-size: 17px; margin: 38px 0 10px; font-weight: 650; }
h3 { font-size: 14px; margin: 0; font-weight: 650; overflow-wrap: anywhere; }
p { margin: 6px 0 10px; max-width: 76ch; orphans: 3; widows: 3; }
a { color: var(--accent); }
.quiet, .kicker { color: var(--soft); font-size: 13px; }
.kicker { text-transform: uppercase; letter-spacing: 0.06em; font-size: 12px; margin-bottom: 4px; }
.lead { font-size: 17px; }
.tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(150px, 1fr)); gap: 12px; margin: 18px 0 0;
  padding: 0; }
.tiles div { background: var(--card); border: 1px solid var(--line); border-radius: 8px; padding: 12px 14px; }
.tiles dt { color: var(--soft); font-size: 12.5px; margin: 0; }
.tiles dd { margin: 2px 0 0; font-size: 22px; font-weight: 600; font-variant-numeric: tabular-nums; }
.card { background: var(--card); border: 1px solid var(--line); border-radius: 8px; padding: 14px 16px; }
.picture { background: var(--card); border: 1px solid var(--line); border-radius: 8px; padding: 10px 14px; }
.grid { display: grid; grid-template-columns: repeat(auto-fill, minmax(430px, 1fr)); gap: 14px; }
.card ul { margin: 8px 0 0; padding-left: 18px; font-size: 13px; color: var(--soft); }
table { border-collapse: collapse; width: 100%; font-size: 13.5px; }
.wide { overflow-x: auto; }
th { text-align: left; font-weight: 600; color: var(--soft); font-size: 12.5px; border-bottom: 1px solid var(--line);
  padding: 6px 14px 6px 0; white-space: nowrap; vertical-align: bottom; }
td { border-bottom: 1px solid var(--line); padding: 6px 14px 6px 0; vertical-align: top; overflow-wrap: break-word; }
td.number, th.number { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
td.id { overflow-wrap: anywhere; }
.pill { display: inline-block; border: 1px solid var(--line); border-radius: 999px; padding: 0 9px; font-size: 12.5px;
  white-space: nowrap; }
.pill.human { border-color: var(--for); color: var(--for); }
code { font: 12.5px ui-monospace, "DejaVu Sans Mono", monospace; overflow-wrap: anywhere; }
svg { display: block; width: 100%; height: auto; }
svg text { font-size: 11.5px; fill: var(--soft); }
.legend { display: flex; flex-wrap: wrap; gap: 4px 18px; font-size: 12.5px; color: var(--soft); margin: 4px 0 6px; }
.legend span { display: inline-flex; align-items: center; gap: 6px; }
.legend svg { width: 12px; flex: none; }
.tie { stroke: var(--tie); stroke-opacity: 0.55; }
.member { stroke: var(--card); stroke-width: 1.2; fill: var(--other); }
.member.origin { fill: var(--origin); } .member.relay { fill: var(--relay); }
.member.amplifier { fill: var(--amplifier); } .member.faint { fill-opacity: 0.35; stroke: var(--soft);
  stroke-dasharray: 2 2; }
.value { fill: var(--card); stroke: var(--soft); stroke-width: 1.2; } .value.seed { fill: var(--seed);
  stroke: var(--seed); }
.graph .name { fill: var(--ink); paint-order: stroke; stroke: var(--card); stroke-width: 3.5px; }
.graph .count { text-anchor: middle; font-size: 10.5px; fill: var(--ink); paint-order: stroke; stroke: var(--card);
  stroke-width: 2.5px; }
.waterfall .label, .timeline .label { text-anchor: end; } .timeline .quiet { font-size: 10.5px; }
.waterfall .figure { font-variant-numeric: tabular-nums; } .waterfall .whole { fill: var(--ink); font-weight: 600; }
.half { stroke: var(--soft); stroke-dasharray: 3 3; } .join { stroke: var(--tie); } .start { fill: var(--start); }
.for { fill: var(--for); } .down { fill: var(--down); } .sum { fill: var(--accent); }
.axis { stroke: var(--line); } .timeline line.grid { stroke: var(--line); stroke-dasharray: 2 3; }
.timeline .bar { fill: var(--relay); } .timeline .seed { fill: var(--seed); } .timeline .date { text-anchor: start; }
footer { margin-top: 44px; border-top: 1px solid var(--line); padding-top: 14px; }
footer p { font-size: 13px; color: var(--soft); }
@media (max-width: 560px) { main { padding: 20px 14px; } .grid { grid-template-columns: 1fr; } }
@media print { :root { color-scheme: light; --paper: #fff; --card: #fff; --ink: #000; --soft: #444; --line: #ccc;
  --accent: #2c5f8a; --for: #b35c44; --down: #3d8579; --seed: #c58b1b; --start: #a9b1ba; --origin: #173b5c;
  --relay: #3f7cb0; --amplifier: #a3c4de; --other: #c9ced4; --tie: #b9c0c8; }
  @page { size: A4; margin: 16mm 14mm; } body { font-size: 10pt; } table { font-size: 8.5pt; }
  .tiles { grid-template-columns: repeat(5, 1fr); } .tiles dd { font-size: 15pt; } main { max-width: none; padding: 0; }
  .card, .picture, .tiles div, tr, section > p { break-inside: avoid; } h2, h2 + p { break-after: avoid; } thead {
  display: table-header-group; } .grid { grid-template-columns: 1fr 1fr; } .wide { overflow: visible; }
  * { print-color-adjust: exact; -webkit-print-color-adjust: exact; } }
"""
