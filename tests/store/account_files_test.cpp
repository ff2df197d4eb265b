// Goal: all accounts are loaded as they are, however many files they lie in and whatever was
// forgotten; files are dropped oldest first or not at all.
// Method: commits on both paths, each over a part of the accounts, beside a map of what they leave;
// files of another program; files that RocksDB has merged; a disk that forgets what was not synced.
#include <algorithm>
#include <atomic>
#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <thread>

#include <gtest/gtest.h>
#include <rocksdb/db.h>

#include "power_cut.h"
#include "store/codec.h"
#include "store/store.h"
#include "world.h"

namespace geotally::store {
namespace {

constexpr std::uint32_t kAccounts = 6'000;
constexpr tally::AccountKey kMiddle = tally::AccountKey{1} << 63;

tally::AccountKey key_of(std::uint32_t account) {
  return account == 0 ? 1 : account == 1 ? UINT64_MAX : account * 0x9e3779b97f4a7c15U;
}

std::string encoded(std::uint32_t posts) {
  AccountRecord record;
  record.state.posts = posts;
  record.state.last_post_s = 1'750'000'000;
  std::string bytes;
  encode_account(record, bytes);
  return bytes;
}

// Key to number of posts.
using Accounts = std::map<tally::AccountKey, std::uint32_t>;

std::uint64_t records_in(const AccountFiles& files) {
  std::uint64_t sum = 0;
  for (const auto& [number, records] : files) sum += records;
  return sum;
}

class Files : public testing::Test {
 protected:
  Files() { open(); }

  void open(rocksdb::Env* env = nullptr) {
    store_.reset();
    Options options;
    options.directory = directory_.path();
    options.env = env;
    store_ = Store::open(options);
  }

  // Changes some of the accounts; of each hundred one is forgotten.
  void commit(std::size_t count) {
    std::map<tally::AccountKey, std::string> changes;
    while (changes.size() < count) {
      const tally::AccountKey key = key_of(static_cast<std::uint32_t>(random_() % kAccounts));
      const auto posts = static_cast<std::uint32_t>(random_() % 1'000'000) + 1;
      const bool forgotten = random_() % 100 == 0;
      changes[key] = forgotten ? "" : encoded(posts);
      if (forgotten) {
        accounts_.erase(key);
      } else {
        accounts_[key] = posts;
      }
    }
    commit(changes);
  }

  // Every account once more.
  void rewrite() {
    std::map<tally::AccountKey, std::string> changes;
    for (const auto& [key, posts] : accounts_) changes[key] = encoded(posts);
    commit(changes);
  }

  void commit(const std::map<tally::AccountKey, std::string>& changes) {
    Commit commit;
    commit.record = store_->last_commit();
    ++commit.record.number;
    for (const auto& [key, value] : changes) commit.accounts.push_back({key, value});
    store_->commit(commit);
  }

  void expect_loaded(const char* where) {
    SCOPED_TRACE(where);
    const auto loader = store_->load_accounts();
    Accounts whole;
    load(*loader, 0, UINT64_MAX, whole);
    EXPECT_EQ(whole, accounts_);
    Accounts halves;
    load(*loader, 0, kMiddle - 1, halves);
    EXPECT_TRUE(halves.empty() || halves.rbegin()->first < kMiddle);
    load(*loader, kMiddle, UINT64_MAX, halves);
    EXPECT_EQ(halves, accounts_);
  }

  static void load(const AccountLoader& loader, tally::AccountKey first, tally::AccountKey last,
                   Accounts& accounts) {
    const auto scan = loader.scan(first, last);
    tally::AccountKey key = 0;
    AccountRecord record;
    while (scan->next(key, record)) {
      ASSERT_TRUE(accounts.emplace(key, record.state.posts).second);
    }
    EXPECT_FALSE(scan->next(key, record));
  }

  // What a restart finds, read by RocksDB's own iterator.
  void expect_stored() {
    store_.reset();
    EXPECT_EQ(stored_in(directory_.path()), accounts_);
    open();
  }

  static Accounts stored_in(const std::string& directory) {
    Options options;
    options.directory = directory;
    Accounts stored;
    Store::open(options)->for_each_account([&](tally::AccountKey key, const AccountRecord& record) {
      stored[key] = record.state.posts;
    });
    return stored;
  }

  // Which knows nothing of how the store opens its files.
  void by_another_program(
      const std::function<void(rocksdb::DB&, rocksdb::ColumnFamilyHandle*)>& act) {
    store_.reset();
    std::vector<std::string> names;
    ASSERT_TRUE(rocksdb::DB::ListColumnFamilies({}, directory_.path(), &names).ok());
    std::vector<rocksdb::ColumnFamilyDescriptor> descriptors;
    for (const std::string& name : names) {
      descriptors.emplace_back(name, rocksdb::ColumnFamilyOptions());
    }
    std::vector<rocksdb::ColumnFamilyHandle*> families;
    rocksdb::DB* raw = nullptr;
    ASSERT_TRUE(rocksdb::DB::Open({}, directory_.path(), descriptors, &families, &raw).ok());
    std::unique_ptr<rocksdb::DB> db(raw);
    for (rocksdb::ColumnFamilyHandle* family : families) {
      if (family->GetName() == "accounts") act(*db, family);
    }
    for (rocksdb::ColumnFamilyHandle* family : families) db->DestroyColumnFamilyHandle(family);
    db.reset();
    open();
  }

