"""A real systemd in a container, for the tests that need one: outside, an overlay of this machine's
root (or a root that is given) booted by systemd-nspawn; inside, the steps of a test and what
they use. A test is one file that runs as both: `outside` ends in boot(), `inside` in run_steps().
Nothing of this machine is written to, and the container has no network but its own loopback.
"""
import contextlib
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import time
import traceback
import urllib.error
import urllib.request

SKIP = 77
INSIDE = "/opt/geotally-test"
TOKEN = "hunter2"
UNITS = "/usr/lib/systemd/system"
# The daemon follows the feed of put_feed() from its beginning.
CONFIG = """
[feed]
urls = ["ws://127.0.0.1:6008/subscribe"]
start = "oldest"
quiet_s = 0
[store]
memory_mib = 256
[resolver]
threshold = 0.35
"""

DRIVER_UNIT = f"""
[Unit]
Description=The steps of a test
After=multi-user.target
[Service]
Type=oneshot
TimeoutStartSec=10min
ExecStart=/usr/bin/python3 {INSIDE}/steps.py --inside
ExecStopPost=/usr/bin/systemctl poweroff --no-block
"""


# ---------------------------------------------------------------- outside


def skip(why):
    print(f"skipped: {why}")
    sys.exit(SKIP)


def put(root, path, text=None, copy=None, mode=0o644):
    target = root / path.lstrip("/")
    target.parent.mkdir(parents=True, exist_ok=True)
    if copy:
        shutil.copyfile(copy, target)
    else:
        target.write_text(text)
    target.chmod(mode)


@contextlib.contextmanager
def overlay(lower="/"):
    """A root that begins as `lower` and forgets what was written to it. Skips where it cannot be."""
    if os.geteuid() != 0:
        skip("systemd-nspawn needs root")
    if not shutil.which("systemd-nspawn"):
        skip("systemd-nspawn is not installed (package systemd-container)")
    base = pathlib.Path(tempfile.mkdtemp(prefix="geotally-boot-"))
    mounted = []
    try:
        def mount(*arguments, at):
            at.mkdir(parents=True, exist_ok=True)
            result = subprocess.run(["mount", *arguments, str(at)], capture_output=True, text=True)
            if result.returncode != 0:
                skip(f"cannot mount: {result.stderr.strip()}")
            mounted.append(at)

        mount("-t", "tmpfs", "tmpfs", at=base / "layer")
        for name in ("upper", "work"):
            (base / "layer" / name).mkdir()
        root = base / "root"
        mount("-t", "overlay", "overlay", "-o",
              f"lowerdir={lower},upperdir={base}/layer/upper,workdir={base}/layer/work", at=root)
        yield root
    finally:
        for at in reversed(mounted):
            subprocess.run(["umount", "--lazy", str(at)], check=False)
        shutil.rmtree(base, ignore_errors=True)


def put_feed(root, source, feed, events):
    """The unit geotally-test-feed: `events` of a generated feed at port 6008, logged for truth.py."""
    put(root, f"{INSIDE}/geotally-feed", copy=feed, mode=0o755)
    put(root, f"{INSIDE}/truth.py", copy=source / "tests/truth/truth.py")
    put(root, f"{UNITS}/geotally-test-feed.service",
        f"[Service]\nExecStart={INSIDE}/geotally-feed --world small --accounts 200"
        f" --events {events} --days 2 --end-time now --rate 2000 --port 6008"
        f" --log {INSIDE}/feed.log\n")


