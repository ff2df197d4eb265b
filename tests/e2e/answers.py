#!/usr/bin/env python3
"""Goal: what a person asks is answered in one call, and the study of 2012 reads as it was published.

Method: the generated world of the study (January 2012, then July) through the daemon; the commands
ask it over HTTP, then its data directory. Both must say what the API said; the document must say in
both languages and formats what Semiocast published.
"""

import csv
import html.parser
import io
import json
import os
import re
import signal
import subprocess
import sys
import urllib.parse
import xml.etree.ElementTree

from harness import BIN, Daemon, Feed, Folder, expect, get, main

PERIOD = ["--from", "2011-12-31", "--to", "2012-06-30"]
VOID = {"meta", "br"}


def geotally(*arguments, code=0, environment=None):
    """(stdout, stderr) of a command that must end with `code`."""
    done = subprocess.run([BIN / "geotally", *map(str, arguments)], capture_output=True,
                          timeout=120, env={**os.environ, **(environment or {})}, check=False)
    expect(done.returncode == code, f"{arguments}: {done.returncode}, not {code}: {done.stderr}")
    return done.stdout.decode(), done.stderr.decode()


def says(text, *sentences):
    for sentence in sentences:
        expect(re.search(sentence, text), f"does not say {sentence!r}:\n{text[:4000]}")


class Balanced(html.parser.HTMLParser):
    """Every element that is opened is closed, in order, and nothing is loaded from elsewhere."""

    def __init__(self):
        super().__init__()
        self.open = []

    def handle_starttag(self, tag, attrs):
        expect(not {name for name, _ in attrs} & {"src", "href", "data"}, f"{tag}: {attrs}")
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        expect(self.open and self.open.pop() == tag, f"</{tag}> closes nothing")


def check_study(source):
    english, french = {}, {}
    for name, texts in (("en", english), ("fr", french)):
        for form in ("md", "html"):
            texts[form], _ = geotally("study", *source, *PERIOD, "--lang", name, "--format", form)
    for text in english.values():
        says(text, r"United States is 1st with [0-9,]+ accounts \(27\.[0-9]%\)",
             r"Brazil overtook Japan on [0-9]+ December 2011: it is 2nd",
             r"France is 18th with [0-9,]+ accounts \(1\.4%\), between Argentina and Germany; "
             r"it was 16th on 31 December 2011",
             r"France is 4th in Europe, after the United Kingdom, Spain and the Netherlands",
             r"The Netherlands leads by active share: 3[23]\.[0-9]%",
             r"Saudi Arabia grows fastest \(\+9[0-9]\.[0-9]%\), South Korea slowest")
    for text in french.values():
        says(text, r"Les États-Unis sont en tête avec",
             r"Le Brésil a dépassé le Japon le [0-9]+ décembre 2011, et est 2e",
             r"La France est 18e avec .* entre l’Argentine et l’Allemagne et était 16e au "
             r"31 décembre 2011",
             r"La France est 4e en Europe, après le Royaume-Uni, l’Espagne et les Pays-Bas",
             r"Les Pays-Bas mènent en part de comptes actifs.{1,3}: 3[23],",
             r"L’Arabie saoudite croît le plus vite \(\+9[0-9],.*la Corée du Sud le moins")
    says(english["md"], r"\| 18 \| 16 \| ▼ 2 \| France \|", r"## In the region: Europe")
    for text in (*english.values(), *french.values()):
        charts = re.findall(r"<svg.*?</svg>", text, re.S)
        expect(len(charts) == 5, f"{len(charts)} charts")
        for chart in charts:
            xml.etree.ElementTree.fromstring(chart)
            expect("\n\n" not in chart, "an empty line ends a chart in Markdown")
    for text in (english["html"], french["html"]):
        page = Balanced()
        page.feed(text)
        expect(not page.open, f"never closed: {page.open}")

    # Another view: generated from the figures, not written down.
    other, _ = geotally("study", *source, *PERIOD, "--country", "br", "--limit", 5)
    says(other, r"Brazil is 2nd", r"Brazil is 2nd in the Americas, after the United States")
    for arguments, said in ((["--country", "XX"], "unknown country"),
                            (["--region", "999"], "150 Europe"),
                            (["--window", "6h"], "24h, 7d, 30d, 90d"),
                            (["--to", "2012-12-31"], "no daily row for 2012-12-31"),
                            (["--to", "2011-11-30"], "from must be before"),
                            (["--lang", "de"], "en")):
        base = PERIOD[:2] if "--to" in arguments else PERIOD
        _, error = geotally("study", *source, *base, *arguments, code=64)
        expect(said in error, f"{arguments}: {error}")


def questions():
    """Arguments of a command, and the API's question that it asks."""
    return [
        (["rankings", "--by", "accounts", "--limit", "25"], "rankings?by=accounts&limit=25"),
        (["rankings", "--by", "growth", "--from", "2011-12-31", "--at", "2012-06-30",
          "--min-accounts", "100"],
         "rankings?by=growth&from=2011-12-31&at=2012-06-30&min_accounts=100"),
        (["rankings", "--by", "active_share", "--window", "90d", "--min-accounts", "100",
          "--at", "2012-06-30"],
         "rankings?by=active_share&window=90d&min_accounts=100&at=2012-06-30"),
        (["rankings", "--region", "150", "--at", "2012-06-30"],
         "rankings?region=150&at=2012-06-30"),
        (["country", "FR"], "countries/FR"),
        (["history", "--country", "FR", *PERIOD],
         "history?country=FR&from=2011-12-31&to=2012-06-30"),
        (["gaps", "--limit", "5"], "gaps?limit=5"),
    ]


