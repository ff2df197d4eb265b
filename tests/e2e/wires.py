#!/usr/bin/env python3
"""Goal: the same world gives the same figures over every wire, and while failing over.

Method: one seed, served over v1 and v2, each plain, with zstd, and over TLS; then by two hosts
with sequences and clocks of their own, of which one delivers an hour late, with a failover every
few thousand events. Each time the page must equal the truth.

  wires.py [v1 v2 v1-zstd v2-zstd v1-tls v2-tls hosts]
"""

import os
import signal
import subprocess
import sys

from harness import BIN, Daemon, Failure, Feed, Folder, Truth, expect, main, wait_until

V2 = "/xrpc/network.bsky.jetstream.subscribeEvents"
WORLD = ["--world", "july-2012", "--accounts", 5_000, "--events", 40_000, "--days", 100,
         "--hold-alone", "--retention", "200d"]
# Feed time between two events is minutes in this world: a cutover needs as much.
MARGIN = ["--clock", "feed", "--set", "feed.margin_s=3600"]


def certificate(folder, names="DNS:localhost,IP:127.0.0.1", wrapper=()):
    """A server's certificate, signed by a root of its own: (root, chain, key)."""
    def openssl(*arguments):
        done = subprocess.run([*wrapper, "openssl", *map(str, arguments)], capture_output=True,
                              check=False)
        expect(done.returncode == 0, done.stderr.decode())
    root, root_key = folder / "root.pem", folder / "root.key"
    openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
            "-keyout", root_key, "-out", root, "-days", 2, "-subj", "/CN=a root for a test")
    key, request, leaf = folder / "leaf.key", folder / "leaf.csr", folder / "leaf.pem"
    openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
            "-keyout", key, "-out", request, "-subj", "/CN=localhost")
    extensions = folder / "extensions"
    extensions.write_text(f"subjectAltName={names}\n")
    openssl("x509", "-req", "-in", request, "-CA", root, "-CAkey", root_key, "-CAcreateserial",
            "-out", leaf, "-days", 2, "-extfile", extensions)
    return root, leaf, key


def trained(folder, wire, number):
    """A dictionary of that id."""
    dictionary = folder / f"dictionary-{number}"
    done = subprocess.run([BIN / "geotally-feed", "train-dictionary", "--out", dictionary, "--id",
                           number, "--wire", wire], capture_output=True, check=False)
    expect(done.returncode == 0, done.stderr.decode())
    return dictionary


def follow(folder, feed, daemon):
    """Everything, and then the comparison."""
    expected = Truth(feed.log)
    try:
        size = feed.status()["size"]
        daemon.settle(feed, size)
        different = expected.compare(size, daemon.page())
        expect(not different, "\n".join(different[:20]) + f"\n{len(different)} figures differ")
        rejected = sum(value for (name, _), value in daemon.metrics().items()
                       if name == "geotally_events_rejected_total")
        expect(rejected == 0, f"{rejected} messages were rejected")
        return daemon.metrics()
    except Failure as failure:
        raise Failure(f"{failure}\n--- the daemon's log\n{daemon.errors()[-2500:]}") from None
    finally:
        daemon.stop(signal.SIGTERM)
        feed.stop()


def single(name):
    with Folder() as folder:
        v2, how = name.startswith("v2"), name[3:]
        arguments, settings, environment, scheme = [], [], None, "ws"
        if how == "zstd":
            dictionary = trained(folder, name[:2], "20260811" if v2 else "1612007021")
            arguments += ["--dictionary", dictionary]
            settings += ["--set", "feed.zstd=on"]
            if not v2:
                settings += ["--set", f"feed.zstd_dictionary={dictionary}"]
        if how == "tls":
            root, leaf, key = certificate(folder)
            arguments += ["--tls-cert", leaf, "--tls-key", key]
            environment = {**os.environ, "SSL_CERT_FILE": str(root)}
            scheme = "wss"
        feed = Feed(folder, *WORLD, *arguments)
        url = feed.url(path=V2 if v2 else "/subscribe").replace("127.0.0.1", "localhost")
        expect(url.startswith(scheme + "://"), url)
        daemon = Daemon(folder, url, *MARGIN, *settings, "--wire",
                        "jetstream-v2" if v2 else "jetstream-v1", environment=environment)
        metrics = follow(folder, feed, daemon)
        print(f"{name}: equal to the truth; {metrics[('geotally_feed_received_bytes_total', ())]:,}"
              " bytes received", flush=True)


def hosts():
    """Two hosts; each in turn is cut off every few thousand events."""
    with Folder() as folder:
        # No event lies so near to the border of a bucket that the hosts' clocks put it elsewhere.
        feed = Feed(folder, *WORLD, "--guard", "5s", "--host", "", "--host",
                    "clock=3s,lag=1h,sequence=900000")
        # The preferred host goes away, for long enough to be left; later it is gone back to, and
        # the other one is cut off as well.
        for number in range(2_000, 40_000, 4_000):
            feed.control("/fault", spec=f"refuse@{number}:status=503,connections=2,how=bare,host=0")
            feed.control("/fault", spec=f"drop@{number + 2_000}:how=1001,host=1")
        daemon = Daemon(folder, [feed.url(0), feed.url(1)], *MARGIN, "--set",
                        "feed.preferred_after_s=1", "--set", "feed.backoff_max_s=1")
        expected = Truth(feed.log)
        try:
            size = feed.status()["size"]
            wait_until("everything is emitted", lambda: feed.status()["emitted"] >= size)
            # The late host may be the one in use: what matters is that all of it arrives.
            wait_until("the figures equal the truth",
                       lambda: feed.status() and not expected.compare(size, daemon.page()),
                       pause_s=1)
            connects = daemon.sample("geotally_feed_connects_total")
            expect(connects >= 4, f"only {connects} connections: nothing failed over")
            print(f"hosts: equal to the truth over {connects} connections", flush=True)
        except Failure as failure:
            raise Failure(f"{failure}\n{daemon.errors()[-2500:]}") from None
        finally:
            daemon.stop(signal.SIGTERM)
            feed.stop()


def run(names):
    for name in names:
        hosts() if name == "hosts" else single(name)


if __name__ == "__main__":
    ALL = ["v1", "v2", "v1-zstd", "v2-zstd", "v1-tls", "v2-tls", "hosts"]
    sys.exit(main(lambda: run(sys.argv[1:] or ALL)))
