// The usual post, counted where the evidence is packed: unpacking 28 bytes takes five times as long
// as everything else that such a post needs.
#pragma once

#include <cstdint>

#include "country/country.h"
#include "country/language_tag.h"
#include "geo/resolver.h"

namespace geotally::geo {

enum class UsualPost : std::uint8_t {
  kUnusual,    ///< nothing was done: more than counts has to change
  kCounted,    ///< the answer stays what it is
  kMagnitude,  ///< a count came into another magnitude: see same_magnitude()
};

/// A post in one language (empty = it names none), seen in an hour (0 to 23, or Evidence::kNoHour),
/// of whose account this language and its region lead already. Then what count_language(),
/// vote_region() and count_hour() do is done to the packed state.
[[nodiscard]] UsualPost count_usual_post(EvidenceState& state, LanguageTag language,
                                         std::uint8_t hour);

}  // namespace geotally::geo
