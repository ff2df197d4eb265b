"""Files of the store in which bytes were changed: refused, and restored or rebuilt."""

import random
import shutil
import subprocess
import time

from backup import geotally
from bench import BIN, Row, expect, truth
from kills import command
from rebuild import check_beyond, posts_ever

PATTERNS = ["*.sst", "*.log", "MANIFEST-*", "CURRENT", "OPTIONS-*"]


class Stores:
    """A store of 4,000 events, a backup from half of them, and copies with a damaged file."""

    def __init__(self, bench, pattern):
        self._bench, self._pattern = bench, pattern
        self.data, self._base = bench.folder / "data", bench.folder / "whole"
        self._backup = ["--data-dir", self.data, "--backup-dir", bench.folder / "backups"]
        bench.start()
        bench.play(2_000)
        bench.settle()
        geotally(0, "backup", *self._backup)
        bench.play(2_000)
        bench.settle()
        bench.kill()
        shutil.copytree(self.data, self._base)

    def damage_one(self):
        shutil.rmtree(self.data)
        shutil.copytree(self._base, self.data)
        files = sorted(f for f in self.data.glob(self._pattern) if f.stat().st_size > 8)
        damage(self._bench.chance.choice(files), self._bench.chance)

    def restore(self):
        shutil.rmtree(self.data)
        geotally(0, "restore", *self._backup)


def damage(path, chance=random):
    content = bytearray(path.read_bytes())
    at = len(content) // 2 if len(content) < 64 else chance.randrange(8, len(content) - 8)
    for i in range(at, min(at + 8, len(content))):
        content[i] ^= 0xff
    path.write_bytes(bytes(content))


def restored(pattern, tries):
    """Refused, and left as it is; or the truth, as if nothing had been. Then the store is restored
    from its backup, and the feed replays the rest."""
    def run(bench):
        row = Row(f"damaged {pattern}")
        stores, ends = Stores(bench, pattern), {"refused": 0, "nothing lost": 0}
        for _ in range(tries):
            stores.damage_one()
            before = {f.name: f.read_bytes() for f in stores.data.glob("*.sst")}
            log = open(bench.folder / "damaged.log", "ab")
            process = subprocess.Popen([str(part) for part in command(bench)],
                                       stdout=subprocess.DEVNULL, stderr=log)
            end = time.monotonic() + 4
            while process.poll() is None and time.monotonic() < end:
                time.sleep(0.05)
            refused = process.poll() is not None
            if refused:
                expect(process.returncode == 65, f"{pattern}: exit {process.returncode}")
                for name, content in before.items():
                    expect((stores.data / name).read_bytes() == content, f"{name} was changed")
                stores.restore()
            else:
                process.kill()
                process.wait()
            ends["refused" if refused else "nothing lost"] += 1
            bench.start()
            bench.settle()
            if refused:
                check_all_but_counters(bench, row)
            else:
                bench.check(row)
            bench.kill()
        row.note = ", ".join(f"{what} {count}" for what, count in ends.items())
        return row
    return run


def rebuilt(pattern, tries):
    """The damaged store is rebuilt, and goes on with the feed from its cursor to the world's end.
    Without a gap everything is the truth; with one, the windows that it does not touch, and no post
    is missing that does not lie in it."""
    def run(bench):
        row = Row(f"damaged {pattern}, rebuilt")
        stores, ends = Stores(bench, pattern), {"no gap": 0, "a gap": 0, "refused": 0}
        into = bench.folder / "into"
        bench.play(bench.size)
        for _ in range(tries):
            stores.damage_one()
            done = subprocess.run([BIN / "geotally", "rebuild", "--data-dir", stores.data, "--into",
                                   into], capture_output=True, check=False)
            said = (done.stdout + done.stderr).decode()
            expect(done.returncode in (0, 65), f"{pattern}: rebuild: {done.returncode}: {said}")
            if done.returncode == 65:  # without the store's seed no account is known again
                expect("restore a backup instead" in said, said)
                shutil.rmtree(into, ignore_errors=True)
                stores.restore()
            else:
                shutil.rmtree(stores.data)
                into.rename(stores.data)
            bench.start()
            bench.settle()
            if done.returncode == 65:
                ends["refused"] += 1
                check_all_but_counters(bench, row)
            elif "no gap" in said:
                ends["no gap"] += 1
                check_all_but_counters(bench, row)
            else:
                ends["a gap"] += 1
                check_with_gap(bench, row)
            expect(bench.daemon.stop() == 0, "the daemon's exit code is not 0")
            geotally(0, "verify", "--data-dir", stores.data, says=" 0 differ")
        row.note = ", ".join(f"{what} {count}" for what, count in ends.items())
        return row
    return run


def check_all_but_counters(bench, row):
    """The counters begin anew; everything else must be the truth, posts ever too, and no gap."""
    samples = bench.samples()
    have, _ = truth.page_figures(samples)
    want = bench.truth.at(bench.at).figures(truth.page_edge(samples))
    different = [line for line in truth.differences(want, have)
                 if " posts:" not in line and " deletions:" not in line]
    ever = posts_ever(bench.daemon)
    different += [f"{country} posts ever: {ever.get(country, 0)}, truth {figures.get('posts', 0)}"
                  for country, figures in want.items()
                  if ever.get(country, 0) != figures.get("posts", 0)]
    row.tries += 1
    expect(not different, f"{row.fault}: {len(different)} figures differ:\n" +
           "\n".join(different[:10]))
    expect(samples[("geotally_feed_gap_seconds_total", ())] == 0, f"{row.fault}: a gap")


def check_with_gap(bench, row):
    samples = bench.samples()
    want = bench.truth.at(bench.at).figures(truth.page_edge(samples))
    missing = (sum(figures.get("posts", 0) for figures in want.values()) -
               sum(posts_ever(bench.daemon).values()))
    row.tries += 1
    row.lost += max(0, missing)
    row.twice += max(0, -missing)
    row.gap_s += samples[("geotally_feed_gap_seconds_total", ())]
    check_beyond(samples, want, least="7d")
    expect(missing >= 0, f"{row.fault}: {-missing} posts counted twice")
    expect(missing <= bench.posts_in_gaps(), f"{row.fault}: {missing} posts are missing, in the "
           f"gaps there were only {bench.posts_in_gaps()}")
