#include "pipeline/rewriter.h"

#include <algorithm>

namespace geotally::pipeline {
namespace {

// A round begins when files hold so many times the accounts that there are. Each round writes all
// of them once, so this decides between writing more and taking more of the disk.
constexpr std::uint64_t kEntriesAnAccount = 3;
// A few files are not worth a round, however small the store.
constexpr std::size_t kFilesMin = 16;
// Dropping one syncs RocksDB's manifest: a commit does not wait for many.
constexpr std::size_t kDropsACommit = 8;

}  // namespace

void Rewriter::committed(const std::vector<std::unique_ptr<ShardChanges>>& delivery) {
  const auto any = [&](Residency residency) {
    return std::any_of(delivery.begin(), delivery.end(), [residency](const auto& changes) {
      return changes->residency == residency;
    });
  };
  // Which files a complete round has made obsolete does not change any more.
  if (dropping_) dropping_ = store_.drop_account_files(before_, kDropsACommit);

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
    begin_if_worth_it(accounts);
  } else if (std::all_of(delivery.begin(), delivery.end(),
                         [round](const auto& changes) { return changes->rewritten == round; })) {
    round_.store(0, std::memory_order_release);
    dropping_ = true;
  }
}

void Rewriter::begin_if_worth_it(std::uint64_t accounts) {
  store::AccountFiles files = store_.account_files();
  if (files.numbers.size() < kFilesMin || files.entries < kEntriesAnAccount * accounts) return;
  before_ = std::move(files);
  round_.store(++rounds_, std::memory_order_release);
}

}  // namespace geotally::pipeline
