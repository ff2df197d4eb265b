// Keeps the store's files of accounts few without merging them.
//
// RocksDB would read, compare and write all that changed since the last merge. While every account
// is in memory, nobody needs the old records: most accounts have newer ones, the shards write the
// others anew, a part with each commit, and then the old files are dropped unread. So a
// log-structured file system cleans its segments (Rosenblum, Ousterhout, "The Design and
// Implementation of a Log-Structured File System", 1991).
//
// Files come in generations. When one is full the one before it is cleaned, not itself: the longer
// it waits, the fewer accounts have nothing newer.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <vector>

#include "pipeline/shard.h"
#include "store/store.h"

namespace geotally::pipeline {

class Rewriter {
 public:
  /// `store` must outlive it.
  explicit Rewriter(store::Store& store) : store_(store) {}

  /// What shards take part in: accounts that have not changed since the commit of this number are
  /// to be written anew. It names the round; 0 = none. Any thread.
  [[nodiscard]] const std::atomic<std::uint64_t>& round() const { return round_; }

  /// After each commit, on its thread: what every shard delivered for it.
  void committed(const std::vector<std::unique_ptr<ShardChanges>>& delivery);

 private:
  void begin_if_worth_it(std::uint64_t commit, std::uint64_t accounts);

  store::Store& store_;
  std::atomic<std::uint64_t> round_{0};

  // The store thread's own.
  store::AccountFiles generation_;      // files of the last full generation and those before it
  std::uint64_t generation_until_ = 0;  // the commit that it ends with
  store::AccountFiles obsolete_;        // what the round cleans
  bool dropping_ = false;               // it is complete, and they are being dropped
  store::Merging merging_ = store::Merging::kLate;
};

}  // namespace geotally::pipeline
