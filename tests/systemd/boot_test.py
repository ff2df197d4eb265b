#!/usr/bin/env python3
"""Goal: a real systemd runs the unit as it is shipped: started when the state is loaded,
confined, reloaded, watched, restarted, stopped; and the journal has the fields.
Method: systemd boots in a container (systemd-nspawn) over an overlay of this machine's root, with
the daemon and a generated feed in it; a script inside, which is the second half of this file,
does what an operator would and writes down what it sees. Skipped (77) where that cannot run.

usage: boot_test.py SOURCE_DIR GEOTALLY GEOTALLY_FEED
"""
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
EVENTS = 20_000
INSIDE = "/opt/geotally-boot-test"

DRIVER_UNIT = f"""
[Unit]
Description=What boot_test.py does inside
After=multi-user.target
[Service]
Type=oneshot
TimeoutStartSec=10min
ExecStart=/usr/bin/python3 {INSIDE}/boot_test.py --inside
ExecStopPost=/usr/bin/systemctl poweroff --no-block
"""

FEED_UNIT = f"""
[Service]
ExecStart={INSIDE}/geotally-feed --world small --accounts 200 --events {EVENTS} --days 2 \\
  --end-time now --rate 2000 --port 6008 --log {INSIDE}/feed.log
"""

# The watchdog as shipped waits a minute, and as long again for the core of what it killed.
QUICK = """
[Service]
WatchdogSec=3s
TimeoutAbortSec=1s
RestartSec=1s
"""

CONFIG = """
[feed]
urls = ["ws://127.0.0.1:6008/subscribe"]
start = "oldest"
quiet_s = 0
[store]
memory_mib = 128
"""


# ---------------------------------------------------------------- outside


def skip(why):
    print(f"skipped: {why}")
    sys.exit(SKIP)


def install(root, source, geotally, feed):
    def put(path, text=None, copy=None, mode=0o644):
        target = root / path.lstrip("/")
        target.parent.mkdir(parents=True, exist_ok=True)
        if copy:
            shutil.copyfile(copy, target)
        else:
            target.write_text(text)
        target.chmod(mode)

    put("/usr/bin/geotally", copy=geotally, mode=0o755)
    put(f"{INSIDE}/geotally-feed", copy=feed, mode=0o755)
    put(f"{INSIDE}/boot_test.py", copy=__file__)
    put(f"{INSIDE}/truth.py", copy=source / "tests/truth/truth.py")
    put("/usr/share/geotally/geo.table", copy=source / "lib/geo/data/geo.table")
    units = "/usr/lib/systemd/system"
    for name in ("geotally.service", "geotally@.service"):
        put(f"{units}/{name}", copy=source / "systemd" / name)
    put("/usr/lib/systemd/catalog/geotally.catalog", copy=source / "systemd/geotally.catalog")
    put(f"{units}/geotally.service.d/quick.conf", QUICK)
    put(f"{units}/boot-test-feed.service", FEED_UNIT)
    put(f"{units}/boot-test.service", DRIVER_UNIT)
    wants = root / "etc/systemd/system/multi-user.target.wants"
    wants.mkdir(parents=True, exist_ok=True)
    (wants / "boot-test.service").symlink_to(f"{units}/boot-test.service")
    put("/etc/geotally/geotally.toml", CONFIG)
    put("/etc/credstore/geotally.http-token", "hunter2\n", mode=0o600)


