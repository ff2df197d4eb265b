// Goal: engagement and activity of an account are those of the definitions, also when posts come
// late and when nothing comes at all.
// Method: every rule by its smallest example, then random posts against plain sets of days.
#include "tally/account.h"

#include <random>
#include <set>

#include <gtest/gtest.h>

#include "support.h"

namespace geotally::tally {
namespace {

std::int64_t noon(std::int64_t day) { return day * kDaySeconds + 12 * 3'600; }

TEST(Engagement, NeverOnceOccasional) {
  OneAccount account;
  account.add(account.sample(EventKind::kProfile, kNoon_s));
  EXPECT_EQ(account.engagement(kNoon_s), Engagement::kNever);
  account.post(kNoon_s);
  account.post(kNoon_s + 3'600);
  EXPECT_EQ(account.engagement(noon(kDay)), Engagement::kOnce) << "all on one UTC day";
  account.post(kNoon_s + kDaySeconds);
  EXPECT_EQ(account.engagement(noon(kDay + 1)), Engagement::kOccasional);
}

// The bit is set when a post's day differs from that of last_post: also for a late one.
TEST(Engagement, ALatePostOfAnotherDayIsASecondDay) {
  OneAccount account;
  account.post(noon(kDay));
  account.post(noon(kDay - 3));
  EXPECT_EQ(account.engagement(noon(kDay)), Engagement::kOccasional);
  EXPECT_EQ(account.state.last_post_s, noon(kDay)) << "last_post never goes down";
}

TEST(Engagement, TheSecondDayIsNeverForgotten) {
  OneAccount account;
  account.post(noon(kDay - 60));
  account.post(noon(kDay));
  account.post(noon(kDay) + 1);
  EXPECT_EQ(account.engagement(noon(kDay)), Engagement::kOccasional);
}

// Engaged: posted on at least 8 of the last 28 UTC days up to E.
TEST(Engagement, EngagedFromTheEighthDayUntilItLapsesWithoutEvents) {
  OneAccount account;
  for (std::int64_t i = 0; i < 7; ++i) account.post(noon(kDay + 2 * i));
  EXPECT_EQ(account.engagement(noon(kDay + 12)), Engagement::kOccasional);
  account.post(noon(kDay + 14));
  EXPECT_EQ(account.engagement(noon(kDay + 14)), Engagement::kEngaged);
  // Day `kDay` is in the last 28 days up to kDay + 27, and no longer.
  EXPECT_EQ(account.engagement((kDay + 28) * kDaySeconds - 1), Engagement::kEngaged);
  EXPECT_EQ(account.engagement((kDay + 28) * kDaySeconds), Engagement::kOccasional);
}

TEST(Engagement, LatePostsCountForTheirDay) {
  OneAccount account;
  account.post(noon(kDay + 27));
  for (std::int64_t i = 1; i < 7; ++i) account.post(noon(kDay + i));
  EXPECT_EQ(account.engagement(noon(kDay + 27)), Engagement::kOccasional);
  account.post(noon(kDay - 1));  // the 29th last day
  EXPECT_EQ(account.engagement(noon(kDay + 27)), Engagement::kOccasional);
  account.post(noon(kDay));  // the 28th last
  EXPECT_EQ(account.engagement(noon(kDay + 27)), Engagement::kEngaged);
  EXPECT_EQ(account.engagement(noon(kDay + 28)), Engagement::kOccasional);
}

TEST(Engagement, GoneAccountsAreInNone) {
  OneAccount account;
  for (std::int64_t i = 0; i < 8; ++i) account.post(noon(kDay + i));
  account.status(AccountStatus::kGone, noon(kDay + 8));
  const CountryFigures gone = account.figures(noon(kDay + 8));
  EXPECT_EQ(gone.engagement, (std::array<std::uint64_t, kEngagements>{}));
  account.status(AccountStatus::kActive, noon(kDay + 9));
  EXPECT_EQ(account.engagement(noon(kDay + 9)), Engagement::kEngaged);
}

TEST(Engagement, OfAnyPostsIsWhatTheirDaysSay) {
  std::mt19937_64 random(4);
  for (int round = 0; round < 400; ++round) {
    OneAccount account;
    std::set<std::int64_t> days;
    std::int64_t now = kDay;
    for (int i = 0; i < 60; ++i) {
      now += random() % 4 == 0 ? static_cast<std::int64_t>(random() % (random() % 10 == 0 ? 45 : 4))
                               : 0;
      const std::int64_t late = random() % 3 == 0 ? static_cast<std::int64_t>(random() % 40) : 0;
      account.post(noon(now - late) + i);
      days.insert(now - late);
      for (std::int64_t edge : {now, now + static_cast<std::int64_t>(random() % 40)}) {
        if (late > 0 && days.rbegin() != days.rend()) edge = std::max(edge, *days.rbegin());
        const auto recent = std::distance(days.upper_bound(edge - 28), days.end());
        const Engagement expected = days.size() == 1 ? Engagement::kOnce
                                    : recent >= 8    ? Engagement::kEngaged
                                                     : Engagement::kOccasional;
        ASSERT_EQ(account.engagement(noon(edge)), expected) << round << " " << i;
      }
    }
  }
}

TEST(Account, ThePostCountSaturates) {
  AccountState state;
  record_post(state, 1'000);
  state.posts = UINT32_MAX - 1;
  record_post(state, 1'001);
  record_post(state, 1'002);
  EXPECT_EQ(state.posts, UINT32_MAX);
  EXPECT_EQ(state.last_post_s, 1'002U);
}

}  // namespace
}  // namespace geotally::tally
