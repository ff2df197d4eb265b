// Goal: a record counts once, whatever is replayed, and none that is new is lost within the
// horizon. DEFINITIONS: Once.
#include "tally/fence.h"

#include <algorithm>
#include <random>
#include <set>

#include <gtest/gtest.h>

namespace geotally::tally {
namespace {

using Admission = FencePool::Admission;

FenceTag tag(std::uint64_t discriminator, FenceTopic topic = FenceTopic::kOther) {
  return {discriminator << 20, topic};
}

TEST(Fence, ARecordPassesOnce) {
  FencePool pool;
  FenceState state;
  EXPECT_EQ(pool.admit(state, 100, tag(1), 10), Admission::kNew);
  EXPECT_EQ(pool.admit(state, 100, tag(1), 10), Admission::kReplayed);
  EXPECT_EQ(pool.admit(state, 200, tag(1), 11), Admission::kNew);
  EXPECT_EQ(pool.admit(state, 100, tag(1), 12), Admission::kReplayed);
  EXPECT_EQ(state.entries, 2U);
  EXPECT_EQ(pool.used(), 1U) << "the newest is in the state";
}

// Identified by revision and the rest: a commit has many records of one revision.
TEST(Fence, SiblingsOfOneRevisionAreTold) {
  FencePool pool;
  FenceState state;
  for (std::uint64_t i = 0; i < 200; ++i) {
    EXPECT_EQ(pool.admit(state, 100, tag(i), 10), Admission::kNew) << i;
  }
  for (std::uint64_t i = 0; i < 200; ++i) {
    EXPECT_EQ(pool.admit(state, 100, tag(i), 10), Admission::kReplayed) << i;
  }
}

TEST(Fence, WithinTheHorizonAnyOrderIsExact) {
  std::mt19937_64 random(1);
  for (int round = 0; round < 50; ++round) {
    FencePool pool;
    FenceState state;
    std::vector<std::uint64_t> revisions;
    for (std::uint64_t i = 0; i < 255; ++i) revisions.push_back(100 + random() % 150);
    std::set<std::pair<std::uint64_t, std::uint64_t>> seen;
    for (const std::uint64_t revision : revisions) {
      const std::uint64_t which = random() % 3;
      const bool fresh = seen.emplace(revision, which).second;
      EXPECT_EQ(pool.admit(state, revision, tag(which), 10) != Admission::kReplayed, fresh);
      if (random() % 8 == 0) {
        EXPECT_FALSE(pool.age(state, 10)) << "nothing is older";
      }
    }
    EXPECT_EQ(state.floor, 0U);
    EXPECT_EQ(state.entries, seen.size());
  }
}

TEST(Fence, AgeingRaisesTheFloorOverAllThatIsOlder) {
  FencePool pool;
  FenceState state;
  EXPECT_EQ(pool.admit(state, 300, tag(3), 30), Admission::kNew);
  EXPECT_EQ(pool.admit(state, 100, tag(1), 10), Admission::kNew);
  EXPECT_EQ(pool.admit(state, 200, tag(2), 20), Admission::kNew);
  EXPECT_TRUE(pool.age(state, 11));
  EXPECT_EQ(state.floor, 100U);
  EXPECT_EQ(state.entries, 2U);
  EXPECT_EQ(pool.admit(state, 100, tag(9), 31), Admission::kReplayed) << "at the floor";
  EXPECT_EQ(pool.admit(state, 50, tag(9), 31), Admission::kReplayed) << "below it";
  EXPECT_EQ(pool.admit(state, 150, tag(9), 31), Admission::kNew) << "above it";
  EXPECT_TRUE(pool.age(state, 31)) << "the newest is old: all go, the late one too";
  EXPECT_EQ(state.floor, 300U);
  EXPECT_EQ(state.entries, 0U);
  EXPECT_EQ(pool.used(), 0U);
  EXPECT_FALSE(pool.age(state, UINT32_MAX));
}

// A replay of any length: whatever was aged meanwhile is below the floor.
TEST(Fence, ReplaysOfAnyLengthAreSeen) {
  FencePool pool;
  FenceState state;
  std::vector<std::pair<std::uint64_t, std::uint64_t>> all;
  std::mt19937_64 random(2);
  for (std::uint64_t i = 1; i <= 5'000; ++i) {
    const std::uint64_t revision = i / 3 + 1;
    all.emplace_back(revision, i);
    EXPECT_NE(pool.admit(state, revision, tag(i), static_cast<std::uint32_t>(i)),
              Admission::kReplayed);
    if (i % 10 == 0 && i > 60) pool.age(state, static_cast<std::uint32_t>(i - 60));
    if (i % 500 != 0) continue;
    const std::size_t back = random() % all.size();
    for (std::size_t j = all.size() - 1 - back; j < all.size(); ++j) {
      EXPECT_EQ(pool.admit(state, all[j].first, tag(all[j].second), static_cast<std::uint32_t>(i)),
                Admission::kReplayed);
    }
  }
  EXPECT_LT(pool.used(), 100U);
  EXPECT_EQ(pool.overflows(), 0U);
}

// The set holds at least 256; overflow removes the smallest revisions, never the newest, whose
// siblings (a commit has at most 200) always fit, and is counted.
TEST(Fence, OverflowKeepsTheNewestAndIsCounted) {
  FencePool pool;
  FenceState state;
  std::uint64_t revision = 1'000;
  while (pool.overflows() == 0) {
    ASSERT_LT(revision, 3'000U);
    ++revision;
    EXPECT_EQ(pool.admit(state, revision, tag(revision), 10), Admission::kNew);
  }
  EXPECT_GE(state.entries, 256U);
  EXPECT_LT(state.floor, revision - 255);
  for (std::uint64_t r = 1'001; r <= revision; ++r) {
    EXPECT_EQ(pool.admit(state, r, tag(r), 10), Admission::kReplayed) << r;
  }
  EXPECT_EQ(pool.overflows(), 1U);
}

TEST(Fence, TheNewestCommitAlwaysFits) {
  for (std::uint32_t filled = 0; filled < 2 * FencePool::kKept; ++filled) {
    FencePool pool;
    FenceState state;
    for (std::uint64_t i = 1; i <= filled; ++i) {
      ASSERT_EQ(pool.admit(state, i, tag(i), 10), Admission::kNew);
    }
    for (std::uint64_t i = 0; i < 200; ++i) {
      ASSERT_EQ(pool.admit(state, 10'000, tag(i), 10), Admission::kNew) << filled << " " << i;
    }
    for (std::uint64_t i = 0; i < 200; ++i) {
      ASSERT_EQ(pool.admit(state, 10'000, tag(i), 10), Admission::kReplayed);
    }
  }
}

// A commit of thousands of records costs the account its own, not memory.
TEST(Fence, AHostileCommitIsBounded) {
  FencePool pool;
  FenceState state;
  for (std::uint64_t i = 0; i < 100'000; ++i) pool.admit(state, 7, tag(i), 10);
  EXPECT_LE(pool.used(), 2U * FencePool::kKept);
  EXPECT_GT(pool.overflows(), 0U);
  EXPECT_EQ(pool.admit(state, 8, tag(0), 10), Admission::kNew);
}

TEST(Fence, ComesBackAsItWas) {
  std::mt19937_64 random(3);
  FencePool pool;
  std::vector<FenceState> states(20);
  std::vector<std::set<std::uint64_t>> seen(20);
  for (int i = 0; i < 20'000; ++i) {
    const std::size_t at = random() % states.size();
    const std::uint64_t revision = static_cast<std::uint64_t>(i) / 10 + random() % 40 + 1;
    const bool above = revision > states[at].floor;
    const bool fresh = above && seen[at].insert(revision).second;
    ASSERT_EQ(pool.admit(states[at], revision, tag(1), static_cast<std::uint32_t>(i)) !=
                  Admission::kReplayed,
              fresh);
    if (random() % 10 == 0 && i > 600) {
      pool.age(states[at], static_cast<std::uint32_t>(i - 600));
    }
    if (random() % 10 == 0) {  // leaves memory and returns
      std::vector<FenceEntry> entries;
      pool.copy(states[at], entries);
      EXPECT_EQ(entries.size(), states[at].entries);
      EXPECT_TRUE(std::is_sorted(
          entries.begin(), entries.end(),
          [](const FenceEntry& a, const FenceEntry& b) { return a.revision > b.revision; }));
      pool.release(states[at]);
      EXPECT_EQ(states[at].entries, 0U);
      pool.restore(states[at], entries);
    }
  }
  std::size_t nodes = 0;
  for (FenceState& state : states) nodes += state.entries == 0 ? 0 : state.entries - 1;
  EXPECT_EQ(pool.used(), nodes);
  for (FenceState& state : states) pool.release(state);
  EXPECT_EQ(pool.used(), 0U);
}

// Evidence: an older one that is accepted late changes nothing that a newer one has set.
TEST(Fence, LateEvidenceIsMarked) {
  FencePool pool;
  FenceState state;
  EXPECT_EQ(pool.admit(state, 300, tag(1, FenceTopic::kProfile), 10), Admission::kNew);
  EXPECT_EQ(pool.admit(state, 200, tag(2, FenceTopic::kProfile), 10), Admission::kNewLate);
  EXPECT_EQ(pool.admit(state, 400, tag(3, FenceTopic::kProfile), 10), Admission::kNew);
  EXPECT_EQ(pool.admit(state, 100, tag(4), 10), Admission::kNew) << "a post is never late";
  EXPECT_EQ(pool.admit(state, 350, tag(5, FenceTopic::kAddress), 10), Admission::kNew)
      << "an address gives way to addresses only";
}

}  // namespace
}  // namespace geotally::tally
