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

# What each way has to do, and how often at least: a step that is not reached is a failure.
# Of `write` only those to the store's own files are meant, not those to sockets and to logs.
WAYS = {
    "opening": {"write": 8, "fdatasync": 3, "fsync": 2, "rename": 3, "unlink": 2, "ftruncate": 1,
                "fallocate": 1},
    "a commit through the log": {"write": 1, "fdatasync": 1},
    "a commit in sorted files": {"openat": 8, "write": 5, "fdatasync": 8, "fsync": 4, "link": 4,
                                 "unlink": 4, "ftruncate": 1},
}
EVENTS = {"opening": 300, "a commit through the log": 300, "a commit in sorted files": 12_000}
FAMILIES = ["default", "accounts", "cells", "days", "gaps", "cities", "due"]
OPTIONS = ["--set", "store.commit_interval_ms=500"]


def written_files(data):
    """Those that the next commits write to."""
    files = [*data.glob("*.log"), *data.glob("MANIFEST-*")]
    files += [data / f"commit-{family}-{n}.sst.tmp" for family in FAMILIES for n in range(10)]
    return [f"--trace-path={file}" for file in files]


def die_in_commit(bench, call, number, events, within_s):
    """Whether the daemon came to its n-th call and was killed there."""
    bench.start()
    bench.settle()
    paths = written_files(bench.daemon.data_dir) if call == "write" else []
    # Its log is kept out of the way: what strace says goes to the daemon's.
    with open(bench.folder / "strace.log", "ab") as log:
        strace = subprocess.Popen(
            ["strace", "-f", "-p", str(bench.daemon.process.pid), "-o", "/dev/null", *paths, "-e",
             f"trace={call}", "-e", f"inject={call}:signal=KILL:when={number}"], stderr=log)
    wait_until("strace is attached", lambda: field(bench.daemon.process.pid, "TracerPid") != "0")
    bench.play(events)
    died = ends(bench.daemon.process, within_s)
    bench.kill()
    strace.wait()
    return died


def die_opening(bench, call, number, events, within_s):
    data = bench.folder / "data"
    options = store_files(data) if call == "write" else []
    process = under_strace(bench, f"{call}:signal=KILL:when={number}", call, options)
    bench.play(events)
    died = ends(process, within_s)
    if not died:
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    return died


def ends(process, within_s):
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
    bench.kill()
    for way, calls in WAYS.items():
        die = die_opening if way == "opening" else die_in_commit
        counts = []
        for call, least in calls.items():
            number = 0
            # Commits come for ever: what two of them do is enough.
            while number < 2 * least and die(bench, call, number + 1, EVENTS[way],
                                             60 if number < least else 5):
                number += 1
                verify(bench, row)
            expect(number >= least, f"{way}: {call} {number + 1} was not reached")
            counts.append(f"{call} {number}")
            verify(bench, row)
        reached.append(f"{way}: {', '.join(counts)}")
        print(reached[-1], flush=True)
    row.note = "; ".join(reached)
    return row


def verify(bench, row):
    wait_until("the store is free", lambda: is_free(bench.folder / "data" / "LOCK"))
    bench.start()
    bench.settle()
    bench.check(row)
    bench.kill()
