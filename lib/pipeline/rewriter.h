// Keeps the store's files of accounts few without merging them.
//
// RocksDB would read, compare and write all that changed since the last merge. While every account
// is in memory, the shards write them anew instead, a part with each commit; then the files from
// before are dropped unread. So Redis rewrites its append-only file (redis.io, "Log rewriting").
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

  /// The round that shards take part in; 0 = none. Any thread.
  [[nodiscard]] const std::atomic<std::uint64_t>& round() const { return round_; }

  /// After each commit, on its thread: what every shard delivered for it.
  void committed(const std::vector<std::unique_ptr<ShardChanges>>& delivery);

 private:
  void begin_if_worth_it(std::uint64_t accounts);

  store::Store& store_;
  std::atomic<std::uint64_t> round_{0};

  // The store thread's own.
  std::uint64_t rounds_ = 0;
  store::AccountFiles before_;  // files that the round makes obsolete
  bool dropping_ = false;       // it is complete, and they are being dropped
  store::Merging merging_ = store::Merging::kLate;
};

}  // namespace geotally::pipeline
