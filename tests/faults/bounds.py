"""Bounds under attack: memory under its ceiling, the feed slowed and never dropped, /healthz there.

Each attack has a daemon of its own, with 256 MiB for everything (store.memory_mib), and a flood of
posts from geotally-feed. Every post that was sent must be counted, once. Rates and times are
printed, not judged: they are the machine's.
"""

import multiprocessing
import os
import random
import socket
import subprocess
import threading
import time

from bench import Row, expect, get, wait_until

CEILING_MIB = 256
EVENTS = 2_000_000_000


def flood(accounts, per_second, *more, quiet_s=0):
    """A world of nothing but posts, so many in a second of the feed's time; how fast they come is
    set later."""
    return {"world": ["--world", "flood", "--only-posts", "--days", EVENTS / per_second / 86_400,
                      "--accounts", accounts, "--events", EVENTS, *more],
            "options": ["--set", f"store.memory_mib={CEILING_MIB}",
                        "--set", "tally.fence_horizon_s=60", "--set", "feed.margin_s=60",
                        "--set", f"feed.quiet_s={quiet_s}"]}


class Watch:
    """Asks /healthz four times a second, and looks at the memory, until it is stopped."""

    def __init__(self, bench):
        self._bench = bench
        self._stop = threading.Event()
        self.asked = self.answered = 0
        self.slowest_s = 0
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self):
        while not self._stop.wait(0.25):
            self.asked += 1
            started = time.monotonic()
            try:
                code, _ = get(f"http://127.0.0.1:{self._bench.daemon.port}/healthz", timeout=10)
                self.answered += code == 200
            except OSError:
                pass
            self.slowest_s = max(self.slowest_s, time.monotonic() - started)

    def stop(self):
        self._stop.set()
        self._thread.join()


def posts(bench):
    return sum(int(value) for (name, _), value in bench.samples().items()
               if name == "geotally_posts_total")


def rate(bench, seconds):
    """Posts a second that were committed."""
    started, before = time.monotonic(), posts(bench)
    time.sleep(seconds)
    return (posts(bench) - before) / (time.monotonic() - started)


def attacked(name, seconds, attack, paced=0):
    """attack(bench, end): goes on until the monotonic time `end`. `paced`: events a second."""
    def run(bench):
        row = Row(name)
        bench.start()
        bench.feed.control("/control", pause_at=EVENTS)
        if paced:
            bench.feed.control("/control", rate=paced)
        wait_until("the flood comes", lambda: posts(bench) > 0)
        before = rate(bench, seconds / 2)
        watch = Watch(bench)
        worker = threading.Thread(target=attack, args=(bench, time.monotonic() + seconds))
        worker.start()
        during = rate(bench, seconds)
        worker.join()
        watch.stop()
        bench.hold()
        counted, sent = posts(bench), bench.at
        row.tries, row.lost, row.twice = 1, max(0, sent - counted), max(0, counted - sent)
        row.gap_s = bench.samples()[("geotally_feed_gap_seconds_total", ())]
        rss = bench.rss_mib()
        row.note = (f"{before:,.0f} posts/s before, {during:,.0f} during; RSS {rss:.0f} of "
                    f"{CEILING_MIB} MiB; /healthz answered {watch.answered} of {watch.asked}, "
                    f"within {watch.slowest_s:.2f} s")
        expect(counted == sent, f"{name}: {sent} posts were sent, {counted:.0f} counted; {row.note}")
        expect(row.gap_s == 0, f"{name}: a gap of {row.gap_s} s; {row.note}")
        expect(rss <= CEILING_MIB, f"{name}: {row.note}")
        expect(watch.asked > 0 and watch.answered == watch.asked, f"{name}: {row.note}")
        return row
    return run


def nothing(_bench, end):
    time.sleep(max(0, end - time.monotonic()))


def feed_fault(spec, every_s):
    """A fault of the feed, again and again."""
    def attack(bench, end):
        while time.monotonic() < end:
            bench.feed.control("/fault", spec=spec)
            time.sleep(every_s)
    return attack


