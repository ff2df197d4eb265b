"""Faults of the machine: disk, clock, limits, signals."""

import os
import signal
import subprocess
import time
from pathlib import Path

from bench import MEMORY_MIB, Row, expect, field, get, wait_until
from kills import command, is_free, store_files, under_strace


def refused_start(bench, wrapper, words):
    """A start that ends with 74 and one line that says why."""
    done = subprocess.run([*wrapper, *(str(word) for word in command(bench))], capture_output=True,
                          text=True, check=False, timeout=60)
    said = [line for line in done.stderr.splitlines() if not line.startswith("{")]
    expect(done.returncode == 74 and len(said) == 1 and words in said[0],
           f"a start: {done.returncode}: {said}")


def quota(tries):
    """A quota is used up, though the disk has room, and there is room again."""
    def run(bench):
        row = Row("quota used up, and room again")
        no_room = ["-f", "-qq", "-o", "/dev/null", "-e", "trace=fallocate", "-e",
                   "inject=fallocate:error=EDQUOT"]
        bench.start()
        bench.play(2_000)
        bench.settle()
        for _ in range(tries):
            before = bench.daemon.sample("geotally_store_commit_errors_total")
            strace = subprocess.Popen(["strace", "-p", str(bench.daemon.process.pid), *no_room],
                                      stderr=subprocess.DEVNULL)
            bench.play(2_000)
            wait_until("commits fail", lambda: bench.daemon.sample(
                "geotally_store_commit_errors_total") > before)
            expect("quota" in bench.daemon.errors(), "the log says that it is a quota")
            code, _ = get(f"http://127.0.0.1:{bench.daemon.port}/healthz")
            expect(code == 200, f"/healthz: {code}")
            strace.terminate()
            strace.wait()
            bench.settle()
            bench.check(row)
            bench.kill()
            refused_start(bench, ["strace", "-D", *no_room], "quota")
            wait_until("the store is free", lambda: is_free(bench.folder / "data" / "LOCK"))
            bench.start()
            bench.settle()
            bench.check(row)
        return row
    return run


def full_disk(tries):
    """A small file system of its own; something else fills it up, and goes again. Meanwhile the
    daemon waits; started anew, it ends with 74 where opening has no room, or waits as well."""
    def run(bench):
        row = Row("disk full, and space again")
        data = bench.folder / "data"
        data.mkdir()
        mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=160m", "none", data],
                                 capture_output=True, check=False)
        expect(mounted.returncode == 0, f"mounting needs root: {mounted.stderr.decode()}")
        try:
            bench.start()
            bench.play(2_000)
            bench.settle()
            for _ in range(tries):
                ballast = data / "ballast"
                with open(ballast, "wb") as file:
                    free = os.statvfs(data).f_bavail * os.statvfs(data).f_frsize
                    file.truncate(free)
                    os.posix_fallocate(file.fileno(), 0, max(1, free - (1 << 20)))
                before = bench.daemon.sample("geotally_store_commit_errors_total")
                bench.play(2_000)
                wait_until("commits fail", lambda: bench.daemon.sample(
                    "geotally_store_commit_errors_total") > before)
                code, _ = get(f"http://127.0.0.1:{bench.daemon.port}/healthz")
                expect(code == 200, f"/healthz: {code}")
                bench.kill()
                refused_start(bench, [], "the disk is full")
                wait_until("the store is free", lambda: is_free(data / "LOCK"))
                os.truncate(ballast, ballast.stat().st_size - (16 << 20))
                bench.start()
                wait_until("commits fail", lambda: bench.daemon.sample(
                    "geotally_store_commit_errors_total") > 0)
                ballast.unlink()
                bench.settle()
                bench.check(row)
            bench.kill()
        finally:
            bench.kill()
            subprocess.run(["umount", data], check=False)
        return row
    return run


