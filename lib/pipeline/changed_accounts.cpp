#include "pipeline/changed_accounts.h"

#include <string_view>
#include <utility>

#include "base/check.h"
#include "store/codec.h"

namespace geotally::pipeline {

void ChangedAccounts::begin(std::size_t accounts) {
  accounts_.clear();
  accounts_.reserve(accounts);
  chunks_.resize(used_chunks_);
  used_chunks_ = 0;
  used_bytes_ = 0;
}

void ChangedAccounts::add(tally::AccountKey key, const tally::AccountState& state,
                          const tally::AccountDetails& details,
                          const geo::EvidenceState& evidence,
                          std::span<const tally::FenceEntry> fence) {
  char* const begin = room(store::account_bytes_max(fence.size()));
  const char* const end = store::encode_account(state, details, evidence, fence, begin);
  const auto size = static_cast<std::size_t>(end - begin);
  used_bytes_ += size;
  put({key, std::string_view(begin, size)});
}

void ChangedAccounts::put(store::AccountChange change) {
  accounts_.push_back(change);
  for (std::size_t i = accounts_.size() - 1; i > 0 && accounts_[i - 1].key > change.key; --i) {
    std::swap(accounts_[i - 1], accounts_[i]);
  }
}

char* ChangedAccounts::room(std::size_t bytes) {
  GEOTALLY_CHECK(bytes <= kChunkBytes, "an account's record is longer than a chunk");
  if (used_chunks_ == 0 || kChunkBytes - used_bytes_ < bytes) {
    if (used_chunks_ == chunks_.size()) {
      chunks_.push_back(std::make_unique_for_overwrite<char[]>(kChunkBytes));
    }
    ++used_chunks_;
    used_bytes_ = 0;
  }
  return chunks_[used_chunks_ - 1].get() + used_bytes_;
}

}  // namespace geotally::pipeline
