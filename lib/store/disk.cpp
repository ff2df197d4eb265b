#include "store/disk.h"

#include <cerrno>
#include <string_view>
#include <system_error>
#include <utility>

#include <fcntl.h>
#include <fmt/format.h>
#include <rocksdb/file_system.h>
#include <unistd.h>

#include "store/errors.h"

namespace geotally::store {
namespace {

using rocksdb::FSWritableFile;
using rocksdb::IODebugContext;
using rocksdb::IOOptions;
using rocksdb::IOStatus;
using rocksdb::Slice;

std::string words_of(int error) { return std::generic_category().message(error); }

// RocksDB knows ENOSPC by its number and all other errors by their words alone.
IOStatus told(IOStatus status) {
  if (status.ok()) [[likely]]
    return status;
  static const std::string kQuota = words_of(EDQUOT);
  if (!status.IsIOError() || status.IsNoSpace() ||
      status.ToString().find(kQuota) == std::string::npos) {
    return status;
  }
  const char* state = status.getState();
  IOStatus no_space = IOStatus::NoSpace(state == nullptr ? "" : state);
  no_space.SetRetryable(true);
  return no_space;
}

class File : public rocksdb::FSWritableFileOwnerWrapper {
 public:
  using FSWritableFileOwnerWrapper::FSWritableFileOwnerWrapper;

  IOStatus Append(const Slice& data, const IOOptions& options, IODebugContext* debug) override {
    return told(FSWritableFileOwnerWrapper::Append(data, options, debug));
  }
  IOStatus Append(const Slice& data, const IOOptions& options,
                  const rocksdb::DataVerificationInfo& verification,
                  IODebugContext* debug) override {
    return told(FSWritableFileOwnerWrapper::Append(data, options, verification, debug));
  }
  IOStatus Truncate(std::uint64_t size, const IOOptions& options, IODebugContext* debug) override {
    return told(FSWritableFileOwnerWrapper::Truncate(size, options, debug));
  }
  IOStatus Close(const IOOptions& options, IODebugContext* debug) override {
    return told(FSWritableFileOwnerWrapper::Close(options, debug));
  }
  IOStatus Flush(const IOOptions& options, IODebugContext* debug) override {
    return told(FSWritableFileOwnerWrapper::Flush(options, debug));
  }
  IOStatus Sync(const IOOptions& options, IODebugContext* debug) override {
    return told(FSWritableFileOwnerWrapper::Sync(options, debug));
  }
  IOStatus Fsync(const IOOptions& options, IODebugContext* debug) override {
    return told(FSWritableFileOwnerWrapper::Fsync(options, debug));
  }
  IOStatus RangeSync(std::uint64_t offset, std::uint64_t bytes, const IOOptions& options,
                     IODebugContext* debug) override {
    return told(FSWritableFileOwnerWrapper::RangeSync(offset, bytes, options, debug));
  }
};

// RocksDB's own log: whatever the disk says of a line, all is well.
class Log : public rocksdb::FSWritableFileOwnerWrapper {
 public:
  using FSWritableFileOwnerWrapper::FSWritableFileOwnerWrapper;

  IOStatus Append(const Slice& data, const IOOptions& options, IODebugContext* debug) override {
    FSWritableFileOwnerWrapper::Append(data, options, debug).PermitUncheckedError();
    return IOStatus::OK();
  }
  IOStatus Append(const Slice& data, const IOOptions& options,
                  const rocksdb::DataVerificationInfo& /*verification*/,
                  IODebugContext* debug) override {
    return Append(data, options, debug);
  }
  IOStatus Close(const IOOptions& options, IODebugContext* debug) override {
    FSWritableFileOwnerWrapper::Close(options, debug).PermitUncheckedError();
    return IOStatus::OK();
  }
  IOStatus Flush(const IOOptions& options, IODebugContext* debug) override {
    FSWritableFileOwnerWrapper::Flush(options, debug).PermitUncheckedError();
    return IOStatus::OK();
  }
};

bool is_log(std::string_view path) {
  const std::size_t slash = path.rfind('/');
  return path.substr(slash == std::string_view::npos ? 0 : slash + 1).starts_with("LOG");
}

class Disk : public rocksdb::FileSystemWrapper {
 public:
  Disk(const std::shared_ptr<rocksdb::FileSystem>& base, std::shared_ptr<const DiskErrors> errors)
      : FileSystemWrapper(base), errors_(std::move(errors)) {}

  const char* Name() const override { return "GeotallyDisk"; }

  IOStatus DeleteFile(const std::string& path, const IOOptions& options,
                      IODebugContext* debug) override {
    const bool sorted = std::string_view(path).ends_with(".sst");
    if (sorted && errors_ != nullptr && (errors_->stopped() || errors_->hard())) {
      return IOStatus::OK();
    }
    return FileSystemWrapper::DeleteFile(path, options, debug);
  }

