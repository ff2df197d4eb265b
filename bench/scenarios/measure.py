"""What every scenario needs: the flood, what is committed of it, and what a process has used.

A flood's events are all posts and equally far apart, so the watermark of a commit says how many
events it holds, and the page must show exactly as many posts: each timing is checked against that.
"""

import http.client
import json
import math
import os
import threading
import time
from datetime import datetime
from pathlib import Path

from harness import Daemon, Feed, expect, truth, wait_until

ROOT = Path(__file__).resolve().parents[2]

DAY_S = 86_400
TICKS = os.sysconf("SC_CLK_TCK")
END_S = 1_767_225_600  # the flood ends on 1 January 2026, unless a scenario says otherwise


# --- what a process has used -------------------------------------------------------------

def _cpu_s(path):
    fields = Path(path).read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def cpu_s(pid):
    """CPU-seconds of all threads, those that ended included."""
    return _cpu_s(f"/proc/{pid}/stat")


def threads_cpu_s(pid):
    """{name: CPU-seconds} of the threads that live."""
    used = {}
    for task in Path(f"/proc/{pid}/task").iterdir():
        try:
            name = (task / "comm").read_text().strip()
            used[name] = used.get(name, 0) + _cpu_s(task / "stat")
        except OSError:  # it ended meanwhile
            pass
    return used


def _status_mib(pid, key):
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith(key):
            return int(line.split()[1]) / 1024
    raise KeyError(key)


def rss_mib(pid):
    return _status_mib(pid, "VmRSS:")


def peak_rss_mib(pid):
    return _status_mib(pid, "VmHWM:")


def written_bytes(pid):
    """Bytes that the process caused to be written to the disk."""
    for line in Path(f"/proc/{pid}/io").read_text().splitlines():
        if line.startswith("write_bytes:"):
            return int(line.split()[1])
    raise KeyError("write_bytes")


# --- the flood ---------------------------------------------------------------------------

class Flood:
    """geotally-feed with nothing but posts, `step_us` of feed time apart.

    1,000 µs: a feed of 1,000 events a second, caught up as fast as it can be.
    """

    def __init__(self, folder, *arguments, accounts=600_000, events=400_000_000, step_us=1_000,
                 end_s=END_S, log=False):
        self.step_us, self.events = step_us, events
        days = events * step_us / 1e6 / DAY_S
        self.begin_us = end_s * 1_000_000 - int(days * DAY_S * 1e6)
        self.feed = Feed(folder, "--world", "flood", "--only-posts", "--accounts", accounts,
                         "--events", events, "--days", repr(days), "--end-time", end_s,
                         "--retention", "5000d", *arguments, log=log)
        self.pid = self.feed.process.pid

    def number(self, time_us):
        """Events up to and including the one of that time."""
        return 0 if time_us <= 0 else round((time_us - self.begin_us) / self.step_us) + 1

    def stop(self):
        self.feed.stop()


def time_us(text):
    """RFC 3339 to microseconds."""
    if not text:
        return 0
    whole, _, fraction = text.rstrip("Z").partition(".")
    seconds = int(datetime.fromisoformat(whole + "+00:00").timestamp())
    return seconds * 1_000_000 + int((fraction + "000000")[:6])


class Committed:
    """One look at the newest commit that is shown."""

    def __init__(self, connection, port):
        connection.request("GET", "/api/v1/status", headers={"Host": f"127.0.0.1:{port}"})
        answer = json.loads(connection.getresponse().read())
        self.at_s = time.monotonic()
        basis = answer["data"].get("basis") or {}
        self.commit = int(basis.get("commit", 0))
        self.watermark_us = time_us(basis.get("watermark"))


class Watch:
    """Asks a daemon over one connection that stays open."""

    def __init__(self, daemon, flood):
        self.daemon, self.flood, self.pid = daemon, flood, daemon.process.pid
        self.connection = http.client.HTTPConnection("127.0.0.1", daemon.port, timeout=60)

    def look(self):
        seen = Committed(self.connection, self.daemon.port)
        seen.events = self.flood.number(seen.watermark_us)
        return seen

    def next_commit(self, pause_s=0.01):
        """The moment at which a new commit is first shown."""
        before = self.look().commit
        end = time.monotonic() + 60
        while time.monotonic() < end:
            seen = self.look()
            if seen.commit > before:
                return seen
            time.sleep(pause_s)
        expect(False, "no commit for 60 s")

    def until(self, events, deadline_s=120):
        def there():
            seen = self.look()
            return seen if seen.events >= events else None
        return wait_until(f"{events} events are committed", there, deadline_s)

    def check(self):
        """Every event up to the page's edge is counted as a post, once (needs --clock feed)."""
        samples = truth.parse_page(self.daemon.page())
        posts = sum(value for (name, _), value in samples.items()
                    if name == "geotally_posts_total")
        want = self.flood.number(truth.page_edge(samples))
        expect(posts == want, f"{posts} posts are counted, but {want} events were committed")
        return samples


