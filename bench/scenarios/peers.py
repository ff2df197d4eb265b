"""The same counting with Node and Python, as a careful user would write it (bench/peers)."""

import json
import random
import signal
import subprocess
import time

from harness import Folder, Process, Truth, expect, get, truth, wait_until
from measure import ROOT, Flood, cpu_s, daemon_for, peak_rss_mib
from table import at_most, printed, scenario
from throughput import one_flood

PEERS = {"node": "Node ws + prom-client", "python": "Python websockets + prometheus_client"}


def prepare():
    """Node's packages, as the lock file has them."""
    folder = ROOT / "bench" / "peers" / "node"
    if not (folder / "node_modules" / "ws").exists():
        subprocess.run(["npm", "ci", "--no-audit", "--no-fund"], cwd=folder, check=True,
                       stdout=subprocess.DEVNULL)


class Peer(Process):
    def __init__(self, name, folder, url):
        program = {"node": ["node", ROOT / "bench/peers/node/peer.js"],
                   "python": ["/usr/bin/python3", ROOT / "bench/peers/python/peer.py"]}[name]
        super().__init__([*program, url, 0, folder / "cursor"], folder / "peer.err")
        line = self.process.stdout.readline()
        expect(line, f"{name} did not start:\n{self.errors()}")
        self.port = json.loads(line)["port"]

    def samples(self):
        return truth.parse_page(get(f"http://127.0.0.1:{self.port}/metrics")[1])

    def messages(self):
        return int(self.samples()[("peer_messages_total", ())])


def posts_of(samples):
    return int(sum(value for (name, _), value in samples.items()
                   if name in ("peer_posts_total", "geotally_posts_total")))


def by_country(samples, family):
    """The flood's tags all end in a region: en-US."""
    sums = {}
    for (name, labels), value in samples.items():
        if name == family and value:
            country = dict(labels)["lang"][-2:]
            sums[country] = sums.get(country, 0) + int(value)
    return sums


def check(name):
    """Its figures over three hours of feed time equal the truth."""
    events = 100_000
    with Folder() as folder:
        flood = Flood(folder, "--pause-at", events, accounts=20_000, events=events,
                      step_us=108_000, log=True)
        peer = Peer(name, folder, flood.feed.url())
        try:
            wait_until(f"{name} has counted", lambda: peer.messages() >= events)
            world = Truth(flood.feed.log).at(events)
            figures = world.figures(world.watermark)
            samples = peer.samples()
            for family, figure in (("peer_posts_total", "posts"),
                                   ("peer_active_accounts", "window_active:1h")):
                have = by_country(samples, family)
                want = {country: row[figure] for country, row in figures.items()
                        if row.get(figure)}
                expect(have == want, f"{name}: {family} differs from the truth: {have} {want}")
        finally:
            peer.stop(signal.SIGKILL)
            flood.stop()


def saturate(name):
    """(events/s, CPU-s per million, peak RSS MiB)"""
    with Folder() as folder:
        flood = Flood(folder)
        peer = Peer(name, folder, flood.feed.url())
        try:
            time.sleep(6)
            first, cpu, at = peer.messages(), cpu_s(peer.process.pid), time.monotonic()
            time.sleep(12)
            done = peer.messages() - first
            return (done / (time.monotonic() - at),
                    (cpu_s(peer.process.pid) - cpu) / done * 1e6, peak_rss_mib(peer.process.pid))
        finally:
            peer.stop(signal.SIGKILL)
            flood.stop()


def killed(start, seed):
    """Events more (+) or fewer (−) than there were, as a Prometheus that scrapes each second adds
    them up over one kill -9. `start(folder, flood)` gives a process, and its scrape."""
    rate, seconds = 10_000, 8
    with Folder() as folder:
        flood = Flood(folder, "--rate", rate, "--wait-client", "--pause-at", rate * seconds,
                      events=2 * rate * seconds, step_us=100)
        process, scrape = start(folder, flood)
        total, last = 0, 0
        at_kill = time.monotonic() + random.Random(seed).uniform(3, 5)
        try:
            quiet = 0
            while quiet < 4:
                if at_kill and time.monotonic() > at_kill:
                    process.stop(signal.SIGKILL)
                    process, scrape = start(folder, flood)
                    at_kill = None
                value = scrape()
                increase = value - last if value >= last else value
                done = flood.feed.status()["emitted"] >= rate * seconds
                quiet = quiet + 1 if done and increase == 0 and not at_kill else 0
                total, last = total + increase, value
                time.sleep(1)
            return total - rate * seconds
        finally:
            process.stop(signal.SIGKILL)
            flood.stop()


def start_peer(name):
    def start(folder, flood):
        peer = Peer(name, folder, flood.feed.url())
        return peer, lambda: posts_of(peer.samples())
    return start


def start_ours(folder, flood):
    daemon = daemon_for(folder, flood)
    return daemon, lambda: posts_of(truth.parse_page(daemon.page()))


def lost_and_twice(what, differences, bound=None):
    row = at_most if bound is not None else printed
    arguments = [bound] if bound is not None else []
    return [row(f"{what}: lost over a kill -9", "events", [max(0, -d) for d in differences],
                *arguments),
            row(f"{what}: counted twice over a kill -9", "events",
                [max(0, d) for d in differences], *arguments)]


def against(context, name, bound):
    prepare()
    check(name)
    rates, cpus, peaks, ratios = [], [], [], []
    # By turns: a machine that is not ours alone may be half as fast some minutes later.
    for _ in range(context.repeats):
        rate, cpu, rss = saturate(name)
        ours, _ = one_flood()
        rates.append(rate)
        cpus.append(cpu)
        peaks.append(rss)
        ratios.append(ours.cpu_per_million / cpu)
    what = PEERS[name]
    rows = [printed(f"{what}: saturation", "events/s", rates),
            printed(f"{what}: CPU-seconds per million", "s", cpus),
            printed(f"{what}: peak RSS", "MiB", peaks, "600,000 accounts; nothing is durable"),
            at_most(f"ours against {what}, CPU", "×", ratios, bound,
                    "right after it, each: " + ", ".join(f"1/{1 / r:.1f}" for r in ratios))]
    return rows + lost_and_twice(what, [killed(start_peer(name), seed) for seed in (1, 2)])


@scenario("node", 110)
def node(context):
    """Node ws + prom-client: checked against the truth, then timed, then killed."""
    return against(context, "node", 1 / 5)


@scenario("python", 110)
def python(context):
    """Python websockets + prometheus_client: the same."""
    return against(context, "python", 1 / 12)


@scenario("killed", 35)
def ours_killed(context):
    """geotally over a kill -9, as Prometheus sees it."""
    return lost_and_twice("geotally", [killed(start_ours, seed) for seed in (1, 2)], 0)
