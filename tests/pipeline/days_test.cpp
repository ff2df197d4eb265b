// Goal: the row of a UTC day says what was true at its midnight: everything before, nothing after.
// Method: feeds at random that cross midnights, against the model's figures at that moment.
#include <gtest/gtest.h>

#include "geo/resolver.h"
#include "model.h"
#include "rig.h"
#include "support/temp_dir.h"

namespace geotally::pipeline {
namespace {

using support::kDay_us;
using support::kSecond_us;
using support::Line;
using support::TempDir;

constexpr std::int64_t kDay = 19'700;  // days since the epoch
constexpr std::int64_t kMidnight_us = kDay * kDay_us;
constexpr std::int64_t kMinute_us = 60 * kSecond_us;

RigOptions options_in(const TempDir& directory) {
  RigOptions options;
  options.directory = directory.path();
  options.shards = 3;
  return options;
}

Line post(const std::string& did, std::int64_t time_us) {
  Line line;
  line.did = did;
  line.time_us = time_us;
  line.rkey = std::to_string(time_us);
  return line;
}

// The closing figures that the model has now, for the end of `day`.
std::map<std::string, Expected> closing_of(const Model& model, std::int64_t day) {
  std::vector<tally::Window> windows;
  for (const std::int64_t seconds : tally::kDayRowWindows) windows.push_back({"", seconds});
  return model.figures(windows, (day + 1) * kDay_us - 1);
}

void expect_row(const store::Store::StoredDay& row, std::map<std::string, Expected> closing) {
  ASSERT_EQ(row.closing.size(), Country::count());
  for (std::size_t i = 0; i < Country::count(); ++i) {
    const std::string code(Country::from_index(i).code());
    Expected& want = closing[code];
    want.window_active.resize(tally::kDayRowWindows.size());
    EXPECT_EQ(row.closing[i].accounts, want.accounts) << code << row.day;
    EXPECT_EQ(row.closing[i].engagement, want.engagement) << code << row.day;
    for (std::size_t w = 0; w < tally::kDayRowWindows.size(); ++w) {
      EXPECT_EQ(row.closing[i].active[w], want.window_active[w]) << code << row.day << " " << w;
    }
  }
}

void expect_counted(const store::Store::StoredDay& row, const Model& model) {
  auto counted = model.day(row.day);
  for (std::size_t i = 0; i < Country::count(); ++i) {
    const std::string code(Country::from_index(i).code());
    EXPECT_EQ(row.counted.posts[i], counted[code].posts) << code << row.day;
    EXPECT_EQ(row.counted.accounts[i], counted[code].fresh) << code << row.day;
    EXPECT_EQ(row.counted.deleted[i], counted[code].deleted) << code << row.day;
  }
}

TEST(Days, AreClosedBeforeTheFirstEventOfTheNext) {
  // Many events a day; a few a day; and days without one in between.
  for (const std::int64_t step_us : {200 * kSecond_us, 10'000 * kSecond_us, 3 * kDay_us}) {
    const TempDir directory;
    FeedShape shape;
    shape.start_us = kMidnight_us;
    shape.step_us = step_us;
    shape.events = step_us > kDay_us ? 60 : 3'000;
    shape.accounts = 100;
    std::vector<Line> lines = make_feed(shape);
    // In the order of time: what comes late counts, but not in the row that is closed by then.
    std::stable_sort(lines.begin(), lines.end(),
                     [](const Line& a, const Line& b) { return a.time_us < b.time_us; });
    Model model;
    std::map<std::int64_t, std::map<std::string, Expected>> closings;
    std::int64_t today = lines.front().time_us / kDay_us;
    for (const Line& line : lines) {
      for (; today < line.time_us / kDay_us; ++today) closings[today] = closing_of(model, today);
      model.apply(line);
    }
    Rig rig(options_in(directory));
    rig.feed(lines);
    rig.settle();
    const std::vector<store::Store::StoredDay> rows = rig.store().days(0, INT64_MAX);
    ASSERT_EQ(rows.size(), closings.size());
    auto closing = closings.begin();
    for (const store::Store::StoredDay& row : rows) {
      EXPECT_EQ(row.day, closing->first);
      EXPECT_EQ(row.head.gap_us, 0);
      expect_row(row, closing->second);
      expect_counted(row, model);
      ++closing;
    }
    EXPECT_EQ(rig.store().last_commit().next_day_to_close, today);
    expect_figures(*rig.snapshot(), model);
  }
}

TEST(Days, LateEventsCountOnTheirDayButNotInItsClosing) {
  const TempDir directory;
  Rig rig(options_in(directory));
  rig.feed(post("did:plc:a", kMidnight_us + 100 * kSecond_us));
  rig.feed(post("did:plc:a", kMidnight_us + kDay_us + kSecond_us));  // closes the day
  rig.feed(post("did:plc:b", kMidnight_us + kDay_us - kSecond_us));  // comes late
  rig.settle();
  const auto rows = rig.store().days(0, INT64_MAX);
  ASSERT_EQ(rows.size(), 1U);
  EXPECT_EQ(rows[0].day, kDay);
  EXPECT_EQ(rows[0].closing[0].accounts, 1U);
  EXPECT_EQ(rows[0].closing[0].active[0], 1U);
  EXPECT_EQ(rows[0].counted.posts[0], 2U);
  EXPECT_EQ(rows[0].counted.accounts[0], 2U);
}

TEST(Days, OfALongPauseAreAllClosed) {
  const TempDir directory;
  Rig rig(options_in(directory));
  rig.feed(post("did:plc:a", kMidnight_us));
  // More than one mark takes; by steps of 29 days, which is believed.
  constexpr std::int64_t kDays = 29 * 10;
  for (std::int64_t day = 29; day <= kDays; day += 29) {
    rig.feed(post("did:plc:b", kMidnight_us + day * kDay_us));
  }
  rig.settle();
  const auto rows = rig.store().days(0, INT64_MAX);
  ASSERT_EQ(rows.size(), static_cast<std::size_t>(kDays));
  for (std::size_t i = 0; i < rows.size(); ++i) {
    EXPECT_EQ(rows[i].day, kDay + static_cast<std::int64_t>(i));
    EXPECT_EQ(rows[i].closing[0].accounts, i < 29 ? 1U : 2U);
  }
}

TEST(Days, OfMoreThanAMarkHoldsAreClosedOneAfterAnother) {
  const TempDir directory;
  Rig rig(options_in(directory));
  rig.feed(post("did:plc:a", kMidnight_us));
  rig.settle();
  // The start of the next archive, years later: confirmed by a second account.
  const std::int64_t later = kMidnight_us + 1'000 * kDay_us;
  rig.feed(post("did:plc:b", later));
  rig.feed(post("did:plc:c", later));
  EXPECT_EQ(rig.reopened, 1U);
  rig.reconnect();
  rig.feed(post("did:plc:b", later));
  rig.feed(post("did:plc:c", later));
  rig.settle();
  const auto rows = rig.store().days(0, INT64_MAX);
  ASSERT_EQ(rows.size(), 1'000U);
  EXPECT_EQ(rows.front().closing[0].active[0], 1U);
  EXPECT_EQ(rows.back().closing[0].active[0], 0U);
  EXPECT_EQ(rows.back().closing[0].accounts, 1U);
}

TEST(Days, OfASilentFeedAreClosedByTheClockAMinuteLater) {
  const TempDir directory;
  RigOptions options = options_in(directory);
  options.clock = ClockMode::kWall;
  options.wall_us = kMidnight_us + kDay_us - 10 * kMinute_us;
  Rig rig(options);
  const auto closed = [&] {
    rig.settle();
    return rig.store().days(0, INT64_MAX).size();
  };
  rig.feed(post("did:plc:a", rig.wall_us));
  rig.pass(10 * kMinute_us);
  EXPECT_EQ(closed(), 0U);
  rig.pass(kMinute_us - 1);
  EXPECT_EQ(closed(), 0U);
  rig.pass(2);
  EXPECT_EQ(closed(), 1U);
  rig.feed(post("did:plc:b", kMidnight_us + kDay_us - 1));  // an hour late: counts, closes nothing
  EXPECT_EQ(closed(), 1U);
  rig.pass(kDay_us);
  EXPECT_EQ(closed(), 2U);
  const auto rows = rig.store().days(0, INT64_MAX);
  EXPECT_EQ(rows[0].closing[0].accounts, 1U);
  EXPECT_EQ(rows[0].closing[0].active[0], 1U);
  EXPECT_EQ(rows[0].counted.posts[0], 2U);
  EXPECT_EQ(rows[1].closing[0].accounts, 2U);
  EXPECT_EQ(rows[1].closing[0].active[0], 0U);  // nobody posted on the second day
}

TEST(Days, AreNotClosedByTheClockWhileDisconnectedOrBehind) {
  const TempDir directory;
  RigOptions options = options_in(directory);
  options.clock = ClockMode::kWall;
  options.wall_us = kMidnight_us + 12 * 60 * kMinute_us;
  Rig rig(options);
  rig.feed(post("did:plc:a", rig.wall_us));
  rig.position().disconnected("server_closed");
  rig.ingest().connected(false);
  rig.pass(2 * kDay_us);
  rig.settle();
  EXPECT_EQ(rig.store().days(0, INT64_MAX).size(), 0U);
  rig.reconnect();  // and now catching up: the day's events may still come
  rig.pass(10 * kMinute_us);
  rig.settle();
  EXPECT_EQ(rig.store().days(0, INT64_MAX).size(), 0U);
  rig.feed(post("did:plc:b", kMidnight_us + 13 * 60 * kMinute_us));
  rig.feed(post("did:plc:c", kMidnight_us + kDay_us + kMinute_us));
  rig.settle();
  const auto rows = rig.store().days(0, INT64_MAX);
  ASSERT_EQ(rows.size(), 1U);
  EXPECT_EQ(rows[0].closing[0].accounts, 2U);
}

TEST(Days, KnowWhatWasMissedOfThem) {
  const TempDir directory;
  Rig rig(options_in(directory));
  const std::int64_t last = kMidnight_us + kDay_us / 2;
  rig.feed(post("did:plc:a", last));
  rig.settle();
  // Three days later the server has nothing of the time between: no event that we know comes again.
  rig.reconnect();
  const std::int64_t next = kMidnight_us + 3 * kDay_us + kDay_us / 4;
  for (int i = 0; i < 200; ++i) rig.feed(post("did:plc:b", next + i * kSecond_us));
  rig.settle();
  EXPECT_EQ(rig.snapshot()->gaps, 1U);
  EXPECT_EQ(rig.snapshot()->gap_us, next - last);
  auto rows = rig.store().days(0, INT64_MAX);
  ASSERT_EQ(rows.size(), 3U);
  EXPECT_NEAR(static_cast<double>(rows[0].head.gap_us), static_cast<double>(kDay_us / 2), 1e6);
  EXPECT_NEAR(static_cast<double>(rows[1].head.gap_us), static_cast<double>(kDay_us), 1e6);
  EXPECT_NEAR(static_cast<double>(rows[2].head.gap_us), static_cast<double>(kDay_us), 1e6);
  EXPECT_EQ(rows[2].closing[0].accounts, 1U);  // what the rows said at midnight stays
  EXPECT_EQ(rows[0].head.method, geo::kMethod);
  // The day that the gap ends in learns its part when it is closed.
  rig.feed(post("did:plc:b", kMidnight_us + 4 * kDay_us));
  rig.settle();
  rows = rig.store().days(0, INT64_MAX);
  ASSERT_EQ(rows.size(), 4U);
  EXPECT_NEAR(static_cast<double>(rows[3].head.gap_us), static_cast<double>(kDay_us / 4), 1e6);
}

}  // namespace
}  // namespace geotally::pipeline
