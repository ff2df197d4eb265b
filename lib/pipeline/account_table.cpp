#include "pipeline/account_table.h"

#include <algorithm>
#include <cassert>
#include <cstdio>
#include <cstdlib>

#include <sys/mman.h>

namespace geotally::pipeline {
namespace {

// No table is smaller: a shard relies on some room (shard.cpp, the three shares of a table).
constexpr std::size_t kFirstSlots = 2'048;
// Keys never wrap round: what does not fit behind the last home spills into these. At a load of
// three quarters no run of occupied slots comes near it.
constexpr std::size_t kSpill = 2'048;

// Accounts are met in no order, so that small pages would miss the TLB at every one. Only a wish:
// where the kernel grants none, it is slower and no less right.
void ask_for_huge_pages(void* memory, std::size_t bytes) {
  constexpr std::uintptr_t kHugePage = std::uintptr_t{2} << 20;
  const auto begin = (reinterpret_cast<std::uintptr_t>(memory) + kHugePage - 1) & ~(kHugePage - 1);
  const auto end = (reinterpret_cast<std::uintptr_t>(memory) + bytes) & ~(kHugePage - 1);
  if (begin < end) {
    static_cast<void>(::madvise(reinterpret_cast<void*>(begin), end - begin, MADV_HUGEPAGE));
  }
}

}  // namespace

AccountTable::AccountTable(tally::AccountKey first, std::uint64_t span, std::size_t slots_max)
    : first_(first), span_(span), slots_max_(std::max(slots_max, kFirstSlots)) {
  resize(kFirstSlots);
}

std::size_t AccountTable::limit_for(std::size_t slots_max) {
  return limit_of(std::max(slots_max, kFirstSlots));
}

std::size_t AccountTable::spare_bytes() { return kSpill * kSlotBytes; }

void AccountTable::resize(std::size_t slots) {
  std::vector<HotAccount> old;
  old.swap(slots_);
  std::vector<tally::AccountKey> old_keys;
  old_keys.swap(keys_);
  slots_.reserve(slots + kSpill);
  ask_for_huge_pages(slots_.data(), (slots + kSpill) * sizeof(HotAccount));
  slots_.resize(slots + kSpill);
  keys_.assign(slots + kSpill, 0);
  homes_ = slots;
  // home = (key - first) * homes / span; with span = 0 meaning 2^64 the fraction is `homes`.
  scale_ = span_ == 0 ? homes_
                      : static_cast<std::uint64_t>((static_cast<Uint128>(homes_) << 64) / span_);
  for (std::size_t i = 0; i < old.size(); ++i) {
    if (old_keys[i] != 0) slots_[place(old_keys[i])] = old[i];
  }
}

HotAccount* AccountTable::find(tally::AccountKey key) {
  const std::size_t slot = search(key);
  return keys_[slot] == 0 ? nullptr : &slots_[slot];
}

HotAccount& AccountTable::insert(tally::AccountKey key) {
  assert(!full());
  if (size_ >= limit_of(homes_)) resize(std::min(homes_ * 2, slots_max_));
  HotAccount& account = slots_[place(key)];
  account = {};
  ++size_;
  return account;
}

std::size_t AccountTable::place(tally::AccountKey key) {
  std::size_t i = home(key);
  while (keys_[i] != 0) ++i;
  if (i + 1 >= keys_.size()) {  // the last slot stays free: it ends every search
    std::fputs("geotally: invariant broken: account keys are not spread\n", stderr);
    std::abort();
  }
  keys_[i] = key;
  return i;
}

void AccountTable::erase(std::size_t slot) {
  assert(keys_[slot] != 0);
  std::size_t hole = slot;
  for (std::size_t i = slot + 1; keys_[i] != 0; ++i) {
    // Who is at home behind the hole must stay behind it.
    if (home(keys_[i]) > hole) continue;
    slots_[hole] = slots_[i];
    keys_[hole] = keys_[i];
    hole = i;
  }
  slots_[hole] = {};
  keys_[hole] = 0;
  --size_;
}

}  // namespace geotally::pipeline
