// A shard counts the accounts of a range of partitions, in a thread of its own.
//
// It takes batches from its queue, keeps the accounts it meets in memory, reads the
// cold ones from the store, and at each mark hands over what has changed since the
// mark before, sorted. It never writes.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "geo/resolver.h"
#include "metrics/metrics.h"
#include "pipeline/account_helper.h"
#include "pipeline/account_reader.h"
#include "pipeline/account_table.h"
#include "pipeline/batch.h"
#include "pipeline/hand.h"
#include "store/store.h"
#include "tally/changes.h"
#include "tally/fence.h"
#include "tally/tally.h"

namespace geotally::pipeline {

struct ShardOptions {
  std::size_t number = 0;
  tally::AccountKey first = 0;  ///< keys of this shard: [first, last]
  tally::AccountKey last = UINT64_MAX;
  std::size_t accounts_bytes = 0;  ///< bound of the account table and of changes on their way
  std::size_t fence_bytes = 0;     ///< bound of the fences' sets
  std::size_t cells_bytes = 0;     ///< bound of what changes of cells take between two marks
  std::int64_t fence_horizon_s = 60;
  std::int64_t erase_deleted_days = 30;
};

/// Which of the store's accounts a shard has in memory.
enum class Residency : std::uint8_t {
  kLoading,  ///< they are being read after a start
  kAll,
  kPart,  ///< they do not all fit
};

/// What one shard changed between two marks.
struct ShardChanges {
  std::shared_ptr<const Mark> mark;
  Residency residency = Residency::kPart;
  std::uint64_t accounts_held = 0;  ///< in memory
  /// The last round of rewriting that came to its end, perhaps with these changes; 0 = none.
  std::uint64_t rewritten = 0;
  tally::Changes cells;
  struct Account {
    tally::AccountKey key = 0;
    std::size_t offset = 0;  ///< of its bytes in `bytes`
    std::size_t size = 0;    ///< 0 = the account is forgotten
  };
  std::vector<Account> accounts;  ///< by key
  std::string bytes;
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
  struct Abandoned {};

  void run();
  void process(const Batch& batch);
  void add(const tally::Sample& sample, const Batch& batch);
  void begin_warm_up();
  void warm_up();
  void end_warm_up();
  void warm(const Batch& batch);
  HotAccount& account(tally::AccountKey key);
  HotAccount& blank(tally::AccountKey key);
  void restore(HotAccount& hot, const store::AccountRecord& record);
  void make_room();
  bool evict(std::size_t slot);
  void touch(tally::AccountKey key, HotAccount& hot);
  [[nodiscard]] bool locate(HotAccount& hot, const tally::Sample& sample, const Batch& batch,
                            const tally::Admission& admission, tally::Placement& placement);
  void hand_over(const std::shared_ptr<const Mark>& mark);
  void rewrite();
  void encode(tally::AccountKey key, HotAccount& hot, ShardChanges& changes);
  void forget(tally::AccountKey key);
  void erase_due(const Mark& mark, ShardChanges& changes);
  [[nodiscard]] std::uint32_t horizon_s() const;
  void sweep();
  void report();

  // Constant after construction.
  const ShardOptions options_;
  const store::Store& store_;
  const geo::Resolver& resolver_;
  metrics::Metrics& metrics_;
  const std::atomic<std::uint64_t>& committed_;
  const std::atomic<std::uint64_t>& rewriting_;
  const Deliver deliver_;

  BatchQueue queue_;
  std::atomic<bool> wants_mark_{false};
  std::atomic<bool> abandoned_{false};
  std::thread thread_;

  // The shard thread's own.
  AccountTable accounts_;
  tally::FencePool fences_;
  std::unique_ptr<tally::Changes> cells_;
  std::vector<tally::AccountKey> changed_;  // since the last mark, each once
  std::vector<store::Due> due_;
  std::uint64_t next_mark_ = 1;            // changes now go into this one
  std::int64_t watermark_us_ = 0;          // of what this shard has seen
  std::int64_t erased_until_day_ = 0;      // nothing is due before
  bool complete_ = false;                  // every account of the store is in memory
  std::unique_ptr<AccountReader> reader_;  // of those that are not in memory yet
  std::unique_ptr<AccountHelper> helper_;  // reads half of the cold ones; made when needed
  AccountReader::Part part_;               // of what it has read
  std::uint64_t round_ = 0;                // of rewriting, the last one seen
  tally::AccountKey rewritten_until_ = 0;  // in it; the accounts before this key
  std::uint64_t rewritten_ = 0;            // the last round that came to its end
  Hand hand_{1};                           // of make_room()
  std::size_t swept_ = 0;                  // where sweep() goes on
  store::AccountRecord record_;            // scratch
  std::vector<tally::AccountKey> cold_;    // scratch of warm()
  std::string scratch_;

  // Since the last report().
  std::array<std::uint64_t, kEventKinds> counted_{};
  std::uint64_t replayed_ = 0;
  std::array<std::uint64_t, kEvidenceKinds> resolved_{};
  std::uint64_t moved_ = 0;

  std::uint64_t overflows_ = 0;  // of the pool as a whole, since the start
  std::uint64_t reported_overflows_ = 0;
};

}  // namespace geotally::pipeline
