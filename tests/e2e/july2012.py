#!/usr/bin/env python3
"""Goal: the world of July 2012 reads as the study of that month says.

Method: the generated world through the daemon, then the ranks over its country page: the five
largest, and France 18th in the world and 4th in Europe.
"""

import signal
import sys

from harness import Daemon, Feed, Folder, expect, main, truth

# UN M49, region 150 (Europe).
EUROPE = set("""AD AL AT AX BA BE BG BY CH CZ DE DK EE ES FI FO FR GB GG GI GR HR HU IE IM IS IT JE
LI LT LU LV MC MD ME MK MT NL NO PL PT RO RS RU SE SI SJ SK SM UA VA XK""".split())


def rank(values, country, among=None):
    """1 + number of countries with a larger value."""
    return 1 + sum(1 for other, value in values.items()
                   if value > values[country] and (among is None or other in among))


def run():
    with Folder() as folder:
        feed = Feed(folder, "--world", "july-2012", "--accounts", 60_000, "--events", 250_000,
                    "--days", 92, "--hold-alone")
        daemon = Daemon(folder, feed.url(), "--clock", "feed")
        try:
            size = feed.status()["size"]
            daemon.settle(feed, size)
            samples = truth.parse_page(daemon.page())
            accounts = {dict(labels)["country"]: value for (name, labels), value in samples.items()
                        if name == "geotally_accounts"}
            del accounts["ZZ"]
            top = sorted(accounts, key=lambda country: (-accounts[country], country))[:20]
            print("by accounts:", " ".join(f"{c}={accounts[c]}" for c in top))
            expect(top[:5] == ["US", "BR", "JP", "GB", "ID"], f"on top: {top[:5]}")
            expect(rank(accounts, "FR") == 18, f"France is {rank(accounts, 'FR')}")
            ahead = [country for country in top if country in EUROPE]
            expect(ahead[:4] == ["GB", "ES", "NL", "FR"], f"in Europe: {ahead[:4]}")
            expect(rank(accounts, "FR", EUROPE) == 4, "France is not 4th in Europe")
        finally:
            daemon.stop(signal.SIGTERM)
            feed.stop()


if __name__ == "__main__":
    sys.exit(main(run))
