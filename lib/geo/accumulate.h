// How an account's memory grows: candidates of a profile, votes, counts. Each saturates, so that a
// state has a bound and the order of arrival matters little.
#pragma once

#include <cstdint>

#include "country/country.h"
#include "country/language_tag.h"
#include "event/evidence_kind.h"
#include "geo/memory.h"

namespace geotally::geo {

/// An offset from UTC as it is stored; 0 = none, or out of range.
[[nodiscard]] std::uint8_t pack_offset(std::int32_t seconds);

/// Adds `log_odds` (nats) for a country that a profile speaks for.
void add_candidate(Memory& memory, Country country, float log_odds, EvidenceKind kind);

/// A majority vote: one region subtag.
void vote_region(Memory& memory, Country country);

/// One post in a language, or one hint (see hint_of()).
void count_language(Memory& memory, std::uint16_t id);

/// One vote for the hour in which a post was seen, 0 to 23.
void count_hour(Hours& hours, std::uint8_t hour);

/// The id under which languages are counted: both written forms of Norwegian are one.
[[nodiscard]] std::uint16_t macro_language(std::uint16_t id);
[[nodiscard]] std::uint16_t english();

/// What posts hint of a country, by its words or by places that confirm each other, is counted
/// among the languages, under numbers that no language has: the first letter would be the 27th.
inline constexpr std::uint16_t kHint = 27 << 10;
[[nodiscard]] std::uint16_t hint_of(Country country);
[[nodiscard]] inline bool is_hint(std::uint16_t id) { return id >= kHint; }
[[nodiscard]] Country country_of_hint(std::uint16_t id);

/// The order of magnitude of a count: 0, 1, 4, 16, the largest that is not above it.
[[nodiscard]] std::uint8_t fourfold(std::uint8_t count);

/// 0, 8 or 16, the largest that is not above the count: hours say nothing before there are several.
[[nodiscard]] std::uint8_t several_hours(std::uint8_t count);

/// Whether two memories are so alike that what Resolver::resolve() says of them is the same, or
/// hardly differs: see Resolver::weigh().
[[nodiscard]] bool same_magnitude(const Memory& a, const Memory& b);

}  // namespace geotally::geo
