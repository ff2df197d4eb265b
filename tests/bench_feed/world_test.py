"""Goal: the generated worlds are what the study of 2012 says, and whatever daemon reads them can
be judged: unambiguous, and in an order that leaves nothing to chance.
Method: the log of a whole world, without a client, read with the truth script."""

import os
import sys
import unittest

from support import Feed

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "truth"))
import truth  # noqa: E402

EUROPE = {"GB", "ES", "NL", "FR", "DE", "IT", "RU", "PT", "PL", "BE", "SE", "IE", "UA", "GR", "CH",
          "DK", "NO", "AT", "FI", "RO", "CZ", "HU"}
DAY = truth.DAY


class Generated:
    """All events of a world, and the truth at its end."""

    def __init__(self, *arguments):
        with Feed("--rate", "1000000000", world=arguments) as feed:
            while not feed.status()["finished"]:
                pass
            events, _ = feed.log()
        self.events = [events[n] for n in sorted(events)]
        self.world = truth.World()
        for event in self.events:
            self.world.apply(event)
        self.edge = self.world.watermark
        self.figures = self.world.figures(self.edge)

    def ranking(self, key):
        known = [c for c in self.figures if c != "ZZ"]
        return sorted(known, key=lambda c: -self.figures[c].get(key, 0))

    def share(self, country, key, of):
        return self.figures[country].get(key, 0) / self.figures[country][of]


