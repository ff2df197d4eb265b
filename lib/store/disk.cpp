#include "store/disk.h"

#include <string>
#include <string_view>
#include <utility>

#include <rocksdb/file_system.h>

namespace geotally::store {
namespace {

class Disk : public rocksdb::FileSystemWrapper {
 public:
  Disk(const std::shared_ptr<rocksdb::FileSystem>& base, std::shared_ptr<const DiskErrors> errors)
      : FileSystemWrapper(base), errors_(std::move(errors)) {}

  const char* Name() const override { return "GeotallyDisk"; }

  rocksdb::IOStatus DeleteFile(const std::string& path, const rocksdb::IOOptions& options,
                               rocksdb::IODebugContext* debug) override {
    const bool sorted = std::string_view(path).ends_with(".sst");
    if (sorted && (errors_->stopped() || errors_->hard())) return rocksdb::IOStatus::OK();
    return FileSystemWrapper::DeleteFile(path, options, debug);
  }

 private:
  const std::shared_ptr<const DiskErrors> errors_;
};

}  // namespace

void DiskErrors::OnBackgroundError(rocksdb::BackgroundErrorReason /*reason*/,
                                   rocksdb::Status* error) {
  if (error->severity() >= rocksdb::Status::kHardError) hard_ = true;
  stopped_ = true;
}

void DiskErrors::OnErrorRecoveryCompleted(rocksdb::Status /*error*/) { stopped_ = false; }

std::unique_ptr<rocksdb::Env> make_disk(rocksdb::Env* base,
                                        std::shared_ptr<const DiskErrors> errors) {
  rocksdb::Env* env = base == nullptr ? rocksdb::Env::Default() : base;
  return rocksdb::NewCompositeEnv(std::make_shared<Disk>(env->GetFileSystem(), std::move(errors)));
}

}  // namespace geotally::store
