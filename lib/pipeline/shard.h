// A shard counts the accounts of a range of partitions, in a thread of its own.
//
// It takes batches from its queue, counts their samples, and at each mark hands over
// what has changed since the mark before, sorted. It never writes.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <thread>
#include <vector>

#include "geo/resolver.h"
#include "metrics/metrics.h"
#include "pipeline/accounts.h"
#include "pipeline/batch.h"
#include "store/store.h"
#include "tally/changes.h"
#include "tally/tally.h"

namespace geotally::pipeline {

struct ShardOptions {
  std::size_t number = 0;
  tally::AccountKey first = 0;  ///< keys of this shard: [first, last]
  tally::AccountKey last = UINT64_MAX;
  std::size_t accounts_bytes = 0;  ///< bound of accounts, and of what is on its way
  std::size_t fence_bytes = 0;     ///< bound of the fences' sets
  std::size_t cells_bytes = 0;     ///< bound of what changes of cells take between two marks
  std::int64_t fence_horizon_s = 60;
  std::int64_t erase_deleted_days = 30;
  /// Told posts were refused because their keys did not rise: how many since the last call. On the
  /// shard's thread.
  std::function<void(std::uint64_t)> on_told_out_of_order;
};

/// What one shard changed between two marks.
struct ShardChanges {
  std::shared_ptr<const Mark> mark;
  Residency residency = Residency::kPart;
  std::uint64_t accounts_held = 0;  ///< in memory
  /// The last round of rewriting that came to its end, perhaps with these changes; 0 = none.
  std::uint64_t rewritten = 0;
  tally::Changes cells;
  /// By key; the bytes hold until the commit is durable.
  std::vector<store::AccountChange> accounts;
  std::vector<store::Due> due;
  std::vector<store::Due> due_done;
};

class Shard {
 public:
  using Deliver = std::function<void(std::unique_ptr<ShardChanges>)>;

  /// `committed`: number of the last commit that is durable; written by the committer.
  /// `rewriting`: see Rewriter::round(). All references must outlive the shard.
  Shard(ShardOptions options, const store::Store& store, const geo::Resolver& resolver,
        metrics::Metrics& metrics, const std::atomic<std::uint64_t>& committed,
        const std::atomic<std::uint64_t>& rewriting, Deliver deliver);
  /// The thread must have been joined: the last batch was pushed.
  ~Shard();

  /// Starts the thread. An exception in it (a store that cannot be read) goes to `failed`.
  void start(std::function<void(std::exception_ptr)> failed);
  void join();

  [[nodiscard]] BatchQueue& queue() { return queue_; }
  /// Commits fail and the end has come: what is still in the queue is thrown away, to be read
  /// again after the next start. Any thread.
  void abandon() { abandoned_.store(true, std::memory_order_relaxed); }
  /// Set while so much has changed since the last mark that the next one should not wait.
  [[nodiscard]] bool wants_mark() const { return wants_mark_.load(std::memory_order_relaxed); }

 private:
  void run();
  void process(const Batch& batch);
  void fetch_cells(std::span<const tally::Sample> group);
  void add(const tally::Sample& sample, const Batch& batch);
  void add_counted(HotAccount& hot, const tally::Sample& sample, const Batch& batch,
                   const tally::Admission& admission);
  void touch(HotAccount& hot);
  [[nodiscard]] bool locate(HotAccount& hot, const tally::Sample& sample, const Batch& batch,
                            const tally::Admission& admission, tally::Placement& placement);
  void hand_over(const std::shared_ptr<const Mark>& mark);
  void forget(tally::AccountKey key);
  void erase_due(const Mark& mark, ShardChanges& changes);
  [[nodiscard]] std::uint32_t horizon_s() const;
  void report();

  // Constant after construction.
  const ShardOptions options_;
  const store::Store& store_;
  const geo::Resolver& resolver_;
  metrics::Metrics& metrics_;
  const std::atomic<std::uint64_t>& rewriting_;
  const Deliver deliver_;

  std::atomic<bool> wants_mark_{false};
  std::atomic<bool> abandoned_{false};
  BatchQueue queue_;
  std::thread thread_;

  // The shard thread's own.
  Accounts accounts_;
  std::unique_ptr<tally::Changes> cells_;
  std::vector<store::Due> due_;
  std::int64_t watermark_us_ = 0;      // of what this shard has seen
  tally::StoreFacts facts_;
  std::int64_t erased_until_day_ = 0;  // nothing is due before

  // Since the last report().
  std::array<std::uint64_t, kEventKinds> counted_{};
  std::array<std::uint64_t, kDrops> dropped_{};
  std::array<std::uint64_t, kEvidenceKinds> resolved_{};
  std::uint64_t moved_ = 0;

  std::uint64_t overflows_ = 0;  // of the fences as a whole, since the start
  std::uint64_t reported_overflows_ = 0;
  std::uint64_t reported_out_of_order_ = 0;
};

}  // namespace geotally::pipeline
