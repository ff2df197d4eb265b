#!/usr/bin/env python3
"""Goal: the package is one that Debian's own tools take without a word, and what it says of the
program is what the program says of itself.
Method: cpack makes it, lintian reads it, dpkg-deb takes it apart; the completion is asked by bash.

usage: deb_test.py BUILD_DIR GEOTALLY
"""
import gzip
import pathlib
import re
import subprocess
import sys
import tempfile
import unittest

BUILD, GEOTALLY = sys.argv[1:3]


def output(*command, **arguments):
    result = subprocess.run(command, capture_output=True, text=True, **arguments)
    assert result.returncode == 0, f"{command}: {result.stdout}{result.stderr}"
    return result.stdout


class Package(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        directory = tempfile.TemporaryDirectory()
        cls.addClassCleanup(directory.cleanup)
        cls.directory = pathlib.Path(directory.name)
        output("cpack", "--config", f"{BUILD}/CPackConfig.cmake", "-B", str(cls.directory))
        cls.package, = cls.directory.glob("*.deb")
        cls.root = cls.directory / "root"
        output("dpkg-deb", "--raw-extract", str(cls.package), str(cls.root))
        listed = output(GEOTALLY, "--help").split("Subcommands:\n")[1]
        cls.commands = re.findall(r"^  (\S+) ", listed, re.M)

    def page(self, name):
        section = name.rsplit(".", 1)[1]
        path = self.root / f"usr/share/man/man{section}/{name}.gz"
        result = subprocess.run(["man", "--warnings", "--local-file", "--ascii", path],
                                capture_output=True, text=True, env={"MANWIDTH": "200"})
        self.assertEqual(result.returncode, 0, result.stderr)
        return result.stdout

    def test_lintian_says_nothing(self):
        result = subprocess.run(["lintian", "--allow-root", "--fail-on=warning", self.package],
                                capture_output=True, text=True)
        self.assertEqual((result.returncode, result.stdout), (0, ""), result.stderr)

    def test_the_configuration_is_a_conffile_and_is_taken_by_the_program(self):
        self.assertEqual((self.root / "DEBIAN/conffiles").read_text(),
                         "/etc/geotally/geotally.toml\n")
        output(GEOTALLY, "check-config", "--quiet", "--config",
               str(self.root / "etc/geotally/geotally.toml"))

    def test_the_manual_has_every_command_option_and_key(self):
        page = self.page("geotally.8")
        self.assertGreater(len(self.commands), 6)
        for command in self.commands:
            self.assertRegex(page, rf"(?m)^ +geotally {command}\b")
            for option in re.findall(r"--[a-z-]+", output(GEOTALLY, command, "--help")):
                if option != "--help":
                    self.assertIn(option, page)
        keys = self.page("geotally.toml.5")
        for line in output(GEOTALLY, "check-config").splitlines():
            if found := re.match(r"(\w+) = ", line):
                self.assertRegex(keys, rf"(?m)^ +{found[1]} = ")

    def test_the_completions_offer_every_command_and_its_options(self):
        share = self.root / "usr/share"

        def offered(*words):
            script = (f"source {share}/bash-completion/completions/geotally\n"
                      f"COMP_WORDS=(geotally {' '.join(words)} ''); COMP_CWORD={len(words) + 1}\n"
                      "_geotally; printf '%s\\n' \"${COMPREPLY[@]}\"")
            return output("bash", "-c", script).split()

        self.assertEqual(set(offered()), {*self.commands, "--help"})
        self.assertIn("--data-dir", offered("run"))
        for path in ("zsh/vendor-completions/_geotally", "fish/vendor_completions.d/geotally.fish"):
            text = (share / path).read_text()
            for command in self.commands:
                self.assertRegex(text, rf"\b{command}\b")

    def test_every_alert_finds_its_runbook(self):
        alerts, = self.root.glob("usr/share/doc/geotally/**/geotally.alerts.yml")
        found = re.findall(r"runbook_url: file://(\S+)#(\S+)", alerts.read_text())
        self.assertEqual(len(found), alerts.read_text().count("- alert:"))
        for path, anchor in found:
            headings = re.findall(r"^## (\w+)$", (self.root / path.lstrip("/")).read_text(), re.M)
            self.assertIn(anchor, [heading.lower() for heading in headings])

    def test_papers(self):
        doc = self.root / "usr/share/doc/geotally"
        copyright = (doc / "copyright").read_text()
        for source in ("GeoNames", "Unicode License v3", "common-licenses/Apache-2.0"):
            self.assertIn(source, copyright)
        version = output("dpkg-deb", "--field", str(self.package), "Version").strip()
        self.assertTrue(gzip.decompress((doc / "changelog.gz").read_bytes()).decode()
                        .startswith(f"geotally ({version}) "))


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1], verbosity=2)