  IOStatus NewWritableFile(const std::string& path, const rocksdb::FileOptions& options,
                           std::unique_ptr<FSWritableFile>* file, IODebugContext* debug) override {
    return wrapped(path, FileSystemWrapper::NewWritableFile(path, options, file, debug), file);
  }
  IOStatus ReopenWritableFile(const std::string& path, const rocksdb::FileOptions& options,
                              std::unique_ptr<FSWritableFile>* file,
                              IODebugContext* debug) override {
    return wrapped(path, FileSystemWrapper::ReopenWritableFile(path, options, file, debug), file);
  }
  IOStatus ReuseWritableFile(const std::string& path, const std::string& old_path,
                             const rocksdb::FileOptions& options,
                             std::unique_ptr<FSWritableFile>* file,
                             IODebugContext* debug) override {
    return wrapped(path, FileSystemWrapper::ReuseWritableFile(path, old_path, options, file, debug),
                   file);
  }
  // The wrapped file system would open the file by itself.
  IOStatus NewLogger(const std::string& path, const IOOptions& options,
                     std::shared_ptr<rocksdb::Logger>* result, IODebugContext* debug) override {
    // NOLINTNEXTLINE(bugprone-parent-virtual-call)
    return FileSystem::NewLogger(path, options, result, debug);
  }
  IOStatus CreateDir(const std::string& path, const IOOptions& options,
                     IODebugContext* debug) override {
    return told(FileSystemWrapper::CreateDir(path, options, debug));
  }
  IOStatus CreateDirIfMissing(const std::string& path, const IOOptions& options,
                              IODebugContext* debug) override {
    return told(FileSystemWrapper::CreateDirIfMissing(path, options, debug));
  }
  IOStatus RenameFile(const std::string& from, const std::string& to, const IOOptions& options,
                      IODebugContext* debug) override {
    return told(FileSystemWrapper::RenameFile(from, to, options, debug));
  }
  IOStatus LinkFile(const std::string& from, const std::string& to, const IOOptions& options,
                    IODebugContext* debug) override {
    return told(FileSystemWrapper::LinkFile(from, to, options, debug));
  }

 private:
  static IOStatus wrapped(const std::string& path, IOStatus status,
                          std::unique_ptr<FSWritableFile>* file) {
    if (!status.ok()) return told(std::move(status));
    if (is_log(path)) {
      *file = std::make_unique<Log>(std::move(*file));
    } else {
      *file = std::make_unique<File>(std::move(*file));
    }
    return status;
  }

  const std::shared_ptr<const DiskErrors> errors_;
};

// 0 = so much may be written, or the file system cannot tell; else an error number.
int set_aside(const std::string& directory, std::uint64_t bytes) {
  const int file = ::open(directory.c_str(), O_TMPFILE | O_WRONLY | O_CLOEXEC, 0600);
  if (file < 0) return errno == ENOSPC || errno == EDQUOT ? errno : 0;
  int error = 0;
  if (::fallocate(file, FALLOC_FL_KEEP_SIZE, 0, static_cast<off_t>(bytes)) != 0) error = errno;
  ::close(file);
  return error == ENOSPC || error == EDQUOT ? error : 0;
}

}  // namespace

void DiskErrors::OnBackgroundError(rocksdb::BackgroundErrorReason /*reason*/,
                                   rocksdb::Status* error) {
  if (error->severity() >= rocksdb::Status::kHardError) hard_ = true;
  stopped_ = true;
  if (watch_.on_error) watch_.on_error(error->ToString());
}

void DiskErrors::OnErrorRecoveryCompleted(rocksdb::Status /*error*/) { stopped_ = false; }

void DiskErrors::OnStallConditionsChanged(const rocksdb::WriteStallInfo& info) {
  if (info.condition.cur != rocksdb::WriteStallCondition::kStopped || !watch_.on_write_stop) return;
  watch_.on_write_stop(fmt::format("files of {} wait to be merged", info.cf_name));
}

std::unique_ptr<rocksdb::Env> make_disk(rocksdb::Env* base,
                                        std::shared_ptr<const DiskErrors> errors) {
  rocksdb::Env* env = base == nullptr ? rocksdb::Env::Default() : base;
  return rocksdb::NewCompositeEnv(std::make_shared<Disk>(env->GetFileSystem(), std::move(errors)));
}

void raise_create(const std::string& what, int error) {
  const std::string line = fmt::format("{}: {}", what, words_of(error));
  if (error == ENOSPC || error == EDQUOT || error == EIO) throw IoError(line);
  throw CannotCreate(line);
}

std::optional<std::string> want_of_room(rocksdb::Env& disk, const std::string& directory,
                                        std::uint64_t bytes) {
  std::uint64_t free_bytes = 0;
  if (disk.GetFreeSpace(directory, &free_bytes).ok() && free_bytes < bytes) {
    return fmt::format("the disk is full: {} bytes are left, {} are needed", free_bytes, bytes);
  }
  if (const int error = set_aside(directory, bytes); error != 0) {
    return fmt::format("the disk is full, or its quota: {} bytes are needed: {}", bytes,
                       words_of(error));
  }
  return std::nullopt;
}

}  // namespace geotally::store
