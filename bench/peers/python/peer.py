"""The same counting with Python: posts, and accounts active in 1 h, by language tag.

  peer.py URL PORT STATE_FILE

As a careful user would write it: labelled children are looked up once, active accounts are kept
by the minute of their last post, the cursor is saved each second, and a restart begins there.
The counters start at 0 with the process, as prometheus_client's do. PORT 0 = any; it is printed.
"""

import asyncio
import json
import os
import sys
import threading
from collections import Counter as Tally
from wsgiref.simple_server import WSGIRequestHandler, make_server

import prometheus_client
import websockets
from prometheus_client.core import GaugeMetricFamily

MINUTE_US = 60_000_000
WINDOW_MINUTES = 60

messages = prometheus_client.Counter("peer_messages", "Messages received.")
posts = prometheus_client.Counter("peer_posts", "Posts.", ["lang"])


class Peer:
    def __init__(self, url, state_file):
        self.url = url
        self.state_file = state_file
        self.cursor = 0
        self.newest = 0
        self.children = {}
        self.last = {}    # did -> (minute, lang) of its last post
        self.active = {}  # minute -> {lang: accounts whose last post was then}
        try:
            with open(state_file, encoding="ascii") as file:
                self.cursor = int(file.read())
        except (FileNotFoundError, ValueError):
            pass

    def collect(self):
        """Called at a scrape, on the server's thread; list() copies what may grow meanwhile."""
        totals = Tally()
        for minute, row in list(self.active.items()):
            if minute > self.newest - WINDOW_MINUTES:
                totals.update(dict(row))
        family = GaugeMetricFamily("peer_active_accounts",
                                   "Accounts whose last post is in the last hour.",
                                   labels=["lang"])
        for lang, count in totals.items():
            family.add_metric([lang], count)
        yield family

    def on_message(self, data):
        messages.inc()
        try:
            event = json.loads(data)
        except ValueError:
            return
        time_us = self.cursor = event["time_us"]
        if event["kind"] != "commit":
            return
        commit = event["commit"]
        if commit["operation"] != "create" or commit["collection"] != "app.bsky.feed.post":
            return
        langs = commit["record"].get("langs")
        lang = langs[0] if langs else ""
        child = self.children.get(lang)
        if child is None:
            child = self.children[lang] = posts.labels(lang)
        child.inc()

        minute = time_us // MINUTE_US
        did = event["did"]
        seen = self.last.get(did)
        if seen is None or minute > seen[0] or (minute == seen[0] and lang != seen[1]):
            if seen is not None:
                self.active[seen[0]][seen[1]] -= 1
            self.last[did] = (minute, lang)
            self.active.setdefault(minute, Tally())[lang] += 1
        if minute > self.newest:
            self.newest = minute
            self.expire()

    def expire(self):
        first = self.newest - WINDOW_MINUTES + 1
        self.active = {minute: row for minute, row in self.active.items() if minute >= first}
        self.last = {did: seen for did, seen in self.last.items() if seen[0] >= first}

    async def save_cursor(self):
        while True:
            await asyncio.sleep(1)
            if self.cursor:
                with open(self.state_file + ".new", "w", encoding="ascii") as file:
                    file.write(str(self.cursor))
                os.replace(self.state_file + ".new", self.state_file)

    async def follow(self):
        while True:
            start = self.cursor + 1 if self.cursor else 1_000_000_000_000_000
            target = f"{self.url}?wantedCollections=app.bsky.feed.post&cursor={start}"
            try:
                async with websockets.connect(target, compression=None) as socket:
                    async for message in socket:
                        self.on_message(message)
            except (OSError, websockets.WebSocketException):
                pass
            await asyncio.sleep(0.5)

    async def run(self):
        saver = asyncio.create_task(self.save_cursor())
        await self.follow()
        await saver


class Quiet(WSGIRequestHandler):
    def log_message(self, *_):
        pass


def main():
    url, port, state_file = sys.argv[1:]
    peer = Peer(url, state_file)
    prometheus_client.REGISTRY.register(peer)
    # The library's own server does not tell which port it was given.
    server = make_server("127.0.0.1", int(port), prometheus_client.make_wsgi_app(),
                         handler_class=Quiet)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    print(json.dumps({"port": server.server_port}), flush=True)
    asyncio.run(peer.run())


if __name__ == "__main__":
    main()