def accounts_on(samples):
    return int(sum(value for (name, _), value in samples.items() if name == "geotally_accounts"))


class Span:
    """What happened between two commits, `seconds` apart or a little more."""

    def __init__(self, watch, seconds):
        pid = watch.pid
        histogram = commit_buckets(watch.daemon)
        first = watch.next_commit()
        cpu, threads, written = cpu_s(pid), threads_cpu_s(pid), written_bytes(pid)
        time.sleep(seconds)
        last = watch.next_commit()
        self.events = last.events - first.events
        self.seconds = last.at_s - first.at_s
        self.rate = self.events / self.seconds
        millions = max(self.events, 1) / 1e6
        self.cpu_s = cpu_s(pid) - cpu
        self.cpu_per_million = self.cpu_s / millions
        self.written_per_million = (written_bytes(pid) - written) / millions
        self.threads = {name: (used - threads.get(name, 0)) / millions
                        for name, used in sorted(threads_cpu_s(pid).items())
                        if used - threads.get(name, 0) > 0.005 * self.cpu_s}
        after = commit_buckets(watch.daemon)
        self.commit_p99_s = quantile(after, histogram, 0.99)

    def by_thread(self):
        return ", ".join(f"{name} {used:.2f}" for name, used in self.threads.items())


def buckets(daemon, family, **labels):
    """{upper bound: cumulative count} of a histogram."""
    found = {}
    for (name, have), value in daemon.metrics().items():
        have = dict(have)
        if name == family + "_bucket" and labels.items() <= have.items():
            found[float(have["le"])] = float(value)
    return found


def commit_buckets(daemon):
    return buckets(daemon, "geotally_store_commit_duration_seconds")


def quantile(after, before, q):
    """As Prometheus' histogram_quantile: linear within a bucket."""
    counts = [(bound, after[bound] - before.get(bound, 0)) for bound in sorted(after)]
    total = counts[-1][1]
    if total == 0:
        return math.nan
    below_bound, below = 0.0, 0.0
    for bound, count in counts:
        if count >= q * total:
            if bound == math.inf:
                return below_bound
            return below_bound + (bound - below_bound) * (q * total - below) / (count - below)
        below_bound, below = bound, count
    return below_bound


# --- how old events are when they can be seen ----------------------------------------------

class Ages:
    """Samples what the feed has sent and what is committed, side by side, for a while."""

    def __init__(self, watch, seconds, pause_s=0.02):
        self.sent, self.shown = [], []
        stop = threading.Event()
        feed = watch.flood.feed

        def follow_feed():
            while not stop.is_set():
                number = feed.status()["delivered"]
                self.sent.append((time.monotonic(), number))
                time.sleep(pause_s)

        thread = threading.Thread(target=follow_feed)
        thread.start()
        try:
            end = time.monotonic() + seconds
            while time.monotonic() < end:
                self.shown.append(watch.next_commit(pause_s))
        finally:
            stop.set()
            thread.join()

    def _sent_at(self, number):
        for (t0, n0), (t1, n1) in zip(self.sent, self.sent[1:]):
            if n0 <= number <= n1:
                return t1 if n1 == n0 else t0 + (t1 - t0) * (number - n0) / (n1 - n0)
        return None

    def p99_s(self, parts=50):
        ages = []
        for before, seen in zip(self.shown, self.shown[1:]):
            for i in range(parts):
                number = before.events + (seen.events - before.events) * i / parts
                at = self._sent_at(number)
                if at is not None:
                    ages.append((seen.at_s - at, seen.events - before.events))
        expect(ages, "nothing was committed")
        ages.sort()
        left = 0.99 * sum(weight for _, weight in ages)
        for age, weight in ages:
            left -= weight
            if left <= 0:
                return age
        return ages[-1][0]


def daemon_for(folder, flood, *arguments, host="127.0.0.1", environment=None):
    """A daemon that follows the flood, whose clock is the feed's."""
    url = flood.feed.url().replace("127.0.0.1", host)
    return Daemon(folder, url, "--clock", "feed", *arguments, environment=environment)
