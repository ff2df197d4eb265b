"""Goal: truth.py says what DEFINITIONS say.
Method: logs of a few lines, with figures worked out by hand."""

import json
import os
import subprocess
import sys
import tempfile
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
import truth  # noqa: E402

S = 1_000_000
# A whole hour, minute and day: 2012-03-01T00:00:00Z.
T0 = 1_330_560_000 * S
DAY = 86_400 * S


def commit(t, did, collection, operation="create", rkey="k", evidence=None):
    event = {"time_us": t, "did": did, "kind": "commit", "rev": f"r{t}", "op": operation,
             "collection": collection, "rkey": rkey}
    if evidence:
        event["country_evidence"] = {"kind": evidence[0], "country": evidence[1]}
    return event


def post(t, did, evidence=None):
    return commit(t, did, truth.POST, evidence=evidence)


def account(t, did, active, status=None):
    event = {"time_us": t, "did": did, "kind": "account", "active": active}
    if status:
        event["status"] = status
    return event


def world(*events):
    out = truth.World()
    for event in events:
        out.apply(event)
    return out


def windows(row, what):
    return {key.split(":")[1]: value for key, value in row.items() if key.startswith(what + ":")}


ALL = ["1m", "5m", "15m", "1h", "6h", "24h", "7d", "30d", "90d"]


class Windows(unittest.TestCase):
    def active(self, age_us, edge=T0 + 90 * DAY + 30 * S):
        row = world(post(edge - age_us, "a")).figures(edge)["ZZ"]
        active = windows(row, "window_active")
        self.assertEqual(active, windows(row, "window_posts"))
        return [name for name in ALL if active.get(name)]

    def test_current_bucket_and_those_before_it(self):
        self.assertEqual(self.active(0), ALL)
        # 59 seconds before: the oldest of 60 buckets of a second.
        self.assertEqual(self.active(59 * S), ALL)
        self.assertEqual(self.active(60 * S), ALL[1:])
        self.assertEqual(self.active(299 * S), ALL[1:])
        self.assertEqual(self.active(300 * S), ALL[2:])
        self.assertEqual(self.active(900 * S), ALL[3:])

    def test_a_window_of_minutes_begins_with_a_minute(self):
        # The edge is half a minute into its own: 1h reaches back 59 minutes and a half.
        self.assertEqual(self.active((59 * 60 + 30) * S), ALL[3:])
        self.assertEqual(self.active((59 * 60 + 30) * S + 1), ALL[4:])

    def test_a_window_of_hours_begins_with_an_hour(self):
        # The edge is 30 s into its hour: 7d reaches back 167 hours and 30 s.
        age = (167 * 3600 + 30) * S
        self.assertEqual(self.active(age), ALL[6:])
        self.assertEqual(self.active(age + 1), ALL[7:])
        age = (2159 * 3600 + 30) * S
        self.assertEqual(self.active(age), ["90d"])
        self.assertEqual(self.active(age + 1), [])

    def test_last_post_is_the_largest_time(self):
        row = world(post(T0 + 100 * S, "a"), post(T0, "a")).figures(T0 + 100 * S)["ZZ"]
        self.assertEqual((row["posts"], row["accounts"]), (2, 1))
        self.assertEqual(windows(row, "window_active")["1m"], 1)
        self.assertEqual(windows(row, "window_posts")["1m"], 1)
        self.assertEqual(windows(row, "window_posts")["5m"], 2)


