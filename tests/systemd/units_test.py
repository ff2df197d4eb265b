#!/usr/bin/env python3
"""Goal: systemd takes the units without a word, they are confined, and the journal
takes the catalogue.
Method: systemd's own tools on the files that are shipped.

usage: units_test.py SOURCE_DIR
"""
import pathlib
import re
import subprocess
import sys
import tempfile
import unittest

SOURCE = pathlib.Path(sys.argv[1])
UNITS = ["geotally.service", "geotally@.service"]


def unit(name):
    return (SOURCE / "systemd" / name).read_text()


class Units(unittest.TestCase):
    def setUp(self):
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.directory = pathlib.Path(directory.name)

    def analyze(self, *arguments):
        result = subprocess.run(["systemd-analyze", *arguments], capture_output=True, text=True)
        return result.returncode, result.stdout, result.stderr

    def verify(self, name, text):
        path = self.directory / name
        # The program is not installed here; everything else is as shipped.
        path.write_text(text.replace("/usr/bin/geotally ", "/bin/true "))
        code, out, err = self.analyze("verify", "--man=no", str(path))
        return (code, out + err)

    def test_verify_prints_nothing(self):
        for name in UNITS:
            self.assertEqual(self.verify(name, unit(name)), (0, ""), name)

    def test_verify_would_print_something(self):
        # systemd 252 only warns of what it does not know, and would run it as something else.
        wrong = unit(UNITS[0]).replace("Type=notify\n", "Type=notify-reload\n")
        self.assertNotEqual(self.verify(UNITS[0], wrong), (0, ""))

    def test_the_sandbox_holds_its_level(self):
        for name in UNITS:
            code, out, err = self.analyze("security", "--offline=true", "--threshold=15",
                                          str(SOURCE / "systemd" / name))
            self.assertEqual((code, err), (0, ""), out)

    def test_the_template_is_the_unit_but_for_its_name(self):
        def settings(name):
            return [line for line in unit(name).splitlines() if line and not line.startswith("#")]

        plain, template = settings(UNITS[0]), settings(UNITS[1])
        self.assertEqual(len(plain), len(template))
        for a, b in zip(plain, template):
            if a != b:
                self.assertRegex(b, r"%i")
                self.assertRegex(a, r"^(Description|ExecStart|ExecReload|StateDirectory|LoadCredential)=")
        # A folder inside the plain unit's dynamic directory could not be entered.
        self.assertIn("StateDirectory=geotally-%i", template)

    def test_they_wait_for_the_clock_to_be_right(self):
        # systemd.special(7): ordered after it, never pulling it in.
        for name in UNITS:
            self.assertRegex(unit(name), r"(?m)^After=.*\btime-sync\.target\b")
            self.assertNotRegex(unit(name), r"(?m)^(Wants|Requires)=.*\btime-sync\.target\b")

    def test_exit_codes_after_which_a_restart_is_useless(self):
        codes = dict(re.findall(r"(kExit\w+) = (\d+)", (SOURCE / "daemon/exit_code.h").read_text()))
        final = {codes[name] for name in ("kExitUsage", "kExitData", "kExitCannotCreate",
                                          "kExitConfig")}
        stated = re.search(r"^RestartPreventExitStatus=(.*)$", unit(UNITS[0]), flags=re.M)[1]
        self.assertEqual(set(stated.split()), final)


class Catalogue(unittest.TestCase):
    """What it says is held to the log's list by tests/log/contract_test.py."""

    def setUp(self):
        text = (SOURCE / "systemd/geotally.catalog").read_text()
        parts = re.split(r"^-- ([0-9a-f]{32})$", text, flags=re.M)[1:]
        self.entries = dict(zip(parts[0::2], parts[1::2]))
        self.assertEqual(len(self.entries), len(parts) // 2, "an id stands twice")
        self.assertGreater(len(self.entries), 10)

    def test_entries_are_complete(self):
        for message_id, entry in self.entries.items():
            self.assertRegex(entry, r"\nSubject: \S.*\nDefined-By: geotally\n", message_id)
            self.assertRegex(entry, r"\nDocumentation: man:geotally(\(8\)|\.toml\(5\))\n\n\S",
                             message_id)

    def test_the_journal_takes_it(self):
        with tempfile.TemporaryDirectory() as root:
            directory = pathlib.Path(root) / "usr/lib/systemd/catalog"
            directory.mkdir(parents=True)
            (pathlib.Path(root) / "var/lib/systemd/catalog").mkdir(parents=True)
            (directory / "geotally.catalog").write_text(
                (SOURCE / "systemd/geotally.catalog").read_text())
            for arguments in (["--update-catalog"], ["--list-catalog"]):
                result = subprocess.run(["journalctl", f"--root={root}", *arguments],
                                        capture_output=True, text=True)
                self.assertEqual((result.returncode, result.stderr), (0, ""))
            self.assertEqual({line.split()[0] for line in result.stdout.splitlines()},
                             set(self.entries))


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1], verbosity=2)
