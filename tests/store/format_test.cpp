// Goal: a store of format 1 is read as it is, becomes one of format 2 with its first commit and in
// that one write, and holds records of both for as long as it takes; what a later program adds is
// kept by this one. Method: stores that frozen encoders of format 1 made of a small world, counted
// on, verified, backed up, restored, rebuilt, and cut off within the commit that changes them.
#include <algorithm>
#include <atomic>
#include <filesystem>
#include <functional>
#include <map>
#include <set>

#include <gtest/gtest.h>
#include <rocksdb/db.h>

#include "files.h"
#include "format1.h"
#include "power_cut.h"
#include "store/backup.h"
#include "store/rebuild.h"
#include "store/verify.h"
#include "world.h"

namespace geotally::store {
namespace {

namespace fs = std::filesystem;
using Records = std::map<std::string, std::string>;

std::unique_ptr<Store> open(const std::string& directory, bool read_only = false,
                            rocksdb::Env* env = nullptr) {
  Options options;
  options.directory = directory;
  options.read_only = read_only;
  options.env = env;
  return Store::open(options);
}

// The database behind a store that is closed, and nothing said of what is in it.
class Raw {
 public:
  explicit Raw(const std::string& directory) {
    EXPECT_TRUE(rocksdb::DB::ListColumnFamilies({}, directory, &names_).ok());
    std::vector<rocksdb::ColumnFamilyDescriptor> families;
    for (const std::string& name : names_) {
      families.emplace_back(name, rocksdb::ColumnFamilyOptions());
    }
    rocksdb::DB* raw = nullptr;
    const rocksdb::Status opened =
        rocksdb::DB::Open(rocksdb::DBOptions(), directory, families, &handles_, &raw);
    EXPECT_TRUE(opened.ok()) << opened.ToString();
    db_.reset(raw);
  }
  ~Raw() {
    for (rocksdb::ColumnFamilyHandle* handle : handles_) db_->DestroyColumnFamilyHandle(handle);
  }
  Raw(const Raw&) = delete;
  Raw& operator=(const Raw&) = delete;

  [[nodiscard]] bool has(const std::string& family) const {
    return std::ranges::count(names_, family) != 0;
  }
  [[nodiscard]] Records all(const std::string& family) const {
    Records records;
    const std::unique_ptr<rocksdb::Iterator> rows(db_->NewIterator({}, handle(family)));
    for (rows->SeekToFirst(); rows->Valid(); rows->Next()) {
      records[rows->key().ToString()] = rows->value().ToString();
    }
    EXPECT_TRUE(rows->status().ok());
    return records;
  }
  void put(const std::string& family, const std::string& key, const std::string& value) {
    EXPECT_TRUE(db_->Put({}, handle(family), key, value).ok());
  }
  void make(const std::string& family) {
    rocksdb::ColumnFamilyHandle* made = nullptr;
    ASSERT_TRUE(db_->CreateColumnFamily({}, family, &made).ok());
    names_.push_back(family);
    handles_.push_back(made);
  }
  void drop(const std::string& family) {
    EXPECT_TRUE(db_->DropColumnFamily(handle(family)).ok());
  }

 private:
  [[nodiscard]] rocksdb::ColumnFamilyHandle* handle(const std::string& family) const {
    const auto found = std::ranges::find(names_, family);
    return handles_.at(static_cast<std::size_t>(found - names_.begin()));
  }

