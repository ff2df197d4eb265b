#!/usr/bin/env python3
"""Goal: every figure of the country page equals the truth, whatever happened on the way.

Method: a generated world of 110 days, 100,000 accounts and 1,000,000 events. The feed is held at
20 moments; at each the page is compared, figure by figure, with the truth over the same events.
Between two moments something goes wrong: the connection drops, an hour is replayed, events come
in another order, the daemon is stopped, or killed.

  exactness.py feed|wall [--events N --accounts N --days N --moments N]
"""

import argparse
import random
import signal
import sys

from harness import Daemon, Failure, Feed, Folder, Truth, end, expect, main, truth, wait_until

WINDOWS = [name for name, _, _ in truth.WINDOWS]

TROUBLES = ["none", "bare", "sigterm", "kill", "hour", "reorder", "1001", "kill-twice", "refuse",
            "fragment"]


# So far may events change places, and a reconnect begins so long before the cursor. A world spread
# over months has an event every few seconds: what changes places there lies further apart than in
# a live feed's cutover.
HORIZON_S = 900


def trouble(kind, feed, middle, spacing_s):
    """Makes it happen on the way to the next moment. True = the daemon is to be stopped there."""
    if kind in ("bare", "1001"):
        feed.control("/fault", spec=f"drop@{middle}:how={kind}")
    elif kind == "hour":
        feed.control("/fault", spec=f"rewind@{middle}:span=1h,how=bare")
    elif kind == "reorder":
        events = max(2, int(HORIZON_S / 3 / spacing_s))
        feed.control("/fault", spec=f"reorder@{middle}:events={events}")
        feed.control("/fault", spec=f"drop@{middle + events // 2}:how=bare")
    elif kind == "refuse":
        feed.control("/fault", spec=f"refuse@{middle}:status=503,connections=2,how=1001")
    elif kind == "fragment":
        feed.control("/fault", spec=f"fragment@{middle}:events=200")
    return kind in ("sigterm", "kill", "kill-twice")


def moment_numbers(events, moments):
    numbers = [events * (i + 1) // moments for i in range(moments)]
    numbers[-1] = events
    return numbers


def seen_to_leave(pages):
    """Windows that at some moment had fewer active accounts somewhere than before."""
    left = set()
    for before, after in zip(pages, pages[1:]):
        for (name, labels), value in before.items():
            if name == "geotally_window_active_accounts" and after.get((name, labels), 0) < value:
                left.add(dict(labels)["window"])
    return left


def run(arguments):
    with Folder() as folder:
        feed = Feed(folder, "--world", "july-2012", "--accounts", arguments.accounts, "--events",
                    arguments.events, "--days", arguments.days, "--hold-alone", "--pause-at", 1, "--retention", "200d",
                    *(["--end-time", "now"] if arguments.clock == "wall" else []))
        expected = Truth(feed.log)
        options = ["--clock", arguments.clock, "--set", f"tally.fence_horizon_s={HORIZON_S}",
                   "--set", f"feed.margin_s={HORIZON_S}"]
        spacing_s = arguments.days * 86_400 / arguments.events
        daemon = Daemon(folder, feed.url(), *options)
        pages = []
        chance = random.Random(20120701)
        at = 1
        try:
            for i, number in enumerate(moment_numbers(arguments.events, arguments.moments)):
                kind = TROUBLES[i % len(TROUBLES)]
                middle = chance.randrange(at + 1, number)
                stops = trouble(kind, feed, middle, spacing_s)
                for _ in range(2 if kind == "kill-twice" else 1 if stops else 0):
                    feed.control("/control", pause_at=middle)
                    wait_until("half way", lambda: feed.status()["emitted"] >= middle)
                    if kind == "sigterm":
                        expect(daemon.stop(signal.SIGTERM) == 0, "SIGTERM: exit code is not 0")
                    else:
                        daemon.kill()
                    daemon = Daemon(folder, feed.url(), *options)
                feed.control("/control", pause_at=number)
                daemon.settle(feed, number)
                page = daemon.page()
                different = expected.compare(number, page)
                expect(not different, f"after {number} events ({kind}):\n" +
                       "\n".join(different[:40]) + f"\n{len(different)} figures differ")
                samples = truth.parse_page(page)
                pages.append(samples)
                print(f"{number} events, {kind}: {len(samples)} samples equal the truth", flush=True)
                at = number
            gaps = pages[-1][("geotally_feed_gaps_total", ())]
            expect(gaps == 0, f"{gaps} gaps though the feed could replay everything")
            if arguments.clock == "feed":
                left = seen_to_leave(pages)
                expect(left == set(WINDOWS), f"accounts left only these windows: {sorted(left)}")
            expect(daemon.stop() == 0, "the daemon's exit code is not 0")
        except Failure as failure:
            raise Failure(f"{failure}\n--- the daemon's log\n{daemon.errors()[-3000:]}") from None
        finally:
            end(daemon, feed)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("clock", choices=["feed", "wall"])
    parser.add_argument("--events", type=int, default=1_000_000)
    parser.add_argument("--accounts", type=int, default=100_000)
    parser.add_argument("--days", type=int, default=110)
    parser.add_argument("--moments", type=int, default=20)
    options = parser.parse_args()
    sys.exit(main(lambda: run(options)))
