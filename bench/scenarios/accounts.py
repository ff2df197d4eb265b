"""Ten million accounts: rate, memory, disk, restarts, and too little memory for them."""

import os
import shutil
import signal
import subprocess
import time

from harness import Folder, expect
from measure import (Flood, Span, Watch, accounts_on, daemon_for, peak_rss_mib, rss_mib)
from table import at_least, at_most, printed, scenario
from throughput import one_flood

ACCOUNTS = 10_000_000
ROOMY = ["--set", "store.memory_mib=6144"]
# What leaves room for about a million of them: a quarter is RocksDB's, some 85 MiB are the program,
# queues and cells, and of the rest an account takes some 250 bytes: fences, the table, which is at
# most three quarters full, and its part of a commit.
TIGHT_MIB = 448
TIGHT = ["--set", f"store.memory_mib={TIGHT_MIB}"]


class Ten:
    """A store that holds them, and the flood that goes on. Made once a run."""

    def __init__(self, folder):
        self.folder = folder
        self.flood = Flood(folder, "--roll-call", accounts=ACCOUNTS)
        self.daemon = None
        self.start(ROOMY)
        self.empty_mib = rss_mib(self.daemon.process.pid)
        self.watch.until(ACCOUNTS, deadline_s=300)

    def start(self, settings):
        """Seconds until it was ready."""
        began = time.monotonic()
        self.daemon = daemon_for(self.folder, self.flood, *settings)
        took = time.monotonic() - began
        self.watch = Watch(self.daemon, self.flood)
        return took

    def end(self):
        if self.daemon.process.poll() is None:
            self.daemon.stop(signal.SIGKILL)
        self.flood.stop()


def ten(context):
    if "ten" not in context.keep:
        folder = context.folder()
        context.keep["ten"] = made = Ten(folder)
        context.at_end(made.end)
    made = context.keep["ten"]
    if made.daemon.process.poll() is not None:
        made.start(ROOMY)
    return made


@scenario("ten-million", 190)
def ten_million(context):
    """The flood with 10 million accounts, and what an account takes."""
    # Before and after, because the machine's pace changes within minutes.
    fewer = [one_flood()[0]]
    made = ten(context)
    time.sleep(6)
    # Long enough for rounds in which accounts are written anew: one every 15 to 25 s.
    spans = [Span(made.watch, 20) for _ in range(2 * context.repeats)]
    samples = made.watch.check()
    pid = made.daemon.process.pid
    known = accounts_on(samples)
    rows = [printed("10 million accounts", "events/s", [s.rate for s in spans],
                    f"{spans[-1].cpu_per_million:.2f} CPU-s a million: {spans[-1].by_thread()}")]
    rows += [
        printed("RSS at 10 million", "MiB", [rss_mib(pid)], f"{known:,} accounts are known"),
        printed("a hot account in memory", "bytes",
                [(rss_mib(pid) - made.empty_mib) * 2**20 / known],
                "RSS less that of an empty daemon, by accounts: fences and block cache included"),
    ]
    expect(made.daemon.stop() == 0, "SIGTERM: the exit code is not 0")
    rows.append(printed("an account on disk after compaction", "bytes",
                        [compacted_bytes(made.daemon.data_dir) / known],
                        "every table file of a compacted copy, by accounts"))
    fewer.append(one_flood()[0])
    rows.insert(1, at_least("… against 600,000 before and after it", "×",
                            [rate_of(spans) / rate_of(fewer)], 0.9,
                            f"{rate_of(spans):,.0f} and {rate_of(fewer):,.0f} events/s; rounds of "
                            "rewriting included"))
    return rows


def rate_of(spans):
    return sum(s.events for s in spans) / sum(s.seconds for s in spans)


def compacted_bytes(data_dir):
    with Folder() as folder:
        copy = folder / "copy"
        shutil.copytree(data_dir, copy)
        done = subprocess.run(["ldb", f"--db={copy}", "--column_family=accounts",
                               "--try_load_options", "compact"], capture_output=True, check=False)
        expect(done.returncode == 0, f"ldb: {done.stderr.decode()[-500:]}")
        os.sync()  # or the next measurement waits for it
        return sum(file.stat().st_size for file in copy.glob("*.sst"))


def until_fast(watch, began, rate, seconds_max):
    """Seconds after `began` at which events were committed at `rate`, over a second or more."""
    before = watch.look()
    while time.monotonic() - began < seconds_max:
        time.sleep(1)
        seen = watch.look()
        if seen.commit == before.commit:
            continue
        if (seen.events - before.events) / (seen.at_s - before.at_s) >= rate:
            return seen.at_s - began
        before = seen
    return float(seconds_max)


@scenario("restart", 80)
def restart(context):
    """Ready again with 10 million accounts, after SIGTERM and after kill -9."""
    made = ten(context)
    rows = []
    for name, how in (("SIGTERM", signal.SIGTERM), ("kill -9", signal.SIGKILL)):
        ready, fast = [], []
        for _ in range(context.repeats):
            if made.daemon.process.poll() is None:
                time.sleep(3)
                made.daemon.stop(how)
            ready.append(made.start(ROOMY))
            fast.append(until_fast(made.watch, time.monotonic(), 300_000, 30))
            made.watch.check()
        rows += [at_most(f"ready with 10 million accounts after {name}", "s", ready, 1),
                 at_most("… and at ≥ 300,000 events/s within", "s", fast, 10)]
    return rows


@scenario("tenth", 65)
def tenth(context):
    """Only about a tenth of 10 million accounts fit in memory."""
    made = ten(context)
    made.daemon.stop()
    made.start(TIGHT)
    made.watch.until(1)
    time.sleep(25)  # what was written under the flood is merged first
    spans = [Span(made.watch, 15) for _ in range(context.repeats)]
    made.watch.check()
    pid = made.daemon.process.pid
    rows = [at_least("a tenth of the accounts in memory", "events/s", [s.rate for s in spans],
                     100_000,
                     f"{spans[-1].cpu_per_million:.2f} CPU-s a million: {spans[-1].by_thread()}"),
            at_most("… peak RSS", "MiB", [peak_rss_mib(pid)], TIGHT_MIB,
                    "the bound is store.memory_mib")]
    made.daemon.stop()
    return rows
