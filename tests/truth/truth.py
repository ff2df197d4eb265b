#!/usr/bin/env python3
"""The truth: recomputes every figure of the country page from the log of geotally-feed.

Plain and naive on purpose, and without a line of lib/: two readings of DEFINITIONS must agree.

  truth.py figures --log LOG --at N[:EDGE] ...        figures after the first N events, as JSON
  truth.py days    --log LOG --at N[:EDGE]            one row a day and country, as JSON
  truth.py compare --log LOG --at N --edge E --page FILE [--moment N,EDGE,FILE ...]
  truth.py frames FILE                                counts a file of v1 messages, as JSON

EDGE is the right edge of the windows: seconds (a decimal number) or microseconds (an integer
above 1e14); without it, the largest event time so far (compare: what the page says).
Exit code: 0, or 1 where a figure differs, or 64 where the arguments make no sense.
"""

import argparse
import json
import re
import sys
from decimal import Decimal

SECOND = 1_000_000
DAY = 86_400 * SECOND

# name, length in seconds, bucket in seconds
WINDOWS = [
    ("1m", 60, 1),
    ("5m", 300, 1),
    ("15m", 900, 1),
    ("1h", 3_600, 60),
    ("6h", 21_600, 60),
    ("24h", 86_400, 60),
    ("7d", 604_800, 3_600),
    ("30d", 2_592_000, 3_600),
    ("90d", 7_776_000, 3_600),
]

POST = "app.bsky.feed.post"
PROFILE = "app.bsky.actor.profile"
ADDRESS = "community.lexicon.location.address"
PERSON = "community.lexicon.actor.profile"  # its address declares a country likewise

# An account is gone with these, and with any word that is not known. The others speak of a host.
STATES_OF_A_HOST = ("desynchronized", "throttled")

CLASSES = ("never", "once", "occasional", "engaged")


def first_bucket(edge_us, length_s, bucket_s):
    """The oldest bucket of a window: the current one and those before it, length_s in all."""
    return edge_us // (bucket_s * SECOND) - length_s // bucket_s + 1


class Account:
    __slots__ = ("known", "gone", "address", "address_key", "flag", "region", "language",
                 "last_post", "first_seen", "days", "second_day", "posts")

    def __init__(self):
        self.known = False
        self.gone = False
        self.address = None
        self.address_key = None
        self.flag = None
        self.region = None
        self.language = None
        self.last_post = None
        self.first_seen = None
        self.days = 0  # one bit a day since World.day0
        self.second_day = False
        self.posts = 0

    def country(self):
        return self.address or self.flag or self.region or self.language or "ZZ"


