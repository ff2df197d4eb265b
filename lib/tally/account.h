// What is remembered of one account to count it, and what it adds to the figures.
#pragma once

#include <cstdint>
#include <type_traits>

#include "country/country.h"
#include "event/evidence_kind.h"
#include "tally/details.h"
#include "tally/fence.h"
#include "tally/snapshot.h"
#include "tally/windows.h"

namespace geotally::tally {

/// Plain value; all zero = an account of which nothing was ever counted.
struct AccountState {
  FenceState fence;  ///< of its records

  /// N: the largest TID key of an accepted post, however far ahead; 0 = none. Never a revision.
  std::uint64_t newest_key = 0;
  std::uint64_t profile_revision = 0;  ///< the largest of an accepted profile record

  std::uint32_t last_post_s = 0;  ///< largest event time of its posts; 0 = never posted
  std::uint32_t posts = 0;        ///< saturating
  std::uint32_t city = 0;         ///< GeoNames id of a city of `country`; 0 = none known
  std::uint32_t days = 0;         ///< bit i: posted i UTC days before the day of last_post
  std::uint32_t details = 0;      ///< its place in the shard's DetailPool; 0 = it has none
  std::uint16_t first_day = 0;    ///< UTC day on which it became known; 0 = not known

  std::uint16_t address_key = 0;  ///< which address record declares `declared`
  Country declared;               ///< explicit evidence: decides while it is not ZZ
  Country country;                ///< where it counts
  EvidenceKind evidence = EvidenceKind::kNone;
  std::uint8_t confidence = 0;  ///< calibrated probability × 255
  std::uint8_t language = 0;    ///< its language, as proto/store.md numbers them; 0 = none
  std::uint8_t signature = 0;   ///< of an undecided account: its class beside the language

  // Flags. Numbers are stored, but for kTelling.
  static constexpr std::uint8_t kKnown = 1;       ///< has done what makes an account
  static constexpr std::uint8_t kGone = 2;        ///< left the network
  static constexpr std::uint8_t kDeleted = 4;     ///< gone for good: erased after the retention
  static constexpr std::uint8_t kSecondDay = 8;   ///< has posted on two UTC days
  static constexpr std::uint8_t kTold = 16;       ///< a telling of its repository has ended
  static constexpr std::uint8_t kAutomated = 32;  ///< says of itself that it is a bot
  static constexpr std::uint8_t kBridged = 64;    ///< comes from another network, by a bridge
  static constexpr std::uint8_t kTelling = 128;   ///< details().telling is open
  std::uint8_t flags = 0;

  [[nodiscard]] bool has(std::uint8_t flag) const { return (flags & flag) != 0; }
  void set(std::uint8_t flag, bool on) {
    flags = static_cast<std::uint8_t>(on ? flags | flag : flags & ~flag);
  }
  /// Everything but its fence was erased. An account that is deleted and not yet erased is gone.
  [[nodiscard]] bool erased() const { return has(kDeleted) && !has(kGone); }
};
static_assert(std::is_trivially_copyable_v<AccountState>);

/// An account of which a store knows nothing but that records up to `floor` may have been counted
/// before (0 = none were): where accounts were lost, neither what is replayed of them nor what is
/// told again must count twice.
[[nodiscard]] AccountState unknown_account(std::uint64_t floor);

/// What an account adds to the figures of its country at one moment. Everything
/// in the cells but posts and deletions is the sum of these over all accounts,
/// which is how `verify` recomputes them.
struct Standing {
  bool counted = false;  ///< known and not gone; when false nothing below is added
  Country country;
  EvidenceKind evidence = EvidenceKind::kNone;
  std::uint8_t confidence = 0;
  std::uint32_t city = 0;         ///< 0 = none known
  std::uint32_t last_post_s = 0;  ///< active in the windows that hold it; 0 = never
  bool never = false;             ///< has never posted
  bool once = false;              ///< all its posts on one UTC day
  std::uint32_t lapse_day = 0;    ///< engaged before this UTC day; 0 = not engaged
  bool automated = false;         ///< a program posts, not a person
  bool bridged = false;           ///< another network's account, told on this one
};
[[nodiscard]] Standing standing_of(const AccountState& state);

/// Folds a post at `time_s` into last_post, the count and the days.
void record_post(AccountState& state, std::uint32_t time_s);

}  // namespace geotally::tally
