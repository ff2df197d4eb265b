// Goal: windows, tiers and expiry are those of the definitions, to the second.
#include "tally/windows.h"

#include <gtest/gtest.h>

#include "support.h"
#include "tally/coverage.h"

namespace geotally::tally {
namespace {

// Tiers: buckets of 1 s for windows up to 15 min, of 60 s up to 24 h, of 3,600 s up to 90 d.
TEST(Windows, TiersByLength) {
  EXPECT_EQ(tier_of(1), RowKind::kSecond);
  EXPECT_EQ(tier_of(900), RowKind::kSecond);
  EXPECT_EQ(tier_of(901), std::nullopt) << "not whole minutes";
  EXPECT_EQ(tier_of(960), RowKind::kMinute);
  EXPECT_EQ(tier_of(kDaySeconds), RowKind::kMinute);
  EXPECT_EQ(tier_of(kDaySeconds + 60), std::nullopt) << "not whole hours";
  EXPECT_EQ(tier_of(kDaySeconds + 3'600), RowKind::kHour);
  EXPECT_EQ(tier_of(90 * kDaySeconds), RowKind::kHour);
  EXPECT_EQ(tier_of(90 * kDaySeconds + 3'600), std::nullopt);
  EXPECT_EQ(tier_of(0), std::nullopt);
  EXPECT_EQ(tier_of(-60), std::nullopt);
}

TEST(Windows, NamesAreRead) {
  EXPECT_EQ(parse_window("30s"), (Window{"30s", 30}));
  EXPECT_EQ(parse_window("15m"), (Window{"15m", 900}));
  EXPECT_EQ(parse_window("24h"), (Window{"24h", 86'400}));
  EXPECT_EQ(parse_window("90d"), (Window{"90d", 90 * 86'400}));
  for (const char* wrong : {"", "m", "15", "15x", "-5m", "0m", "91d", "1.5h", "25m ", " 5m", "5mm",
                            "16m1", "1441m", "9223372036854775807d", "99999999999999999999d"}) {
    EXPECT_EQ(parse_window(wrong), std::nullopt) << wrong;
  }
  EXPECT_EQ(default_windows().size(), 9U);
}

// A time t is in window W at E iff floor(t/b) > floor(E/b) - W/b.
TEST(Windows, HoldTheCurrentBucketAndThoseBefore) {
  for (const char* name : {"1s", "1m", "15m", "16m", "24h", "25h", "90d"}) {
    const Window window = *parse_window(name);
    const std::int64_t b = bucket_seconds(*tier_of(window.seconds));
    for (const std::int64_t edge_s : {kNoon_s, kNoon_s + 59, kNoon_s + 60, kNoon_s + 3'599}) {
      const std::int64_t first_s = (edge_s / b - window.seconds / b + 1) * b;
      for (const std::int64_t time_s : {first_s - 1, first_s, edge_s - 1, edge_s}) {
        OneAccount account;
        account.post(time_s);
        account.figures(edge_s);
        const bool in = time_s / b > edge_s / b - window.seconds / b;
        const CountryFigures now = account.totals.figures(std::span(&window, 1), edge_s)[0];
        EXPECT_EQ(now.window_active[0], in ? 1U : 0U) << name << " " << time_s - edge_s;
        EXPECT_EQ(now.window_posts[0], in ? 1U : 0U) << name << " " << time_s - edge_s;
      }
    }
  }
}

// Expiry follows the watermark with an hour of slack.
TEST(Windows, BucketsOutliveTheirLastWindowByAnHour) {
  for (const RowKind tier : kTiers) {
    const std::int64_t kept = first_kept(tier, kNoon_s);
    const std::int64_t b = bucket_seconds(tier);
    EXPECT_EQ(kept, (kNoon_s - reach_seconds(tier) - 3'600) / b);
    EXPECT_LE(kept, first_in_window(tier, reach_seconds(tier), kNoon_s));
  }
  EXPECT_EQ(first_kept(RowKind::kSecond, 0), 0);
  // An event that is not too old finds its hour and its day.
  EXPECT_GE(bucket_of(RowKind::kHour, kNoon_s - kTooOldSeconds),
            first_kept(RowKind::kHour, kNoon_s));
  EXPECT_GE(bucket_of(RowKind::kDay, kNoon_s - kTooOldSeconds), first_kept(RowKind::kDay, kNoon_s));
}

// A change to an expired bucket is skipped; it still counts in those that are kept.
TEST(Windows, ALatePostCountsWhereItsBucketIsKept) {
  Changes changes;
  changes.set_watermark(kNoon_s);
  const std::int64_t late_s = kNoon_s - 2 * 3'600;
  EXPECT_EQ(changes.cell(RowKind::kSecond, late_s, {}), nullptr);
  EXPECT_NE(changes.cell(RowKind::kMinute, late_s / 60, {}), nullptr);
  EXPECT_NE(changes.cell(RowKind::kHour, late_s / 3'600, {}), nullptr);
  EXPECT_EQ(changes.cell(RowKind::kLapse, kDay, {}), nullptr) << "it has lapsed today";
  EXPECT_NE(changes.cell(RowKind::kLapse, kDay + 1, {}), nullptr);
}

// --- coverage: W ∩ [observed_since, ingested until] minus gaps -------------------------------

constexpr std::int64_t us(std::int64_t seconds) { return seconds * kMicrosPerSecond; }

TEST(Coverage, OfAWindowThatWasWhollyObserved) {
  const Observed observed{0, us(kNoon_s)};
  EXPECT_EQ(coverage_us(60, us(kNoon_s), observed, {}), us(59)) << "the current second is new";
  EXPECT_EQ(coverage_us(60, us(kNoon_s) + 999'999, observed, {}), us(59))
      << "nothing was ingested of the current second";
  const Observed all{0, INT64_MAX};
  EXPECT_EQ(coverage_us(kDaySeconds, us(kNoon_s + 59), all, {}), us(kDaySeconds - 1));
}

TEST(Coverage, BeginsWithTheStoreAndEndsWithTheFeed) {
  EXPECT_EQ(coverage_us(900, us(kNoon_s), {us(kNoon_s - 100), us(kNoon_s)}, {}), us(100));
  EXPECT_EQ(coverage_us(900, us(kNoon_s), {us(kNoon_s - 100), us(kNoon_s - 40)}, {}), us(60));
  EXPECT_EQ(coverage_us(900, us(kNoon_s), {us(kNoon_s - 100), us(kNoon_s - 200)}, {}), 0);
  EXPECT_EQ(coverage_us(900, us(kNoon_s), {us(kNoon_s + 5), us(kNoon_s + 9)}, {}), 0);
  EXPECT_EQ(coverage_us(900, us(kNoon_s), {0, us(kNoon_s - 2'000)}, {}), 0);
}

TEST(Coverage, LacksItsGapsOnce) {
  const Observed observed{us(kNoon_s - 500), us(kNoon_s)};
  const auto covered = [&](std::vector<Gap> gaps) {
    return coverage_us(900, us(kNoon_s), observed, gaps) / kMicrosPerSecond;
  };
  const auto gap = [](std::int64_t from_s, std::int64_t to_s) {
    return Gap{us(kNoon_s - from_s), us(kNoon_s - to_s), "test"};
  };
  EXPECT_EQ(covered({gap(100, 90)}), 490);
  EXPECT_EQ(covered({gap(50, 30), gap(100, 90)}), 470) << "any order";
  EXPECT_EQ(covered({gap(100, 50), gap(90, 60), gap(70, 40)}), 440) << "overlapping";
  EXPECT_EQ(covered({gap(600, 490)}), 490) << "it began before";
  EXPECT_EQ(covered({gap(10, -10)}), 490) << "it goes on";
  EXPECT_EQ(covered({gap(2'000, 1'000)}), 500) << "elsewhere";
  EXPECT_EQ(covered({gap(1'000, -1'000)}), 0);
}

}  // namespace
}  // namespace geotally::tally
