#!/usr/bin/env python3
"""Serves a file of recorded frames to the daemon over a real websocket, and prints what was
counted, rejected and dropped beside a naive count of the file. Exit code 1 if they differ."""

import argparse
import signal
import sys

from harness import Daemon, Feed, Folder, main, expect, truth


def counted(daemon, feed):
    """{row: figure} as the daemon says it."""
    metrics = daemon.metrics()
    page = truth.parse_page(daemon.page())

    def total(samples, name, **labels):
        return int(sum(value for (family, have), value in samples.items()
                       if family == name and labels.items() <= dict(have).items()))

    def events(kind):
        return total(metrics, "geotally_events_total", kind=kind)

    return {
        "frames": total(metrics, "geotally_feed_messages_total"),
        "posts": total(page, "geotally_posts_total"),
        "post deletions": total(page, "geotally_posts_deleted_total"),
        "profiles": events("profile"),
        "addresses": events("address"),
        "identity": events("identity"),
        "account": events("account"),
        "rejected": total(metrics, "geotally_events_rejected_total"),
        "replayed": total(metrics, "geotally_events_dropped_total", reason="replayed"),
        "uncounted": total(metrics, "geotally_events_dropped_total", reason="uncounted"),
        "too old": total(metrics, "geotally_events_dropped_total", reason="too_old"),
        "future": total(metrics, "geotally_events_dropped_total", reason="future"),
    }


def naive(path):
    """The same rows, by reading the file."""
    file = truth.count_frames(path)
    rows = {
        "frames": file["frames"],
        "posts": file["posts"],
        "post deletions": file["post_deletes"],
        "profiles": file["profiles"],
        "addresses": file["addresses"],
        "identity": file["kinds"].get("identity", 0),
        "account": file["kinds"].get("account", 0),
        "rejected": file["malformed"],
        "replayed": file["replayed"],
    }
    rows["uncounted"] = rows["frames"] - sum(
        value for name, value in rows.items() if name != "frames")
    rows["too old"] = rows["future"] = 0
    return rows


def run(path, arguments=()):
    with Folder() as folder:
        feed = Feed(folder, "--file", path, "--hold-alone")
        # Everything that the file holds is asked for, so that all of it is seen to be dropped.
        daemon = Daemon(folder, feed.url(), "--clock", "feed", "--set", "feed.collections=[]",
                        *arguments)
        try:
            daemon.settle(feed, feed.status()["size"])
            have, want = counted(daemon, feed), naive(path)
            print(f"{'':16}{'counted':>10}{'file':>10}")
            for row in want:
                mark = "" if have[row] == want[row] else "   differs"
                print(f"{row:16}{have[row]:>10}{want[row]:>10}{mark}")
            print()
            for (name, labels), value in sorted(truth.parse_page(daemon.page()).items()):
                if name == "geotally_accounts" and value:
                    print(f"accounts in {dict(labels)['country']}: {value}")
            expect(have == want, "the daemon and the file differ")
        finally:
            daemon.stop(signal.SIGTERM)
            feed.stop()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("file")
    options = parser.parse_args()
    sys.exit(main(lambda: run(options.file)))
