// Goal: what is asked for is read, each time anew, and a failure is the asker's.
// Method: a store of some accounts; keys that are there and keys that are not.
#include "pipeline/account_helper.h"

#include <numeric>

#include <gtest/gtest.h>

#include "support/temp_dir.h"

namespace geotally::pipeline {
namespace {

using support::TempDir;

std::unique_ptr<store::Store> open(const TempDir& directory) {
  store::Options options;
  options.directory = directory.path();
  return store::Store::open(options);
}

// Accounts of the even keys up to 2 * count; each has as many posts as its key says.
void commit_accounts(store::Store& store, std::uint32_t count) {
  std::vector<std::string> bytes(count);
  store::Commit commit;
  commit.record.number = 1;
  for (std::uint32_t i = 0; i < count; ++i) {
    store::AccountRecord record;
    record.state.posts = 2 * (i + 1);
    record.state.last_post_s = 1'750'000'000;
    store::encode_account(record, bytes[i]);
    commit.accounts.push_back({2 * (i + 1), bytes[i]});
  }
  store.commit(commit);
}

TEST(AccountHelper, AnswersWhatWasAsked) {
  const TempDir directory;
  const auto store = open(directory);
  commit_accounts(*store, 500);
  AccountHelper helper(*store, "cold");
  for (const std::size_t count : {1U, 100U, 7U, 300U}) {
    std::vector<tally::AccountKey> keys;
    for (tally::AccountKey key = 1; key <= count; ++key) keys.push_back(key);
    helper.ask(keys);
    keys.assign(keys.size(), 0);  // they need not hold
    const auto answer = helper.answer();
    ASSERT_EQ(answer.size(), count);
    for (std::size_t i = 0; i < count; ++i) {
      EXPECT_EQ(answer[i].key, i + 1);
      EXPECT_EQ(answer[i].found, answer[i].key % 2 == 0);
      EXPECT_EQ(answer[i].found ? answer[i].record.state.posts : 0,
                answer[i].key % 2 == 0 ? answer[i].key : 0);
    }
  }
}

// As when commits fail and the end has come.
TEST(AccountHelper, NobodyNeedsToWaitForAnAnswer) {
  const TempDir directory;
  const auto store = open(directory);
  commit_accounts(*store, 500);
  AccountHelper helper(*store, "cold");
  std::vector<tally::AccountKey> many(300);
  std::iota(many.begin(), many.end(), 1);
  const std::vector<tally::AccountKey> one = {4};
  helper.ask(many);
  helper.ask(one);
  ASSERT_EQ(helper.answer().size(), 1U);
  EXPECT_EQ(helper.answer()[0].record.state.posts, 4U);
  helper.ask(many);
}

TEST(AccountHelper, WhatCannotBeReadIsThrown) {
  const TempDir directory;
  const auto store = open(directory);
  commit_accounts(*store, 10);
  store::Commit commit;
  commit.record.number = 2;
  commit.accounts.push_back({3, "no account"});
  store->commit(commit);
  AccountHelper helper(*store, "cold");
  const std::vector<tally::AccountKey> bad = {2, 3, 4};
  const std::vector<tally::AccountKey> good = {2, 4};
  helper.ask(bad);
  EXPECT_THROW(static_cast<void>(helper.answer()), store::Refused);
  helper.ask(good);
  EXPECT_EQ(helper.answer().size(), 2U);
}

}  // namespace
}  // namespace geotally::pipeline
