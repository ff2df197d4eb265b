// The disk as RocksDB sees it: where its errors are heard, and where its mistakes with a disk that
// fails are put right.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include <rocksdb/env.h>
#include <rocksdb/listener.h>

#include "store/disk_watch.h"

namespace geotally::store {

/// Hears of RocksDB's errors, from any of its threads. After a hard one RocksDB 7.8 says that it
/// has recovered, but goes on with a log file that it knows to be broken and hands out no numbers
/// for files to be taken in; Debian's build aborts by its own assertions then. So that is the end,
/// until the store is opened again.
class DiskErrors : public rocksdb::EventListener {
 public:
  explicit DiskErrors(DiskWatch watch = {}) : watch_(std::move(watch)) {}

  void OnBackgroundError(rocksdb::BackgroundErrorReason reason, rocksdb::Status* error) override;
  void OnErrorRecoveryCompleted(rocksdb::Status error) override;
  void OnStallConditionsChanged(const rocksdb::WriteStallInfo& info) override;

  [[nodiscard]] bool stopped() const { return stopped_; }  ///< since an error that goes on
  [[nodiscard]] bool hard() const { return hard_; }        ///< since an error that is the end

 private:
  const DiskWatch watch_;
  std::atomic<bool> stopped_{false};
  std::atomic<bool> hard_{false};
};

/// `base` (null = the real disk), but
/// - no sorted file is deleted once an error was heard (null = nobody hears of errors). When the
///   sync of a manifest fails, RocksDB deletes the files that this manifest names, though it may be
///   on the disk: such a store could never be opened again. What is left over goes when the store
///   is next opened;
/// - RocksDB's own log (LOG) takes every line, though a disk that is full keeps none: Debian's
///   build of RocksDB 7.8 aborts at the second line that it cannot write there;
/// - a quota that is used up (EDQUOT) is no space (ENOSPC), which RocksDB recovers from.
[[nodiscard]] std::unique_ptr<rocksdb::Env> make_disk(rocksdb::Env* base,
                                                      std::shared_ptr<const DiskErrors> errors);

/// Throws what a file or directory that cannot be made is, by the error number of the call: IoError
/// where the disk is full or fails, since a later try may succeed; else CannotCreate.
[[noreturn]] void raise_create(const std::string& what, int error);

/// Why less than `bytes` can be written into `directory`, in words; nothing = so much fits. The
/// free space of a file system knows nothing of a user's quota: so much is set aside for a moment
/// and given back (open(2), O_TMPFILE; fallocate(2)), which takes 0.1 ms on ext4. File systems that
/// cannot do this are asked for their free space only.
[[nodiscard]] std::optional<std::string> want_of_room(rocksdb::Env& disk,
                                                      const std::string& directory,
                                                      std::uint64_t bytes);

}  // namespace geotally::store
