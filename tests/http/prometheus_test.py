#!/usr/bin/env python3
"""Goal: what deploy/prometheus ships works: the scrape configuration, the rules, each panel of
the dashboard, and the runbook behind each alert.
Method: a real Prometheus scrapes a real admin server, and is asked each panel's query: an
empty answer is a failure.

usage: prometheus_test.py DEPLOY_DIR DEMO_SERVER PROMETHEUS PROMTOOL
"""
import json
import math
import pathlib
import re
import socket
import subprocess
import sys
import tempfile
import time
import unittest
import urllib.error
import urllib.parse
import urllib.request

DEPLOY, DEMO_SERVER, PROMETHEUS, PROMTOOL = sys.argv[1:5]
DEPLOY = pathlib.Path(DEPLOY)
PATIENCE_S = 120


def dashboard():
    return json.loads((DEPLOY / "geotally.dashboard.json").read_text())


def queries():
    """(panel, expression), with the variables of the dashboard still in it."""
    for panel in dashboard()["panels"]:
        for target in panel.get("targets", []):
            yield panel, target["expr"]


def alerts():
    """Name → text of the rule."""
    text = (DEPLOY / "geotally.alerts.yml").read_text()
    parts = re.split(r"^ +- alert: (\w+)$", text, flags=re.M)[1:]
    return dict(zip(parts[0::2], parts[1::2]))


class Files(unittest.TestCase):
    def promtool(self, *arguments):
        result = subprocess.run([PROMTOOL, *arguments], cwd=DEPLOY, capture_output=True, text=True)
        self.assertEqual(result.returncode, 0, result.stdout + result.stderr)

    def test_promtool_takes_the_configuration_and_the_rules(self):
        self.promtool("check", "config", "prometheus.yml")
        self.promtool("check", "rules", "--lint=all", "--lint-fatal", "geotally.rules.yml",
                      "geotally.alerts.yml")

    def test_every_rule_test_holds(self):
        self.promtool("test", "rules", "geotally.tests.yml")

    def test_every_alert_is_seen_to_fire_and_seen_not_to(self):
        tests = (DEPLOY / "geotally.tests.yml").read_text()
        for name in alerts():
            seen = re.findall(r'ALERTS\{alertname="%s", alertstate="firing"\}\n +eval_time: \w+\n'
                              r' +exp_samples:( \[\])?' % name, tests)
            self.assertIn(" []", seen, f"{name} is never seen not to fire")
            self.assertIn("", seen, f"{name} is never seen to fire")

    def test_every_alert_says_what_it_means_and_where_to_read_on(self):
        runbook = (DEPLOY / "RUNBOOK.md").read_text()
        headings = re.findall(r"^## (\w+)\n(\S.+)$", runbook, flags=re.M)
        anchors = {name.lower() for name, _ in headings}
        self.assertEqual(anchors, {name.lower() for name in alerts()})
        for name, rule in alerts().items():
            self.assertRegex(rule, r"severity: (critical|warning)\n", name)
            self.assertRegex(rule, r"summary: \S", name)
            self.assertRegex(rule, r"description: >-\n +\S", name)
            self.assertIn(f"runbook_url: file:///usr/share/doc/geotally/RUNBOOK.md#{name.lower()}\n",
                          rule, name)

    def test_the_dashboard_is_one_that_any_grafana_takes(self):
        text = json.dumps(dashboard())
        self.assertIn(dashboard()["schemaVersion"], range(36, 43))
        self.assertIsNone(dashboard()["uid"])
        self.assertEqual(set(re.findall(r'"uid": ("[^"]*"|null)', text)),
                         {'"${datasource}"', "null"})
        self.assertEqual(dashboard()["templating"]["list"][0]["type"], "datasource")
        ids = [panel["id"] for panel in dashboard()["panels"]]
        self.assertEqual(len(ids), len(set(ids)))
        # No two panels lie over each other.
        cells = set()
        for panel in dashboard()["panels"]:
            at = panel["gridPos"]
            for x in range(at["x"], at["x"] + at["w"]):
                for y in range(at["y"], at["y"] + at["h"]):
                    self.assertNotIn((x, y), cells, panel["title"])
                    self.assertLess(x, 24, panel["title"])
                    cells.add((x, y))


