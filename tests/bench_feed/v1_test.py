"""Goal: geotally-feed speaks Jetstream v1 as the real server does.
Method: an independent websocket client (python3-websockets) and plain sockets against it."""

import asyncio
import base64
import json
import os
import socket
import struct
import subprocess
import tempfile
import unittest
import urllib.error

import websockets

from support import AsyncTest, DEADLINE_S, FEED, SMALL, Feed, connect, identity, receive, receive_all

POST = "app.bsky.feed.post"


class Stream(AsyncTest):
    async def test_the_same_seed_tells_the_same_world(self):
        async def first(seed):
            world = (*SMALL[:-1], seed)
            with Feed("--wait-client", world=world) as feed:
                async with connect(feed.url()) as client:
                    return await receive(client, 2000)

        one, again, other = await first("3"), await first("3"), await first("4")
        self.assertEqual(one, again)
        self.assertNotEqual(one, other)

    async def test_messages_look_like_the_real_ones(self):
        with Feed("--wait-client") as feed:
            async with connect(feed.url()) as client:
                messages = await receive(client, 5000)
        last = 0
        revisions = {}
        for message in messages:
            frame = json.loads(message)
            self.assertEqual(list(frame)[:3], ["did", "time_us", "kind"])
            self.assertRegex(frame["did"], r"^did:plc:[a-z2-7]{24}$")
            self.assertGreater(frame["time_us"], last)
            last = frame["time_us"]
            if frame["kind"] != "commit":
                self.assertEqual(frame[frame["kind"]]["did"], frame["did"])
                continue
            commit = frame["commit"]
            self.assertRegex(commit["rev"], r"^[234567a-z]{13}$")
            self.assertGreaterEqual(commit["rev"], revisions.get(frame["did"], ""))
            revisions[frame["did"]] = commit["rev"]
            if commit["operation"] == "delete":
                self.assertNotIn("record", commit)
            else:
                self.assertEqual(commit["record"]["$type"], commit["collection"])
                self.assertRegex(commit["cid"], r"^bafyrei[a-z2-7]{52}$")
        self.assertEqual(len({identity(message) for message in messages}), len(messages))
        kinds = {json.loads(message)["kind"] for message in messages}
        self.assertEqual(kinds, {"commit", "identity", "account"})
        mean = sum(map(len, messages)) / len(messages)
        self.assertTrue(450 < mean < 650, mean)

    async def test_the_log_says_what_was_sent(self):
        with Feed("--wait-client") as feed:
            async with connect(feed.url()) as client:
                messages = await receive(client, 5000)
            events, _ = feed.log()
        self.assertEqual(sorted(events), list(range(5000)))
        for number, message in enumerate(messages):
            frame, event = json.loads(message), events[number]
            self.assertEqual((frame["did"], frame["time_us"], frame["kind"]),
                             (event["did"], event["time_us"], event["kind"]))
            if frame["kind"] == "commit":
                commit = frame["commit"]
                self.assertEqual(
                    (commit["rev"], commit["operation"], commit["collection"], commit["rkey"]),
                    (event["rev"], event["op"], event["collection"], event["rkey"]))
                self.check_evidence(commit, event.get("country_evidence"))
            elif frame["kind"] == "account":
                self.assertEqual(frame["account"]["active"], event["active"])
                self.assertEqual(frame["account"].get("status"), event.get("status"))

    def check_evidence(self, commit, evidence):
        """The log's evidence stands in the record, and no other does."""
        record = commit.get("record", {})
        kind = evidence and evidence["kind"]
        flags = [c for c in record.get("description", "") if "\U0001f1e6" <= c <= "\U0001f1ff"]
        flag = "".join(chr(ord(c) - 0x1f1e6 + ord("A")) for c in flags)
        self.assertEqual(flag, evidence["country"] if kind == "flag" else "")
        if commit["collection"].startswith("community.") and commit["operation"] != "delete":
            country = record.get("address", record)["country"]
            self.assertEqual((kind, evidence["country"]), ("address", country.upper()[:2]))
        regions = [tag.split("-")[1] for tag in record.get("langs", []) if "-" in tag]
        if commit["collection"] == POST:
            self.assertEqual(regions, [evidence["country"]] if kind == "region" else [])
        if kind == "language":
            self.assertIn(record["langs"][0], ("ja", "ko", "th", "tr", "id", "pl", "vi"))

    async def test_padded_frames(self):
        with Feed("--wait-client", "--frame-bytes", "2000") as feed:
            async with connect(feed.url(wantedCollections=POST)) as client:
                messages = await receive(client, 500)
        sizes = [len(m) for m in messages if '"operation":"create"' in m]
        self.assertTrue(all(abs(size - 2000) < 100 for size in sizes), sizes)

    async def test_one_message_a_segment_tells_the_same(self):
        with Feed("--wait-client") as feed:
            async with connect(feed.url()) as client:
                together = await receive(client, 1000)
        with Feed("--wait-client", "--coalesce", "off") as feed:
            async with connect(feed.url()) as client:
                self.assertEqual(await receive(client, 1000), together)


