#!/usr/bin/env python3
"""Goal: a real Prometheus scrapes the daemon, and sees no counter go back over a kill -9.

Method: Debian's prometheus on loopback scrapes both pages twice a second while a world streams
in; the daemon is killed and started again in the middle. Then the server is asked.
"""

import json
import signal
import socket
import subprocess
import sys
import urllib.parse

from harness import Daemon, Failure, Feed, Folder, Process, end, expect, get, main, wait_until


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def lint(page):
    done = subprocess.run(["promtool", "check", "metrics"], input=page.encode(),
                          capture_output=True, check=False)
    said = (done.stdout + done.stderr).decode()
    expect(done.returncode == 0 and not said, f"promtool check metrics: {said}")


def run():
    with Folder() as folder:
        daemon_port, port = free_port(), free_port()
        (folder / "prometheus.yml").write_text(f"""
global: {{scrape_interval: 500ms, scrape_timeout: 500ms}}
scrape_configs:
  - job_name: geotally
    static_configs: [{{targets: ['127.0.0.1:{daemon_port}']}}]
  - job_name: geotally-countries
    metrics_path: /metrics/countries
    static_configs: [{{targets: ['127.0.0.1:{daemon_port}']}}]
""")
        feed = Feed(folder, "--world", "small", "--accounts", 5_000, "--events", 400_000, "--days",
                    100, "--hold-alone", "--rate", 20_000, "--retention", "200d")
        listen = f"127.0.0.1:{daemon_port}"
        daemon = Daemon(folder, feed.url(), "--clock", "feed", listen=listen)
        prometheus = Process(["prometheus", f"--config.file={folder}/prometheus.yml",
                              f"--storage.tsdb.path={folder}/tsdb",
                              f"--web.listen-address=127.0.0.1:{port}"], folder / "prometheus.err")

        def query(expression):
            code, body = get(f"http://127.0.0.1:{port}/api/v1/query?query=" +
                             urllib.parse.quote(expression))
            if code != 200:
                return []
            return [float(row["value"][1]) for row in json.loads(body)["data"]["result"]]

        def posts():  # 0 before the first scrape, and when the last one took too long
            try:
                return sum(query("sum(geotally_posts_total)"))
            except OSError:
                return 0

        try:
            lint(daemon.page("/metrics"))
            lint(daemon.page("/metrics/countries"))
            for _ in range(2):
                # A kill in the middle of counting, seen by at least two scrapes before and after.
                before = wait_until("prometheus has scraped posts", posts)
                wait_until("more posts were scraped", lambda: posts() > before)
                daemon.kill()
                wait_until("the daemon is seen down", lambda: query("min(up)") == [0])
                daemon = Daemon(folder, feed.url(), "--clock", "feed", listen=listen)
                wait_until("the daemon is seen up", lambda: query("min(up)") == [1])
            daemon.settle(feed, feed.status()["size"])
            counted = sum(float(line.rsplit(" ", 1)[1]) for line in daemon.page().splitlines()
                          if line.startswith("geotally_posts_total{"))
            wait_until("the last figures are scraped", lambda: posts() == counted)
            resets = query("sum(resets(geotally_posts_total[1h]))")
            expect(resets == [0], f"Prometheus saw {resets} resets of geotally_posts_total")
            restarts = query("changes(process_start_time_seconds{job='geotally'}[1h])")
            expect(restarts == [2], f"Prometheus saw {restarts} restarts, there were 2")
            lint(daemon.page("/metrics"))
            lint(daemon.page("/metrics/countries"))
            expect(daemon.stop() == 0, "the daemon's exit code is not 0")
        except Failure as failure:
            raise Failure(f"{failure}\n{daemon.errors()[-2000:]}") from None
        finally:
            end(daemon, prometheus, feed, how=signal.SIGTERM)


if __name__ == "__main__":
    sys.exit(main(run))