class Accounts(unittest.TestCase):
    def accounts(self, *events):
        return {country: row["accounts"]
                for country, row in world(*events).figures(T0).items() if "accounts" in row}

    def test_what_makes_an_account_known(self):
        for event in (post(T0, "a"), commit(T0, "a", truth.PROFILE),
                      commit(T0, "a", truth.PROFILE, "update"),
                      commit(T0, "a", truth.ADDRESS, evidence=("address", "FR")),
                      {"time_us": T0, "did": "a", "kind": "identity"}, account(T0, "a", True)):
            self.assertEqual(sum(self.accounts(event).values()), 1, event)

    def test_what_does_not(self):
        for event in (commit(T0, "a", "app.bsky.feed.like"), commit(T0, "a", truth.POST, "delete"),
                      commit(T0, "a", truth.POST, "update"), commit(T0, "a", truth.PROFILE, "delete"),
                      commit(T0, "a", truth.ADDRESS, "delete"), account(T0, "a", False, "takendown")):
            self.assertEqual(self.accounts(event), {}, event)

    def test_gone_and_back(self):
        for status in ("takendown", "suspended", "deleted", "deactivated", None, "unheard-of"):
            gone = [post(T0, "a"), account(T0 + 1, "a", False, status)]
            row = world(*gone).figures(T0)["ZZ"]
            self.assertEqual(row["posts"], 1)
            self.assertNotIn("accounts", row)
            self.assertEqual(windows(row, "window_active"), {})
            self.assertEqual(windows(row, "engagement"), {})
            self.assertEqual(windows(row, "window_posts")["1m"], 1)
            row = world(*gone, account(T0 + 2, "a", True)).figures(T0)["ZZ"]
            self.assertEqual((row["accounts"], row["window_active:1m"]), (1, 1))

    def test_states_of_a_host_are_no_departure(self):
        for status in ("desynchronized", "throttled"):
            self.assertEqual(self.accounts(post(T0, "a"), account(T0, "a", False, status)),
                             {"ZZ": 1})

    def test_a_post_of_a_gone_account_is_a_post_and_no_activity(self):
        events = [post(T0, "a"), account(T0, "a", False, "takendown"), post(T0 + 10 * S, "a")]
        row = world(*events).figures(T0 + 10 * S)["ZZ"]
        self.assertEqual(row["posts"], 2)
        self.assertNotIn("window_active:1m", row)


class Countries(unittest.TestCase):
    def test_a_post_keeps_the_country_of_its_moment(self):
        out = world(post(T0, "a"), commit(T0 + 1, "a", truth.PROFILE, evidence=("flag", "FR")),
                    post(T0 + 2, "a")).figures(T0)
        self.assertEqual((out["ZZ"]["posts"], out["FR"]["posts"]), (1, 1))
        self.assertNotIn("accounts", out["ZZ"])
        self.assertEqual(out["FR"]["accounts"], 1)
        self.assertEqual(out["FR"]["window_active:1m"], 1)

    def test_the_evidence_of_a_post_is_its_own(self):
        self.assertEqual(world(post(T0, "a", ("language", "JP"))).figures(T0)["JP"]["posts"], 1)

    def test_the_stronger_decides(self):
        events = [post(T0, "a", ("language", "JP"))]
        for evidence in (("region", "BR"), None):
            events.append(post(T0, "a", evidence))
            self.assertEqual(world(*events).account("a").country(), "BR")
        events.append(commit(T0, "a", truth.PROFILE, evidence=("flag", "FR")))
        self.assertEqual(world(*events).account("a").country(), "FR")
        events.append(commit(T0, "a", truth.ADDRESS, evidence=("address", "NL")))
        self.assertEqual(world(*events).account("a").country(), "NL")
        events.append(commit(T0, "a", truth.PROFILE, "update", evidence=("flag", "GB")))
        self.assertEqual(world(*events).account("a").country(), "NL")
        events.append(commit(T0, "a", truth.ADDRESS, "update", evidence=("address", "BE")))
        self.assertEqual(world(*events).account("a").country(), "BE")
        events.append(commit(T0, "a", truth.ADDRESS, "delete"))
        self.assertEqual(world(*events).account("a").country(), "GB")
        events.append(commit(T0, "a", truth.PROFILE, "update"))
        self.assertEqual(world(*events).account("a").country(), "BR")

    def test_a_community_profile_speaks_for_itself(self):
        events = [commit(T0, "a", truth.ADDRESS, rkey="self", evidence=("address", "NL")),
                  commit(T0, "a", truth.PERSON, rkey="self")]
        self.assertEqual(world(*events).accounts["a"].country(), "NL")
        events.append(commit(T0, "a", truth.PERSON, "update", rkey="self",
                             evidence=("address", "BE")))
        self.assertEqual(world(*events).accounts["a"].country(), "BE")
        events.append(commit(T0, "a", truth.ADDRESS, "delete", rkey="self"))
        self.assertEqual(world(*events).accounts["a"].country(), "BE")
        self.assertEqual(world(*events, commit(T0, "a", truth.PERSON, "update", rkey="self"))
                         .accounts["a"].country(), "ZZ")
        events.append(commit(T0, "a", truth.PERSON, "delete", rkey="self"))
        self.assertEqual(world(*events).accounts["a"].country(), "ZZ")

    def test_another_address_is_not_the_one_that_decides(self):
        events = [commit(T0, "a", truth.ADDRESS, rkey="one", evidence=("address", "NL")),
                  commit(T0, "a", truth.ADDRESS, "delete", rkey="two")]
        self.assertEqual(world(*events).account("a").country(), "NL")

    def test_deletions_count_to_the_country_of_their_moment(self):
        events = [post(T0, "a", ("language", "JP")), commit(T0, "a", truth.POST, "delete"),
                  commit(T0, "b", truth.POST, "delete")]
        out = world(*events).figures(T0)
        self.assertEqual((out["JP"]["deletions"], out["ZZ"]["deletions"]), (1, 1))
        self.assertEqual(out["JP"]["posts"], 1)
        self.assertEqual(out["JP"]["window_active:1m"], 1)


