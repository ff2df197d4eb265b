"""kill -9 at every step that the store takes on the disk: while it opens, in a commit through the
log, and in a commit of thousands of accounts, which goes in as sorted files.

A step is a system call; strace kills the daemon as it enters the n-th of a kind, for n = 1, 2, …
until there are no more: no hook in the program, and no step that is left out.
"""

import os
import signal
import subprocess
import time

from bench import Row, expect, field, wait_until
from kills import is_free, store_files, under_strace

# What each way has to do, and how often: that many are tried, and one that is not reached is a
# failure. Of `write` only those to the store's own files are meant, not those to sockets and logs.
WAYS = {
    "opening": {"write": 16, "fdatasync": 6, "fsync": 2, "rename": 3, "unlink": 3, "ftruncate": 1,
                "fallocate": 2},
    "a commit through the log": {"write": 2, "fdatasync": 2, "openat": 1, "fallocate": 1},
    "a commit in sorted files": {"openat": 12, "fallocate": 1, "write": 5, "fdatasync": 9,
                                 "fsync": 4, "link": 3,
                                 "unlink": 4, "ftruncate": 1},
}
# In sorted files goes what has thousands of accounts, from one mark to the next: under strace that
# needs some seconds.
EVENTS = {"opening": 300, "a commit through the log": 300, "a commit in sorted files": 8_000}
INTERVAL_MS = {"opening": 250, "a commit through the log": 250, "a commit in sorted files": 2_000}
FAMILIES = ["default", "accounts", "cells", "days", "gaps", "cities", "due"]


def written_files(data):
    """Those that the next commits write to."""
    files = [*data.glob("*.log"), *data.glob("MANIFEST-*")]
    files += [data / f"commit-{family}-{n}.sst.tmp" for family in FAMILIES for n in range(10)]
    return [f"--trace-path={file}" for file in files]


def die_in_commit(bench, call, number, events):
    """Whether the daemon came to its n-th call and was killed there."""
    paths = written_files(bench.daemon.data_dir) if call == "write" else []
    # All of it lies in the socket when the daemon goes on, so that one commit takes it, however slow
    # it is under strace.
    bench.daemon.process.send_signal(signal.SIGSTOP)
    bench.play(events)
    wait_until("the events are sent", lambda: bench.feed.status()["emitted"] >= bench.at)
    with open(bench.folder / "strace.log", "ab") as log:
        strace = subprocess.Popen(
            ["strace", "-f", "-p", str(bench.daemon.process.pid), "-o", "/dev/null", *paths, "-e",
             f"trace={call}", "-e", f"inject={call}:signal=KILL:when={number}"], stderr=log)
    wait_until("strace is attached", lambda: field(bench.daemon.process.pid, "TracerPid") != "0")
    bench.daemon.process.send_signal(signal.SIGCONT)
    died = ends(bench.daemon.process)
    bench.kill()
    strace.wait()
    return died


def die_opening(bench, call, number, events):
    bench.kill()
    data = bench.folder / "data"
    options = store_files(data) if call == "write" else []
    process = under_strace(bench, f"{call}:signal=KILL:when={number}", call, options)
    bench.play(events)
    died = ends(process)
    if not died:
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    return died


def ends(process, within_s=20):
    end = time.monotonic() + within_s
    while process.poll() is None and time.monotonic() < end:
        time.sleep(0.02)
    return process.poll() is not None


def at_steps(bench):
    row = Row("kill -9 at each step of a commit")
    reached = []
    bench.start()
    bench.play(2_000)
    bench.settle()
    for way, calls in WAYS.items():
        die = die_opening if way == "opening" else die_in_commit
        bench.kill()
        bench.options += ["--set", f"store.commit_interval_ms={INTERVAL_MS[way]}"]
        verify(bench)
        for call, times in calls.items():
            for number in range(1, times + 1):
                # A slow machine may come to a mark before all that was sent is read.
                for _ in range(3):
                    died = die(bench, call, number, EVENTS[way])
                    verify(bench, row)
                    if died:
                        break
                expect(died, f"{way}: {call} {number} was not reached")
        reached.append(f"{way}: " + ", ".join(f"{call} {times}" for call, times in calls.items()))
        print(reached[-1], flush=True)
    row.note = "; ".join(reached)
    return row


def verify(bench, row=None):
    """Started again, it shows the truth; and it goes on."""
    wait_until("the store is free", lambda: is_free(bench.folder / "data" / "LOCK"))
    bench.start()
    bench.settle()
    if row is not None:
        bench.check(row)
