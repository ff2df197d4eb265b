"""A feed as it mostly is, some thousand events a second: what it costs, and what stays on disk."""

import signal
import subprocess
import sys
import time
from urllib.parse import urlsplit

from harness import Folder, wait_until
from measure import DAY_S, Flood, Watch, cpu_s, daemon_for, written_bytes
from table import at_most, printed, scenario

RATE = 1_000

# Asks for the feed, and reads: what the kernel takes to bring the bytes, and nothing else.
NULL_RECEIVER = """
import socket, sys
host, port, target = sys.argv[1:]
peer = socket.create_connection((host, int(port)))
peer.sendall((f"GET {target} HTTP/1.1\\r\\nHost: {host}:{port}\\r\\nUpgrade: websocket\\r\\n"
              "Connection: Upgrade\\r\\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\\r\\n"
              "Sec-WebSocket-Version: 13\\r\\n\\r\\n").encode())
buffer = bytearray(1 << 18)
while peer.recv_into(buffer):
    pass
"""


def share(pid, seconds):
    """Of a core."""
    cpu, at = cpu_s(pid), time.monotonic()
    time.sleep(seconds)
    return (cpu_s(pid) - cpu) / (time.monotonic() - at)


@scenario("segments", 75)
def segments(context):
    """One message a segment, 1,000 a second: the daemon, and a receiver that only reads."""
    seconds = 20
    arguments = ["--rate", RATE, "--coalesce", "off", "--wait-client", "--ping", "0s"]
    with Folder() as folder:
        flood = Flood(folder, *arguments)
        url = urlsplit(flood.feed.url())
        receiver = subprocess.Popen([sys.executable, "-c", NULL_RECEIVER, url.hostname,
                                     str(url.port), "/subscribe?cursor=1000000000000000"])
        try:
            wait_until("the receiver is there", lambda: flood.feed.status()["clients"] == 1)
            time.sleep(2)
            kernel = share(receiver.pid, seconds)
        finally:
            receiver.kill()
            receiver.wait()
            flood.stop()
    with Folder() as folder:
        flood = Flood(folder, *arguments)
        daemon = daemon_for(folder, flood)
        try:
            pid = daemon.process.pid
            Watch(daemon, flood).until(5 * RATE)
            busy = share(pid, seconds)
            written = written_bytes(pid)
            time.sleep(seconds)
            written = (written_bytes(pid) - written) / seconds
            flood.feed.control("/control", pause_at=flood.feed.status()["emitted"] + 1)
            time.sleep(2)
            idle = share(pid, seconds / 2)
        finally:
            daemon.stop(signal.SIGKILL)
            flood.stop()
    return [
        at_most("one frame a segment, 1,000 events/s: over a receiver that only reads",
                "% of a core", [(busy - kernel) * 100], 2,
                f"the daemon {busy * 100:.2f} %, the receiver {kernel * 100:.2f} %; "
                f"{idle * 100:.2f} % of the daemon's are spent without any event"),
        printed("disk written at 1,000 events/s", "GB a day", [written * DAY_S / 1e9],
                f"over {seconds} s, before compaction has much to do"),
    ]


@scenario("week", 60)
def week(context):
    """A simulated week of 100,000 accounts: what is on the disk at the end of each day."""
    a_day = 1_000_000
    with Folder() as folder:
        flood = Flood(folder, "--hold-alone", "--pause-at", a_day, accounts=100_000,
                      events=8 * a_day, step_us=DAY_S)
        daemon = daemon_for(folder, flood)
        sizes, written = [], []
        try:
            watch = Watch(daemon, flood)
            before = 0
            for day in range(1, 8):
                flood.feed.advance(day * a_day)
                watch.until(day * a_day)
                sizes.append(sum(file.stat().st_size for file in daemon.data_dir.rglob("*")
                                 if file.is_file()) / 1e6)
                now = written_bytes(daemon.process.pid)
                written.append((now - before) / 1e6)
                before = now
            watch.check()
        finally:
            daemon.stop(signal.SIGKILL)
            flood.stop()
    days = "day by day "
    return [
        printed("on disk after a simulated week, 100,000 accounts, a million posts a day", "MB",
                [sizes[-1]], days + ", ".join(f"{size:.0f}" for size in sizes)),
        at_most("disk written on the last three days of it, against the three before", "×",
                [sum(written[4:]) / max(sum(written[1:4]), 1e-9)], 1.2,
                "MB " + days + ", ".join(f"{size:.0f}" for size in written)),
    ]
