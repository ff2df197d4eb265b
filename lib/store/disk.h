// The disk as RocksDB sees it: where its errors are heard, and where one of its own mistakes is
// put right.
#pragma once

#include <atomic>
#include <memory>

#include <rocksdb/env.h>
#include <rocksdb/listener.h>

namespace geotally::store {

/// Hears of RocksDB's errors, from any of its threads. After a hard one RocksDB 7.8 says that it
/// has recovered, but goes on with a log file that it knows to be broken and hands out no numbers
/// for files to be taken in; Debian's build aborts by its own assertions then. So that is the end,
/// until the store is opened again.
class DiskErrors : public rocksdb::EventListener {
 public:
  void OnBackgroundError(rocksdb::BackgroundErrorReason reason, rocksdb::Status* error) override;
  void OnErrorRecoveryCompleted(rocksdb::Status error) override;

  [[nodiscard]] bool stopped() const { return stopped_; }  ///< since an error that goes on
  [[nodiscard]] bool hard() const { return hard_; }        ///< since an error that is the end

 private:
  std::atomic<bool> stopped_{false};
  std::atomic<bool> hard_{false};
};

/// `base` (null = the real disk), but no sorted file is deleted once an error was heard. When the
/// sync of a manifest fails, RocksDB deletes the files that this manifest names, though it may be
/// on the disk: such a store could never be opened again. What is left over goes when the store is
/// next opened.
[[nodiscard]] std::unique_ptr<rocksdb::Env> make_disk(rocksdb::Env* base,
                                                      std::shared_ptr<const DiskErrors> errors);

}  // namespace geotally::store
