// Goal: a backup is one commit, whole; a restored store is that commit, and counts on from a base.
// Method: a small world's commits, on both ways into the database, with backups between them.
#include "store/backup.h"

#include <filesystem>
#include <fstream>

#include <gtest/gtest.h>
#include <rocksdb/db.h>
#include <rocksdb/utilities/backup_engine.h>

#include "world.h"

namespace geotally::store {
namespace {

namespace fs = std::filesystem;

std::unique_ptr<Store> open(const std::string& directory) {
  Options options;
  options.directory = directory;
  return Store::open(options);
}

class Backup : public testing::Test {
 protected:
  BackupDone back_up_now() {
    BackupOptions options;
    options.data_dir = data_;
    options.backup_dir = backups_;
    return back_up(options);
  }

  TempDir temp_;
  const std::string data_ = temp_.path() + "/data";
  const std::string backups_ = temp_.path() + "/backups";
  const std::string restored_ = temp_.path() + "/restored";
};

TEST_F(Backup, EveryOneIsTheCommitThatItWasTakenOf) {
  World world;
  std::vector<std::uint32_t> ids;
  for (const std::size_t accounts : {std::size_t{50}, kManyAccounts, std::size_t{30}}) {
    {
      const auto store = open(data_);
      world.commit_to(*store, accounts);
    }
    ids.push_back(back_up_now().id);
  }
  World again;
  for (std::size_t i = 0; i < ids.size(); ++i) {
    const std::string to = restored_ + std::to_string(i);
    EXPECT_EQ(restore(backups_, to, ids[i]).number, i + 1);
    again.step(i == 1 ? kManyAccounts : i == 0 ? 50 : 30);
    again.committed();
    expect_equal(*open(to), again);
  }
}

// Taken on the thread that commits, with a request and a second process's view of the files.
TEST_F(Backup, OfAStoreInUse) {
  const auto store = open(data_);
  World world;
  for (int i = 0; i < 6; ++i) {
    world.commit_to(*store, i % 2 == 0 ? kManyAccounts : 40);
    EXPECT_EQ(store->answer_backup(), std::nullopt);
    std::ofstream(data_ + "/checkpoint.request").put(' ');
    EXPECT_EQ(store->answer_backup(), "");
    EXPECT_EQ(store->answer_backup(), std::nullopt);
    copy_directory(data_ + "/checkpoint", restored_);
    fs::remove_all(data_ + "/checkpoint");
    expect_equal(*open(restored_), world);
  }
  // A commit that cannot be given is a reason in a file, not an end.
  fs::create_directory(data_ + "/checkpoint");
  std::ofstream(data_ + "/checkpoint.request").put(' ');
  EXPECT_NE(store->answer_backup().value_or(""), "");
  EXPECT_TRUE(fs::exists(data_ + "/checkpoint.failed"));
  world.commit_to(*store, 40);
}

TEST_F(Backup, ARestoredStoreHasABaseAndGoesOn) {
  World world;
  {
    const auto store = open(data_);
    world.commit_to(*store, kManyAccounts);
    EXPECT_EQ(store->base(), CounterBase{});
  }
  back_up_now();
  restore(backups_, restored_);
  const auto store = open(restored_);
  tally::Totals totals;
  store->load(totals);
  for (std::size_t i = 0; i < Country::count(); ++i) {
    EXPECT_EQ(store->base().posts[i], totals.country(Country::from_index(i)).posts);
    EXPECT_EQ(store->base().posts_deleted[i], totals.country(Country::from_index(i)).posts_deleted);
  }
  EXPECT_EQ(store->base().floor, 0U);
  world.commit_to(*store, 40);
  expect_equal(*store, world);
}

TEST_F(Backup, NothingIsReplaced) {
  World world;
  { world.commit_to(*open(data_), 50); }
  back_up_now();
  EXPECT_THROW(restore(backups_, data_), Refused);
  fs::create_directory(restored_);
  std::ofstream(restored_ + "/thesis.tex") << "years of work";
  EXPECT_THROW(restore(backups_, restored_), Refused);
  EXPECT_EQ(std::distance(fs::directory_iterator(restored_), {}), 1);
  EXPECT_THROW(restore(temp_.path() + "/nowhere", restored_), Refused);

  // Another store's backups, and a directory that holds other things.
  World other(2);
  { other.commit_to(*open(temp_.path() + "/other"), 50); }
  BackupOptions options;
  options.data_dir = temp_.path() + "/other";
  options.backup_dir = backups_;
  EXPECT_THROW(back_up(options), Refused);
  options.backup_dir = restored_;
  EXPECT_THROW(back_up(options), Refused);
  expect_equal(*open(data_), world);
}

TEST_F(Backup, AnInterruptedRestoreGoesOnOrBeginsAgain) {
  World world;
  { world.commit_to(*open(data_), kManyAccounts); }
  back_up_now();
  // Cut off while files were copied: begun again.
  fs::create_directories(restored_ + "/incoming.tmp");
  std::ofstream(restored_ + "/incoming.tmp/000007.sst") << "half";
  restore(backups_, restored_);
  expect_equal(*open(restored_), world);
  // Cut off while the complete store was moved: the directory is no store until it is done.
  fs::create_directory(restored_ + "/incoming");
  for (const char* name : {"CURRENT", "IDENTITY"}) {
    fs::rename(restored_ + "/" + name, restored_ + "/incoming/" + name);
  }
  EXPECT_THROW(open(restored_), Refused);
  restore(backups_, restored_);
  expect_equal(*open(restored_), world);
  EXPECT_FALSE(fs::exists(restored_ + "/incoming"));
}

TEST_F(Backup, ADamagedStoreDoesNotGetIntoOne) {
  World world;
  { world.commit_to(*open(data_), kManyAccounts); }
  const std::uint32_t good = back_up_now().id;
  for (const auto& entry : fs::directory_iterator(data_)) {
    if (entry.path().extension() != ".sst" || fs::file_size(entry) < 50'000) continue;
    std::fstream file(entry.path(), std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(20'000);
    file << "not what was written";
  }
  EXPECT_THROW(back_up_now(), Refused);
  restore(backups_, restored_, good);
  expect_equal(*open(restored_), world);
}

// A store of another format does not get into a backup, and a backup of one not into a store.
TEST_F(Backup, OfAnotherFormatIsRefused) {
  World world;
  { world.commit_to(*open(data_), 50); }
  for (const std::uint64_t format : {std::uint64_t{0}, std::uint64_t{kFormat + 1}}) {
    std::vector<std::string> names;
    ASSERT_TRUE(rocksdb::DB::ListColumnFamilies({}, data_, &names).ok());
    std::vector<rocksdb::ColumnFamilyDescriptor> families;
    for (const std::string& name : names) {
      families.emplace_back(name, rocksdb::ColumnFamilyOptions());
    }
    std::vector<rocksdb::ColumnFamilyHandle*> handles;
    rocksdb::DB* raw = nullptr;
    ASSERT_TRUE(rocksdb::DB::Open({}, data_, families, &handles, &raw).ok());
    const std::unique_ptr<rocksdb::DB> db(raw);
    ASSERT_TRUE(db->Put({}, "format", number_key(format)).ok());
    rocksdb::BackupEngine* engine = nullptr;
    const std::string backups = backups_ + std::to_string(format);
    ASSERT_TRUE(rocksdb::BackupEngine::Open(rocksdb::Env::Default(),
                                            rocksdb::BackupEngineOptions(backups), &engine)
                    .ok());
    const std::unique_ptr<rocksdb::BackupEngine> made_by(engine);
    ASSERT_TRUE(made_by->CreateNewBackup(db.get(), true).ok());
    for (rocksdb::ColumnFamilyHandle* handle : handles) db->DestroyColumnFamilyHandle(handle);
    ASSERT_TRUE(db->Close().ok());
    EXPECT_THROW(back_up_now(), Refused) << format;
    EXPECT_THROW(restore(backups, restored_), Refused) << format;
    EXPECT_FALSE(fs::exists(restored_ + "/CURRENT")) << format;
  }
}

TEST(Codec, ABaseComesBackAndNothingElseDoes) {
  CounterBase base;
  base.gaps = 3;
  base.gap_us = 90'000'000;
  base.floor = 1'900'000'000'000'000'000;
  base.posts[Country::parse("FR")->index()] = 1'000;
  base.posts_deleted[0] = 7;
  std::string bytes;
  encode_base(base, bytes);
  CounterBase back;
  ASSERT_TRUE(decode_base(bytes, back));
  EXPECT_EQ(back, base);
  for (std::size_t cut = 0; cut < bytes.size(); ++cut) {
    EXPECT_FALSE(decode_base(bytes.substr(0, cut), back) && back == base);
  }
  EXPECT_FALSE(decode_base(bytes + "x", back));
}

}  // namespace
}  // namespace geotally::store
