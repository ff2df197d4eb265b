"""kill -9 at random moments, and at every step that a commit takes on the disk."""

import fcntl
import os
import signal
import subprocess
import time

from bench import BIN, OPTIONS, Daemon, Row, expect, wait_until

# What a commit does to make itself durable, as system calls. strace kills the daemon as it enters
# the n-th of them since its start: no hook in the program, and no step that is left out.
STEPS = ["fdatasync", "fsync", "rename", "link", "unlink", "ftruncate", "fallocate"]


def at_random(bench, kills, check_every, report=lambda row: None):
    """While events stream in: also during start-up, recovery and the first commits after it."""
    row = Row("kill -9 at random")
    rate = max(500, (bench.size - bench.at) // (2 * kills))
    bench.start()
    bench.flow(rate)
    killed = 0
    while killed < kills:
        for _ in range(min(check_every, kills - killed)):
            time.sleep(bench.chance.random() * 1.5)
            if bench.daemon.process.poll() is None:
                bench.daemon.process.send_signal(signal.SIGKILL)
            bench.daemon.stop(signal.SIGKILL)
            killed += 1
            # Not waited for: the next kill may come before it listens.
            bench.daemon = Unready(bench)
        bench.daemon.stop(signal.SIGKILL)
        bench.start()
        bench.hold()
        bench.check(row)
        row.tries = killed
        report(row)
        bench.flow(rate)
    bench.kill()
    return row


class Unready:
    """A daemon that nobody waits for."""

    def __init__(self, bench):
        self._log = open(bench.folder / "unready.log", "ab")
        self.process = subprocess.Popen(
            [str(part) for part in command(bench)], stdout=subprocess.DEVNULL, stderr=self._log)

    def stop(self, how):
        if self.process.poll() is None:
            self.process.send_signal(how)
        code = self.process.wait()
        self._log.close()
        expect(code in (0, -signal.SIGKILL, -signal.SIGTERM), f"it ended by itself: {code}")


def command(bench):
    return [BIN / "geotally", "run", "--data-dir", bench.folder / "data", "--listen", "127.0.0.1:0",
            "--set", "resolver.threshold=0.7", "--set", "log.format=json", "--set",
            "feed.start=oldest", "--set", "feed.quiet_s=0", "--feed", bench.feed.url(),
            *bench.options]


def under_strace(bench, injection, calls, deadline_s=60):
    """Starts the daemon with faults in its system calls; returns the process. Its log is kept."""
    log = open(bench.folder / "strace.log", "ab")
    return subprocess.Popen(
        ["strace", "-f", "-qq", "-o", "/dev/null", "-e", f"trace={calls}", "-e",
         f"inject={injection}", *[str(part) for part in command(bench)]],
        stdout=subprocess.DEVNULL, stderr=log, start_new_session=True)


def is_free(lock):
    """Whether the last thread of whoever held it is gone."""
    with open(lock, "rb+") as file:
        try:
            fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return True
        except OSError:
            return False


def at_steps(bench, numbers):
    """numbers: which calls of each kind, counted from the start of the process."""
    row = Row("kill -9 at each step of a commit")
    reached = {}
    bench.start()
    bench.play(2_000)
    bench.settle()
    bench.kill()
    for call in STEPS:
        for number in numbers:
            process = under_strace(bench, f"{call}:signal=KILL:when={number}", call)
            bench.play(3_000)
            end = time.monotonic() + 8
            while process.poll() is None and time.monotonic() < end:
                time.sleep(0.05)
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)  # so many of them do not come
            else:
                reached[call] = reached.get(call, 0) + 1
            process.wait()
            wait_until("the store is free", lambda: is_free(bench.folder / "data" / "LOCK"))
            bench.start()
            bench.settle()
            bench.check(row)
            bench.kill()
    expect(reached, "strace killed nothing")
    row.note = ", ".join(f"{call} {count}" for call, count in sorted(reached.items()))
    return row
