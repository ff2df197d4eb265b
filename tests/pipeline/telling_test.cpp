// Goal: a repository that a server tells again counts once (DEFINITIONS: Told rows).
// Method: v2 frames as the server sends them, through decoder, ingest, shards and commits of a real
// store, over restarts, hosts and wires; each test is a clause of the definition.
#include <algorithm>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "rig.h"
#include "store/verify.h"
#include "support/temp_dir.h"
#include "tally/order.h"

namespace geotally::pipeline {
namespace {

using support::Line;
using support::revision_at;
using support::tid;
using Kind = Line::Kind;

constexpr std::int64_t kSecond = support::kSecond_us;
constexpr std::int64_t kHour = 3'600 * kSecond;
constexpr std::int64_t kDay = support::kDay_us;
constexpr std::int64_t kStart = 1'780'000'000'000'000;  // May 2026

class Told : public testing::Test {
 protected:
  Told() { options_.directory = directory_.path(); }

  void SetUp() override {
    options_.wire = feed::Wire::kJetstreamV2;
    open();
  }

  void open() {
    rig_.reset();
    rig_ = std::make_unique<Rig>(options_);
  }
  // Another process goes on; `host` is the one that it reaches.
  void restart(feed::Wire wire, std::string_view host = "test:1") {
    rig_->settle();
    rig_.reset();
    options_.wire = wire;
    options_.connect = false;
    rig_ = std::make_unique<Rig>(options_);
    rig_->reconnect(host);
  }

  static Line post(std::int64_t time_us, std::uint64_t key = 0, std::string did = "did:plc:a") {
    Line line;
    line.kind = Kind::kPost;
    line.did = std::move(did);
    line.time_us = time_us;
    line.rkey = tid(key != 0 ? key : revision_at(time_us));
    return line;
  }
  static Line sync(std::int64_t time_us, std::uint64_t revision, std::string did = "did:plc:a") {
    Line line;
    line.kind = Kind::kSync;
    line.did = std::move(did);
    line.time_us = time_us;
    line.revision = revision;
    return line;
  }
  // A post of key `key` that is told with `revision`, witnessed at `time_us`.
  static Line told(std::int64_t time_us, std::uint64_t revision, std::uint64_t key,
                   std::string did = "did:plc:a") {
    Line line = post(time_us, key, std::move(did));
    line.revision = revision;
    return line;
  }
  static Line profile(std::int64_t time_us, std::uint64_t revision, std::string description) {
    Line line = post(time_us);
    line.kind = Kind::kProfile;
    line.rkey = "self";
    line.revision = revision;
    line.description = std::move(description);
    return line;
  }
  static Line address(std::int64_t time_us, std::uint64_t revision, std::string country) {
    Line line = post(time_us);
    line.kind = Kind::kAddress;
    line.rkey = "home";
    line.revision = revision;
    line.country = std::move(country);
    return line;
  }

  void feed(const std::vector<Line>& lines) {
    for (const Line& line : lines) rig_->feed(line);
  }

  // Five posts a second apart, from `kStart` on.
  void five() {
    for (int i = 0; i < 5; ++i) rig_->feed(post(kStart + i * kSecond));
  }
  // The same five, told.
  void tell_five(std::int64_t time_us, std::uint64_t revision) {
    for (int i = 0; i < 5; ++i) {
      rig_->feed(told(time_us, revision, revision_at(kStart + i * kSecond)));
    }
  }

  std::uint64_t posts() {
    rig_->settle();
    std::uint64_t sum = 0;
    for (const auto& country : rig_->snapshot()->countries) sum += country.posts;
    return sum;
  }
  double resync() {
    rig_->settle();
    return rig_->dropped("resync");
  }
  double replayed() {
    rig_->settle();
    return rig_->dropped("replayed");
  }
  std::uint64_t accounts() {
    rig_->settle();
    std::uint64_t sum = 0;
    for (const auto& country : rig_->snapshot()->countries) sum += country.accounts;
    return sum;
  }
  void expect_verified() {
    rig_->settle();
    const store::Verification verification = store::verify(rig_->store());
    EXPECT_EQ(verification.differing, 0U) << store::summary(verification);
  }

