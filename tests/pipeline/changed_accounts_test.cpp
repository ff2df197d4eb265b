// Goal: what a commit is given are all changed accounts, by key, as the store decodes them.
// Method: accounts that come nearly in order, as from a table, for more bytes than one piece of
// memory holds; commit after commit.
#include "pipeline/changed_accounts.h"

#include <cstdint>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "store/codec.h"

namespace geotally::pipeline {
namespace {

tally::AccountState state_of(tally::AccountKey key) {
  tally::AccountState state;
  state.posts = static_cast<std::uint32_t>(key);
  state.last_post_s = 1;
  return state;
}

std::vector<tally::FenceEntry> fence_of(std::size_t entries) {
  std::vector<tally::FenceEntry> fence(entries);
  for (std::size_t i = 0; i < entries; ++i) {
    fence[i] = {.revision = 10'000 - i, .tag = i << 2, .seen_s = 7};
  }
  return fence;
}

TEST(ChangedAccounts, AreByKeyAndDecode) {
  ChangedAccounts changed;
  for (const std::size_t count : {20'000, 0, 1, 20'000, 300}) {
    changed.begin(count);
    for (std::size_t i = 0; i < count; ++i) {
      const tally::AccountKey key = (i ^ 3) + 1;  // in fours, backwards
      if (i % 5 == 0) {
        changed.add_forgotten(key);
      } else {
        changed.add(key, state_of(key), {}, {}, fence_of(i % 100 == 1 ? 511 : i % 3));
      }
    }
    const std::vector<store::AccountChange> all = changed.take();
    ASSERT_EQ(all.size(), count);
    for (std::size_t i = 0; i < count; ++i) {
      const std::size_t added = (all[i].key - 1) ^ 3;
      ASSERT_TRUE(i == 0 || all[i].key > all[i - 1].key);
      ASSERT_EQ(all[i].value.empty(), added % 5 == 0);
      if (all[i].value.empty()) continue;
      store::AccountRecord record;
      ASSERT_TRUE(store::decode_account(all[i].value, record));
      ASSERT_EQ(record.state.posts, all[i].key);
      ASSERT_EQ(record.fence.size(), added % 100 == 1 ? 511 : added % 3);
    }
  }
}

}  // namespace
}  // namespace geotally::pipeline
