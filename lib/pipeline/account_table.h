// The accounts that one shard holds in memory.
//
// Open addressing with linear probing. The place of a key is its hash scaled
// to the table, so neighbours in the table are neighbours in the key order:
// changes that are collected in the order of their keys walk memory forwards,
// and growing keeps their order, in place. Bounded: at most `slots_max`.
//
// Keys lie in an array of their own, eight to a cache line, so that a search
// does not touch the accounts that it passes. Which accounts have changed is a
// bit a slot: they come out in the order of their places, without being sorted
// or looked up.
#pragma once

#include <array>
#include <bit>
#include <cstdint>
#include <span>

#include "geo/resolver.h"
#include "tally/account.h"
#include "tally/page_array.h"
#include "tally/sample.h"

namespace geotally::pipeline {

/// ISO C++ has no name for it.
__extension__ typedef unsigned __int128 Uint128;  // NOLINT(modernize-use-using)

/// Whole cache lines, so that none of them is shared with a neighbour.
struct alignas(64) HotAccount {
  tally::AccountState state;
  geo::EvidenceState evidence;
  std::uint32_t changed : 31 = 0;    ///< short_mark() of its last change; 0 = not known
  std::uint32_t referenced : 1 = 0;  ///< since the sweep last came by

  /// Marks are numbered in order, in a circle of so many.
  static constexpr std::uint32_t kMarks = 0x7fffffff;
  [[nodiscard]] static std::uint32_t short_mark(std::uint64_t mark) {
    return static_cast<std::uint32_t>(mark % kMarks) + 1;
  }
  /// Whether its last change belongs to a later mark, of two that are less than half the circle
  /// apart.
  [[nodiscard]] bool changed_after(std::uint64_t mark) const {
    const std::uint32_t ahead = (changed + kMarks - short_mark(mark)) % kMarks;
    return changed != 0 && ahead != 0 && ahead <= kMarks / 2;
  }
  /// A change that is a quarter of the circle back is not known any more, before it looks later.
  void forget_old_change(std::uint64_t mark) {
    if (changed != 0 && (short_mark(mark) + kMarks - changed) % kMarks > kMarks / 4) changed = 0;
  }
};
static_assert(sizeof(HotAccount) == 128, "two cache lines; proto/store.md names the size");

/// Not thread-safe. Pointers hold until the next insert() or erase().
class AccountTable {
 public:
  /// What a slot takes in memory.
  static constexpr std::size_t kSlotBytes = sizeof(HotAccount) + sizeof(tally::AccountKey);
  /// Slots that take_changed() gives at once.
  static constexpr std::size_t kTogether = 16;

  /// Keys lie in [first, first + span); span 0 = all that follow `first`.
  AccountTable(tally::AccountKey first, std::uint64_t span, std::size_t slots_max);

  [[nodiscard]] HotAccount* find(tally::AccountKey key);
  /// Brings the key's place near, for fetch().
  void fetch_key(tally::AccountKey key) const { tally::fetch(&keys_[home(key)]); }
  /// Brings the account near, for find() and set_changed().
  void fetch(tally::AccountKey key) const {
    const std::size_t slot = search(key);
    fetch_slot(slot);
    tally::fetch(&changed_[slot / kWordBits]);
  }
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

  /// Marks an account of this table as changed.
  void set_changed(const HotAccount& account) {
    set_bit(static_cast<std::size_t>(&account - &slots_[0]));
  }
  /// Gives the slots of the accounts that are marked, up to kTogether at once, and takes the marks
  /// away. Slots ascend; so do keys, but for neighbours in a run of occupied slots.
  /// `visit(std::span<const std::size_t>)` must not insert or erase.
  template <class Visit>
  void take_changed(Visit&& visit);
  /// Brings the account at `slot` near.
  void fetch_slot(std::size_t slot) const {
    tally::fetch(&slots_[slot]);
    tally::fetch(reinterpret_cast<const char*>(&slots_[slot]) + 64);
  }

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
  static constexpr std::size_t kWordBits = 64;
  void set_bit(std::size_t slot) {
    changed_[slot / kWordBits] |= std::uint64_t{1} << slot % kWordBits;
  }
  bool take_bit(std::size_t slot) {
    const std::uint64_t bit = std::uint64_t{1} << slot % kWordBits;
    const bool set = (changed_[slot / kWordBits] & bit) != 0;
    changed_[slot / kWordBits] &= ~bit;
    return set;
  }
  void move(std::size_t from, std::size_t to);
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
  tally::PageArray<std::uint64_t> changed_;  // a bit a slot
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

template <class Visit>
void AccountTable::take_changed(Visit&& visit) {
  std::array<std::size_t, kTogether> slots{};
  std::size_t found = 0;
  for (std::size_t word = 0; word < changed_.size(); ++word) {
    for (std::uint64_t bits = changed_[word]; bits != 0; bits &= bits - 1) {
      slots[found++] = word * kWordBits + static_cast<std::size_t>(std::countr_zero(bits));
      if (found == slots.size()) {
        visit(std::span<const std::size_t>(slots));
        found = 0;
      }
    }
    changed_[word] = 0;
  }
  if (found > 0) visit(std::span<const std::size_t>(slots).first(found));
}

}  // namespace geotally::pipeline
