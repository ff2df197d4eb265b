#include "pipeline/rewriter.h"

#include <algorithm>
#include <utility>

namespace geotally::pipeline {
namespace {

// A generation holds so many halves of what there are accounts. The longer it is, the fewer of its
// accounts have nothing newer when it is cleaned, and the more of the disk it takes.
constexpr std::uint64_t kHalvesAGeneration = 3;
// A few files are not worth a round, however small the store.
constexpr std::size_t kFilesMin = 16;
// Dropping one syncs RocksDB's manifest: a commit does not wait for many.
constexpr std::size_t kDropsACommit = 8;

std::uint64_t entries_besides(const store::AccountFiles& files, const store::AccountFiles& known) {
  std::uint64_t sum = 0;
  for (const auto& [number, entries] : files) sum += known.contains(number) ? 0 : entries;
  return sum;
}

}  // namespace

void Rewriter::committed(const std::vector<std::unique_ptr<ShardChanges>>& delivery) {
  const auto any = [&](Residency residency) {
    return std::any_of(delivery.begin(), delivery.end(), [residency](const auto& changes) {
      return changes->residency == residency;
    });
  };
  // Which files a complete round has made obsolete does not change any more.
  if (dropping_) dropping_ = store_.drop_account_files(obsolete_, kDropsACommit);

  if (any(Residency::kPart)) {
    round_.store(0, std::memory_order_release);
    if (merging_ != store::Merging::kSoon && store_.set_merging(store::Merging::kSoon)) {
      merging_ = store::Merging::kSoon;
    }
    return;
  }
  if (dropping_ || any(Residency::kLoading)) return;

  const std::uint64_t round = round_.load(std::memory_order_relaxed);
  if (round == 0) {
    std::uint64_t accounts = 0;
    for (const auto& changes : delivery) accounts += changes->accounts_held;
    begin_if_worth_it(delivery.front()->mark->number, accounts);
  } else if (std::all_of(delivery.begin(), delivery.end(),
                         [round](const auto& changes) { return changes->rewritten == round; })) {
    round_.store(0, std::memory_order_release);
    dropping_ = true;
  }
}

void Rewriter::begin_if_worth_it(std::uint64_t commit, std::uint64_t accounts) {
  store::AccountFiles files = store_.account_files();
  if (files.size() < kFilesMin ||
      2 * entries_besides(files, generation_) < kHalvesAGeneration * accounts) {
    return;
  }
  obsolete_ = std::exchange(generation_, std::move(files));
  const std::uint64_t until = std::exchange(generation_until_, commit);
  // RocksDB may have merged them all with others.
  const bool any_left = std::any_of(obsolete_.begin(), obsolete_.end(), [this](const auto& file) {
    return generation_.contains(file.first);
  });
  if (until != 0 && any_left) round_.store(until, std::memory_order_release);
}

}  // namespace geotally::pipeline
