"""Starts geotally-feed and speaks to it with Debian's python3-websockets: an independent client."""

import asyncio
import json
import os
import subprocess
import tempfile
import unittest
import urllib.error
import urllib.parse
import urllib.request

import websockets

FEED = os.environ["GEOTALLY_FEED"]
DEADLINE_S = 60

SMALL = ("--world", "small", "--accounts", "500", "--events", "5000", "--days", "100", "--seed",
         "7")


class Feed:
    """A running geotally-feed, its addresses, its log and its control endpoint."""

    def __init__(self, *arguments, world=SMALL, log=True):
        self.folder = tempfile.TemporaryDirectory()
        command = [FEED, *world, *arguments]
        self.log_path = os.path.join(self.folder.name, "log.jsonl")
        if log:
            command += ["--log", self.log_path]
        self.errors = open(os.path.join(self.folder.name, "stderr"), "w+", encoding="utf-8")
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=self.errors,
                                        text=True)
        self.stopped = False
        line = self.process.stdout.readline()
        if not line:
            self.errors.seek(0)
            raise RuntimeError(self.errors.read())
        addresses = json.loads(line)
        self.urls = addresses["feeds"]
        self.control_url = addresses["control"]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if not self.stopped:  # a signal on top would find a process that is on its way out
            self.process.terminate()
        code = self.process.wait(DEADLINE_S)
        self.process.stdout.close()
        self.errors.close()
        self.folder.cleanup()
        assert code == 0, f"geotally-feed ended with {code}"

    def url(self, host=0, path="/subscribe", **query):
        text = urllib.parse.urlencode(query, doseq=True)
        return self.urls[host] + path + ("?" + text if text else "")

    def post(self, path, **query):
        url = self.control_url + path + "?" + urllib.parse.urlencode(query)
        self.stopped = self.stopped or path == "/stop"
        with urllib.request.urlopen(urllib.request.Request(url, method="POST")) as answer:
            return json.load(answer)

    def status(self):
        with urllib.request.urlopen(self.control_url + "/status") as answer:
            return json.load(answer)

    def log(self):
        """(events by number, markers); flushed by asking for the status."""
        self.status()
        events, markers = {}, []
        with open(self.log_path, encoding="utf-8") as log:
            for line in log:
                entry = json.loads(line)
                if "fault" in entry or "world" in entry:
                    markers.append(entry)
                else:
                    events[entry["n"]] = entry
        return events, markers

    def get(self, path, host=0, headers=None):
        """An ordinary GET of the feed's port: (status, body, headers)."""
        url = self.urls[host].replace("ws", "http", 1) + path
        try:
            with urllib.request.urlopen(urllib.request.Request(url, headers=headers or {})) as got:
                return got.status, got.read(), got.headers
        except urllib.error.HTTPError as error:
            return error.code, error.read(), error.headers


def connect(url, **options):
    options.setdefault("max_size", None)
    options.setdefault("max_queue", None)
    options.setdefault("compression", None)
    options.setdefault("ping_interval", None)
    return websockets.connect(url, **options)


async def receive(socket, count):
    """The next `count` messages, as they are."""
    async def collect():
        return [await socket.recv() for _ in range(count)]

    return await asyncio.wait_for(collect(), DEADLINE_S)


async def receive_all(socket):
    """Messages until the connection ends, and how it ended: (messages, close code)."""
    messages = []

    async def collect():
        try:
            while True:
                messages.append(await socket.recv())
        except websockets.ConnectionClosed as closed:
            return closed.code

    return messages, await asyncio.wait_for(collect(), DEADLINE_S)


class AsyncTest(unittest.IsolatedAsyncioTestCase):
    """Without asyncio's debugging, which is slow and reports each slow step."""

    def _callSetUp(self):
        self._asyncioRunner.get_loop().set_debug(False)
        super()._callSetUp()


def identity(message):
    """What makes an event the same one, whoever tells it and whenever."""
    frame = json.loads(message)
    if frame["kind"] == "commit":
        commit = frame["commit"]
        return (frame["did"], commit["rev"], commit["collection"], commit["rkey"],
                commit["operation"])
    return frame["did"], frame["kind"], frame[frame["kind"]]["seq"]
