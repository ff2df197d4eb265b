#include "pipeline/account_table.h"

#include <algorithm>
#include <utility>

#include "base/check.h"

namespace geotally::pipeline {
namespace {

// No table is smaller: a shard relies on some room (accounts.cpp, changed_max()).
constexpr std::size_t kFirstSlots = 2'048;
// Keys never wrap round: what does not fit behind the last home spills into these. At a load of
// three quarters no run of occupied slots comes near it.
constexpr std::size_t kSpill = 2'048;

}  // namespace

AccountTable::AccountTable(tally::AccountKey first, std::uint64_t span, std::size_t slots_max)
    : first_(first), span_(span), slots_max_(std::max(slots_max, kFirstSlots)) {
  grow(kFirstSlots);
}

std::size_t AccountTable::limit_for(std::size_t slots_max) {
  return limit_of(std::max(slots_max, kFirstSlots));
}

std::size_t AccountTable::spare_bytes() { return kSpill * kSlotBytes; }

// In place: everything moves to the end in its order, and from there, first to last, to where it
// belongs now. What is written never comes past what is still to be read: as many slots lie behind
// a key's new place as there are keys to follow it, and the spill is room for chance.
void AccountTable::grow(std::size_t homes) {
  const std::size_t before = keys_.size();
  keys_.grow(homes + kSpill);
  slots_.grow(homes + kSpill);
  changed_.grow((homes + kSpill + kWordBits - 1) / kWordBits);
  std::size_t first = keys_.size();
  for (std::size_t i = before; i-- > 0;) {
    if (keys_[i] != 0) move(i, --first);
  }
  homes_ = homes;
  // home = (key - first) * homes / span; with span = 0 meaning 2^64 the fraction is `homes`.
  scale_ = span_ == 0 ? homes_
                      : static_cast<std::uint64_t>((static_cast<Uint128>(homes_) << 64) / span_);
  for (std::size_t i = first; i < keys_.size(); ++i) {
    const HotAccount account = slots_[i];
    const bool changed = take_bit(i);
    const std::size_t slot = place(std::exchange(keys_[i], 0));
    slots_[slot] = account;
    if (changed) set_bit(slot);
  }
}

void AccountTable::move(std::size_t from, std::size_t to) {
  slots_[to] = slots_[from];
  const tally::AccountKey key = std::exchange(keys_[from], 0);
  keys_[to] = key;
  if (take_bit(from)) set_bit(to);
}

HotAccount* AccountTable::find(tally::AccountKey key) {
  const std::size_t slot = search(key);
  return keys_[slot] == 0 ? nullptr : &slots_[slot];
}

HotAccount& AccountTable::insert(tally::AccountKey key) {
  GEOTALLY_CHECK(!full(), "an account beyond those that memory holds");
  if (size_ >= limit_of(homes_)) grow(std::min(homes_ + homes_ / 2, slots_max_));
  HotAccount& account = slots_[place(key)];
  account = {};
  ++size_;
  return account;
}

void AccountTable::reserve(std::size_t accounts) {
  const std::size_t homes = std::min((accounts + 2) / 3 * 4, slots_max_);
  if (homes > homes_) grow(homes);
  keys_.populate();
  slots_.populate();
}

std::size_t AccountTable::place(tally::AccountKey key) {
  std::size_t i = home(key);
  while (keys_[i] != 0) ++i;
  // The last slot stays free: it ends every search.
  GEOTALLY_CHECK(i + 1 < keys_.size(), "account keys are not spread");
  keys_[i] = key;
  return i;
}

void AccountTable::erase(std::size_t slot) {
  GEOTALLY_CHECK(keys_[slot] != 0, "an account is erased that is not there");
  std::size_t hole = slot;
  for (std::size_t i = slot + 1; keys_[i] != 0; ++i) {
    // Who is at home behind the hole must stay behind it.
    if (home(keys_[i]) > hole) continue;
    take_bit(hole);
    move(i, hole);
    hole = i;
  }
  take_bit(hole);
  slots_[hole] = {};
  keys_[hole] = 0;
  --size_;
}

}  // namespace geotally::pipeline
