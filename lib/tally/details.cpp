#include "tally/details.h"

#include "tally/account.h"

namespace geotally::tally {
namespace {

constexpr std::size_t kFirstDetails = 256;

}  // namespace

DetailPool::DetailPool() { details_.grow(kFirstDetails); }

const AccountDetails& DetailPool::of(const AccountState& state) const {
  return details_[state.details];
}

AccountDetails& DetailPool::edit(AccountState& state) {
  if (state.details != 0) return details_[state.details];
  ++edited_;
  return take(state);
}

void DetailPool::put(AccountState& state, const AccountDetails& details) {
  state.details = 0;
  if (details != AccountDetails{}) take(state) = details;
}

AccountDetails& DetailPool::take(AccountState& state) {
  ++used_;
  if (free_.empty()) {
    if (made_ == details_.size()) details_.grow(2 * details_.size());
    state.details = made_++;
  } else {
    state.details = free_.back();
    free_.pop_back();
  }
  return details_[state.details] = {};
}

void DetailPool::tidy(AccountState& state) {
  if (state.details != 0 && of(state) == AccountDetails{}) release(state);
}

void DetailPool::release(AccountState& state) {
  if (state.details == 0) return;
  free_.push_back(state.details);
  state.details = 0;
  --used_;
}

}  // namespace geotally::tally
