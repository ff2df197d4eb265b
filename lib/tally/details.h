// What only some accounts have, beside their state: in a pool that one shard's accounts share.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "tally/page_array.h"

namespace geotally::tally {

struct AccountState;

/// A repository that is being told again (DEFINITIONS: Told rows). All zero = none is.
struct Telling {
  std::uint64_t revision = 0;     ///< R: creates of this revision are told, not news
  std::uint64_t newest_key = 0;   ///< N₀: the account's newest key when it began
  std::uint64_t last_key = 0;     ///< T: the key of the last post that was told and accepted
  std::int64_t witnessed_us = 0;  ///< of its last row, or of the `#sync`
  /// The first create that was witnessed together with the `#sync` has not come yet: its revision
  /// may be larger, because the server fetches the repository after that frame.
  bool awaits_first = false;

  [[nodiscard]] bool open() const { return revision != 0; }
  friend bool operator==(const Telling&, const Telling&) = default;
};

/// All zero = nothing of this is known.
struct AccountDetails {
  // Fences of identity and account events: last writer wins by (time, sequence).
  std::int64_t identity_time_us = 0;
  std::int64_t status_time_us = 0;
  std::uint32_t identity_sequence = 0;
  std::uint32_t status_sequence = 0;

  std::uint64_t address_revision = 0;  ///< the largest of an accepted address record
  /// S: the smallest key of a post that was accepted before the first telling; 0 = not kept.
  std::uint64_t oldest_key = 0;
  Telling telling;
  /// UTC day of the oldest key of any record, while the account is not known; 0 = none.
  std::uint16_t provisional_first_day = 0;

  friend bool operator==(const AccountDetails&, const AccountDetails&) = default;
};

/// Not thread-safe: one pool a shard. References hold until the next edit().
class DetailPool {
 public:
  DetailPool();

  /// The account's details; all zero when it has none.
  [[nodiscard]] const AccountDetails& of(const AccountState& state) const;
  /// The account's details, to be changed; made when it has none. Call tidy() after taking from
  /// them.
  [[nodiscard]] AccountDetails& edit(AccountState& state);
  /// Gives an account that has none what was read of it.
  void put(AccountState& state, const AccountDetails& details);
  /// Gives back what says nothing any more.
  void tidy(AccountState& state);
  /// Gives all back: the account leaves memory.
  void release(AccountState& state);

  [[nodiscard]] std::size_t used() const { return used_; }
  /// How many edit() has made, ever.
  [[nodiscard]] std::uint64_t made() const { return edited_; }
  /// What the details of one account take.
  static constexpr std::size_t kBytes = sizeof(AccountDetails);

 private:
  AccountDetails& take(AccountState& state);

  PageArray<AccountDetails> details_;  // 0 is never used: it means "none", and stays all zero
  std::vector<std::uint32_t> free_;
  std::uint32_t made_ = 1;
  std::size_t used_ = 0;
  std::uint64_t edited_ = 0;
};

}  // namespace geotally::tally
