"""Where the time goes: perf over the daemon under the flood, by part, in nanoseconds an event."""

import re
import subprocess

from accounts import ROOMY
from harness import Folder
from measure import Flood, Span, Watch, daemon_for

# The first that matches a symbol is its part.
PARTS = [
    ("kernel", r"^\[k\]"),
    ("store: RocksDB", r"rocksdb::|^\[\.\] crc32c|LZ4|ZSTD_compress"),
    ("store: encode and commit", r"geotally::store::"),
    ("cells: apply and show", r"tally::Totals|tally::Snapshot|Committer|metrics::|http::"),
    ("resolve", r"geotally::geo::|expf|logf|__ieee754_|__sincos"),
    ("fence", r"FencePool|tally::admit"),
    ("count", r"geotally::tally::"),
    ("account: look up, hand over", r"geotally::pipeline::(Shard|Account|ChangedAccounts|HotAccount)"),
    ("split frames", r"FrameSplitter|ReadAhead|Connection"),
    ("decode", r"geotally::feed::|simdjson|LanguageTag|country::|memchr"),
    ("sample, route", r"geotally::pipeline::"),
]
COLUMNS = ["| part | ns an event | share | its largest symbols |", "|---|---|---|---|"]


def part_of(symbol):
    return next((part for part, pattern in PARTS if re.search(pattern, symbol)), "other")


def short(symbol):
    return re.sub(r"\(anonymous namespace\)::|geotally::|\[[.k]\] ", "", symbol)[:48]


def profile(accounts, seconds=15):
    """The lines of a Markdown table. From a million accounts on all of them are known before."""
    many = accounts >= 1_000_000
    with Folder() as folder:
        flood = Flood(folder, *(["--roll-call"] if many else []), accounts=accounts)
        daemon = daemon_for(folder, flood, *(ROOMY if many else []))
        try:
            watch = Watch(daemon, flood)
            watch.until(4 * accounts if many else 3_000_000, deadline_s=300)
            data = folder / "perf.data"
            recorder = subprocess.Popen(["perf", "record", "-q", "-F", "499", "-o", data, "-p",
                                         str(daemon.process.pid), "--", "sleep", str(seconds)])
            span = Span(watch, seconds - 2)
            recorder.wait()
            report = subprocess.run(["perf", "report", "-i", data, "--stdio", "-t", "|", "--sort",
                                     "comm,symbol"], check=True, capture_output=True, text=True)
        finally:
            daemon.stop()
            flood.stop()
    parts = {}
    for line in report.stdout.splitlines():
        fields = line.split("|")
        if line.startswith("#") or len(fields) < 3:
            continue
        share, thread, symbol = float(fields[0].strip("% ")), fields[1].strip(), fields[2].strip()
        parts.setdefault((thread.split(":")[0], part_of(symbol)), []).append((share, symbol))
    lines = [f"{span.rate:,.0f} events/s at {span.cpu_per_million:.2f} CPU-seconds a million "
             f"({span.by_thread()})", "", *COLUMNS]
    for (thread, part), symbols in sorted(parts.items(), key=lambda e: -sum(s for s, _ in e[1])):
        share = sum(s for s, _ in symbols)
        if share >= 0.5:
            largest = ", ".join(f"`{short(name)}` {s:.1f}" for s, name in symbols[:3])
            lines.append(f"| `{thread}`: {part} | {share * 10 * span.cpu_per_million:.0f} | "
                         f"{share:.1f} % | {largest} |")
    return lines
