#include "fault.h"

#include <cerrno>
#include <system_error>
#include <utility>

namespace geotally::store {
namespace {

using rocksdb::FSWritableFile;
using rocksdb::IODebugContext;
using rocksdb::IOOptions;
using rocksdb::IOStatus;
using rocksdb::Slice;

class FaultyFile : public rocksdb::FSWritableFileOwnerWrapper {
 public:
  FaultyFile(std::unique_ptr<FSWritableFile>&& file, std::string path, Fault& fault)
      : FSWritableFileOwnerWrapper(std::move(file)), path_(std::move(path)), fault_(fault) {}

  IOStatus Append(const Slice& data, const IOOptions& options, IODebugContext* debug) override {
    if (fault_.hits(Fault::Call::kAppend, path_)) return torn(data, options, debug);
    return FSWritableFileOwnerWrapper::Append(data, options, debug);
  }
  IOStatus Append(const Slice& data, const IOOptions& options,
                  const rocksdb::DataVerificationInfo& verification,
                  IODebugContext* debug) override {
    if (fault_.hits(Fault::Call::kAppend, path_)) return torn(data, options, debug);
    return FSWritableFileOwnerWrapper::Append(data, options, verification, debug);
  }
  IOStatus Sync(const IOOptions& options, IODebugContext* debug) override {
    if (fault_.hits(Fault::Call::kSync, path_)) return fault_.status();
    return FSWritableFileOwnerWrapper::Sync(options, debug);
  }
  IOStatus Fsync(const IOOptions& options, IODebugContext* debug) override {
    if (fault_.hits(Fault::Call::kSync, path_)) return fault_.status();
    return FSWritableFileOwnerWrapper::Fsync(options, debug);
  }

 private:
  IOStatus torn(const Slice& data, const IOOptions& options, IODebugContext* debug) {
    if (fault_.torn) {
      FSWritableFileOwnerWrapper::Append(Slice(data.data(), data.size() / 2), options, debug)
          .PermitUncheckedError();
    }
    return fault_.status();
  }

  const std::string path_;
  Fault& fault_;
};

class FaultyFileSystem : public rocksdb::FileSystemWrapper {
 public:
  explicit FaultyFileSystem(Fault& fault)
      : FileSystemWrapper(rocksdb::FileSystem::Default()), fault_(fault) {}
  const char* Name() const override { return "FaultyFileSystem"; }

  IOStatus NewWritableFile(const std::string& path, const rocksdb::FileOptions& options,
                           std::unique_ptr<FSWritableFile>* file, IODebugContext* debug) override {
    if (fault_.hits(Fault::Call::kOpen, path)) return fault_.status();
    const IOStatus status = FileSystemWrapper::NewWritableFile(path, options, file, debug);
    if (status.ok()) *file = std::make_unique<FaultyFile>(std::move(*file), path, fault_);
    return status;
  }
  IOStatus ReopenWritableFile(const std::string& path, const rocksdb::FileOptions& options,
                              std::unique_ptr<FSWritableFile>* file,
                              IODebugContext* debug) override {
    if (fault_.hits(Fault::Call::kOpen, path)) return fault_.status();
    const IOStatus status = FileSystemWrapper::ReopenWritableFile(path, options, file, debug);
    if (status.ok()) *file = std::make_unique<FaultyFile>(std::move(*file), path, fault_);
    return status;
  }
  // The wrapped file system would open RocksDB's own log by itself, without faults.
  IOStatus NewLogger(const std::string& path, const IOOptions& options,
                     std::shared_ptr<rocksdb::Logger>* result, IODebugContext* debug) override {
    return FileSystem::NewLogger(path, options, result, debug);
  }
  IOStatus GetFreeSpace(const std::string& path, const IOOptions& options, std::uint64_t* bytes,
                        IODebugContext* debug) override {
    const IOStatus status = FileSystemWrapper::GetFreeSpace(path, options, bytes, debug);
    if (fault_.full) *bytes = 0;
    return status;
  }

 private:
  Fault& fault_;
};

}  // namespace

bool Fault::hits(Call called, const std::string& path) {
  const Call wanted = call;
  if ((wanted != called && wanted != Call::kWrite) || path.find(file) == std::string::npos)
    return false;
  if (skipped > 0) {
    --skipped;
    return false;
  }
  int left = times;
  while (left > 0 && !times.compare_exchange_weak(left, left - 1)) {
  }
  if (left <= 0) return false;
  ++failed;
  return true;
}

rocksdb::IOStatus Fault::status() const {
  if (error == Error::kIo) return IOStatus::IOError("a planted fault");
  if (error == Error::kQuota) {
    // As rocksdb's env/io_posix.cc words every error that it does not know.
    return IOStatus::IOError("While appending to file: a planted fault",
                             std::generic_category().message(EDQUOT));
  }
  IOStatus no_room = IOStatus::NoSpace("a planted fault: the disk is full");
  no_room.SetRetryable(true);
  return no_room;
}

std::string to_string(Fault::Error error) {
  switch (error) {
    case Fault::Error::kIo:
      return "io_error";
    case Fault::Error::kNoSpace:
      return "no_space";
    case Fault::Error::kQuota:
      return "quota";
  }
  return "";
}

std::unique_ptr<rocksdb::Env> make_faulty_env(Fault& fault) {
  return rocksdb::NewCompositeEnv(std::make_shared<FaultyFileSystem>(fault));
}

}  // namespace geotally::store
