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
import sys
import time
import urllib.error

from container import (CONFIG, TOKEN, UNITS, agrees_with_the_truth, boot, events, get, overlay,
                       posts, put, put_feed, run, run_steps, show, step, wait_for)

EVENTS = 20_000

# The watchdog as shipped waits a minute, and as long again for the core of what it killed.
QUICK = """
[Service]
WatchdogSec=3s
TimeoutAbortSec=1s
RestartSec=1s
"""


def outside(source, geotally, feed):
    with overlay() as root:
        put(root, "/usr/bin/geotally", copy=geotally, mode=0o755)
        put(root, "/usr/share/geotally/geo.table", copy=source / "lib/geo/data/geo.table")
        for name in ("geotally.service", "geotally@.service"):
            put(root, f"{UNITS}/{name}", copy=source / "systemd" / name)
        put(root, f"{UNITS}/geotally.service.d/quick.conf", QUICK)
        put(root, "/usr/lib/systemd/catalog/geotally.catalog",
            copy=source / "systemd/geotally.catalog")
        put(root, "/etc/geotally/geotally.toml", CONFIG)
        put(root, "/etc/credstore/geotally.http-token", f"{TOKEN}\n", mode=0o600)
        put_feed(root, source, feed, EVENTS)
        return boot(root, __file__)


# ---------------------------------------------------------------- inside


@step
def the_journal_takes_the_catalogue():
    run("journalctl", "--update-catalog")


@step
def verify_prints_nothing():
    result = run("systemd-analyze", "verify", "--man=no", "geotally.service", "geotally@a.service")
    assert result.stdout + result.stderr == "", result.stdout + result.stderr


@step
def start_returns_when_the_state_is_loaded():
    run("systemctl", "start", "geotally-test-feed")
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
    assert TOKEN not in log


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
    def reloaded_at():
        return re.search(r"^geotally_config_last_reload_success_timestamp_seconds (.*)$",
                         get("/metrics"), flags=re.M)[1]

    begun, before = int(time.time()), reloaded_at()
    path = pathlib.Path("/etc/geotally/geotally.toml")
    path.write_text(CONFIG + '[log]\nlevel = "error"\n')
    run("systemctl", "reload", "geotally")
    wait_for("the reload", lambda: reloaded_at() != before)
    path.write_text(CONFIG + '[log]\nlevel = "debug"\n[pipeline]\nshards = 2\n')
    run("systemctl", "reload", "geotally")
    said = wait_for("config.reloaded", lambda: events("config.reloaded", begun))
    assert len(said) == 1, "the level of the first reload held its own line back"
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
    return agrees_with_the_truth(EVENTS)


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


if __name__ == "__main__":
    if sys.argv[1:] == ["--inside"]:
        run_steps()
    else:
        sys.exit(outside(*(pathlib.Path(argument).resolve() for argument in sys.argv[1:4])))