class Cursor(AsyncTest):
    async def asyncSetUp(self):
        self.feed = self.enterContext(Feed("--wait-client", "--pause-at", "3000",
                                           "--sequence-field", "--retention", "20d"))
        async with connect(self.feed.url()) as client:
            self.messages = await receive(client, 3000)
        self.times = [json.loads(message)["time_us"] for message in self.messages]

    async def first(self, **query):
        async with connect(self.feed.url(**query)) as client:
            return (await receive(client, 1))[0]

    async def test_inclusive(self):
        self.assertEqual(await self.first(cursor=self.times[2900]), self.messages[2900])
        self.assertEqual(await self.first(cursor=self.times[2900] + 1), self.messages[2901])

    async def test_below_1e15_it_is_a_sequence_number(self):
        self.assertEqual(json.loads(self.messages[2900])["cursor"], 2901)
        self.assertEqual(await self.first(cursor=2901), self.messages[2900])

    async def test_too_old_is_clamped_in_silence(self):
        oldest = self.times[-1] - 20 * 86_400_000_000
        expected = next(m for m, t in zip(self.messages, self.times) if t >= oldest)
        self.assertNotEqual(expected, self.messages[0])
        self.assertEqual(await self.first(cursor=self.times[0]), expected)
        self.assertEqual(await self.first(cursor=1), expected)

    async def test_absent_or_in_the_future_is_the_live_tail(self):
        for query in ({}, {"cursor": ""}, {"cursor": self.times[-1] + 10**14}, {"cursor": 10**9}):
            async with connect(self.feed.url(**query)) as client:
                self.feed.post("/control", pause_at=self.feed.status()["emitted"] + 1)
                await receive(client, 1)
                while self.feed.status()["delivered"] < self.feed.status()["emitted"]:
                    await asyncio.sleep(0.01)

    async def test_malformed_is_refused(self):
        for cursor in ("x", "1.5", "12a", "-1"):
            with self.assertRaises(websockets.InvalidStatusCode) as refused:
                async with connect(self.feed.url(cursor=cursor)):
                    pass
            self.assertEqual(refused.exception.status_code, 400)

    async def test_another_path_or_no_upgrade(self):
        self.assertEqual(self.feed.get("/elsewhere")[0], 404)
        self.assertEqual(self.feed.get("/subscribe")[0], 426)


