#!/usr/bin/env python3
"""Goal: `--watch` on a terminal: the newest answer in the place of the one before, cut to the window
and fitted to it when it changes, with what is wrong above it; Ctrl-C leaves the terminal as it was.

Method: the command on a pseudo-terminal, whose bytes pyte turns into a screen; a daemon with a
generated feed, which goes away and comes back.
"""

import fcntl
import os
import pty
import select
import signal
import struct
import subprocess
import sys
import termios

import pyte

from harness import BIN, Daemon, Feed, Folder, expect, main, wait_until

EVENTS = 20_000


class Terminal:
    def __init__(self, rows, columns, *command):
        self.screen = pyte.Screen(columns, rows)
        self.stream = pyte.ByteStream(self.screen)
        self.bytes = b""
        self.terminal, inside = pty.openpty()
        self.resize(rows, columns)
        self.process = subprocess.Popen(list(map(str, command)), stdin=inside, stdout=inside,
                                        stderr=inside, start_new_session=True,
                                        preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0))
        os.close(inside)

    def resize(self, rows, columns):
        self.screen.resize(rows, columns)
        fcntl.ioctl(self.terminal, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def lines(self):
        """What is on the screen, after whatever has come."""
        while select.select([self.terminal], [], [], 0)[0]:
            try:
                read = os.read(self.terminal, 65_536)
            except OSError:  # the command has ended
                break
            self.bytes += read
            self.stream.feed(read)
        return [line.rstrip() for line in self.screen.display]

    def wait_for(self, what, condition):
        wait_until(what, lambda: condition(self.lines()))

    def end(self):
        """Ctrl-C; what is on the screen then."""
        os.write(self.terminal, b"\x03")
        code = self.process.wait(timeout=60)
        expect(code == -signal.SIGINT, f"the exit code is {code}")
        lines = self.lines()
        os.close(self.terminal)
        return lines


def is_table(lines, first=0):
    return lines[first].startswith("World, by accounts") and lines[first + 2].startswith("rank ")


def run():
    with Folder() as folder:
        feed = Feed(folder, "--world", "small", "--accounts", 500, "--events", EVENTS, log=False)
        daemon = Daemon(folder, feed.url(), "--clock", "feed")
        try:
            daemon.settle(feed.advance(EVENTS // 2), EVENTS // 2)
            url = f"http://127.0.0.1:{daemon.port}"
            command = [BIN / "geotally", "rankings", "--url", url, "--limit", 40, "--watch"]
            plain = subprocess.run(list(map(str, command[:-1])), capture_output=True, text=True,
                                   check=True).stdout.splitlines()

            # Cut to the window, in both directions, and drawn again for another one.
            terminal = Terminal(10, 30, *command, 3_600)
            terminal.wait_for("a table", is_table)
            lines = terminal.lines()
            expect(lines[:8] == [line[:30].rstrip() for line in plain[:8]], lines)
            expect(lines[8:] == [f"... {len(plain) - 8} more lines", ""], lines)
            terminal.resize(len(plain) + 5, 100)
            terminal.wait_for("the whole table", lambda now: not any("more lines" in x for x in now))
            lines = terminal.lines()
            expect(lines[0] == plain[0] and lines[len(plain) - 2] == plain[-2][:100], lines)
            lines = terminal.end()
            expect(is_table(lines), "the table stays")
            cursor = terminal.screen.cursor
            expect((cursor.x, lines[cursor.y]) in ((0, ""), (2, "^C")), f"{cursor.x} {lines}")
            expect(b"\x1b[2J" not in terminal.bytes, "the window was empty for a moment")

            # New figures take the place of old ones; a daemon that is away is waited for.
            terminal = Terminal(30, 100, *command, 0.1)
            terminal.wait_for("a table", is_table)
            before = terminal.lines()
            daemon.settle(feed.advance(EVENTS), EVENTS)
            terminal.wait_for("other figures", lambda now: is_table(now) and now != before)
            daemon.stop(signal.SIGTERM)
            terminal.wait_for("who is missing", lambda now: now[0].startswith("geotally: 127.0.0.1:"))
            expect(is_table(terminal.lines(), 1), "the figures stay meanwhile")
            daemon = Daemon(folder, feed.url(), "--clock", "feed", data_dir=daemon.data_dir,
                            listen=f"127.0.0.1:{daemon.port}")
            terminal.wait_for("the daemon again", is_table)
            terminal.end()
        finally:
            daemon.stop(signal.SIGTERM)
            feed.stop()


if __name__ == "__main__":
    sys.exit(main(run))
