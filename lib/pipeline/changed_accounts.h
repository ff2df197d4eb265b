// The bytes of a shard's accounts that the next commit has to write.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <utility>
#include <vector>

#include "geo/resolver.h"
#include "store/store.h"
#include "tally/account.h"
#include "tally/fence.h"

namespace geotally::pipeline {

/// Not thread-safe. The memory of the bytes is kept from one commit to the next, so that the kernel
/// need not clear pages for each: as much as the one before took.
class ChangedAccounts {
 public:
  /// Begins anew, with room for so many. The bytes of what take() gave become invalid.
  void begin(std::size_t accounts);

  /// Keys come nearly in order: each is put in its place from the end.
  void add(tally::AccountKey key, const tally::AccountState& state,
           const tally::AccountDetails& details, const geo::EvidenceState& evidence,
           std::span<const tally::FenceEntry> fence);
  /// An account that is to be removed.
  void add_forgotten(tally::AccountKey key) { put({key, {}}); }

  /// By key. The bytes hold until begin(), for any thread.
  [[nodiscard]] std::vector<store::AccountChange> take() { return std::move(accounts_); }

 private:
  static constexpr std::size_t kChunkBytes = std::size_t{1} << 20;

  void put(store::AccountChange change);
  char* room(std::size_t bytes);

  std::vector<store::AccountChange> accounts_;
  // Bytes do not move when more come: the list points at them.
  std::vector<std::unique_ptr<char[]>> chunks_;
  std::size_t used_chunks_ = 0;
  std::size_t used_bytes_ = 0;  // of the last used chunk
};

}  // namespace geotally::pipeline
