// Goal: each kind of event changes what the definitions say, and nothing else.
#include "tally/tally.h"

#include <gtest/gtest.h>

#include "support.h"

namespace geotally::tally {
namespace {

const Country kFrance = country("FR");
const Country kJapan = country("JP");

std::uint64_t day_row(OneAccount& account, std::int64_t day, Country where, std::uint64_t which) {
  account.figures(kNoon_s);
  const Row* row = account.totals.row({RowKind::kDay, day});
  if (row == nullptr) return 0;
  const std::size_t i = where.index();
  return which == 0 ? row->posts[i] : which == 1 ? row->deleted[i] : row->accounts[i];
}

// accounts: with at least one accepted post, profile, address, identity or active=true event.
TEST(Accounts, BecomeKnownByWhatTheyDo) {
  for (const EventKind kind : {EventKind::kPost, EventKind::kProfile, EventKind::kAddress,
                               EventKind::kIdentity, EventKind::kAccount}) {
    OneAccount account;
    EXPECT_TRUE(account.add(account.sample(kind, kNoon_s)));
    EXPECT_EQ(account.figures(kNoon_s).accounts, 1U) << to_string(kind);
    EXPECT_EQ(account.state.first_day, kDay);
    EXPECT_EQ(day_row(account, kDay, {}, 2), 1U);
  }
  for (const EventKind kind :
       {EventKind::kPostDelete, EventKind::kProfileDelete, EventKind::kAddressDelete}) {
    OneAccount account;
    EXPECT_TRUE(account.add(account.sample(kind, kNoon_s)));
    EXPECT_EQ(account.figures(kNoon_s).accounts, 0U) << to_string(kind);
  }
  for (const AccountStatus status :
       {AccountStatus::kGone, AccountStatus::kDeleted, AccountStatus::kHostTrouble}) {
    OneAccount account;
    EXPECT_TRUE(account.status(status, kNoon_s));
    EXPECT_EQ(account.figures(kNoon_s).accounts, 0U);
  }
}

// Gone: leaving takes one from accounts and from the buckets of last_post; return is the inverse.
TEST(Status, LeavingAndReturning) {
  for (const AccountStatus status : {AccountStatus::kGone, AccountStatus::kDeleted}) {
    OneAccount account;
    account.post(kNoon_s, kFrance);
    account.status(status, kNoon_s + 10);
    CountryFigures now = account.figures(kNoon_s + 10, kFrance);
    EXPECT_EQ(now.accounts, 0U);
    EXPECT_EQ(now.window_active[0], 0U);
    EXPECT_EQ(now.window_active[2], 0U);
    EXPECT_EQ(now.window_posts[0], 1U) << "the post stays a post";
    EXPECT_EQ(now.posts, 1U);
    EXPECT_EQ(now.evidence, (std::array<std::uint64_t, kEvidenceKinds>{}));
    account.status(AccountStatus::kActive, kNoon_s + 20);
    now = account.figures(kNoon_s + 20, kFrance);
    EXPECT_EQ(now.accounts, 1U);
    EXPECT_EQ(now.window_active[0], 1U);
    EXPECT_EQ(now.engagement[static_cast<std::size_t>(Engagement::kOnce)], 1U);
    EXPECT_EQ(day_row(account, kDay, kFrance, 2), 1U) << "it was new once";
  }
}

// desynchronized and throttled are states of a host.
TEST(Status, HostTroubleIsNoDeparture) {
  OneAccount account;
  account.post(kNoon_s);
  EXPECT_TRUE(account.status(AccountStatus::kHostTrouble, kNoon_s + 1));
  EXPECT_EQ(account.figures(kNoon_s + 1).accounts, 1U);
  account.status(AccountStatus::kGone, kNoon_s + 2);
  account.status(AccountStatus::kHostTrouble, kNoon_s + 3);
  EXPECT_EQ(account.figures(kNoon_s + 3).accounts, 0U) << "nor a return";
}

// A post of a gone account counts as a post, not as activity.
TEST(Status, APostOfAGoneAccountIsAPost) {
  OneAccount account;
  account.post(kNoon_s);
  account.status(AccountStatus::kGone, kNoon_s + 1);
  EXPECT_TRUE(account.post(kNoon_s + 100));
  CountryFigures now = account.figures(kNoon_s + 100);
  EXPECT_EQ(now.posts, 2U);
  EXPECT_EQ(now.window_posts[0], 2U);
  EXPECT_EQ(now.window_active[0], 0U);
  account.status(AccountStatus::kActive, kNoon_s + 200);
  now = account.figures(kNoon_s + 100 + 899);
  EXPECT_EQ(now.window_active[0], 1U) << "its last post is the later one";
}

// Last writer wins by the nested time, ties by the sequence.
TEST(Status, AnOlderOneThatComesLateChangesNothing) {
  OneAccount account;
  account.post(kNoon_s);
  EXPECT_TRUE(account.status(AccountStatus::kActive, kNoon_s + 20));
  EXPECT_FALSE(account.status(AccountStatus::kGone, kNoon_s + 10));
  EXPECT_EQ(account.figures(kNoon_s + 20).accounts, 1U);

  Sample tie = account.sample(EventKind::kAccount, kNoon_s + 20);
  tie.status = AccountStatus::kGone;
  EXPECT_FALSE(account.add(tie)) << "the same time and sequence";
  tie.upstream_sequence = 1;
  EXPECT_TRUE(account.add(tie));
  EXPECT_FALSE(account.add(tie));
  EXPECT_EQ(account.figures(kNoon_s + 20).accounts, 0U);
  tie.upstream_sequence = 0;
  EXPECT_FALSE(account.add(tie));
}

TEST(Status, SequencesCompareAcrossTheirOverflow) {
  OneAccount account;
  Sample event = account.sample(EventKind::kIdentity, kNoon_s);
  event.upstream_sequence = UINT32_MAX;
  EXPECT_TRUE(account.add(event));
  event.upstream_sequence = 3;
  EXPECT_TRUE(account.add(event));
  event.upstream_sequence = UINT32_MAX;
  EXPECT_FALSE(account.add(event));
}

TEST(Status, IdentityAndStatusHaveFencesOfTheirOwn) {
  OneAccount account;
  EXPECT_TRUE(account.add(account.sample(EventKind::kIdentity, kNoon_s + 50)));
  EXPECT_TRUE(account.status(AccountStatus::kGone, kNoon_s + 10));
  EXPECT_FALSE(account.add(account.sample(EventKind::kIdentity, kNoon_s + 40)));
}

// Deletions count to the account's country of that moment; they take nothing back.
TEST(Deletions, TakeNothingBack) {
  OneAccount account;
  account.post(kNoon_s, kFrance);
  account.add(account.sample(EventKind::kPostDelete, kNoon_s + 60),
              {kJapan, EvidenceKind::kFlag, 200});
  const CountryFigures france = account.figures(kNoon_s + 60, kFrance);
  const CountryFigures japan = account.figures(kNoon_s + 60, kJapan);
  EXPECT_EQ(france.posts, 1U);
  EXPECT_EQ(france.posts_deleted, 0U);
  EXPECT_EQ(japan.posts_deleted, 1U);
  EXPECT_EQ(japan.window_active[0], 1U) << "last_post is untouched";
  EXPECT_EQ(account.state.last_post_s, kNoon_s);
  EXPECT_EQ(day_row(account, kDay, kJapan, 1), 1U);
}

// A post keeps its country; accounts and active counts follow the account.
TEST(Moves, PostsStayAndAccountsGo) {
  OneAccount account;
  account.post(kNoon_s, kFrance);
  account.post(kNoon_s + 1, kFrance);
  account.add(account.sample(EventKind::kProfile, kNoon_s + 2), {kJapan, EvidenceKind::kFlag, 200});
  const CountryFigures france = account.figures(kNoon_s + 2, kFrance);
  const CountryFigures japan = account.figures(kNoon_s + 2, kJapan);
  EXPECT_EQ(france.posts, 2U);
  EXPECT_EQ(france.window_posts[0], 2U);
  EXPECT_EQ(france.accounts, 0U);
  EXPECT_EQ(france.window_active[0] + france.window_active[1] + france.window_active[2], 0U);
  EXPECT_EQ(france.confidence_sum, 0U);
  EXPECT_EQ(japan.accounts, 1U);
  EXPECT_EQ(japan.window_active[0], 1U);
  EXPECT_EQ(japan.window_active[2], 1U);
  EXPECT_EQ(japan.confidence_sum, 200U);
  EXPECT_EQ(japan.evidence[static_cast<std::size_t>(EvidenceKind::kFlag)], 1U);
  EXPECT_EQ(japan.engagement[static_cast<std::size_t>(Engagement::kOnce)], 1U);
}

// --- explicit evidence: it decides until it is replaced or deleted ----------------------------

TEST(Address, DecidesUntilItIsReplacedOrDeleted) {
  OneAccount account;
  account.address(kFrance, 1, kNoon_s);
  EXPECT_EQ(account.state.declared, kFrance);
  EXPECT_EQ(account.figures(kNoon_s, kFrance).accounts, 1U);
  account.address(kJapan, 1, kNoon_s + 1);
  EXPECT_EQ(account.state.declared, kJapan);
  Sample other = account.sample(EventKind::kAddressDelete, kNoon_s + 2);
  other.record_key = 2;
  account.add(other);
  EXPECT_EQ(account.state.declared, kJapan) << "another record was deleted";
  Sample own = account.sample(EventKind::kAddressDelete, kNoon_s + 3);
  own.record_key = 1;
  account.add(own);
  EXPECT_EQ(account.state.declared, kUnknownCountry);
}

TEST(Address, OneThatDeclaresNothingSpeaksOfItself) {
  OneAccount account;
  account.address(kFrance, 1, kNoon_s);
  account.address(kUnknownCountry, 2, kNoon_s + 1);
  EXPECT_EQ(account.state.declared, kFrance) << "a second record without a country";
  account.address(kUnknownCountry, 1, kNoon_s + 2);
  EXPECT_EQ(account.state.declared, kUnknownCountry) << "it was replaced";
}

TEST(Address, WhatComesLateGivesWayToWhatOutdoesIt) {
  const auto declared = [](std::initializer_list<int> order) {
    // In their own order: 1 declares FR, 2 declares JP elsewhere, 3 deletes the first.
    OneAccount account;
    std::array<Sample, 3> events = {account.sample(EventKind::kAddress, kNoon_s),
                                    account.sample(EventKind::kAddress, kNoon_s + 1),
                                    account.sample(EventKind::kAddressDelete, kNoon_s + 2)};
    events[0].country = kFrance;
    events[0].record_key = 7;
    events[1].country = kJapan;
    events[1].record_key = 8;
    events[2].record_key = 7;
    for (const int which : order) {
      EXPECT_TRUE(account.add(events[static_cast<std::size_t>(which - 1)]));
    }
    return account.state.declared;
  };
  EXPECT_EQ(declared({1, 2, 3}), kJapan);
  EXPECT_EQ(declared({1, 3, 2}), kJapan);
  EXPECT_EQ(declared({2, 1, 3}), kJapan);
  EXPECT_EQ(declared({2, 3, 1}), kJapan);
  EXPECT_EQ(declared({3, 1, 2}), kJapan);
  EXPECT_EQ(declared({3, 2, 1}), kJapan);
  EXPECT_EQ(declared({3, 1}), kUnknownCountry) << "deleted already";
  EXPECT_EQ(declared({1, 3}), kUnknownCountry);
}

// --- erasure: only key and floor stay; a later event makes a new account -------------------------

TEST(Erase, LeavesTheFloorAndCountsAsLeaving) {
  OneAccount account;
  const Sample post = account.sample(EventKind::kPost, kNoon_s);
  account.add(post, {kFrance, EvidenceKind::kFlag, 100});
  account.forget();
  const CountryFigures now = account.figures(kNoon_s, kFrance);
  EXPECT_EQ(now.accounts, 0U);
  EXPECT_EQ(now.window_active[1], 0U);
  EXPECT_EQ(now.posts, 1U);
  EXPECT_EQ(account.state.posts, 0U);
  EXPECT_EQ(account.state.country, kUnknownCountry);
  EXPECT_EQ(account.pools.fences.used(), 0U);
  EXPECT_FALSE(account.add(post)) << "a replay";
  EXPECT_TRUE(account.post(kNoon_s + kDaySeconds));
  EXPECT_EQ(account.figures(kNoon_s + kDaySeconds).accounts, 1U) << "a new account";
  EXPECT_EQ(day_row(account, kDay + 1, {}, 2), 1U);
}

TEST(Erase, OfAGoneAccountChangesNoFigure) {
  OneAccount account;
  account.post(kNoon_s);
  account.status(AccountStatus::kDeleted, kNoon_s + 1);
  account.forget();
  EXPECT_EQ(account.figures(kNoon_s + 1).accounts, 0U);
  EXPECT_FALSE(account.status(AccountStatus::kDeleted, kNoon_s + 1));
}

TEST(TotalsDeathTest, ACellBelowZeroAborts) {
  Totals totals;
  Changes changes;
  changes.country(kFrance).accounts = -1;
  EXPECT_DEATH(totals.apply(changes), "invariant broken");
}

}  // namespace
}  // namespace geotally::tally
