#!/usr/bin/env python3
"""Goal: the package is installed, started, upgraded, removed and purged as Debian's policy has it:
the service follows, an operator's configuration and choices stay, counts are kept until the purge
and nothing is left after it.
Method: apt installs it in a booted systemd (tests/systemd/container.py), over an overlay of this
machine's root, or of a fresh Debian's that --root names, for which apt first downloads what the
package depends on. The second half of this file is what happens inside. Skipped (77) where a
container cannot run.

usage: install_test.py SOURCE_DIR BUILD_DIR GEOTALLY_FEED [--root DIR]
    DIR: debootstrap --variant=minbase --include=systemd-sysv,python3 bookworm DIR
"""
import os
import pathlib
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "systemd"))
from container import (CONFIG, INSIDE, agrees_with_the_truth, boot, get, overlay, posts, put,
                       put_feed, run, run_steps, show, step, wait_for)

EVENTS = 20_000
CONFFILE = pathlib.Path("/etc/geotally/geotally.toml")
STATE = pathlib.Path("/var/lib/private/geotally")
APT = ["apt-get", "-y", "-q", "--no-install-recommends", "--allow-downgrades"]


def outside(source, build, feed, lower):
    with tempfile.TemporaryDirectory() as directory, overlay(lower) as root:
        for name, arguments in (("first", []), ("second", ["-R", "99.0.0"])):
            made = pathlib.Path(directory, name)
            subprocess.run(["cpack", "--config", f"{build}/CPackConfig.cmake", "-B", made, *arguments],
                           check=True, capture_output=True)
            package, = made.glob("*.deb")
            put(root, f"{INSIDE}/{name}.deb", copy=package)
        put_feed(root, source, feed, EVENTS)
        # A build machine may forbid packages to start services.
        (root / "usr/sbin/policy-rc.d").unlink(missing_ok=True)
        if lower != "/":
            subprocess.run(["chroot", root, *APT, "install", "--download-only",
                            f"{INSIDE}/first.deb"], check=True, capture_output=True)
        return boot(root, __file__)


# ---------------------------------------------------------------- inside


def apt(*arguments):
    os.environ["DEBIAN_FRONTEND"] = "noninteractive"
    return run(*APT, *arguments).stdout


def install(name):
    return apt("install", f"{INSIDE}/{name}.deb")


def enabled():
    return run("systemctl", "is-enabled", "geotally", check=False).stdout.strip()


def traces():
    """What a package can leave behind, by name."""
    found = run("find", "/etc", "/usr", "/var/lib", "/run/systemd", "-xdev", "-name", "*geotally*")
    return set(found.stdout.split())


BEFORE = set()


@step
def it_is_installed_enabled_and_started():
    BEFORE.update(traces())
    install("first")
    assert (enabled(), show("ActiveState")) == ("enabled", "active"), show("ActiveState")
    assert get("/healthz") and get("/readyz") == "ready\n"
    assert run("dpkg", "--verify", "geotally").stdout == ""
    return run("/usr/bin/geotally", "version").stdout.strip()


@step
def its_unit_its_catalogue_and_its_completion_are_taken():
    result = run("systemd-analyze", "verify", "--man=no", "geotally.service", "geotally@a.service")
    assert result.stdout + result.stderr == "", result
    assert "geotally is ready" in run("journalctl", "--list-catalog").stdout
    run("bash", "-n", "/usr/share/bash-completion/completions/geotally")


@step
def it_has_a_user_and_a_directory_of_its_own():
    uid = os.stat(f"/proc/{show('MainPID')}").st_uid
    assert uid >= 61184, uid  # systemd's range of dynamic users: none is left in /etc/passwd
    state = STATE.stat()
    assert (state.st_uid, state.st_mode & 0o777) == (uid, 0o700), state
    assert (CONFFILE.stat().st_uid, CONFFILE.stat().st_mode & 0o777) == (0, 0o644)
    return f"uid {uid}"


@step
def it_counts_once_it_has_a_feed():
    CONFFILE.write_text(CONFIG)
    run("systemctl", "start", "geotally-test-feed")
    run("systemctl", "restart", "geotally")
    return f"{wait_for('posts', lambda: posts() > 1_000 and posts())} posts"


@step
def an_upgrade_restarts_it_and_keeps_counts_and_configuration():
    before, pid = posts(), show("MainPID")
    install("second")
    assert run("dpkg-query", "-W", "-f", "${Version}", "geotally").stdout == "99.0.0"
    assert (enabled(), show("ActiveState")) == ("enabled", "active")
    assert show("MainPID") != pid
    assert CONFFILE.read_text() == CONFIG
    after = posts()
    assert after >= before, (before, after)
    return f"{before} posts before, {after} after"


@step
def what_an_operator_disabled_stays_so_over_an_upgrade():
    run("systemctl", "disable", "--now", "geotally")
    install("first")
    install("second")
    assert (enabled(), show("ActiveState")) == ("disabled", "inactive"), enabled()
    run("systemctl", "enable", "--now", "geotally")


@step
def after_all_of_it_every_figure_is_that_of_the_feeds_log():
    return agrees_with_the_truth(EVENTS)


@step
def removed_the_service_is_gone_and_data_and_configuration_stay():
    pid = show("MainPID")
    apt("remove", "geotally")
    assert not pathlib.Path(f"/proc/{pid}").exists()
    assert not pathlib.Path("/usr/bin/geotally").exists()
    assert show("LoadState") in ("masked", "not-found"), show("LoadState")
    assert (STATE / "CURRENT").exists() and CONFFILE.read_text() == CONFIG
    assert "geotally" not in run("journalctl", "--list-catalog").stdout
    failed = run("systemctl", "--failed", "--plain", "--no-legend").stdout
    assert "geotally" not in failed, failed


@step
def installed_again_it_goes_on():
    install("second")
    assert (enabled(), show("ActiveState")) == ("enabled", "active")
    assert CONFFILE.read_text() == CONFIG
    return agrees_with_the_truth(EVENTS)


@step
def purged_nothing_is_left():
    run("systemctl", "stop", "geotally-test-feed")
    apt("purge", "geotally")
    assert run("dpkg-query", "-W", "geotally", check=False).returncode == 1
    left = traces() - BEFORE
    assert not left, left
    run("systemctl", "daemon-reload")
    assert show("LoadState") == "not-found", show("LoadState")


if __name__ == "__main__":
    if sys.argv[1:] == ["--inside"]:
        run_steps()
    else:
        given = [pathlib.Path(argument).resolve() for argument in sys.argv[1:] if argument != "--root"]
        sys.exit(outside(*given[:3], lower=str(given[3]) if len(given) > 3 else "/"))
