// Goal: the table is a map, at every size, for every range of keys, also when full.
// Method: the same random calls on the table and on a std::map.
#include "pipeline/account_table.h"

#include <algorithm>
#include <map>
#include <random>
#include <span>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "pipeline/hand.h"
#include "pipeline/sampler.h"

namespace geotally::pipeline {
namespace {

constexpr std::uint64_t kPartitionSpan = std::uint64_t{1} << (64 - kPartitionBits);

struct Range {
  tally::AccountKey first;
  std::uint64_t span;  // 0 = all
  [[nodiscard]] tally::AccountKey last() const { return first + (span - 1); }
};

// One shard; half of the keys; one partition at either end and in the middle; an odd range.
const Range kRanges[] = {
    {0, 0},
    {std::uint64_t{1} << 63, std::uint64_t{1} << 63},
    {0, kPartitionSpan},
    {33 * kPartitionSpan, kPartitionSpan},
    {63 * kPartitionSpan, kPartitionSpan},
    {13 * kPartitionSpan, 13 * kPartitionSpan},
};

class AccountTableOf : public testing::TestWithParam<Range> {
 protected:
  tally::AccountKey any() {
    const Range range = GetParam();
    const tally::AccountKey key =
        range.span == 0 ? random_() : range.first + random_() % range.span;
    return key == 0 ? 1 : key;
  }

