"""Goal: every fault does what it says, once, at the event that it was asked for.
Method: an independent client sees it happen; the log has a marker."""

import asyncio
import json
import socket
import unittest

import websockets

from support import AsyncTest, Feed, connect, identity, receive, receive_all
from v1_test import raw_websocket, read_to_end


class Faults(AsyncTest):
    async def run_until_end(self, *faults, **options):
        """Connects, and returns what came before the connection ended, and its code."""
        arguments = [word for fault in faults for word in ("--fault", fault)]
        feed = self.enterContext(Feed("--wait-client", "--retention", "200d", *arguments,
                                      **options))
        async with connect(feed.url()) as client:
            messages, code = await receive_all(client)
        return feed, messages, code

    async def test_drop(self):
        for how, expected in (("1001", 1001), ("bare", 1006), ("1011", 1011)):
            feed, messages, code = await self.run_until_end(f"drop@700:how={how}")
            self.assertEqual((len(messages), code), (700, expected))
            cursor = json.loads(messages[-1])["time_us"]
            async with connect(feed.url(cursor=cursor)) as client:
                rest = await receive(client, 4301)
            self.assertEqual(rest[0], messages[-1])
            self.assertEqual(len({identity(m) for m in messages + rest}), 5000)

    async def test_reset(self):
        feed = self.enterContext(Feed("--wait-client", "--pause-at", "5"))
        sock = raw_websocket(feed.url().rsplit("/", 1)[0])
        feed.post("/fault", spec="drop@5:how=reset")
        with self.assertRaises(ConnectionResetError):
            while sock.recv(65536):
                pass
        sock.close()

    async def test_again_and_again(self):
        feed = self.enterContext(Feed("--wait-client", "--fault", "drop@100:every=100,times=3",
                                      "--pause-at", "500", "--retention", "200d"))
        seen = []
        for _ in range(3):
            query = {"cursor": json.loads(seen[-1])["time_us"] + 1} if seen else {}
            async with connect(feed.url(**query)) as client:
                messages, code = await receive_all(client)
            self.assertEqual((len(messages), code), (100, 1001))
            seen += messages
        async with connect(feed.url(cursor=json.loads(seen[-1])["time_us"] + 1)) as client:
            seen += await receive(client, 200)
        self.assertEqual(len({identity(m) for m in seen}), 500)
        self.assertEqual([m["n"] for m in feed.log()[1] if m.get("fault") == "drop"],
                         [100, 200, 300])

    async def test_silence_pings_but_says_nothing(self):
        feed = self.enterContext(Feed("--wait-client", "--fault", "silent@50", "--ping", "30ms"))
        sock = raw_websocket(feed.url().rsplit("/", 1)[0], "/subscribe")
        sock.settimeout(0.3)
        data = b""
        try:
            while True:
                data += sock.recv(65536)
        except socket.timeout:
            pass
        self.assertTrue(data.endswith(b"\x89\x0dgeotally-feed"))
        self.assertEqual(data.count(b'"time_us"'), 50)
        sock.close()
        async with connect(feed.url()) as client:
            await receive(client, 100)  # another connection is served

    async def test_silence_for_a_while(self):
        feed = self.enterContext(Feed("--wait-client", "--fault", "silent@50:for=100ms"))
        async with connect(feed.url()) as client:
            self.assertEqual(len({identity(m) for m in await receive(client, 5000)}), 5000)

    async def test_half_a_frame_then_nothing(self):
        feed = self.enterContext(Feed("--wait-client", "--fault", "stall@50", "--ping", "30ms"))
        sock = raw_websocket(feed.url().rsplit("/", 1)[0])
        sock.settimeout(0.3)
        data = b""
        try:
            while True:
                data += sock.recv(65536)
        except socket.timeout:
            pass
        self.assertEqual(data.count(b'"time_us"'), 51)
        self.assertFalse(data.endswith(b"}"))
        sock.close()

    async def test_half_a_frame_then_the_rest(self):
        feed = self.enterContext(Feed("--wait-client", "--fault", "stall@50:for=50ms"))
        async with connect(feed.url()) as client:
            self.assertEqual(len({identity(m) for m in await receive(client, 5000)}), 5000)

    async def test_rewind_repeats_at_the_next_cursor_only(self):
        feed, messages, code = await self.run_until_end("rewind@3000:span=10d")
        self.assertEqual((len(messages), code), (3000, 1001))
        cursor = json.loads(messages[-1])["time_us"]
        async with connect(feed.url(cursor=cursor)) as client:
            first = (await receive(client, 1))[0]
        expected = next(m for m in messages if json.loads(m)["time_us"] >= cursor - 10 * 86400 * 10**6)
        self.assertEqual(first, expected)
        async with connect(feed.url(cursor=cursor)) as client:
            self.assertEqual((await receive(client, 1))[0], messages[-1])

    async def test_reorder_keeps_what_decides(self):
        straight = self.enterContext(Feed("--wait-client"))
        async with connect(straight.url()) as client:
            ordered = await receive(client, 5000)
        feed = self.enterContext(Feed("--wait-client", "--fault", "reorder@1000:events=400"))
        async with connect(feed.url()) as client:
            shuffled = await receive(client, 5000)
        self.assertEqual(ordered[:1000], shuffled[:1000])
        self.assertEqual(ordered[1400:], shuffled[1400:])
        self.assertNotEqual(ordered[1000:1400], shuffled[1000:1400])
        self.assertEqual(sorted(ordered), sorted(shuffled))
        # The log has the new order.
        events, _ = feed.log()
        self.assertEqual([events[n]["time_us"] for n in range(1000, 1400)],
                         [json.loads(m)["time_us"] for m in shuffled[1000:1400]])
        # Of an account with evidence or a status in the stretch, nothing changed places.
        deciding = {json.loads(m)["did"] for m in ordered[1000:1400]
                    if json.loads(m)["kind"] != "commit" or "actor.profile" in m or
                    "location.address" in m}
        self.assertTrue(deciding)
        for did in deciding:
            self.assertEqual([m for m in ordered[1000:1400] if did == json.loads(m)["did"]],
                             [m for m in shuffled[1000:1400] if did == json.loads(m)["did"]])
        # A cursor in the midst of the stretch loses nothing.
        cursor = json.loads(ordered[1200])["time_us"]
        wanted = {m for m in shuffled if json.loads(m)["time_us"] >= cursor}
        again = self.enterContext(Feed("--wait-client", "--retention", "200d", "--fault",
                                       "reorder@1000:events=400"))
        async with connect(again.url()) as client:
            await receive(client, 5000)
        async with connect(again.url(cursor=cursor)) as client:
            got = []
            while len(wanted & set(got)) < len(wanted):
                got += await receive(client, 1)
        self.assertLess(len(got), 4500)

    async def test_forget_loses_history_and_sequence(self):
        feed, messages, code = await self.run_until_end("forget@2000:lost=150")
        self.assertEqual((len(messages), code), (2000, 1006))
        async with connect(feed.url(cursor=json.loads(messages[-1])["time_us"])) as client:
            rest = await receive(client, 2850)
        events, markers = feed.log()
        self.assertEqual(sum(1 for e in events.values() if e.get("lost")), 150)
        self.assertTrue(events[2000].get("lost") and events[2149].get("lost"))
        self.assertEqual(json.loads(rest[0])["time_us"], events[2150]["time_us"])
        self.assertTrue(any(m.get("fault") == "forget" for m in markers))
        self.assertEqual(feed.status()["sequence"], 2850)

    async def test_lose_leaves_out_without_a_word(self):
        feed = self.enterContext(Feed("--wait-client", "--fault", "lose@2000:events=10"))
        async with connect(feed.url()) as client:
            messages = await receive(client, 4990)
        events, _ = feed.log()
        self.assertEqual(json.loads(messages[2000])["time_us"], events[2010]["time_us"])
        self.assertEqual([n for n, e in events.items() if e.get("lost")], list(range(2000, 2010)))

    async def test_corrupt_messages_are_extra_and_broken(self):
        whats = ["bad_json", "truncated", "deep", "empty", "array", "number", "surrogate",
                 "missing_did", "wrong_type", "huge_number", "nul"]
        faults = [word for i, what in enumerate(whats)
                  for word in ("--fault", f"corrupt@{100 * (i + 1)}:what={what}")]
        feed = self.enterContext(Feed("--wait-client", *faults))
        async with connect(feed.url()) as client:
            messages = await receive(client, 5000 + len(whats))
        for i, what in enumerate(whats):
            broken = messages.pop(100 * (i + 1))
            with self.assertRaises((ValueError, KeyError, TypeError, RecursionError,
                                    AssertionError), msg=what):
                frame = json.loads(broken)
                identity(broken)
                assert isinstance(frame["did"], str)
                assert frame["time_us"] < 2**63
                assert all(ord(c) < 0xd800 for tag in frame["commit"]["record"]["langs"]
                           for c in tag)
        self.assertEqual(len({identity(m) for m in messages}), 5000)

    async def test_corrupt_bytes(self):
        feed = self.enterContext(Feed("--wait-client", "--pause-at", "3", "--fault",
                                      "corrupt@1:what=utf8", "--fault",
                                      "corrupt@2:what=oversized,bytes=300000"))
        sock = raw_websocket(feed.url().rsplit("/", 1)[0])
        while feed.status()["delivered"] < 3:
            await asyncio.sleep(0.01)
        feed.post("/stop")
        data = read_to_end(sock)
        self.assertIn(b"\xff\xfe\xc3(", data)
        self.assertIn(b"q" * 300_000, data)
        sock.close()

    async def test_fragments_and_single_bytes_carry_the_same(self):
        straight = self.enterContext(Feed("--wait-client"))
        async with connect(straight.url()) as client:
            ordered = await receive(client, 5000)
        feed = self.enterContext(Feed("--wait-client", "--fault", "fragment@100:events=300",
                                      "--fault", "split@1000:events=20"))
        async with connect(feed.url()) as client:
            self.assertEqual(await receive(client, 5000), ordered)

    async def test_future(self):
        feed = self.enterContext(Feed("--wait-client", "--fault",
                                      "future@500:ahead=40d,accounts=2"))
        async with connect(feed.url()) as client:
            messages = await receive(client, 5002)
        before = json.loads(messages[499])["time_us"]
        for message in messages[500:502]:
            self.assertEqual(json.loads(message)["time_us"], before + 40 * 86400 * 10**6)
        self.assertNotEqual(json.loads(messages[500])["did"], json.loads(messages[501])["did"])
        self.assertEqual(len(feed.log()[0]), 5000)

    async def test_refuse(self):
        for body, kind in (("json", "application/json"), ("html", "text/html; charset=utf-8")):
            feed, messages, code = await self.run_until_end(
                f"refuse@100:status=503,body={body},connections=2,how=bare")
            self.assertEqual((len(messages), code), (100, 1006))
            for _ in range(2):
                with self.assertRaises(websockets.InvalidStatusCode) as refused:
                    async with connect(feed.url()):
                        pass
                self.assertEqual(refused.exception.status_code, 503)
                self.assertEqual(refused.exception.headers["content-type"], kind)
            async with connect(feed.url()) as client:
                await receive(client, 1)

    async def test_restart_with_another_sequence_and_clock(self):
        feed, messages, code = await self.run_until_end("restart@1000:clock=-4s,sequence=70000")
        self.assertEqual((len(messages), code), (1000, 1001))
        events, _ = feed.log()
        async with connect(feed.url(cursor=json.loads(messages[-1])["time_us"])) as client:
            rest = await receive(client, 4001)
        events, _ = feed.log()
        straight = self.enterContext(Feed("--wait-client"))
        async with connect(straight.url()) as client:
            right = await receive(client, 5000)
        self.assertEqual(json.loads(rest[1])["time_us"],
                         json.loads(right[1000])["time_us"] - 4_000_000)
        self.assertEqual(events[1000]["time_us"], json.loads(rest[1])["time_us"])
        self.assertEqual(feed.status()["sequence"], 70000 + 3999)

    async def test_delay_shows_what_was_then(self):
        feed = self.enterContext(Feed("--wait-client", "--fault", "delay@100:by=30d",
                                      "--retention", "200d"))
        async with connect(feed.url()) as client:
            while feed.status()["emitted"] < 5000:
                await receive(client, 1)
            newest = feed.status()["last_time_us"]
            feed.post("/fault", spec="delay@now:by=0s")
            rest = await receive(client, 1)
            self.assertLess(json.loads(rest[0])["time_us"], newest - 20 * 86400 * 10**6)

    async def test_two_hosts_tell_the_same_world(self):
        feed = self.enterContext(Feed("--host", "", "--host", "clock=3s,lag=20d,sequence=900000",
                                      "--retention", "200d", "--sequence-field",
                                      "--pause-at", "4000"))
        self.assertEqual(len(feed.urls), 2)
        async with connect(feed.url()) as one:
            first = await receive(one, 4000)
        async with connect(feed.url(host=1, cursor=10**15)) as two:
            late = await receive(two, 2000)
        for a, b in zip(first, late):
            self.assertEqual(identity(a), identity(b))
            a, b = json.loads(a), json.loads(b)
            self.assertEqual(a["time_us"] + 3_000_000, b["time_us"])
            self.assertEqual(a["cursor"] + 899_999, b["cursor"])


if __name__ == "__main__":
    unittest.main()
