// A disk that is full, or fails to sync, on command: RocksDB's own file-system wrapper.
#pragma once

#include <atomic>
#include <memory>
#include <utility>

#include <rocksdb/env.h>
#include <rocksdb/file_system.h>

namespace geotally::support {

/// What is wrong with the disk. Any thread.
struct DiskFault {
  std::atomic<bool> full{false};        ///< it says that no byte is free
  std::atomic<bool> syncs_fail{false};  ///< nothing becomes durable any more
};

class FaultyFileSystem : public rocksdb::FileSystemWrapper {
 public:
  explicit FaultyFileSystem(const DiskFault& fault)
      : FileSystemWrapper(rocksdb::FileSystem::Default()), fault_(fault) {}

  const char* Name() const override { return "FaultyFileSystem"; }

  rocksdb::IOStatus GetFreeSpace(const std::string& path, const rocksdb::IOOptions& options,
                                 std::uint64_t* bytes, rocksdb::IODebugContext* debug) override {
    const rocksdb::IOStatus status = target()->GetFreeSpace(path, options, bytes, debug);
    if (fault_.full) *bytes = 0;
    return status;
  }
  rocksdb::IOStatus NewWritableFile(const std::string& name, const rocksdb::FileOptions& options,
                                    std::unique_ptr<rocksdb::FSWritableFile>* file,
                                    rocksdb::IODebugContext* debug) override {
    const rocksdb::IOStatus status = target()->NewWritableFile(name, options, file, debug);
    if (status.ok()) *file = std::make_unique<File>(std::move(*file), fault_);
    return status;
  }

 private:
  class File : public rocksdb::FSWritableFileOwnerWrapper {
   public:
    File(std::unique_ptr<rocksdb::FSWritableFile>&& file, const DiskFault& fault)
        : FSWritableFileOwnerWrapper(std::move(file)), fault_(fault) {}
    rocksdb::IOStatus Sync(const rocksdb::IOOptions& options,
                           rocksdb::IODebugContext* debug) override {
      if (fault_.syncs_fail) return rocksdb::IOStatus::IOError("a planted fault");
      return FSWritableFileOwnerWrapper::Sync(options, debug);
    }
    rocksdb::IOStatus Fsync(const rocksdb::IOOptions& options,
                            rocksdb::IODebugContext* debug) override {
      if (fault_.syncs_fail) return rocksdb::IOStatus::IOError("a planted fault");
      return FSWritableFileOwnerWrapper::Fsync(options, debug);
    }

   private:
    const DiskFault& fault_;
  };

  const DiskFault& fault_;
};

[[nodiscard]] inline std::unique_ptr<rocksdb::Env> make_faulty_env(const DiskFault& fault) {
  return rocksdb::NewCompositeEnv(std::make_shared<FaultyFileSystem>(fault));
}

}  // namespace geotally::support
