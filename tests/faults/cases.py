"""Every fault: its name, what is done, and the world that it is done in."""

import feeds
import kills
import machine

QUICK = ["an hour of replay after a reconnect", "deep, huge, broken, foreign messages",
         "reordering at the switch to live"]


def all_of(long, kill_count):
    """The long form: everything, often. The short one: what no other test of the suite does."""
    tries = 10 if long else 1
    world = {"events": 150_000 if long else 60_000}
    many = {"events": max(60_000, 2_500 * kill_count)}

    def report(row):
        if long:
            print(row, flush=True)

    yield ("kill at random", lambda b: kills.at_random(b, kill_count, 20 if long else 4, report), many)
    steps = [1, 2, 3, 5, 8, 13] if long else [2]
    if long:
        yield "kill at the steps of a commit", lambda b: kills.at_steps(b, steps), world
    for name, faults in feeds.REPLAYABLE:
        arguments = dict(world)
        if "nothing" in name or "silent" in name:
            arguments["options"] = ["--set", "feed.quiet_s=2"]
        if long or name in QUICK:
            yield f"feed: {name}", feeds.replayable(name, faults, tries), arguments
    yield "feed: the server lost its history", feeds.forgotten, world
    yield "feed: cursor too old", feeds.clamped, {**world, "retention": "1d"}
    for name, injection, calls in machine.DISK_CALLS:
        numbers = steps if "{n}" in injection else steps[:1]
        if long or "once (EIO)" in name and "fdata" in name:
            yield f"disk: {name}", machine.disk_call(name, injection, calls, numbers), world
    for pattern in machine.DAMAGE:
        if long or pattern in ("*.sst", "MANIFEST-*"):
            yield f"damaged: {pattern}", machine.damaged(pattern, tries), world
    if long:
        yield "disk: full", machine.full_disk(3), world
        yield "clock", machine.clock(3), {**world, "wall": True}
    yield "signals", machine.signals(tries), world
    yield "limits", machine.limits(1), world