def outside(source, geotally, feed):
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
              f"lowerdir=/,upperdir={base}/layer/upper,workdir={base}/layer/work", at=root)
        install(root, source, geotally, feed)
        begun = time.monotonic()
        boot = subprocess.run(
            ["systemd-nspawn", "--quiet", f"--directory={root}", "--boot", "--private-network",
             "--register=no", "--keep-unit", "--console=pipe"],
            stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=540, errors="replace")
        report = root / INSIDE.lstrip("/") / "report.json"
        if not report.exists():
            print(boot.stdout[-4_000:], boot.stderr[-4_000:])
            if "Powering off" not in boot.stdout and boot.returncode != 0:
                skip("systemd does not boot in a container here")
            sys.exit("the container ended without a report")
        steps = json.loads(report.read_text())
        for step in steps:
            print(("ok    " if step["ok"] else "FAILED"), step["name"], step["detail"])
        print(f"{len(steps)} steps in {time.monotonic() - begun:.0f} s")
        sys.exit(0 if steps and all(step["ok"] for step in steps) else 1)
    finally:
        for at in reversed(mounted):
            subprocess.run(["umount", "--lazy", str(at)], check=False)
        shutil.rmtree(base, ignore_errors=True)


# ---------------------------------------------------------------- inside

STEPS = []


def step(function):
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


def get(path, token="hunter2"):
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


@step
def the_journal_takes_the_catalogue():
    run("journalctl", "--update-catalog")


@step
def verify_prints_nothing():
    result = run("systemd-analyze", "verify", "--man=no", "geotally.service", "geotally@a.service")
    assert result.stdout + result.stderr == "", result.stdout + result.stderr


@step
def start_returns_when_the_state_is_loaded():
    run("systemctl", "start", "boot-test-feed")
    run("systemctl", "start", "geotally")
    assert show("ActiveState") == "active"
    assert get("/readyz", token=None) == "ready\n"
    assert show("StatusText"), "no STATUS"


@step
def it_counts():
    return f"{wait_for('posts', lambda: posts() > 1_000 and posts())} posts"


@step
def it_runs_as_a_user_of_its_own_with_a_directory_of_its_own():
    pid = show("MainPID")
    uid = os.stat(f"/proc/{pid}").st_uid
    assert uid >= 61184, uid  # systemd's range of dynamic users
    state = os.stat("/var/lib/private/geotally")
    assert (state.st_uid, state.st_mode & 0o777) == (uid, 0o700), state
    status = pathlib.Path(f"/proc/{pid}/status").read_text()
    assert re.search(r"^CapBnd:\s*0+$", status, flags=re.M), status
    assert re.search(r"^Seccomp:\s*2$", status, flags=re.M), status
    assert re.search(r"^NoNewPrivs:\s*1$", status, flags=re.M), status


@step
def the_credential_is_the_token():
    try:
        get("/metrics", token=None)
        raise AssertionError("answered without a token")
    except urllib.error.HTTPError as error:
        assert error.code == 401, error.code
    page = get("/metrics")
    assert re.search(r"^process_start_time_seconds [1-9]", page, flags=re.M)
    assert re.search(r"^process_resident_memory_bytes [1-9]", page, flags=re.M)
    log = run("journalctl", "-u", "geotally", "-o", "export").stdout
    assert "hunter2" not in log


@step
def the_journal_has_fields_and_explanations():
    entry = wait_for("daemon.ready", lambda: events("daemon.ready"))[0]
    assert entry["_TRANSPORT"] == "journal", entry
    assert re.fullmatch("[0-9a-f]{32}", entry["MESSAGE_ID"]), entry
    connected = events("feed.connected")[0]
    assert "127.0.0.1" in connected["GEOTALLY_HOST"], connected
    explained = run("journalctl", "-x", "-u", "geotally").stdout
    assert "░░ Subject: geotally is ready" in explained, explained[-2_000:]


@step
def a_reload_is_taken():
    begun = int(time.time())
    path = pathlib.Path("/etc/geotally/geotally.toml")
    path.write_text(CONFIG + '[log]\nlevel = "debug"\n[pipeline]\nshards = 2\n')
    run("systemctl", "reload", "geotally")
    wait_for("config.reloaded", lambda: events("config.reloaded", begun))
    said = wait_for("config.restart_needed", lambda: events("config.restart_needed", begun))
    assert "pipeline.shards" in json.dumps(said), said