class World:
    """Everything that was said up to now."""

    def __init__(self):
        self.accounts = {}
        self.posts = {}      # country -> posts ever
        self.deletions = {}
        self.buckets = {1: {}, 60: {}, 3_600: {}}  # bucket length -> bucket -> country -> posts
        self.day_posts = {}      # day -> country -> posts
        self.day_deletions = {}
        self.watermark = 0
        self.day0 = None

    def account(self, did):
        account = self.accounts.get(did)
        if account is None:
            account = self.accounts[did] = Account()
        return account

    def apply(self, event):
        time = event["time_us"]
        if time > self.watermark:
            self.watermark = time
        if self.day0 is None:
            self.day0 = time // DAY - 200
        kind = event["kind"]
        if kind == "commit":
            self.commit(event, time)
        elif kind == "identity":
            self.know(self.account(event["did"]), time)
        elif kind == "account":
            account = self.account(event["did"])
            if event["active"]:
                account.gone = False
                self.know(account, time)
            elif event.get("status") not in STATES_OF_A_HOST:
                account.gone = True

    @staticmethod
    def know(account, time):
        if not account.known:
            account.known = True
            account.first_seen = time // DAY

    def commit(self, event, time):
        collection = event["collection"]
        operation = event["op"]
        evidence = event.get("country_evidence")
        said = evidence["country"] if evidence else None
        if collection == POST:
            if operation == "create":
                account = self.account(event["did"])
                self.know(account, time)
                if said:
                    setattr(account, evidence["kind"], said)
                self.post(account, time)
            elif operation == "delete":
                country = self.account(event["did"]).country()
                self.deletions[country] = self.deletions.get(country, 0) + 1
                count(self.day_deletions, time // DAY, country)
        elif collection == PROFILE:
            account = self.account(event["did"])
            if operation == "delete":
                account.flag = None
            else:
                self.know(account, time)
                account.flag = said  # a profile replaces what an earlier one said
        elif collection in (ADDRESS, PERSON):
            key = (collection, event["rkey"])
            account = self.account(event["did"])
            if operation == "delete":
                if account.address_key == key:
                    account.address = None
            else:
                self.know(account, time)
                if said or account.address_key == key:
                    account.address = said
                    account.address_key = key

    def post(self, account, time):
        country = account.country()
        self.posts[country] = self.posts.get(country, 0) + 1
        for length, buckets in self.buckets.items():
            count(buckets, time // (length * SECOND), country)
        day = time // DAY
        count(self.day_posts, day, country)
        if account.last_post is not None and account.last_post // DAY != day:
            account.second_day = True
        if account.last_post is None or time > account.last_post:
            account.last_post = time
        account.posts += 1
        account.days |= 1 << max(day - self.day0, 0)

    def engagement(self, account, edge_day):
        if account.posts == 0:
            return "never"
        recent = account.days >> max(edge_day - 27 - self.day0, 0)
        recent &= (1 << 28) - 1
        if bin(recent).count("1") >= 8:
            return "engaged"
        return "occasional" if account.second_day else "once"

    def figures(self, edge):
        """{country: {figure: value}}; zeros are left out."""
        out = {}

        def add(country, key, value=1):
            row = out.setdefault(country, {})
            row[key] = row.get(key, 0) + value

        for country, value in self.posts.items():
            add(country, "posts", value)
        for country, value in self.deletions.items():
            add(country, "deletions", value)
        for name, length, bucket in WINDOWS:
            buckets = self.buckets[bucket]
            newest = max(edge, self.watermark) // (bucket * SECOND)
            for number in range(first_bucket(edge, length, bucket), newest + 1):
                for country, value in buckets.get(number, {}).items():
                    add(country, "window_posts:" + name, value)
        limits = [("window_active:" + name, first_bucket(edge, length, bucket) * bucket * SECOND)
                  for name, length, bucket in WINDOWS]
        oldest = min(limit for _, limit in limits)
        edge_day = edge // DAY
        for account in self.accounts.values():
            if not account.known or account.gone:
                continue
            country = account.country()
            row = out.setdefault(country, {})
            row["accounts"] = row.get("accounts", 0) + 1
            key = "engagement:" + self.engagement(account, edge_day)
            row[key] = row.get(key, 0) + 1
            last = account.last_post
            if last is None or last < oldest:
                continue
            for key, limit in limits:
                if last >= limit:
                    row[key] = row.get(key, 0) + 1
        return out

    def day_rows(self, edge):
        """Rows of the UTC day in which `edge` lies: {country: {column: value}}."""
        day = edge // DAY
        out = {}
        for country, row in self.figures(edge).items():
            out[country] = {
                "accounts": row.get("accounts", 0),
                "new": 0,
                "active_24h": row.get("window_active:24h", 0),
                "active_7d": row.get("window_active:7d", 0),
                "active_30d": row.get("window_active:30d", 0),
                "active_90d": row.get("window_active:90d", 0),
                "posts": self.day_posts.get(day, {}).get(country, 0),
                "deletions": self.day_deletions.get(day, {}).get(country, 0),
                "engaged": row.get("engagement:engaged", 0),
            }
        for account in self.accounts.values():
            if account.known and not account.gone and account.first_seen == day:
                out[account.country()]["new"] += 1
        return out


def count(table, key, country):
    row = table.get(key)
    if row is None:
        row = table[key] = {}
    row[country] = row.get(country, 0) + 1


def read_log(path, with_lost=False):
    """Events in the order in which they were emitted: (number, event)."""
    with open(path, "rb") as log:
        for line in log:
            event = json.loads(line)
            if "n" not in event or "fault" in event:
                continue  # a marker, or the head of the log
            yield event["n"], event if with_lost or not event.get("lost") else None


def parse_edge(text):
    if text is None or text == "":
        return None
    value = Decimal(str(text))
    return int(value) if value > 10**14 else int(value * SECOND)


def walk(path, numbers, with_lost=False):
    """Yields (N, world) for each of the ascending `numbers`: the first N events are in it."""
    world = World()
    waiting = sorted(set(numbers))
    done = 0
    for number, event in read_log(path, with_lost):
        while waiting and number >= waiting[0]:
            yield waiting.pop(0), world
        if not waiting:
            return
        if event is not None:
            world.apply(event)
        done = number + 1
    for number in waiting:
        if number > done:
            raise SystemExit(f"truth.py: the log ends after {done} events, {number} were asked for")
        yield number, world


SAMPLE = re.compile(r'^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})?\s+(\S+)(?:\s+\S+)?$')
LABEL = re.compile(r'([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\]|\\.)*)"')


def parse_page(text):
    """Prometheus' text format: {(name, ((label, value), …)): Decimal}."""
    samples = {}
    for line in text.splitlines():
        line = line.strip()
        if not line or line.startswith("#"):
            continue
        match = SAMPLE.match(line)
        if not match:
            raise ValueError(f"not a sample: {line!r}")
        labels = tuple(sorted(LABEL.findall(match.group(2) or "")))
        samples[(match.group(1), labels)] = Decimal(match.group(3))
    return samples


def page_figures(samples):
    """The page's figures in the same shape as World.figures()."""
    families = {
        "geotally_posts_total": lambda labels: "posts",
        "geotally_posts_deleted_total": lambda labels: "deletions",
        "geotally_accounts": lambda labels: "accounts",
        "geotally_window_posts": lambda labels: "window_posts:" + labels["window"],
        "geotally_window_active_accounts": lambda labels: "window_active:" + labels["window"],
        "geotally_accounts_by_engagement": lambda labels: "engagement:" + labels["engagement"],
    }
    out = {}
    seen = set()
    for (name, labels), value in samples.items():
        if name not in families:
            continue
        seen.add(name)
        labels = dict(labels)
        out.setdefault(labels["country"], {})[families[name](labels)] = value
    return out, sorted(set(families) - seen)


def page_edge(samples):
    edge = samples.get(("geotally_window_edge_timestamp_seconds", ()))
    return None if edge is None else parse_edge(edge)


def differences(truth, page):
    """One line for each figure that is not the same; what is missing counts as 0."""
    lines = []
    for country in sorted(set(truth) | set(page)):
        want = truth.get(country, {})
        have = page.get(country, {})
        for key in sorted(set(want) | set(have)):
            if want.get(key, 0) != have.get(key, 0):
                lines.append(f"{country} {key}: truth {want.get(key, 0)}, page {have.get(key, 0)}")
    return lines


def compare(arguments):
    moments = []
    if arguments.page:
        if arguments.at is None:
            raise SystemExit("truth.py: --page needs --at N")
        moments.append((int(arguments.at), arguments.edge, arguments.page))
    for text in arguments.moment:
        number, edge, page = text.split(",", 2)
        moments.append((int(number), edge, page))
    moments.sort(key=lambda moment: moment[0])
    bad = 0
    figures = 0
    worlds = walk(arguments.log, [moment[0] for moment in moments], arguments.with_lost)
    number, world = -1, None
    for at, edge, path in moments:
        while number != at:
            number, world = next(worlds)
        with open(path, encoding="utf-8") as page:
            samples = parse_page(page.read())
        right_edge = parse_edge(edge) or page_edge(samples)
        if right_edge is None:
            raise SystemExit(f"truth.py: {path} names no edge: give --edge")
        have, missing = page_figures(samples)
        want = world.figures(right_edge)
        lines = [f"family {name} is missing" for name in missing]
        lines += differences(want, have)
        figures += sum(len(row) for row in have.values())
        for line in lines[:arguments.limit]:
            print(f"at {at}: {line}")
        if len(lines) > arguments.limit:
            print(f"at {at}: … and {len(lines) - arguments.limit} more")
        bad += len(lines)
    print(f"{len(moments)} moments, {figures} figures compared, {bad} differ")
    return 1 if bad else 0


def split_at(text):
    number, _, edge = text.partition(":")
    return int(number), parse_edge(edge)


def figures(arguments):
    wanted = {}
    for text in arguments.at or []:
        number, edge = split_at(text)
        wanted.setdefault(number, []).append(edge)
    if not wanted:
        raise SystemExit("truth.py: give --at N")
    out = []
    for number, world in walk(arguments.log, wanted, arguments.with_lost):
        for edge in wanted[number]:
            edge = edge or world.watermark
            out.append({"at": number, "edge_us": edge, "watermark_us": world.watermark,
                        "countries": world.figures(edge)})
    json.dump(out, sys.stdout, indent=1, sort_keys=True)
    print()
    return 0


def days(arguments):
    """Rows at each end of a UTC day that the log passes, and of the day of the last event."""
    number, edge = split_at(arguments.at[0]) if arguments.at else (None, None)
    world = World()
    rows = {}
    for n, event in read_log(arguments.log, arguments.with_lost):
        if number is not None and n >= number:
            break
        if event is None:
            continue
        day = world.watermark // DAY
        if world.watermark and event["time_us"] // DAY > day:
            # The day is over: its figures are those of its last moment.
            for closed in range(day, event["time_us"] // DAY):
                rows[closed] = world.day_rows((closed + 1) * DAY - 1)
        world.apply(event)
    edge = edge or world.watermark
    rows[edge // DAY] = world.day_rows(edge)
    json.dump({str(day): row for day, row in sorted(rows.items())}, sys.stdout, indent=1,
              sort_keys=True)
    print()
    return 0


def count_frames(path):
    """A naive count of a file of v1 messages, one a line."""
    out = {"frames": 0, "malformed": 0, "kinds": {}, "collections": {}, "operations": {},
           "posts": 0, "post_deletes": 0, "profiles": 0, "addresses": 0, "accounts": 0,
           "first_time_us": None, "last_time_us": None}
    posts = set()
    deletes = set()
    dids = set()
    with open(path, "rb") as file:
        for line in file:
            line = line.rstrip(b"\r\n")
            if not line:
                continue
            out["frames"] += 1
            try:
                frame = json.loads(line.decode("utf-8"))
                kind, did, time = frame["kind"], frame["did"], frame["time_us"]
                if not (isinstance(kind, str) and isinstance(did, str) and isinstance(time, int)):
                    raise ValueError("wrong type")
            except (ValueError, KeyError, TypeError, RecursionError):
                out["malformed"] += 1
                continue
            out["kinds"][kind] = out["kinds"].get(kind, 0) + 1
            out["first_time_us"] = min(out["first_time_us"] or time, time)
            out["last_time_us"] = max(out["last_time_us"] or time, time)
            dids.add(did)
            commit = frame.get("commit")
            if kind != "commit" or not isinstance(commit, dict):
                continue
            collection, operation = commit.get("collection"), commit.get("operation")
            out["collections"][collection] = out["collections"].get(collection, 0) + 1
            key = f"{operation} {collection}"
            out["operations"][key] = out["operations"].get(key, 0) + 1
            identity = (did, commit.get("rev"), collection, commit.get("rkey"), operation)
            if collection == POST and operation == "create":
                posts.add(identity)
            elif collection == POST and operation == "delete":
                deletes.add(identity)
            elif collection == PROFILE and operation != "delete":
                out["profiles"] += 1
            elif collection in (ADDRESS, PERSON) and operation != "delete":
                out["addresses"] += 1
    out["posts"] = len(posts)
    out["post_deletes"] = len(deletes)
    out["accounts"] = len(dids)
    return out


def frames(arguments):
    json.dump(count_frames(arguments.file), sys.stdout, indent=1, sort_keys=True)
    print()
    return 0


def main(argv):
    if len(argv) == 2 and argv[0] == "--frames":
        argv = ["frames", argv[1]]
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True)

    def command(name, function, help_text):
        sub = commands.add_parser(name, help=help_text)
        sub.set_defaults(function=function)
        return sub

    def with_log(sub):
        sub.add_argument("--log", required=True)
        sub.add_argument("--with-lost", action="store_true",
                         help="count events, too, that the feed never delivered")

    sub = command("figures", figures, "figures after the first N events")
    with_log(sub)
    sub.add_argument("--at", action="append", metavar="N[:EDGE]")
    sub = command("days", days, "daily rows")
    with_log(sub)
    sub.add_argument("--at", action="append", metavar="N[:EDGE]")
    sub = command("compare", compare, "compare with pages of /metrics/countries")
    with_log(sub)
    sub.add_argument("--at")
    sub.add_argument("--edge")
    sub.add_argument("--page")
    sub.add_argument("--moment", action="append", default=[], metavar="N,EDGE,PAGE",
                     help="one of several; EDGE may be empty")
    sub.add_argument("--limit", type=int, default=40, help="differences printed a moment")
    sub = command("frames", frames, "count a file of v1 messages")
    sub.add_argument("file")

    try:
        arguments = parser.parse_args(argv)
    except SystemExit as error:
        return 64 if error.code else 0
    return arguments.function(arguments)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
