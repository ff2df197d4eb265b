#include "store/incoming.h"

#include <filesystem>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include "store/checkpoint.h"
#include "store/disk.h"
#include "store/errors.h"

namespace geotally::store {
namespace {

namespace fs = std::filesystem;

void sync_directory(const std::string& path) {
  const int descriptor = ::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  const bool synced = descriptor >= 0 && ::fsync(descriptor) == 0;
  if (descriptor >= 0) ::close(descriptor);
  if (!synced) throw IoError(path + ": it cannot be synced");
}

}  // namespace

Incoming::Incoming(std::string data_dir)
    : data_dir_(std::move(data_dir)),
      temporary_(data_dir_ + "/" + kIncomingTemporary),
      whole_(data_dir_ + "/" + kIncoming),
      scratch_(data_dir_ + "/" + kIncomingScratch) {
  std::error_code error;
  fs::create_directories(data_dir_, error);
  if (error) raise_create(fmt::format("data directory {}", data_dir_), error.value());
  if (::access(data_dir_.c_str(), W_OK | X_OK) != 0) {
    throw CannotCreate(fmt::format("data directory {}: it cannot be made or written", data_dir_));
  }
  // Files beside a complete store are its own, already moved.
  complete_ = fs::exists(whole_ + "/CURRENT") && !fs::exists(data_dir_ + "/CURRENT");
  if (complete_) return;
  for (const auto& entry : fs::directory_iterator(data_dir_)) {
    const std::string name = entry.path().filename().string();
    if (name == kIncomingTemporary || name == kIncomingScratch || name == "lost+found") continue;
    throw Refused(
        fmt::format("data directory {}: it holds {}, and nothing is ever replaced; choose an empty "
                    "directory, or move this one away",
                    data_dir_, name));
  }
  fs::remove_all(scratch_, error);
  fs::remove_all(temporary_, error);
  fs::create_directory(temporary_, error);
  if (error) raise_create(temporary_, error.value());
}

void Incoming::finish() {
  try {
    if (!complete_) {
      sync_directory(temporary_);
      fs::rename(temporary_, whole_);
      sync_directory(data_dir_);
    }
    // A directory is a store once CURRENT is in it: that comes last.
    std::vector<fs::path> files;
    for (const auto& entry : fs::directory_iterator(whole_)) files.push_back(entry.path());
    for (const fs::path& file : files) {
      if (file.filename() != "CURRENT") fs::rename(file, data_dir_ / file.filename());
    }
    sync_directory(data_dir_);
    fs::rename(whole_ + "/CURRENT", data_dir_ + "/CURRENT");
    sync_directory(data_dir_);
    fs::remove(whole_);
    fs::remove_all(scratch_);
  } catch (const fs::filesystem_error& error) {
    throw IoError(error.what());
  }
}

}  // namespace geotally::store
