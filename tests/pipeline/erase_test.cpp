// Goal: a deleted account is erased after 30 days, its tombstone when no replay can reach it any
// more; replays are harmless at every moment between; what it does later makes a new account.
#include <cstring>

#include <gtest/gtest.h>

#include "model.h"
#include "rig.h"
#include "store/verify.h"
#include "support/temp_dir.h"

namespace geotally::pipeline {
namespace {

using support::kDay_us;
using support::kSecond_us;
using support::Line;
using support::TempDir;
using Kind = Line::Kind;

constexpr std::int64_t kStart_us = 19'700 * kDay_us + kDay_us / 2;

class Erase : public testing::Test {
 protected:
  Erase() {
    options_.directory = directory_.path();
    open();
  }

  void open() {
    rig_.reset();
    rig_ = std::make_unique<Rig>(options_);
  }

  static Line line(Kind kind, const std::string& did, std::int64_t time_us) {
    Line one;
    one.kind = kind;
    one.did = did;
    one.time_us = time_us;
    one.rkey = std::to_string(time_us);
    return one;
  }
  static Line status(const std::string& did, std::int64_t time_us, const std::string& status) {
    Line one = line(Kind::kAccount, did, time_us);
    one.active = status.empty();
    one.status = status;
    return one;
  }
  void feed(const Line& one) {
    fed_.push_back(one);
    rig_->feed(one);
  }
  // Another account posts: that is what moves time on.
  void pass_to(std::int64_t time_us) {
    feed(line(Kind::kPost, "did:plc:clock", time_us));
    rig_->settle();
  }
  std::optional<store::AccountRecord> stored(const std::string& did) {
    store::AccountRecord record;
    if (!rig_->store().read_account(account_key(did, rig_->store().seed()), record)) return {};
    return record;
  }
  std::uint64_t posts() { return rig_->snapshot()->countries[0].posts; }
  std::uint64_t accounts() { return rig_->snapshot()->countries[0].accounts; }
  void expect_verified() {
    const store::Verification verified = store::verify(rig_->store());
    EXPECT_EQ(verified.differing, 0U)
        << (verified.differences.empty() ? "" : verified.differences.front());
  }
  // Everything once more, from the beginning.
  void expect_replays_harmless() {
    const std::uint64_t posts_before = posts();
    const std::uint64_t deleted_before = rig_->snapshot()->countries[0].posts_deleted;
    const std::uint64_t accounts_before = accounts();
    rig_->feed(fed_);
    rig_->settle();
    EXPECT_EQ(posts(), posts_before);
    EXPECT_EQ(rig_->snapshot()->countries[0].posts_deleted, deleted_before);
    EXPECT_EQ(accounts(), accounts_before);
  }

