"""As fast as it goes: from the socket to what is committed and shown."""

import os
import signal
import subprocess
import threading
import time

from harness import BIN, Folder, expect, get
from measure import (Ages, Flood, Span, Watch, accounts_on, buckets, cpu_s, daemon_for,
                     peak_rss_mib, quantile)
from table import at_least, at_most, printed, scenario
from wires import certificate

WARM_S = 6
SPAN_S = 12
AHEAD = 14_000_000


def one_flood(*arguments, settings=(), accounts=600_000, environment=None, host="127.0.0.1",
              measure=None):
    """A fresh daemon under the flood, warm: (span or what measure(watch) gives, peak RSS)."""
    with Folder() as folder:
        flood = Flood(folder, *arguments, accounts=accounts)
        daemon = daemon_for(folder, flood, *settings, host=host, environment=environment)
        try:
            watch = Watch(daemon, flood)
            watch.until(1)
            time.sleep(WARM_S)
            result = measure(watch) if measure else Span(watch, SPAN_S)
            watch.check()
            return result, peak_rss_mib(daemon.process.pid)
        finally:
            daemon.stop(signal.SIGKILL)
            flood.stop()


@scenario("flood", 65)
def flood(context):
    """600,000 accounts, as fast as it goes: events/s, CPU, commits, disk."""
    spans, peaks = zip(*(one_flood() for _ in range(context.repeats)))
    return [
        at_least("sustained, durable, end to end, 600,000 accounts, ws", "events/s",
                 [s.rate for s in spans], 900_000),
        at_most("CPU-seconds per million events, all threads", "s",
                [s.cpu_per_million for s in spans], 1.4, spans[-1].by_thread()),
        at_most("commit p99 at full load", "s", [s.commit_p99_s for s in spans], 0.4,
                "within a bucket of its histogram"),
        printed("disk written per million events", "MB",
                [s.written_per_million / 1e6 for s in spans]),
        printed("peak RSS at 600,000 accounts", "MiB", list(peaks), "store.memory_mib = 1024"),
    ]


@scenario("latency", 30)
def latency(context):
    """From sent by the feed to committed and visible, at full load."""
    ages, _ = one_flood(measure=lambda watch: Ages(watch, 20).p99_s())
    return [at_most("event to committed and visible, p99, at full load", "s", [ages], 1.6,
                    "looked at every 20 ms from outside, which slows the feed a little")]


@scenario("wss", 45)
def wss(context):
    """600,000 accounts over TLS."""
    with Folder() as folder:
        root, leaf, key = certificate(folder)
        spans = [one_flood("--tls-cert", leaf, "--tls-key", key, host="localhost",
                           environment={**os.environ, "SSL_CERT_FILE": str(root)})[0] for _ in range(context.repeats_few)]
    return [at_least("over wss", "events/s", [s.rate for s in spans], 550_000,
                     f"{spans[-1].cpu_per_million:.2f} CPU-s a million")]


@scenario("zstd", 45)
def zstd(context):
    """600,000 accounts, each message compressed with a dictionary."""
    with Folder() as folder:
        dictionary = folder / "dictionary"
        subprocess.run([BIN / "geotally-feed", "train-dictionary", "--out", dictionary, "--id",
                        "1612007021", "--wire", "v1"], check=True, capture_output=True)
        settings = ["--set", "feed.zstd=on", "--set", f"feed.zstd_dictionary={dictionary}"]
        generators = []

        def measure(watch):
            cpu, at = cpu_s(watch.flood.pid), time.monotonic()
            span = Span(watch, SPAN_S)
            generators.append((cpu_s(watch.flood.pid) - cpu) / (time.monotonic() - at))
            return span
        # Compressing takes the generator longer than the daemon takes for everything: it does so
        # beforehand, until the events of the measurement are made.
        spans = [one_flood("--dictionary", dictionary, "--compress-ahead", AHEAD,
                           settings=settings, measure=measure)[0]
                 for _ in range(context.repeats_few)]
    return [at_least("zstd", "events/s", [s.rate for s in spans], 500_000,
                     f"{spans[-1].cpu_per_million:.2f} CPU-s a million; the generator, which "
                     f"compressed beforehand, took {generators[-1]:.2f} of a core")]


