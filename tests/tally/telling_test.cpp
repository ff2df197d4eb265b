// Goal: what is told again counts once in a store with an archive, too (DEFINITIONS: Told rows).
// Method: one account, its rows one after the other; each test is a clause of the definition.
#include "tally/telling.h"

#include <gtest/gtest.h>

#include "support.h"
#include "tally/order.h"

namespace geotally::tally {
namespace {

constexpr std::int64_t kNoonUs = kNoon_s * kMicrosPerSecond;
constexpr std::int64_t kDayUs = kDaySeconds * kMicrosPerSecond;

class Telling : public testing::Test {
 protected:
  Telling() {
    account_.facts.archive = true;
    account_.facts.observed_since_us = kNoonUs - 1'000'000;
  }

  static Sample row(EventKind kind, std::int64_t witnessed_us, std::uint64_t revision) {
    Sample sample;
    sample.kind = kind;
    sample.time_us = witnessed_us;
    sample.revision = revision;
    sample.created = true;
    return sample;
  }
  bool post(std::int64_t witnessed_us, std::uint64_t key) {
    Sample sample = row(EventKind::kPost, witnessed_us, first_order_of(witnessed_us));
    sample.record_key = key;
    sample.discriminator = key << 8;
    return account_.add(sample);
  }
  void sync(std::int64_t witnessed_us) {
    EXPECT_TRUE(
        account_.add(row(EventKind::kSync, witnessed_us, first_order_of(witnessed_us))));
  }
  // Told with the revision of the `#sync` at that time.
  bool told(std::int64_t witnessed_us, std::uint64_t key) {
    Sample sample = row(EventKind::kPost, witnessed_us, first_order_of(witnessed_us));
    sample.record_key = key;
    return account_.add(sample);
  }
  const AccountDetails& details() { return account_.pools.details.of(account_.state); }