class Filters(AsyncTest):
    async def check(self, wanted, **query):
        self.wanted = wanted
        with Feed("--wait-client", "--retention", "200d") as feed:
            async with connect(feed.url()) as client:
                everything = await receive(client, 5000)
            expected = [m for m in everything if wanted(json.loads(m))]
            self.assertTrue(0 < len(expected) < 5000)
            async with connect(feed.url(cursor=10**15, **query)) as client:
                self.assertEqual(await receive(client, len(expected)), expected)
                self.assertEqual(feed.status()["delivered"], 5000)

    @staticmethod
    def collection(frame):
        return frame["commit"]["collection"] if frame["kind"] == "commit" else None

    async def test_collections_and_always_identity_and_account(self):
        await self.check(lambda f: self.collection(f) in (None, POST, "app.bsky.actor.profile"),
                         wantedCollections=[POST, "app.bsky.actor.profile"])

    async def test_prefixes(self):
        await self.check(
            lambda f: self.collection(f) is None or
            self.collection(f).startswith(("app.bsky.feed.", "community.lexicon.")),
            wantedCollections=["app.bsky.feed.*", "community.lexicon.*"])

    async def test_dids(self):
        with Feed("--wait-client") as feed:
            async with connect(feed.url()) as client:
                dids = [json.loads(m)["did"] for m in await receive(client, 200)]
        wanted = [dids[0], dids[120]]
        await self.check(lambda f: f["did"] in wanted, wantedDids=wanted)

    async def test_message_size(self):
        await self.check(lambda f: len(json.dumps(f, ensure_ascii=False,
                                                  separators=(",", ":")).encode()) <= 500,
                         maxMessageSizeBytes=500)

    async def test_what_is_no_filter_is_refused(self):
        with Feed() as feed:
            for query in ({"wantedCollections": "posts"}, {"wantedDids": "plc:x"},
                          {"wantedCollections": ["a.b.c"] * 101}, {"maxMessageSizeBytes": "big"}):
                with self.assertRaises(websockets.InvalidStatusCode) as refused:
                    async with connect(feed.url(**query)):
                        pass
                self.assertEqual(refused.exception.status_code, 400)

    async def test_options_update(self):
        with Feed("--wait-client", "--pause-at", "0") as feed:
            async with connect(feed.url(requireHello="true")) as client:
                feed.post("/resume")
                await client.send(json.dumps({"type": "options_update", "payload": {
                    "wantedCollections": ["community.lexicon.*"]}}))
                for message in await receive(client, 20):
                    self.assertIn(self.collection(json.loads(message)),
                                  (None, "community.lexicon.location.address",
                                   "community.lexicon.actor.profile"))

    async def test_an_invalid_update_disconnects(self):
        with Feed("--pause-at", "0") as feed:
            async with connect(feed.url()) as client:
                await client.send('{"type":"something"}')
                self.assertEqual((await receive_all(client))[1], 1007)


def raw_websocket(url, target="/subscribe"):
    """A socket behind its handshake, which answers nothing by itself."""
    port = int(url.rsplit(":", 1)[1])
    sock = socket.create_connection(("127.0.0.1", port), timeout=DEADLINE_S)
    key = base64.b64encode(os.urandom(16)).decode()
    sock.sendall((f"GET {target} HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\n"
                  f"Connection: Upgrade\r\nSec-WebSocket-Key: {key}\r\n"
                  "Sec-WebSocket-Version: 13\r\n\r\n").encode())
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        head += sock.recv(1)
    assert b" 101 " in head, head
    return sock


def read_to_end(sock):
    data = b""
    while chunk := sock.recv(65536):
        data += chunk
    return data


class Keepalive(AsyncTest):
    async def test_pings_are_sent_and_pongs_keep_the_connection(self):
        with Feed("--pause-at", "0", "--ping", "50ms", "--pong", "10s") as feed:
            sock = raw_websocket(feed.url().rsplit("/", 1)[0])
            payload = b"geotally-feed"
            for _ in range(5):
                frame = b""
                while len(frame) < 2 + len(payload):
                    frame += sock.recv(2 + len(payload) - len(frame))
                self.assertEqual(frame, b"\x89" + bytes([len(payload)]) + payload)
                sock.sendall(b"\x8a" + bytes([0x80 | len(payload)]) + bytes(4) + payload)
            self.assertEqual(feed.status()["clients"], 1)
            sock.close()

    async def test_a_client_without_pongs_is_cut_off(self):
        with Feed("--pause-at", "0", "--ping", "50ms", "--pong", "100ms") as feed:
            sock = raw_websocket(feed.url().rsplit("/", 1)[0])
            data = read_to_end(sock)
            self.assertEqual(data[:1], b"\x89")
            self.assertNotIn(b"\x88", data)  # no close frame
            sock.close()

    async def test_pings_of_the_client_are_answered(self):
        with Feed("--pause-at", "0") as feed:
            async with connect(feed.url()) as client:
                await asyncio.wait_for(await client.ping(), DEADLINE_S)

    async def test_a_close_is_answered(self):
        with Feed("--pause-at", "10", "--wait-client") as feed:
            client = await connect(feed.url())
            await receive(client, 10)
            await client.close(1000)
            self.assertEqual(client.close_code, 1000)

    async def test_a_client_frame_without_mask_is_a_protocol_error(self):
        with Feed("--pause-at", "0") as feed:
            sock = raw_websocket(feed.url().rsplit("/", 1)[0])
            sock.sendall(b"\x81\x02hi")
            self.assertEqual(read_to_end(sock), b"\x88\x02" + struct.pack(">H", 1002))
            sock.close()

    async def test_slow_consumers_are_cut_off_without_a_close(self):
        world = ("--world", "flood", "--accounts", "1000", "--events", "10000000")
        with Feed("--rate", "1000000", "--outbox", "5000", "--wait-client", "--send-buffer",
                  "65536", world=world, log=False) as feed:
            sock = raw_websocket(feed.url().rsplit("/", 1)[0])
            while feed.status()["clients"] > 0:
                await asyncio.sleep(0.01)
            emitted = feed.status()["emitted"]
            self.assertLess(feed.status()["messages"], emitted)
            sock.close()

    async def test_without_outbox_the_feed_waits_for_its_client(self):
        world = ("--world", "flood", "--accounts", "1000", "--events", "200000")
        with Feed("--wait-client", "--send-buffer", "65536", world=world, log=False) as feed:
            async with connect(feed.url()) as client:
                messages = await receive(client, 200_000)
            self.assertEqual(len({identity(m) for m in messages}), 200_000)


