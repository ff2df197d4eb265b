// Goal: DEFINITIONS, "Time": each test quotes the sentence that it holds the horizon to.
#include "pipeline/horizon.h"

#include <gtest/gtest.h>

namespace geotally::pipeline {
namespace {

using Judgement = Horizon::Judgement;

constexpr std::int64_t kSecond = 1'000'000;
constexpr std::int64_t kMinute = 60 * kSecond;
constexpr std::int64_t kHour = 60 * kMinute;
constexpr std::int64_t kDay = 24 * kHour;
constexpr std::int64_t kNow = 1'700'000'000 * kSecond;
constexpr std::int64_t kTooOld = 90 * kDay + kHour;  // 90 d and the slack
constexpr std::int64_t kRepresentable = std::int64_t{UINT32_MAX} * kSecond;

// "Watermark: the largest event time of any decoded event that is not future."
TEST(Horizon, WatermarkIsTheLargestTimeOfAGoodEvent) {
  Horizon horizon(ClockMode::kWall, 0);
  EXPECT_EQ(horizon.watermark_us(), 0);
  EXPECT_EQ(horizon.judge(1, kNow, kNow), Judgement::kGood);
  EXPECT_EQ(horizon.judge(1, kNow - kHour, kNow), Judgement::kGood);
  EXPECT_EQ(horizon.watermark_us(), kNow);
  EXPECT_EQ(horizon.judge(1, kNow + kHour, kNow), Judgement::kFuture);
  EXPECT_EQ(horizon.watermark_us(), kNow);
}

// "future: event time > max(wall clock, watermark) + 10 min"
TEST(Horizon, FutureIsTenMinutesAheadOfTheLaterOfClockAndWatermark) {
  Horizon by_clock(ClockMode::kWall, kNow - kDay);
  EXPECT_TRUE(by_clock.would_believe(kNow + 10 * kMinute, kNow));
  EXPECT_FALSE(by_clock.would_believe(kNow + 10 * kMinute + 1, kNow));
  EXPECT_EQ(by_clock.judge(1, kNow + 10 * kMinute + 1, kNow), Judgement::kFuture);
  EXPECT_EQ(by_clock.judge(1, kNow + 10 * kMinute, kNow), Judgement::kGood);

  Horizon by_watermark(ClockMode::kWall, kNow);
  EXPECT_EQ(by_watermark.judge(1, kNow + 10 * kMinute + 1, kNow - kDay), Judgement::kFuture);
  EXPECT_EQ(by_watermark.judge(1, kNow + 10 * kMinute, kNow - kDay), Judgement::kGood);
}

// "with --clock feed, more than 30 days past the watermark"
TEST(Horizon, ByTheFeedsClockFutureIsThirtyDaysAhead) {
  Horizon horizon(ClockMode::kFeed, kNow);
  EXPECT_EQ(horizon.judge(1, kNow + 30 * kDay + 1, kNow), Judgement::kFuture);
  EXPECT_EQ(horizon.judge(1, kNow + 30 * kDay, 0), Judgement::kGood);
  EXPECT_EQ(horizon.watermark_us(), kNow + 30 * kDay);
}

// "(the first event ever sets the watermark)"
TEST(Horizon, ByTheFeedsClockTheFirstEventEverSetsTheWatermark) {
  Horizon horizon(ClockMode::kFeed, 0);
  EXPECT_TRUE(horizon.would_believe(kNow, 0));
  EXPECT_EQ(horizon.judge(1, kNow, 0), Judgement::kGood);
  EXPECT_EQ(horizon.watermark_us(), kNow);
}

// "Such an event is not counted yet and moves nothing ... when a second account's event confirms
// that the time is real ... the connection reopens from the cursor and all of it counts"
class Confirmation : public testing::TestWithParam<ClockMode> {};

TEST_P(Confirmation, NeedsASecondAccount) {
  Horizon horizon(GetParam(), kNow);
  const std::int64_t ahead = kNow + 60 * kDay;
  for (int i = 0; i < 100; ++i) {
    EXPECT_EQ(horizon.judge(1, ahead + i, kNow), Judgement::kFuture);
  }
  EXPECT_EQ(horizon.watermark_us(), kNow);
  EXPECT_EQ(horizon.judge(2, ahead + kSecond, kNow), Judgement::kConfirmed);
  EXPECT_EQ(horizon.watermark_us(), kNow);  // not before the feed brings it again

  for (int i = 0; i < 100; ++i) {
    EXPECT_EQ(horizon.judge(1, ahead + i, kNow), Judgement::kGood);
  }
  EXPECT_EQ(horizon.judge(2, ahead + kSecond, kNow), Judgement::kGood);
  EXPECT_EQ(horizon.watermark_us(), ahead + kSecond);
  EXPECT_EQ(horizon.take_unconfirmed(), 0U);  // all of it counts: none was given up
}

TEST_P(Confirmation, IsOfTheEarlierTimeOnly) {
  Horizon horizon(GetParam(), kNow);
  const std::int64_t near = kNow + 31 * kDay;
  const std::int64_t far = kNow + 3'000 * kDay;
  // A far-future time is no witness for itself, whoever else is ahead.
  EXPECT_EQ(horizon.judge(1, far, kNow), Judgement::kFuture);
  EXPECT_EQ(horizon.judge(2, near, kNow), Judgement::kConfirmed);
  EXPECT_FALSE(horizon.would_believe(far, kNow));
  EXPECT_TRUE(horizon.would_believe(near, kNow));
  EXPECT_EQ(horizon.judge(1, far, kNow), Judgement::kFuture);
  EXPECT_EQ(horizon.judge(2, near, kNow), Judgement::kGood);
  EXPECT_EQ(horizon.watermark_us(), near);
}

// "unconfirmed, it is dropped (events_dropped_total{reason="future"})"
TEST_P(Confirmation, ThatNeverComesIsGivenUpAndCounted) {
  Horizon horizon(GetParam(), kNow);
  for (int i = 0; i < 7; ++i) {
    EXPECT_EQ(horizon.judge(1, kNow + 3'000 * kDay, kNow), Judgement::kFuture);
  }
  EXPECT_EQ(horizon.take_unconfirmed(), 0U);
  std::uint64_t given_up = 0;
  for (int i = 0; i < 2'000 && given_up == 0; ++i) {
    EXPECT_EQ(horizon.judge(2, kNow + i, kNow), Judgement::kGood);
    given_up = horizon.take_unconfirmed();
  }
  EXPECT_EQ(given_up, 7U);
  EXPECT_EQ(horizon.take_unconfirmed(), 0U);
  // A later one begins anew: the given-up witness confirms nothing.
  EXPECT_EQ(horizon.judge(3, kNow + 3'000 * kDay, kNow), Judgement::kFuture);
  horizon.give_up();
  EXPECT_EQ(horizon.take_unconfirmed(), 1U);
}

// "One hostile time must not expire everything"
TEST_P(Confirmation, OneHostileAccountMovesNothing) {
  Horizon horizon(GetParam(), kNow);
  std::int64_t time = kNow;
  std::uint64_t held = 0;
  std::uint64_t given_up = 0;
  for (int i = 0; i < 50'000; ++i) {
    if (i % 100 == 0) {
      EXPECT_EQ(horizon.judge(666, kRepresentable - i, kNow), Judgement::kFuture);
      ++held;
    }
    ++time;
    ASSERT_EQ(horizon.judge(static_cast<std::uint64_t>(i % 10), time, kNow), Judgement::kGood);
    given_up += horizon.take_unconfirmed();
  }
  EXPECT_EQ(horizon.watermark_us(), time);
  horizon.give_up();
  EXPECT_EQ(given_up + horizon.take_unconfirmed(), held);  // each is accounted for
}

// Times are counted in 32 bits of seconds.
TEST_P(Confirmation, DoesNotHelpATimeThatCannotBeCounted) {
  for (const std::int64_t watermark : {std::int64_t{0}, kNow}) {
    Horizon horizon(GetParam(), watermark);
    EXPECT_EQ(horizon.judge(1, kRepresentable + 1, kNow), Judgement::kFuture);
    EXPECT_EQ(horizon.judge(2, kRepresentable + 1, kNow), Judgement::kFuture);
    EXPECT_EQ(horizon.judge(3, INT64_MAX, kNow), Judgement::kFuture);
    EXPECT_EQ(horizon.take_unconfirmed(), 3U);
    EXPECT_EQ(horizon.watermark_us(), watermark);
    EXPECT_EQ(horizon.judge(4, kNow, kNow), Judgement::kGood);
  }
}

INSTANTIATE_TEST_SUITE_P(Clocks, Confirmation, testing::Values(ClockMode::kWall, ClockMode::kFeed));

// "a wrong clock must not lose an hour": the wall clock is an hour slow and stays so.
TEST(Horizon, ASlowWallClockLosesNothing) {
  const std::int64_t slow = kNow - kHour;
  Horizon horizon(ClockMode::kWall, 0);
  // Two seconds of feed, four accounts. A server sends it again whenever it is asked to.
  const auto account = [](std::int64_t i) { return static_cast<std::uint64_t>(i % 4); };
  int reopened = 0;
  int good = 0;
  for (std::int64_t i = 0; i < 2'000; ++i) {
    const Judgement judgement = horizon.judge(account(i), kNow + i * 1'000, slow);
    if (judgement == Judgement::kConfirmed) {
      ++reopened;
      i = -1;
      good = 0;
    } else if (judgement == Judgement::kGood) {
      ++good;
    }
  }
  EXPECT_EQ(reopened, 1);
  EXPECT_EQ(good, 2'000);
  EXPECT_EQ(horizon.take_unconfirmed(), 0U);
  // And it stays so: the watermark is the clock now.
  for (std::int64_t i = 0; i < 100; ++i) {
    EXPECT_EQ(horizon.judge(account(i), kNow + i * kMinute, slow), Judgement::kGood);
  }
}

// "too_old: event time before watermark − 90 d − slack ... Any other late event counts"
TEST(Horizon, TooOldIsBeforeTheLongestWindowAndItsSlack) {
  Horizon horizon(ClockMode::kWall, kNow);
  EXPECT_EQ(horizon.judge(1, kNow - kTooOld, kNow), Judgement::kGood);
  EXPECT_EQ(horizon.judge(1, kNow - kTooOld - 1, kNow), Judgement::kTooOld);
  EXPECT_EQ(horizon.judge(1, 1, kNow), Judgement::kTooOld);
  EXPECT_EQ(horizon.watermark_us(), kNow);
  // The watermark decides, not the clock.
  EXPECT_EQ(horizon.judge(1, kNow - kTooOld, kNow + 365 * kDay), Judgement::kGood);
  Horizon fresh(ClockMode::kWall, 0);
  EXPECT_EQ(fresh.judge(1, 1, kNow), Judgement::kGood);
}

// "Right edge E: --clock wall: max(wall clock, watermark) ... --clock feed: the watermark"
TEST(Horizon, Edge) {
  const Horizon wall(ClockMode::kWall, kNow);
  EXPECT_EQ(wall.edge_us(kNow + kDay), kNow + kDay);
  EXPECT_EQ(wall.edge_us(kNow - kDay), kNow);
  const Horizon feed(ClockMode::kFeed, kNow);
  EXPECT_EQ(feed.edge_us(kNow + kDay), kNow);
  EXPECT_EQ(feed.edge_us(kNow - kDay), kNow);
}

}  // namespace
}  // namespace geotally::pipeline
