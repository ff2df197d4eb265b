"""Runs geotally-feed and geotally as processes of their own, and asks both what they did.

Nothing here depends on timing: every wait is for a state, with a deadline that only a defect
reaches. Everything listens on 127.0.0.1, on ports that the system chooses.
"""

import atexit
import gzip
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "truth"))
import truth  # noqa: E402

BIN = Path(os.environ.get("GEOTALLY_BIN", HERE.parents[1] / "build" / "bin"))
DEADLINE_S = float(os.environ.get("GEOTALLY_TEST_DEADLINE_S", "180"))


class Failure(AssertionError):
    pass


def expect(condition, message):
    if not condition:
        raise Failure(message)


def wait_until(what, condition, deadline_s=None, pause_s=0.02):
    """The first true value of condition()."""
    end = time.monotonic() + (deadline_s or DEADLINE_S)
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise Failure(f"never happened: {what}")
        time.sleep(pause_s)


def get(url, headers=None, method="GET", timeout=DEADLINE_S):
    """(status, body); body decompressed."""
    request = urllib.request.Request(url, headers=headers or {}, method=method)
    try:
        with urllib.request.urlopen(request, timeout=timeout) as answer:
            body = answer.read()
            if answer.headers.get("Content-Encoding") == "gzip":
                body = gzip.decompress(body)
            return answer.status, body.decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode(errors="replace")


class Process:
    started = []

    def __init__(self, arguments, stderr, environment=None):
        Process.started.append(self)
        self.process = None
        self.stderr_path = stderr
        self._stderr = open(stderr, "ab")
        self.process = subprocess.Popen([str(a) for a in arguments], stdout=subprocess.PIPE,
                                        stderr=self._stderr, env=environment)

    def stop(self, how=signal.SIGTERM, deadline_s=None):
        """Ends it; the exit code."""
        if self.process.poll() is None:
            self.process.send_signal(how)
        code = self.process.wait(timeout=deadline_s or DEADLINE_S)
        self.process.stdout.close()
        self._stderr.close()
        return code

    def errors(self):
        return Path(self.stderr_path).read_text(errors="replace")


def end(*processes, how=signal.SIGKILL):
    """Ends those that still run."""
    for process in processes:
        if process is not None and process.process is not None and process.process.poll() is None:
            process.stop(how)


# However a test ends: nothing that it started outlives it.
atexit.register(lambda: end(*Process.started))


class Feed(Process):
    """geotally-feed; `arguments` as on its command line, without ports and log."""

    def __init__(self, folder, *arguments, log=True):
        self.log = Path(folder) / "feed.jsonl" if log else None
        command = [BIN / "geotally-feed", *arguments, "--control-port", "0"]
        if log:
            command += ["--log", self.log]
        super().__init__(command, Path(folder) / "feed.err")
        line = self.process.stdout.readline().decode()
        expect(line, f"geotally-feed did not start:\n{self.errors()}")
        addresses = json.loads(line)
        self.addresses = addresses["feeds"]
        self._control = addresses["control"]

    def url(self, host=0, path="/subscribe"):
        return self.addresses[host] + path

    def control(self, path, **query):
        text = "&".join(f"{key}={urllib.request.quote(str(value))}" for key, value in query.items())
        method = "GET" if path == "/status" else "POST"
        code, body = get(self._control + path + (f"?{text}" if text else ""), method=method)
        expect(code == 200, f"{path}?{text}: {code} {body}")
        return json.loads(body)

    def status(self):
        return self.control("/status")

    def advance(self, number):
        """Emits up to event `number`, then holds."""
        self.control("/control", pause_at=number)
        return self