class Control(AsyncTest):
    async def test_holds_after_exactly_n_events(self):
        with Feed("--wait-client", "--pause-at", "1234") as feed:
            async with connect(feed.url()) as client:
                await receive(client, 1234)
                status = feed.status()
                self.assertEqual((status["emitted"], status["paused"]), (1234, True))
                feed.post("/control", pause_at=1300)
                await receive(client, 66)
                self.assertEqual(feed.status()["emitted"], 1300)
                self.assertEqual(len(feed.log()[0]), 1300)
                feed.post("/resume")
                await receive(client, 3700)
                self.assertTrue(feed.status()["finished"])

    async def test_a_rate_is_kept_while_nobody_listens_only_if_asked(self):
        with Feed("--rate", "100000", "--hold-alone") as feed:
            self.assertEqual(feed.status()["emitted"], 0)
            async with connect(feed.url()) as client:
                self.assertEqual(len(await receive(client, 5000)), 5000)

    async def test_what_is_wrong_is_refused_with_what_is_allowed(self):
        with Feed() as feed:
            for query in ({"fault": "explode@5"}, {"fault": "drop"}, {"fault": "drop@x"},
                          {"fault": "drop@5:when=now"}, {"fault": "corrupt@5:what=odd"},
                          {"speed": "5"}):
                with self.assertRaises(urllib.error.HTTPError) as refused:
                    feed.post("/control", **query)
                self.assertEqual(refused.exception.code, 400)
                self.assertIn("message", json.load(refused.exception))

    def test_wrong_arguments_are_one_line_and_64(self):
        for arguments in (["--world", "mars"], ["--days", "-1"], ["--file", "/nonexistent"],
                          ["--accounts", "1000", "--events", "10"], ["--rate", "fast"],
                          ["--end-time", "soon"], ["--fault", "x"], ["--nonsense"]):
            done = subprocess.run([FEED, *arguments], capture_output=True, text=True,
                                  timeout=DEADLINE_S, check=False)
            self.assertEqual((done.returncode, done.stdout), (64, ""), arguments)
            self.assertTrue(done.stderr)

    async def test_a_file_is_served_as_it_is(self):
        lines = ['{"did":"did:plc:a","time_us":1700000000000001,"kind":"identity"}',
                 '{"broken',
                 '{"did":"did:plc:b","time_us":1700000000000002,"kind":"commit","commit":'
                 '{"collection":"app.bsky.feed.post","operation":"delete"}}']
        with file_feed(lines) as feed:
            async with connect(feed.url()) as client:
                self.assertEqual(await receive(client, 3), lines)
            async with connect(feed.url(cursor=1700000000000002)) as client:
                self.assertEqual(await receive(client, 1), lines[2:])


def file_feed(lines):
    file = tempfile.NamedTemporaryFile("w", suffix=".jsonl", delete=False)
    file.write("\n".join(lines) + "\n\n")
    file.close()
    feed = Feed("--wait-client", world=("--file", file.name))
    os.unlink(file.name)
    return feed


if __name__ == "__main__":
    unittest.main()
