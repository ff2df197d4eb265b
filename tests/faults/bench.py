"""The bench that every fault is tried on: a generated world, the daemon, and the truth beside it."""

import datetime
import json
import random
import signal
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "e2e"))
from harness import (BIN, Daemon, Failure, Feed, Truth, end, expect, get, truth,  # noqa: E402,F401
                     wait_until)
from wires import V2, trained  # noqa: E402

# So far may events change places, and a reconnect begins so long before the cursor. The world is
# spread over months: neighbours in it lie further apart than in a live feed.
HORIZON_S = 900
MEMORY_MIB = 128
OPTIONS = ["--clock", "feed", "--set", f"tally.fence_horizon_s={HORIZON_S}",
           "--set", f"feed.margin_s={HORIZON_S}", "--set", f"store.memory_mib={MEMORY_MIB}",
           "--set", "feed.backoff_max_s=1"]


class Row:
    """One line of the table."""

    def __init__(self, fault):
        self.fault, self.tries, self.lost, self.twice, self.gap_s, self.note = fault, 0, 0, 0, 0, ""

    def __str__(self):
        return (f"| {self.fault} | {self.tries} | {self.lost} | {self.twice} | "
                f"{self.gap_s:g} s | {self.note} |")


HEAD = ("| fault | tries | events lost | counted twice | gap recorded | |\n"
        "|---|---|---|---|---|---|")


class Bench:
    """One world in a folder of its own. `retention`: how far back the feed's cursors reach; below
    200 days the feed also goes on while nobody listens. `options` are the daemon's, `feed` those of
    geotally-feed; with `dictionaries`, their ids, messages are compressed; `messages` are served
    instead of a world; `world` is another one, of which no log is kept. Before start(), urls,
    environment and wrapper may be changed."""

    def __init__(self, folder, seed, events=0, retention="200d", options=(), wall=False,
                 accounts=None, feed=(), v2=False, dictionaries=(), messages=None,
                 world=None, days=100):
        self.folder = folder
        self.chance = random.Random(seed)
        self.options = [*OPTIONS, *options, "--wire", "jetstream-v2" if v2 else "jetstream-v1"]
        if wall:
            self.options[1] = "wall"
        trained_ones = [trained(folder, "v2" if v2 else "v1", number) for number in dictionaries]
        if dictionaries:
            self.options += ["--set", "feed.zstd=on"]
            if not v2:
                self.options += ["--set", f"feed.zstd_dictionary={trained_ones[0]}"]
        log = world is None
        if world is None:
            world = ["--world", "small", "--accounts", accounts or max(2_000, events // 20),
                     "--events", events, "--days", days, *(["--end-time", "now"] if wall else [])]
        if messages is not None:
            world = ["--file", folder / "messages.jsonl"]
            world[1].write_text("".join(json.dumps(message) + "\n" for message in messages))
        self.feed = Feed(folder, *world, "--seed", seed, "--pause-at", 1, "--retention", retention,
                         *(["--hold-alone"] if retention == "200d" else []), *feed,
                         *(word for one in trained_ones for word in ("--dictionary", one)), log=log)
        self.daemon, self.environment, self.wrapper = None, None, ()
        self.urls = [one + (V2 if v2 else "/subscribe") for one in self.feed.addresses]
        self.v2 = v2
        self.truth = Truth(self.feed.log) if log else None
        self.size = self.feed.status()["size"]
        self.at = 1

    def start(self, **how):
        self.daemon = Daemon(self.folder, self.urls, *self.options,
                             **{"environment": self.environment, "wrapper": self.wrapper, **how})
        return self.daemon

    def kill(self):
        if self.daemon.process.poll() is None:
            self.daemon.process.send_signal(signal.SIGKILL)
        self.daemon.stop(signal.SIGKILL)

    def play(self, events):
        """Lets the feed go on by so many events; the number where it holds."""
        self.at = min(self.size, max(self.at, self.feed.status()["emitted"]) + events)
        self.feed.control("/control", pause_at=self.at)
        return self.at

    def flow(self, rate):
        """Lets it go on without an end, at a rate."""
        self.feed.control("/control", pause_at=self.size)
        self.feed.control("/control", rate=rate)

    def hold(self):
        """Holds the feed, and waits until all it said is committed."""
        # A number that is past: it holds at once, wherever it is.
        self.feed.control("/control", pause_at=self.feed.status()["emitted"])

        def stands():
            status = self.feed.status()
            return status["paused"] or status["finished"]
        wait_until("the feed holds", stands)
        self.at = 0
        while self.at < self.feed.status()["emitted"]:  # what was being written then goes out, too
            self.at = self.feed.status()["emitted"]
            self.settle()

    def settle(self):
        self.daemon.settle(self.feed, self.at)

    def check(self, row, gap=False, seconds=True):
        """Compares every figure; adds to the row. With `gap`, posts may be missing, and then all of
        them must lie in recorded gaps. Without `seconds`, not the windows that are counted in
        seconds: hosts whose clocks differ by some give an event different ones."""
        samples = self.samples()
        have, _ = truth.page_figures(samples)
        want = self.truth.at(self.at).figures(truth.page_edge(samples))
        posts = [want.get(country, {}).get("posts", 0) - have.get(country, {}).get("posts", 0)
                 for country in set(have) | set(want)]
        if gap:  # with what was missed went evidence, too: other posts count elsewhere
            posts = [sum(posts)]
        lost, twice = sum(max(0, n) for n in posts), sum(max(0, -n) for n in posts)
        gap_s = samples[("geotally_feed_gap_seconds_total", ())]
        different = [line for line in truth.differences(want, have)
                     if seconds or not any(f":{window}:" in line for window in ("1m", "5m", "15m"))]
        row.tries += 1
        row.lost += int(lost)
        row.twice += int(twice)
        row.gap_s += gap_s
        if not gap:
            expect(not different, f"{row.fault}: {len(different)} figures differ:\n" +
                   "\n".join(different[:12]))
            expect(gap_s == 0, f"{row.fault}: a gap of {gap_s} s though the feed could replay")
            return
        expect(gap_s > 0, f"{row.fault}: no gap was recorded")
        expect(lost <= self.posts_in_gaps(), f"{row.fault}: {lost} posts are missing, in the gaps "
               f"there were only {self.posts_in_gaps()}")
        expect(twice == 0, f"{row.fault}: {twice} posts counted twice")

    def samples(self):
        return truth.parse_page(self.daemon.page())

    def posts_in_gaps(self):
        _, body = get(f"http://127.0.0.1:{self.daemon.port}/api/v1/gaps")
        stretches = []
        for gap in json.loads(body)["data"]["rows"]:
            stretches.append((seconds(gap["from"]) - 1, seconds(gap["to"]) + 1))
        posts = 0
        with open(self.feed.log, "rb") as log:
            for line in log:
                event = json.loads(line)
                if event.get("collection") != "app.bsky.feed.post" or event.get("op") != "create":
                    continue
                time_s = event["time_us"] / 1e6
                posts += any(a <= time_s <= b for a, b in stretches)
        return posts

    def rss_mib(self):
        return int(field(self.daemon.process.pid, "VmHWM")) / 1024

    def close(self):
        end(self.daemon, self.feed)


def seconds(text):
    return datetime.datetime.fromisoformat(text).timestamp()


def field(pid, name):
    """Of /proc/PID/status: the first word. Empty = there is no such process."""
    try:
        for line in Path(f"/proc/{pid}/status").read_text().splitlines():
            if line.startswith(name + ":"):
                return line.split()[1]
    except FileNotFoundError:
        pass
    return ""