  const TempDir directory_;
  RigOptions options_;
  std::unique_ptr<Rig> rig_;
  std::vector<Line> fed_;
};

TEST_F(Erase, AfterThirtyDaysAndItsTombstoneAfterNinetyTwoMore) {
  for (int i = 0; i < 5; ++i) feed(line(Kind::kPost, "did:plc:a", kStart_us + i * kSecond_us));
  feed(status("did:plc:a", kStart_us + 10 * kSecond_us, "deleted"));
  pass_to(kStart_us + 20 * kSecond_us);
  EXPECT_EQ(accounts(), 1U);  // gone at once, the clock stays
  EXPECT_EQ(posts(), 6U);
  ASSERT_TRUE(stored("did:plc:a"));
  EXPECT_EQ(stored("did:plc:a")->state.posts, 5U);

  std::int64_t day = 0;
  const auto go_on_to = [&](std::int64_t until) {
    for (; day < until; day += 7) {
      pass_to(kStart_us + day * kDay_us + kSecond_us);
      expect_replays_harmless();
    }
    pass_to(kStart_us + until * kDay_us + kSecond_us);
    expect_replays_harmless();
    day = until + 1;
  };
  go_on_to(29);
  EXPECT_EQ(stored("did:plc:a")->state.posts, 5U);
  go_on_to(30);
  rig_->settle();
  ASSERT_TRUE(stored("did:plc:a"));
  EXPECT_EQ(stored("did:plc:a")->state.posts, 0U);  // only key and fence are left
  EXPECT_TRUE(stored("did:plc:a")->state.erased());
  EXPECT_NE(stored("did:plc:a")->state.fence.floor, 0U);
  EXPECT_NE(stored("did:plc:a")->details.status_time_us, 0);
  expect_verified();
  open();  // the fence comes from the store now
  go_on_to(121);
  EXPECT_TRUE(stored("did:plc:a"));
  go_on_to(122);
  rig_->settle();
  EXPECT_FALSE(stored("did:plc:a"));
  go_on_to(130);  // what is replayed now is too old
  EXPECT_EQ(posts(), 5U + fed_.size() - 6);
  EXPECT_FALSE(stored("did:plc:a"));
  expect_verified();
  EXPECT_TRUE(rig_->store().due(100'000, 0, UINT64_MAX, 10).empty());
}

TEST_F(Erase, ANewEventMakesANewAccount) {
  feed(line(Kind::kPost, "did:plc:a", kStart_us));
  feed(line(Kind::kPost, "did:plc:b", kStart_us));
  feed(status("did:plc:a", kStart_us + kSecond_us, "deleted"));
  feed(status("did:plc:b", kStart_us + kSecond_us, "deleted"));
  pass_to(kStart_us + 29 * kDay_us);
  pass_to(kStart_us + 31 * kDay_us);
  EXPECT_EQ(accounts(), 1U);
  feed(line(Kind::kPost, "did:plc:a", kStart_us + 31 * kDay_us + kSecond_us));
  feed(status("did:plc:b", kStart_us + 31 * kDay_us + kSecond_us, ""));
  rig_->settle();
  EXPECT_EQ(accounts(), 3U);
  EXPECT_EQ(stored("did:plc:a")->state.posts, 1U);
  EXPECT_EQ(stored("did:plc:b")->state.posts, 0U);
  EXPECT_EQ(stored("did:plc:a")->state.first_day, 19'700 + 31);
  expect_replays_harmless();
  // Its former tombstone's day changes nothing.
  for (int day = 40; day <= 140; day += 20) pass_to(kStart_us + day * kDay_us);
  EXPECT_EQ(accounts(), 3U);
  EXPECT_EQ(stored("did:plc:a")->state.posts, 1U);
  expect_verified();
}

TEST_F(Erase, NotWhoReturned) {
  feed(line(Kind::kPost, "did:plc:a", kStart_us));
  feed(status("did:plc:a", kStart_us + kSecond_us, "deleted"));
  feed(status("did:plc:a", kStart_us + 10 * kDay_us, ""));
  pass_to(kStart_us + 25 * kDay_us);
  pass_to(kStart_us + 50 * kDay_us);
  EXPECT_EQ(accounts(), 2U);
  EXPECT_EQ(stored("did:plc:a")->state.posts, 1U);
  expect_verified();
}

TEST_F(Erase, CountsFromTheLastDeletion) {
  feed(line(Kind::kPost, "did:plc:a", kStart_us));
  feed(status("did:plc:a", kStart_us + kSecond_us, "deleted"));
  feed(status("did:plc:a", kStart_us + 10 * kDay_us, ""));
  feed(status("did:plc:a", kStart_us + 20 * kDay_us, "deleted"));
  pass_to(kStart_us + 35 * kDay_us);
  rig_->settle();
  EXPECT_EQ(stored("did:plc:a")->state.posts, 1U);
  pass_to(kStart_us + 51 * kDay_us);
  rig_->settle();
  EXPECT_EQ(stored("did:plc:a")->state.posts, 0U);
}

// The account's own host says when it was deleted: by a clock that is a little ahead, or lies.
TEST_F(Erase, WhateverTheHostsClockSays) {
  const std::int64_t midnight = 19'701 * kDay_us;
  Line ahead = status("did:plc:ahead", midnight - kSecond_us, "deleted");
  ahead.upstream_us = midnight + 100 * kSecond_us;  // the next day already
  Line lies = status("did:plc:lies", midnight - kSecond_us, "deleted");
  lies.upstream_us = midnight + 20'000 * kDay_us;
  Line old = status("did:plc:old", midnight - kSecond_us, "deleted");
  old.upstream_us = 1'000 * kDay_us;
  for (const Line& deletion : {ahead, lies, old}) {
    Line post = line(Kind::kPost, deletion.did, midnight - 100 * kSecond_us);
    feed(post);
    feed(deletion);
  }
  pass_to(midnight + kSecond_us);
  for (int day = 10; day <= 40; day += 10) {
    pass_to(midnight + day * kDay_us);
    rig_->settle();
  }
  for (const Line& deletion : {ahead, lies, old}) {
    ASSERT_TRUE(stored(deletion.did)) << deletion.did;
    EXPECT_EQ(stored(deletion.did)->state.posts, 0U) << deletion.did;
  }
  expect_replays_harmless();
  for (int day = 50; day <= 140; day += 10) {
    pass_to(midnight + day * kDay_us);
    rig_->settle();
  }
  for (const Line& deletion : {ahead, lies, old}) {
    EXPECT_FALSE(stored(deletion.did)) << deletion.did;
  }
  expect_verified();
}

// A record's deletion still counts once, also on the day on which the tombstone would have gone.
TEST_F(Erase, ATombstoneStaysWhileRecordsAreDeleted) {
  feed(line(Kind::kPost, "did:plc:a", kStart_us));
  feed(status("did:plc:a", kStart_us + kSecond_us, "deleted"));
  for (int day = 10; day <= 120; day += 10) pass_to(kStart_us + day * kDay_us);
  const std::int64_t due = 19'700 * kDay_us + 122 * kDay_us;
  feed(line(Kind::kPostDelete, "did:plc:a", due - kSecond_us));
  pass_to(due + kSecond_us);
  rig_->settle();
  ASSERT_TRUE(stored("did:plc:a"));
  expect_replays_harmless();
  EXPECT_EQ(rig_->snapshot()->countries[0].posts_deleted, 1U);
  for (int day = 130; day <= 230; day += 10) pass_to(kStart_us + day * kDay_us);
  rig_->settle();
  EXPECT_FALSE(stored("did:plc:a"));
}

// The same account is deleted twice on one day, within one commit that is large enough to go in
// as sorted files: there a key may stand only once.
TEST_F(Erase, TwoDeletionsOfOneDayAreOneEntry) {
  for (int i = 0; i < 5'000; ++i) {
    feed(line(Kind::kPost, "did:plc:" + std::to_string(i), kStart_us + i));
  }
  for (int again = 0; again < 3; ++again) {
    feed(status("did:plc:7", kStart_us + (10 + again) * kSecond_us, "deleted"));
  }
  rig_->settle();
  EXPECT_EQ(rig_->store().due(100'000, 0, UINT64_MAX, 10).size(), 1U);
  EXPECT_EQ(accounts(), 4'999U);
}

// Whoever asks to be forgotten leaves at once, and what is left of them is a fence.
TEST_F(Erase, ForgottenAtOnce) {
  for (int i = 0; i < 5; ++i) feed(line(Kind::kPost, "did:plc:a", kStart_us + i * kSecond_us));
  feed(line(Kind::kPostDelete, "did:plc:a", kStart_us + 6 * kSecond_us));
  feed(line(Kind::kIdentity, "did:plc:a", kStart_us + 7 * kSecond_us));
  pass_to(kStart_us + 10 * kSecond_us);
  EXPECT_EQ(accounts(), 2U);

  const std::uint64_t durable_with = rig_->ingest().forget("did:plc:a");
  EXPECT_EQ(rig_->ingest().forget("did:plc:stranger"), durable_with);
  rig_->tick();
  rig_->await_commit(durable_with);
  EXPECT_EQ(accounts(), 1U);
  EXPECT_EQ(posts(), 6U);  // posts that were counted stay counted
  EXPECT_EQ(rig_->snapshot()->countries[0].window_active[0], 1U);
  EXPECT_FALSE(stored("did:plc:stranger"));

  const auto expect_only_a_fence = [&] {
    const auto record = stored("did:plc:a");
    ASSERT_TRUE(record);
    EXPECT_NE(record->state.fence.floor, 0U);
    EXPECT_TRUE(record->fence.empty());
    tally::AccountState only;
    only.fence = record->state.fence;
    only.newest_key = record->state.newest_key;
    only.set(tally::AccountState::kDeleted, true);
    EXPECT_EQ(std::memcmp(&only, &record->state, sizeof only), 0);
    tally::AccountDetails details;
    details.identity_time_us = record->details.identity_time_us;
    details.status_time_us = record->details.status_time_us;
    details.identity_sequence = record->details.identity_sequence;
    details.status_sequence = record->details.status_sequence;
    EXPECT_EQ(details, record->details);
    EXPECT_EQ(record->evidence, geo::EvidenceState{});
  };
  expect_only_a_fence();
  expect_verified();
  expect_replays_harmless();
  open();  // the fence comes from the store now
  expect_replays_harmless();
  expect_only_a_fence();

  // Forgotten once more, and by then there is nothing new.
  rig_->ingest().forget("did:plc:a");
  rig_->settle();
  expect_only_a_fence();
  expect_verified();

  // What is done after that makes a new account.
  feed(line(Kind::kPost, "did:plc:a", kStart_us + 60 * kSecond_us));
  rig_->settle();
  EXPECT_EQ(accounts(), 2U);
  EXPECT_EQ(stored("did:plc:a")->state.posts, 1U);
  expect_verified();
}

TEST_F(Erase, TheFenceOfTheForgottenGoesWhenNoReplayReachesIt) {
  feed(line(Kind::kPost, "did:plc:a", kStart_us));
  pass_to(kStart_us + kSecond_us);
  rig_->ingest().forget("did:plc:a");
  pass_to(kStart_us + 2 * kSecond_us);
  for (const std::int64_t day : {25, 50, 75, 91}) pass_to(kStart_us + day * kDay_us);
  EXPECT_TRUE(stored("did:plc:a"));
  pass_to(kStart_us + 92 * kDay_us + kSecond_us);
  rig_->settle();
  EXPECT_FALSE(stored("did:plc:a"));
  EXPECT_TRUE(rig_->store().due(100'000, 0, UINT64_MAX, 10).empty());
  expect_replays_harmless();
  expect_verified();
}

TEST_F(Erase, ManyOnOneDay) {
  options_.memory_bytes = 1;  // the smallest tables: fewer accounts fit than are due
  options_.shards = 2;
  open();
  constexpr int kAccounts = 10'000 / static_cast<int>(kShorter);
  for (int i = 0; i < kAccounts; ++i) {
    feed(line(Kind::kPost, "did:plc:" + std::to_string(i), kStart_us + 10 * i));
    feed(status("did:plc:" + std::to_string(i), kStart_us + 10 * i + 5, "deleted"));
  }
  rig_->settle();
  EXPECT_EQ(accounts(), 0U);
  pass_to(kStart_us + 20 * kDay_us);
  pass_to(kStart_us + 31 * kDay_us);
  const auto left = [&] {
    std::uint64_t full = 0;
    rig_->store().for_each_account([&](tally::AccountKey, const store::AccountRecord& record) {
      full += record.state.posts != 0 ? 1 : 0;
    });
    return full;
  };
  while (left() > 1) rig_->settle();  // some at each mark; the clock stays
  expect_verified();
  pass_to(kStart_us + 60 * kDay_us);
  pass_to(kStart_us + 89 * kDay_us);
  pass_to(kStart_us + 118 * kDay_us);
  pass_to(kStart_us + 124 * kDay_us);
  const auto records = [&] {
    std::uint64_t all = 0;
    rig_->store().for_each_account([&](auto, const auto&) { ++all; });
    return all;
  };
  while (records() > 1) rig_->settle();
  EXPECT_EQ(accounts(), 1U);
  EXPECT_EQ(posts(), static_cast<std::uint64_t>(kAccounts) + 6);
  EXPECT_TRUE(rig_->store().due(100'000, 0, UINT64_MAX, 10).empty());
  expect_verified();
}

}  // namespace
}  // namespace geotally::pipeline