@step
def a_reload_with_a_mistake_fails_and_changes_nothing():
    path = pathlib.Path("/etc/geotally/geotally.toml")
    path.write_text(CONFIG + "[log]\nlevel = 7\n")
    before = show("MainPID")
    assert run("systemctl", "reload", "geotally", check=False).returncode != 0
    assert (show("ActiveState"), show("MainPID")) == ("active", before)
    posts()
    path.write_text(CONFIG)


@step
def what_is_killed_comes_back_with_its_counts():
    before = posts()
    restarts = int(show("NRestarts"))
    run("systemctl", "kill", "--signal=KILL", "geotally")
    wait_for("the restart", lambda: int(show("NRestarts")) > restarts)
    after = wait_for("readiness", lambda: get("/readyz") and posts())
    assert after >= before, (before, after)
    return f"{before} posts before, {after} after"


@step
def a_loop_that_stands_still_is_killed_by_the_watchdog():
    before = posts()
    restarts = int(show("NRestarts"))
    begun = int(time.time())
    run("systemctl", "kill", "--signal=STOP", "geotally")
    wait_for("the watchdog", lambda: int(show("NRestarts")) > restarts)
    log = run("journalctl", "-u", "geotally", f"--since=@{begun}").stdout
    assert "Watchdog timeout" in log, log
    assert wait_for("readiness", lambda: get("/readyz") and posts()) >= before


@step
def after_all_of_it_every_figure_is_that_of_the_feeds_log():
    page = pathlib.Path(f"{INSIDE}/page.prom")

    def agrees():
        page.write_text(get("/metrics/countries"))
        result = run("/usr/bin/python3", f"{INSIDE}/truth.py", "compare", "--log",
                     f"{INSIDE}/feed.log", "--at", str(EVENTS), "--page", str(page), check=False)
        return result.returncode == 0 and (result.stdout.strip() or "equal")

    try:
        said = wait_for("the truth", agrees, patience_s=90)
    except AssertionError:
        raise AssertionError(run("/usr/bin/python3", f"{INSIDE}/truth.py", "compare", "--log",
                                 f"{INSIDE}/feed.log", "--at", str(EVENTS), "--page", str(page),
                                 check=False))
    return f"{posts()} posts: {said.splitlines()[-1]}"


@step
def stop_is_orderly():
    begun = int(time.time())
    run("systemctl", "stop", "geotally")
    assert show("Result") == "success", show("Result")
    wait_for("daemon.stopped", lambda: events("daemon.stopped", begun))


@step
def verify_agrees_with_what_was_stored():
    result = run("systemd-run", "--pipe", "--wait", "--quiet", "-p", "DynamicUser=yes", "-p",
                 "User=geotally", "-p", "StateDirectory=geotally", "/usr/bin/geotally", "verify")
    return result.stdout.strip()[:200]


@step
def a_wrong_configuration_is_not_tried_again():
    path = pathlib.Path("/etc/geotally/geotally.toml")
    path.write_text("[feed]\nquiet_s = \"soon\"\n")
    run("systemctl", "reset-failed", "geotally", check=False)
    assert run("systemctl", "start", "geotally", check=False).returncode != 0
    time.sleep(2)  # longer than RestartSec
    assert show("ActiveState") == "failed"
    assert (show("ExecMainStatus"), show("NRestarts")) == ("78", "0")
    log = run("journalctl", "-u", "geotally", "-n", "20", "-o", "cat").stdout
    assert "geotally.toml:2:11: feed.quiet_s: must be integer, 0 to 86400 s" in log, log
    path.write_text(CONFIG)


@step
def the_template_runs_beside_it():
    pathlib.Path("/etc/geotally/second.toml").write_text(CONFIG)
    run("systemctl", "start", "geotally@second")
    assert show("ActiveState", "geotally@second.service") == "active"
    assert os.stat("/var/lib/private/geotally-second").st_mode & 0o777 == 0o700
    run("systemctl", "stop", "geotally@second")


def inside():
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


if __name__ == "__main__":
    if sys.argv[1:] == ["--inside"]:
        inside()
    else:
        outside(*(pathlib.Path(argument).resolve() for argument in sys.argv[1:4]))