class Scraped(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.processes = []
        cls.directory = tempfile.TemporaryDirectory()
        try:
            cls.start()
        except BaseException:
            cls.tearDownClass()
            raise

    @classmethod
    def start(cls):
        demo = subprocess.Popen([DEMO_SERVER], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                stderr=subprocess.DEVNULL, text=True)
        cls.processes.append(demo)
        cls.target = "127.0.0.1:" + demo.stdout.readline().split()[1]

        config = (DEPLOY / "prometheus.yml").read_text()
        config = config.replace('"127.0.0.1:9718"', f'"{cls.target}"')
        config = re.sub(r"(scrape_interval|evaluation_interval): \d+s", r"\1: 1s", config)
        config = re.sub(r"- (geotally\.\w+\.yml)", lambda m: f"- {DEPLOY / m[1]}", config)
        path = pathlib.Path(cls.directory.name) / "prometheus.yml"
        path.write_text(config)
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        cls.base = f"http://127.0.0.1:{port}"
        cls.processes.append(subprocess.Popen(
            [PROMETHEUS, f"--config.file={path}", f"--web.listen-address=127.0.0.1:{port}",
             f"--storage.tsdb.path={cls.directory.name}/data"],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL))
        # Enough scrapes and evaluations for a rate, and for a rule that reads another.
        cls.wait_for('min(count_over_time(up{job=~"geotally.*"}[1m])) >= 8')
        cls.wait_for("count(instance:geotally_unknown_accounts:ratio)"
                     " and count(instance:geotally_posts:rate5m)")

    @classmethod
    def tearDownClass(cls):
        for process in reversed(cls.processes):
            process.terminate()
            process.wait()
            for stream in (process.stdin, process.stdout):
                if stream:
                    stream.close()
        cls.directory.cleanup()

    @classmethod
    def ask(cls, path, **parameters):
        query = urllib.parse.urlencode(parameters)
        with urllib.request.urlopen(f"{cls.base}{path}?{query}", timeout=30) as answer:
            return json.load(answer)["data"]

    @classmethod
    def wait_for(cls, expression):
        end = time.monotonic() + PATIENCE_S
        while time.monotonic() < end:
            try:
                if cls.ask("/api/v1/query", query=expression)["result"]:
                    return
            except (urllib.error.URLError, ConnectionError):
                pass  # it is still starting
            time.sleep(0.2)
        raise AssertionError(f"in vain: {expression}")

    def test_both_pages_are_scraped_within_their_limits(self):
        targets = self.ask("/api/v1/targets")["activeTargets"]
        self.assertEqual(len(targets), 2)
        for target in targets:
            self.assertEqual((target["health"], target["lastError"]), ("up", ""))

    def test_every_panel_has_an_answer(self):
        for panel, expression in queries():
            filled = (expression.replace("$instance", self.target).replace("$country", "FR")
                      .replace("$__rate_interval", "30s"))
            self.assertNotIn("$", filled)
            with self.subTest(panel=panel["title"], query=filled):
                result = self.ask("/api/v1/query", query=filled)["result"]
                self.assertTrue(result, "no answer")
                self.assertTrue(any(not math.isnan(float(series["value"][1])) for series in result))

    def test_every_variable_of_the_dashboard_has_values(self):
        for variable in dashboard()["templating"]["list"]:
            if variable["type"] != "query":
                continue
            metric, label = re.fullmatch(r"label_values\((\w+), (\w+)\)",
                                         variable["definition"]).groups()
            with self.subTest(variable=variable["name"]):
                values = self.ask(f"/api/v1/label/{label}/values", **{"match[]": metric})
                self.assertTrue(values)

    def test_a_healthy_daemon_fires_no_alert(self):
        self.assertEqual(self.ask("/api/v1/query", query='ALERTS{alertstate="firing"}')["result"],
                         [])

    def test_every_series_that_rules_and_panels_name_exists(self):
        text = " ".join(expression for _, expression in queries())
        for name in ("geotally.rules.yml", "geotally.alerts.yml"):
            text += re.sub(r"#.*|summary:.*|description: >-\n( {12}.*\n)+|runbook_url:.*", "",
                           (DEPLOY / name).read_text())
        names = set(re.findall(r"\b(?:geotally|process)_[a-z0-9_]+|instance\w*:[a-z0-9_:]+", text))
        self.assertGreater(len(names), 30)
        known = set(self.ask("/api/v1/label/__name__/values"))
        self.assertEqual(names - known, set())

    def test_what_it_stored_is_what_the_daemon_says(self):
        result = self.ask("/api/v1/query", query='geotally_accounts{country="FR"}')["result"]
        self.assertEqual([series["value"][1] for series in result], ["10000"])
        count = self.ask("/api/v1/query", query="count(geotally_accounts)")["result"]
        self.assertGreater(int(count[0]["value"][1]), 240)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1], verbosity=2)
