// The thread "store": puts together what all shards changed up to a mark, makes it
// durable in one commit, and only then shows it.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <exception>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "log/log.h"
#include "metrics/metrics.h"
#include "pipeline/batch.h"
#include "pipeline/rewriter.h"
#include "pipeline/shard.h"
#include "store/store.h"
#include "tally/snapshot.h"
#include "tally/totals.h"

namespace geotally::pipeline {

struct CommitterOptions {
  std::size_t shards = 1;
  std::vector<tally::Window> windows;
  std::function<std::int64_t()> now_us;  ///< wall clock
  std::function<void()> on_commit = {};  ///< on the committer's thread; see PipelineOptions
};

class Committer {
 public:
  /// Loads the cells and shows the last commit's snapshot. Throws store::Refused.
  /// References must outlive the committer.
  Committer(CommitterOptions options, store::Store& store, metrics::Metrics& metrics,
            log::Logger& log);
  ~Committer();

  /// Starts the thread. What it cannot go on after goes to `failed`.
  void start(std::function<void(std::exception_ptr)> failed);
  /// Commits what was delivered, then joins. Deliveries must have ended.
  void stop();

  /// From any shard's thread: what it changed up to the mark. Never blocks for long: there is
  /// one mark on its way at most.
  void deliver(std::unique_ptr<ShardChanges> changes);

  /// Number of the last durable commit. Any thread.
  [[nodiscard]] const std::atomic<std::uint64_t>& committed() const { return committed_; }
  /// See Rewriter::round(). Any thread.
  [[nodiscard]] const std::atomic<std::uint64_t>& rewriting() const { return rewriter_.round(); }
  /// The last commit's figures; never null. Any thread.
  [[nodiscard]] std::shared_ptr<const tally::Snapshot> snapshot() const;
  /// Set while a commit fails and is tried again. Any thread.
  [[nodiscard]] bool failing() const { return failing_.load(std::memory_order_relaxed); }

 private:
  using Delivery = std::vector<std::unique_ptr<ShardChanges>>;

  void run();
  void commit(Delivery& delivery);
  static void take_accounts(Delivery& delivery, store::Commit& commit);
  void raise_base(const Delivery& delivery, store::Commit& commit);
  [[nodiscard]] std::int64_t missed_us(std::int64_t day) const;
  void correct_closed_days(const Mark& mark, store::Commit& commit);
  void write(const store::Commit& commit);
  void publish(const store::CommitRecord& record, const std::vector<Gap>& suspicions);
  void report_store(std::int64_t now_us);
  void answer_backup();

  // Constant after construction.
  const CommitterOptions options_;
  store::Store& store_;
  metrics::Metrics& metrics_;
  log::Logger& log_;

  // The store thread's own.
  tally::Totals totals_;
  std::vector<Gap> gaps_;  // of the longest window
  store::CommitRecord record_;
  store::CounterBase base_;
  Rewriter rewriter_;
  std::int64_t reported_us_ = 0;

  std::atomic<std::uint64_t> committed_{0};
  std::atomic<bool> failing_{false};

  // Protected by delivered_mutex_: the queue from the shards.
  std::mutex delivered_mutex_;
  std::condition_variable delivered_changed_;
  Delivery delivered_;
  bool stopping_ = false;

  // Protected by snapshot_mutex_ (libstdc++ 12's atomic<shared_ptr> is a race to TSan).
  mutable std::mutex snapshot_mutex_;
  std::shared_ptr<const tally::Snapshot> snapshot_;

  std::thread thread_;
};

}  // namespace geotally::pipeline
