// Backups: online, incremental, verified; and back again.
//
// A backup directory is one of RocksDB's BackupEngine (rocksdb wiki, "How to backup RocksDB"):
// sorted files that backups have in common are in it once. It belongs to one store.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

#include "store/store.h"

namespace geotally::store {

struct BackupOptions {
  std::string data_dir;
  std::string backup_dir;
  std::uint32_t keep = 7;              ///< so many backups; older ones go. At least 1
  std::chrono::seconds wait_max{120};  ///< for a running daemon's next commit
};

struct BackupDone {
  std::uint32_t id = 0;
  std::uint64_t commit = 0;
  std::uint64_t bytes = 0;  ///< of the whole, with what it shares with others
  std::uint32_t files = 0;
};

/// Writes one more backup, of the last commit of a store that may be in use by a daemon. Every
/// block is read and checked before, every file after. Whatever fails, the backups before it stay
/// as they are. Throws Refused, CannotCreate or IoError.
BackupDone back_up(const BackupOptions& options);

/// Puts backup `id` (0 = the latest) into `data_dir`, which must not hold anything yet. It is
/// verified against its own accounts before it takes its place; interrupted, the same call goes on.
/// The counters for Prometheus start again from 0. Throws as back_up().
CommitRecord restore(const std::string& backup_dir, const std::string& data_dir,
                     std::uint32_t id = 0);

}  // namespace geotally::store
