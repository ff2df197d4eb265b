#include "power_cut.h"

#include <filesystem>
#include <utility>

#include <rocksdb/file_system.h>

namespace geotally::store {
namespace {

using rocksdb::FSDirectory;
using rocksdb::FSWritableFile;
using rocksdb::IODebugContext;
using rocksdb::IOOptions;
using rocksdb::IOStatus;
using rocksdb::Slice;

class WatchedFile : public rocksdb::FSWritableFileOwnerWrapper {
 public:
  WatchedFile(std::unique_ptr<FSWritableFile>&& file, std::string path, std::uint64_t bytes,
              PowerCut& power)
      : FSWritableFileOwnerWrapper(std::move(file)),
        path_(std::move(path)),
        bytes_(bytes),
        power_(power) {}

  IOStatus Append(const Slice& data, const IOOptions& options, IODebugContext* debug) override {
    bytes_ += data.size();
    return FSWritableFileOwnerWrapper::Append(data, options, debug);
  }
  IOStatus Append(const Slice& data, const IOOptions& options,
                  const rocksdb::DataVerificationInfo& verification,
                  IODebugContext* debug) override {
    bytes_ += data.size();
    return FSWritableFileOwnerWrapper::Append(data, options, verification, debug);
  }
  IOStatus Sync(const IOOptions& options, IODebugContext* debug) override {
    const IOStatus status = FSWritableFileOwnerWrapper::Sync(options, debug);
    power_.synced(path_, bytes_);
    return status;
  }
  IOStatus Fsync(const IOOptions& options, IODebugContext* debug) override {
    const IOStatus status = FSWritableFileOwnerWrapper::Fsync(options, debug);
    power_.synced(path_, bytes_);
    return status;
  }

 private:
  const std::string path_;
  std::uint64_t bytes_;
  PowerCut& power_;
};

class WatchedDirectory : public FSDirectory {
 public:
  WatchedDirectory(std::unique_ptr<FSDirectory> directory, PowerCut& power)
      : directory_(std::move(directory)), power_(power) {}

  IOStatus Fsync(const IOOptions& options, IODebugContext* debug) override {
    const IOStatus status = directory_->Fsync(options, debug);
    power_.directory_synced();
    return status;
  }
  IOStatus FsyncWithDirOptions(const IOOptions& options, IODebugContext* debug,
                               const rocksdb::DirFsyncOptions& directory_options) override {
    const IOStatus status = directory_->FsyncWithDirOptions(options, debug, directory_options);
    power_.directory_synced();
    return status;
  }
  IOStatus Close(const IOOptions& options, IODebugContext* debug) override {
    return directory_->Close(options, debug);
  }

 private:
  std::unique_ptr<FSDirectory> directory_;
  PowerCut& power_;
};

class WatchedFileSystem : public rocksdb::FileSystemWrapper {
 public:
  explicit WatchedFileSystem(PowerCut& power)
      : FileSystemWrapper(rocksdb::FileSystem::Default()), power_(power) {}
  const char* Name() const override { return "WatchedFileSystem"; }

  IOStatus NewWritableFile(const std::string& path, const rocksdb::FileOptions& options,
                           std::unique_ptr<FSWritableFile>* file, IODebugContext* debug) override {
    const IOStatus status = FileSystemWrapper::NewWritableFile(path, options, file, debug);
    if (status.ok()) {
      power_.created(path);
      *file = std::make_unique<WatchedFile>(std::move(*file), path, 0, power_);
    }
    return status;
  }
  IOStatus ReopenWritableFile(const std::string& path, const rocksdb::FileOptions& options,
                              std::unique_ptr<FSWritableFile>* file,
                              IODebugContext* debug) override {
    const std::uint64_t bytes = std::filesystem::file_size(path);
    const IOStatus status = FileSystemWrapper::ReopenWritableFile(path, options, file, debug);
    if (status.ok()) *file = std::make_unique<WatchedFile>(std::move(*file), path, bytes, power_);
    return status;
  }
  IOStatus NewDirectory(const std::string& path, const IOOptions& options,
                        std::unique_ptr<FSDirectory>* directory, IODebugContext* debug) override {
    const IOStatus status = FileSystemWrapper::NewDirectory(path, options, directory, debug);
    if (status.ok()) {
      *directory = std::make_unique<WatchedDirectory>(std::move(*directory), power_);
    }
    return status;
  }
  IOStatus RenameFile(const std::string& from, const std::string& to, const IOOptions& options,
                      IODebugContext* debug) override {
    power_.renamed(from, to);
    return FileSystemWrapper::RenameFile(from, to, options, debug);
  }
  IOStatus LinkFile(const std::string& from, const std::string& to, const IOOptions& options,
                    IODebugContext* debug) override {
    power_.linked(from, to);
    return FileSystemWrapper::LinkFile(from, to, options, debug);
  }
  IOStatus DeleteFile(const std::string& path, const IOOptions& options,
                      IODebugContext* debug) override {
    power_.removed(path);
    return FileSystemWrapper::DeleteFile(path, options, debug);
  }

 private:
  PowerCut& power_;
};

std::string name_of(const std::string& path) {
  return std::filesystem::path(path).filename().string();
}

}  // namespace

std::unique_ptr<rocksdb::Env> PowerCut::make_env() {
  return rocksdb::NewCompositeEnv(std::make_shared<WatchedFileSystem>(*this));
}

void PowerCut::cut(const std::string& from, const std::string& to) {
  const std::lock_guard lock(mutex_);
  std::filesystem::remove_all(to);
  std::filesystem::create_directories(to);
  for (const auto& entry : std::filesystem::directory_iterator(from)) {
    const std::string name = name_of(entry.path());
    if (nameless_.contains(name)) continue;
    std::error_code gone;  // RocksDB may be deleting what it does not need
    std::filesystem::copy_file(entry.path(), to + "/" + name, gone);
    const auto synced = synced_bytes_.find(name);
    if (!gone && synced != synced_bytes_.end()) {
      std::filesystem::resize_file(to + "/" + name, synced->second);
    }
  }
}

void PowerCut::created(const std::string& path) {
  const std::lock_guard lock(mutex_);
  synced_bytes_[name_of(path)] = 0;
  nameless_.insert(name_of(path));
}

void PowerCut::synced(const std::string& path, std::uint64_t bytes) {
  {
    const std::lock_guard lock(mutex_);
    synced_bytes_[name_of(path)] = bytes;
  }
  tell();
}

void PowerCut::tell() {
  const std::lock_guard lock(telling_);
  if (at_sync) at_sync();
}

void PowerCut::renamed(const std::string& from, const std::string& to) {
  const std::lock_guard lock(mutex_);
  synced_bytes_[name_of(to)] = synced_bytes_[name_of(from)];
  synced_bytes_.erase(name_of(from));
  nameless_.erase(name_of(from));
  nameless_.insert(name_of(to));
}

void PowerCut::linked(const std::string& from, const std::string& to) {
  const std::lock_guard lock(mutex_);
  synced_bytes_[name_of(to)] = synced_bytes_[name_of(from)];
  nameless_.insert(name_of(to));
}

void PowerCut::removed(const std::string& path) {
  const std::lock_guard lock(mutex_);
  synced_bytes_.erase(name_of(path));
  nameless_.erase(name_of(path));
}

void PowerCut::directory_synced() {
  {
    const std::lock_guard lock(mutex_);
    nameless_.clear();
  }
  tell();
}

}  // namespace geotally::store