@scenario("record-2013", 75)
def record_2013(context):
    """The record of 2013 from a cold start: 143,199 posts a second for 60 s."""
    rate, seconds = 143_199, 60
    with Folder() as folder:
        flood = Flood(folder, "--rate", rate, "--wait-client", "--pause-at", rate * seconds,
                      accounts=1_500_000, events=rate * (seconds + 30), step_us=7)
        daemon = daemon_for(folder, flood)
        try:
            watch = Watch(daemon, flood)
            pid = daemon.process.pid
            watch.until(rate * seconds // 2)
            cpu, at = cpu_s(pid), time.monotonic()
            watch.until(rate * seconds * 9 // 10)
            cores = (cpu_s(pid) - cpu) / (time.monotonic() - at)
            seen = watch.until(rate * seconds)
            samples = watch.check()
            return [
                at_most("record of 2013 (143,199/s, 60 s, cold): events lost", "",
                        [rate * seconds - seen.events], 0),
                at_most("… CPU once warm", "of a core", [cores], 0.5),
                at_least("… distinct accounts", "", [accounts_on(samples)], 1_000_000),
                at_most("… peak RSS", "MiB", [peak_rss_mib(pid)], 1024,
                        "the bound is store.memory_mib"),
            ]
        finally:
            daemon.stop(signal.SIGKILL)
            flood.stop()


@scenario("catch-up", 30)
def catch_up(context):
    """An hour missed at 1,000 events/s, from the start of the process to committed."""
    before, missed = 300_000, 3_600_000
    took = []
    for _ in range(context.repeats):
        with Folder() as folder:
            flood = Flood(folder, "--hold-alone", "--pause-at", before, events=before + missed)
            daemon = daemon_for(folder, flood)
            try:
                Watch(daemon, flood).until(before)
                expect(daemon.stop() == 0, "SIGTERM: the exit code is not 0")
                flood.feed.advance(before + missed)
                began = time.monotonic()
                daemon = daemon_for(folder, flood)
                watch = Watch(daemon, flood)
                took.append(watch.until(before + missed).at_s - began)
                watch.check()
            finally:
                daemon.stop(signal.SIGKILL)
                flood.stop()
    return [at_most("catch-up of an hour missed at 1,000 events/s", "s", took, 6,
                    "3,600,000 posts and 60 s of overlap, the start of the daemon included")]


@scenario("scrape", 70)
def scrape(context):
    """Both pages scraped beside full load."""
    def scraper(base, stop):
        for number in range(10**9):
            get(base + "/metrics/countries", {"Accept-Encoding": "gzip"})
            if number % 50 == 0:
                get(base + "/metrics")
            if stop.wait(0.1):
                return

    def with_scrapes(watch, seconds):
        stop = threading.Event()
        base = f"http://127.0.0.1:{watch.daemon.port}"
        thread = threading.Thread(target=scraper, args=(base, stop))
        thread.start()
        try:
            return Span(watch, seconds)
        finally:
            stop.set()
            thread.join()

    def measure(watch):
        before = buckets(watch.daemon, "geotally_http_request_duration_seconds",
                         handler="metrics_countries")
        # By turns, shortly: the machine's pace changes.
        alone, beside = [], []
        for _ in range(6):
            alone.append(Span(watch, 4).rate)
            beside.append(with_scrapes(watch, 4).rate)
        after = buckets(watch.daemon, "geotally_http_request_duration_seconds",
                        handler="metrics_countries")
        return alone, beside, quantile(after, before, 0.5), quantile(after, before, 0.99)
    (alone, beside, median_s, p99_s), _ = one_flood(measure=measure)
    return [
        at_most("/metrics/countries, gzip included, at full load: p99", "ms", [p99_s * 1e3], 5,
                f"median {median_s * 1e3:.2f} ms; made when a commit is shown"),
        at_least("feed rate with 10 scrapes/s, against without", "×",
                 [with_rate / without for without, with_rate in zip(alone, beside)], 0.95,
                 "six times 4 s each, by turns"),
    ]
