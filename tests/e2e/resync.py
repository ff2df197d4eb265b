#!/usr/bin/env python3
"""Goal: a repository that a Jetstream v2 server tells again counts once, over the wire and over a
kill in the middle of the telling (DEFINITIONS: Told rows).

Method: a websocket server of this test says what the reference server says: posts as they come, a
`#sync`, and then every record of the repository as a create of one revision. The daemon is killed in
the middle, connects again with its cursor, and is sent everything from there.
"""

import asyncio
import datetime
import json
import threading
import time
import urllib.parse

import websockets

from harness import Daemon, Folder, end, expect, main, truth, wait_until

LETTERS = "234567abcdefghijklmnopqrstuvwxyz"
DID = "did:plc:resynced"
ROWS = 3_000


def tid(micros):
    number = int(micros) << 10
    return "".join(LETTERS[number >> shift & 31] for shift in range(60, -1, -5))


def frame(seq, micros, kind, **fields):
    at = datetime.datetime.fromtimestamp(micros / 1e6, datetime.timezone.utc)
    text = at.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    payload = {"$type": f"network.bsky.jetstream.subscribeEvents#{kind}", "did": DID, "seq": seq,
               "time": text, "witnessedAt": text, **fields}
    return {"$type": "message", "payload": payload}


class Server:
    """Frames by their sequence, from the cursor on, to whoever connects."""

    def __init__(self):
        self.frames = []
        self.limit = 0  # so many have been said
        self.targets = []
        self.loop = asyncio.new_event_loop()
        ready = threading.Event()
        threading.Thread(target=self._run, args=(ready,), daemon=True).start()
        ready.wait()

    def add(self, micros, kind, **fields):
        self.frames.append(json.dumps(frame(len(self.frames) + 1, micros, kind, **fields)))

    def post(self, micros, key, rev):
        self.add(micros, "commit", rev=tid(rev), operation="create", collection="app.bsky.feed.post",
                 rkey=tid(key), cid="bafy", record={"$type": "app.bsky.feed.post", "text": "1"})

    def _run(self, ready):
        asyncio.set_event_loop(self.loop)

        async def serve():
            server = await websockets.serve(self._talk, "127.0.0.1", 0)
            self.port = server.sockets[0].getsockname()[1]
            ready.set()
            await asyncio.Future()

        self.loop.run_until_complete(serve())

    async def _talk(self, socket, path=None):
        target = path or socket.path
        self.targets.append(target)
        query = urllib.parse.parse_qs(urllib.parse.urlsplit(target).query)
        cursor = int(query.get("cursor", ["1"])[0])
        at = cursor - 1 if cursor < 10**15 else 0
        try:
            while True:
                while at < min(self.limit, len(self.frames)):
                    await socket.send(self.frames[at])
                    at += 1
                await asyncio.sleep(0.01)
        except websockets.ConnectionClosed:
            pass


def figures(daemon):
    """Posts, and what was dropped as resync, once all that was said is committed."""
    page = truth.parse_page(daemon.page())
    return sum(value for (name, _), value in page.items() if name == "geotally_posts_total")


def run():
    with Folder() as folder:
        server = Server()
        start = int(time.time() * 1e6) - 7_200_000_000
        for i in range(ROWS):
            server.post(start + i * 1_000_000, start + i * 1_000_000, start + i * 1_000_000)
        sync = start + ROWS * 1_000_000
        server.add(sync, "sync", sync={"did": DID, "rev": tid(sync), "seq": 1, "time": "x"})
        fetched = sync + 3_000_000
        for i in range(ROWS + 1):  # all of them, and one that is new
            server.post(sync, start + i * 1_000_000 + (0 if i < ROWS else 5), fetched)
        server.post(fetched + 1_000_000, fetched + 1_000_000, fetched + 1_000_000)
        daemon = None
        try:
            url = f"ws://127.0.0.1:{server.port}/xrpc/network.bsky.jetstream.subscribeEvents"
            arguments = ("--wire", "jetstream-v2", "--set", "store.commit_interval_ms=100")
            daemon = Daemon(folder, url, *arguments)
            server.limit = ROWS + 1 + ROWS // 2
            wait_until("half of the telling is judged", lambda: daemon.sample(
                "geotally_events_dropped_total", reason="resync") >= ROWS // 2)
            wait_until("the posts are committed", lambda: figures(daemon) == ROWS)
            commits = daemon.sample("geotally_store_commit_duration_seconds_count")
            wait_until("two more commits", lambda: daemon.sample(
                "geotally_store_commit_duration_seconds_count") >= commits + 2)
            expect("kinds=sync" in server.targets[0], server.targets[0])
            daemon.kill()

            server.limit = len(server.frames)
            daemon = Daemon(folder, url, *arguments)
            wait_until("the later post is committed", lambda: figures(daemon) >= ROWS + 2)
            expect(figures(daemon) == ROWS + 2, f"{figures(daemon)} posts, not {ROWS + 2}")
            expect(daemon.sample("geotally_told_out_of_order_total") == 0, "keys that did not rise")
            expect(daemon.sample("geotally_events_dropped_total", reason="resync") > 0, "no resync")
            expect(daemon.stop() == 0, "the exit code")
        finally:
            end(daemon)


if __name__ == "__main__":
    raise SystemExit(main(run))
