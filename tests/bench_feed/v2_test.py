"""Goal: geotally-feed speaks Jetstream v2, TLS and zstd as the real servers do, and plays two hosts.
Method: an independent client (python3-websockets), the zstd tool and OpenSSL's certificates."""

import calendar
import json
import os
import ssl
import subprocess
import tempfile
import time
import unittest

import websockets

from support import DEADLINE_S, FEED, SMALL, AsyncTest, Feed, connect, receive, receive_all

V2 = "/xrpc/network.bsky.jetstream.subscribeEvents"
TYPE = "network.bsky.jetstream.subscribeEvents#"


def payload(message):
    frame = json.loads(message)
    assert list(frame) == ["$type", "payload"] and frame["$type"] == "message", message
    return frame["payload"]


def micros(text):
    assert text.endswith("Z") and len(text) == 27, text
    seconds = calendar.timegm(time.strptime(text[:19], "%Y-%m-%dT%H:%M:%S"))
    return seconds * 1_000_000 + int(text[20:26])


async def refused(url, **options):
    """The status of a refusal before the upgrade."""
    try:
        async with connect(url, **options):
            raise AssertionError("welcome")
    except websockets.InvalidStatusCode as error:
        return error.status_code


class Wire(AsyncTest):
    async def both(self, *arguments, **query):
        feed = self.enterContext(Feed("--wait-client", "--pause-at", "0", "--retention", "200d",
                                      *arguments))
        async with connect(feed.url()) as one, connect(feed.url(path=V2, **query)) as two:
            feed.post("/resume")
            return feed, await receive(one, 5000), await receive(two, 5000)

    async def test_the_same_world_in_other_words(self):
        _, v1, v2 = await self.both()
        for number, (one, two) in enumerate(zip(v1, v2)):
            one, two = json.loads(one), payload(two)
            kind = one["kind"]
            self.assertEqual(two["$type"], TYPE + kind)
            self.assertEqual(list(two), ["$type", *sorted(list(two)[1:])])
            self.assertEqual((two["did"], two["seq"]), (one["did"], number + 1))
            self.assertEqual(micros(two["time"]), one["time_us"])
            if kind == "commit":
                for key in ("rev", "operation", "collection", "rkey", "record", "cid"):
                    self.assertEqual(two.get(key), one["commit"].get(key))
            else:
                self.assertEqual(two[kind], one[kind])

    async def test_witnessed_at(self):
        _, v1, v2 = await self.both("--v2-time", "witnessed")
        for one, two in zip(v1, v2):
            self.assertNotIn("time", payload(two))
            self.assertEqual(micros(payload(two)["witnessedAt"]), json.loads(one)["time_us"])
        _, v1, v2 = await self.both("--v2-time", "both")
        for one, two in zip(v1, v2):
            self.assertNotEqual(micros(payload(two)["time"]), json.loads(one)["time_us"])
            self.assertEqual(micros(payload(two)["witnessedAt"]), json.loads(one)["time_us"])

    async def test_cursors(self):
        feed, v1, v2 = await self.both()
        async with connect(feed.url(path=V2, cursor=4000)) as client:
            self.assertEqual((await receive(client, 1))[0], v2[3999])
        async with connect(feed.url(path=V2, cursor=json.loads(v1[4000])["time_us"])) as client:
            self.assertEqual((await receive(client, 1))[0], v2[4000])

    async def test_a_cursor_that_is_too_old(self):
        feed = self.enterContext(Feed("--wait-client", "--retention", "20d"))
        async with connect(feed.url(path=V2)) as client:
            messages = await receive(client, 5000)
        status, body, _ = feed.get(V2 + "?cursor=3")
        self.assertEqual(await refused(feed.url(path=V2, cursor=3)), 400)
        body = json.loads(body)
        self.assertEqual((status, body["error"]), (400, "CursorTooOld"))
        floor = int(body["message"].split("lookback floor ")[1].split(";")[0])
        newest = micros(payload(messages[-1])["time"])
        first = next(p["seq"] for p in map(payload, messages)
                     if micros(p["time"]) >= newest - 20 * 86_400_000_000)
        self.assertEqual(floor, first)
        async with connect(feed.url(path=V2, cursor=floor)) as client:
            self.assertEqual(payload((await receive(client, 1))[0])["seq"], floor)
        # A cursor in microseconds is clamped, and the first message says so.
        async with connect(feed.url(path=V2, cursor=10**15)) as client:
            info, event = map(payload, await receive(client, 2))
            self.assertEqual((info["$type"], info["name"]), (TYPE + "info", "OutdatedCursor"))
            self.assertNotIn("seq", info)
            self.assertEqual(event["seq"], floor)

    async def test_filters(self):
        feed, _, v2 = await self.both()
        for query, wanted in (
                ({"kinds": ["identity", "account"]}, lambda p: p["$type"] != TYPE + "commit"),
                ({"collections": "app.bsky.actor.*"},
                 lambda p: p.get("collection", "app.bsky.actor.").startswith("app.bsky.actor.")),
                ({"kinds": "commit", "collections": "app.bsky.feed.post"},
                 lambda p: p.get("collection") == "app.bsky.feed.post")):
            expected = [m for m in v2 if wanted(payload(m))]
            async with connect(feed.url(path=V2, cursor=1, **query)) as client:
                self.assertEqual(await receive(client, len(expected)), expected)

    async def test_what_is_refused(self):
        feed = self.enterContext(Feed())
        for query in ({"wantedCollections": "app.bsky.feed.post"}, {"wantedDids": "did:plc:x"},
                      {"compress": "true"}, {"kinds": "posts"}, {"cursor": "x"},
                      {"kinds": "identity", "collections": "app.bsky.feed.post"}):
            self.assertEqual(await refused(feed.url(path=V2, **query)), 400)

    async def test_a_client_that_speaks_is_shown_the_door(self):
        feed = self.enterContext(Feed("--pause-at", "0"))
        async with connect(feed.url(path=V2)) as client:
            await client.send("hello")
            self.assertEqual((await receive_all(client))[1], 1008)

    async def test_subprotocol(self):
        feed = self.enterContext(Feed("--pause-at", "0"))
        async with connect(feed.url(path=V2), subprotocols=["xrpc.v1.json"]) as client:
            self.assertEqual(client.subprotocol, "xrpc.v1.json")

    async def test_messages_about_the_stream(self):
        feed = self.enterContext(Feed("--wait-client", "--fault", "sync@10", "--fault",
                                      "info@20:name=Something", "--fault",
                                      "error@30:name=InternalError,how=1011"))
        async with connect(feed.url(path=V2)) as client:
            messages, code = await receive_all(client)
        self.assertEqual((len(messages), code), (33, 1011))
        sync = payload(messages[10])
        self.assertEqual((sync["$type"], sync["seq"]), (TYPE + "sync", payload(messages[11])["seq"]))
        self.assertEqual(payload(messages[21])["name"], "Something")
        self.assertEqual(json.loads(messages[32])["error"], "InternalError")

    async def test_corrupt_messages(self):
        whats = ["bad_json", "truncated", "deep", "empty", "array", "number", "missing_did",
                 "wrong_type", "huge_number", "nul"]
        faults = [word for i, what in enumerate(whats)
                  for word in ("--fault", f"corrupt@{100 * (i + 1)}:what={what}")]
        feed = self.enterContext(Feed("--wait-client", *faults))
        async with connect(feed.url(path=V2)) as client:
            messages = await receive(client, 5000 + len(whats))
        for i, what in enumerate(whats):
            with self.assertRaises((ValueError, KeyError, TypeError, RecursionError,
                                    AssertionError), msg=what):
                broken = payload(messages.pop(100 * (i + 1)))
                assert isinstance(broken["did"], str) and broken["seq"] < 2**63
        self.assertEqual([payload(m)["seq"] for m in messages], list(range(1, 5001)))

    async def test_a_restart_has_other_numbers(self):
        feed = self.enterContext(Feed("--wait-client", "--retention", "200d", "--fault",
                                      "restart@1000:sequence=70000,clock=2s"))
        async with connect(feed.url(path=V2)) as client:
            messages, code = await receive_all(client)
        self.assertEqual((len(messages), code), (1000, 1001))
        async with connect(feed.url(path=V2, cursor=70000)) as client:
            self.assertEqual(payload((await receive(client, 1))[0])["seq"], 70000)


