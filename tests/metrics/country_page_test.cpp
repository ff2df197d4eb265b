// Goal: the country page shows a snapshot exactly, every country included, as Prometheus reads it.
// Method: a whole page byte by byte, Prometheus' linter, and the edges of the numbers.
#include "metrics/country_page.h"

#include <limits>

#include <gtest/gtest.h>

#include "country/country.h"
#include "golden.h"

namespace geotally::metrics {
namespace {

tally::Snapshot empty_snapshot() {
  tally::Snapshot snapshot;
  snapshot.windows = {{"1m", 60}, {"24h", 86'400}};
  snapshot.window_coverage_us = {0, 0};
  snapshot.countries.resize(Country::count());
  return snapshot;
}

tally::CountryFigures& of(tally::Snapshot& snapshot, const char* code) {
  return snapshot.countries.at(Country::parse(code)->index());
}

/// The line of `series`, its name and labels left out.
std::string value_of(const std::string& page, const std::string& series) {
  const std::size_t begin = page.find("\n" + series + " ");
  if (begin == std::string::npos) return "absent";
  const std::size_t value = begin + series.size() + 2;
  return page.substr(value, page.find('\n', value) - value);
}

tally::Snapshot small_world() {
  tally::Snapshot snapshot = empty_snapshot();
  snapshot.edge_us = 1'341'100'800'000'001;
  snapshot.window_coverage_us = {60'000'000, 3'600'500'000};
  snapshot.gaps = 2;
  snapshot.gap_us = 90'250'000;
  of(snapshot, "FR") = {.posts = 1'000,
                        .posts_deleted = 10,
                        .accounts = 100,
                        .engagement = {10, 20, 30, 40},
                        .bridged = 3,
                        .window_posts = {5, 700},
                        .window_active = {4, 60}};
  of(snapshot, "BR") = {.posts = 2'000, .accounts = 150, .engagement = {150, 0, 0, 0}};
  snapshot.countries[0] = {.posts = 7, .accounts = 9, .engagement = {9, 0, 0, 0}};
  return snapshot;
}

TEST(CountryPage, IsTheGoldenPageByteByByte) {
  expect_golden("country_page.prom", country_page(small_world()));
}

TEST(CountryPage, PassesTheLinterInSilence) {
  expect_lint_silent(country_page(small_world()));
  expect_lint_silent(country_page(empty_snapshot()));
}

TEST(CountryPage, EveryCountryIsThereFromTheStartAsZero) {
  const std::string page = country_page(empty_snapshot());
  for (std::size_t i = 0; i < Country::count(); ++i) {
    const std::string country = "{country=\"" + std::string(Country::from_index(i).code()) + "\"";
    EXPECT_EQ(value_of(page, "geotally_posts_total" + country + "}"), "0");
    EXPECT_EQ(value_of(page, "geotally_posts_deleted_total" + country + "}"), "0");
    EXPECT_EQ(value_of(page, "geotally_accounts" + country + "}"), "0");
    EXPECT_EQ(value_of(page, "geotally_window_posts" + country + ",window=\"24h\"}"), "0");
    EXPECT_EQ(value_of(page, "geotally_window_active_accounts" + country + ",window=\"1m\"}"), "0");
    EXPECT_EQ(
        value_of(page, "geotally_accounts_by_engagement" + country + ",engagement=\"engaged\"}"),
        "0");
  }
  EXPECT_EQ(value_of(page, "geotally_feed_gaps_total"), "0");
  EXPECT_EQ(value_of(page, "geotally_window_edge_timestamp_seconds"), "0");
}

TEST(CountryPage, NumbersAreExactToTheMicrosecondAndToTheUnit) {
  tally::Snapshot snapshot = empty_snapshot();
  of(snapshot, "FR").posts = std::numeric_limits<std::uint64_t>::max();
  for (const auto& [time_us, text] : std::initializer_list<std::pair<std::int64_t, const char*>>{
           {1, "0.000001"},
           {1'000'000, "1"},
           {1'100'000, "1.1"},
           {1'341'100'800'123'450, "1341100800.12345"},
           {1'341'100'800'000'001, "1341100800.000001"},
           {std::numeric_limits<std::int64_t>::max(), "9223372036854.775807"}}) {
    snapshot.edge_us = time_us;
    const std::string page = country_page(snapshot);
    EXPECT_EQ(value_of(page, "geotally_window_edge_timestamp_seconds"), text);
    EXPECT_EQ(value_of(page, "geotally_posts_total{country=\"FR\"}"), "18446744073709551615");
  }
}

// "restore and rebuild store a base: the exposed counters start again from 0, a true reset that
// Prometheus understands"
TEST(CountryPage, EveryCounterStartsAgainFromItsBase) {
  tally::Snapshot snapshot = small_world();
  snapshot.gaps = 7;
  snapshot.gaps_base = 5;
  snapshot.gap_us_base = 90'000'000;
  of(snapshot, "FR").posts_base = 990;
  of(snapshot, "FR").posts_deleted_base = 10;
  const std::string page = country_page(snapshot);
  EXPECT_EQ(value_of(page, "geotally_feed_gaps_total"), "2");
  EXPECT_EQ(value_of(page, "geotally_feed_gap_seconds_total"), "0.25");
  EXPECT_EQ(value_of(page, "geotally_posts_total{country=\"FR\"}"), "10");
  EXPECT_EQ(value_of(page, "geotally_posts_deleted_total{country=\"FR\"}"), "0");
}

TEST(CountryPage, HoldsSixteenWindows) {
  tally::Snapshot snapshot = empty_snapshot();
  snapshot.windows.clear();
  for (int i = 1; i <= 16; ++i) snapshot.windows.push_back({std::to_string(i) + "h", i * 3'600});
  snapshot.window_coverage_us.assign(16, 1);
  of(snapshot, "FR").window_active[15] = 3;
  EXPECT_EQ(value_of(country_page(snapshot),
                     "geotally_window_active_accounts{country=\"FR\",window=\"16h\"}"),
            "3");
}

}  // namespace
}  // namespace geotally::metrics
