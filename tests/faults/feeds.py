"""Faults of the feed, by FEEDS' list: what geotally-feed does on command, amid a world."""

from bench import Row, expect, wait_until

# (name, faults with {n} for the event before which they come). After these the feed can replay.
REPLAYABLE = [
    ("an hour of replay after a reconnect", ["rewind@{n}:span=1h,how=bare"]),
    ("reordering at the switch to live", ["reorder@{n}:events=12", "drop@{n}:how=bare"]),
    ("closed with 1006 again and again", ["drop@{n}:how=bare,every=150,times=5"]),
    ("closed with 1001", ["drop@{n}:how=1001"]),
    ("TCP reset", ["drop@{n}:how=reset"]),
    ("connected but silent", ["silent@{n}:for=3s"]),
    ("half a frame, then nothing", ["stall@{n}"]),
    ("messages in fragments, pings between", ["fragment@{n}:events=200"]),
    ("byte by byte", ["split@{n}:events=50"]),
    ("dated 40 days ahead", ["future@{n}:ahead=40d,accounts=1"]),
    ("deep, huge, broken, foreign messages",
     ["corrupt@{n}:what=" + what for what in
      ("bad_json", "truncated", "deep", "utf8", "oversized", "empty", "array", "number", "surrogate",
       "nul", "missing_did", "wrong_type", "huge_number", "binary", "zstd_garbage",
       "zstd_truncated", "zstd_wrong_id", "zstd_bomb")]),
    ("HTTP 503 at the reconnect", ["refuse@{n}:status=503,body=html,connections=3"]),
    ("half-open, then a server that restarts", ["restart@{n}:sequence=70000,for=1s"]),
]


def replayable(name, faults, tries):
    def run(bench):
        row = Row(name)
        bench.start()
        bench.play(2_000)
        bench.settle()
        for _ in range(tries):
            for fault in faults:
                bench.feed.control("/fault", spec=fault.format(n=bench.at + 1_000))
            bench.play(2_500)
            bench.settle()
            bench.check(row)
        return row
    return run


def forgotten(bench):
    """The server loses its history and its numbers, and some events reach nobody."""
    row = Row("the server lost its history")
    bench.start()
    bench.play(2_000)
    bench.settle()
    bench.feed.control("/fault", spec=f"forget@{bench.at + 1_000}:lost=100")
    bench.play(4_000)
    bench.settle()
    bench.check(row, gap=True)
    return row


def clamped(bench):
    """The cursor is older than what the server keeps: it begins later, in silence."""
    row = Row("cursor too old, clamped in silence")
    bench.start()
    bench.play(2_000)
    bench.settle()
    expect(bench.daemon.stop() == 0, "the daemon's exit code is not 0")
    # Nobody listens: at a rate of its own the feed goes on all the same, beyond what it keeps.
    bench.feed.control("/control", rate=20_000)
    bench.play(8_000)
    wait_until("the feed has gone on", lambda: bench.feed.status()["emitted"] >= bench.at)
    bench.start()
    bench.settle()
    bench.play(1_000)
    bench.settle()
    bench.check(row, gap=True)
    return row
