// Puts shards, committer and ingest together over one store.
//
// Threads: `shard-0` … and `store` are started here, and by a shard those that read the store for
// it (`read-0` after a start, `cold-0` when accounts do not all fit); ingest() belongs to the
// caller's feed thread, snapshot() to anybody.
#pragma once

#include <cstdint>
#include <exception>
#include <functional>
#include <memory>
#include <vector>

#include "pipeline/committer.h"
#include "pipeline/ingest.h"
#include "pipeline/shard.h"

namespace geotally::pipeline {

struct PipelineOptions {
  std::size_t shards = 1;
  std::size_t memory_bytes = 0;  ///< of hot accounts and fences, all shards together
  std::int64_t fence_horizon_s = 60;
  std::int64_t erase_deleted_days = 30;
  std::vector<tally::Window> windows;
  IngestOptions ingest;  ///< its `seed` is filled in from the store
  /// A thread cannot go on: a store that cannot be read, a broken record. Called once or more,
  /// on that thread.
  std::function<void(std::exception_ptr)> failed;
  /// A new snapshot is shown. On the thread that commits: must return at once. May be empty.
  std::function<void()> on_commit;
};

/// What the shards hold beside their accounts: queues, cells in the making, changes on their way.
/// The rest of the configured bound goes to accounts.
[[nodiscard]] std::size_t fixed_bytes(std::size_t shards);

class Pipeline {
 public:
  /// References must outlive the pipeline. Throws store::Refused when the cells do not load.
  Pipeline(PipelineOptions options, store::Store& store, const geo::Resolver& resolver,
           feed::Dialect& dialect, feed::Position& position, metrics::Metrics& metrics,
           log::Logger& log);
  /// stop() must have been called after start().
  ~Pipeline();

  void start();
  /// Commits everything that was handed to ingest() and joins the threads. On the feed's thread.
  void stop();

  [[nodiscard]] Ingest& ingest() { return *ingest_; }
  [[nodiscard]] std::shared_ptr<const tally::Snapshot> snapshot() const {
    return committer_->snapshot();
  }
  [[nodiscard]] const Committer& committer() const { return *committer_; }

 private:
  const PipelineOptions options_;
  std::atomic<bool> warned_of_order_{false};
  std::unique_ptr<Committer> committer_;
  std::vector<std::unique_ptr<Shard>> shards_;
  std::unique_ptr<Ingest> ingest_;
};

}  // namespace geotally::pipeline
