// Goal: a store is opened, made, or refused with the right reason; nothing that is refused is
// changed, and damaged bytes are never taken for the state.
// Method: real directories, damaged in every way that a disk, a crash or an operator can.
#include <filesystem>
#include <functional>

#include <gtest/gtest.h>
#include <rocksdb/db.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fault.h"
#include "files.h"
#include "store/verify.h"
#include "world.h"

namespace geotally::store {
namespace {

namespace fs = std::filesystem;

std::unique_ptr<Store> open(const std::string& directory, bool create = true,
                            bool read_only = false) {
  Options options;
  options.directory = directory;
  options.create = create;
  options.read_only = read_only;
  return Store::open(options);
}

TEST(Open, MakesAStoreAndFindsItAgain) {
  TempDir temp;
  const std::string directory = temp.path() + "/a/b";
  auto store = open(directory);
  const std::uint64_t seed = store->seed();
  EXPECT_EQ(store->last_commit().number, 0U);
  World world;
  world.commit_to(*store, 50);
  store.reset();
  store = open(directory, false);
  EXPECT_EQ(store->seed(), seed);
  expect_equal(*store, world);
  TempDir other;
  EXPECT_NE(open(other.path())->seed(), seed);
}

TEST(Open, MakesNothingUnlessAsked) {
  TempDir temp;
  EXPECT_THROW(open(temp.path() + "/none", false), CannotCreate);
  EXPECT_THROW(open(temp.path() + "/none", true, true), CannotCreate);
  EXPECT_FALSE(fs::exists(temp.path() + "/none"));
  EXPECT_THROW(open(temp.path(), false), Refused);
  EXPECT_THROW(open(temp.path(), true, true), Refused);
  EXPECT_TRUE(fs::is_empty(temp.path()));
}

TEST(Open, CannotCreateBelowAFile) {
  TempDir temp;
  write(temp.path() + "/file", "");
  EXPECT_THROW(open(temp.path() + "/file"), CannotCreate);
  EXPECT_THROW(open(temp.path() + "/file/store"), CannotCreate);
}

// Root may write anywhere: a child without rights tries.
TEST(Open, CannotCreateWhereItMayNotWrite) {
  TempDir temp;
  fs::permissions(temp.path(), fs::perms::owner_read | fs::perms::owner_exec |
                                   fs::perms::others_read | fs::perms::others_exec);
  const pid_t child = ::fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    constexpr uid_t kNobody = 65'534;
    if (::geteuid() == 0 && ::setresuid(kNobody, kNobody, kNobody) != 0) ::_exit(1);
    for (const char* below : {"", "/below"}) {
      try {
        open(temp.path() + below);
        ::_exit(2);
      } catch (const CannotCreate&) {
      } catch (...) {
        ::_exit(3);
      }
    }
    ::_exit(0);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
  fs::permissions(temp.path(), fs::perms::owner_all);
}

TEST(Open, ForeignDirectoriesAreLeftAlone) {
  for (const char* name : {"notes.txt", "000005.sst", "000004.log", "MANIFEST-000005"}) {
    TempDir temp;
    write(temp.path() + "/" + name, "precious");
    const auto before = contents(temp.path());
    EXPECT_THROW(open(temp.path()), Refused) << name;
    EXPECT_EQ(contents(temp.path()), before) << name;
  }
  TempDir formatted;  // a file system's own
  fs::create_directory(formatted.path() + "/lost+found");
  EXPECT_EQ(open(formatted.path())->last_commit().number, 0U);
}

TEST(Open, IsRefusedWhileAnotherHasIt) {
  TempDir temp;
  const auto store = open(temp.path());
  EXPECT_THROW(open(temp.path()), Refused);
  EXPECT_NO_THROW(open(temp.path(), false, true));  // to look is allowed
}

TEST(Open, AFailingDiskIsNotAnotherProcess) {
  TempDir temp;
  const std::string directory = temp.path() + "/locked-blocks";
  open(directory).reset();
  Fault fault;
  const std::unique_ptr<rocksdb::Env> env = make_faulty_env(fault);
  Options options;
  options.directory = directory;
  options.env = env.get();
  fault.call = Fault::Call::kOpen;
  fault.file = "MANIFEST";
  fault.times = 1;
  EXPECT_THROW(static_cast<void>(Store::open(options)), IoError);
  EXPECT_NO_THROW(static_cast<void>(Store::open(options)));
}

// --- other formats ---------------------------------------------------------------------------

void with_rocksdb(const std::string& directory, const std::function<void(rocksdb::DB&)>& change) {
  std::vector<std::string> names;
  rocksdb::DBOptions options;
  ASSERT_TRUE(rocksdb::DB::ListColumnFamilies(options, directory, &names).ok());
  std::vector<rocksdb::ColumnFamilyDescriptor> families;
  for (const std::string& name : names) families.emplace_back(name, rocksdb::ColumnFamilyOptions());
  std::vector<rocksdb::ColumnFamilyHandle*> handles;
  rocksdb::DB* raw = nullptr;
  ASSERT_TRUE(rocksdb::DB::Open(options, directory, families, &handles, &raw).ok());
  const std::unique_ptr<rocksdb::DB> db(raw);
  change(*db);
  for (rocksdb::ColumnFamilyHandle* handle : handles) db->DestroyColumnFamilyHandle(handle);
}

TEST(Open, OtherFormatsAreRefused) {
  const std::vector<std::pair<const char*, std::function<void(rocksdb::DB&)>>> changes = {
      {"a later number", [](rocksdb::DB& db) { db.Put({}, "format", number_key(kFormat + 1)); }},
      {"an earlier number", [](rocksdb::DB& db) { db.Put({}, "format", number_key(0)); }},
      {"no number", [](rocksdb::DB& db) { db.Delete({}, "format"); }},
      {"not a number", [](rocksdb::DB& db) { db.Put({}, "format", "zero"); }},
      {"no seed", [](rocksdb::DB& db) { db.Delete({}, "seed"); }},
      {"a commit that does not decode", [](rocksdb::DB& db) { db.Put({}, "commit", "\xff"); }},
      {"a family more",
       [](rocksdb::DB& db) {
         rocksdb::ColumnFamilyHandle* handle = nullptr;
         db.CreateColumnFamily({}, "later", &handle);
         db.DestroyColumnFamilyHandle(handle);
       }},
  };
  for (const auto& [name, change] : changes) {
    TempDir temp;
    World world;
    world.commit_to(*open(temp.path()), 50);
    with_rocksdb(temp.path(), change);
    EXPECT_THROW(open(temp.path()), Refused) << name;
  }
}

TEST(Open, AFirstStartThatWasCutOffGoesOn) {
  constexpr std::array kFamilies = {"accounts", "cells",  "days", "gaps",
                                    "due",      "cities", "past", "history"};
  for (std::size_t made = 0; made <= kFamilies.size(); ++made) {
    TempDir temp;
    {
      rocksdb::Options options;
      options.create_if_missing = true;
      rocksdb::DB* raw = nullptr;
      ASSERT_TRUE(rocksdb::DB::Open(options, temp.path(), &raw).ok());
      const std::unique_ptr<rocksdb::DB> db(raw);
      for (std::size_t i = 0; i < made; ++i) {
        rocksdb::ColumnFamilyHandle* handle = nullptr;
        ASSERT_TRUE(db->CreateColumnFamily({}, kFamilies[i], &handle).ok());
        db->DestroyColumnFamilyHandle(handle);
      }
    }
    World world;
    auto store = open(temp.path());
    world.commit_to(*store, 50);
    store.reset();
    expect_equal(*open(temp.path()), world);
  }
}

TEST(Open, AStoreThatLostAFamilyIsRefused) {
  TempDir temp;
  open(temp.path()).reset();
  {
    std::vector<rocksdb::ColumnFamilyDescriptor> families;
    for (const char* name : {"default", "accounts", "cells", "days", "gaps", "due", "past",
                             "history", "cities"}) {
      families.emplace_back(name, rocksdb::ColumnFamilyOptions());
    }
    std::vector<rocksdb::ColumnFamilyHandle*> handles;
    rocksdb::DB* raw = nullptr;
    ASSERT_TRUE(rocksdb::DB::Open({}, temp.path(), families, &handles, &raw).ok());
    const std::unique_ptr<rocksdb::DB> db(raw);
    ASSERT_TRUE(db->DropColumnFamily(handles.back()).ok());
    for (rocksdb::ColumnFamilyHandle* handle : handles) db->DestroyColumnFamilyHandle(handle);
  }
  EXPECT_THROW(open(temp.path()), Refused);
}

TEST(Open, LeftoversOfACutOffCommitGo) {
  TempDir temp;
  open(temp.path()).reset();
  write(temp.path() + "/commit-accounts-17.sst.tmp", "half a file");
  write(temp.path() + "/commit-notes.txt", "not ours");
  {
    const auto reader = open(temp.path(), false, true);
    EXPECT_TRUE(fs::exists(temp.path() + "/commit-accounts-17.sst.tmp"));
  }
  open(temp.path()).reset();
  EXPECT_FALSE(fs::exists(temp.path() + "/commit-accounts-17.sst.tmp"));
  EXPECT_TRUE(fs::exists(temp.path() + "/commit-notes.txt"));
}

// --- damage ----------------------------------------------------------------------------------

class Damaged : public testing::Test {
 protected:
  Damaged() : directory_(temp_.path() + "/store"), copy_(temp_.path() + "/copy") {
    const auto store = open(directory_);
    while (world_.record().number < 12) {
      world_.commit_to(*store, World::rule(world_.record().number + 1));
    }
  }
  // What is wrong is said, or nothing is wrong: never another state.
  void expect_refused_or_equal(const std::string& what, bool must_refuse = false) {
    try {
      const auto store = open(copy_);
      EXPECT_EQ(store->last_commit().number, world_.record().number) << what;
      expect_equal(*store, world_);
      EXPECT_FALSE(must_refuse) << what;
    } catch (const Refused&) {
    } catch (const IoError&) {
    }
  }
  void fresh() { copy_directory(directory_, copy_); }

