// What is left of an event once it is routed to the shard of its account:
// fixed size, no views, nothing that a string stands behind.
#pragma once

#include <array>
#include <cstdint>

#include "country/country.h"
#include "country/language_tag.h"
#include "event/event.h"

namespace geotally::tally {

/// The key of an account: a seeded 64-bit hash of its DID. Its first six bits are its partition.
using AccountKey = std::uint64_t;

struct Sample {
  AccountKey account = 0;
  std::int64_t time_us = 0;             ///< event time
  std::uint64_t discriminator = 0;      ///< as in Event
  std::uint64_t revision = 0;           ///< records and kSync: the TID; 0 for the others
  /// Identity and account events: when the account's host says that it happened. Records: the time
  /// that an operator imported for it; 0 = none.
  std::int64_t upstream_time_us = 0;
  /// Addresses: which record, as a hash. Posts: the key as a number; 0 = it is no TID.
  std::uint64_t record_key = 0;
  std::uint32_t upstream_sequence = 0;  ///< low bits: orders events of one time
  EventKind kind{};
  bool created = false;  ///< records: by a create, which may be told and not news
  /// The connection began, live or by time, less than a minute before: it may have missed the
  /// `#sync` before this row.
  bool entered = false;
  bool overlap = false;  ///< from before the last connection's end: it may have come before
  bool told = false;     ///< set by admit(): a post of a repository that is told again
  AccountStatus status{};  ///< kAccount
  Country country;         ///< kAddress: what it declares; ZZ = nothing usable
  std::uint8_t language_count = 0;
  std::array<LanguageTag, Event::kLanguagesMax> languages{};
  std::int32_t utc_offset_s = INT32_MIN;  ///< kPost: the author's zone; INT32_MIN = unknown
  /// Place of this sample's text among the texts that travel with its batch; kNoText = none.
  std::uint16_t text = kNoText;

  static constexpr std::uint16_t kNoText = 0xffff;
};

}  // namespace geotally::tally
