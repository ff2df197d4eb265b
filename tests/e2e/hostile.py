#!/usr/bin/env python3
"""Goal: broken messages are each rejected with a counted reason; the connection is kept, and
what surrounds them counts.

Method: every kind of broken message that geotally-feed can make, amid a world, on one connection.
"""

import signal
import sys

from harness import Daemon, Feed, Folder, Truth, expect, main

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


def run():
    with Folder() as folder:
        # A slow machine may answer a ping late; here, no connection may end but by what was sent.
        feed = Feed(folder, "--world", "small", "--accounts", 2_000, "--events", 30_000, "--days",
                    100, "--hold-alone", "--pause-at", 1, "--pong", 0)
        expected = Truth(feed.log)
        daemon = Daemon(folder, feed.url(), "--clock", "feed")
        try:
            size = feed.status()["size"]
            for i, what in enumerate([*BROKEN, "array", "number", "surrogate", "nul", "huge_number"]):
                feed.control("/fault", spec=f"corrupt@{1_000 * (i + 1)}:what={what},count=3")
            feed.control("/control", pause_at=size)
            daemon.settle(feed, size)
            metrics = daemon.metrics()
            reasons = {dict(labels)["reason"]: int(value) for (name, labels), value in
                       metrics.items() if name == "geotally_events_rejected_total"}
            print("rejected:", reasons)
            print({k: int(v) for k, v in metrics.items() if k[0] in ('geotally_events_dropped_total', 'geotally_feed_messages_total', 'geotally_feed_last_event_timestamp_seconds')})
            for what, reason in BROKEN.items():
                expect(reasons[reason] >= 3, f"{what}: {reasons[reason]} times {reason}")
            expect(metrics[("geotally_feed_connects_total", ())] == 1, "the connection was lost")
            different = expected.compare(size, daemon.page())
            expect(not different, "\n".join(different[:20]))
            fed = metrics[("geotally_feed_messages_total", ())]
            counted = sum(value for (name, _), value in metrics.items() if name in
                          ("geotally_events_total", "geotally_events_rejected_total",
                           "geotally_events_dropped_total"))
            expect(fed == counted, f"{fed} messages came, {counted} are accounted for")
        finally:
            daemon.stop(signal.SIGTERM)
            feed.stop()


if __name__ == "__main__":
    sys.exit(main(run))
