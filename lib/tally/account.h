// What is remembered of one account to count it, and what it adds to the figures.
#pragma once

#include <cstdint>
#include <type_traits>

#include "country/country.h"
#include "event/evidence_kind.h"
#include "tally/fence.h"
#include "tally/snapshot.h"
#include "tally/windows.h"

namespace geotally::tally {

/// Plain value; all zero = an account of which nothing was ever counted.
struct AccountState {
  FenceState fence;  ///< of its records

  // Fences of identity and account events: last writer wins by (time, sequence).
  std::int64_t identity_time_us = 0;
  std::int64_t status_time_us = 0;
  std::uint32_t identity_sequence = 0;
  std::uint32_t status_sequence = 0;

  std::uint32_t last_post_s = 0;  ///< largest event time of its posts; 0 = never posted
  std::uint32_t posts = 0;        ///< saturating
  std::uint32_t city = 0;         ///< GeoNames id of a city of `country`; 0 = none known
  std::uint32_t days = 0;         ///< bit i: posted i UTC days before the day of last_post
  std::uint16_t first_day = 0;    ///< UTC day on which it became known; 0 = not known

  std::uint16_t address_key = 0;  ///< which address record declares `declared`
  Country declared;               ///< explicit evidence: decides while it is not ZZ
  Country country;                ///< where it counts
  EvidenceKind evidence = EvidenceKind::kNone;
  std::uint8_t confidence = 0;  ///< calibrated probability × 255

  // Flags. Numbers are stored.
  static constexpr std::uint8_t kKnown = 1;      ///< has done what makes an account
  static constexpr std::uint8_t kGone = 2;       ///< left the network
  static constexpr std::uint8_t kDeleted = 4;    ///< gone for good: erased after the retention
  static constexpr std::uint8_t kSecondDay = 8;  ///< has posted on two UTC days
  std::uint8_t flags = 0;

  [[nodiscard]] bool has(std::uint8_t flag) const { return (flags & flag) != 0; }
  void set(std::uint8_t flag, bool on) {
    flags = static_cast<std::uint8_t>(on ? flags | flag : flags & ~flag);
  }
};
static_assert(std::is_trivially_copyable_v<AccountState>);

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
