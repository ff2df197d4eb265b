// Goal: a disk that fails costs time, never state. A commit that failed is tried again and
// succeeds; until then, and after a restart at any moment, the store holds the commit before or
// the commit itself, whole.
// Method: one call on one kind of file fails, on both paths of a commit.
#include "fault.h"

#include <chrono>
#include <filesystem>
#include <thread>

#include <gtest/gtest.h>

#include "world.h"

namespace geotally::store {
namespace {

struct Case {
  const char* name;
  Fault::Call call;
  const char* file;
  bool ingest;
  bool torn = false;
  int skipped = 0;
  bool after_batch = false;  ///< the commit before was a batch: taking files in flushes it first
};

std::size_t temporary_files(const std::string& directory) {
  std::size_t count = 0;
  for (const auto& entry : std::filesystem::directory_iterator(directory)) {
    if (entry.path().extension() == ".tmp") ++count;
  }
  return count;
}

class FailedCommit : public testing::TestWithParam<std::tuple<Case, Fault::Error>> {
 protected:
  void plant() {
    const auto& [planted, error] = GetParam();
    fault_.call = planted.call;
    fault_.file = planted.file;
    fault_.torn = planted.torn;
    fault_.error = error;
    fault_.failed = 0;
    fault_.skipped = planted.skipped;
    fault_.times = 1;
  }
  [[nodiscard]] std::size_t many() const {
    return std::get<0>(GetParam()).ingest ? kManyAccounts : 50;
  }
  [[nodiscard]] std::unique_ptr<Store> open() {
    Options options;
    options.directory = directory_.path();
    options.env = env_.get();
    return Store::open(options);
  }

  TempDir directory_;
  Fault fault_;
  std::unique_ptr<rocksdb::Env> env_ = make_faulty_env(fault_);
  World world_;
};

TEST_P(FailedCommit, IsTriedAgain) {
  auto store = open();
  world_.commit_to(*store, 50);
  world_.commit_to(*store, kManyAccounts);
  if (std::get<0>(GetParam()).after_batch) world_.commit_to(*store, 50);
  const std::uint64_t before = store->last_commit().number;

  plant();
  const Commit& commit = world_.step(many());
  EXPECT_THROW(store->commit(commit), IoError);
  EXPECT_EQ(fault_.failed, 1);
  EXPECT_EQ(store->last_commit().number, before);
  EXPECT_EQ(temporary_files(directory_.path()), 0U);

  for (bool done = false; !done;) {
    try {
      if (!store->resume()) std::this_thread::sleep_for(std::chrono::milliseconds(100));
    } catch (const IoError&) {
      store.reset();
      store = open();
    }
    try {
      store->commit(commit);
      done = true;
    } catch (const IoError&) {
    }
  }
  world_.committed();
  expect_equal(*store, world_);
  world_.commit_to(*store, kManyAccounts);
  world_.commit_to(*store, 50);
  expect_equal(*store, world_);
  store.reset();
  store = open();
  expect_equal(*store, world_);
}

TEST_P(FailedCommit, IsTriedAgainAfterRestart) {
  auto store = open();
  world_.commit_to(*store, 50);
  world_.commit_to(*store, kManyAccounts);
  if (std::get<0>(GetParam()).after_batch) world_.commit_to(*store, 50);
  const std::uint64_t before = store->last_commit().number;
  plant();
  const Commit& commit = world_.step(many());
  EXPECT_THROW(store->commit(commit), IoError);
  store.reset();

  store = open();
  const std::uint64_t found = store->last_commit().number;
  EXPECT_TRUE(found == before || found == before + 1) << found;
  if (found == before + 1) expect_equal(*store, world_);
  store->commit(commit);
  world_.committed();
  expect_equal(*store, world_);
}

// A full disk is met before anything is written, on either path, and nothing is left behind.
TEST(FullDisk, IsWaitedFor) {
  TempDir directory;
  Fault fault;
  const std::unique_ptr<rocksdb::Env> env = make_faulty_env(fault);
  Options options;
  options.directory = directory.path();
  options.env = env.get();
  auto store = Store::open(options);
  World world;
  world.commit_to(*store, 50);
  for (const std::size_t accounts : {std::size_t{50}, kManyAccounts}) {
    const Commit& commit = world.step(accounts);
    fault.full = true;
    for (int attempt = 0; attempt < 3; ++attempt) {
      EXPECT_THROW(store->commit(commit), IoError);
      EXPECT_TRUE(store->resume());
    }
    EXPECT_EQ(temporary_files(directory.path()), 0U);
    fault.full = false;
    store->commit(commit);
    world.committed();
    expect_equal(*store, world);
  }
}

INSTANTIATE_TEST_SUITE_P(
    Every, FailedCommit,
    testing::Combine(
        testing::Values(
            Case{"log_append", Fault::Call::kAppend, ".log", false},
            Case{"log_torn", Fault::Call::kAppend, ".log", false, true},
            Case{"log_sync", Fault::Call::kSync, ".log", false},
            Case{"file_open", Fault::Call::kOpen, "commit-", true},
            Case{"file_append", Fault::Call::kAppend, "commit-", true},
            Case{"file_torn", Fault::Call::kAppend, "commit-", true, true},
            Case{"file_sync", Fault::Call::kSync, "commit-", true},
            Case{"taken_in_sync", Fault::Call::kSync, ".sst", true},
            Case{"manifest_append", Fault::Call::kAppend, "MANIFEST", true},
            Case{"manifest_torn", Fault::Call::kAppend, "MANIFEST", true, true},
            Case{"manifest_sync", Fault::Call::kSync, "MANIFEST", true},
            Case{"taken_in_append", Fault::Call::kAppend, "MANIFEST", true, false, 1},
            Case{"taken_in_torn", Fault::Call::kAppend, "MANIFEST", true, true, 1},
            Case{"taken_in_manifest_sync", Fault::Call::kSync, "MANIFEST", true, false, 1},
            Case{"flush_append", Fault::Call::kAppend, ".sst", true, false, 0, true},
            Case{"flush_manifest_append", Fault::Call::kAppend, "MANIFEST", true, false, 0, true},
            Case{"flush_manifest_sync", Fault::Call::kSync, "MANIFEST", true, false, 0, true}),
        testing::Values(Fault::Error::kIo, Fault::Error::kNoSpace, Fault::Error::kQuota)),
    [](const auto& param) {
      return std::string(std::get<0>(param.param).name) + "_" + to_string(std::get<1>(param.param));
    });

}  // namespace
}  // namespace geotally::store