def boot(root, steps):
    """Boots `root`, runs the file `steps` in it as `steps --inside`, prints what each step said.
    Returns the exit code of the test."""
    put(root, f"{INSIDE}/steps.py", copy=steps)
    put(root, f"{INSIDE}/container.py", copy=__file__)
    put(root, f"{UNITS}/geotally-test.service", DRIVER_UNIT)
    wants = root / "etc/systemd/system/multi-user.target.wants"
    wants.mkdir(parents=True, exist_ok=True)
    (wants / "geotally-test.service").symlink_to(f"{UNITS}/geotally-test.service")
    begun = time.monotonic()
    booted = subprocess.run(
        ["systemd-nspawn", "--quiet", f"--directory={root}", "--boot", "--private-network",
         "--register=no", "--keep-unit", "--console=pipe"],
        stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=540, errors="replace")
    report = root / INSIDE.lstrip("/") / "report.json"
    if not report.exists():
        print(booted.stdout[-4_000:], booted.stderr[-4_000:])
        if "Powering off" not in booted.stdout and booted.returncode != 0:
            skip("systemd does not boot in a container here")
        sys.exit("the container ended without a report")
    steps = json.loads(report.read_text())
    for step in steps:
        print(("ok    " if step["ok"] else "FAILED"), step["name"], step["detail"])
    print(f"{len(steps)} steps in {time.monotonic() - begun:.0f} s")
    return 0 if steps and all(step["ok"] for step in steps) else 1


# ---------------------------------------------------------------- inside

STEPS = []


def step(function):
    """Of a function without arguments: it is a step. It raises, or returns what is worth saying."""
    STEPS.append(function)
    return function


def run(*arguments, check=True):
    result = subprocess.run(arguments, capture_output=True, text=True)
    if check and result.returncode != 0:
        raise AssertionError(f"{arguments}: {result.returncode}: {result.stdout}{result.stderr}")
    return result


def show(name, unit="geotally.service"):
    return run("systemctl", "show", "--value", "-p", name, unit).stdout.strip()


def wait_for(what, condition, patience_s=60):
    end = time.monotonic() + patience_s
    while time.monotonic() < end:
        try:
            value = condition()
        except (urllib.error.URLError, ConnectionError):
            value = None
        if value:
            return value
        time.sleep(0.05)
    status = run("systemctl", "status", "--no-pager", "-n", "20", "geotally", check=False).stdout
    raise AssertionError(f"in vain: {what}\n{status}")


def get(path, token=TOKEN):
    request = urllib.request.Request(f"http://127.0.0.1:9718{path}")
    if token:
        request.add_header("Authorization", f"Bearer {token}")
    with urllib.request.urlopen(request, timeout=10) as answer:
        return answer.read().decode()


def posts():
    page = get("/metrics/countries")
    return sum(int(value) for value in re.findall(r"^geotally_posts_total\{.*\} (\d+)$", page,
                                                  flags=re.M))


def events(name, since=None):
    run("journalctl", "--sync", check=False)
    arguments = ["journalctl", "-o", "json", "-u", "geotally", f"GEOTALLY_EVENT={name}"]
    if since:
        arguments.append(f"--since=@{since}")
    return [json.loads(line) for line in run(*arguments, check=False).stdout.splitlines()]


def agrees_with_the_truth(count):
    """Waits until every figure is that of the first `count` events of the feed's log."""
    page = pathlib.Path(f"{INSIDE}/page.prom")

    def compare():
        page.write_text(get("/metrics/countries"))
        return run("/usr/bin/python3", f"{INSIDE}/truth.py", "compare", "--log",
                   f"{INSIDE}/feed.log", "--at", str(count), "--page", str(page), check=False)

    def agrees():
        result = compare()
        return result.returncode == 0 and (result.stdout.strip() or "equal")

    try:
        said = wait_for("the truth", agrees, patience_s=90)
    except AssertionError:
        raise AssertionError(compare())
    return f"{posts()} posts: {said.splitlines()[-1]}"


def run_steps():
    """Runs them in order, up to the first that fails, and leaves the report for boot()."""
    report = []
    for function in STEPS:
        name = function.__name__.replace("_", " ")
        try:
            report.append({"name": name, "ok": True, "detail": function() or ""})
        except Exception:
            log = run("journalctl", "-u", "geotally", "-n", "15", "-o", "cat", check=False).stdout
            report.append({"name": name, "ok": False,
                           "detail": f"{traceback.format_exc(limit=-1)}\nIts log:\n{log}"})
            break  # what follows stands on this
    pathlib.Path(f"{INSIDE}/report.json").write_text(json.dumps(report))