class Zstd(AsyncTest):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(cls.folder.cleanup)
        cls.dictionaries = []
        for identity, wire, seed in ((1612007021, "v1", "1"), (20260811, "v2", "2")):
            path = os.path.join(cls.folder.name, f"{identity}.dict")
            subprocess.run([FEED, "train-dictionary", "--out", path, "--id", str(identity),
                            "--wire", wire, "--bytes", "30000", *SMALL[:-1], seed],
                           check=True, timeout=DEADLINE_S)
            cls.dictionaries.append(path)

    def unpack(self, messages, dictionary):
        """With the zstd tool: the frames one after the other."""
        path = os.path.join(self.folder.name, "frames.zst")
        with open(path, "wb") as file:
            file.write(b"".join(messages))
        done = subprocess.run(["zstd", "-dc", "-D", dictionary, path], capture_output=True,
                              timeout=DEADLINE_S, check=False)
        return done.stdout.decode() if done.returncode == 0 else None

    async def test_v1(self):
        feed = self.enterContext(Feed("--wait-client", "--retention", "200d", "--dictionary",
                                      self.dictionaries[0]))
        async with connect(feed.url()) as client:
            plain = await receive(client, 5000)
        for options in ({"query": {"compress": "true"}},
                        {"headers": {"Socket-Encoding": "zstd"}, "query": {}}):
            async with connect(feed.url(cursor=10**15, **options["query"]),
                               extra_headers=options.get("headers")) as client:
                packed = await receive(client, 5000)
            self.assertTrue(all(isinstance(message, bytes) for message in packed))
            self.assertEqual(self.unpack(packed, self.dictionaries[0]), "".join(plain))
            self.assertLess(sum(map(len, packed)), 0.6 * sum(map(len, plain)))

    async def test_messages_that_were_compressed_ahead_are_the_same(self):
        async def first(*options):
            feed = self.enterContext(Feed("--wait-client", "--retention", "200d", "--dictionary",
                                          self.dictionaries[0], *options))
            async with connect(feed.url(compress="true")) as client:
                return await receive(client, 3000)
        self.assertEqual(await first("--compress-ahead", "2000"), await first())

    async def test_v2_and_the_dictionary_that_the_server_gives(self):
        feed = self.enterContext(Feed("--wait-client", "--retention", "200d", "--dictionary",
                                      self.dictionaries[1]))
        status, body, _ = feed.get("/xrpc/network.bsky.jetstream.getZstdDictionary")
        with open(self.dictionaries[1], "rb") as file:
            self.assertEqual((status, body), (200, file.read()))
        identity = int.from_bytes(body[4:8], "little")
        self.assertEqual(identity, 20260811)
        async with connect(feed.url(path=V2)) as client:
            plain = await receive(client, 5000)
        async with connect(feed.url(path=V2, cursor=1, zstdDictionary=identity)) as client:
            packed = await receive(client, 5000)
        self.assertEqual(self.unpack(packed, self.dictionaries[1]), "".join(plain))

    async def test_another_dictionary_is_refused_with_the_current_id(self):
        feed = self.enterContext(Feed("--dictionary", self.dictionaries[1]))
        status, body, _ = feed.get(V2 + "?zstdDictionary=7")
        self.assertEqual((status, json.loads(body)["error"]), (400, "UnknownZstdDictionary"))
        self.assertIn("current dictionary id is 20260811", json.loads(body)["message"])
        bare = self.enterContext(Feed())
        self.assertEqual(await refused(bare.url(compress="true")), 400)

    async def test_not_together_with_deflate(self):
        feed = self.enterContext(Feed("--dictionary", self.dictionaries[0]))
        self.assertEqual(await refused(feed.url(compress="true"), compression="deflate"), 400)

    async def test_rotation_while_running(self):
        both = [word for path in self.dictionaries for word in ("--dictionary", path)]
        feed = self.enterContext(Feed("--wait-client", *both, "--fault", "rotate@2000"))
        async with connect(feed.url(compress="true")) as client:
            packed = await receive(client, 5000)
        self.assertIsNotNone(self.unpack(packed[:2000], self.dictionaries[0]))
        self.assertIsNotNone(self.unpack(packed[2000:], self.dictionaries[1]))
        self.assertIsNone(self.unpack(packed[1999:2001], self.dictionaries[0]))
        self.assertIn("20260811", json.loads(feed.get(V2 + "?zstdDictionary=1612007021")[1])["message"])

    async def test_what_cannot_be_unpacked(self):
        for what in ("binary", "zstd_garbage", "zstd_truncated", "zstd_wrong_id",
                     "zstd_no_dictionary", "zstd_bomb"):
            feed = self.enterContext(Feed("--wait-client", "--pause-at", "20", "--dictionary",
                                          self.dictionaries[0], "--fault",
                                          f"corrupt@10:what={what}"))
            async with connect(feed.url(compress="true")) as client:
                messages = await receive(client, 21)
            spoiled = messages.pop(10)
            self.assertIsNotNone(self.unpack(messages, self.dictionaries[0]))
            if what == "zstd_bomb":
                self.assertLess(len(spoiled), 200_000)
            elif what == "zstd_no_dictionary":
                self.assertEqual(int(spoiled[4]) & 3, 0)  # no id in the frame's header
            else:
                self.assertIsNone(self.unpack([spoiled], self.dictionaries[0]), what)