def slowhttptest(*mode):
    """A thousand clients that send or read a few bytes now and then."""
    def attack(bench, end):
        seconds = max(1, int(end - time.monotonic()))
        with subprocess.Popen(
                ["slowhttptest", *mode, "-c", "1000", "-r", "200", "-l", str(seconds), "-u",
                 f"http://127.0.0.1:{bench.daemon.port}/metrics/countries"],
                stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
            process.wait()
    return attack


def clients(send, processes=4):
    """Connections one after the other; what send(socket, chance) does to each is the attack."""
    def one(port, end, seed):
        chance = random.Random(seed)
        while time.monotonic() < end:
            try:
                with socket.create_connection(("127.0.0.1", port), timeout=5) as connection:
                    send(connection, chance)
            except OSError:  # it was shown out, which is as it should be
                pass

    def attack(bench, end):
        workers = [multiprocessing.Process(target=one, args=(bench.daemon.port, end, seed))
                   for seed in range(processes)]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
    return attack


def malformed(connection, chance):
    host = b"Host: localhost\r\n"
    connection.sendall(chance.choice([
        os.urandom(chance.randrange(1, 4_000)),
        b"GET / HTTP/9.9\r\n" + host + b"\r\n",
        b"GET\x00/metrics HTTP/1.1\r\n" + host + b"\r\n",
        b"GET /../../etc/passwd HTTP/1.1\r\n" + host + b"\r\n",
        b"GET /api/v1/rankings?by=%ff%00&limit=-99999999999999999999 HTTP/1.1\r\n" + host + b"\r\n",
        b"GET / HTTP/1.1\r\n" + host + b"no colon\r\n\r\n",
        b"POST / HTTP/1.1\r\n" + host + b"Content-Length: -1\r\n\r\n",
        b"POST / HTTP/1.1\r\n" + host + b"Transfer-Encoding: chunked\r\n\r\nffffffffffffffffff\r\n",
        b"GET / HTTP/1.1\r\n" + host + b"Content-Length: 5\r\nContent-Length: 6\r\n\r\nabc",
        b"\r\n" * 2_000,
    ]))
    connection.shutdown(socket.SHUT_WR)
    while connection.recv(1 << 16):
        pass


def huge(connection, chance):
    """Up to 64 MiB of a line, of headers, or of a body that was announced as 1 TB."""
    start, piece = chance.choice([
        (b"GET /", b"a"), (b"GET / HTTP/1.1\r\nHost: localhost\r\n", b"X-A: bcdefgh\r\n"),
        (b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000000000000\r\n\r\n", b"z")])
    connection.sendall(start)
    chunk = piece * ((1 << 16) // len(piece))
    for _ in range(1_024):
        connection.sendall(chunk)


def impatient(connection, _chance):
    """Asks for the largest page a hundred times at once, and does not wait for it."""
    connection.sendall(b"GET /metrics/countries HTTP/1.1\r\nHost: localhost\r\n\r\n" * 100)


def all_of(long):
    """(name, run, world). The short form: what needs no more than a moment."""
    seconds = 12 if long else 2
    web = 50_000
    known = flood(200_000, web)
    if long:
        yield "a feed that floods", attacked("a feed that floods", seconds, nothing), flood(
            200_000, 1_000_000)
        # Every event is of an account that never came before; the feed offers more than a million
        # a second, and waits.
        strangers = "a million new accounts a second"
        yield (strangers, attacked(strangers, 3 * seconds, nothing),
               flood(100_000_000, 1_000_000, "--roll-call"))
        half = "half a frame, again and again"
        yield (half, attacked(half, 2 * seconds, feed_fault("stall@now", 5), paced=20_000),
               flood(200_000, 20_000, quiet_s=2))
        for name, *mode in [("a thousand slow headers", "-H", "-i", "5"),
                            ("a thousand slow bodies", "-B", "-i", "5"),
                            ("a thousand slow readers", "-X", "-w", "10", "-y", "20", "-n", "5", "-z",
                             "32", "-k", "3")]:
            yield name, attacked(name, seconds, slowhttptest(*mode), paced=web), known
    bombs = "zstd bombs of 1 GiB"
    yield (bombs, attacked(bombs, seconds, feed_fault("corrupt@now:what=zstd_bomb,count=5", 1),
                           paced=20_000), {**known, "dictionaries": ["1612007021"]})
    large = "messages beyond every size"
    yield (large, attacked(large, seconds, feed_fault("corrupt@now:what=oversized,count=5", 1),
                           paced=20_000), known)
    for name, send, processes in [("malformed requests", malformed, 4), ("huge requests", huge, 4),
                                ("impatient clients", impatient, 16)]:
        yield name, attacked(name, seconds, clients(send, processes), paced=web), known
