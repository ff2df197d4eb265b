#!/usr/bin/env python3
"""Goal: what cannot work is refused with one clear line and its exit code, and harms nothing.

Method: each mistake that an operator makes, tried on the real program.
"""

import os
import signal
import socket
import subprocess
import sys

from harness import BIN, Daemon, Feed, Folder, expect, main

PROGRAM = str(BIN / "geotally")


def refused(code, *arguments, says=(), environment=None):
    done = subprocess.run([PROGRAM, *map(str, arguments)], capture_output=True, check=False,
                          timeout=60, env=environment)
    said = done.stderr.decode()
    lines = [line for line in said.splitlines() if not line.startswith("{")]
    where = f"{' '.join(map(str, arguments))}: exit {done.returncode}: {said}"
    expect(done.returncode == code, where)
    expect(len(lines) >= 1 and "terminate" not in said, where)
    if code != 64:
        expect(len(lines) == 1, f"more than one line: {where}")
    for word in says:
        expect(word in said, f"{word!r} is not said: {where}")


def run():
    with Folder() as folder:
        ws = "ws://127.0.0.1:9/subscribe"
        data = folder / "data"
        usable = ["--feed", ws, "--data-dir", data, "--listen", "127.0.0.1:0"]

        # Usage.
        refused(64)
        refused(64, "walk")
        refused(64, "run", "--no-such-flag")

        # Configuration: file, line, key, and what is allowed.
        bad = folder / "bad.toml"
        bad.write_text("[tally]\nclock = 'sundial'\n")
        refused(78, "check-config", "--config", bad, says=["bad.toml:2", "tally.clock", "wall", "feed"])
        bad.write_text("[feed]\nquiet = 3\n")
        refused(78, "check-config", "--config", bad, says=["bad.toml:2", "feed.quiet"])
        bad.write_text("[store]\nmemory_mib = 'much'\n")
        refused(78, "check-config", "--config", bad, says=["bad.toml:2", "store.memory_mib"])
        bad.write_text("[store\n")
        refused(78, "check-config", "--config", bad, says=["bad.toml:1"])
        refused(78, "check-config", "--config", folder / "none.toml", says=["none.toml"])
        refused(78, "run", *usable, "--set", "tally.windows=[\"90s\", \"1501m\"]", says=["tally.windows"])
        refused(78, "run", "--data-dir", data, says=["feed.urls"])
        refused(78, "run", *usable, "--set", "store.memory_mib=1", says=["store.memory_mib"])
        # check-config says what run says, and with --quiet nothing else.
        for command in ("run", "check-config"):
            refused(78, command, *usable, "--set", "store.memory_mib=64",
                    says=["store.memory_mib", "at least"])
            refused(78, command, *usable, "--set",
                    "tally.windows=" + ",".join(f"{i}s" for i in range(1, 18)),
                    says=["tally.windows", "1 to 16 entries"])
        least = subprocess.run([PROGRAM, "check-config", "--set", "store.memory_mib=64"],
                               capture_output=True, check=False).stderr.decode().split()[-1]
        done = subprocess.run([PROGRAM, "check-config", "--quiet", "--set",
                               f"store.memory_mib={least}"], capture_output=True, check=False)
        expect((done.returncode, done.stdout, done.stderr) == (0, b"", b""), repr(done))
        # A feed that would stand, look well and say nothing, or less than was meant.
        v2 = "ws://127.0.0.1:9/xrpc/network.bsky.jetstream.subscribeEvents"
        for url, parameter, wire in (
                (ws + "?compress=true", "compress", "jetstream-v1"),
                (ws + "?requireHello=true", "requireHello", "jetstream-v1"),
                (ws + "?cursor=1&cursor=2", "cursor", "jetstream-v1"),
                (ws + "?maxMessageSizeBytes=100", "maxMessageSizeBytes", "jetstream-v1"),
                (ws + "?wantedCollections=app.bsky.graph.follow", "wantedCollections",
                 "jetstream-v1"),
                (v2 + "?zstdDictionary=1", "zstdDictionary", "jetstream-v2"),
                (v2 + "?kinds=identity", "kinds", "jetstream-v2"),
                (v2 + "?compress=true", "compress", "jetstream-v2")):
            for command in ("run", "check-config"):
                refused(78, command, "--data-dir", data, "--listen", "127.0.0.1:0", "--feed", url,
                        "--wire", wire, says=["feed.urls", "127.0.0.1:9", parameter])
        done = subprocess.run([PROGRAM, "check-config", "--quiet", "--feed",
                               ws + "?wantedDids=did:plc:a"], capture_output=True, check=False)
        expect(done.returncode == 0 and b"warning: 127.0.0.1:9: wantedDids" in done.stderr and
               b"did:plc" not in done.stderr and not done.stdout, repr(done))

        # A secret that no client could send; and one that is there, but not at the first byte.
        token = folder / "token"
        for content, word in ((b"\xff\xfeh\x00", "UTF-16"), (b"two words", "white space"),
                              (b"t\xe2\x80\x8b", "ASCII"), (b"\xef\xbb\xbf\n", "empty")):
            token.write_bytes(content)
            refused(78, "run", *usable, "--set", f"http.token_file={token}",
                    says=["http.token_file", word])
            refused(78, "run", *usable, "--set", f"feed.token_file={token}",
                    says=["feed.token_file", word])

        # What only the feed's end can tell.
        refused(78, "run", *usable, "--set", "feed.zstd=on", "--set",
                f"feed.zstd_dictionary={folder / 'none.dict'}", says=["none.dict"])
        refused(78, "run", *usable, "--feed", "wss://127.0.0.1:9/subscribe",
                says=["proxy"], environment={**os.environ, "https_proxy": "ftp://a"})
        environment = {**os.environ, "GEOTALLY_HTTP__LISTEN": "nowhere"}
        refused(78, "check-config", says=["GEOTALLY_HTTP__LISTEN", "http.listen"],
                environment=environment)
        expect(not data.exists(), "a refused configuration made a data directory")

        # A port that is taken.
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            taken.listen()
            port = taken.getsockname()[1]
            refused(69, "run", "--feed", ws, "--data-dir", data, "--listen", f"127.0.0.1:{port}",
                    says=[str(port)])
        expect(not data.exists(), "a taken port left a data directory")

        # A directory that cannot be.
        (folder / "file").write_text("")
        refused(73, "run", "--feed", ws, "--data-dir", folder / "file" / "data", "--listen",
                "127.0.0.1:0", says=["file/data"])

        # Somebody else's directory.
        foreign = folder / "foreign"
        foreign.mkdir()
        (foreign / "thesis.tex").write_text("years of work")
        refused(65, "run", "--feed", ws, "--data-dir", foreign, "--listen", "127.0.0.1:0",
                says=["thesis.tex"])
        expect([path.name for path in foreign.iterdir()] == ["thesis.tex"], "it was written to")
        refused(65, "verify", "--data-dir", foreign)

        # A store that is in use, and then the same one damaged.
        feed = Feed(folder, "--world", "small", "--accounts", 2_000, "--events", 20_000,
                    "--hold-alone")
        daemon = Daemon(folder, feed.url(), "--clock", "feed")
        try:
            daemon.settle(feed, feed.status()["size"])
            refused(65, "run", "--feed", ws, "--data-dir", daemon.data_dir, "--listen",
                    "127.0.0.1:0", says=["in use"])
            refused(65, "verify", "--data-dir", daemon.data_dir, says=["a daemon holds it"])
        finally:
            daemon.stop(signal.SIGTERM)
            feed.stop()
        done = subprocess.run([PROGRAM, "verify", "--data-dir", str(daemon.data_dir)],
                              capture_output=True, check=False)
        expect(done.returncode == 0 and b" 0 differ" in done.stdout, done.stdout.decode())
        current = daemon.data_dir / "CURRENT"
        kept = current.read_bytes()
        current.write_bytes(b"MANIFEST-999999\n")
        refused(65, "run", "--feed", ws, "--data-dir", daemon.data_dir, "--listen", "127.0.0.1:0")
        current.write_bytes(kept)
        done = subprocess.run([PROGRAM, "verify", "--data-dir", str(daemon.data_dir)],
                              capture_output=True, check=False)
        expect(done.returncode == 0, "a refused start harmed the store")


if __name__ == "__main__":
    sys.exit(main(run))
