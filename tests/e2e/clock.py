#!/usr/bin/env python3
"""Goal: a machine whose clock is wrong at a new store's first event has a store that claims nothing
it never observed, then and when the clock is right.

Method: faketime sets the daemon's clock: two weeks behind, in 1970, two weeks ahead. The world's
events are of the last two hours.
"""

import datetime
import json
import os
import signal
import sys
import time
from pathlib import Path

from harness import Daemon, Feed, Folder, end, expect, get, main, truth, wait_until

EVENTS = 4_000
LASTS_S = 2 * 3_600
CLOCKS = {"two weeks behind": "-14d", "in 1970": "@1970-01-01 00:01:00", "two weeks ahead": "+14d"}


def faked(time_text):
    library, = Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1")
    return {**os.environ, "LD_PRELOAD": str(library), "FAKETIME": time_text, "TZ": "UTC",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1"}


def observed_since_us(daemon):
    code, body = get(f"http://127.0.0.1:{daemon.port}/api/v1/status")
    expect(code == 200, body)
    text = json.loads(body)["data"]["basis"]["observed_since"]
    return int(datetime.datetime.fromisoformat(text).timestamp() * 1e6)


def posts(daemon):
    page = truth.parse_page(daemon.page())
    return sum(value for (name, _), value in page.items() if name == "geotally_posts_total")


def run_with(name, time_text):
    with Folder() as folder:
        feed = Feed(folder, "--world", "small", "--accounts", 500, "--events", EVENTS, "--days",
                    LASTS_S / 86_400, "--end-time", "now", "--hold-alone", "--pause-at", 1,
                    "--retention", "200d")
        daemon = None
        try:
            daemon = Daemon(folder, feed.url(), "--clock", "wall", "--set",
                            "store.commit_interval_ms=250", environment=faked(time_text))
            # Confirmed by a second account, the feed is read again from its beginning.
            feed.control("/control", pause_at=EVENTS // 2)
            wait_until("something is counted", lambda: posts(daemon) > 0)
            daemon.settle(feed, EVENTS // 2)
            with open(feed.log, "rb") as log:
                log.readline()  # what world it is
                first_us = json.loads(log.readline())["time_us"]
            expect(observed_since_us(daemon) == first_us,
                   f"{name}: observed since {observed_since_us(daemon)}, the first event is of {first_us}")
            expect(daemon.stop(signal.SIGTERM) == 0, name)

            daemon = Daemon(folder, feed.url(), "--clock", "wall", "--set",
                            "store.commit_interval_ms=250")
            daemon.settle(feed.advance(EVENTS), EVENTS)
            expect(observed_since_us(daemon) == first_us, f"{name}: it moved with the clock")
            page = truth.parse_page(daemon.page())
            longest = max(value for (metric, _), value in page.items()
                          if metric == "geotally_window_coverage_seconds")
            expect(LASTS_S / 2 < longest <= time.time() - first_us / 1e6 + 1,
                   f"{name}: a window claims {longest} s")
        finally:
            end(daemon, feed)


def run():
    for name, time_text in CLOCKS.items():
        run_with(name, time_text)


if __name__ == "__main__":
    sys.exit(main(run))
