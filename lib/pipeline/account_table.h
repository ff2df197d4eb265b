// The accounts that one shard holds in memory.
//
// Open addressing with linear probing. The place of a key is its hash scaled
// to the table, so neighbours in the table are neighbours in the key order:
// changes that are collected in the order of their keys walk memory forwards,
// and growing is one pass. Bounded: at most `slots_max`.
#pragma once

#include <cstdint>
#include <vector>

#include "geo/resolver.h"
#include "tally/account.h"
#include "tally/sample.h"

namespace geotally::pipeline {

/// ISO C++ has no name for it.
__extension__ typedef unsigned __int128 Uint128;

struct HotAccount {
  tally::AccountKey key = 0;  ///< 0 = the slot is free
  tally::AccountState state;
  geo::EvidenceState evidence;
  std::uint32_t changed = 0;  ///< low bits of the number of the mark that its last change is in
  bool referenced = false;    ///< since the sweep last came by
};

/// Not thread-safe. Pointers hold until the next insert() or erase().
class AccountTable {
 public:
  /// Keys lie in [first, first + span); span 0 = all that follow `first`.
  AccountTable(tally::AccountKey first, std::uint64_t span, std::size_t slots_max);

  [[nodiscard]] HotAccount* find(tally::AccountKey key);
  void prefetch(tally::AccountKey key) const {
    __builtin_prefetch(&slots_[home(key)]);
    __builtin_prefetch(reinterpret_cast<const char*>(&slots_[home(key)]) + 64);
  }
  /// Requires that the key is not there and that the table is not full().
  HotAccount& insert(tally::AccountKey key);
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
  [[nodiscard]] std::size_t bytes() const { return slots_.capacity() * sizeof(HotAccount); }

 private:
  static std::size_t limit_of(std::size_t slots) { return slots / 4 * 3; }
  [[nodiscard]] std::size_t home(tally::AccountKey key) const {
    return static_cast<std::size_t>(static_cast<Uint128>(key - first_) * scale_ >> 64);
  }
  void resize(std::size_t slots);
  HotAccount& place(tally::AccountKey key);

  tally::AccountKey first_;
  std::uint64_t span_;
  std::size_t slots_max_;
  std::size_t homes_ = 0;    // places that keys are scaled to; the slots behind take what spills
  std::uint64_t scale_ = 0;  // homes / span, as a 64-bit fraction
  std::size_t size_ = 0;
  std::vector<HotAccount> slots_;
};

}  // namespace geotally::pipeline