  std::vector<std::string> names_;
  std::vector<rocksdb::ColumnFamilyHandle*> handles_;
  std::unique_ptr<rocksdb::DB> db_;
};

std::string in_words(const std::function<void()>& what) {
  try {
    what();
  } catch (const Refused& refused) {
    return refused.what();
  }
  return "it was not refused";
}

class Format1 : public testing::Test {
 protected:
  Format1() {
    format1::Contents contents;
    play(world_, contents.days);
    contents.gaps = {{1'750'000'000'000'000, 1'750'000'005'000'000, "server_closed"}};
    contents.commit = world_.record();
    contents.totals = &world_.totals();
    contents.accounts = accounts_of(world_);
    contents.due = {{20'500, world_.accounts().begin()->first}};
    format1::write(directory_, contents);
    days_ = contents.days.size();
  }
  // Some days, each with something that was missed.
  static void play(World& world, std::vector<DayClosed>& days) {
    for (int i = 0; i < 12; ++i) {
      for (const DayClosed& day : world.step(i % 3 == 2 ? kManyAccounts : 300, 30'000).days) {
        days.push_back(day);
        days.back().head.gap_us = 5'000'000;
      }
      world.committed();
    }
    world.commit().record.gaps = 1;
    world.commit().record.gap_us = 5'000'000;
  }
  void expect_same(const Store& store) { expect_equal(store, world_, Compared::kAsFormat1); }

  Rebuilt rebuild_it() {
    RebuildOptions options;
    options.data_dir = directory_;
    options.into = into_;
    options.now_us = world_.record().committed_at_us + 5;
    options.position = [](const std::string& cursor, std::int64_t) { return cursor; };
    fs::remove_all(into_);
    return rebuild(options);
  }
  void lose_the_manifest() {
    for (const fs::path& file : files(directory_, "MANIFEST-")) fs::remove(file);
    fs::remove(directory_ + "/CURRENT");
  }
  BackupDone back_up_it() {
    BackupOptions options;
    options.data_dir = directory_;
    options.backup_dir = backups_;
    return back_up(options);
  }

  TempDir temp_;
  const std::string directory_ = temp_.path() + "/store";
  const std::string backups_ = temp_.path() + "/backups";
  const std::string into_ = temp_.path() + "/into";
  std::size_t days_ = 0;
  World world_;
};

TEST_F(Format1, IsReadAsItIs) {
  const auto store = open(directory_, true);
  EXPECT_EQ(store->format(), 1U);
  EXPECT_EQ(store->seed(), 0x1122334455667788U);
  expect_same(*store);
  EXPECT_EQ(store->last_commit().network, Network::kNone);
  EXPECT_EQ(store->last_commit().method, 0U);
  EXPECT_FALSE(store->last_commit().archive.exists());
  EXPECT_EQ(store->gaps(0).size(), 1U);
  EXPECT_EQ(store->due(20'500, 0, UINT64_MAX, 10).size(), 1U);
  ASSERT_GT(days_, 2U);
  EXPECT_EQ(store->days(0, 30'000).size(), days_);
  for (const Store::StoredDay& day : store->days(0, 30'000)) {
    EXPECT_EQ(day.head, (ClosingHead{5'000'000, 0, ClosingSource::kLive}));
  }
}

// An older program can go back to it until something was counted.
TEST_F(Format1, StaysFormat1UntilACommit) {
  const Records before = Raw(directory_).all("default");
  { expect_same(*open(directory_)); }
  { static_cast<void>(verify(*open(directory_, true))); }
  back_up_it();
  { open(directory_).reset(); }
  const Raw raw(directory_);
  EXPECT_EQ(raw.all("default"), before);
  EXPECT_EQ(before.at("format"), number_key(1));
  EXPECT_FALSE(raw.has("past"));
  EXPECT_FALSE(raw.has("history"));
}

TEST_F(Format1, BecomesFormat2WithTheFirstCommit) {
  for (const std::size_t accounts : {std::size_t{40}, kManyAccounts}) {
    const std::string copy = temp_.path() + "/copy";
    copy_directory(directory_, copy);
    const Records accounts_before = Raw(copy).all("accounts");
    const Records days_before = Raw(copy).all("days");
    World world;
    std::vector<DayClosed> days;
    play(world, days);
    std::set<std::string> changed;
    {
      const auto store = open(copy);
      // Behind midnight, so that a day is closed.
      const Commit& commit = world.step(accounts, tally::kDaySeconds);
      ASSERT_FALSE(commit.days.empty());
      for (const AccountChange& account : commit.accounts) changed.insert(account_key(account.key));
      store->commit(commit);
      world.committed();
      EXPECT_EQ(store->format(), 2U);
      expect_equal(*store, world, Compared::kAsFormat1);
    }
    {
      const Raw raw(copy);
      EXPECT_EQ(raw.all("default").at("format"), number_key(2));
      EXPECT_FALSE(format1::is_commit(raw.all("default").at("commit")));
      EXPECT_FALSE(format1::is_countries(raw.all("default").at("countries")));
      const Records accounts_after = raw.all("accounts");
      std::size_t untouched = 0;
      for (const auto& [key, bytes] : accounts_before) {
        if (changed.contains(key)) continue;
        ++untouched;
        EXPECT_EQ(accounts_after.at(key), bytes) << "rewritten without a change";
      }
      EXPECT_GT(untouched, 0U);
      const Records days_after = raw.all("days");
      EXPECT_GT(days_after.size(), days_before.size());
      for (const auto& [key, bytes] : days_before) EXPECT_EQ(days_after.at(key), bytes);
    }
    const auto store = open(copy);
    EXPECT_EQ(store->format(), 2U);
    expect_equal(*store, world, Compared::kAsFormat1);
    world.commit_to(*store, kManyAccounts);
    world.commit_to(*store, 40);
    expect_equal(*store, world, Compared::kAsFormat1);
    fs::remove_all(copy);
  }
}

// Two families came with format 2: the next open makes them.
TEST_F(Format1, GetsTheNewFamiliesOnceItIsFormat2) {
  { world_.commit_to(*open(directory_), 40); }
  EXPECT_FALSE(Raw(directory_).has("past"));
  { expect_same(*open(directory_, true)); }
  { expect_same(*open(directory_)); }
  const Raw raw(directory_);
  EXPECT_TRUE(raw.has("past"));
  EXPECT_TRUE(raw.has("history"));
}

TEST_F(Format1, ACommitWithoutTotalsMakesItFormat2) {
  Commit commit;
  commit.record = world_.record();
  ++commit.record.number;
  { open(directory_)->commit(commit); }
  const auto store = open(directory_);
  EXPECT_EQ(store->format(), 2U);
  EXPECT_EQ(verify(*store).differing, 0U);
}

// The number rises in the write that has the first commit, whichever of its syncs was the last.
TEST_F(Format1, APowerCutWithinTheFirstCommitLeavesOneFormat) {
  for (const std::size_t accounts : {std::size_t{40}, kManyAccounts}) {
    const std::string copy = temp_.path() + "/copy";
    const std::string cut = temp_.path() + "/cut";
    copy_directory(directory_, copy);
    PowerCut power;
    std::atomic<bool> committing{false};
    std::size_t cuts = 0;
    power.at_sync = [&] {
      if (committing) power.cut(copy, cut + std::to_string(cuts++));
    };
    const std::unique_ptr<rocksdb::Env> env = power.make_env();
    Commit commit;
    commit.record = world_.record();
    ++commit.record.number;
    const std::string& some = world_.accounts().begin()->second;
    for (std::size_t i = 0; i < accounts; ++i) commit.accounts.push_back({i + 1, some});
    {
      const auto store = open(copy, false, env.get());
      committing = true;
      store->commit(commit);
      committing = false;
    }
    ASSERT_GT(cuts, 0U);
    for (; cuts > 0; --cuts) {
      const std::string found = cut + std::to_string(cuts - 1);
      const std::uint64_t number = open(found)->last_commit().number;
      const bool done = number == commit.record.number;
      const Records records = Raw(found).all("default");
      EXPECT_EQ(records.at("format"), number_key(done ? 2 : 1)) << "commit " << number;
      EXPECT_EQ(format1::is_commit(records.at("commit")), !done) << "commit " << number;
      fs::remove_all(found);
    }
    fs::remove_all(copy);
  }
}

TEST_F(Format1, ABackupOfOneIsOne) {
  back_up_it();
  restore(backups_, into_);
  {
    const auto restored = open(into_);
    EXPECT_EQ(restored->format(), 1U);
    expect_same(*restored);
    EXPECT_EQ(restored->base().gaps, 1U);
    EXPECT_FALSE(Raw(directory_).has("past"));
    world_.commit_to(*restored, 40);
    EXPECT_EQ(restored->format(), 2U);
    expect_same(*restored);
  }
  expect_same(*open(into_));
}

TEST_F(Format1, MixedIsBackedUpAndRestored) {
  {
    const auto store = open(directory_);
    world_.commit_to(*store, 40);
    world_.commit_to(*store, kManyAccounts);
  }
  back_up_it();
  restore(backups_, into_);
  const auto restored = open(into_);
  EXPECT_EQ(restored->format(), 2U);
  expect_same(*restored);
  EXPECT_EQ(restored->days(0, 30'000).front().head.gap_us, 5'000'000);
}

TEST_F(Format1, IsRebuiltAsFormat2) {
  for (const bool manifest : {true, false}) {
    { open(directory_).reset(); }  // so that it is in sorted files
    if (!manifest) lose_the_manifest();
    const Rebuilt rebuilt = rebuild_it();
    EXPECT_EQ(rebuilt.manifest_lost, !manifest);
    EXPECT_TRUE(rebuilt.gaps.empty());
    const auto store = open(into_);
    EXPECT_EQ(store->format(), 2U);
    EXPECT_EQ(verify(*store).differing, 0U);
    EXPECT_EQ(store->last_commit().number, world_.record().number);
    EXPECT_EQ(store->days(0, 30'000).size(), days_);
    EXPECT_EQ(store->days(0, 30'000).front().head, (ClosingHead{5'000'000, 0, {}}));
  }
}

TEST_F(Format1, MixedIsRebuilt) {
  for (const bool manifest : {true, false}) {
    {
      const auto store = open(directory_);
      if (manifest) {
        world_.commit_to(*store, kManyAccounts);
        world_.commit_to(*store, 40);
      }
    }
    if (!manifest) lose_the_manifest();
    const Rebuilt rebuilt = rebuild_it();
    EXPECT_EQ(rebuilt.record.number, world_.record().number);
    const auto store = open(into_);
    EXPECT_EQ(verify(*store).differing, 0U);
    EXPECT_EQ(store->last_commit().archive, world_.record().archive);
    EXPECT_EQ(store->last_commit().method, world_.record().method);
    EXPECT_EQ(store->days(0, 30'000).size(), days_);
    if (manifest) {
      EXPECT_TRUE(rebuilt.gaps.empty());
      expect_same(*store);
    }
  }
}

TEST(Format2, ANewStoreIsOne) {
  const TempDir temp;
  { EXPECT_EQ(open(temp.path())->format(), 2U); }
  const Raw raw(temp.path());
  EXPECT_EQ(raw.all("default").at("format"), number_key(2));
  EXPECT_TRUE(raw.has("past"));
  EXPECT_TRUE(raw.has("history"));
}

TEST(Format2, AnyOtherIsRefusedByItsNumber) {
  const TempDir temp;
  { World().commit_to(*open(temp.path()), 40); }
  {
    Raw raw(temp.path());
    raw.put("default", "format", number_key(3));
  }
  const std::string words = "its format is 3, this program reads 1 and 2";
  EXPECT_NE(in_words([&] { open(temp.path()); }).find(words), std::string::npos);
  { Raw(temp.path()).make("more"); }
  EXPECT_NE(in_words([&] { open(temp.path()); }).find(words), std::string::npos);
  EXPECT_NE(in_words([&] { open(temp.path(), true); }).find(words), std::string::npos);
  {
    Raw raw(temp.path());
    raw.drop("more");
  }
  RebuildOptions options;
  options.data_dir = temp.path();
  options.into = temp.path() + "-rebuilt";
  options.position = [](const std::string& cursor, std::int64_t) { return cursor; };
  EXPECT_NE(in_words([&] { static_cast<void>(rebuild(options)); }).find(words), std::string::npos);
  fs::remove_all(options.into);
}

TEST(Format2, ANetworkThatIsNotKnownIsRefusedInWords) {
  const TempDir temp;
  {
    const auto store = open(temp.path());
    World world;
    world.step(40);
    world.commit().record.network = static_cast<Network>(9);
    store->commit(world.commit());
  }
  const std::string words = "it counts network 9, which this program does not know";
  EXPECT_NE(in_words([&] { open(temp.path()); }).find(words), std::string::npos);
  EXPECT_NE(in_words([&] { open(temp.path(), true); }).find(words), std::string::npos);
  RebuildOptions options;
  options.data_dir = temp.path();
  options.into = temp.path() + "-rebuilt";
  options.position = [](const std::string& cursor, std::int64_t) { return cursor; };
  EXPECT_NE(in_words([&] { static_cast<void>(rebuild(options)); }).find(words), std::string::npos);
  fs::remove_all(options.into);
}

// --- what a later program of format 2 adds ---------------------------------------------------

struct Later {
  const char* family;
  std::string key;
  std::string value;
};

// Rows of kinds that came later, some older than any row that is kept, later totals, and the past.
std::vector<Later> later_records() {
  std::vector<Later> records;
  for (const unsigned kind : {5U, 8U, 12U, 255U}) {
    for (const std::uint32_t bucket : {1U, 20'300U, 4'000'000'000U}) {
      std::string key = row_key({tally::RowKind::kSecond, bucket});
      key[0] = static_cast<char>(kind);
      records.push_back({"cells", key, "row of kind " + std::to_string(kind)});
    }
  }
  records.push_back({"cells", std::string("\x06\0\0\0\x07", 5), ""});
  records.push_back({"default", "languages", "totals by language"});
  records.push_back({"default", "a key before all others", std::string("\0\xff", 2)});
  records.push_back({"default", "z", "and one behind them"});
  for (std::uint64_t i = 0; i < 500; ++i) {
    records.push_back({"past", account_key(i << 55), "days of " + std::to_string(i)});
  }
  records.push_back({"history", std::string("\x0d\0\0\x4e\x20", 5), "a closing row"});
  return records;
}

class LaterRecords : public testing::Test {
 protected:
  LaterRecords() {
    const auto store = open(directory_);
    for (int i = 0; i < 6; ++i) world_.commit_to(*store, World::rule(world_.record().number + 1));
  }
  void plant() {
    Raw raw(directory_);
    for (const Later& record : records_) raw.put(record.family, record.key, record.value);
  }
  void expect_kept(const std::string& directory) {
    const Raw raw(directory);
    for (const char* family : {"default", "cells", "past", "history"}) {
      const Records have = raw.all(family);
      for (const Later& record : records_) {
        if (record.family != std::string(family)) continue;
        const auto found = have.find(record.key);
        ASSERT_NE(found, have.end()) << family << " " << testing::PrintToString(record.key);
        EXPECT_EQ(found->second, record.value);
      }
    }
    EXPECT_EQ(raw.all("past").size(), 500U);
    EXPECT_EQ(raw.all("history").size(), 1U);
  }
  Rebuilt rebuild_it() {
    RebuildOptions options;
    options.data_dir = directory_;
    options.into = into_;
    options.now_us = world_.record().committed_at_us + 5;
    options.position = [](const std::string& cursor, std::int64_t) { return cursor; };
    fs::remove_all(into_);
    return rebuild(options);
  }

  TempDir temp_;
  const std::string directory_ = temp_.path() + "/store";
  const std::string into_ = temp_.path() + "/into";
  const std::vector<Later> records_ = later_records();
  World world_;
};

TEST_F(LaterRecords, AreKeptOverCommitsAndExpiry) {
  plant();
  {
    const auto store = open(directory_);
    expect_equal(*store, world_);
    world_.commit_to(*store, 40);
    // Everything but rows of days expires.
    world_.commit_to(*store, kManyAccounts, 100 * tally::kDaySeconds);
    world_.commit_to(*store, 40);
    expect_equal(*store, world_);
    std::uint64_t days = 0;
    store->for_each_day([&](std::int64_t, const tally::Row&) { ++days; });
    EXPECT_GE(days, 2U);
  }
  expect_kept(directory_);
  expect_equal(*open(directory_, true), world_);
}

TEST_F(LaterRecords, VerifySaysHowManyItPassedOver) {
  const Verification none = verify(*open(directory_));
  EXPECT_EQ(none.passed_over, 0U);
  EXPECT_TRUE(summary(none).ends_with(" 0 differ"));
  plant();
  const Verification some = verify(*open(directory_));
  EXPECT_EQ(some.differing, 0U);
  EXPECT_EQ(some.passed_over, records_.size());
  EXPECT_NE(summary(some).find(" 0 differ; 517 records passed over"), std::string::npos)
      << summary(some);
}

TEST_F(LaterRecords, AreBackedUpAndRestored) {
  plant();
  BackupOptions options;
  options.data_dir = directory_;
  options.backup_dir = temp_.path() + "/backups";
  back_up(options);
  restore(options.backup_dir, into_);
  expect_equal(*open(into_), world_);
  expect_kept(into_);
}

TEST_F(LaterRecords, AreCopiedByARebuild) {
  plant();
  {
    const auto store = open(directory_);
    world_.step(40);
    world_.commit().record.class_function = 7;
    store->commit(world_.commit());
    world_.committed();
  }
  const Rebuilt rebuilt = rebuild_it();
  EXPECT_TRUE(rebuilt.gaps.empty());
  EXPECT_EQ(rebuilt.record.class_function, 0U) << "whoever counts classes begins anew";
  expect_equal(*open(into_), world_);
  expect_kept(into_);
  for (const Rebuilt::Family& family : rebuilt.families) {
    if (family.name == "past") {
      EXPECT_EQ(family.kept, 500U);
    }
    EXPECT_EQ(family.invalid, 0U) << family.name;
  }
}

TEST_F(LaterRecords, AreCopiedByARebuildWithoutAManifest) {
  plant();
  { open(directory_).reset(); }
  for (const fs::path& file : files(directory_, "MANIFEST-")) fs::remove(file);
  fs::remove(directory_ + "/CURRENT");
  const Rebuilt rebuilt = rebuild_it();
  EXPECT_TRUE(rebuilt.manifest_lost);
  EXPECT_EQ(verify(*open(into_)).differing, 0U);
  expect_kept(into_);
}

// Format 2 was made before every store had the two families.
TEST_F(LaterRecords, AStoreWithoutThePastIsReadAndRebuilt) {
  {
    Raw raw(directory_);
    raw.drop("past");
    raw.drop("history");
  }
  expect_equal(*open(directory_, true), world_);
  EXPECT_FALSE(Raw(directory_).has("past"));
  EXPECT_TRUE(rebuild_it().gaps.empty());
  expect_equal(*open(into_), world_);
  expect_equal(*open(directory_), world_);
  EXPECT_TRUE(Raw(directory_).has("past"));
  EXPECT_TRUE(Raw(directory_).has("history"));
}

}  // namespace
}  // namespace geotally::store
