#!/usr/bin/env python3
"""Serves a file of recorded frames to the daemon over a real websocket, and prints what was
counted, rejected and dropped beside a naive count of the file. Exit code 1 if they differ."""

import argparse
import json
import signal
import sys
from pathlib import Path

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
        "profile deletions": events("profile_delete"),
        "addresses": events("address"),
        "address deletions": events("address_delete"),
        "identity": events("identity"),
        "account": events("account"),
        "rejected": total(metrics, "geotally_events_rejected_total"),
        "replayed": total(metrics, "geotally_events_dropped_total", reason="replayed"),
        "uncounted": total(metrics, "geotally_events_dropped_total", reason="uncounted"),
        "too old": total(metrics, "geotally_events_dropped_total", reason="too_old"),
        "future": total(metrics, "geotally_events_dropped_total", reason="future"),
    }


PATHS = {"jetstream-v1": "/subscribe",
         "jetstream-v2": "/xrpc/network.bsky.jetstream.subscribeEvents"}

COUNTED = {(truth.POST, "create"): "posts", (truth.POST, "delete"): "post deletions",
           (truth.PROFILE, "create"): "profiles", (truth.PROFILE, "update"): "profiles",
           (truth.PROFILE, "delete"): "profile deletions",
           (truth.ADDRESS, "create"): "addresses", (truth.ADDRESS, "update"): "addresses",
           (truth.ADDRESS, "delete"): "address deletions",
           (truth.PERSON, "create"): "addresses", (truth.PERSON, "update"): "addresses",
           (truth.PERSON, "delete"): "address deletions"}


def naive(path):
    """The same rows, by reading the file: what is whole, what comes twice, what is none of ours."""
    rows = dict.fromkeys(["frames", "posts", "post deletions", "profiles", "profile deletions",
                          "addresses", "address deletions", "identity", "account", "rejected",
                          "replayed", "uncounted", "too old", "future"], 0)
    seen = set()
    for line in Path(path).read_bytes().splitlines():
        if not line:
            continue
        rows["frames"] += 1
        try:
            frame = json.loads(line.decode())
            if "payload" in frame:  # v2
                body = frame["payload"]
                kind, did = body["$type"].partition("#")[2], body["did"]
                body = body if kind == "commit" else body.get(kind, {})
            else:
                kind, did = frame["kind"], frame["did"]
                body = frame["commit"] if kind == "commit" else frame.get(kind, {})
            row = (COUNTED.get((body["collection"], body["operation"])) if kind == "commit" else
                   kind if kind in ("identity", "account") else None)
        except (ValueError, KeyError, TypeError):
            rows["rejected"] += 1
            continue
        identity = (did, row) + tuple(body.get(name) for name in (
            ("rev", "collection", "rkey", "operation") if kind == "commit" else ("time", "seq")))
        if row is not None and identity in seen:
            row = "replayed"
        seen.add(identity)
        rows[row or "uncounted"] += 1
    return rows


def run(path, wire):
    with Folder() as folder:
        feed = Feed(folder, "--file", path, "--hold-alone")
        # Everything that the file holds is asked for, so that all of it is seen to be dropped.
        where = PATHS[wire]
        daemon = Daemon(folder, feed.url(path=where), "--clock", "feed", "--wire", wire, "--set",
                        "feed.collections=[]")
        try:
            daemon.settle(feed, feed.status()["size"])
            have, want = counted(daemon, feed), naive(path)
            print(f"{'':16}{'counted':>10}{'file':>10}")
            for row in want:
                mark = "" if have[row] == want[row] else "   differs"
                print(f"{row:18}{have[row]:>8}{want[row]:>10}{mark}")
            print()
            for (name, labels), value in sorted(truth.parse_page(daemon.page()).items()):
                if name == "geotally_accounts" and value:
                    print(f"accounts in {dict(labels)['country']}: {value}")
            expect(have == want, "the daemon and the file differ\n" + daemon.errors()[-2000:])
        finally:
            daemon.stop(signal.SIGTERM)
            feed.stop()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("file")
    parser.add_argument("--wire", default="jetstream-v1", choices=PATHS)
    options = parser.parse_args()
    sys.exit(main(lambda: run(options.file, options.wire)))
