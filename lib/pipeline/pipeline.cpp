#include "pipeline/pipeline.h"

#include <utility>

namespace geotally::pipeline {
namespace {

// Of the accounts' memory, what the fences' sets may take.
constexpr std::size_t kFenceShare = 5;
// Of it, what changes of cells may take between two marks beyond the least.
constexpr std::size_t kCellsShare = 16;
constexpr std::size_t kCellsBytesMin = std::size_t{8} << 20;

// First key of the partitions that `shard` owns.
tally::AccountKey first_key(std::size_t shard, std::size_t shards) {
  std::size_t partition = 0;
  while (partition < kPartitions && owner_of(partition, shards) < shard) ++partition;
  return partition == kPartitions
             ? 0
             : static_cast<tally::AccountKey>(partition) << (64 - kPartitionBits);
}

}  // namespace

std::size_t fixed_bytes(std::size_t shards) {
  const std::size_t queue = BatchQueue::kBatchesMin * Batch::kBytes;
  const std::size_t totals = std::size_t{32} << 20;
  const std::size_t table = AccountTable::spare_bytes() +
                            Accounts::details_for(0) * tally::DetailPool::kBytes;
  return totals + shards * (queue + 2 * kCellsBytesMin + table);
}

Pipeline::Pipeline(PipelineOptions options, store::Store& store, const geo::Resolver& resolver,
                   feed::Dialect& dialect, feed::Position& position, metrics::Metrics& metrics,
                   log::Logger& log)
    : options_(std::move(options)) {
  committer_ =
      std::make_unique<Committer>(CommitterOptions{options_.shards, options_.windows,
                                                   options_.ingest.now_us, options_.on_commit},
                                  store, metrics, log);

  std::vector<Shard*> shards;
  for (std::size_t i = 0; i < options_.shards; ++i) {
    ShardOptions shard;
    shard.number = i;
    shard.first = first_key(i, options_.shards);
    shard.last = first_key(i + 1, options_.shards) - 1;
    const std::size_t bytes = options_.memory_bytes / options_.shards;
    const std::size_t cells = bytes / kCellsShare;
    shard.cells_bytes = kCellsBytesMin + cells;
    shard.fence_bytes = bytes / kFenceShare;
    // What is being committed and what comes next both have cells.
    shard.accounts_bytes = bytes - shard.fence_bytes - 2 * cells;
    shard.fence_horizon_s = options_.fence_horizon_s;
    shard.erase_deleted_days = options_.erase_deleted_days;
    shard.on_told_out_of_order = [this, &metrics, &log](std::uint64_t posts) {
      metrics.told_out_of_order(posts);
      if (warned_of_order_.exchange(true)) return;
      log.write(log::Event::kTallyToldOutOfOrder, {{"posts", posts}});
    };
    shards_.push_back(std::make_unique<Shard>(shard, store, resolver, metrics,
                                              committer_->committed(), committer_->rewriting(),
                                              [this](std::unique_ptr<ShardChanges> changes) {
                                                committer_->deliver(std::move(changes));
                                              }));
    shards.push_back(shards_.back().get());
  }

  IngestOptions ingest = options_.ingest;
  ingest.seed = store.seed();
  ingest.stuck = [this] { return committer_->failing(); };
  ingest_ = std::make_unique<Ingest>(std::move(ingest), store.last_commit(), dialect, position,
                                     std::move(shards), committer_->committed(), metrics, log);
}

Pipeline::~Pipeline() = default;

void Pipeline::start() {
  committer_->start(options_.failed);
  for (const auto& shard : shards_) shard->start(options_.failed);
}

void Pipeline::stop() {
  ingest_->finish();
  for (const auto& shard : shards_) shard->join();
  committer_->stop();
}

}  // namespace geotally::pipeline
