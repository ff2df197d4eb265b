// Goal: every account of a range is read exactly once, as it was committed; the threads end when
// nobody wants more, and what they cannot read is an error of the shard.
// Method: stores of one commit, read in several ranges and by several threads.
#include "pipeline/account_reader.h"

#include <map>
#include <string>

#include <gtest/gtest.h>

#include "support/temp_dir.h"

namespace geotally::pipeline {
namespace {

using support::TempDir;

constexpr tally::AccountKey kMiddle = tally::AccountKey{1} << 63;

std::unique_ptr<store::Store> open(const TempDir& directory) {
  store::Options options;
  options.directory = directory.path();
  return store::Store::open(options);
}

// Key to number of posts, which tells the accounts apart.
using Accounts = std::map<tally::AccountKey, std::uint32_t>;

std::string encoded(std::uint32_t posts) {
  store::AccountRecord record;
  record.state.posts = posts;
  record.state.last_post_s = 1'750'000'000;
  if (posts % 3 == 0) record.fence.push_back({posts, posts, posts});
  std::string bytes;
  store::encode_account(record, bytes);
  return bytes;
}

// The hash of account ids is spread over all keys; its ends are there too.
Accounts commit_accounts(store::Store& store, std::uint32_t count) {
  std::map<tally::AccountKey, std::string> bytes;
  Accounts accounts;
  for (std::uint32_t i = 1; i <= count; ++i) {
    const tally::AccountKey key = i == 1 ? 1 : i == 2 ? UINT64_MAX : i * 0x9e3779b97f4a7c15U;
    accounts[key] = i;
    bytes[key] = encoded(i);
  }
  store::Commit commit;
  commit.record.number = 1;
  for (const auto& [key, value] : bytes) commit.accounts.push_back({key, value});
  store.commit(commit);
  return accounts;
}

void take_all(AccountReader& reader, Accounts& accounts) {
  AccountReader::Part part;
  while (reader.take(part)) {
    for (std::size_t i = 0; i < part.size; ++i) {
      const AccountReader::Account& account = part.accounts[i];
      ASSERT_TRUE(accounts.emplace(account.key, account.record.state.posts).second);
      ASSERT_EQ(account.record.fence.size(), account.record.state.posts % 3 == 0 ? 1U : 0U);
    }
  }
}

TEST(AccountReader, ReadsEachAccountOnce) {
  for (const std::uint32_t count : {0U, 2U, 40U, 70'000U}) {
    const TempDir directory;
    const auto store = open(directory);
    const Accounts committed = commit_accounts(*store, count);
    for (const std::size_t threads : {1, 2, 5}) {
      Accounts whole;
      AccountReader reader(*store, 0, UINT64_MAX, count, "read", threads);
      take_all(reader, whole);
      EXPECT_EQ(whole, committed);

      Accounts halves;
      AccountReader lower(*store, 0, kMiddle - 1, count / 2, "read", threads);
      take_all(lower, halves);
      EXPECT_TRUE(halves.empty() || halves.rbegin()->first < kMiddle);
      AccountReader upper(*store, kMiddle, UINT64_MAX, count / 2, "read", threads);
      take_all(upper, halves);
      EXPECT_EQ(halves, committed);
    }
  }
}

TEST(AccountReader, ARangeMayBeOneKey) {
  const TempDir directory;
  const auto store = open(directory);
  commit_accounts(*store, 40);
  for (const tally::AccountKey key : {tally::AccountKey{1}, UINT64_MAX}) {
    Accounts found;
    AccountReader reader(*store, key, key, 1, "read", 2);
    take_all(reader, found);
    ASSERT_EQ(found.size(), 1U);
    EXPECT_EQ(found.begin()->first, key);
  }
}

// Most of it is never taken, so that both threads stand still with what they have read.
TEST(AccountReader, EndsWhenNobodyWantsMore) {
  const TempDir directory;
  const auto store = open(directory);
  commit_accounts(*store, 70'000);
  for (const int parts : {0, 1, 3}) {
    AccountReader reader(*store, 0, UINT64_MAX, 70'000, "read", 2);
    AccountReader::Part part;
    for (int i = 0; i < parts; ++i) ASSERT_TRUE(reader.take(part));
  }
}

TEST(AccountReader, WhatCannotBeReadIsThrown) {
  const TempDir directory;
  const auto store = open(directory);
  commit_accounts(*store, 3'000);
  store::Commit commit;
  commit.record.number = 2;
  commit.accounts.push_back({kMiddle + 12'345, "no account"});
  store->commit(commit);
  AccountReader reader(*store, 0, UINT64_MAX, 70'000, "read", 2);
  Accounts read;
  EXPECT_THROW(take_all(reader, read), store::Refused);
}

}  // namespace
}  // namespace geotally::pipeline
