#include "store/backup.h"

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <thread>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <fmt/format.h>
#include <rocksdb/utilities/backup_engine.h>
#include <sys/file.h>
#include <unistd.h>

#include "store/checkpoint.h"
#include "store/database.h"
#include "store/disk.h"
#include "store/incoming.h"
#include "store/verify.h"

namespace geotally::store {
namespace {

namespace fs = std::filesystem;
using rocksdb::BackupEngine;
using rocksdb::BackupEngineOptions;
using rocksdb::BackupEngineReadOnly;
using rocksdb::BackupInfo;

constexpr std::chrono::milliseconds kLookEvery{50};

// One `geotally backup` at a time for a store. The lock goes with the process.
class Lock {
 public:
  explicit Lock(const std::string& path)
      : descriptor_(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644)) {
    if (descriptor_ < 0) raise_create(path, errno);
    if (::flock(descriptor_, LOCK_EX | LOCK_NB) != 0) {
      ::close(descriptor_);
      throw Refused(path + ": another backup of this store is at work");
    }
  }
  ~Lock() { ::close(descriptor_); }
  Lock(const Lock&) = delete;
  Lock& operator=(const Lock&) = delete;

 private:
  const int descriptor_;
};

// The commit that is to be backed up, as a store of its own beside the original.
class CheckpointDirectory {
 public:
  explicit CheckpointDirectory(const BackupOptions& options)
      : data_dir_(options.data_dir), path_(data_dir_ + "/" + kCheckpoint) {
    clear();  // what an interrupted backup left
    try {
      Options store;
      store.directory = data_dir_;
      store.create = false;
      Store::open(store)->checkpoint();
    } catch (const InUse&) {
      ask(options.wait_max);
    }
  }
  ~CheckpointDirectory() { clear(); }
  CheckpointDirectory(const CheckpointDirectory&) = delete;
  CheckpointDirectory& operator=(const CheckpointDirectory&) = delete;

  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  // The daemon that has the store open looks for the request after each commit, about once a
  // second.
  void ask(std::chrono::seconds wait_max) {
    const std::string request = data_dir_ + "/" + kCheckpointRequest;
    if (!std::ofstream(request)) raise_create(request, errno);
    const auto end = std::chrono::steady_clock::now() + wait_max;
    while (!fs::exists(path_)) {
      const std::string failed = data_dir_ + "/" + kCheckpointFailed;
      if (fs::exists(failed)) {
        std::ifstream file(failed);
        throw IoError("the daemon cannot give its commit: " +
                      std::string(std::istreambuf_iterator<char>(file), {}));
      }
      if (std::chrono::steady_clock::now() > end) {
        throw IoError(fmt::format("store {}: the process that has it open made no commit in {} s",
                                  data_dir_, wait_max.count()));
      }
      std::this_thread::sleep_for(kLookEvery);
    }
  }

  void clear() {
    std::error_code ignored;
    for (const char* name : {kCheckpointRequest, kCheckpointFailed, kCheckpoint}) {
      fs::remove_all(data_dir_ + "/" + name, ignored);
    }
  }

  const std::string data_dir_;
  const std::string path_;
};

void check(const std::string& what, const rocksdb::Status& status) {
  if (!status.ok()) raise(what, status);
}

// Which store a backup is of: numbers do not tell one store's files from another's.
std::string identity(std::uint64_t seed) { return fmt::format("geotally {:016x}", seed); }

void refuse_foreign(const std::string& backup_dir) {
  std::error_code error;
  fs::create_directories(backup_dir, error);
  if (error) raise_create(backup_dir, error.value());
  if (fs::exists(backup_dir + "/meta")) return;
  for (const auto& entry : fs::directory_iterator(backup_dir)) {
    const std::string name = entry.path().filename().string();
    if (name == "lost+found") continue;
    throw Refused(fmt::format(
        "backup directory {}: it holds {} and no backups; nothing was changed", backup_dir, name));
  }
}

template <typename Engine>
std::unique_ptr<Engine> open_engine(const std::string& backup_dir) {
  BackupEngineOptions options(backup_dir);
  Engine* raw = nullptr;
  check("backups in " + backup_dir, Engine::Open(rocksdb::Env::Default(), options, &raw));
  return std::unique_ptr<Engine>(raw);
}

}  // namespace

BackupDone back_up(const BackupOptions& options) {
  if (!fs::is_directory(options.data_dir)) {
    throw CannotCreate(fmt::format("data directory {}: it does not exist", options.data_dir));
  }
  refuse_foreign(options.backup_dir);
  const Lock lock(options.data_dir + "/" + kBackupLock);
  const CheckpointDirectory checkpoint(options);

  // Not compacted: files that are the original's are known by their names next time.
  Options store_options;
  store_options.directory = checkpoint.path();
  store_options.create = false;
  store_options.compact = false;
  const auto store = Store::open(store_options);
  rocksdb::DB& db = store->database();
  // A block that cannot be read must not replace a backup in which it could.
  check("store " + options.data_dir, db.VerifyChecksum());

  const auto engine = open_engine<BackupEngine>(options.backup_dir);
  std::vector<BackupInfo> others;
  engine->GetBackupInfo(&others);
  const std::string of = identity(store->seed());
  if (!others.empty() && !others.back().app_metadata.starts_with(of)) {
    throw Refused(
        fmt::format("backup directory {}: its backups are of another store", options.backup_dir));
  }
  BackupDone done;
  done.commit = store->last_commit().number;
  const std::string what = fmt::format("backup of {} to {}", options.data_dir, options.backup_dir);
  rocksdb::CreateBackupOptions create;
  check(what, engine->CreateNewBackupWithMetadata(
                  create, &db, fmt::format("{} commit {}", of, done.commit), &done.id));
  check(what, engine->VerifyBackup(done.id, true));
  check(what, engine->PurgeOldBackups(std::max<std::uint32_t>(options.keep, 1)));
  BackupInfo info;
  check(what, engine->GetBackupInfo(done.id, &info));
  done.bytes = info.size;
  done.files = info.number_files;
  return done;
}

CommitRecord restore(const std::string& backup_dir, const std::string& data_dir, std::uint32_t id) {
  if (!fs::exists(backup_dir + "/meta")) {
    throw Refused(fmt::format("backup directory {}: it holds no backups", backup_dir));
  }
  Incoming incoming(data_dir);
  if (!incoming.complete()) {
    const auto engine = open_engine<BackupEngineReadOnly>(backup_dir);
    BackupInfo info;
    const std::string what = fmt::format("backup in {}", backup_dir);
    check(what, id == 0 ? engine->GetLatestBackupInfo(&info) : engine->GetBackupInfo(id, &info));
    check(what, engine->RestoreDBFromBackup(rocksdb::RestoreOptions(), info.backup_id,
                                            incoming.directory(), incoming.directory()));
    Options options;
    options.directory = incoming.directory();
    options.create = false;
    const auto store = Store::open(options);
    const Verification verification = verify(*store);
    if (verification.differing != 0) {
      throw Refused(fmt::format("backup {} in {}: {} of its cells do not agree with its accounts",
                                info.backup_id, backup_dir, verification.differing));
    }
    store->start_counters_again();
  }
  incoming.finish();
  Options options;
  options.directory = data_dir;
  options.create = false;
  return Store::open(options)->last_commit();
}

}  // namespace geotally::store