  TempDir temp_;
  const std::string directory_;
  const std::string copy_;
  World world_;
};

TEST_F(Damaged, Current) {
  for (const char* bytes : {"", "garbage", "MANIFEST-999999\n", "MANIFEST-", "\n"}) {
    fresh();
    write(copy_ + "/CURRENT", bytes);
    expect_refused_or_equal(bytes, true);
  }
  fresh();
  fs::remove(copy_ + "/CURRENT");
  const auto before = contents(copy_);
  expect_refused_or_equal("lost", true);
  EXPECT_EQ(contents(copy_), before);
  fresh();
  fs::remove(copy_ + "/CURRENT");
  fs::create_directory(copy_ + "/CURRENT");
  expect_refused_or_equal("a directory", true);
}

TEST_F(Damaged, AnyFileCutOrFlippedOrLost) {
  for (const char* kind : {"MANIFEST-", ".sst"}) {
    const std::size_t count = files(directory_, kind).size();
    ASSERT_GT(count, 0U);
    for (std::size_t i = 0; i < count; ++i) {
      const std::string bytes = read(files(directory_, kind)[i]);
      const std::string name = files(directory_, kind)[i].filename().string();
      const auto damage = [&](const std::string& what, const std::string& damaged) {
        fresh();
        write(files(copy_, kind)[i], damaged);
        expect_refused_or_equal(name + " " + what);
      };
      for (std::size_t part = 0; part < 4; ++part) {
        std::string flipped = bytes;
        char& c = flipped[bytes.size() * part / 4 + bytes.size() / 8];
        c = static_cast<char>(c ^ 0x10);
        damage("flipped in part " + std::to_string(part), flipped);
      }
      if (kind == std::string(".sst")) {
        damage("halved", bytes.substr(0, bytes.size() / 2));
        damage("emptied", "");
      }
      fresh();
      fs::remove(files(copy_, kind)[i]);
      expect_refused_or_equal(name + " lost", true);
    }
  }
}

// The log of the commits that went in as batches.
class DamagedLog : public testing::Test {
 protected:
  DamagedLog() : directory_(temp_.path() + "/store"), copy_(temp_.path() + "/copy") {
    const auto store = open(directory_);
    sizes_.push_back(fs::file_size(log(directory_)));
    for (int i = 0; i < 4; ++i) {
      world_.commit_to(*store, 40);
      sizes_.push_back(fs::file_size(log(directory_)));
    }
  }
  static fs::path log(const std::string& directory) { return files(directory, ".log").back(); }

