// Goal: each question has the answer that DEFINITIONS gives it, and a question that cannot be
// answered says what is allowed.
// Method: a small world whose figures are round numbers, asked without HTTP; fuzzed parameters.
#include "http/api/answers.h"

#include <random>

#include <gtest/gtest.h>
#include <simdjson.h>

#include "geotally/v1/api.pb.h"
#include "http/api/api.h"
#include "world.h"

namespace geotally::http {
namespace {

Reply ask_world(std::string_view question, const Parameters& parameters = {}) {
  return ask(world_sources(), question, parameters);
}

template <class Message>
const Message& answer_of(const Reply& reply) {
  EXPECT_EQ(reply.code, 200u) << reply.error;
  return dynamic_cast<const Message&>(*reply.message);
}

v1::Rankings rankings(const Parameters& parameters) {
  return answer_of<v1::Rankings>(ask_world("rankings", parameters));
}

/// "US:1 BR:2 …" of the first rows.
std::string order_of(const v1::Rankings& answer, int rows = 6) {
  std::string out;
  for (int i = 0; i < std::min(rows, answer.rows_size()); ++i) {
    out += answer.rows(i).country() + ":" + std::to_string(answer.rows(i).rank()) + " ";
  }
  return out;
}

TEST(Rankings, ByAccountsWithTiesSharesAndBasis) {
  const v1::Rankings answer = rankings({{"by", "accounts"}});
  EXPECT_EQ(order_of(answer), "US:1 BR:2 FR:3 GB:3 NL:5 LI:6 ");
  EXPECT_EQ(answer.rows_size(), 20);
  EXPECT_EQ(answer.ranked(), Country::count() - 1);
  EXPECT_EQ(answer.total(), 100'010);
  EXPECT_EQ(answer.unknown(), 5'000);
  EXPECT_DOUBLE_EQ(answer.rows(0).share(), 40'000 / 100'010.0);  // ZZ is part of the whole
  EXPECT_EQ(answer.rows(0).name(), "United States");
  EXPECT_EQ(answer.basis().commit(), 7u);
  EXPECT_EQ(answer.basis().committed_at(), "2012-07-01T12:00:00.250000Z");
  EXPECT_EQ(answer.basis().observed_since(), "2012-06-01T12:00:00.000000Z");
  EXPECT_EQ(answer.basis().unknown_accounts(), 5'000u);
  EXPECT_EQ(answer.coverage().covered_seconds(), 43'200);
  EXPECT_FALSE(answer.coverage().complete());
}

TEST(Rankings, ARegionHasItsOwnRanks) {
  const v1::Rankings answer = rankings({{"region", "150"}, {"limit", "4"}});
  EXPECT_EQ(order_of(answer), "FR:1 GB:1 NL:3 LI:4 ");
  EXPECT_EQ(answer.rows(2).world_rank(), 5u);
  EXPECT_EQ(answer.rows(2).region_rank(), 3u);
  EXPECT_EQ(answer.region().name(), "Europe");
  EXPECT_EQ(order_of(rankings({{"region", "419"}}), 1), "BR:1 ");
  EXPECT_EQ(order_of(rankings({{"region", "155"}}), 3), "FR:1 NL:2 LI:3 ");
}

TEST(Rankings, ActiveShareLeavesSmallCountriesOut) {
  const v1::Rankings answer = rankings({{"by", "active_share"}});
  EXPECT_EQ(order_of(answer), "NL:1 BR:2 FR:2 GB:2 US:2 ");
  EXPECT_EQ(answer.ranked(), 5u);
  EXPECT_EQ(answer.min_accounts(), 1'000u);
  EXPECT_FALSE(answer.has_total());
  EXPECT_FALSE(answer.rows(0).has_share());
  EXPECT_EQ(rankings({{"by", "active_share"}, {"min_accounts", "10"}}).ranked(), 6u);
  EXPECT_EQ(rankings({{"by", "active_share"}, {"min_accounts", "0"}}).ranked(), 6u);
}

std::string cities(const Parameters& parameters) {
  std::string order;
  const auto answer = answer_of<v1::Cities>(ask_world("cities", parameters));
  for (const v1::CitiesRow& row : answer.rows()) {
    order += std::to_string(row.rank()) + ":" + row.name() + "," + row.country() + " ";
  }
  return order;
}

TEST(Cities, AreRankedAndEqualOnesShareARank) {
  EXPECT_EQ(cities({}), "1:City 13,BR 2:City 11,FR 2:City 12,FR ");
  EXPECT_EQ(cities({{"by", "posts"}, {"limit", "2"}}), "1:City 14,FR 2:City 12,FR ");
  EXPECT_EQ(cities({{"country", "FR"}}), "1:City 11,FR 1:City 12,FR ");
  EXPECT_EQ(cities({{"by", "posts"}, {"min_accounts", "6"}}), "1:City 13,BR ");
  const auto answer = answer_of<v1::Cities>(ask_world("cities", {{"country", "FR"}}));
  EXPECT_EQ(answer.total(), 10u);
  EXPECT_DOUBLE_EQ(answer.rows(0).share(), 0.5);
  EXPECT_EQ(ask_world("cities", {{"by", "growth"}}).code, 400u);
  EXPECT_EQ(ask_world("cities", {{"country", "QQ"}}).code, 400u);
}

TEST(Rankings, ByEachFigure) {
  EXPECT_EQ(rankings({{"by", "posts"}}).rows(0).value(), 4'000);
  EXPECT_EQ(rankings({{"by", "posts"}, {"window", "30d"}}).rows(0).value(), 120'000);
  EXPECT_EQ(rankings({{"by", "active"}}).rows(0).value(), 4'000);
  EXPECT_EQ(rankings({{"by", "engaged"}}).rows(0).value(), 8'000);
  const v1::Rankings per_million = rankings({{"by", "posts_per_million"}});
  EXPECT_EQ(per_million.rows(0).country(), "NL");
  const double population = Country::parse("NL")->population();
  EXPECT_DOUBLE_EQ(per_million.rows(0).value(), 500e6 / population);
}

TEST(Rankings, AWindowIsCompleteWhenAllOfItUpToTheEdgeWasObserved) {
  auto snapshot = std::make_shared<tally::Snapshot>(*world());
  Sources sources = world_sources();
  sources.snapshot = [&] { return snapshot; };
  const auto coverage = [&] {
    return answer_of<v1::Rankings>(ask(sources, "rankings", {{"window", "24h"}})).coverage();
  };
  // The edge is the first moment of a new minute, of which nothing can have been observed.
  snapshot->window_coverage_us[0] = (86'400 - 60) * std::int64_t{1'000'000};
  EXPECT_TRUE(coverage().complete());
  EXPECT_EQ(coverage().window_seconds(), 86'400);
  EXPECT_EQ(coverage().covered_seconds(), 86'340);
  snapshot->window_coverage_us[0] -= 1;
  EXPECT_FALSE(coverage().complete());
}

TEST(Rankings, AtAPastDay) {
  const v1::Rankings start = rankings({{"at", "2012-06-01"}});
  EXPECT_EQ(order_of(start, 5), "US:1 FR:2 GB:2 BR:4 NL:5 ");
  EXPECT_EQ(start.at(), "2012-06-01");
  EXPECT_EQ(start.coverage().covered_seconds(), 43'200);  // the store began at noon
  const v1::Rankings end = rankings({{"at", "2012-06-30"}, {"by", "posts"}, {"window", "7d"}});
  double us = 0;
  for (std::uint64_t step = 23; step <= 29; ++step) {
    us += static_cast<double>((20'000 + 20'000 * step / 29) / 10);
  }
  EXPECT_EQ(end.rows(0).value(), us);
  EXPECT_EQ(end.coverage().covered_seconds(), 7 * 86'400 - 3'600);
  EXPECT_FALSE(end.coverage().complete());
}

TEST(Rankings, GrowthComparesTwoDailyRows) {
  const v1::Rankings answer =
      rankings({{"by", "growth"}, {"from", "2012-06-01"}, {"at", "2012-06-30"}});
  EXPECT_EQ(order_of(answer), "BR:1 FR:2 GB:2 NL:2 US:2 ");  // LI is too small
  EXPECT_DOUBLE_EQ(answer.rows(0).value(), 9);
  EXPECT_DOUBLE_EQ(answer.rows(1).value(), 1);
  EXPECT_EQ(answer.of(), "accounts");
  EXPECT_EQ(answer.coverage().window(), "29d");
  const v1::Rankings week = rankings({{"by", "growth"}, {"window", "7d"}, {"of", "posts"}});
  EXPECT_EQ(week.at(), "2012-06-30");  // the newest day that is over
  EXPECT_EQ(week.from(), "2012-06-23");
  EXPECT_EQ(week.rows(0).country(), "BR");
  // Reaches back before the store: not a number, but the reason.
  const Reply early = ask_world("rankings", {{"by", "growth"}, {"window", "90d"}});
  EXPECT_EQ(early.code, 400u);
  EXPECT_NE(early.error.find("no daily row for 2012-04-01"), std::string::npos) << early.error;
  EXPECT_NE(early.error.find("2012-06-01T12:00:00"), std::string::npos) << early.error;
}

TEST(CountryAnswer, HasEveryFigure) {
  const Reply reply = ask_world("countries/fr");
  const auto& answer = answer_of<v1::CountryFigures>(reply);
  EXPECT_EQ(answer.country().code(), "FR");
  EXPECT_EQ(answer.country().region().name_fr(), "Europe");
  EXPECT_EQ(answer.country().subregion().code(), "155");
  EXPECT_EQ(answer.accounts(), 10'000u);
  EXPECT_EQ(answer.bridged(), 200u);
  EXPECT_DOUBLE_EQ(answer.accounts_share(), 10'000 / 100'010.0);
  EXPECT_EQ(answer.accounts_rank().world(), 3u);
  EXPECT_EQ(answer.accounts_rank().region(), 1u);
  EXPECT_EQ(answer.engagement().engaged(), 2'000u);
  ASSERT_EQ(answer.windows_size(), 2);
  EXPECT_EQ(answer.windows(0).active_accounts(), 1'000u);
  EXPECT_DOUBLE_EQ(answer.windows(0).active_share(), 0.1);
  EXPECT_EQ(answer.windows(0).active_rank().world(), 4u);  // after US, BR and NL
  EXPECT_FALSE(answer.windows(0).complete());
  EXPECT_TRUE(answer.windows(1).complete());
  EXPECT_DOUBLE_EQ(answer.mean_confidence(), 0.8);
  EXPECT_EQ(answer.evidence_size(), static_cast<int>(kEvidenceKinds));
  EXPECT_EQ(answer.evidence(3).evidence(), "flag");
  EXPECT_DOUBLE_EQ(answer.evidence(3).share(), 0.25);
  ASSERT_EQ(answer.growth_size(), 3);
  EXPECT_NEAR(answer.growth(0).accounts(), 10'000.0 / (5'000 + 5'000 * 22 / 29) - 1, 1e-9);
  EXPECT_FALSE(answer.growth(2).has_accounts());  // 90 days ago there was no store
}

TEST(CountryAnswer, ZzHasFiguresAndNoRank) {
  const Reply reply = ask_world("countries/ZZ");
  const auto& answer = answer_of<v1::CountryFigures>(reply);
  EXPECT_EQ(answer.accounts(), 5'000u);
  EXPECT_FALSE(answer.accounts_rank().has_world());
  EXPECT_FALSE(answer.has_accounts_per_million());
}

TEST(CountriesAnswer, ListsThemAll) {
  const Reply reply = ask_world("countries");
  EXPECT_EQ(answer_of<v1::Countries>(reply).rows_size(), static_cast<int>(Country::count()));
}

TEST(History, IsTheDailyRows) {
  const Reply reply =
      ask_world("history", {{"country", "BR"}, {"from", "2012-05-20"}, {"to", "2012-07-20"}});
  const auto& answer = answer_of<v1::History>(reply);
  ASSERT_EQ(answer.rows_size(), 30);
  EXPECT_EQ(answer.rows(0).date(), "2012-06-01");
  EXPECT_EQ(answer.rows(0).accounts(), 3'000u);
  EXPECT_EQ(answer.rows(29).date(), "2012-06-30");
  EXPECT_EQ(answer.rows(29).accounts(), 30'000u);
  EXPECT_EQ(answer.rows(29).active_30d(), 15'000u);
  EXPECT_EQ(answer.rows(29).gap_seconds(), 3'600);
  EXPECT_DOUBLE_EQ(answer.rows(29).evidence(3).share(), 1);
}

TEST(History, OfTheWholeNetworkIsTheSum) {
  const Reply reply = ask_world("history", {{"from", "2012-06-30"}});
  const auto& answer = answer_of<v1::History>(reply);
  ASSERT_EQ(answer.rows_size(), 1);
  EXPECT_EQ(answer.rows(0).accounts(), 100'010u);
  EXPECT_EQ(answer.name(), "World");
}

TEST(History, ReadsAMonthAtATime) {
  Sources sources = world_sources();
  std::int32_t longest = 0;
  sources.daily_rows = [&](std::int32_t from, std::int32_t to) {
    longest = std::max(longest, to - from + 1);
    return std::vector<DailyRow>();
  };
  EXPECT_EQ(ask(sources, "history", {{"from", "2003-01-01"}, {"to", "2012-12-31"}}).code, 200u);
  EXPECT_EQ(longest, 32);
}

TEST(GapsAnswer, NewestFirst) {
  const Reply reply = ask_world("gaps");
  const auto& answer = answer_of<v1::Gaps>(reply);
  ASSERT_EQ(answer.rows_size(), 2);
  EXPECT_EQ(answer.rows(0).seconds(), 0.5);
  EXPECT_EQ(answer.rows(1).from(), "1970-01-01T00:00:01.000000Z");
  EXPECT_EQ(answer.basis().gap_seconds(), 43'200.5);
  EXPECT_EQ(answer_of<v1::Gaps>(ask_world("gaps", {{"limit", "1"}})).rows_size(), 1);
}

TEST(StatusAnswer, IsGivenBeforeTheStateIsLoadedToo) {
  Sources sources = world_sources();
  const Reply loaded = ask(sources, "status", {});
  EXPECT_EQ(answer_of<v1::StatusAnswer>(loaded).uptime_seconds(), 61);
  EXPECT_EQ(answer_of<v1::StatusAnswer>(loaded).feed().delay_seconds(), 2);
  EXPECT_EQ(answer_of<v1::StatusAnswer>(loaded).feed().host(), "feed.example:443");
  EXPECT_TRUE(answer_of<v1::StatusAnswer>(loaded).has_basis());
  sources.snapshot = [] { return nullptr; };
  const Reply waiting = ask(sources, "status", {});
  EXPECT_FALSE(answer_of<v1::StatusAnswer>(waiting).has_basis());
  for (const char* question : {"rankings", "countries", "countries/FR", "history", "gaps"}) {
    EXPECT_EQ(ask(sources, question, {}).code, 503u) << question;
  }
}

TEST(Answers, WithoutDailyRowsThePresentIsStillAnswered) {
  Sources sources = world_sources();
  sources.daily_rows = nullptr;
  sources.gaps = nullptr;
  EXPECT_EQ(ask(sources, "rankings", {}).code, 200u);
  EXPECT_EQ(ask(sources, "countries/FR", {}).code, 200u);
  EXPECT_EQ(ask(sources, "gaps", {}).code, 200u);
  EXPECT_EQ(ask(sources, "history", {}).code, 200u);
  EXPECT_EQ(ask(sources, "rankings", {{"by", "growth"}}).code, 400u);
  EXPECT_EQ(ask(sources, "rankings", {{"at", "2012-06-30"}}).code, 400u);
}

TEST(Answers, AMistakeIsAnsweredWithWhatIsAllowed) {
  struct Case {
    const char* question;
    Parameters parameters;
    const char* said;
  };
  const std::vector<Case> cases = {
      {"rankings", {{"by", "beauty"}}, "accounts, posts, active, active_share"},
      {"rankings", {{"windw", "24h"}}, "there are: by, of, window"},
      {"rankings", {{"window", "25h"}}, "there are: 24h, 30d"},
      {"rankings", {{"window", "6h"}, {"at", "2012-06-30"}}, "there are: 24h, 7d, 30d, 90d"},
      {"rankings", {{"window", "6h"}, {"by", "growth"}}, "there are: 24h, 7d, 30d, 90d"},
      {"rankings", {{"region", "999"}}, "150 Europe"},
      {"rankings", {{"limit", "0"}}, "from 1 to 256"},
      {"rankings", {{"limit", "-1"}}, "from 1 to 256"},
      {"rankings", {{"limit", "1e9"}}, "from 1 to 256"},
      {"rankings", {{"min_accounts", ""}}, "from 0 to"},
      {"rankings", {{"at", "yesterday"}}, "YYYY-MM-DD"},
      {"rankings", {{"at", "2012-02-30"}}, "YYYY-MM-DD"},
      {"rankings", {{"at", "2012-07-01"}}, "no daily row for 2012-07-01"},
      {"rankings", {{"from", "2012-06-01"}}, "by=growth only"},
      {"rankings", {{"by", "growth"}, {"from", "2012-06-30"}}, "from must be before at"},
      {"rankings", {{"by", "posts"}, {"by", "posts"}}, "given twice"},
      {"countries/XX", {}, "ISO 3166-1 alpha-2"},
      {"countries/", {}, " FR "},
      {"countries/FR", {{"window", "24h"}}, "there are: format"},
      {"history", {{"country", "France"}}, " FR "},
      {"history", {{"from", "2012-06-02"}, {"to", "2012-06-01"}}, "must not be after"},
      {"history", {{"from", "1970-01-01"}, {"to", "9999-12-31"}}, "3660 days"},
      {"gaps", {{"limit", "x"}}, "from 1 to 10000"},
      {"status", {{"verbose", ""}}, "unknown parameter"},
  };
  for (const auto& [question, parameters, said] : cases) {
    const Reply reply = ask_world(question, parameters);
    EXPECT_EQ(reply.code, 400u) << question << ' ' << said;
    EXPECT_NE(reply.error.find(said), std::string::npos) << reply.error;
  }
  EXPECT_EQ(ask_world("ranking").code, 404u);
  EXPECT_NE(ask_world("ranking").error.find("countries/CODE"), std::string::npos);
}

TEST(Answers, TheEnvelopeIsJsonWhateverIsAsked) {
  std::mt19937 random(2);
  const std::vector<std::string> names = {"by",    "of",           "window", "region",
                                          "limit", "min_accounts", "at",     "from",
                                          "to",    "country",      "format", "x"};
  const std::vector<std::string> values = {"accounts", "growth",       "active_share", "24h", "30d",
                                           "150",      "20",           "2012-06-30",   "FR",  "ZZ",
                                           "",         "\xff\x00\"\\", "9999-12-31"};
  const std::vector<std::string> questions = {"rankings", "countries", "countries/FR",   "history",
                                              "gaps",     "status",    "countries/\xff", ""};
  const Sources sources = world_sources();
  simdjson::dom::parser parser;
  for (int round = 0; round < 3'000; ++round) {
    Parameters parameters;
    for (std::size_t n = random() % 4; n > 0; --n) {
      parameters.emplace_back(names[random() % names.size()], values[random() % values.size()]);
    }
    const Reply reply = ask(sources, questions[random() % questions.size()], parameters);
    const std::string text = envelope(reply);
    const auto parsed = parser.parse(text);
    ASSERT_EQ(parsed.error(), simdjson::SUCCESS) << text;
    ASSERT_EQ(parsed["status"].get_string().value(), reply.code == 200 ? "success" : "error");
  }
}

}  // namespace
}  // namespace geotally::http
