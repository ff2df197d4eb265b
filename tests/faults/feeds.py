"""Faults of the feed, by FEEDS' list: what geotally-feed does on command, amid a world."""

import datetime

from bench import Row, expect

TEXTS = ["bad_json", "truncated", "deep", "utf8", "oversized", "empty", "array", "number",
         "surrogate", "nul", "missing_did", "wrong_type", "huge_number", "foreign_kind",
         "foreign_collection", "foreign_status", "int64_min", "int64_max"]
BINARY = ["binary", "zstd_garbage", "zstd_truncated", "zstd_wrong_id", "zstd_no_dictionary",
          "zstd_bomb"]

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
    ("deep, huge, broken, foreign messages", ["corrupt@{n}:what=" + what for what in TEXTS + BINARY]),
    ("HTTP 503 at the reconnect", ["refuse@{n}:status=503,body=html,connections=3"]),
    ("half-open, then a server that restarts", ["restart@{n}:sequence=70000,for=1s"]),
]


def replayable(fault, faults, tries):
    def run(bench):
        row = Row(fault)
        bench.start()
        bench.play(2_000)
        bench.settle()
        for _ in range(tries):
            for spec in faults:
                bench.feed.control("/fault", spec=spec.format(n=bench.at + 1_000))
            bench.play(2_500)
            bench.settle()
            bench.check(row)
        if "corrupt" in faults[0]:
            rejected = sum(value for (name, _), value in bench.daemon.metrics().items()
                           if name == "geotally_events_rejected_total")
            row.note = f"{len(faults)} kinds, {rejected:.0f} messages rejected"
            expect(rejected > 0, f"{row.fault}: nothing was rejected")
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


def before_their_create():
    """Messages: accounts leave before they are heard of, posts are deleted before they come; some
    return."""
    time_us = 1_340_000_000_000_000
    for number in range(400):
        did = f"did:plc:{number:024}"
        steps = [("account", False), ("delete", None), ("create", None)]
        if number % 2 == 0:
            steps += [("account", True), ("create", None)]
        if number % 3 == 0:
            steps.reverse()
        for at, (what, active) in enumerate(steps):
            time_us += 250_000
            message = {"did": did, "time_us": time_us, "kind": "commit"}
            if what == "account":
                message |= {"kind": "account", "account": {
                    "active": active, "did": did, "seq": number * 8 + at,
                    "time": datetime.datetime.fromtimestamp(time_us / 1e6, datetime.timezone.utc)
                    .isoformat(), **({} if active else {"status": "takendown"})}}
            else:
                message["commit"] = {"rev": revision(time_us), "operation": what, "rkey": f"3k{at}",
                                     "collection": "app.bsky.feed.post"}
                if what == "create":
                    message["commit"] |= {"cid": "x", "record": {
                        "$type": "app.bsky.feed.post", "text": "1", "createdAt":
                        "2012-06-01T00:00:00.000Z"}}
            yield message


def revision(time_us):
    """A TID. Source: atproto.com/specs/tid."""
    digits = "234567abcdefghijklmnopqrstuvwxyz"
    return "".join(digits[(time_us << 10) >> shift & 31] for shift in range(60, -1, -5))


def all_at_once(name):
    """Everything there is, with a reconnect amid it."""
    def run(bench):
        row = Row(name)
        bench.start()
        bench.play(bench.size // 2)
        bench.settle()
        bench.check(row)
        bench.feed.control("/fault", spec="rewind@now:span=1h,how=bare")
        bench.play(bench.size)
        bench.settle()
        bench.check(row)
        return row
    return run
