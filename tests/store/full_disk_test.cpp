// Goal: a start on a disk, or a quota, that is used up ends with one line, and the next start with
// room finds everything; RocksDB never aborts on it.
// Method: the store is opened again and again, and from the n-th write on nothing fits any more,
// for every n of a store, and for every sixth of the many that a new one takes. And the kernel
// itself says that a quota is used up, by a filter of system calls.
#include <cerrno>
#include <cstddef>
#include <cstdio>
#include <filesystem>
#include <string>

#include <gtest/gtest.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <rocksdb/file_system.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fault.h"
#include "store/disk.h"
#include "world.h"

namespace geotally::store {
namespace {

namespace fs = std::filesystem;

Options options_in(const std::string& directory, rocksdb::Env* env) {
  Options options;
  options.directory = directory;
  options.env = env;
  return options;
}

// --- a disk that fills up while the store is opened --------------------------------------------

class FillsUp : public testing::TestWithParam<Fault::Error> {
 protected:
  // A child of its own executes what an abort would end. "threadsafe": the test binary anew, as
  // RocksDB's threads do not outlive a fork.
  FillsUp() { GTEST_FLAG_SET(death_test_style, "threadsafe"); }
};

// Opens `directory` with room for `writes` writes. True = it opened.
bool open_with_room_for(int writes, const std::string& directory, Fault::Error error) {
  Fault fault;
  fault.call = Fault::Call::kWrite;
  fault.error = error;
  fault.skipped = writes;
  fault.times = 1'000'000;
  const std::unique_ptr<rocksdb::Env> env = make_faulty_env(fault);
  try {
    static_cast<void>(Store::open(options_in(directory, env.get())));
    return true;
  } catch (const IoError&) {
    return false;
  }
}

// 0 = as promised; else the test's line that was not kept.
int open_new_stores_on(Fault::Error error) {
  bool opened = false;
  int refused = 0;
  // Another sixth for each error.
  for (int writes = 2 * static_cast<int>(error); !opened; writes += 6) {
    TempDir directory;
    opened = open_with_room_for(writes, directory.path(), error);
    if (!opened) ++refused;
    World world;
    auto store = Store::open(options_in(directory.path(), nullptr));
    if (store->last_commit().number != 0) return __LINE__;
    world.commit_to(*store, 50);
    expect_equal(*store, world);
    if (testing::Test::HasFailure()) return __LINE__;
  }
  std::fprintf(stderr, "refused %d times\n", refused);
  return refused > 7 ? 0 : __LINE__;
}

int open_a_store_on(Fault::Error error) {
  TempDir directory;
  World world;
  auto store = Store::open(options_in(directory.path(), nullptr));
  world.commit_to(*store, kManyAccounts);
  world.commit_to(*store, 50);  // in the log: it is replayed
  store.reset();
  bool opened = false;
  int refused = 0;
  for (int writes = 0; !opened; ++writes) {
    opened = open_with_room_for(writes, directory.path(), error);
    if (!opened) ++refused;
    if (writes % 5 != 0) continue;  // several in a row, as a service that is started again
    store = Store::open(options_in(directory.path(), nullptr));
    expect_equal(*store, world);
    if (testing::Test::HasFailure()) return __LINE__;
    world.commit_to(*store, 50);
    store.reset();
  }
  std::fprintf(stderr, "refused %d times\n", refused);
  return refused > 7 ? 0 : __LINE__;
}

TEST_P(FillsUp, ANewStoreIsRefusedInWordsAndMadeByTheNextStart) {
  EXPECT_EXIT(std::_Exit(open_new_stores_on(GetParam())), testing::ExitedWithCode(0), "refused");
}

TEST_P(FillsUp, AStoreIsRefusedInWordsAndOpenedByTheNextStart) {
  EXPECT_EXIT(std::_Exit(open_a_store_on(GetParam())), testing::ExitedWithCode(0), "refused");
}

INSTANTIATE_TEST_SUITE_P(Errors, FillsUp,
                         testing::Values(Fault::Error::kNoSpace, Fault::Error::kQuota,
                                         Fault::Error::kIo),
                         [](const auto& param) { return to_string(param.param); });

// --- a disk that is full from the start --------------------------------------------------------

TEST(FullDisk, AStartIsRefusedBeforeAnythingIsTouched) {
  for (const bool exists : {false, true}) {
    TempDir directory;
    if (exists) Store::open(options_in(directory.path(), nullptr)).reset();
    std::vector<std::string> before;
    for (const auto& entry : fs::directory_iterator(directory.path())) {
      before.push_back(entry.path());
    }
    Fault fault;
    fault.full = true;
    const std::unique_ptr<rocksdb::Env> env = make_faulty_env(fault);
    try {
      static_cast<void>(Store::open(options_in(directory.path(), env.get())));
      ADD_FAILURE() << "it opened";
    } catch (const IoError& error) {
      EXPECT_NE(std::string(error.what()).find("the disk is full: 0 bytes are left"),
                std::string::npos)
          << error.what();
    }
    std::vector<std::string> after;
    for (const auto& entry : fs::directory_iterator(directory.path())) {
      after.push_back(entry.path());
    }
    EXPECT_EQ(after, before);
    Options looking = options_in(directory.path(), env.get());
    looking.read_only = true;  // a look needs no room
    if (exists) {
      EXPECT_NO_THROW(static_cast<void>(Store::open(looking)));
    }
    fault.full = false;
    EXPECT_NO_THROW(static_cast<void>(Store::open(options_in(directory.path(), env.get()))));
  }
}

TEST(FullDisk, AQuotaThatIsUsedUpIsNoSpaceToRocksdb) {
  TempDir directory;
  Fault fault;
  fault.error = Fault::Error::kQuota;
  fault.times = 1'000;
  const std::unique_ptr<rocksdb::Env> base = make_faulty_env(fault);
  const std::unique_ptr<rocksdb::Env> disk = make_disk(base.get(), nullptr);
  std::unique_ptr<rocksdb::FSWritableFile> file;
  const std::string path = directory.path() + "/file";
  ASSERT_TRUE(
      disk->GetFileSystem()->NewWritableFile(path, rocksdb::FileOptions(), &file, nullptr).ok());
  for (const Fault::Call call : {Fault::Call::kAppend, Fault::Call::kSync}) {
    fault.call = call;
    const rocksdb::IOStatus told =
        call == Fault::Call::kAppend ? file->Append("x", {}, nullptr) : file->Sync({}, nullptr);
    EXPECT_TRUE(told.IsNoSpace()) << told.ToString();
    EXPECT_TRUE(told.GetRetryable());
    EXPECT_NE(told.ToString().find("quota"), std::string::npos) << told.ToString();
  }
  fault.call = Fault::Call::kOpen;
  EXPECT_TRUE(disk->GetFileSystem()
                  ->NewWritableFile(path, rocksdb::FileOptions(), &file, nullptr)
                  .IsNoSpace());
}

// --- what the kernel says of a quota -----------------------------------------------------------

// From here on fallocate(2) fails with `error` in this process. Source: seccomp(2).
bool refuse_fallocate(int error) {
  sock_filter code[] = {
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_fallocate, 0, 1),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | static_cast<unsigned>(error)),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  };
  const sock_fprog program{static_cast<unsigned short>(std::size(code)), code};
  return ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
         ::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0;
}

int said_when_fallocate_fails_with(int error, const char* words) {
  TempDir directory;
  if (!refuse_fallocate(error)) return 1;
  const auto why = want_of_room(*rocksdb::Env::Default(), directory.path(), 1 << 20);
  std::fprintf(stderr, "%s\n", why.value_or("there is room").c_str());
  return why.value_or("there is room").find(words) == std::string::npos ? 2 : 0;
}

TEST(FullDisk, AQuotaIsSeenThoughTheDiskHasRoom) {
  EXPECT_EXIT(std::_Exit(said_when_fallocate_fails_with(EDQUOT, "quota exceeded")),
              testing::ExitedWithCode(0), "quota");
  EXPECT_EXIT(std::_Exit(said_when_fallocate_fails_with(ENOSPC, "No space left")),
              testing::ExitedWithCode(0), "No space");
}

TEST(FullDisk, AFileSystemThatCannotSetRoomAsideIsTakenAtItsWord) {
  EXPECT_EXIT(std::_Exit(said_when_fallocate_fails_with(EOPNOTSUPP, "there is room")),
              testing::ExitedWithCode(0), "room");
}

}  // namespace
}  // namespace geotally::store