class Daemon(Process):
    def __init__(self, folder, feed_url, *arguments, data_dir=None, listen="127.0.0.1:0",
                 environment=None, wrapper=()):
        """`wrapper`: words before the command; what they start must become the daemon."""
        self.folder = Path(folder)
        self.data_dir = Path(data_dir) if data_dir else self.folder / "data"
        urls = [feed_url] if isinstance(feed_url, str) else feed_url
        # The generated worlds leave no doubt where an account is, or say nothing of it; at this
        # threshold a lone flag and the language of one post decide, and guesses from the hours of
        # posts do not come between. What is tested here is the
        # counting; tests/geo is about the resolver.
        command = [*wrapper, BIN / "geotally", "run", "--data-dir", self.data_dir, "--listen", listen,
                   "--set", "resolver.threshold=0.35",
                   "--set", "log.format=json", "--set", "feed.start=oldest", "--set", "feed.quiet_s=0"]
        for url in urls:
            command += ["--feed", url]
        self.log_path = self.folder / f"daemon-{time.monotonic_ns()}.log"
        super().__init__(command + list(arguments), self.log_path, environment)
        try:
            self.port = wait_until("the daemon listens", self._port)
        except Failure as failure:
            self.process.kill()
            raise Failure(f"{failure}\n{self.errors()[-4000:]}") from None

    def _port(self):
        expect(self.process.poll() is None, f"the daemon ended:\n{self.errors()[-4000:]}")
        for line in self.errors().splitlines():
            if '"daemon.ready"' in line:
                return json.loads(line)["attributes"]["port"]
        return None

    def page(self, path="/metrics/countries"):
        code, body = get(f"http://127.0.0.1:{self.port}{path}", {"Accept-Encoding": "gzip"})
        expect(code == 200, f"{path}: {code} {body}")
        return body

    def metrics(self):
        return truth.parse_page(self.page("/metrics"))

    def sample(self, name, **labels):
        return self.metrics().get((name, tuple(sorted(labels.items()))))

    def settle(self, feed, number):
        """Waits until the first `number` events are emitted, received and committed."""
        def delivered():
            status = feed.status()
            return (status["emitted"] >= number and status["clients"] > 0 and
                    status["delivered"] >= number)

        def received():
            metrics = self.metrics()
            return tuple(metrics[(f"geotally_feed_{name}", ())]
                         for name in ("connected", "messages_total", "cursor_timestamp_seconds"))

        def commits():
            return self.sample("geotally_store_commit_duration_seconds_count")

        def quiet():
            # Reading and committing take turns on one thread: what lies in the socket is read
            # before the second commit from here is begun. Those that close a day come in the
            # middle of reading, but they move the cursor.
            wait_until(f"event {number} is delivered", delivered)
            before, first = received(), commits()
            wait_until("three more commits", lambda: commits() >= first + 3)
            return before == received() and before[0] == 1 and delivered()

        wait_until(f"event {number} is committed", quiet)

    def kill(self):
        code = self.stop(signal.SIGKILL)
        expect(code == -signal.SIGKILL, f"killed, but the exit code is {code}")


class Truth:
    """The truth at rising numbers of events, read from the feed's log as it grows."""

    def __init__(self, path):
        self._file = open(path, "rb")
        self._rest = b""
        self.world = truth.World()
        self.number = 0
        self._pending = []

    def at(self, number):
        while self.number < number:
            if not self._pending:
                chunk = wait_until(f"{number} events are in the feed's log, not {self.number}",
                                   lambda: self._file.read(1 << 22), deadline_s=30)
                lines = (self._rest + chunk).split(b"\n")
                self._rest = lines.pop()
                self._pending = [e for e in map(json.loads, lines)
                                 if "n" in e and "fault" not in e][::-1]
                continue
            event = self._pending.pop()
            if not event.get("lost"):
                self.world.apply(event)
            self.number = event["n"] + 1
        return self.world

    def compare(self, number, page):
        """Lines of difference between the truth after `number` events and the page."""
        samples = truth.parse_page(page)
        edge = truth.page_edge(samples)
        have, missing = truth.page_figures(samples)
        lines = [f"family {name} is missing" for name in missing]
        return lines + truth.differences(self.at(number).figures(edge), have)


class Folder:
    """A temporary directory that is kept when the test fails and GEOTALLY_KEEP is set."""

    def __enter__(self):
        self.path = Path(tempfile.mkdtemp(prefix="geotally-"))
        return self.path

    def __exit__(self, kind, *_):
        if kind is None or not os.environ.get("GEOTALLY_KEEP"):
            subprocess.run(["rm", "-rf", self.path], check=False)


def main(run):
    """Runs a test; its exit code says how it went."""
    try:
        run()
    except Failure as failure:
        print(f"FAILED: {failure}")
        return 1
    print("passed")
    return 0