# What strace does to the daemon's system calls: (name, injection, calls).
DISK_CALLS = [
    ("fdatasync fails once (EIO)", "fdatasync:error=EIO:when={n}", "fdatasync"),
    ("fsync fails once (EIO)", "fsync:error=EIO:when={n}", "fsync"),
    ("fdatasync says full once (ENOSPC)", "fdatasync:error=ENOSPC:when={n}", "fdatasync"),
    ("fdatasync says quota once (EDQUOT)", "fdatasync:error=EDQUOT:when={n}", "fdatasync"),
    ("rename fails once (EIO)", "rename:error=EIO:when={n}", "rename"),
    ("reads fail once (EIO)", "pread64:error=EIO:when={n}", "pread64"),
    ("fdatasync takes a second", "fdatasync:delay_enter=1000000", "fdatasync"),
    ("reads take 20 ms", "pread64:delay_enter=20000", "pread64"),
]


def disk_call(name, injection, calls, numbers):
    """The daemon may go on or end with 65 or 74; started again, nothing is lost or counted twice."""
    def run(bench):
        row = Row(name)
        ends = {}
        bench.start()
        bench.play(2_000)
        bench.settle()
        bench.kill()
        for n in numbers:
            # What the loader reads before main() is not meant.
            files = store_files(bench.folder / "data") if calls == "pread64" else []
            process = under_strace(bench, injection.format(n=n), calls, files)
            bench.play(3_000)
            end = time.monotonic() + 6
            while process.poll() is None and time.monotonic() < end:
                time.sleep(0.05)
            ended = process.poll()
            if ended is None:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
            else:
                expect(ended in (65, 70, 74, 134, -6), f"{name}: it ended with {ended}")
            what = "killed" if ended is None else f"exit {ended}"
            ends[what] = ends.get(what, 0) + 1
            wait_until("the store is free", lambda: is_free(bench.folder / "data" / "LOCK"))
            bench.start()
            bench.settle()
            bench.check(row)
            bench.kill()
        row.note = ", ".join(f"{what} {count}" for what, count in sorted(ends.items()))
        return row
    return run


def clock(tries):
    """The clock is put an hour ahead, an hour back, and right again, while the daemon runs and while
    it does not. The world's last events are of this hour."""
    def run(bench):
        row = Row("clock an hour ahead, an hour behind")
        now = bench.folder / "clock"
        now.write_text("+0h\n")
        library, = Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1")
        bench.environment = {**os.environ, "LD_PRELOAD": str(library), "FAKETIME_NO_CACHE": "1",
                             "FAKETIME_TIMESTAMP_FILE": str(now),
                             "FAKETIME_DONT_FAKE_MONOTONIC": "1"}
        bench.start()
        bench.play(bench.size - 600 * 3 * tries)
        bench.settle()
        for number, step in enumerate(["+1h", "-1h", "+0h"] * tries):
            if number % 2 == 1:
                bench.kill()
            now.write_text(step + "\n")
            if number % 2 == 1:
                bench.start()
            bench.play(600)
            bench.settle()
            bench.check(row)
        row.note = "by faketime"
        return row
    return run


def signals(tries):
    def run(bench):
        row = Row("SIGHUP and SIGTERM under load")
        bench.start()
        bench.flow(3_000)
        for _ in range(tries):
            for _ in range(5):
                bench.daemon.process.send_signal(signal.SIGHUP)
                time.sleep(0.1)
            expect(bench.daemon.stop(signal.SIGTERM) == 0, "SIGTERM: exit code is not 0")
            bench.start()
            bench.hold()
            bench.check(row)
            bench.flow(3_000)
        return row
    return run


def limits(tries):
    """64 descriptors, and 1.5 GiB of address space."""
    def run(bench):
        row = Row("64 file descriptors; 1.5 GiB of address space")
        bench.start()
        bench.play(1_000)
        bench.settle()
        for resource in ["--nofile=64", f"--as={3 << 29}"] * tries:
            bench.kill()
            bench.start()
            subprocess.run(["prlimit", "--pid", str(bench.daemon.process.pid), resource], check=True)
            sockets = []
            try:
                import socket
                for _ in range(200):
                    sockets.append(socket.create_connection(("127.0.0.1", bench.daemon.port)))
            except OSError:
                pass
            bench.play(2_000)
            wait_until("the events are out", lambda: bench.feed.status()["emitted"] >= bench.at)
            for one in sockets:
                one.close()
            bench.settle()
            bench.check(row)
        row.note = f"RSS at most {bench.rss_mib():.0f} of {MEMORY_MIB} MiB"
        return row
    return run


