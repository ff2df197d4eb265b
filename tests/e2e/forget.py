#!/usr/bin/env python3
"""Goal: who is forgotten is out of every figure at once, durably, and no replay brings them back;
what they do later makes a new account; all other figures stay exact.

Method: accounts are erased through the running daemon and in its data directory, by the command
and over HTTP; the truth drops the same accounts at the same moment. A kill follows each erasure,
so that what the feed sent before is sent again.
"""

import concurrent.futures
import json
import signal
import subprocess
import sys

from harness import BIN, Daemon, Feed, Folder, Truth, expect, get, main, wait_until

EVENTS = 20_000


def forget(*arguments):
    return subprocess.run([BIN / "geotally", "forget", *map(str, arguments)], capture_output=True,
                          check=False, timeout=120)


def erased(*arguments):
    done = forget(*arguments)
    expect(done.returncode == 0, f"{done.returncode}: {done.stderr.decode()}")
    return done.stdout.decode()


def run():
    with Folder() as folder:
        feed = Feed(folder, "--world", "small", "--accounts", 500, "--events", EVENTS, "--seed", 2,
                    "--hold-alone")
        truth = Truth(feed.log)

        def start():
            return Daemon(folder, feed.url(), "--clock", "feed", "--set", "http.connections_max=128")

        def expect_exact(daemon, number):
            differences = truth.compare(number, daemon.page())
            expect(not differences, f"after event {number}:\n" + "\n".join(differences[:20]))

        def busiest(count):
            accounts = truth.world.accounts
            return sorted(accounts, key=lambda did: -accounts[did].posts)[:count]

        number = EVENTS // 3
        feed.advance(number)  # before anybody listens
        daemon = start()
        try:
            daemon.settle(feed, number)
            expect_exact(daemon, number)
            by_command, by_http, later, stranger = *busiest(3), "did:plc:stranger"
            url = f"http://127.0.0.1:{daemon.port}"

            said = erased("--url", url, by_command, stranger)
            expect(said == f"{by_command}: erased\n{stranger}: erased\n", said)
            del truth.world.accounts[by_command]
            daemon.kill()  # the answer came after the commit
            daemon = start()
            daemon.settle(feed, number)
            expect_exact(daemon, number)

            # Over HTTP, as a page of another origin could not ask.
            url = f"http://127.0.0.1:{daemon.port}/api/v1/forget"
            action = {"Geotally-Action": "forget"}
            for query, headers, method, code in (
                    (f"?did={by_http}", {}, "POST", 400), (f"?did={by_http}", action, "GET", 405),
                    ("", action, "POST", 400), ("?did=nobody", action, "POST", 400)):
                answer = get(url + query, headers, method)
                expect(answer[0] == code, f"{method} {query}: {answer}")
            expect_exact(daemon, number)
            code, body = get(f"{url}?did={by_http}", action, "POST")
            expect(code == 200 and json.loads(body)["data"]["commit"] > 0, f"{code} {body}")
            del truth.world.accounts[by_http]
            expect_exact(daemon, number)

            # They post again: new accounts.
            number = 2 * number
            daemon.settle(feed.advance(number), number)
            expect_exact(daemon, number)
            expect(by_command in truth.world.accounts, "the world does not try it")

            # A directory that a daemon holds is refused; one that nobody holds is not.
            data = ["--data-dir", daemon.data_dir]
            expect(forget(*data, later).returncode == 65, "a store in use was taken")
            daemon.stop(signal.SIGTERM)
            said = erased(*data, later, stranger)
            expect(said == f"{later}: erased\n{stranger}: not in this store\n", said)
            del truth.world.accounts[later]
            done = subprocess.run([BIN / "geotally", "verify", *map(str, data)],
                                  capture_output=True, check=False)
            expect(done.returncode == 0 and b" 0 differ" in done.stdout, done.stdout.decode())
            daemon = start()
            daemon.settle(feed, number)
            expect_exact(daemon, number)
            daemon.settle(feed.advance(EVENTS), EVENTS)
            expect_exact(daemon, EVENTS)

            # More at once than may wait: some are told to ask again, and nothing is half done.
            url = f"http://127.0.0.1:{daemon.port}/api/v1/forget"

            def ask_all(dids):
                with concurrent.futures.ThreadPoolExecutor(len(dids)) as pool:
                    codes = pool.map(lambda did: get(f"{url}?did={did}", action, "POST")[0], dids)
                return dict(zip(dids, codes))

            many, refused = sorted(truth.world.accounts)[:100], 0
            while many:
                codes = ask_all(many)
                expect(set(codes.values()) <= {200, 503}, f"{codes}")
                for did in (did for did, code in codes.items() if code == 200):
                    del truth.world.accounts[did]
                    many.remove(did)
                refused += len(many)
                expect_exact(daemon, EVENTS)
            strangers = [f"{stranger}{number}" for number in range(100)]
            wait_until("too much at once", lambda: refused or 503 in ask_all(strangers).values())

            # Usage, and no daemon.
            expect(forget("nobody").returncode == 64, "not a DID")
            expect(forget("--url", "http://127.0.0.1:9", later).returncode == 69, "no daemon")
        finally:
            daemon.stop(signal.SIGTERM)
            feed.stop()


if __name__ == "__main__":
    sys.exit(main(run))
