"""The way to the feed breaks: its name, its certificate, its port, its cursor."""

import os
import socket
import ssl
import threading

from bench import Row, expect, wait_until
from wires import certificate


class Relay:
    """Stands before the feed: refuses, or speaks TLS with the certificate of the moment."""

    def __init__(self, upstream):
        self._upstream = ("127.0.0.1", int(upstream.rsplit(":", 1)[1].split("/")[0]))
        self._open = set()
        self._server = None
        self._port = 0
        self.context = None
        self.listen()

    def url(self, scheme, path):
        return f"{scheme}://localhost:{self._port}{path}"

    def listen(self):
        self._server = socket.create_server(("127.0.0.1", self._port))
        self._port = self._server.getsockname()[1]
        threading.Thread(target=self._accept, args=(self._server,), daemon=True).start()

    def refuse(self):
        """Nobody listens any more, and who is connected is cut off."""
        self._server.shutdown(socket.SHUT_RDWR)
        self._server.close()
        self.cut()

    def cut(self):
        for one in list(self._open):
            close(one)

    def _accept(self, server):
        while True:
            try:
                client, _ = server.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client):
        try:
            if self.context is not None:
                client = self.context.wrap_socket(client, server_side=True)
            server = socket.create_connection(self._upstream)
        except OSError:  # the client did not like the certificate
            client.close()
            return
        self._open |= {client, server}
        back = threading.Thread(target=pump, args=(server, client), daemon=True)
        back.start()
        pump(client, server)
        back.join()
        self._open -= {client, server}
        client.close()
        server.close()


def close(one):
    try:
        one.shutdown(socket.SHUT_RDWR)
    except OSError:
        pass


def pump(source, sink):
    try:
        while chunk := source.recv(1 << 16):
            sink.sendall(chunk)
    except OSError:
        pass
    close(source)
    close(sink)


def failures(bench, reason):
    return bench.daemon.sample("geotally_feed_connect_failures_total", reason=reason) or 0


def broken_and_repaired(bench, row, reason, break_it, repair_it):
    """The feed goes on while it cannot be reached; when it can, nothing is lost."""
    bench.play(1_000)
    bench.settle()
    before = failures(bench, reason)
    break_it()
    wait_until(f"connecting fails ({reason}) a few times",
               lambda: failures(bench, reason) >= before + 3)
    expect(bench.daemon.sample("geotally_feed_connected") == 0, "it says that it is connected")
    repair_it()
    bench.play(1_000)
    bench.settle()
    bench.check(row)


def name(tries):
    """The name does not resolve: a hosts file and a resolver of the daemon's own."""
    def run(bench):
        row = Row("the feed's name does not resolve (DNS)")
        hosts, resolver = bench.folder / "hosts", bench.folder / "resolv.conf"
        resolver.write_text("nameserver 127.0.0.1\noptions timeout:1 attempts:1\n")
        hosts.write_text("127.0.0.1 feed.example\n")
        bench.wrapper = ["unshare", "--mount", "sh", "-c", 'mount --bind "$1" /etc/hosts && mount '
                         '--bind "$2" /etc/resolv.conf && shift 2 && exec "$@"', "sh", hosts, resolver]
        bench.urls = [url.replace("127.0.0.1", "feed.example") for url in bench.urls]

        def forget():
            hosts.write_text("")
            bench.feed.control("/fault", spec="drop@now:how=1001")
        bench.start()
        for _ in range(tries):
            broken_and_repaired(bench, row, "dns", forget,
                                lambda: hosts.write_text("127.0.0.1 feed.example\n"))
        return row
    return run


def refused(tries):
    def run(bench):
        row = Row("nobody listens: connection refused")
        relay = Relay(bench.urls[0])
        bench.urls = [relay.url("ws", "/subscribe")]
        bench.start()
        for _ in range(tries):
            broken_and_repaired(bench, row, "tcp", relay.refuse, relay.listen)
        return row
    return run


def tls(tries):
    """Certificates that prove nothing: never talked to; with the right one, nothing is lost."""
    def run(bench):
        row = Row("TLS: expired, of an unknown root, of another host, none at all")
        ago = ["faketime", "-f", "-30d"]
        kinds = {"good": {}, "expired": {"wrapper": ago}, "unknown": {},
                 "other": {"names": "DNS:elsewhere.example"}}
        contexts, roots = {"none": None}, b""
        for kind, how in kinds.items():
            folder = bench.folder / kind
            folder.mkdir()
            root, chain, key = certificate(folder, **how)
            contexts[kind] = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            contexts[kind].load_cert_chain(chain, key)
            roots += b"" if kind == "unknown" else root.read_bytes()
        trusted = bench.folder / "roots.pem"
        trusted.write_bytes(roots)
        bench.environment = {**os.environ, "SSL_CERT_FILE": str(trusted)}
        relay = Relay(bench.urls[0])
        relay.context = contexts["good"]
        bench.urls = [relay.url("wss", "/subscribe")]
        bench.start()
        for kind in ["expired", "unknown", "other", "none"] * tries:
            def change(kind=kind):
                relay.context = contexts[kind]
                relay.cut()

            def repair():
                relay.context = contexts["good"]
            broken_and_repaired(bench, row, "tls", change, repair)
        return row
    return run


def too_old(bench):
    """The cursor is older than what the server keeps. v1 begins later in silence, v2 answers 400."""
    row = Row("cursor too old, " + ("refused with 400 (v2)" if bench.v2 else "clamped in silence (v1)"))
    bench.start()
    bench.play(2_000)
    bench.settle()
    expect(bench.daemon.stop() == 0, "the daemon's exit code is not 0")
    # Nobody listens: at a rate of its own the feed goes on all the same, beyond what it keeps.
    bench.feed.control("/control", rate=20_000)
    bench.play(8_000)
    wait_until("the feed has gone on", lambda: bench.feed.status()["emitted"] >= bench.at)
    bench.start()
    bench.settle()
    bench.play(1_000)
    bench.settle()
    bench.check(row, gap=True)
    if bench.v2:
        expect('"feed.cursor_too_old"' in bench.daemon.errors(), "the cursor was not refused")
    return row


def another_host(tries):
    """A host falls silent; the other's clock is 3 s off and its numbers are others."""
    def run(bench):
        row = Row("silent, then another host with another clock")
        bench.start()
        for _ in range(tries):
            bench.play(1_500)
            bench.settle()
            changes = bench.daemon.errors().count('"feed.failover"')
            bench.feed.control("/fault", spec=f"silent@{bench.at + 500}:host=1")
            bench.play(1_500)
            wait_until("the host is left", lambda changes=changes: bench.daemon.errors().count(
                '"feed.failover"') > changes)
            bench.settle()
            bench.check(row, seconds=False)
        return row
    return run