  support::TempDir directory_;
  RigOptions options_;
  std::unique_ptr<Rig> rig_;
};

// A rig whose connection began by a sequence: nothing before it can have been missed.
class ToldInOrder : public Told {
 protected:
  void SetUp() override {
    Told::SetUp();
    rig_->feed(post(kStart - kHour, 0, "did:plc:first"));
    rig_->settle();
    rig_->reconnect();
  }
};

TEST_F(ToldInOrder, FivePostsToldAgainWithOneNewAreSixAndALaterOneSeven) {
  five();
  const std::int64_t at = kStart + 10 * kSecond;
  const std::uint64_t revision = revision_at(at);
  rig_->feed(sync(at, revision));
  tell_five(at, revision);
  rig_->feed(told(at, revision, revision_at(kStart + 5 * kSecond)));
  rig_->feed(post(at + kSecond));
  EXPECT_EQ(posts(), 1U + 7U);
  EXPECT_EQ(resync(), 5);
  EXPECT_EQ(replayed(), 0);
  EXPECT_EQ(rig_->metric("geotally_events_total{kind=\"sync\"}"), 1);
  EXPECT_EQ(rig_->rejected(), 0);
  expect_verified();
}

// "in a store without an archive, K > max(`observed_since`, witnessed − 90 d)"
TEST_F(ToldInOrder, OfAnUnknownAccountOnlyWhatIsYoungerThanTheStoreCounts) {
  const std::int64_t at = kStart + kHour;
  const std::uint64_t revision = revision_at(at);
  rig_->feed(sync(at, revision));
  for (int day = 30; day > 0; --day) rig_->feed(told(at, revision, revision_at(at - day * kDay)));
  rig_->feed(told(at, revision, revision_at(kStart - kHour)));  // = observed_since
  rig_->feed(told(at, revision, revision_at(kStart - kHour) + 1));
  rig_->feed(told(at, revision, revision_at(kStart)));
  EXPECT_EQ(posts(), 1U + 2U);
  EXPECT_EQ(resync(), 31);
  EXPECT_EQ(accounts(), 2U);
  expect_verified();
}

TEST_F(ToldInOrder, NothingOlderThanNinetyDaysCountsWithoutAnArchive) {
  const std::int64_t later = kStart + 100 * kDay;
  for (int day = 20; day <= 100; day += 20) {
    rig_->feed(post(kStart + day * kDay, 0, "did:plc:first"));
  }
  const std::uint64_t revision = revision_at(later);
  rig_->feed(sync(later, revision));
  rig_->feed(told(later, revision, revision_at(later - 91 * kDay)));
  rig_->feed(told(later, revision, revision_at(later - 90 * kDay)));
  rig_->feed(told(later, revision, revision_at(later - 90 * kDay) + 1));
  EXPECT_EQ(posts(), 6U + 1U);
  EXPECT_EQ(resync(), 2);
}

// The fence keeps some hundred of one revision.
TEST_F(ToldInOrder, ThreeThousandRowsOfOneRevisionCountOnce) {
  std::vector<std::uint64_t> keys;
  for (int i = 0; i < 3'000; ++i) keys.push_back(revision_at(kStart + i * kSecond));
  for (int i = 0; i < 1'500; ++i) rig_->feed(post(kStart + i * kSecond));
  const std::int64_t at = kStart + 3'001 * kSecond;
  const std::uint64_t revision = revision_at(at);
  rig_->feed(sync(at, revision));
  for (const std::uint64_t key : keys) rig_->feed(told(at, revision, key));
  EXPECT_EQ(posts(), 1U + 3'000U);
  EXPECT_EQ(resync(), 1'500);
  for (const std::uint64_t key : keys) rig_->feed(told(at, revision, key));
  EXPECT_EQ(posts(), 1U + 3'000U);
  expect_verified();
}

TEST_F(ToldInOrder, RowsOfOtherAccountsMayStandBetween) {
  five();
  const std::int64_t at = kStart + 10 * kSecond;
  const std::uint64_t a = revision_at(at);
  const std::uint64_t b = revision_at(at, 7);
  rig_->feed(sync(at, a));
  rig_->feed(sync(at, b, "did:plc:b"));
  for (int i = 0; i < 6; ++i) {
    const std::uint64_t key = revision_at(kStart + i * kSecond);
    rig_->feed(told(at, a, key));
    rig_->feed(post(at + i, 0, fmt::format("did:plc:other{}", i)));
    rig_->feed(told(at, b, key, "did:plc:b"));
  }
  EXPECT_EQ(posts(), 1U + 5U + 1U + 6U + 6U);
  EXPECT_EQ(resync(), 5);
}

// "A told profile or address is used unless one of a larger revision was accepted"
TEST_F(ToldInOrder, AToldProfileIsUsedUnlessANewerOneIsKnown) {
  options_.threshold = 0.5;
  open();
  rig_->feed(post(kStart - kHour, 0, "did:plc:first"));
  rig_->settle();
  rig_->reconnect();
  five();
  const std::int64_t at = kStart + 10 * kSecond;
  const std::uint64_t revision = revision_at(at);
  rig_->feed(sync(at, revision));
  rig_->feed(profile(at, revision, "Lives in Reykjavík, Iceland"));
  tell_five(at, revision);
  rig_->settle();
  const auto iceland = Country::parse("IS")->index();
  const auto japan = Country::parse("JP")->index();
  EXPECT_EQ(rig_->snapshot()->countries[iceland].accounts, 1U);

  // News of a larger revision, and then the same repository again.
  rig_->feed(profile(at + kSecond, revision_at(at + kSecond), "Lives in Sapporo, Japan"));
  rig_->feed(sync(at + 2 * kSecond, revision));
  rig_->feed(profile(at + 2 * kSecond, revision, "Lives in Reykjavík, Iceland"));
  rig_->settle();
  EXPECT_EQ(rig_->snapshot()->countries[japan].accounts, 1U);
  EXPECT_EQ(rig_->snapshot()->countries[iceland].accounts, 0U);
  EXPECT_EQ(resync(), 6);

  // Also when nothing of it is in memory any more.
  restart(feed::Wire::kJetstreamV2);
  rig_->feed(sync(at + 200 * kSecond, revision));
  rig_->feed(profile(at + 200 * kSecond, revision, "Lives in Reykjavík, Iceland"));
  rig_->settle();
  EXPECT_EQ(rig_->snapshot()->countries[japan].accounts, 1U);
  expect_verified();
}

TEST_F(ToldInOrder, AToldAddressIsUsedUnlessANewerOneIsKnown) {
  const std::int64_t at = kStart + 10 * kSecond;
  const std::uint64_t revision = revision_at(at);
  five();
  rig_->feed(sync(at, revision));
  rig_->feed(address(at, revision, "FR"));
  rig_->settle();
  const auto france = Country::parse("FR")->index();
  EXPECT_EQ(rig_->snapshot()->countries[france].accounts, 1U);
  rig_->feed(address(at + kSecond, revision_at(at + kSecond), "DE"));
  rig_->feed(sync(at + 200 * kSecond, revision));
  rig_->feed(address(at + 200 * kSecond, revision, "FR"));
  rig_->settle();
  EXPECT_EQ(rig_->snapshot()->countries[france].accounts, 0U);
  EXPECT_EQ(resync(), 1);
  expect_verified();
}

// "or, since the server fetches the repository after that frame, the larger revision of the
// account's first `create` after it that has the `#sync`'s witnessed time"
TEST_F(ToldInOrder, TheRowsMayHaveALaterRevisionThanTheSync) {
  five();
  const std::int64_t at = kStart + 10 * kSecond;
  const std::uint64_t fetched = revision_at(at + 3 * kSecond);
  rig_->feed(sync(at, revision_at(at)));
  tell_five(at, fetched);
  rig_->feed(told(at, fetched, revision_at(kStart + 7 * kSecond)));
  EXPECT_EQ(posts(), 1U + 6U);
  EXPECT_EQ(resync(), 5);
  // A commit that the download already held follows.
  rig_->feed(told(at + kSecond, revision_at(at + 2 * kSecond), revision_at(kStart + 7 * kSecond)));
  EXPECT_EQ(posts(), 1U + 6U);
  EXPECT_EQ(replayed(), 1);
}

// "rows of the account with a revision below R are `replayed` …; rows above R are judged as always"
TEST_F(ToldInOrder, ACommitOfALowerRevisionAfterTheSyncIsReplayed) {
  five();
  const std::int64_t at = kStart + 20 * kSecond;
  const std::uint64_t revision = revision_at(at);
  rig_->feed(sync(at, revision));
  rig_->feed(post(at + 1, revision_at(kStart + 8 * kSecond)));
  Line late = post(at + 2, revision_at(kStart + 8 * kSecond));
  late.revision = revision - 1;
  rig_->feed(late);
  EXPECT_EQ(replayed(), 1);
  EXPECT_EQ(posts(), 1U + 6U);
  Line above = post(at + 3, revision_at(at + 3));
  rig_->feed(above);
  rig_->feed(above);
  EXPECT_EQ(replayed(), 2);
  EXPECT_EQ(posts(), 1U + 7U);
}

// "N, the largest TID key of an accepted post, however far ahead"
TEST_F(ToldInOrder, AKeyFromTwoHoursAheadIsKnownWhenItIsToldAfterItsTime) {
  const std::uint64_t ahead = revision_at(kStart + 2 * kHour);
  rig_->feed(post(kStart, ahead));
  const std::int64_t at = kStart + 3 * kHour;
  const std::uint64_t revision = revision_at(at);
  rig_->feed(sync(at, revision));
  rig_->feed(told(at, revision, ahead));
  rig_->feed(told(at, revision, revision_at(kStart + 2 * kHour + kSecond)));
  EXPECT_EQ(posts(), 1U + 2U);
  EXPECT_EQ(resync(), 1);
}

TEST_F(ToldInOrder, AKeyFarAheadOfTheTellingIsNotBelieved) {
  const std::int64_t at = kStart + kHour;
  const std::uint64_t revision = revision_at(at);
  rig_->feed(sync(at, revision));
  rig_->feed(told(at, revision, tally::believed_order(at)));
  rig_->feed(told(at, revision, tally::believed_order(at) + 1));
  Line no_tid = told(at, revision, 0);
  no_tid.rkey = "my-first-post";
  rig_->feed(no_tid);
  EXPECT_EQ(posts(), 1U + 1U);
  EXPECT_EQ(resync(), 2);
}

TEST_F(ToldInOrder, TheSameSyncAgainChangesNothing) {
  five();
  const std::int64_t at = kStart + 10 * kSecond;
  const std::uint64_t revision = revision_at(at);
  for (int time = 0; time < 3; ++time) {
    rig_->feed(sync(at + time * kSecond, revision));
    tell_five(at + time * kSecond, revision);
    rig_->feed(told(at + time * kSecond, revision, revision_at(kStart + 5 * kSecond)));
  }
  EXPECT_EQ(posts(), 1U + 6U);
  EXPECT_EQ(resync(), 5 + 6 + 6);
  // And when the first has long ended.
  rig_->feed(sync(at + kHour, revision));
  tell_five(at + kHour, revision);
  rig_->feed(told(at + kHour, revision, revision_at(kStart + 5 * kSecond)));
  EXPECT_EQ(posts(), 1U + 6U);
}

// "A higher R while one is open: R moves, N₀ := N, T and S stay (never a double)."
TEST_F(ToldInOrder, AHigherSyncWhileOneIsOpenNeverDoubles) {
  five();
  const std::int64_t at = kStart + 10 * kSecond;
  const std::uint64_t first = revision_at(at);
  rig_->feed(sync(at, first));
  tell_five(at, first);
  rig_->feed(told(at, first, revision_at(kStart + 5 * kSecond)));
  rig_->feed(post(at + kSecond));  // above R: news
  const std::uint64_t second = revision_at(at + 2 * kSecond);
  rig_->feed(sync(at + 2 * kSecond, second));
  tell_five(at + 2 * kSecond, second);
  rig_->feed(told(at + 2 * kSecond, second, revision_at(kStart + 5 * kSecond)));
  rig_->feed(told(at + 2 * kSecond, second, revision_at(at + kSecond)));
  rig_->feed(told(at + 2 * kSecond, second, revision_at(at + kSecond) + 1));
  EXPECT_EQ(posts(), 1U + 8U);
  EXPECT_EQ(resync(), 5 + 7);
}

TEST_F(ToldInOrder, AStopInTheMiddleGoesOnWhereItWas) {
  five();
  const std::int64_t at = kStart + 10 * kSecond;
  const std::uint64_t revision = revision_at(at);
  std::vector<Line> rows = {sync(at, revision)};
  for (int i = 0; i < 40; ++i) rows.push_back(told(at, revision, revision_at(kStart + i * kSecond / 8)));
  for (int i = 0; i < 20; ++i) rig_->feed(rows[static_cast<std::size_t>(i)]);
  restart(feed::Wire::kJetstreamV2);
  // The server begins a margin earlier, here: in the middle of what was told.
  for (std::size_t i = 10; i < rows.size(); ++i) rig_->feed(rows[i]);
  EXPECT_EQ(posts(), 1U + 5U + 7U);  // the last second of the forty is new
  EXPECT_EQ(rig_->metric("geotally_told_out_of_order_total"), 0);
  expect_verified();
}

// A row that does not count moves its telling all the same.
TEST_F(ToldInOrder, AStopAfterARowThatDoesNotCountKeepsItsTellingOpen) {
  five();
  const std::int64_t at = kStart + 10 * kSecond;
  const std::uint64_t revision = revision_at(at);
  rig_->feed(sync(at, revision));
  restart(feed::Wire::kJetstreamV2);
  rig_->feed(told(at + 50 * kSecond, revision, revision_at(kStart)));
  restart(feed::Wire::kJetstreamV2);
  rig_->feed(told(at + 100 * kSecond, revision, revision_at(kStart + 7 * kSecond)));
  EXPECT_EQ(posts(), 1U + 6U);
  EXPECT_EQ(replayed(), 0);
}

// Everything of the account is on disk alone between any two rows.
TEST_F(ToldInOrder, AStopBetweenAnyTwoRowsChangesNothing) {
  five();
  const std::int64_t at = kStart + 10 * kSecond;
  const std::uint64_t revision = revision_at(at + kSecond);
  std::vector<Line> rows = {sync(at, revision_at(at))};
  for (int i = 0; i < 8; ++i) rows.push_back(told(at, revision, revision_at(kStart + i * kSecond)));
  rows.push_back(post(at + 2 * kSecond));
  for (const Line& row : rows) {
    rig_->feed(row);
    restart(feed::Wire::kJetstreamV2);
  }
  EXPECT_EQ(posts(), 1U + 9U);
  expect_verified();
}

TEST_F(ToldInOrder, AFailoverToV1AndBackCountsNothingTwice) {
  five();
  const std::int64_t at = kStart + 10 * kSecond;
  const std::uint64_t revision = revision_at(at);
  const std::uint64_t head = revision_at(at - kSecond);
  rig_->feed(sync(at, revision));
  for (int i = 0; i < 3; ++i) rig_->feed(told(at, revision, revision_at(kStart + i * kSecond)));
  // v1 tells nothing again, but has the commit of that revision.
  restart(feed::Wire::kJetstreamV1, "one:1");
  rig_->feed(told(at + kSecond, revision, head));
  rig_->feed(post(at + 2 * kSecond));
  EXPECT_EQ(posts(), 1U + 5U + 2U);
  restart(feed::Wire::kJetstreamV2, "test:1");
  for (int i = 0; i < 5; ++i) rig_->feed(told(at, revision, revision_at(kStart + i * kSecond)));
  rig_->feed(told(at, revision, head));
  rig_->feed(post(at + 2 * kSecond));
  EXPECT_EQ(posts(), 1U + 5U + 2U);
  expect_verified();
}

TEST_F(ToldInOrder, AnotherHostThatTellsItAgainCountsNothingTwice) {
  five();
  const std::int64_t at = kStart + 10 * kSecond;
  const std::uint64_t revision = revision_at(at);
  rig_->feed(sync(at, revision));
  for (int i = 0; i < 8; ++i) rig_->feed(told(at, revision, revision_at(kStart + i * kSecond)));
  rig_->reconnect("other:1");
  // Its clock is another, and it fetched the repository later.
  const std::uint64_t later = revision_at(at + 4 * kSecond);
  rig_->feed(sync(at + 5 * kSecond, revision));
  for (int i = 0; i < 9; ++i) {
    rig_->feed(told(at + 5 * kSecond, later, revision_at(kStart + i * kSecond)));
  }
  EXPECT_EQ(posts(), 1U + 9U);
  expect_verified();
}

// "A connection that was started live or by time can fall between a `#sync` and its rows"
TEST_F(Told, ALiveConnectionBetweenSyncAndRowsKnowsThemByTheirOldKeys) {
  const std::int64_t at = kStart + 20 * kDay;
  for (int i = 0; i < 5; ++i) rig_->feed(post(kStart + i * kSecond));
  rig_->feed(post(at - kHour, 0, "did:plc:b"));
  rig_->reconnect("other:1");  // by time
  rig_->feed(post(at, 0, "did:plc:b"));
  const std::uint64_t revision = revision_at(at);
  tell_five(at, revision);
  rig_->feed(told(at, revision, revision_at(at - 2 * kSecond)));
  rig_->feed(post(at + kSecond));
  EXPECT_EQ(posts(), 7U + 2U);
  EXPECT_EQ(resync(), 5);
}

TEST_F(Told, AMinuteAfterItBeganAnOldKeyIsAnImportersAndAPost) {
  rig_->feed(post(kStart, 0, "did:plc:b"));
  const std::int64_t at = kStart + 61 * kSecond;
  rig_->feed(post(at, revision_at(at - 30 * kDay)));
  EXPECT_EQ(posts(), 2U);
  EXPECT_EQ(resync(), 0);
}

TEST_F(Told, AKeyOfADayIsNotOld) {
  rig_->feed(post(kStart, 0, "did:plc:b"));
  const std::int64_t at = kStart + kSecond;
  rig_->feed(post(at, revision_at(at - kDay)));
  EXPECT_EQ(posts(), 2U);
  rig_->feed(post(at + 1, revision_at(at - kDay - 1), "did:plc:c"));
  EXPECT_EQ(posts(), 2U);
  EXPECT_EQ(resync(), 1);
}

TEST_F(Told, OnV1AnOldKeyIsAPost) {
  restart(feed::Wire::kJetstreamV1);
  rig_->feed(post(kStart, revision_at(kStart - 30 * kDay)));
  EXPECT_EQ(posts(), 1U);
}

// "Told rows make no erased or forgotten account known again; its N stays with key and floor"
TEST_F(ToldInOrder, AForgottenAccountIsNotMadeKnownAgain) {
  five();
  const std::int64_t at = kStart + 10 * kSecond;
  const std::uint64_t revision = revision_at(at);
  rig_->feed(sync(at, revision));
  rig_->feed(told(at, revision, revision_at(kStart)));
  rig_->settle();
  EXPECT_EQ(accounts(), 2U);
  rig_->ingest().forget("did:plc:a");
  rig_->settle();
  EXPECT_EQ(accounts(), 1U);
  // The rest of the telling, and a whole new one.
  for (int i = 1; i < 5; ++i) rig_->feed(told(at, revision, revision_at(kStart + i * kSecond)));
  EXPECT_EQ(posts(), 1U + 5U);
  restart(feed::Wire::kJetstreamV2);
  const std::uint64_t second = revision_at(at + kHour);
  rig_->feed(sync(at + kHour, second));
  rig_->feed(profile(at + kHour, second, "Lives in Reykjavík, Iceland"));
  tell_five(at + kHour, second);
  rig_->feed(told(at + kHour, second, revision_at(at + 2 * kSecond)));
  EXPECT_EQ(posts(), 1U + 6U);  // it counts, but says nothing of whose it is
  EXPECT_EQ(accounts(), 1U);
  expect_verified();
  // A later event makes a new account.
  rig_->feed(post(at + 2 * kHour));
  EXPECT_EQ(accounts(), 2U);
  expect_verified();
}

// "A row of the SAME account witnessed more than 60 s after its last told row (or its `#sync`)
// finds the telling closed; no other account and no timer closes it."
TEST_F(ToldInOrder, ATellingEndsAMinuteAfterItsLastRowByARowOfItsOwn) {
  const std::int64_t at = kStart + 10 * kSecond;
  const std::uint64_t revision = revision_at(at);
  five();
  rig_->feed(sync(at, revision));
  rig_->feed(told(at + 60 * kSecond, revision, revision_at(kStart + 5 * kSecond)));
  EXPECT_EQ(posts(), 1U + 6U);
  rig_->feed(post(at + kHour, 0, "did:plc:b"));
  rig_->settle();
  rig_->feed(told(at + 120 * kSecond, revision, revision_at(kStart + 6 * kSecond)));
  EXPECT_EQ(posts(), 1U + 8U);
  rig_->feed(told(at + 181 * kSecond, revision, revision_at(kStart + 7 * kSecond)));
  EXPECT_EQ(posts(), 1U + 8U);
  EXPECT_EQ(replayed(), 1);  // floor := max(floor, R)
}

// "`resync`, which goes before `replayed`"
TEST_F(ToldInOrder, OfARevisionThatWasPassedLongAgoRowsAreResync) {
  five();
  const std::int64_t at = kStart + kHour;
  rig_->feed(post(at));
  rig_->feed(post(at + 2 * kHour));  // the floor is above all of it
  const std::uint64_t old = revision_at(kStart + 4 * kSecond);
  rig_->feed(sync(at + 3 * kHour, old));
  tell_five(at + 3 * kHour, old);
  EXPECT_EQ(posts(), 1U + 7U);
  EXPECT_EQ(resync(), 5);
  EXPECT_EQ(replayed(), 0);
}

TEST_F(ToldInOrder, AnUpdateOrADeletionOfThatRevisionIsNotTold) {
  five();
  const std::int64_t at = kStart + 10 * kSecond;
  const std::uint64_t revision = revision_at(at);
  rig_->feed(sync(at, revision));
  Line gone = told(at, revision, revision_at(kStart));
  gone.kind = Kind::kPostDelete;
  rig_->feed(gone);
  rig_->feed(gone);
  EXPECT_EQ(rig_->metric("geotally_events_total{kind=\"post_delete\"}"), 0);
  rig_->settle();
  EXPECT_EQ(rig_->metric("geotally_events_total{kind=\"post_delete\"}"), 1);
  EXPECT_EQ(replayed(), 1);
}

TEST_F(ToldInOrder, KeysThatDoNotRiseAreRefusedAndCounted) {
  const std::int64_t at = kStart + 10 * kSecond;
  const std::uint64_t revision = revision_at(at);
  rig_->feed(sync(at, revision));
  rig_->feed(told(at, revision, revision_at(kStart + 3 * kSecond)));
  rig_->feed(told(at, revision, revision_at(kStart + kSecond)));
  rig_->feed(told(at, revision, revision_at(kStart + 4 * kSecond)));
  EXPECT_EQ(posts(), 1U + 2U);
  EXPECT_EQ(resync(), 1);
  EXPECT_EQ(rig_->metric("geotally_told_out_of_order_total"), 1);
}

// "A told post has the event time of its key (imported time first, bounded like keys)."
TEST_F(ToldInOrder, AToldPostIsOfTheTimeOfItsKey) {
  const std::int64_t at = kStart + 2 * kDay;
  rig_->feed(post(at, 0, "did:plc:b"));
  const std::uint64_t revision = revision_at(at);
  rig_->feed(sync(at, revision));
  rig_->feed(told(at, revision, revision_at(kStart + kHour)));
  Line imported = told(at, revision, revision_at(at - 10 * kSecond));
  imported.imported_us = at - kDay - kHour;
  rig_->feed(imported);
  Line too_early = told(at, revision, revision_at(at - 5 * kSecond));
  too_early.imported_us = 1'000'000'000'000'000;  // 2001
  rig_->feed(too_early);
  EXPECT_EQ(posts(), 1U + 4U);
  const auto snapshot = rig_->snapshot();
  // 1m 5m 15m 1h 6h 24h 7d: the last told one is of five seconds ago.
  const auto& zz = snapshot->countries[0];
  EXPECT_EQ(zz.window_posts[0], 2U);
  EXPECT_EQ(zz.window_posts[5], 2U);
  EXPECT_EQ(zz.window_posts[6], 5U);
  expect_verified();
}

TEST_F(ToldInOrder, AccountsThatAreNotInMemoryAreToldOnce) {
  constexpr int kAccounts = 12'000;
  options_.memory_bytes = std::size_t{1} << 20;  // a few thousand
  options_.shards = 1;
  open();
  rig_->feed(post(kStart - kHour, 0, "did:plc:first"));
  rig_->settle();
  rig_->reconnect();
  const auto did = [](int i) { return fmt::format("did:plc:{:05}", i); };
  std::vector<Line> lines;
  for (int i = 0; i < kAccounts; ++i) lines.push_back(post(kStart + i, 0, did(i)));
  rig_->feed(lines);
  const std::int64_t at = kStart + 100 * kSecond;
  const std::uint64_t revision = revision_at(at);
  lines.clear();
  for (int i = 0; i < kAccounts; ++i) lines.push_back(sync(at, revision, did(i)));
  for (int i = 0; i < kAccounts; ++i) {
    lines.push_back(told(at, revision, revision_at(kStart + i), did(i)));
    lines.push_back(told(at, revision, revision_at(kStart + kSecond + i), did(i)));
  }
  rig_->feed(lines);
  EXPECT_EQ(posts(), 1U + 2U * kAccounts);
  EXPECT_EQ(resync(), kAccounts);
  expect_verified();
}

// "A revision … more than 10 minutes ahead of when the server WITNESSED the row … enters no fence,
// and moves watermark and cursor like any dropped event."
TEST_F(Told, ARevisionFromTheFutureSilencesNobody) {
  for (const feed::Wire wire : {feed::Wire::kJetstreamV1, feed::Wire::kJetstreamV2}) {
    restart(wire);
    const std::string did = fmt::format("did:plc:wire{}", static_cast<int>(wire));
    const auto before = posts();
    const std::int64_t at = kStart + static_cast<int>(wire) * kHour;
    const std::vector<std::int64_t> after = {0, 61 * kSecond, 200 * kSecond, 300 * kSecond};
    for (const std::int64_t time : after) {
      Line line = post(at + time, 0, did);
      if (time == 0) line.revision = revision_at(at + 2 * kHour);
      rig_->feed(line);
    }
    EXPECT_EQ(posts() - before, 3U);
    EXPECT_EQ(rig_->dropped("future_revision"), 1);
    EXPECT_EQ(rig_->dropped("replayed"), 0);
  }
}

TEST_F(Told, ARevisionTenMinutesAheadIsStillBelieved) {
  Line line = post(kStart);
  line.revision = tally::believed_order(kStart);
  rig_->feed(line);
  line = post(kStart, 0, "did:plc:b");
  line.revision = tally::believed_order(kStart) + 1;
  rig_->feed(line);
  EXPECT_EQ(posts(), 1U);
  EXPECT_EQ(rig_->dropped("future_revision"), 1);
}

TEST_F(ToldInOrder, ASyncFromTheFutureOpensNothing) {
  rig_->feed(sync(kStart, revision_at(kStart + kHour)));
  rig_->feed(post(kStart + kSecond));
  EXPECT_EQ(posts(), 1U + 1U);
  EXPECT_EQ(rig_->dropped("future_revision"), 1);
  EXPECT_EQ(rig_->metric("geotally_events_total{kind=\"sync\"}"), 0);
}

// "No floor ever rises above witnessed + 10 min, whatever asks for it."
TEST_F(ToldInOrder, ARepositoryOfTheFutureDoesNotSilenceItsAccount) {
  const std::uint64_t future = revision_at(kStart + 5 * kHour);
  rig_->feed(sync(kStart, revision_at(kStart)));
  rig_->feed(told(kStart, future, revision_at(kStart - kSecond)));
  rig_->feed(post(kStart + kHour));
  EXPECT_EQ(posts(), 1U + 2U);
  EXPECT_EQ(replayed(), 0);
}

}  // namespace
}  // namespace geotally::pipeline
