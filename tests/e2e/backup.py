#!/usr/bin/env python3
"""Goal: a backup of a running daemon is whole; from it the figures become the truth again, and the
counters start again from 0. What cannot be trusted is refused, and nothing is replaced.

Method: backups while a world streams in, one of them killed; the store is lost; restore; replay.
"""

import shutil
import signal
import subprocess
import sys
import time

from harness import (BIN, Daemon, Failure, Feed, Folder, Truth, end, expect, main, truth,
                     wait_until)

OPTIONS = ["--clock", "feed", "--set", "tally.fence_horizon_s=900",
           "--set", "feed.margin_s=900"]


def geotally(code, *arguments, says=""):
    done = subprocess.run([BIN / "geotally", *map(str, arguments)], capture_output=True, check=False)
    said = (done.stdout + done.stderr).decode()
    expect(done.returncode == code, f"{arguments}: exit {done.returncode}: {said}")
    expect(says in said, f"{arguments}: {says!r} is not said: {said}")
    return said


def contents(folder):
    return {path.relative_to(folder): path.read_bytes() for path in folder.rglob("*")
            if path.is_file()}


def run():
    with Folder() as folder:
        feed = Feed(folder, "--world", "small", "--accounts", 5_000, "--events", 100_000, "--days",
                    100, "--hold-alone", "--pause-at", 1, "--retention", "200d")
        expected = Truth(feed.log)
        daemon = Daemon(folder, feed.url(), *OPTIONS)
        data, backups = daemon.data_dir, folder / "backups"
        where = ["--data-dir", data, "--backup-dir", backups]
        try:
            # The restored store must be one commit, whole: at a moment that the truth knows.
            feed.advance(30_000)
            daemon.settle(feed, 30_000)
            print(geotally(0, "backup", *where, says="verified").strip())
            # Under load, one after the other, and one that is killed on the way.
            feed.control("/control", rate=20_000)
            feed.advance(60_000)
            for _ in range(3):
                print(geotally(0, "backup", *where, says="verified").strip())
            killed = subprocess.Popen([BIN / "geotally", "backup", *map(str, where)])
            wait_until("the backup is at work", lambda: (data / "checkpoint").exists() or
                       killed.poll() is not None)
            killed.send_signal(signal.SIGKILL)
            killed.wait()
            daemon.settle(feed, 60_000)
            before = truth.parse_page(daemon.page())
            feed.advance(70_000)
            daemon.settle(feed, 70_000)
            daemon.kill()

            # Nothing is replaced.
            kept = contents(data)
            geotally(65, "restore", *where, says="nothing is ever replaced")
            expect(contents(data) == kept, "a refused restore changed something")
            shutil.rmtree(data)
            geotally(65, "restore", "--data-dir", data, "--backup-dir", folder / "none")
            # A restore that is killed is simply begun again.
            killed = subprocess.Popen([BIN / "geotally", "restore", *map(str, where)])
            time.sleep(0.02)
            killed.send_signal(signal.SIGKILL)
            killed.wait()
            if not (data / "CURRENT").exists():
                print(geotally(0, "restore", *where, says="restored").strip())
            geotally(0, "verify", "--data-dir", data, says=" 0 differ")

            daemon = Daemon(folder, feed.url(), *OPTIONS)
            daemon.settle(feed, 70_000)
            after = truth.parse_page(daemon.page())
            world = expected.at(70_000).figures(truth.page_edge(after))
            have, _ = truth.page_figures(after)
            for (name, labels), value in after.items():
                if name.endswith("_total"):
                    expect(value < before.get((name, labels), 1) or value == 0,
                           f"{name}{dict(labels)}: {value} did not start again")
            counters = ("posts", "deletions")
            rest = [line for line in truth.differences(world, have)
                    if not any(f" {counter}:" in line for counter in counters)]
            expect(not rest, "\n".join(rest[:20]) + f"\n{len(rest)} figures differ")
            geotally(0, "backup", *where, "--keep", 2, says="verified")
            expect(len(list((backups / "meta").iterdir())) == 2, "--keep 2 kept others")

            # The store of somebody else, and a file of a backup that is not as it was written.
            daemon.stop(signal.SIGTERM)
            geotally(0, "backup", *where, says="verified")  # no daemon: from the store itself
            largest = max((backups / "shared_checksum").iterdir(), key=lambda f: f.stat().st_size)
            largest.write_bytes(largest.read_bytes()[:-1] + b"!")
            geotally(65, "restore", "--data-dir", folder / "other", "--backup-dir", backups)
            expect(not (folder / "other" / "CURRENT").exists(), "a broken backup was put in place")
        except Failure as failure:
            raise Failure(f"{failure}\n{daemon.errors()[-2000:]}") from None
        finally:
            end(daemon, feed)


if __name__ == "__main__":
    sys.exit(main(run))
