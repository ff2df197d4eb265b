// The 28 bytes of an EvidenceState, spelled out. The layout is written down in
// proto/store.md ("Evidence state"); a change of it is a change of the store's format.
#pragma once

#include <array>
#include <cstdint>

#include "country/country.h"
#include "event/evidence_kind.h"
#include "geo/resolver.h"

namespace geotally::geo {

/// Hours of activity: the sum of unit vectors on the clock of 24 hours, one for every hour in which
/// a post was seen.
struct Hours {
  static constexpr std::uint8_t kCountMax = 31;

  std::int8_t x = 0;  ///< × 2, −63 to 63
  std::int8_t y = 0;
  std::uint8_t count = 0;
  std::uint8_t last = 0;  ///< hour of the latest post, plus 1; 0 = none
  friend bool operator==(const Hours&, const Hours&) = default;
};

struct Memory {
  /// What the latest profile says, strongest first; ZZ ends the list.
  struct Candidate {
    Country country;
    std::uint8_t strength = 0;  ///< log-odds in half nats, 0 to 31
    EvidenceKind kind = EvidenceKind::kNone;
    friend bool operator==(const Candidate&, const Candidate&) = default;
  };
  /// The kind of a candidate that is a place in the name or the description. It was free, since a
  /// zone is no candidate; states of earlier versions hold such places as kPlace.
  static constexpr EvidenceKind kMention = EvidenceKind::kZone;
  /// Posts by language, saturating; an empty slot has count 0.
  struct Language {
    std::uint16_t id = 0;    ///< LanguageTag::language_id()
    std::uint8_t count = 0;  ///< 0 to kCountMax
    friend bool operator==(const Language&, const Language&) = default;
  };
  static constexpr std::size_t kCandidates = 3;
  static constexpr std::size_t kLanguages = 3;
  static constexpr std::uint8_t kStrengthMax = 31;
  static constexpr std::uint8_t kCountMax = 31;
  static constexpr std::uint8_t kRegionCountMax = 7;
  static constexpr int kOffsetBias = 64;  ///< an offset of 0 is stored as this
  static constexpr std::uint32_t kCityMax = (1U << 24) - 1;

  // From posts.
  std::array<Language, kLanguages> languages;  ///< most frequent first
  Country region;                              ///< the region subtag that leads, by majority vote
  std::uint8_t region_count = 0;               ///< its lead
  std::uint8_t offset = 0;  ///< of createdAt, in quarter hours from −16 h; 0 = none
  Hours hours;
  // From the identity.
  Country domain;  ///< of the handle
  // From the profile.
  std::array<Candidate, kCandidates> profile;
  std::uint16_t profile_language = 0;  ///< LanguageTag::language_id()
  Country zone;                        ///< of the time zone's name
  std::uint8_t zone_offset = 0;        ///< as `offset`, in winter
  std::uint32_t city = 0;              ///< GeoNames id of the declared city, 0 = none

  friend bool operator==(const Memory&, const Memory&) = default;
};

[[nodiscard]] Memory unpack(const EvidenceState& state);
/// Requires every member to be within the range that is written beside it.
[[nodiscard]] EvidenceState pack(const Memory& memory);

/// Memory::city, without the rest.
[[nodiscard]] std::uint32_t city_of(const EvidenceState& state);

/// A country as it is stored, by its letters: 0 = ZZ, else 1 + 26 × first + second.
[[nodiscard]] unsigned letters_of(Country country);
/// A coordinate of Hours from its seven bits: all zero must mean nothing known, so that it is
/// stored in two's complement.
[[nodiscard]] inline std::int8_t stored_hours(unsigned bits) {
  constexpr int kHalf = 64;
  const int value = static_cast<int>(bits);
  return static_cast<std::int8_t>(value < kHalf ? value : value - 2 * kHalf);
}

}  // namespace geotally::geo
