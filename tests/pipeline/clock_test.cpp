// Goal: DEFINITIONS, "Time", of the whole pipeline: the edge, the marks, what is ahead of its time.
#include <gtest/gtest.h>

#include "model.h"
#include "rig.h"
#include "support/temp_dir.h"

namespace geotally::pipeline {
namespace {

using support::kDay_us;
using support::kSecond_us;
using support::Line;
using support::TempDir;

constexpr std::int64_t kMinute_us = 60 * kSecond_us;
constexpr std::int64_t kHour_us = 60 * kMinute_us;
constexpr std::int64_t kNow_us = 1'700'000'000'000'000;

RigOptions options_in(const TempDir& directory, ClockMode clock) {
  RigOptions options;
  options.directory = directory.path();
  options.clock = clock;
  options.wall_us = kNow_us;
  return options;
}

Line post(const std::string& did, std::int64_t time_us) {
  Line line;
  line.did = did;
  line.time_us = time_us;
  line.rkey = std::to_string(time_us);
  return line;
}

std::uint64_t active(const tally::Snapshot& snapshot, std::string_view window) {
  std::uint64_t sum = 0;
  for (std::size_t w = 0; w < snapshot.windows.size(); ++w) {
    if (snapshot.windows[w].name != window) continue;
    for (const tally::CountryFigures& figures : snapshot.countries) {
      sum += figures.window_active[w];
    }
  }
  return sum;
}

std::uint64_t posts(const tally::Snapshot& snapshot) {
  std::uint64_t sum = 0;
  for (const tally::CountryFigures& figures : snapshot.countries) sum += figures.posts;
  return sum;
}

// "so a silent feed still ages; ... A mark is committed every second, also when nothing came"
TEST(WallClock, EdgeMovesWithoutEvents) {
  const TempDir directory;
  RigOptions options = options_in(directory, ClockMode::kWall);
  options.commit_interval_us = kSecond_us;
  Rig rig(options);
  rig.feed(post("did:plc:a", kNow_us));
  rig.drained();
  EXPECT_EQ(rig.committed(), 0U);  // no mark before its time
  std::uint64_t expected = 0;
  for (int second = 1; second <= 65; ++second) {
    rig.wall_us = kNow_us + second * kSecond_us - 1;
    rig.tick();
    rig.wall_us = kNow_us + second * kSecond_us;
    rig.tick();
    rig.await_commit(++expected);
    const auto snapshot = rig.snapshot();
    EXPECT_EQ(snapshot->commit, expected);
    EXPECT_EQ(snapshot->edge_us, kNow_us + second * kSecond_us);
    EXPECT_EQ(snapshot->watermark_us, kNow_us);
    EXPECT_EQ(active(*snapshot, "1m"), second < 60 ? 1U : 0U) << second;
    EXPECT_EQ(active(*snapshot, "15m"), 1U);
  }
}

TEST(FeedClock, EdgeIsTheWatermark) {
  const TempDir directory;
  Rig rig(options_in(directory, ClockMode::kFeed));
  rig.feed(post("did:plc:a", kNow_us - kDay_us));
  rig.settle();
  rig.wall_us += kDay_us;
  const std::uint64_t before = rig.snapshot()->commit;
  rig.settle();
  EXPECT_GT(rig.snapshot()->commit, before);  // marks come all the same
  EXPECT_EQ(rig.snapshot()->edge_us, kNow_us - kDay_us);
  EXPECT_EQ(active(*rig.snapshot(), "1m"), 1U);
  rig.feed(post("did:plc:b", kNow_us - kDay_us + kMinute_us));
  rig.settle();
  EXPECT_EQ(rig.snapshot()->edge_us, kNow_us - kDay_us + kMinute_us);
  EXPECT_EQ(active(*rig.snapshot(), "1m"), 1U);
  EXPECT_EQ(active(*rig.snapshot(), "5m"), 2U);
}

TEST(WallClock, SetBackMovesNothingBack) {
  const TempDir directory;
  Rig rig(options_in(directory, ClockMode::kWall));
  rig.feed(post("did:plc:a", kNow_us));
  rig.settle();
  rig.wall_us = kNow_us - kDay_us;
  rig.settle();  // marks go on
  EXPECT_EQ(rig.snapshot()->edge_us, kNow_us);
  rig.feed(post("did:plc:b", kNow_us + kSecond_us));
  rig.settle();
  EXPECT_EQ(posts(*rig.snapshot()), 2U);
  EXPECT_EQ(rig.snapshot()->edge_us, kNow_us + kSecond_us);
}

class EitherClock : public testing::TestWithParam<ClockMode> {};
INSTANTIATE_TEST_SUITE_P(Clocks, EitherClock, testing::Values(ClockMode::kWall, ClockMode::kFeed));

// "Such an event is not counted yet and moves nothing, the cursor neither: when a second account's
// event confirms that the time is real ... the connection reopens from the cursor and all of it
// counts"
TEST_P(EitherClock, AConfirmedTimeIsReadAgainFromTheCursor) {
  const TempDir directory;
  Rig rig(options_in(directory, GetParam()));
  std::vector<Line> lines;
  for (int i = 0; i < 100; ++i) {
    lines.push_back(post("did:plc:" + std::to_string(i % 7), kNow_us + i * kSecond_us));
  }
  rig.feed(lines);
  rig.settle();
  const auto before = rig.snapshot();
  const std::string cursor = rig.position().serialize();

  const std::int64_t later = kNow_us + 60 * kDay_us;
  for (int i = 0; i < 100; ++i) {
    // At first one account alone, then others.
    lines.push_back(post("did:plc:" + std::to_string(i < 20 ? 1 : i % 7), later + i * kSecond_us));
  }
  rig.feed(std::span(lines).subspan(100, 20));
  rig.settle();
  EXPECT_EQ(rig.reopened, 0U);
  EXPECT_EQ(posts(*rig.snapshot()), 100U);
  EXPECT_EQ(rig.snapshot()->watermark_us, before->watermark_us);
  EXPECT_EQ(rig.position().serialize(), cursor);

  rig.feed(std::span(lines).subspan(120));  // what was already on the socket comes to nothing
  rig.settle();
  EXPECT_EQ(rig.reopened, 1U);
  EXPECT_EQ(posts(*rig.snapshot()), 100U);
  EXPECT_EQ(rig.position().serialize(), cursor);

  rig.reconnect();
  const std::size_t again = rig.resume_at(lines);
  EXPECT_LE(again, 100U);
  rig.feed(std::span(lines).subspan(again));
  rig.settle();
  EXPECT_EQ(rig.reopened, 1U);
  EXPECT_EQ(posts(*rig.snapshot()), 200U);
  EXPECT_EQ(rig.dropped("future"), 0);
  EXPECT_EQ(rig.snapshot()->watermark_us, lines.back().time_us);
  EXPECT_EQ(rig.snapshot()->gaps, 0U);
}

// "One hostile time must not expire everything"
TEST_P(EitherClock, AHostileTimeExpiresNothing) {
  const TempDir directory;
  Rig rig(options_in(directory, GetParam()));
  Model model;
  FeedShape shape;
  shape.start_us = kNow_us - 5'000 * kSecond_us;
  const std::vector<Line> lines = make_feed(shape);
  rig.wall_us = lines.back().time_us;
  std::size_t hostile = 0;
  for (std::size_t i = 0; i < lines.size(); ++i) {
    if (i % 50 == 49) {
      rig.feed(post("did:plc:evil", 4'000'000'000'000'000 + static_cast<std::int64_t>(i)));
      rig.feed(post("did:plc:evil", 200'000'000'000'000'000));
      hostile += 2;
    }
    rig.feed(lines[i]);
    model.apply(lines[i]);
  }
  rig.settle();
  expect_figures(*rig.snapshot(), model);
  EXPECT_EQ(rig.snapshot()->watermark_us, model.watermark_us());
  EXPECT_EQ(rig.store().days(0, INT64_MAX).size(), 0U);
  rig.stop();
  EXPECT_EQ(rig.dropped("future"), static_cast<double>(hostile));
  EXPECT_EQ(rig.reopened, 0U);
}

// "a wrong clock must not lose an hour"
TEST(WallClock, ASlowClockLosesNothing) {
  const TempDir directory;
  RigOptions options = options_in(directory, ClockMode::kWall);
  options.wall_us = kNow_us;
  Rig rig(options);
  Model model;
  FeedShape shape;
  shape.start_us = kNow_us + 2 * kHour_us;
  const std::vector<Line> lines = make_feed(shape);
  model.apply(lines);
  std::size_t at = 0;
  while (at < lines.size()) {
    rig.feed(lines[at++]);
    if (rig.reopened != 0) {
      rig.reopened = 0;
      rig.reconnect();
      at = rig.resume_at(lines);
    }
    if (at % 300 == 0) {
      rig.wall_us += 300 * kSecond_us;  // it goes on, two hours behind
      rig.drained();
    }
  }
  rig.settle();
  expect_figures(*rig.snapshot(), model);
  EXPECT_EQ(rig.dropped("future"), 0);
}

// "Expiry ... follows the watermark, never the wall clock: the wall clock moves the view, not the
// state."
TEST(WallClock, AFastClockMovesTheViewOnly) {
  const TempDir directory;
  Rig rig(options_in(directory, ClockMode::kWall));
  Model model;
  FeedShape shape;
  shape.start_us = kNow_us;
  const std::vector<Line> lines = make_feed(shape);
  rig.wall_us = lines.front().time_us;
  for (std::size_t i = 0; i < lines.size(); ++i) {
    if (i % 500 == 0) rig.wall_us = lines[i].time_us + (i / 500 % 2 == 0 ? 400 * kDay_us : 0);
    rig.feed(lines[i]);
    if (i % 10 == 0) rig.drained();
    model.apply(lines[i]);
  }
  rig.settle();
  rig.wall_us = lines.back().time_us;
  rig.settle();
  EXPECT_EQ(rig.snapshot()->edge_us, lines.back().time_us);
  expect_figures(*rig.snapshot(), model);
  EXPECT_EQ(rig.store().days(0, INT64_MAX).size(), 0U);  // no day has ended
}

TEST(WallClock, ObservedSinceIsTheFirstEvent) {
  const TempDir directory;
  {
    Rig rig(options_in(directory, ClockMode::kWall));
    rig.settle();
    EXPECT_EQ(rig.snapshot()->observed_since_us, 0);
    rig.feed(post("did:plc:a", kNow_us - kHour_us));
    rig.settle();
    EXPECT_EQ(rig.snapshot()->observed_since_us, kNow_us - kHour_us);
  }
  Rig again(options_in(directory, ClockMode::kWall));
  EXPECT_EQ(again.snapshot()->observed_since_us, kNow_us - kHour_us);
}

// "observed_since: start of the store", which is not what a clock that is behind says it is.
class StartsWithAClock : public testing::TestWithParam<std::int64_t> {};
INSTANTIATE_TEST_SUITE_P(That, StartsWithAClock,
                         testing::Values(-kNow_us, -14 * kDay_us, -9 * kMinute_us, std::int64_t{0},
                                         9 * kMinute_us, 14 * kDay_us),
                         [](const auto& param) {
                           if (param.param == -kNow_us) return std::string("stands_in_1970");
                           const std::string minutes =
                               std::to_string(std::abs(param.param) / kMinute_us) + "_minutes";
                           return minutes + (param.param < 0 ? "_behind" : "_ahead");
                         });

TEST_P(StartsWithAClock, NoWindowClaimsWhatWasNotObserved) {
  const TempDir directory;
  RigOptions options = options_in(directory, ClockMode::kWall);
  options.wall_us += GetParam();
  std::vector<Line> lines;
  for (int i = 0; i < 400; ++i) {
    lines.push_back(post("did:plc:" + std::to_string(i % 7), kNow_us + i * kSecond_us));
  }
  {
    Rig rig(options);
    rig.settle();  // marks go out before the first event
    std::size_t at = 0;
    while (at < lines.size()) {
      rig.feed(lines[at++]);
      rig.wall_us += kSecond_us;
      rig.tick();
      if (rig.reopened == 0) continue;
      rig.reopened = 0;
      rig.reconnect();  // nothing was counted yet: live, or where it is told to begin
      at = rig.resume_at(lines);
    }
    rig.settle();
    EXPECT_EQ(posts(*rig.snapshot()), lines.size());
    EXPECT_EQ(rig.snapshot()->observed_since_us, kNow_us);
    EXPECT_EQ(rig.store().last_commit().next_day_to_close, kNow_us / kDay_us);
    EXPECT_EQ(rig.store().days(0, INT64_MAX).size(), 0U);
  }
  // A later start, when the clock is right.
  options.wall_us = kNow_us + 400 * kSecond_us;
  Rig rig(options);
  rig.feed(std::span(lines).subspan(rig.resume_at(lines)));
  rig.feed(post("did:plc:a", options.wall_us));
  rig.settle();
  const auto snapshot = rig.snapshot();
  EXPECT_EQ(snapshot->observed_since_us, kNow_us);
  for (std::size_t w = 0; w < snapshot->windows.size(); ++w) {
    EXPECT_LE(snapshot->window_coverage_us[w], 400 * kSecond_us) << snapshot->windows[w].name;
  }
  EXPECT_EQ(posts(*snapshot), lines.size() + 1);
}

// "W ∩ [observed_since, ingested until] minus gaps": what may yet become a gap is none of it.
TEST(FeedClock, AStretchThatMayHaveBeenMissedIsNotCoverage) {
  const TempDir directory;
  Rig rig(options_in(directory, ClockMode::kFeed));
  const std::int64_t start = kNow_us / kHour_us * kHour_us;
  const auto covered_24h = [&] {
    const auto snapshot = rig.snapshot();
    for (std::size_t w = 0; w < snapshot->windows.size(); ++w) {
      if (snapshot->windows[w].name == "24h") return snapshot->window_coverage_us[w] / kSecond_us;
    }
    return std::int64_t{-1};
  };
  rig.feed(post("did:plc:a", start));
  rig.feed(post("did:plc:b", start + 100 * kSecond_us));
  rig.settle();
  EXPECT_EQ(covered_24h(), 100);
  // Nothing of what we know comes again: ten minutes are in doubt until a minute of feed is over.
  rig.reconnect();
  rig.feed(post("did:plc:c", start + 700 * kSecond_us));
  rig.feed(post("did:plc:c", start + 720 * kSecond_us));
  rig.settle();
  EXPECT_EQ(rig.snapshot()->gaps, 0U);
  EXPECT_EQ(covered_24h(), 120);
  // What was seen before comes after all: it was only reordered.
  rig.feed(post("did:plc:b", start + 100 * kSecond_us));
  rig.settle();
  EXPECT_EQ(rig.snapshot()->gaps, 0U);
  EXPECT_EQ(covered_24h(), 720);
}

// A quiet feed: the clock alone says that days have passed.
TEST(WallClock, AClockThatIsAheadClosesNoDayOfAFeedThatIsSilent) {
  const TempDir directory;
  RigOptions options = options_in(directory, ClockMode::kWall);
  options.wall_us = kNow_us + 14 * kDay_us;
  Rig rig(options);
  rig.feed(post("did:plc:a", kNow_us));
  rig.position().idle();
  rig.pass(10 * kMinute_us);
  rig.settle();
  EXPECT_EQ(rig.store().days(0, INT64_MAX).size(), 0U);
  EXPECT_EQ(rig.store().last_commit().next_day_to_close, kNow_us / kDay_us);
  // It is set right, and the day goes on: its row says what was true at its end.
  rig.wall_us = kNow_us + 10 * kMinute_us;
  rig.feed(post("did:plc:b", kNow_us + 10 * kMinute_us));
  rig.feed(post("did:plc:b", (kNow_us / kDay_us + 1) * kDay_us - 11 * kMinute_us));
  rig.pass(kDay_us);
  rig.position().idle();
  rig.pass(2 * kMinute_us);
  rig.settle();
  const auto rows = rig.store().days(0, INT64_MAX);
  ASSERT_EQ(rows.size(), 1U);
  EXPECT_EQ(rows[0].closing[0].accounts, 2U);
}

// "Ingested until = E while connected and caught up, else the watermark."
TEST(WallClock, TimeThatIsNotCaughtUpIsNotCoverage) {
  const TempDir directory;
  RigOptions options = options_in(directory, ClockMode::kWall);
  Rig rig(options);
  const auto covered = [&](std::size_t window) {
    return rig.snapshot()->window_coverage_us[window] / kSecond_us;
  };
  const std::int64_t start = kNow_us / kMinute_us * kMinute_us;
  rig.wall_us = start;
  rig.reconnect();
  rig.feed(post("did:plc:a", start - kHour_us));
  rig.wall_us = start + 30 * kSecond_us;
  rig.settle();
  EXPECT_EQ(rig.snapshot()->ingested_until_us, start - kHour_us);  // still catching up
  EXPECT_EQ(covered(0), 0);

  rig.feed(post("did:plc:a", start + 30 * kSecond_us));
  rig.wall_us = start + 40 * kSecond_us;
  rig.settle();
  EXPECT_EQ(rig.snapshot()->ingested_until_us, rig.snapshot()->edge_us);
  EXPECT_EQ(covered(0), 59);  // the minute up to now, its last second not yet over

  rig.ingest().connected(false);
  rig.wall_us = start + 100 * kSecond_us;
  rig.settle();
  EXPECT_EQ(rig.snapshot()->ingested_until_us, start + 30 * kSecond_us);
  EXPECT_EQ(covered(0), 0);
}

}  // namespace
}  // namespace geotally::pipeline