class July2012(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.got = Generated("--world", "july-2012", "--accounts", "40000", "--events", "200000",
                            "--days", "110", "--seed", "2")

    def test_ranking_by_accounts(self):
        ranking = self.got.ranking("accounts")
        self.assertEqual(ranking[:10], ["US", "BR", "JP", "GB", "ID", "IN", "MX", "CA", "ES", "PH"])
        self.assertEqual(ranking[16:19], ["AR", "FR", "DE"])
        europe = [c for c in ranking if c in EUROPE]
        self.assertEqual(europe[:4], ["GB", "ES", "NL", "FR"])

    def test_shares_of_accounts(self):
        total = sum(row["accounts"] for row in self.got.figures.values())
        for country, millions in (("US", 141.8), ("BR", 41.2), ("JP", 35.0), ("FR", 7.3)):
            self.assertAlmostEqual(self.got.figures[country]["accounts"] / total, millions / 517,
                                   delta=0.002, msg=country)

    def test_active_shares_by_quota(self):
        shares = {c: self.got.share(c, "window_active:90d", "accounts") for c in self.got.figures
                  if self.got.figures[c]["accounts"] > 400}
        for country, percent in (("NL", 33), ("JP", 30), ("ES", 29), ("US", 28), ("BR", 25),
                                 ("FR", 24)):
            self.assertAlmostEqual(shares[country], percent / 100, delta=0.01, msg=country)
        self.assertEqual(max(shares, key=shares.get), "NL")
        total = sum(row["accounts"] for row in self.got.figures.values())
        active = sum(row.get("window_active:90d", 0) for row in self.got.figures.values())
        self.assertAlmostEqual(active / total, 0.27, delta=0.005)

    def test_shares_of_posts(self):
        total = sum(row.get("posts", 0) for row in self.got.figures.values())
        for country, percent in (("US", 25.8), ("JP", 10.6), ("BR", 6.6)):
            self.assertAlmostEqual(100 * self.got.figures[country]["posts"] / total, percent,
                                   delta=1.5, msg=country)

    def test_accounts_leave_every_window(self):
        counts = [sum(row.get("window_active:" + name, 0) for row in self.got.figures.values())
                  for name, _, _ in truth.WINDOWS]
        self.assertEqual(counts, sorted(counts))
        self.assertGreater(counts[0], 0)
        posted = sum(1 for a in self.got.world.accounts.values() if a.posts)
        self.assertLess(counts[-1], posted)

    def test_every_class_of_engagement(self):
        for name in truth.CLASSES:
            self.assertGreater(
                sum(row.get("engagement:" + name, 0) for row in self.got.figures.values()), 20, name)

    def test_everything_happens(self):
        seen = set()
        for event in self.got.events:
            if event["kind"] == "commit":
                seen.add((event["op"], event["collection"].rsplit(".", 1)[1]))
                seen.add((event["op"], event["collection"]))
                if "country_evidence" in event:
                    seen.add(event["country_evidence"]["kind"])
            else:
                seen.add((event["kind"], event.get("status", "")))
        self.assertLessEqual({
            ("create", "post"), ("update", "post"), ("delete", "post"), ("create", "like"),
            ("delete", "like"), ("create", "repost"), ("create", "follow"), ("create", "profile"),
            ("update", "profile"), ("create", "address"), ("update", "address"),
            ("delete", "address"), ("create", "community.lexicon.actor.profile"),
            ("update", "community.lexicon.actor.profile"),
            ("delete", "community.lexicon.actor.profile"), ("create", "thing"), ("identity", ""), ("account", ""),
            ("account", "takendown"), ("account", "suspended"), ("account", "deleted"),
            ("account", "deactivated"), ("account", "desynchronized"), ("account", "throttled"),
            "flag", "region", "language", "address"}, seen)

    def test_evidence_comes_before_or_with_the_first_post(self):
        spoken = set()
        decided = set()
        for event in self.got.events:
            if event["kind"] != "commit":
                continue
            if "country_evidence" in event:
                self.assertTrue(event["did"] in decided or event["did"] not in spoken)
                decided.add(event["did"])
            if event["collection"] == truth.POST and event["op"] == "create":
                spoken.add(event["did"])

    def test_weaker_evidence_never_contradicts(self):
        """Only an explicit address, and its deletion, changes what was said."""
        said = {}
        moved = set()
        for event in self.got.events:
            evidence = event.get("country_evidence")
            if event.get("collection") in (truth.ADDRESS, truth.PERSON):
                if evidence and event["did"] in said:
                    moved.add(event["did"])
                said.setdefault(event["did"], evidence and evidence["country"])
            elif evidence:
                home = said.setdefault(event["did"], evidence["country"])
                self.assertEqual(home, evidence["country"])
        self.assertGreater(len(moved), 100)

    def test_revisions_rise_and_commits_carry_several_records(self):
        last = {}
        together = 0
        for event in self.got.events:
            if event["kind"] == "commit":
                self.assertGreaterEqual(event["rev"], last.get(event["did"], ""))
                together += event["rev"] == last.get(event["did"])
                last[event["did"]] = event["rev"]
        self.assertGreater(together, 500)
        identities = {(e["did"], e["rev"], e["collection"], e["rkey"], e["op"])
                      for e in self.got.events if e["kind"] == "commit"}
        self.assertEqual(len(identities), sum(e["kind"] == "commit" for e in self.got.events))

    def test_a_few_write_most(self):
        posts = sorted((a.posts for a in self.got.world.accounts.values() if a.posts), reverse=True)
        self.assertGreater(sum(posts[:len(posts) // 10]), sum(posts) / 3)

    def test_nights_are_quiet(self):
        hours = [0] * 24
        for event in self.got.events:
            if event.get("country_evidence", {}).get("country") == "JP":
                hours[(event["time_us"] // 3_600_000_000 + 9) % 24] += 1
        self.assertGreater(max(hours), 3 * min(hours))

    def test_spans_its_days_and_ends_in_july(self):
        self.assertLess(self.got.edge, 1_341_100_800_000_000)
        self.assertGreater(self.got.edge, 1_341_100_800_000_000 - 3_600_000_000)
        self.assertGreater(self.got.edge - self.got.events[0]["time_us"], 109 * DAY)


class Others(unittest.TestCase):
    def test_january_2012(self):
        got = Generated("--world", "january-2012", "--accounts", "30000", "--events", "100000",
                        "--days", "100")
        ranking = got.ranking("accounts")
        self.assertEqual(ranking[:10], ["US", "BR", "JP", "GB", "ID", "IN", "MX", "PH", "ES", "CA"])
        self.assertEqual(ranking[15], "FR")

    def test_january_then_july_2012(self):
        """The study's two moments in one world: ranks that change, and growth."""
        got = Generated("--world", "study-2012", "--accounts", "40000", "--events", "200000")
        january = 1_325_376_000_000_000
        self.assertEqual(got.ranking("accounts")[:10],
                         ["US", "BR", "JP", "GB", "ID", "IN", "MX", "CA", "ES", "PH"])
        self.assertEqual(got.ranking("accounts")[16:19], ["AR", "FR", "DE"])

        def at(moment):
            world = truth.World()
            for event in got.events:
                if event["time_us"] >= moment:
                    break
                world.apply(event)
            figures = world.figures(moment)
            figures.pop("ZZ")
            return figures, sorted(figures, key=lambda c: -figures[c].get("accounts", 0))

        before, ranking = at(january)
        self.assertEqual(ranking[:10], ["US", "BR", "JP", "GB", "ID", "IN", "MX", "PH", "ES", "CA"])
        self.assertEqual(ranking[15], "FR")
        growth = {c: row["accounts"] / before[c]["accounts"] - 1
                  for c, row in got.figures.items() if c in before}
        for country, percent in (("BR", 24), ("JP", 17), ("KR", 16), ("SA", 93), ("US", 32)):
            self.assertAlmostEqual(growth[country], percent / 100, delta=0.03, msg=country)
        named = [c for c in growth if before[c]["accounts"] > 100]
        self.assertEqual(max(named, key=growth.get), "SA")
        self.assertLess(growth["KR"], min(growth[c] for c in named if c not in ("KR", "JP")))
        # Brazil overtook Japan in the December before.
        december, ranking = at(january - 30 * DAY)
        self.assertEqual(ranking[:3], ["US", "JP", "BR"])
        shares = {c: got.share(c, "window_active:90d", "accounts") for c in got.figures
                  if got.figures[c]["accounts"] > 400}
        self.assertEqual(max(shares, key=shares.get), "NL")

    def test_guard_keeps_off_the_borders_of_minutes(self):
        got = Generated("--world", "small", "--accounts", "500", "--events", "5000", "--guard", "7s")
        for event in got.events:
            self.assertTrue(7_000_000 <= event["time_us"] % 60_000_000 <= 53_000_500)

    def test_short_worlds(self):
        got = Generated("--world", "small", "--accounts", "50", "--events", "400", "--days", "0.01")
        self.assertEqual(len(got.events), 400)


if __name__ == "__main__":
    unittest.main()