  OneAccount account_;
};

// "K lies outside [S, N₀] (no such interval while no post was accepted)"
TEST_F(Telling, OfAnUnknownAccountItsWholePastCounts) {
  sync(kNoonUs);
  EXPECT_FALSE(told(kNoonUs, first_order_of(kNetworkBeginUs) - 1));
  EXPECT_TRUE(told(kNoonUs, first_order_of(kNetworkBeginUs)));
  EXPECT_TRUE(told(kNoonUs, first_order_of(kNoonUs - 400 * kDayUs)));
  EXPECT_TRUE(told(kNoonUs, first_order_of(kNoonUs - kDayUs)));
  EXPECT_EQ(account_.state.posts, 3U);
  EXPECT_EQ(account_.state.last_post_s, kNoon_s - kDaySeconds);
  EXPECT_EQ(account_.state.first_day, kNetworkBeginUs / kDayUs);
}

// "S, the smallest TID key of a post accepted before its first telling began"
TEST_F(Telling, WhatIsOlderThanTheFirstPostThatWasSeenCounts) {
  EXPECT_TRUE(post(kNoonUs, first_order_of(kNoonUs)));
  EXPECT_TRUE(post(kNoonUs + 2, first_order_of(kNoonUs - 5'000'000)));
  EXPECT_TRUE(post(kNoonUs + 3, first_order_of(kNoonUs + 3)));
  EXPECT_EQ(details().oldest_key, first_order_of(kNoonUs - 5'000'000));
  const std::int64_t at = kNoonUs + 10'000'000;
  sync(at);
  EXPECT_TRUE(told(at, first_order_of(kNoonUs - kDayUs)));
  EXPECT_TRUE(told(at, first_order_of(kNoonUs - 5'000'000) - 1));
  EXPECT_FALSE(told(at, first_order_of(kNoonUs - 5'000'000)));
  EXPECT_FALSE(told(at, first_order_of(kNoonUs)));
  EXPECT_FALSE(told(at, first_order_of(kNoonUs + 3)));
  EXPECT_TRUE(told(at, first_order_of(kNoonUs + 4)));
}

// "told posts, and posts while a telling is open, don't move it; dropped when the first telling
// closes"
TEST_F(Telling, TheOldestKeyIsDroppedWhenTheFirstTellingEnds) {
  EXPECT_TRUE(post(kNoonUs, first_order_of(kNoonUs)));
  const std::int64_t at = kNoonUs + 10'000'000;
  sync(at);
  EXPECT_TRUE(told(at, first_order_of(kNoonUs - kDayUs)));
  EXPECT_TRUE(post(at + 1'000'000, first_order_of(kNoonUs - 2 * kDayUs)));
  EXPECT_EQ(details().oldest_key, first_order_of(kNoonUs));
  const std::int64_t later = at + 62'000'000;
  EXPECT_TRUE(post(later, first_order_of(later)));
  EXPECT_EQ(details().oldest_key, 0U);
  EXPECT_TRUE(account_.state.has(AccountState::kTold));
  EXPECT_EQ(account_.state.fence.floor, first_order_of(at));
  sync(later + 1);
  EXPECT_FALSE(told(later + 1, first_order_of(kNoonUs - kDayUs)));
  EXPECT_FALSE(told(later + 1, first_order_of(kNoonUs - 3 * kDayUs)));
  EXPECT_TRUE(post(later + 90'000'000, first_order_of(later + 90'000'000)));
  EXPECT_EQ(details().oldest_key, 0U);
}

TEST_F(Telling, AnAccountThatWasToldNothingHasNoPastToTell) {
  sync(kNoonUs);
  const std::int64_t later = kNoonUs + 100'000'000;
  EXPECT_TRUE(post(later, first_order_of(later)));
  sync(later + 1);
  EXPECT_FALSE(told(later + 1, first_order_of(kNoonUs - kDayUs)));
}

// "a told post older than `observed_since`, goes into totals and, equally, into their base"
TEST_F(Telling, APostOlderThanTheStoreMovesTheBaseToo) {
  Changes changes;
  changes.set_watermark(0);
  const auto count_told = [&](std::int64_t time_us) {
    Sample sample = row(EventKind::kPost, kNoonUs, 1);
    sample.told = true;
    sample.time_us = time_us;
    count(account_.state, sample, {}, account_.facts, changes);
  };
  count_told(kNoonUs - kDayUs);
  EXPECT_EQ(changes.country({}).posts, 1);
  EXPECT_EQ(changes.country({}).base_posts, 1U);
  count_told(account_.facts.observed_since_us);
  EXPECT_EQ(changes.country({}).posts, 2);
  EXPECT_EQ(changes.country({}).base_posts, 1U);
}

TEST_F(Telling, WithoutAnArchiveNoOldestKeyIsKept) {
  account_.facts.archive = false;
  EXPECT_TRUE(post(kNoonUs, first_order_of(kNoonUs)));
  EXPECT_EQ(account_.state.details, 0U);
  EXPECT_EQ(account_.state.newest_key, first_order_of(kNoonUs));
}

// An account of a rebuilt store: what was lost of it may have been counted.
TEST_F(Telling, WhereAccountsWereLostNothingUpToTheLossIsTold) {
  account_.facts = {};
  account_.state = unknown_account(last_order_of(kNoonUs));
  const std::int64_t at = kNoonUs + 3'600'000'000;
  sync(at);
  EXPECT_FALSE(told(at, first_order_of(kNoonUs - 1'000'000)));
  EXPECT_FALSE(told(at, first_order_of(kNoonUs + kOrderAheadMaxUs)));
  EXPECT_TRUE(told(at, first_order_of(kNoonUs + kOrderAheadMaxUs + 1)));
}

TEST_F(Telling, AnArchiveKeepsTheNewestKeyOfTheErased) {
  EXPECT_TRUE(post(kNoonUs, first_order_of(kNoonUs)));
  account_.forget();
  EXPECT_TRUE(account_.state.erased());
  EXPECT_EQ(account_.state.newest_key, first_order_of(kNoonUs));
  EXPECT_EQ(account_.state.details, 0U);
}

// Details that say nothing are given back.
TEST(Details, AreGivenBackAndUsedAgain) {
  DetailPool pool;
  AccountState a;
  AccountState b;
  pool.edit(a).oldest_key = 5;
  const std::uint32_t place = a.details;
  EXPECT_EQ(pool.of(b), AccountDetails{});
  EXPECT_EQ(pool.used(), 1U);
  pool.tidy(a);
  EXPECT_EQ(pool.used(), 1U);
  pool.edit(a).oldest_key = 0;
  pool.tidy(a);
  EXPECT_EQ(a.details, 0U);
  EXPECT_EQ(pool.used(), 0U);
  EXPECT_EQ(pool.edit(b), AccountDetails{});
  EXPECT_EQ(b.details, place);
  for (int i = 0; i < 10'000; ++i) {
    AccountState state;
    AccountDetails details;
    details.identity_time_us = i + 1;
    pool.put(state, details);
    ASSERT_EQ(pool.of(state).identity_time_us, i + 1);
  }
  EXPECT_EQ(pool.used(), 10'001U);
  EXPECT_EQ(pool.of(b), AccountDetails{});
}

TEST(FencePool, AFloorThatRisesTakesWhatIsNotAboveIt) {
  FencePool pool;
  FenceState fence;
  for (const std::uint64_t revision : {10U, 20U, 30U, 40U}) {
    EXPECT_EQ(pool.admit(fence, revision, FenceTag(0), 1), FencePool::Admission::kNew);
  }
  pool.raise_floor(fence, 20);
  EXPECT_EQ(fence.entries, 2U);
  EXPECT_EQ(fence.floor, 20U);
  EXPECT_EQ(pool.admit(fence, 20, FenceTag(4), 1), FencePool::Admission::kReplayed);
  pool.raise_floor(fence, 5);
  EXPECT_EQ(fence.floor, 20U);
  pool.raise_floor(fence, 100);
  EXPECT_EQ(fence.entries, 0U);
  EXPECT_EQ(fence.floor, 100U);
  EXPECT_EQ(pool.used(), 0U);
}

}  // namespace
}  // namespace geotally::tally
