"""kill -9 at random moments, and the daemon under strace."""

import fcntl
import os
import signal
import subprocess
import time

from bench import BIN, Row, expect


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
            "--set", "resolver.threshold=0.35", "--set", "log.format=json", "--set",
            "feed.start=oldest", "--set", "feed.quiet_s=0",
            *(word for url in bench.urls for word in ("--feed", url)), *bench.options]


def under_strace(bench, injection, calls, options=()):
    """Starts the daemon with faults in its system calls; returns the process. Its log is kept."""
    log = open(bench.folder / "strace.log", "ab")
    return subprocess.Popen(
        ["strace", "-f", "-qq", "-o", "/dev/null", *options, "-e", f"trace={calls}", "-e",
         f"inject={injection}", *[str(part) for part in command(bench)]],
        stdout=subprocess.DEVNULL, stderr=log, start_new_session=True)


def store_files(data):
    """For strace: only the files of the store, those too that opening it will make. RocksDB numbers
    them."""
    there = [file for file in data.iterdir() if not file.name.startswith("LO")]  # LOG, LOCK
    newest = max(int("".join(c for c in file.name if c.isdigit()) or 0) for file in there)
    made = ["{:06}.log", "{:06}.sst", "MANIFEST-{:06}", "{:06}.dbtmp", "OPTIONS-{:06}.dbtmp"]
    there += [data / name.format(n) for n in range(newest, newest + 20) for name in made]
    return [f"--trace-path={file}" for file in there]


def is_free(lock):
    """Whether the last thread of whoever held it is gone."""
    with open(lock, "rb+") as file:
        try:
            fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return True
        except OSError:
            return False
