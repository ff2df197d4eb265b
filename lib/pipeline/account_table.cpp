#include "pipeline/account_table.h"

#include <algorithm>
#include <cassert>
#include <cstdio>
#include <cstdlib>

namespace geotally::pipeline {
namespace {

// No table is smaller: a shard relies on some room (shard.cpp, the three shares of a table).
constexpr std::size_t kFirstSlots = 2'048;
// Keys never wrap round: what does not fit behind the last home spills into these. At a load of
// three quarters no run of occupied slots comes near it.
constexpr std::size_t kSpill = 2'048;

}  // namespace

AccountTable::AccountTable(tally::AccountKey first, std::uint64_t span, std::size_t slots_max)
    : first_(first), span_(span), slots_max_(std::max(slots_max, kFirstSlots)) {
  resize(kFirstSlots);
}

std::size_t AccountTable::limit_for(std::size_t slots_max) {
  return limit_of(std::max(slots_max, kFirstSlots));
}

std::size_t AccountTable::spare_bytes() { return kSpill * sizeof(HotAccount); }

void AccountTable::resize(std::size_t slots) {
  std::vector<HotAccount> old;
  old.swap(slots_);
  slots_.resize(slots + kSpill);
  homes_ = slots;
  // home = (key - first) * homes / span; with span = 0 meaning 2^64 the fraction is `homes`.
  scale_ = span_ == 0 ? homes_
                      : static_cast<std::uint64_t>((static_cast<Uint128>(homes_) << 64) / span_);
  for (const HotAccount& account : old) {
    if (account.key != 0) place(account.key) = account;
  }
}

HotAccount* AccountTable::find(tally::AccountKey key) {
  for (std::size_t i = home(key); slots_[i].key != 0; ++i) {
    if (slots_[i].key == key) return &slots_[i];
  }
  return nullptr;
}

HotAccount& AccountTable::insert(tally::AccountKey key) {
  assert(!full());
  if (size_ >= limit_of(homes_)) resize(std::min(homes_ * 2, slots_max_));
  HotAccount& account = place(key);
  account = {};
  account.key = key;
  ++size_;
  return account;
}

HotAccount& AccountTable::place(tally::AccountKey key) {
  std::size_t i = home(key);
  while (slots_[i].key != 0) ++i;
  if (i + 1 >= slots_.size()) {  // the last slot stays free: it ends every search
    std::fputs("geotally: invariant broken: account keys are not spread\n", stderr);
    std::abort();
  }
  return slots_[i];
}

void AccountTable::erase(std::size_t slot) {
  assert(slots_[slot].key != 0);
  std::size_t hole = slot;
  for (std::size_t i = slot + 1; slots_[i].key != 0; ++i) {
    // Who is at home behind the hole must stay behind it.
    if (home(slots_[i].key) > hole) continue;
    slots_[hole] = slots_[i];
    hole = i;
  }
  slots_[hole] = {};
  --size_;
}

}  // namespace geotally::pipeline
