#!/usr/bin/env python3
"""Goal: what the program says of itself is what it does: every event of the log's list is written
somewhere, with the fields that its row lists and no others; the runbook and the journal's catalogue
name only what there is.
Method: the source's own text. Every line that writes to the log names its event and its keys there.

usage: contract_test.py SOURCE_DIR
"""
import pathlib
import re
import sys
import unittest

SOURCE = pathlib.Path(sys.argv[1])

ROW = re.compile(r'\{Event::(k\w+),\s*Level::k\w+,\s*"([^"]*)",\s*"([^"]*)",\s*"([^"]*)",\s*'
                 r'\{([^}]*)\},\s*"([^"]*)"\}')
WRITE = re.compile(r"\bwrite(?:_at)?\(\s*(?:geotally::)?(?:log::)?Event::(k\w+)")
KEY = re.compile(r'\{\s*"(\w+)"\s*,')
# Of a name in `backticks` in the runbook: an event or a key of the configuration.
NAME = re.compile(r"`((?:daemon|config|feed|store|http|geo|tally|pipeline|resolver|log|invariant|"
                  r"watchdog)\.[a-z_]+)")


def rows_of(table):
    """{kEvent: (name, message id, keys)}."""
    joined = re.sub(r'"\s*\n\s*"', "", table)
    return {event: (name, message_id, set(re.findall(r'"(\w+)"', keys)))
            for event, name, _, message_id, keys, _ in ROW.findall(joined)}


def writes_in(text):
    """[(kEvent, keys)] of every call that writes a line."""
    found = []
    for match in WRITE.finditer(text):
        depth, at = 1, text.index("(", match.start()) + 1
        while depth:
            depth += {"(": 1, ")": -1}.get(text[at], 0)
            at += 1
        found.append((match.group(1), set(KEY.findall(text[match.start():at]))))
    return found


def sources():
    return [path for part in ("lib", "daemon") for path in sorted((SOURCE / part).rglob("*"))
            if path.suffix in (".cpp", ".h") and (SOURCE / "lib/log") not in path.parents]


def disagreements(rows, writes):
    sent = {}
    for event, keys in writes:
        sent.setdefault(event, set()).update(keys)
    found = [f"{event} is never written" for event in rows if event not in sent]
    for event, keys in sorted(sent.items()):
        listed = rows[event][2]
        found += [f"{event} is sent {key}, which its row does not list" for key in keys - listed]
        found += [f"{event} is never sent {key}, which its row lists" for key in listed - keys]
    return found


class Contract(unittest.TestCase):
    def setUp(self):
        self.rows = rows_of((SOURCE / "lib/log/events.cpp").read_text())
        self.names = {name for name, _, _ in self.rows.values()}

    def test_the_table_is_read_whole(self):
        header = (SOURCE / "lib/log/events.h").read_text()
        events = re.search(r"enum class Event[^{]*\{([^}]*)\}", header)[1]
        self.assertEqual(list(self.rows), re.findall(r"k\w+", events))

    def test_every_event_is_written_with_the_fields_that_it_lists(self):
        writes = [write for path in sources() for write in writes_in(path.read_text())]
        self.assertEqual(disagreements(self.rows, writes), [])

    def test_the_runbook_names_what_there_is(self):
        keys = set(re.findall(r'"(\w+\.\w+)"', (SOURCE / "lib/config/keys.cpp").read_text()))
        self.assertGreater(len(keys), 10)
        named = set(NAME.findall((SOURCE / "deploy/prometheus/RUNBOOK.md").read_text()))
        self.assertGreater(len(named & self.names), 3)
        self.assertEqual(named - self.names - keys, set())

    def test_the_catalogue_explains_every_event_with_an_id_by_its_own_fields(self):
        text = (SOURCE / "systemd/geotally.catalog").read_text()
        parts = re.split(r"^-- ([0-9a-f]{32})$", text, flags=re.M)[1:]
        entries = dict(zip(parts[0::2], parts[1::2]))
        events = {message_id: (name, keys) for name, message_id, keys in self.rows.values()
                  if message_id}
        self.assertEqual(set(entries), set(events))
        for message_id, entry in entries.items():
            name, keys = events[message_id]
            named = {field.lower() for field in re.findall(r"@GEOTALLY_(\w+)@", entry)}
            self.assertEqual(named - keys, set(), name)


class FindsWhatIsPlanted(unittest.TestCase):
    """The reading of the source itself."""

    TABLE = '{Event::kA, Level::kInfo, "a.b", "body "\n "more", "", {"host", "reason"}, "Meaning."}'

    def test_a_row(self):
        self.assertEqual(rows_of(self.TABLE), {"kA": ("a.b", "", {"host", "reason"})})

    def test_what_differs(self):
        good = 'log_.write(log::Event::kA, {{"host", host()},\n  {"reason", to_string(why(1))}});'
        for text, expected in [
                (good, []),
                (good.replace(',\n  {"reason", to_string(why(1))}', ""),
                 ["kA is never sent reason, which its row lists"]),
                (good.replace('"host"', '"name"'),
                 ["kA is sent name, which its row does not list",
                  "kA is never sent host, which its row lists"]),
                ("", ["kA is never written"])]:
            self.assertEqual(disagreements(rows_of(self.TABLE), writes_in(text)), expected, text)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1], verbosity=2)