def out_of_memory(tries):
    """No more address space than it has: what it needs next it does not get. It may end; started
    again, it goes on from the last commit."""
    def run(bench):
        row = Row("allocations fail")
        ends = {}
        for _ in range(tries):
            bench.start()
            bench.play(500)
            bench.settle()
            process = bench.daemon.process
            limit = int(field(process.pid, "VmSize")) * 1024 + bench.chance.randrange(0, 8 << 20)
            subprocess.run(["prlimit", "--pid", str(process.pid), f"--as={limit}"], check=True)
            bench.play(9_000)
            end = time.monotonic() + 6
            while process.poll() is None and time.monotonic() < end:
                time.sleep(0.05)
            what = "goes on" if process.poll() is None else f"ends with {process.returncode}"
            ends[what] = ends.get(what, 0) + 1
            bench.kill()
            bench.start()
            bench.settle()
            bench.check(row)
            bench.kill()
        row.note = ", ".join(f"{what} {count}" for what, count in sorted(ends.items()))
        return row
    return run


class MemoryCgroup:
    """A control group of its own with a bound on memory, as systemd's MemoryMax= makes one; of
    whichever version the machine has. Needs root."""

    def __init__(self):
        root = Path("/sys/fs/cgroup")
        controllers = root / "cgroup.controllers"
        unified = controllers.exists() and "memory" in controllers.read_text().split()
        self.path = (root if unified else root / "memory") / f"geotally-{os.getpid()}"
        self._bound = self.path / ("memory.max" if unified else "memory.limit_in_bytes")
        self.wrapper = ("sh", "-c", f'echo $$ > {self.path}/cgroup.procs && exec "$@"', "sh")

    def __enter__(self):
        self.path.mkdir()
        return self

    def __exit__(self, *_):
        wait_until("the control group is empty",
                   lambda: not (self.path / "cgroup.procs").read_text())
        self.path.rmdir()

    def bound(self, mib):
        self._bound.write_text(str(mib << 20))


def memory_cgroup(tries):
    """As wide as store.memory_mib: nothing happens. Too narrow: the kernel kills the daemon, and
    with room again it goes on from the last commit."""
    def run(bench):
        row = Row("a memory cgroup of store.memory_mib; one that is too narrow")
        killed = 0
        with MemoryCgroup() as group:
            try:
                bench.wrapper = group.wrapper
                group.bound(MEMORY_MIB)
                bench.start()
                bench.play(100_000)
                bench.settle()
                bench.check(row)
                peak = bench.rss_mib()
                bench.kill()
                for _ in range(tries):
                    group.bound(bench.chance.randrange(16, 40))
                    with open(bench.folder / "narrow.log", "ab") as log:
                        process = subprocess.Popen(
                            [*group.wrapper, *(str(word) for word in command(bench))],
                            stdout=subprocess.DEVNULL, stderr=log)
                    bench.play(9_000)
                    end = time.monotonic() + 6
                    while process.poll() is None and time.monotonic() < end:
                        time.sleep(0.05)
                    killed += process.poll() == -signal.SIGKILL
                    process.kill()
                    process.wait()
                    group.bound(MEMORY_MIB)
                    bench.start()
                    bench.settle()
                    bench.check(row)
                    bench.kill()
            finally:
                if bench.daemon is not None:
                    bench.kill()
        expect(killed > 0, f"{row.fault}: it was never too narrow")
        row.note = (f"RSS at most {peak:.0f} of {MEMORY_MIB} MiB; "
                    f"killed by the kernel in {killed} of {tries}")
        return row
    return run
