// The accounts that one shard holds in memory.
//
// Open addressing with linear probing. The place of a key is its hash scaled
// to the table, so neighbours in the table are neighbours in the key order:
// changes that are collected in the order of their keys walk memory forwards,
// and growing keeps their order, in place. Bounded: at most `slots_max`.
//
// Keys lie in an array of their own, eight to a cache line, so that a search
// does not touch the accounts that it passes.
#pragma once

#include <cstdint>

#include "geo/resolver.h"
#include "tally/account.h"
#include "tally/page_array.h"
#include "tally/sample.h"

namespace geotally::pipeline {

/// ISO C++ has no name for it.
__extension__ typedef unsigned __int128 Uint128;  // NOLINT(modernize-use-using)

struct HotAccount {
  tally::AccountState state;
  geo::EvidenceState evidence;
  std::uint32_t changed : 31 = 0;    ///< low bits of the number of the mark of its last change
  std::uint32_t referenced : 1 = 0;  ///< since the sweep last came by

  /// The bits of a mark's number that `changed` keeps.
  static constexpr std::uint32_t kMarkBits = 0x7fffffff;

  /// Whether its last change belongs to a later mark. Marks are numbered in order; their low bits
  /// compare across an overflow.
  [[nodiscard]] bool changed_after(std::uint64_t mark) const {
    const std::uint32_t ahead = (changed - static_cast<std::uint32_t>(mark)) & kMarkBits;
    return changed != 0 && ahead != 0 && ahead <= kMarkBits / 2;
  }
};
static_assert(sizeof(HotAccount) == 128, "two cache lines; proto/store.md names the size");

/// Not thread-safe. Pointers hold until the next insert() or erase().
class AccountTable {
 public:
  /// What a slot takes in memory.
  static constexpr std::size_t kSlotBytes = sizeof(HotAccount) + sizeof(tally::AccountKey);

  /// Keys lie in [first, first + span); span 0 = all that follow `first`.
  AccountTable(tally::AccountKey first, std::uint64_t span, std::size_t slots_max);

  [[nodiscard]] HotAccount* find(tally::AccountKey key);
  /// Brings the key's place near, for fetch().
  void fetch_key(tally::AccountKey key) const { tally::fetch(&keys_[home(key)]); }
  /// Brings the account near, for find().
  void fetch(tally::AccountKey key) const { fetch_slot(search(key)); }
  /// Requires that the key is not there and that the table is not full().
  HotAccount& insert(tally::AccountKey key);
  /// Makes room for `accounts`, at most limit(), and takes the memory for it at once. Many that
  /// come in the order of their keys need it beforehand: they would crowd the beginning of a table
  /// that grows with them.
  void reserve(std::size_t accounts);
  /// Visits accounts in the order of their places: at least `count`, from the place of `from` on,
  /// and all up to the next free place. `from` becomes the key to go on with, also when the table
  /// has grown since; some may be visited again then. False = these were the last.
  template <class Visit>
  bool walk(tally::AccountKey& from, std::size_t count, Visit&& visit);
  /// Takes the account at `slot` out; others move up to fill the hole.
  void erase(std::size_t slot);

  [[nodiscard]] std::size_t size() const { return size_; }
  /// More accounts than this never fit.
  [[nodiscard]] std::size_t limit() const { return limit_of(slots_max_); }
  [[nodiscard]] bool full() const { return size_ >= limit(); }
  /// limit() of a table that is given `slots_max`.
  [[nodiscard]] static std::size_t limit_for(std::size_t slots_max);
  /// What every table takes beyond its `slots_max`.
  [[nodiscard]] static std::size_t spare_bytes();
  [[nodiscard]] std::size_t slots() const { return slots_.size(); }
  [[nodiscard]] HotAccount& slot(std::size_t i) { return slots_[i]; }
  /// 0 = the slot is free.
  [[nodiscard]] tally::AccountKey key(std::size_t slot) const { return keys_[slot]; }
  [[nodiscard]] std::size_t bytes() const { return slots_.size() * kSlotBytes; }

 private:
  static std::size_t limit_of(std::size_t slots) { return slots / 4 * 3; }
  [[nodiscard]] std::size_t home(tally::AccountKey key) const {
    return static_cast<std::size_t>(static_cast<Uint128>(key - first_) * scale_ >> 64);
  }
  // The slot of the key, or the free one that ends its search.
  [[nodiscard]] std::size_t search(tally::AccountKey key) const {
    std::size_t i = home(key);
    while (keys_[i] != key && keys_[i] != 0) ++i;
    return i;
  }
  // The first key whose home is `slot` or lies behind it.
  [[nodiscard]] tally::AccountKey first_key_of(std::size_t slot) const {
    const Uint128 fraction = static_cast<Uint128>(slot) << 64;
    return first_ + static_cast<tally::AccountKey>((fraction + scale_ - 1) / scale_);
  }
  void fetch_slot(std::size_t i) const {
    tally::fetch(&slots_[i]);
    tally::fetch(reinterpret_cast<const char*>(&slots_[i]) + 64);
  }
  void grow(std::size_t homes);
  std::size_t place(tally::AccountKey key);

  tally::AccountKey first_;
  std::uint64_t span_;
  std::size_t slots_max_;
  std::size_t homes_ = 0;    // places that keys are scaled to; the slots behind take what spills
  std::uint64_t scale_ = 0;  // homes / span, as a 64-bit fraction
  std::size_t size_ = 0;
  tally::PageArray<tally::AccountKey> keys_;  // by slot; 0 = free
  tally::PageArray<HotAccount> slots_;
};

// All whose home lies before a free place are before it themselves: there one walk can end and the
// next begin.
template <class Visit>
bool AccountTable::walk(tally::AccountKey& from, std::size_t count, Visit&& visit) {
  std::size_t i = home(from);
  for (; i < homes_ && (count > 0 || keys_[i] != 0); ++i) {
    if (keys_[i] == 0) continue;
    visit(keys_[i], slots_[i]);
    if (count > 0) --count;
  }
  if (i < homes_) {
    from = first_key_of(i);
    return true;
  }
  for (; keys_[i] != 0; ++i) visit(keys_[i], slots_[i]);
  return false;
}

}  // namespace geotally::pipeline
