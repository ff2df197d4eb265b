// Goal: what has changed is given once, by key; a round of rewriting takes along what has not
// changed since its commit, and nothing else. Method: some hundred accounts over a store of their
// own, mark after mark, without a pipeline around them.
#include "pipeline/accounts.h"

#include <atomic>
#include <cstdint>
#include <memory>
#include <set>
#include <vector>

#include <gtest/gtest.h>

#include "store/codec.h"
#include "store/store.h"
#include "support/temp_dir.h"

namespace geotally::pipeline {
namespace {

constexpr std::uint64_t kSpread = 0x9e3779b97f4a7c15;
constexpr std::uint64_t kAccounts = 300;

class AccountsOfAShard : public testing::Test {
 protected:
  AccountsOfAShard() {
    store::Options options;
    options.directory = directory_.path();
    store_ = store::Store::open(options);
    accounts_ = std::make_unique<Accounts>(AccountsOptions{.slots = 4'096}, *store_, committed_,
                                           abandoned_);
  }

  // As a post does.
  void change(std::uint64_t number) {
    HotAccount& hot = accounts_->get(number * kSpread);
    accounts_->touch(hot);
    ++hot.state.posts;
    hot.state.last_post_s = 1;
  }

  // The numbers of the accounts that the next mark takes; durable when it returns.
  std::set<std::uint64_t> take() {
    std::set<std::uint64_t> numbers;
    store::Commit commit;
    commit.record.number = committed_ + 1;
    commit.accounts = accounts_->take_changed(commit.record.number, 0);
    tally::AccountKey before = 0;
    for (const store::AccountChange& account : commit.accounts) {
      EXPECT_GT(account.key, before);
      before = account.key;
      numbers.insert(number_of(account.key));
    }
    store_->commit(commit);
    ++committed_;
    return numbers;
  }

  // The inverse of the odd factor.
  static std::uint64_t number_of(tally::AccountKey key) {
    std::uint64_t inverse = kSpread;
    for (int i = 0; i < 6; ++i) inverse *= 2 - kSpread * inverse;  // Newton, modulo 2^64
    return key * inverse;
  }

  static std::set<std::uint64_t> every(std::uint64_t step, std::uint64_t from) {
    std::set<std::uint64_t> numbers;
    for (std::uint64_t number = from; number <= kAccounts; number += step) numbers.insert(number);
    return numbers;
  }

  const support::TempDir directory_;
  std::atomic<std::uint64_t> committed_{0};
  std::atomic<bool> abandoned_{false};
  std::unique_ptr<store::Store> store_;
  std::unique_ptr<Accounts> accounts_;
};

TEST_F(AccountsOfAShard, WhatHasChangedIsGivenOnce) {
  for (const std::uint64_t number : every(1, 1)) change(number);
  for (const std::uint64_t number : every(3, 1)) change(number);
  EXPECT_EQ(take(), every(1, 1));
  EXPECT_EQ(take(), std::set<std::uint64_t>{});
  for (const std::uint64_t number : every(7, 2)) change(number);
  EXPECT_EQ(take(), every(7, 2));
  store::AccountRecord record;
  ASSERT_TRUE(store_->read_account(kSpread, record));
  EXPECT_EQ(record.state.posts, 2U);
}

TEST_F(AccountsOfAShard, ARoundTakesWhatHasNothingNewer) {
  for (const std::uint64_t number : every(1, 1)) change(number);
  take();
  for (const std::uint64_t number : every(2, 1)) change(number);
  EXPECT_EQ(take(), every(2, 1));
  EXPECT_EQ(accounts_->rewrite(1), 1U);
  EXPECT_EQ(take(), every(2, 2));
  // It is complete: there is no more of it.
  EXPECT_EQ(accounts_->rewrite(1), 1U);
  EXPECT_EQ(take(), std::set<std::uint64_t>{});
  // The next one, after a mark with nothing in it.
  EXPECT_EQ(accounts_->rewrite(0), 1U);
  EXPECT_EQ(accounts_->rewrite(2), 2U);
  EXPECT_EQ(take(), every(2, 1));
}

// In several marks, between which the table grows and most accounts move.
TEST_F(AccountsOfAShard, ARoundGoesOnWhileOthersCome) {
  accounts_ =
      std::make_unique<Accounts>(AccountsOptions{.slots = 65'536}, *store_, committed_, abandoned_);
  constexpr std::uint64_t kMany = 5'000;
  for (std::uint64_t number = 1; number <= kMany; ++number) change(number);
  EXPECT_EQ(take().size(), kMany);
  std::set<std::uint64_t> rewritten;
  std::uint64_t others = kMany;
  int marks = 0;
  for (std::uint64_t complete = 0; complete == 0; ++marks) {
    complete = accounts_->rewrite(1);
    for (int i = 0; i < 900; ++i) change(++others);
    for (const std::uint64_t number : take()) {
      EXPECT_TRUE(number > kMany || rewritten.insert(number).second) << number;
    }
  }
  EXPECT_GT(marks, 2);
  EXPECT_EQ(rewritten.size(), kMany);
}

TEST_F(AccountsOfAShard, WhatWasNeverChangedBelongsToEveryRound) {
  for (const std::uint64_t number : every(1, 1)) change(number);
  take();
  // After a start nobody knows which commit an account is of.
  accounts_ =
      std::make_unique<Accounts>(AccountsOptions{.slots = 4'096}, *store_, committed_, abandoned_);
  accounts_->begin_warm_up();
  EXPECT_EQ(accounts_->residency(), Residency::kLoading);
  EXPECT_EQ(accounts_->rewrite(1), 0U);
  while (accounts_->warming_up()) accounts_->warm_up(0);
  EXPECT_EQ(accounts_->residency(), Residency::kAll);
  EXPECT_EQ(accounts_->size(), kAccounts);
  change(1);
  EXPECT_EQ(take(), std::set<std::uint64_t>{1});
  EXPECT_EQ(accounts_->rewrite(1), 1U);
  EXPECT_EQ(take(), every(1, 2));
}

// All were read, and before that is noticed some have left memory again: those are asked of the
// store, and not taken for new.
TEST_F(AccountsOfAShard, WhatLeftMemoryWhileTheRestWasReadIsStillKnown) {
  for (const std::uint64_t number : every(1, 1)) change(number);
  take();
  accounts_ =
      std::make_unique<Accounts>(AccountsOptions{.slots = 512}, *store_, committed_, abandoned_);
  accounts_->begin_warm_up();
  while (accounts_->size() < kAccounts) accounts_->warm_up(0);
  ASSERT_TRUE(accounts_->warming_up());
  // One more comes than fits: some leave, of those that are durable.
  std::uint64_t number = kAccounts;
  for (std::size_t before = 0; accounts_->size() >= before; change(++number)) {
    before = accounts_->size();
  }
  while (accounts_->warming_up()) accounts_->warm_up(0);
  EXPECT_EQ(accounts_->residency(), Residency::kPart);
  take();
  for (const std::uint64_t one : every(1, 1)) {
    EXPECT_EQ(accounts_->get(one * kSpread).state.posts, 1U) << one;
  }
}

// A part of what was read ahead comes when the account is in memory already, and has changed there.
TEST_F(AccountsOfAShard, WhatIsInMemoryIsNotReplacedByWhatWasReadAhead) {
  for (const std::uint64_t number : every(1, 1)) change(number);
  take();
  accounts_ =
      std::make_unique<Accounts>(AccountsOptions{.slots = 4'096}, *store_, committed_, abandoned_);
  accounts_->begin_warm_up();
  for (const std::uint64_t number : every(3, 1)) change(number);
  while (accounts_->warming_up()) accounts_->warm_up(0);
  EXPECT_EQ(accounts_->residency(), Residency::kAll);
  EXPECT_EQ(accounts_->size(), kAccounts);
  for (const std::uint64_t number : every(1, 1)) {
    EXPECT_EQ(accounts_->get(number * kSpread).state.posts, number % 3 == 1 ? 2U : 1U) << number;
  }
}

TEST_F(AccountsOfAShard, WhatIsBlankIsRemoved) {
  change(1);
  change(2);
  take();
  HotAccount& hot = accounts_->get(kSpread);
  accounts_->touch(hot);
  hot.state = {};
  EXPECT_TRUE(accounts_->is_blank(hot));
  EXPECT_EQ(take(), std::set<std::uint64_t>{1});
  store::AccountRecord record;
  EXPECT_FALSE(store_->read_account(kSpread, record));
  EXPECT_TRUE(store_->read_account(2 * kSpread, record));
}

// A store that lives for long comes round.
TEST(HotAccount, MarksAreNumberedInACircle) {
  constexpr std::uint64_t kMarks = HotAccount::kMarks;
  for (const std::uint64_t round : {std::uint64_t{0}, kMarks, 3 * kMarks, std::uint64_t{1} << 33}) {
    for (std::uint64_t mark = round + 2; mark < round + 5; ++mark) {
      HotAccount hot;
      EXPECT_FALSE(hot.changed_after(mark));
      hot.changed = HotAccount::short_mark(mark) & HotAccount::kMarks;
      EXPECT_NE(hot.changed, 0U);
      EXPECT_TRUE(hot.changed_after(mark - 1));
      EXPECT_FALSE(hot.changed_after(mark));
      EXPECT_FALSE(hot.changed_after(mark + 1));
      EXPECT_FALSE(hot.changed_after(mark + kMarks / 4));
      hot.forget_old_change(mark + kMarks / 4);
      EXPECT_NE(hot.changed, 0U);
      hot.forget_old_change(mark + kMarks / 4 + 1);
      EXPECT_EQ(hot.changed, 0U);
    }
  }
}

}  // namespace
}  // namespace geotally::pipeline
