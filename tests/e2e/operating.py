#!/usr/bin/env python3
"""Goal: what a daemon tells its operator when something is wrong is true, and a mistake changes
nothing.

Method: one thing is wrong at a time: the file of a reload, the disk, the store.

  operating.py [reload|ready|cursor|invariant ...]     default: all
"""

import json
import signal
import subprocess
import sys

from harness import BIN, Daemon, Feed, Folder, end, expect, get, main, wait_until

EVENTS = 4_000


def small_feed(folder):
    return Feed(folder, "--world", "small", "--accounts", 300, "--events", EVENTS, "--hold-alone",
                "--pause-at", EVENTS // 2, "--retention", "200d", log=False)


def events(daemon):
    """Names of what it said, in order."""
    return [json.loads(line)["attributes"]["event"] for line in daemon.errors().splitlines()
            if line.startswith("{")]


def reload(folder):
    """A configuration with a mistake at its end: nothing of it holds, not even what is right."""
    file = folder / "geotally.toml"
    file.write_text("[log]\nlevel = 'info'\n")
    feed = small_feed(folder)
    daemon = None

    def reconnects():
        before = events(daemon).count("feed.connected")
        feed.control("/fault", spec="drop@%d:how=bare" % (feed.status()["emitted"] + 10))
        feed.advance(feed.status()["emitted"] + 20)
        wait_until("it connects again", lambda: events(daemon).count("feed.connected") > before)
        return "feed.connecting" in events(daemon)  # said at the level `debug` only

    try:
        daemon = Daemon(folder, feed.url(), "--clock", "feed", "--config", file,
                        "--set", "feed.backoff_max_s=1")
        daemon.settle(feed, EVENTS // 2)
        for broken in ("[log]\nlevel = 'debug'\n[feed]\nquiet = 3\n",
                       "[log]\nlevel = 'debug'\n[tally]\nclock = 'sundial'\n",
                       "[log]\nlevel = 'debug'\n[store\n"):
            file.write_text(broken)
            failed = events(daemon).count("config.reload_failed")
            daemon.process.send_signal(signal.SIGHUP)
            wait_until("it is refused",
                       lambda: events(daemon).count("config.reload_failed") == failed + 1)
            expect(not reconnects(), f"a part of it holds: {broken}")
        expect("config.reloaded" not in events(daemon), "it says that it was reloaded")
        file.write_text("[log]\nlevel = 'debug'\n")
        daemon.process.send_signal(signal.SIGHUP)
        wait_until("it is taken", lambda: "config.reloaded" in events(daemon))
        expect(reconnects(), "the new level does not hold")
    finally:
        end(daemon, feed)


def ready(folder):
    """The disk is full: `/readyz` says so as long as it lasts, and `geotally healthcheck`."""
    feed = small_feed(folder)
    daemon = None
    try:
        # The second time that a thread sets room aside, there is none: the first is the opening,
        # and the first commit.
        daemon = Daemon(folder, feed.url(), "--clock", "feed", wrapper=[
            "strace", "-D", "-f", "-qq", "-o", "/dev/null", "-e", "trace=fallocate",
            "-e", "inject=fallocate:error=ENOSPC:when=2+"])
        wait_until("commits fail", lambda: daemon.sample("geotally_store_commit_errors_total") > 1)
        url = f"http://127.0.0.1:{daemon.port}"
        expect(get(f"{url}/healthz")[0] == 200, "it lives")
        code, body = get(f"{url}/readyz")
        expect(code == 503 and "commits fail" in body, f"/readyz: {code} {body}")
        check = subprocess.run([BIN / "geotally", "healthcheck", "--listen", f"127.0.0.1:{daemon.port}"],
                               capture_output=True, check=False)
        expect(check.returncode == 1, f"healthcheck: {check}")
        line = next(json.loads(line)["attributes"] for line in daemon.errors().splitlines()
                    if '"store.commit_failed"' in line)
        expect("No space left" in line["error"] and line["commit"] > 0, line)
    finally:
        end(daemon, feed)


def spoiled(folder, what):
    """The feed, and a store of half of it that holds what no daemon writes."""
    feed = small_feed(folder)
    daemon = Daemon(folder, feed.url(), "--clock", "feed")
    try:
        daemon.settle(feed, EVENTS // 2)
    finally:
        daemon.stop(signal.SIGTERM)
    subprocess.run([BIN / "store_spoil", daemon.data_dir, what], check=True)
    return feed


def cursor(folder):
    """Where the feed is to be resumed cannot be read: refused, and not followed from elsewhere."""
    feed = spoiled(folder, "cursor")
    try:
        done = subprocess.run([BIN / "geotally", "run", "--data-dir", folder / "data", "--listen",
                               "127.0.0.1:0", "--clock", "feed", "--feed", feed.url()],
                              capture_output=True, check=False, timeout=60)
        said = [line for line in done.stderr.decode().splitlines() if not line.startswith("{")]
        expect(done.returncode == 65, done)
        expect(len(said) == 1 and "cursor is corrupt" in said[0], said)
    finally:
        end(feed)


def invariant(folder):
    """A cell would fall below zero: the log says so, with its place, and the process aborts."""
    feed = spoiled(folder, "totals")
    daemon = None
    try:
        daemon = Daemon(folder, feed.url(), "--clock", "feed")
        feed.control("/control", pause_at=EVENTS)
        code = daemon.process.wait(timeout=60)
        expect(code == -signal.SIGABRT, f"it ended with {code}")
        line = json.loads(daemon.errors().splitlines()[-1])
        fields = line["attributes"]
        expect((line["severity_text"], fields["event"], fields["what"]) ==
               ("fatal", "invariant.broken", "a cell left its range"), line)
        expect("result >= 0" in fields["condition"] and "totals.cpp:" in fields["place"], line)
    finally:
        end(daemon, feed)


def run():
    for case in [globals()[name] for name in sys.argv[1:]] or [reload, ready, cursor, invariant]:
        with Folder() as folder:
            case(folder)
        print(f"{case.__name__}: as promised", flush=True)


if __name__ == "__main__":
    sys.exit(main(run))