def data_of(text):
    """The answer without what moves by itself: every second there is a commit."""
    data = json.loads(text)["data"]
    del data["basis"]
    return data


def check_answers(source, expected):
    for arguments, question in questions():
        out, _ = geotally(*arguments, *source, "--json")
        expect(data_of(out) == expected[question], f"{arguments}: {out[:500]}")
        table, _ = geotally(*arguments, *source)
        expect(len(table.splitlines()) >= 3, table)
        rows = list(csv.reader(io.StringIO(geotally(*arguments, *source, "--csv")[0])))
        expect(rows and all(len(row) == len(rows[0]) for row in rows), f"{arguments}: {rows[:2]}")
    table, _ = geotally("rankings", *source, "--limit", "25", "--flags")
    says(table, r"(?m)^ *1  US    🇺🇸 United States ", r"(?m)^ *18  FR    🇫🇷 France ")
    mistakes = {"rankings --region 999": "rankings?region=999", "country XX": "countries/XX",
                "rankings --window 25h": "rankings?window=25h",
                "rankings --at 2012-02-30": "rankings?at=2012-02-30",
                "history --country France": "history?country=France"}
    for command, question in mistakes.items():
        _, error = geotally(*command.split(), *source, code=64)
        expect(error == f"geotally: {expected[question]}\n", f"{command}: {error}")


def check_running(daemon, feed):
    url = f"http://127.0.0.1:{daemon.port}"
    status = json.loads(get(url + "/api/v1/status")[1])["data"]
    host = urllib.parse.urlparse(feed.url()).netloc
    expect(status["feed"]["host"] == host, f"the feed is {host}: {status['feed']}")
    expect(all(window["complete"] for window in status["basis"]["coverage"]), "nothing was missed")
    out, _ = geotally("status", "--url", url)
    says(out, r"(?m)^ready +yes$", f"connected to {host}")
    _, error = geotally("rankings", "--data-dir", daemon.data_dir, code=65)
    expect("a daemon holds it" in error, error)
    _, error = geotally("rankings", "--url", "https://127.0.0.1", code=64)
    expect("http://HOST:PORT: the daemon speaks no TLS" in error, error)

    watch = subprocess.Popen([BIN / "geotally", "rankings", "--url", url, "--json", "--watch", "0.1"],
                             stdout=subprocess.PIPE)
    try:
        lines = [watch.stdout.readline() for _ in range(3)]
        expect(all(json.loads(line)["status"] == "success" for line in lines), f"{lines}")
    finally:
        watch.send_signal(signal.SIGINT)
        watch.wait(timeout=60)
        watch.stdout.close()


def check_token(folder, feed):
    secret = folder / "token"
    secret.write_text("a-token-of-this-test\n")
    (folder / "other").write_text("another\n")
    daemon = Daemon(folder, feed.url(), "--set", f"http.token_file={secret}",
                    data_dir=folder / "data")
    try:
        url = f"http://127.0.0.1:{daemon.port}"
        geotally("status", "--url", url, code=69)
        geotally("status", "--url", url, "--token-file", folder / "other", code=69)
        geotally("status", "--url", url, "--token-file", secret)
        geotally("status", "--url", url, environment={"GEOTALLY_TOKEN": "a-token-of-this-test"})
    finally:
        daemon.stop()


def run():
    with Folder() as folder:
        feed = Feed(folder, "--world", "study-2012", "--accounts", 40_000, "--events", 300_000,
                    "--days", 274, "--end-time", "2012-07-01T12:00:00Z", "--hold-alone", log=False)
        try:
            daemon = Daemon(folder, feed.url(), "--clock", "feed")
            try:
                daemon.settle(feed, feed.status()["size"])
                url = f"http://127.0.0.1:{daemon.port}"
                expected = {}
                for _, question in questions():
                    code, body = get(f"{url}/api/v1/{question}")
                    expect(code == 200, f"{question}: {body}")
                    expected[question] = data_of(body)
                for question in ("rankings?region=999", "countries/XX", "rankings?window=25h",
                                 "rankings?at=2012-02-30", "history?country=France"):
                    code, body = get(f"{url}/api/v1/{question}")
                    expect(code == 400, f"{question}: {code}")
                    expected[question] = json.loads(body)["error"]
                growth = expected[questions()[1][1]]["rows"]
                expect(growth[0]["country"] == "SA", f"growth: {growth[:2]}")
                share = expected[questions()[2][1]]["rows"]
                expect(share[0]["country"] == "NL", f"active share: {share[:2]}")
                check_running(daemon, feed)
                check_answers(["--url", url], expected)
                check_study(["--url", url])
            finally:
                daemon.stop()
            geotally("status", "--url", url, code=69)  # nobody answers
            offline = ["--data-dir", daemon.data_dir]
            check_answers(offline, expected)
            check_study(offline)
            geotally("gaps", *offline, "--watch", code=64)
            geotally("gaps", *offline, "--json", "--csv", code=64)
            geotally("gaps", *offline, "--url", url, code=64)
            check_token(folder, feed)
        finally:
            feed.stop()


if __name__ == "__main__":
    sys.exit(main(run))