  std::mt19937_64 random_{7};
};

// The slots of the table are in the order of the keys' homes: everything is there exactly once.
void expect_same(AccountTable& table, const std::map<tally::AccountKey, std::uint32_t>& model) {
  ASSERT_EQ(table.size(), model.size());
  std::size_t occupied = 0;
  for (std::size_t i = 0; i < table.slots(); ++i) occupied += table.key(i) != 0 ? 1 : 0;
  ASSERT_EQ(occupied, model.size());
  for (const auto& [key, value] : model) {
    HotAccount* const found = table.find(key);
    ASSERT_NE(found, nullptr);
    ASSERT_EQ(found->state.posts, value);
  }
}

TEST_P(AccountTableOf, IsAMap) {
  AccountTable table(GetParam().first, GetParam().span, 20'000);
  std::map<tally::AccountKey, std::uint32_t> model;
  for (std::uint32_t step = 0; step < 60'000; ++step) {
    // Grows for a while, then shrinks, then grows again.
    const bool grow = step / 15'000 % 2 == 0 ? random_() % 10 < 8 : random_() % 10 < 2;
    if (grow && !table.full()) {
      const tally::AccountKey key = any();
      if (!model.contains(key)) {
        ASSERT_EQ(table.find(key), nullptr);
        table.insert(key).state.posts = step;
        model[key] = step;
      }
    } else {
      const std::size_t slot = random_() % table.slots();
      if (const tally::AccountKey key = table.key(slot); key != 0) {
        table.erase(slot);
        model.erase(key);
        ASSERT_EQ(table.find(key), nullptr);
      }
    }
    if (step % 5'000 == 0) expect_same(table, model);
  }
  expect_same(table, model);
}

TEST_P(AccountTableOf, TakesKeysAtBothEnds) {
  const Range range = GetParam();
  AccountTable table(range.first, range.span, 10'000);
  std::map<tally::AccountKey, std::uint32_t> model;
  const auto add = [&](tally::AccountKey key) {
    if (key == 0 || model.contains(key)) return;
    table.insert(key).state.posts = static_cast<std::uint32_t>(key);
    model[key] = static_cast<std::uint32_t>(key);
  };
  // Runs of neighbours: all of them have the same home.
  for (std::uint64_t i = 0; i < 300; ++i) {
    add(range.first + i);
    add(range.last() - i);
  }
  expect_same(table, model);
  // Growing keeps them; taking every other one out leaves the rest where it is found.
  while (table.size() < 5'000) add(any());
  expect_same(table, model);
  for (std::size_t i = 0; i < table.slots(); i += 2) {
    if (const tally::AccountKey key = table.key(i); key != 0) {
      table.erase(i);
      model.erase(key);
    }
  }
  expect_same(table, model);
}

TEST_P(AccountTableOf, IsFullAtItsLimit) {
  constexpr std::size_t kSlots = 5'000;  // no power of two
  AccountTable table(GetParam().first, GetParam().span, kSlots);
  EXPECT_EQ(table.limit(), AccountTable::limit_for(kSlots));
  std::map<tally::AccountKey, std::uint32_t> model;
  while (!table.full()) {
    const tally::AccountKey key = any();
    if (!model.emplace(key, 0).second) continue;
    table.insert(key);
  }
  EXPECT_EQ(table.size(), table.limit());
  EXPECT_LE(table.bytes(), kSlots * AccountTable::kSlotBytes + AccountTable::spare_bytes());
  expect_same(table, model);
  // Out and in again, for ever.
  for (int i = 0; i < 10'000; ++i) {
    const std::size_t slot = random_() % table.slots();
    if (table.key(slot) == 0) continue;
    model.erase(table.key(slot));
    table.erase(slot);
    ASSERT_FALSE(table.full());
    tally::AccountKey key = any();
    while (!model.emplace(key, 0).second) key = any();
    table.insert(key);
  }
  expect_same(table, model);
}

INSTANTIATE_TEST_SUITE_P(Ranges, AccountTableOf, testing::ValuesIn(kRanges));

// As they come from a store. Without room made for them they would all lie at the beginning.
TEST_P(AccountTableOf, TakesKeysInOrderOnceThereIsRoom) {
  constexpr std::size_t kAccounts = 50'000;
  AccountTable table(GetParam().first, GetParam().span, 100'000);
  std::map<tally::AccountKey, std::uint32_t> model;
  while (model.size() < kAccounts) model.emplace(any(), model.size());
  table.reserve(kAccounts);
  const std::size_t slots = table.slots();
  for (const auto& [key, number] : model) table.insert(key).state.last_post_s = number;
  EXPECT_EQ(table.slots(), slots);
  for (const auto& [key, number] : model) {
    const HotAccount* account = table.find(key);
    ASSERT_NE(account, nullptr);
    ASSERT_EQ(account->state.last_post_s, number);
  }
}

// As a round of rewriting does: some accounts, then others come, some more.
TEST_P(AccountTableOf, IsWalkedInSteps) {
  for (const std::size_t step : {0, 1, 7, 400, 100'000}) {
    const Range range = GetParam();
    AccountTable table(range.first, range.span, 20'000);
    std::map<tally::AccountKey, bool> before;
    for (std::uint64_t i = 1; i < 100; ++i) {  // neighbours at both ends have one home
      before.emplace(range.first + i, false);
      before.emplace(range.last() - i, false);
    }
    while (before.size() < 1'000) before.emplace(any(), false);
    for (const auto& [key, seen] : before) table.insert(key);
    tally::AccountKey from = range.first;
    const auto visit = [&](tally::AccountKey key, HotAccount& account) {
      EXPECT_EQ(table.find(key), &account);
      if (const auto found = before.find(key); found != before.end()) found->second = true;
    };
    while (table.walk(from, step, visit)) {
      // Grows it several times on the way.
      for (int i = 0; i < 20 && !table.full(); ++i) {
        if (const tally::AccountKey key = any(); table.find(key) == nullptr) table.insert(key);
      }
      if (step == 0) break;  // nothing is asked for: an occupied place at most is left behind
    }
    if (step == 0) continue;
    for (const auto& [key, seen] : before) EXPECT_TRUE(seen) << key;
  }
}

// Marks go with their accounts: when the table grows, and when one leaves and its neighbours move
// up.
TEST_P(AccountTableOf, GivesWhatHasChangedOnce) {
  AccountTable table(GetParam().first, GetParam().span, 20'000);
  std::map<tally::AccountKey, bool> changed;  // every account
  const auto expect_taken = [&] {
    std::vector<tally::AccountKey> taken;
    std::size_t last = 0;
    table.take_changed([&](std::span<const std::size_t> slots) {
      ASSERT_FALSE(slots.empty());
      ASSERT_LE(slots.size(), AccountTable::kTogether);
      for (const std::size_t slot : slots) {
        EXPECT_TRUE(taken.empty() || slot > last);
        last = slot;
        taken.push_back(table.key(slot));
      }
    });
    std::sort(taken.begin(), taken.end());
    std::vector<tally::AccountKey> want;
    for (auto& [key, is_changed] : changed) {
      if (std::exchange(is_changed, false)) want.push_back(key);
    }
    EXPECT_EQ(taken, want);
  };
  for (int step = 0; step < 60'000; ++step) {
    const tally::AccountKey key = any();
    const std::size_t slot = random_() % table.slots();
    const tally::AccountKey found = table.key(slot);
    switch (random_() % 4) {
      case 0:
      case 1:
        if (!table.full() && changed.emplace(key, false).second) table.insert(key);
        break;
      case 2:
        if (found == 0) break;
        table.set_changed(table.slot(slot));
        changed[found] = true;
        break;
      default:
        if (found == 0) break;
        table.erase(slot);
        changed.erase(found);
        break;
    }
    if (step % 7'000 == 0) expect_taken();
  }
  expect_taken();
  expect_taken();  // nothing
}

TEST(AccountTable, ReservesNoMoreThanItsLimit) {
  AccountTable table(0, 0, 10'000);
  table.reserve(1'000'000'000);
  EXPECT_EQ(table.limit(), 7'500U);
  EXPECT_LT(table.slots(), 20'000U);
  table.reserve(1);
  EXPECT_LT(table.slots(), 20'000U);
}

TEST(AccountTable, AnInsertedAccountIsBlank) {
  AccountTable table(0, 0, 4'096);
  HotAccount& first = table.insert(5);
  first.state.posts = 3;
  first.changed = 9;
  first.referenced = true;
  for (std::size_t i = 0; i < table.slots(); ++i) {
    if (table.key(i) == 5) table.erase(i);
  }
  const HotAccount& again = table.insert(5);
  EXPECT_EQ(again.state.posts, 0U);
  EXPECT_EQ(again.changed, 0U);
  EXPECT_FALSE(again.referenced);
}

// However far a round has come, it has been everywhere alike often: so no part of a table grows
// crowded while room is made in another.
TEST(Hand, ThinsOutEvenly) {
  constexpr std::size_t kStretches = 32;
  for (const std::size_t slots : {std::size_t{4'096}, std::size_t{5'003}, std::size_t{100'000}}) {
    Hand hand(slots);
    std::vector<int> visits(slots);
    std::array<std::size_t, kStretches> came{};
    for (std::size_t i = 1; i <= slots; ++i) {
      const std::size_t slot = hand.next();
      ++visits[slot];
      ++came[slot * kStretches / slots];
      const auto [least, most] = std::minmax_element(came.begin(), came.end());
      ASSERT_LE(*most - *least, 16U) << slots << " slots, after " << i;
    }
    EXPECT_EQ(std::count(visits.begin(), visits.end(), 1), static_cast<std::ptrdiff_t>(slots));
  }
}

}  // namespace
}  // namespace geotally::pipeline
