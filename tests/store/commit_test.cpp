// Goal: a commit is durable when commit() returns, whole, on both of its paths and in any order
// of them; what is gone from the state is gone from the disk.
// Method: a small world, committed and read back; a disk that forgets what was not synced; a
// process that is killed at any moment.
#include <algorithm>
#include <atomic>
#include <chrono>
#include <csignal>
#include <filesystem>
#include <random>
#include <thread>

#include <gtest/gtest.h>
#include <rocksdb/db.h>
#include <sys/wait.h>
#include <unistd.h>

#include "power_cut.h"
#include "world.h"

namespace geotally::store {
namespace {

std::unique_ptr<Store> open(const std::string& directory, rocksdb::Env* env = nullptr) {
  Options options;
  options.directory = directory;
  options.env = env;
  return Store::open(options);
}

TEST(Commit, IsReadBackOnBothPaths) {
  for (const bool alternating : {false, true}) {
    for (const std::size_t accounts : {std::size_t{1}, std::size_t{40}, kManyAccounts}) {
      TempDir temp;
      World world;
      auto store = open(temp.path());
      for (int i = 0; i < 30; ++i) {
        world.commit_to(*store, alternating && i % 2 == 1 ? kManyAccounts : accounts);
        if (i % 7 == 6) {
          expect_equal(*store, world);
          store.reset();
          store = open(temp.path());
        }
      }
      expect_equal(*store, world);
    }
  }
}

TEST(Commit, AccountsAreScannedAsTheyWere) {
  for (const std::size_t accounts : {std::size_t{40}, kManyAccounts}) {
    TempDir temp;
    World world;
    auto store = open(temp.path());
    for (int i = 0; i < 3; ++i) world.commit_to(*store, accounts);
    const auto before = world.accounts();
    constexpr tally::AccountKey kMiddle = tally::AccountKey{1} << 63;
    const auto lower = store->scan_accounts(0, kMiddle - 1);
    const auto upper = store->scan_accounts(kMiddle, UINT64_MAX);
    world.commit_to(*store, accounts);
    std::vector<tally::AccountKey> seen;
    tally::AccountKey key = 0;
    AccountRecord record;
    for (AccountScan* scan : {lower.get(), upper.get()}) {
      while (scan->next(key, record)) {
        seen.push_back(key);
        std::string bytes;
        encode_account(record, bytes);
        EXPECT_EQ(bytes, before.at(key));
      }
      EXPECT_FALSE(scan->next(key, record));
    }
    EXPECT_EQ(seen.size(), before.size());
    EXPECT_TRUE(std::is_sorted(seen.begin(), seen.end()));
  }
}

TEST(Commit, ManyAccountsAreEstimated) {
  const TempDir temp;
  const auto store = open(temp.path());
  EXPECT_EQ(store->estimate_accounts(0, UINT64_MAX), 0U);
  constexpr std::size_t kAccounts = 100'000;
  std::mt19937_64 random(1);
  std::map<tally::AccountKey, std::string> bytes;
  AccountRecord record;
  record.state.posts = 1;
  record.state.last_post_s = 1;
  std::string value;
  encode_account(record, value);
  while (bytes.size() < kAccounts) bytes.emplace(random(), value);
  // All of them twice: what is written anew is one account.
  Commit commit;
  for (const auto& [key, account] : bytes) commit.accounts.push_back({key, account});
  for (int i = 1; i <= 2; ++i) {
    commit.record.number = static_cast<std::uint64_t>(i);
    store->commit(commit);
  }
  // Few are counted.
  EXPECT_EQ(store->estimate_accounts(0, std::next(bytes.begin(), 999)->first), 1'000U);
  constexpr tally::AccountKey kThird = UINT64_MAX / 3;
  EXPECT_NEAR(static_cast<double>(store->estimate_accounts(0, UINT64_MAX)), kAccounts,
              0.1 * kAccounts);
  EXPECT_NEAR(static_cast<double>(store->estimate_accounts(kThird, 2 * kThird)), kAccounts / 3.0,
              0.1 * kAccounts);
}

TEST(Commit, AnAccountIsForgotten) {
  for (const std::size_t accounts : {std::size_t{40}, kManyAccounts}) {
    TempDir temp;
    World world;
    auto store = open(temp.path());
    world.commit_to(*store, accounts);
    Commit commit;
    commit.record = world.record();
    ++commit.record.number;
    for (const auto& [key, bytes] : world.accounts()) commit.accounts.push_back({key, {}});
    store->commit(commit);
    AccountRecord record;
    EXPECT_FALSE(store->read_account(world.accounts().begin()->first, record));
    store.reset();
    store = open(temp.path());
    store->for_each_account([](tally::AccountKey, const AccountRecord&) { FAIL(); });
  }
}

TEST(Commit, AnAccountIsReadByItsKey) {
  TempDir temp;
  World world;
  const auto store = open(temp.path());
  world.commit_to(*store, kManyAccounts);
  world.commit_to(*store, 40);
  for (const auto& [key, bytes] : world.accounts()) {
    AccountRecord record;
    std::string encoded;
    ASSERT_TRUE(store->read_account(key, record));
    encode_account(record, encoded);
    ASSERT_EQ(encoded, bytes);
    ASSERT_FALSE(store->read_account(key + 1, record));
  }
}

TEST(Commit, ManyAccountsAreReadAtOnce) {
  TempDir temp;
  World world;
  const auto store = open(temp.path());
  world.commit_to(*store, kManyAccounts);
  std::vector<tally::AccountKey> keys;
  for (const auto& [key, bytes] : world.accounts()) {
    keys.push_back(key);
    if (world.accounts().count(key + 1) == 0) keys.push_back(key + 1);
  }
  std::vector<tally::AccountKey> visited;
  store->read_accounts(keys, [&](tally::AccountKey key, const AccountRecord* record) {
    visited.push_back(key);
    const auto known = world.accounts().find(key);
    ASSERT_EQ(record != nullptr, known != world.accounts().end());
    if (record == nullptr) return;
    std::string encoded;
    encode_account(*record, encoded);
    ASSERT_EQ(encoded, known->second);
  });
  EXPECT_EQ(visited, keys);
  store->read_accounts({}, [](tally::AccountKey, const AccountRecord*) { FAIL(); });
}

TEST(Commit, WithoutAccountsOrTotalsIsACommit) {
  TempDir temp;
  auto store = open(temp.path());
  Commit commit;
  commit.record.number = 5;
  commit.record.cursor = "there";
  store->commit(commit);
  store.reset();
  EXPECT_EQ(open(temp.path())->last_commit().cursor, "there");
}

// DEFINITIONS: expiry follows the watermark; rows of days stay for ever.
TEST(Commit, ExpiredRowsDisappearFromTheDisk) {
  TempDir temp;
  World world;
  auto store = open(temp.path());
  for (int i = 0; i < 40; ++i) {
    world.commit_to(*store, i % 4 == 3 ? kManyAccounts : 200, 3 * tally::kDaySeconds + 1'234);
  }
  expect_equal(*store, world);
  const std::int64_t watermark_s = world.record().watermark_us / tally::kMicrosPerSecond;
  store.reset();

  std::vector<rocksdb::ColumnFamilyDescriptor> families;
  for (const char* name : {"default", "cells"}) {
    families.emplace_back(name, rocksdb::ColumnFamilyOptions());
  }
  std::vector<rocksdb::ColumnFamilyHandle*> handles;
  rocksdb::DB* raw = nullptr;
  rocksdb::DBOptions options;
  options.track_and_verify_wals_in_manifest = true;
  ASSERT_TRUE(rocksdb::DB::OpenForReadOnly(options, temp.path(), families, &handles, &raw).ok());
  const std::unique_ptr<rocksdb::DB> db(raw);
  std::array<std::size_t, tally::kRowKinds> rows{};
  {
    const std::unique_ptr<rocksdb::Iterator> cells(db->NewIterator({}, handles[1]));
    for (cells->SeekToFirst(); cells->Valid(); cells->Next()) {
      tally::RowId id;
      ASSERT_TRUE(parse_row_key(cells->key().ToStringView(), id));
      ++rows[static_cast<std::size_t>(id.kind)];
      if (id.kind != tally::RowKind::kDay) {
        EXPECT_GE(id.bucket, tally::first_kept(id.kind, watermark_s));
      }
    }
  }
  for (rocksdb::ColumnFamilyHandle* handle : handles) db->DestroyColumnFamilyHandle(handle);
  EXPECT_EQ(rows[static_cast<std::size_t>(tally::RowKind::kDay)], 40U) << "days stay";
  EXPECT_EQ(rows[static_cast<std::size_t>(tally::RowKind::kSecond)], 1U);
}

TEST(Commit, DaysAreKeptAndListed) {
  TempDir temp;
  World world;
  auto store = open(temp.path());
  const std::int64_t first = world.record().next_day_to_close;
  std::map<std::int64_t, std::vector<tally::DayClosing>> closings;
  for (int i = 0; i < 30; ++i) {
    const Commit& commit = world.step(i % 5 == 4 ? kManyAccounts : 100, 20'000);
    for (const DayClosed& day : commit.days) closings[day.day] = day.closing;
    store->commit(commit);
    world.committed();
  }
  store.reset();
  store = open(temp.path());
  const std::int64_t last = world.record().next_day_to_close - 1;
  ASSERT_GT(last, first + 3);
  const std::vector<Store::StoredDay> all = store->days(0, last + 10);
  ASSERT_EQ(all.size(), static_cast<std::size_t>(last - first + 1));
  std::uint64_t posts = 0;
  for (const Store::StoredDay& day : all) {
    ASSERT_TRUE(closings.contains(day.day));
    for (std::size_t i = 0; i < Country::count(); ++i) {
      EXPECT_EQ(day.closing[i].accounts, closings[day.day][i].accounts);
      EXPECT_EQ(day.closing[i].active, closings[day.day][i].active);
      EXPECT_EQ(day.closing[i].engagement, closings[day.day][i].engagement);
      EXPECT_EQ(day.closing[i].evidence, closings[day.day][i].evidence);
      posts += day.counted.posts[i];
    }
  }
  EXPECT_GT(posts, 0U);
  EXPECT_EQ(store->days(first + 1, first + 2).size(), 2U);
  EXPECT_EQ(store->days(first + 1, first + 2).front().day, first + 1);
  EXPECT_TRUE(store->days(last + 1, last + 10).empty());
}

TEST(Commit, GapsAreListedOldestFirst) {
  TempDir temp;
  auto store = open(temp.path());
  Commit commit;
  commit.record.number = 1;
  commit.record.gaps = 2;
  commit.gaps = {{100, 200, "server_closed"}, {300, 400, "cursor_lost"}};
  store->commit(commit);
  commit.record.number = 2;
  commit.record.gaps = 3;
  commit.gaps = {{500, 600, "timeout"}};
  store->commit(commit);
  store.reset();
  store = open(temp.path());
  ASSERT_EQ(store->gaps(0).size(), 3U);
  EXPECT_EQ(store->gaps(0).front(), (Gap{100, 200, "server_closed"}));
  EXPECT_EQ(store->gaps(200).size(), 2U);
  EXPECT_EQ(store->gaps(599).front().cause, "timeout");
  EXPECT_TRUE(store->gaps(600).empty());
}

std::vector<std::pair<std::int64_t, tally::AccountKey>> listed(const std::vector<Due>& due) {
  std::vector<std::pair<std::int64_t, tally::AccountKey>> list;
  for (const Due& entry : due) list.emplace_back(entry.day, entry.key);
  return list;
}

TEST(Commit, DueAccountsAreListedByDayAndShard) {
  TempDir temp;
  auto store = open(temp.path());
  Commit commit;
  commit.record.number = 1;
  commit.due = {{12, 5}, {10, 900}, {10, 7}, {11, UINT64_MAX}, {10, 7}};  // one of them twice
  store->commit(commit);
  store.reset();
  store = open(temp.path());
  using List = std::vector<std::pair<std::int64_t, tally::AccountKey>>;
  EXPECT_EQ(listed(store->due(9, 0, UINT64_MAX, 10)), List{});
  EXPECT_EQ(listed(store->due(10, 0, UINT64_MAX, 10)), (List{{10, 7}, {10, 900}}));
  EXPECT_EQ(listed(store->due(11, 8, UINT64_MAX, 10)), (List{{10, 900}, {11, UINT64_MAX}}));
  EXPECT_EQ(listed(store->due(12, 0, UINT64_MAX, 3)), (List{{10, 7}, {10, 900}, {11, UINT64_MAX}}));
  EXPECT_EQ(listed(store->due(12, 0, 6, 3)), (List{{12, 5}}));

  commit.due = {{10, 900}};  // dealt with, and due on the same day once more
  commit.due_done = {{10, 7}, {10, 900}, {10, 1'234}};
  store->commit(commit);
  EXPECT_EQ(listed(store->due(10, 0, UINT64_MAX, 10)), (List{{10, 900}}));
}

// A sorted file takes every key once: what a batch forgives must not stop the daemon.
TEST(Commit, AKeyThatComesTwiceIsNoErrorInASortedFile) {
  TempDir temp;
  const auto store = open(temp.path());
  World world;
  world.step(kManyAccounts);
  world.commit().due = {{10, 7}, {10, 7}};
  world.commit().due_done = {{10, 7}, {9, 1}, {9, 1}};
  store->commit(world.commit());
  world.committed();
  expect_equal(*store, world);
  EXPECT_EQ(store->due(10, 0, UINT64_MAX, 10).size(), 1U);
}

// DEFINITIONS: committed = fsynced.
TEST(Commit, OutlivesAPowerCut) {
  TempDir temp;
  const std::string directory = temp.path() + "/store";
  PowerCut power;
  const std::unique_ptr<rocksdb::Env> env = power.make_env();
  World world;
  world.move_base();
  {
    auto store = open(directory, env.get());
    for (int i = 0; i < 40; ++i) {
      world.commit_to(*store, World::rule(world.record().number + 1));
      power.cut(directory, temp.path() + "/after");
      const auto found = open(temp.path() + "/after");
      expect_equal(*found, world);
      EXPECT_EQ(found->base(), world.base());
      ASSERT_FALSE(testing::Test::HasFailure()) << "after commit " << world.record().number;
    }
  }
}

// One atomic write: whichever of its syncs was the last, the commit is there whole or not at all.
TEST(Commit, APowerCutWithinItLeavesOneCommit) {
  TempDir temp;
  const std::string directory = temp.path() + "/store";
  PowerCut power;
  std::atomic<std::uint64_t> committing{0};
  std::atomic<std::size_t> cuts{0};
  power.at_sync = [&] {
    if (committing != 0) power.cut(directory, temp.path() + "/" + std::to_string(cuts++));
  };
  const std::unique_ptr<rocksdb::Env> env = power.make_env();
  auto store = open(directory, env.get());
  World before;
  World world;
  before.move_base();
  world.move_base();
  world.commit_to(*store, 40);
  for (const std::size_t accounts : {std::size_t{40}, kManyAccounts, std::size_t{40},
                                     std::size_t{40}, kManyAccounts, kManyAccounts}) {
    before.step(world.commit().accounts.size());
    before.committed();
    ASSERT_EQ(before.record().number, world.record().number);
    committing = before.record().number + 1;
    world.commit_to(*store, accounts);
    committing = 0;
    ASSERT_GT(cuts, 0U);
    for (; cuts > 0; --cuts) {
      const std::string cut = temp.path() + "/" + std::to_string(cuts - 1);
      const auto found = open(cut);
      const bool done = found->last_commit().number == world.record().number;
      expect_equal(*found, done ? world : before);
      EXPECT_EQ(found->base(), (done ? world : before).base());
      ASSERT_FALSE(HasFailure()) << "cut " << cuts << " in commit " << world.record().number;
    }
  }
}

TEST(Commit, AKilledProcessLeavesOneCommit) {
  constexpr int kKills = 25;
  TempDir temp;
  std::mt19937_64 random(20250301);
  std::uint64_t acknowledged = 0;
  for (int kill = 0; kill < kKills; ++kill) {
    std::array<int, 2> pipe{};
    ASSERT_EQ(::pipe(pipe.data()), 0);
    const pid_t child = ::fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
      ::dup2(pipe[1], STDOUT_FILENO);
      ::execl(STORE_COMMITTER, STORE_COMMITTER, temp.path().c_str(), nullptr);
      ::_exit(127);
    }
    ::close(pipe[1]);
    for (std::uint64_t i = random() % 4; i > 0; --i) {
      ASSERT_EQ(::read(pipe[0], &acknowledged, sizeof acknowledged),
                static_cast<ssize_t>(sizeof acknowledged));
    }
    // Whatever moment this is: what must hold then holds at every moment.
    std::this_thread::sleep_for(std::chrono::microseconds(random() % 20'000));
    ASSERT_EQ(::kill(child, SIGKILL), 0);
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    ASSERT_TRUE(WIFSIGNALED(status)) << "the child ended by itself";
    while (::read(pipe[0], &acknowledged, sizeof acknowledged) > 0) {
    }
    ::close(pipe[0]);

    const auto store = open(temp.path());
    const std::uint64_t number = store->last_commit().number;
    EXPECT_GE(number, acknowledged);
    EXPECT_LE(number, acknowledged + 1);
    World world;
    world.move_base();
    world.replay(number);
    expect_equal(*store, world);
    EXPECT_EQ(store->base(), world.base());
    ASSERT_FALSE(HasFailure()) << "killed at commit " << number;
  }
  EXPECT_GT(acknowledged, 0U);
}

}  // namespace
}  // namespace geotally::store