  TempDir temp_;
  const std::string directory_;
  const std::string copy_;
  std::vector<std::uintmax_t> sizes_;  // of the log after each commit
  World world_;
};

TEST_F(DamagedLog, ATailThatWasNeverSyncedIsCut) {
  // Anything between two commits: the record of the later one is not whole.
  for (std::size_t commit = 1; commit < sizes_.size(); ++commit) {
    const std::uintmax_t first = sizes_[commit - 1];
    const std::uintmax_t last = sizes_[commit];
    for (std::uintmax_t size = first; size < last; size += (last - first) / 7 + 1) {
      copy_directory(directory_, copy_);
      fs::resize_file(log(copy_), size);
      const auto store = open(copy_);
      ASSERT_EQ(store->last_commit().number, commit - 1);
      World at;
      for (std::size_t i = 1; i < commit; ++i) {
        at.step(40);
        at.committed();
      }
      if (commit > 1) expect_equal(*store, at);
      if (HasFailure()) FAIL() << "cut to " << size << " of " << last;
    }
  }
}

TEST_F(DamagedLog, ZeroesAfterTheEndAreNothing) {
  copy_directory(directory_, copy_);
  fs::resize_file(log(copy_), sizes_.back() + 4'096);
  expect_equal(*open(copy_), world_);
}

TEST_F(DamagedLog, AFlippedBitInTheMiddleIsRefused) {
  for (std::uintmax_t at = sizes_.front() + 20; at < sizes_[3]; at += 997) {
    copy_directory(directory_, copy_);
    std::string bytes = read(log(copy_));
    bytes[at] = static_cast<char>(bytes[at] ^ 1);
    write(log(copy_), bytes);
    EXPECT_THROW(open(copy_), Refused) << "at " << at;
  }
}

// Taking files in flushes those families whose batches it overlaps. What the others have is in
// the older log alone then: a log that lost its end, or is gone, must not pass for a shorter one.
TEST_F(DamagedLog, ALogThatFilesAreAheadOfMustBeWhole) {
  {
    const auto store = open(directory_);
    world_.step(40);
    world_.commit().due.push_back({20'400, 7});
    store->commit(world_.commit());
    world_.committed();
    world_.commit_to(*store, kManyAccounts);
    world_.commit_to(*store, 40);
  }
  const std::vector<fs::path> logs = files(directory_, ".log");
  ASSERT_GE(logs.size(), 2U) << "the families that were not flushed keep the older log";
  copy_directory(directory_, copy_);
  expect_equal(*open(copy_), world_);
  for (const std::uintmax_t cut : {1U, 100U, 1'000U}) {
    copy_directory(directory_, copy_);
    const fs::path log = files(copy_, ".log").front();
    fs::resize_file(log, fs::file_size(log) - cut);
    EXPECT_THROW(open(copy_), Refused) << "cut by " << cut;
  }
  copy_directory(directory_, copy_);
  fs::remove(files(copy_, ".log").front());
  EXPECT_THROW(open(copy_), Refused);
}

}  // namespace
}  // namespace geotally::store