class Engagement(unittest.TestCase):
    def classes(self, days, edge_day):
        events = [commit(T0, "a", truth.PROFILE)] + [post(T0 + day * DAY, "a") for day in days]
        row = world(*events).figures(T0 + edge_day * DAY + 5 * S)["ZZ"]
        return list(windows(row, "engagement"))

    def test_classes(self):
        self.assertEqual(self.classes([], 0), ["never"])
        self.assertEqual(self.classes([0, 0, 0], 60), ["once"])
        self.assertEqual(self.classes([0, 1], 60), ["occasional"])
        self.assertEqual(self.classes(range(7), 7), ["occasional"])
        self.assertEqual(self.classes(range(8), 7), ["engaged"])

    def test_engaged_lapses_after_28_days(self):
        # The eighth of the last 28 days: day 0 counts up to day 27.
        self.assertEqual(self.classes(range(8), 27), ["engaged"])
        self.assertEqual(self.classes(range(8), 28), ["occasional"])


class Files(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        self.log = os.path.join(self.folder.name, "log")
        events = [commit(T0, "a", truth.PROFILE, evidence=("flag", "FR")), post(T0 + S, "a"),
                  post(T0 + 2 * S, "a"), post(T0 + DAY, "b", ("region", "BR")),
                  commit(T0 + DAY + S, "b", truth.POST, "delete")]
        with open(self.log, "w", encoding="utf-8") as log:
            log.write('{"world":"by hand"}\n')
            for n, event in enumerate(events):
                log.write(json.dumps({"n": n, **event}) + "\n")
                if n == 1:
                    log.write('{"fault":"drop","n":2,"emitted":2,"spec":"drop@2"}\n')

    def run_truth(self, *arguments):
        return subprocess.run([sys.executable, "-B", os.path.join(HERE, "truth.py"), *arguments],
                              capture_output=True, text=True, check=False)

    def page(self, *lines):
        path = os.path.join(self.folder.name, "page")
        with open(path, "w", encoding="utf-8") as page:
            page.write("# HELP geotally_posts_total Posts\n# TYPE geotally_posts_total counter\n")
            page.write("".join(line + "\n" for line in lines))
        return path

    RIGHT = [
        'geotally_window_edge_timestamp_seconds 1330560002.5',
        'geotally_posts_total{country="FR"} 2', 'geotally_posts_total{country="BR"} 0',
        'geotally_posts_deleted_total{country="FR"} 0', 'geotally_accounts{country="FR"} 1',
        'geotally_accounts_by_engagement{country="FR",engagement="once"} 1',
        *[f'geotally_window_posts{{country="FR",window="{w}"}} 2' for w in ALL],
        *[f'geotally_window_active_accounts{{window="{w}",country="FR"}} 1' for w in ALL],
    ]

    def test_figures_at_several_moments_of_one_pass(self):
        done = self.run_truth("figures", "--log", self.log, "--at", "5", "--at", "3", "--at", "0")
        self.assertEqual(done.returncode, 0, done.stderr)
        out = json.loads(done.stdout)
        self.assertEqual([moment["at"] for moment in out], [0, 3, 5])
        self.assertEqual(out[0]["countries"], {})
        self.assertEqual(out[1]["countries"]["FR"]["posts"], 2)
        self.assertEqual(out[2]["countries"]["BR"],
                         {"posts": 1, "deletions": 1, "accounts": 1, "engagement:once": 1,
                          **{"window_posts:" + w: 1 for w in ALL},
                          **{"window_active:" + w: 1 for w in ALL}})

    def test_more_than_there_is(self):
        done = self.run_truth("figures", "--log", self.log, "--at", "6")
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("5 events", done.stderr)

    def test_compare_agrees(self):
        done = self.run_truth("compare", "--log", self.log, "--at", "3", "--page",
                              self.page(*self.RIGHT))
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertIn("0 differ", done.stdout)

    def test_compare_names_each_difference(self):
        for line in self.RIGHT[1:]:
            wrong = [l if l != line else l.rsplit(" ", 1)[0] + " 7" for l in self.RIGHT]
            done = self.run_truth("compare", "--log", self.log, "--at", "3", "--page",
                                  self.page(*wrong))
            self.assertEqual(done.returncode, 1, line)
            self.assertIn("page 7", done.stdout)
            self.assertIn("1 differ", done.stdout)

    def test_compare_misses_families_and_figures(self):
        done = self.run_truth("compare", "--log", self.log, "--at", "3", "--page",
                              self.page(*[l for l in self.RIGHT if "_accounts{country" not in l]))
        self.assertEqual(done.returncode, 1)
        self.assertIn("family geotally_accounts is missing", done.stdout)
        self.assertIn("FR accounts: truth 1, page 0", done.stdout)

    def test_compare_with_a_given_edge(self):
        page = self.page(*self.RIGHT)
        later = self.run_truth("compare", "--log", self.log, "--at", "3", "--edge", "1330560062.5",
                               "--page", page)
        self.assertEqual(later.returncode, 1)
        self.assertIn("FR window_active:1m: truth 0, page 1", later.stdout)
        moments = [f"--moment=3,1330560002.5,{page}", f"--moment=3,,{page}"]
        both = self.run_truth("compare", "--log", self.log, *moments)
        self.assertEqual(both.returncode, 0, both.stdout)
        self.assertIn("2 moments", both.stdout)

    def test_days(self):
        done = self.run_truth("days", "--log", self.log)
        self.assertEqual(done.returncode, 0, done.stderr)
        first, second = json.loads(done.stdout).values()
        self.assertEqual(first["FR"], {"accounts": 1, "new": 1, "active_24h": 1, "active_7d": 1,
                                       "active_30d": 1, "active_90d": 1, "posts": 2,
                                       "deletions": 0, "engaged": 0})
        self.assertEqual((second["FR"]["new"], second["FR"]["posts"]), (0, 0))
        # At T0 + a day and a second, the minute of T0 + 2 s is just out of the 24 hours.
        self.assertEqual((second["FR"]["active_24h"], second["FR"]["active_7d"]), (0, 1))
        self.assertEqual((second["BR"]["new"], second["BR"]["deletions"]), (1, 1))

    def test_lost_events_count_only_if_asked(self):
        with open(self.log, "a", encoding="utf-8") as log:
            log.write(json.dumps({"n": 5, **post(T0 + DAY + 2 * S, "b"), "lost": True}) + "\n")
        for extra, posts in (([], 1), (["--with-lost"], 2)):
            done = self.run_truth("figures", "--log", self.log, "--at", "6", *extra)
            self.assertEqual(json.loads(done.stdout)[0]["countries"]["BR"]["posts"], posts)

    def test_frames(self):
        path = os.path.join(self.folder.name, "frames")
        frame = {"did": "did:plc:a", "time_us": 5, "kind": "commit",
                 "commit": {"rev": "r", "operation": "create", "collection": truth.POST,
                            "rkey": "k", "record": {}}}
        deleted = {**frame, "time_us": 9, "commit": {**frame["commit"], "operation": "delete"}}
        lines = [json.dumps(frame), json.dumps(frame), "{", "", json.dumps(deleted),
                 '{"did":"did:plc:b","time_us":7,"kind":"identity"}', '{"kind":"account"}']
        with open(path, "w", encoding="utf-8") as file:
            file.write("\n".join(lines) + "\n")
        for arguments in (["frames", path], ["--frames", path]):
            done = self.run_truth(*arguments)
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertEqual(json.loads(done.stdout), {
                "frames": 6, "malformed": 2, "kinds": {"commit": 3, "identity": 1},
                "collections": {truth.POST: 3},
                "operations": {f"create {truth.POST}": 2, f"delete {truth.POST}": 1},
                "posts": 1, "post_deletes": 1, "profiles": 0, "addresses": 0, "accounts": 2,
                "first_time_us": 5, "last_time_us": 9})

    def test_wrong_arguments(self):
        for arguments in ([], ["figures"], ["nonsense"]):
            self.assertEqual(self.run_truth(*arguments).returncode, 64)


class Pages(unittest.TestCase):
    def test_format(self):
        samples = truth.parse_page('# TYPE x counter\nx 1\ny{b="2",a="\\"q"} 1.5e3 1234\n\n')
        self.assertEqual(samples, {("x", ()): 1, ("y", (("a", '\\"q'), ("b", "2"))): 1500})
        with self.assertRaises(ValueError):
            truth.parse_page("x{ 1\n")

    def test_edges(self):
        self.assertEqual(truth.parse_edge("1330560002.000001"), 1330560002000001)
        self.assertEqual(truth.parse_edge("1330560002000001"), 1330560002000001)
        self.assertIsNone(truth.parse_edge(""))


if __name__ == "__main__":
    unittest.main()