  const TempDir directory_;
  std::unique_ptr<Store> store_;
  Accounts accounts_;
  std::mt19937_64 random_{11};
};

using Loader = Files;

TEST_F(Loader, AnEmptyStoreHasNone) { expect_loaded("empty"); }

TEST_F(Loader, TheNewestFileCounts) {
  for (int i = 0; i < 12; ++i) {
    commit(i % 3 == 2 ? 100 : 2'500);
    expect_loaded("files and log");
  }
  EXPECT_GT(store_->account_files().size(), 8U);
  open();
  expect_loaded("opened again");
}

TEST_F(Loader, SeesWhatWasThereWhenItWasMade) {
  commit(2'500);
  const Accounts before = accounts_;
  const auto loader = store_->load_accounts();
  commit(2'500);
  Accounts loaded;
  load(*loader, 0, UINT64_MAX, loaded);
  EXPECT_EQ(loaded, before);
}

TEST_F(Loader, MergedFilesAreReadToo) {
  for (int i = 0; i < 6; ++i) commit(2'500);
  by_another_program([](rocksdb::DB& db, rocksdb::ColumnFamilyHandle* accounts) {
    ASSERT_TRUE(db.CompactRange({}, accounts, nullptr, nullptr).ok());
  });
  commit(2'500);
  expect_loaded("a merged file and one after it");
}

// A file has removals and does not say which: RocksDB's own iterator sees them.
TEST_F(Loader, FilesOfAnotherProgramAreReadToo) {
  for (int i = 0; i < 3; ++i) commit(2'500);
  const auto gone = std::next(accounts_.begin(), 17);
  by_another_program([&](rocksdb::DB& db, rocksdb::ColumnFamilyHandle* accounts) {
    ASSERT_TRUE(db.Delete({}, accounts, account_key(gone->first)).ok());
    ASSERT_TRUE(db.Flush({}, accounts).ok());
  });
  accounts_.erase(gone);
  expect_loaded("opened again");
}

TEST_F(Loader, ACorruptAccountIsRefused) {
  commit(2'500);
  commit({{kMiddle + 12'345, "no account"}});
  const auto loader = store_->load_accounts();
  Accounts loaded;
  EXPECT_THROW(load(*loader, 0, UINT64_MAX, loaded), Refused);
}

TEST_F(Files, AreDroppedWhenAllIsWrittenAnew) {
  for (int i = 0; i < 9; ++i) commit(i % 3 == 2 ? 100 : 2'500);
  const AccountFiles before = store_->account_files();
  ASSERT_GT(before.size(), 5U);
  EXPECT_GT(records_in(before), accounts_.size());
  rewrite();
  commit(2'500);
  int calls = 1;
  while (store_->drop_account_files(before, 2)) ++calls;
  EXPECT_GE(calls, static_cast<int>(before.size() / 2));
  const AccountFiles after = store_->account_files();
  for (const auto& [number, records] : before) EXPECT_FALSE(after.contains(number));
  EXPECT_GE(records_in(after), 2'500U);
  expect_loaded("dropped");
  expect_stored();
}

// Whoever stops between two calls has lost nothing: what is left is newer than what is gone.
TEST_F(Files, AreDroppedOldestFirst) {
  for (int i = 0; i < 6; ++i) commit(2'500);
  const AccountFiles before = store_->account_files();
  rewrite();
  for (std::size_t left = before.size(); left > 0; --left) {
    expect_stored();
    EXPECT_TRUE(store_->drop_account_files(before, 1));
    EXPECT_EQ(store_->account_files().size(), left);
  }
  EXPECT_FALSE(store_->drop_account_files(before, 1));
  expect_stored();
}

// Cut after each of its syncs: some files are dropped by then, and no account is lost or old.
TEST_F(Files, AreDroppedThroughAPowerCut) {
  const TempDir temp;
  PowerCut power;
  std::atomic<bool> dropping{false};
  std::atomic<std::size_t> cuts{0};
  power.at_sync = [&] {
    if (dropping) power.cut(directory_.path(), temp.path() + "/" + std::to_string(cuts++));
  };
  const std::unique_ptr<rocksdb::Env> env = power.make_env();
  open(env.get());
  for (int i = 0; i < 6; ++i) commit(i % 3 == 2 ? 100 : 2'500);
  const AccountFiles before = store_->account_files();
  rewrite();
  dropping = true;
  EXPECT_TRUE(store_->drop_account_files(before, before.size()));
  dropping = false;
  ASSERT_GE(cuts, before.size());
  for (std::size_t i = 0; i < cuts; ++i) {
    EXPECT_EQ(stored_in(temp.path() + "/" + std::to_string(i)), accounts_) << "cut " << i;
  }
  store_.reset();  // before its environment
}

TEST_F(Files, StayBehindOneThatIsNotToBeDropped) {
  commit(2'500);
  const AccountFiles first = store_->account_files();
  commit(2'500);
  AccountFiles second = store_->account_files();
  second.erase(first.begin()->first);
  ASSERT_EQ(second.size(), 1U);
  EXPECT_FALSE(store_->drop_account_files(second, 10));
  EXPECT_EQ(store_->account_files().size(), 2U);
  expect_stored();
}

// By RocksDB's own threads, so it is waited for.
TEST_F(Files, AreMergedSoonerWhenAsked) {
  constexpr std::size_t kFiles = 40;
  for (std::size_t i = 0; i < kFiles; ++i) commit(2'000);
  EXPECT_EQ(store_->account_files().size(), kFiles);
  ASSERT_TRUE(store_->set_merging(Merging::kSoon));
  while (store_->account_files().size() == kFiles) {
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  expect_stored();
}

}  // namespace
}  // namespace geotally::store
