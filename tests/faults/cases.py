"""Every fault: its name, what is done, and the world that it is done in."""

import bounds
import damaged
import feeds
import kills
import machine
import reach
import steps

QUICK = ["an hour of replay after a reconnect", "deep, huge, broken, foreign messages",
         "reordering at the switch to live"]
# A feed that is held is silent, too, and left again and again: commits must come in between.
QUIET = ["--set", "feed.quiet_s=2", "--set", "store.commit_interval_ms=250"]
V1_DICTIONARY, V2_DICTIONARIES = ["1612007021"], ["20260811", "20260812"]


def all_of(long, kill_count):
    """The long form: everything, often. The short one: what no other test of the suite does."""
    tries = 10 if long else 1
    world = {"events": 150_000 if long else 60_000}
    many = {"events": max(60_000, 2_500 * kill_count)}

    def report(row):
        if long:
            print(row, flush=True)

    yield ("kill at random",
           lambda b: kills.at_random(b, kill_count, 20 if long else 4, report), many)
    if long:
        # So many events an hour, and so much memory, that no mark comes between those of a commit.
        yield "kill at the steps of a commit", steps.at_steps, {
            "events": 1_000_000, "accounts": 100_000, "days": 2,
            "options": ["--set", "store.memory_mib=512"]}
    yield from of_the_feed(long, tries, world)
    yield from of_the_machine(long, tries, world)
    for name, run, arguments in bounds.all_of(long):
        yield f"bounds: {name}", run, arguments


def of_the_feed(long, tries, world):
    """By number: FEEDS' list of what goes wrong."""
    for name, faults in feeds.REPLAYABLE:
        arguments = dict(world)
        if "nothing" in name or "silent" in name:
            arguments["options"] = QUIET
        if long or name in QUICK:
            yield f"feed: {name}", feeds.replayable(name, faults, tries), arguments
    yield "feed: the server lost its history", feeds.forgotten, world
    yield "feed: cursor too old (v1)", reach.too_old, {**world, "retention": "1d"}
    yield "feed: cursor too old (v2)", reach.too_old, {**world, "retention": "1d", "v2": True}
    first = "deletions and takedowns before their create"
    yield (f"feed: {first}", feeds.all_at_once(first),
           {"events": 0, "messages": feeds.before_their_create()})
    for wire, ids, faults in [("v1", V1_DICTIONARY, []), ("v2", V2_DICTIONARIES, ["rotate@{n}"])]:
        name = f"zstd ({wire}): bombs, cut, another dictionary" + (", rotation" if faults else "")
        faults = ["corrupt@{n}:what=" + what for what in feeds.BINARY] + faults
        yield (f"feed: {name}", feeds.replayable(name, faults, tries),
               {**world, "dictionaries": ids, "v2": wire == "v2"})
    yield "feed: another host", reach.another_host(tries), {
        **world, "options": [*QUIET, "--set", "feed.preferred_after_s=1"],
        "feed": ["--guard", "5s", "--host", "", "--host", "clock=3s,sequence=900000"]}
    yield "feed: DNS", reach.name(tries), world
    yield "feed: connection refused", reach.refused(tries), world
    yield "feed: TLS", reach.tls(max(1, tries // 3)), world


def of_the_machine(long, tries, world):
    numbers = [1, 2, 3, 5, 8, 13] if long else [2]
    for name, injection, calls in machine.DISK_CALLS:
        if long or "once (EIO)" in name and "fdata" in name:
            yield (f"disk: {name}", machine.disk_call(
                name, injection, calls, numbers if "{n}" in injection else numbers[:1]), world)
    yield "disk: quota", machine.quota(tries), world
    for pattern in damaged.PATTERNS:
        if long or pattern in ("*.sst", "MANIFEST-*"):
            yield f"damaged: {pattern}", damaged.restored(pattern, tries), world
        if long or pattern == "*.sst":
            yield f"damaged, rebuilt: {pattern}", damaged.rebuilt(pattern, tries), world
    if long:
        yield "disk: full", machine.full_disk(3), world
        yield "clock", machine.clock(3), {**world, "wall": True, "days": 2}
    yield "signals", machine.signals(tries), world
    yield "limits", machine.limits(1), world
    if long:
        yield "limits: memory", machine.out_of_memory(5), {**world, "events": 300_000}
        yield "limits: cgroup", machine.memory_cgroup(5), {**world, "events": 300_000}