class Tls(AsyncTest):
    async def test_wss(self):
        with tempfile.TemporaryDirectory() as folder:
            key, cert = os.path.join(folder, "key.pem"), os.path.join(folder, "cert.pem")
            subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days",
                            "2", "-subj", "/CN=localhost", "-addext",
                            "subjectAltName=DNS:localhost,IP:127.0.0.1", "-keyout", key, "-out",
                            cert], check=True, capture_output=True, timeout=DEADLINE_S)
            context = ssl.create_default_context(cafile=cert)
            with Feed("--wait-client", "--tls-cert", cert, "--tls-key", key) as feed:
                self.assertTrue(feed.urls[0].startswith("wss://"))
                with self.assertRaises(ssl.SSLCertVerificationError):
                    async with connect(feed.url()):
                        pass
                async with connect(feed.url(), ssl=context) as client:
                    messages = await receive(client, 5000)
            with Feed("--wait-client") as feed:
                async with connect(feed.url()) as client:
                    self.assertEqual(await receive(client, 5000), messages)
            with Feed("--wait-client", "--tls-cert", cert, "--tls-key", key, "--fault",
                      "drop@100:how=bare") as feed:
                async with connect(feed.url(), ssl=context) as client:
                    messages, code = await receive_all(client)
                self.assertEqual((len(messages), code), (100, 1006))

    def test_a_certificate_that_is_none(self):
        done = subprocess.run([FEED, *SMALL, "--tls-cert", "/nonexistent", "--tls-key", "/none"],
                              capture_output=True, timeout=DEADLINE_S, check=False)
        self.assertEqual(done.returncode, 64)


if __name__ == "__main__":
    unittest.main()
