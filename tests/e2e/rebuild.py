#!/usr/bin/env python3
"""Goal: of a damaged store everything that can be read is kept, what is lost is a gap, and the new
store goes on with the feed: what the gap does not touch is the truth.

Method: a store without CURRENT, then one with an unreadable block of accounts; each is refused,
rebuilt, verified, and run on while the world goes on for 40 days.
"""

import json
import shutil
import sys

from backup import contents, geotally
from harness import Daemon, Failure, Feed, Folder, Truth, end, expect, get, main, truth

OPTIONS = ["--clock", "feed", "--set", "tally.fence_horizon_s=900",
           "--set", "feed.margin_s=900"]
COUNTERS = ("posts", "deletions")


def sums(figures):
    """Over all countries: an account that was lost comes back without its evidence."""
    total = {}
    for row in figures.values():
        for key, value in row.items():
            total[key] = total.get(key, 0) + value
    return total


def posts_ever(daemon):
    """By country: what the counters on the page, which begin anew, do not say."""
    _, body = get(f"http://127.0.0.1:{daemon.port}/api/v1/countries")
    return {row["country"]: row["posts"] for row in json.loads(body)["data"]["rows"]}


def check_beyond(page, want, least):
    """Over all countries: the windows that say that all of them was observed are the truth. Those
    up to `least` must say so."""
    edge_us, untouched = truth.page_edge(page), []
    for name, length_s, bucket_s in truth.WINDOWS:
        whole_s = edge_us / 1e6 - truth.first_bucket(edge_us, length_s, bucket_s) * bucket_s
        if page[("geotally_window_coverage_seconds", (("window", name),))] >= whole_s - 1e-3:
            untouched.append(name)
    expect(least in untouched, f"a gap in the last {least}; there is none in {untouched}")
    have, want = sums(truth.page_figures(page)[0]), sums(want)
    for name in untouched:
        for figure in ("window_posts:", "window_active:"):
            expect(have.get(figure + name, 0) == want.get(figure + name, 0),
                   f"{figure}{name}: {have.get(figure + name)}, truth {want.get(figure + name)}")


def damage(data):
    """Flips bits in the middle of the largest file: a block of accounts."""
    largest = max(data.glob("*.sst"), key=lambda file: file.stat().st_size)
    bytes_ = bytearray(largest.read_bytes())
    bytes_[len(bytes_) // 3] ^= 0xff
    largest.write_bytes(bytes_)


def run():
    with Folder() as folder:
        feed = Feed(folder, "--world", "small", "--accounts", 5_000, "--events", 100_000, "--days",
                    100, "--hold-alone", "--pause-at", 1, "--retention", "200d")
        expected = Truth(feed.log)
        daemon = Daemon(folder, feed.url(), *OPTIONS)
        data, into = daemon.data_dir, folder / "into"
        try:
            feed.advance(30_000)
            daemon.settle(feed, 30_000)
            geotally(65, "rebuild", "--data-dir", data, "--into", into, says="a daemon holds it")
            expect(daemon.stop() == 0, "the daemon's exit code is not 0")
            geotally(64, "rebuild", "--data-dir", data, "--into", data / "new")

            # Nothing is lost: every figure but the counters is the truth.
            (data / "CURRENT").write_text("MANIFEST-999999\n")
            geotally(65, "verify", "--data-dir", data, says="geotally rebuild")
            before = contents(data)
            print(geotally(0, "rebuild", "--data-dir", data, "--into", into, says="no gap").strip())
            expect(contents(data) == before, "the damaged store was changed")
            geotally(65, "rebuild", "--data-dir", data, "--into", into, says="nothing is ever replaced")
            geotally(0, "verify", "--data-dir", into, says=" 0 differ")
            daemon = Daemon(folder, feed.url(), *OPTIONS, data_dir=into)
            feed.advance(60_000)
            daemon.settle(feed, 60_000)
            lines = [line for line in expected.compare(60_000, daemon.page())
                     if not any(f" {counter}:" in line for counter in COUNTERS)]
            expect(not lines, "\n".join(lines[:20]) + f"\n{len(lines)} figures differ")
            expect(daemon.sample("geotally_feed_gaps_total") in (0, None), "a gap though nothing was lost")
            expect(daemon.stop() == 0, "the daemon's exit code is not 0")

            # A block of accounts: they are gone, their posts are not, and the gap says it.
            shutil.rmtree(data)
            into.rename(data)
            damage(data)
            geotally(65, "verify", "--data-dir", data, says="geotally rebuild")
            said = geotally(0, "rebuild", "--data-dir", data, "--into", into, says="gap: ")
            print(said.strip())
            geotally(0, "verify", "--data-dir", into, says=" 0 differ")
            daemon = Daemon(folder, feed.url(), *OPTIONS, data_dir=into)
            daemon.settle(feed, 60_000)
            page = truth.parse_page(daemon.page())
            expect(page[("geotally_feed_gaps_total", ())] == 1, "the gap is not counted")
            for name, _, _ in truth.WINDOWS:
                covered = page[("geotally_window_coverage_seconds", (("window", name),))]
                expect(covered == 0, f"{name} says that {covered} s of it were observed")
            have = sums(truth.page_figures(page)[0])
            want = sums(expected.at(60_000).figures(truth.page_edge(page)))
            expect(have["accounts"] < want["accounts"], "no account was lost")
            expect(have["accounts"] > 0.8 * want["accounts"], f"too many were lost: {have['accounts']}")
            expect(have.get("posts", 0) == 0, "what is replayed counted again")

            feed.advance(100_000)
            daemon.settle(feed, 100_000)
            page = truth.parse_page(daemon.page())
            want = expected.at(100_000).figures(truth.page_edge(page))
            check_beyond(page, want, least="30d")  # 40 days on
            posts = sum(posts_ever(daemon).values())
            expect(posts == sums(want)["posts"], f"{posts} posts ever, truth {sums(want)['posts']}")
            expect(daemon.stop() == 0, "the daemon's exit code is not 0")
            geotally(0, "verify", "--data-dir", into, says=" 0 differ")
        except Failure as failure:
            raise Failure(f"{failure}\n{daemon.errors()[-2000:]}") from None
        finally:
            end(daemon, feed)


if __name__ == "__main__":
    sys.exit(main(run))
