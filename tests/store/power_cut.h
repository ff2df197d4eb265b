// A disk that knows what was synced, and what it would have forgotten in a power cut.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>

#include <rocksdb/env.h>

namespace geotally::store {

/// Keeps, for the files of one directory, how much of each was synced and whether its name was.
class PowerCut {
 public:
  /// The environment that is watched. This must outlive it.
  [[nodiscard]] std::unique_ptr<rocksdb::Env> make_env();

  /// Copies `from` to `to` as it would be found after the power came back: files end where they
  /// were last synced, and those whose directory was not synced after them are not there.
  void cut(const std::string& from, const std::string& to);

  /// Called after everything that makes something durable, from any of RocksDB's threads, one at
  /// a time. Set it before the environment is used.
  std::function<void()> at_sync;

  // What the watched file system reports.
  void created(const std::string& path);
  void synced(const std::string& path, std::uint64_t bytes);
  void renamed(const std::string& from, const std::string& to);
  void linked(const std::string& from, const std::string& to);
  void removed(const std::string& path);
  void directory_synced();

 private:
  void tell();

  std::mutex telling_;
  std::mutex mutex_;
  std::map<std::string, std::uint64_t> synced_bytes_;
  std::set<std::string> nameless_;  // their directory was not synced since
};

}  // namespace geotally::store
