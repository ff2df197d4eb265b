#!/usr/bin/env python3
"""Goal: broken messages are each rejected with a counted reason, what a server says of itself is
counted by name, and every message ends in exactly one counter; what surrounds them counts.

Method: every kind of broken message that geotally-feed can make, amid a world; over v2 notices and
frames of an unknown envelope too; and times ahead that a second account confirms, so that the feed
is reopened while more of it is on its way.

  hostile.py [jetstream-v1 | jetstream-v2]
"""

import signal
import sys

from harness import Daemon, Feed, Folder, Truth, expect, main

PATHS = {"jetstream-v1": "/subscribe",
         "jetstream-v2": "/xrpc/network.bsky.jetstream.subscribeEvents"}

# What is sent, and the reason under which it is counted.
BROKEN = {
    "bad_json": "malformed",
    "truncated": "malformed",
    "empty": "malformed",
    "deep": "too_deep",
    "utf8": "invalid_utf8",
    "oversized": "too_large",
    "missing_did": "missing_field",
    "wrong_type": "invalid_field",
}
# Of v2: what is sent how often, and the name under which it is counted.
NOTICES = [("corrupt", "what=foreign_frame,count=5", 5, "unknown_frame"),
           ("info", "name=OutdatedCursor", 1, "outdated_cursor"),
           ("info", "name=Maintenance", 1, "other"),
           ("error", "name=ConsumerTooSlow", 1, "consumer_too_slow"),
           ("error", "name=InternalError", 1, "internal_error")]


def counters(metrics, name):
    """{label value: count} of one family with one label."""
    return {dict(labels).popitem()[1]: int(value) for (family, labels), value in metrics.items()
            if family == name}


def run(wire):
    v2 = wire == "jetstream-v2"
    with Folder() as folder:
        # A slow machine may answer a ping late; here, no connection may end but by what was sent.
        feed = Feed(folder, "--world", "small", "--accounts", 2_000, "--events", 30_000, "--days",
                    100, "--hold-alone", "--pause-at", 1, "--pong", 0, "--retention", "200d")
        expected = Truth(feed.log)
        daemon = Daemon(folder, feed.url(path=PATHS[wire]), "--clock", "feed", "--wire", wire,
                        "--set", "feed.backoff_max_s=1")
        try:
            size = feed.status()["size"]
            for i, what in enumerate([*BROKEN, "array", "number", "surrogate", "nul", "huge_number"]):
                feed.control("/fault", spec=f"corrupt@{1_000 * (i + 1)}:what={what},count=3")
            for i, (fault, how, _, _) in enumerate(NOTICES if v2 else []):
                feed.control("/fault", spec=f"{fault}@{20_000 + 500 * i}:{how}")
            feed.control("/fault", spec="future@25000:ahead=40d,accounts=2")
            feed.control("/control", pause_at=size)
            daemon.settle(feed, size)
            metrics = daemon.metrics()
            rejected = counters(metrics, "geotally_events_rejected_total")
            dropped = counters(metrics, "geotally_events_dropped_total")
            notices = counters(metrics, "geotally_feed_notices_total")
            print(f"{wire}: rejected {rejected}, dropped {dropped}, notices {notices}")
            for what, reason in BROKEN.items():
                expect(rejected[reason] >= 3, f"{what}: {rejected[reason]} times {reason}")
            for _, _, times, name in NOTICES if v2 else []:
                expect(notices[name] >= times, f"{notices[name]} notices {name}")
            # What two accounts say of a time ahead, and what was on the socket then.
            expect(dropped["reopening"] >= 2, f"{dropped['reopening']} while it was reopened")
            connects = metrics[("geotally_feed_connects_total", ())]
            ended = 1 + (2 if v2 else 0)  # reopened; after each error
            expect(connects == 1 + ended, f"{connects} connections: one was lost")
            different = expected.compare(size, daemon.page())
            expect(not different, "\n".join(different[:20]))
            fed = metrics[("geotally_feed_messages_total", ())]
            counted = sum(value for (name, _), value in metrics.items() if name in
                          ("geotally_events_total", "geotally_events_rejected_total",
                           "geotally_events_dropped_total", "geotally_feed_notices_total"))
            expect(fed == counted, f"{fed} messages came, {counted} are accounted for")
        finally:
            daemon.stop(signal.SIGTERM)
            feed.stop()


if __name__ == "__main__":
    sys.exit(main(lambda: [run(wire) for wire in sys.argv[1:] or PATHS]))
