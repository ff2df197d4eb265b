// A disk that fails on command, by RocksDB's own file-system wrapper.
#pragma once

#include <atomic>
#include <memory>
#include <string>

#include <rocksdb/env.h>
#include <rocksdb/file_system.h>

namespace geotally::store {

/// Which call on which file fails next.
struct Fault {
  /// kWrite is any of the others.
  enum class Call { kNone, kAppend, kSync, kOpen, kWrite };
  enum class Error {
    kIo,       ///< EIO
    kNoSpace,  ///< ENOSPC, which a disk recovers from
    kQuota,    ///< EDQUOT, of which RocksDB knows the words alone
  };
  std::atomic<Call> call{Call::kNone};
  std::string file;               ///< part of its path
  std::atomic<int> skipped{0};    ///< so many calls succeed before
  std::atomic<int> times{0};      ///< how often, from then on
  std::atomic<int> failed{0};     ///< how often it has
  std::atomic<bool> full{false};  ///< the disk says that nothing is left
  Error error = Error::kIo;
  bool torn = false;  ///< half of what was to be appended is written all the same
  [[nodiscard]] bool hits(Call called, const std::string& path);
  [[nodiscard]] rocksdb::IOStatus status() const;
};

/// Part of a test's name.
std::string to_string(Fault::Error error);

/// An environment whose files `fault` breaks; everything else is the real disk.
std::unique_ptr<rocksdb::Env> make_faulty_env(Fault& fault);

}  // namespace geotally::store
