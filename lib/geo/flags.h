// Flags in a text: pairs of regional indicators (🇫🇷) and the tagged flags of
// England, Scotland and Wales. Source: Unicode Technical Standard 51, annex B.
#pragma once

#include <array>
#include <cstddef>
#include <string_view>

#include "country/country.h"

namespace geotally::geo {

/// Distinct countries in order of appearance. More than kMax: only counted.
struct Flags {
  static constexpr std::size_t kMax = 8;
  std::array<Country, kMax> countries;
  std::size_t count = 0;  ///< of distinct countries, at most kMax + 1
  /// Adds a country that is not there yet.
  void add(Country country);
  /// Whether it is one of the first kMax.
  [[nodiscard]] bool holds(Country country) const;
};

/// Adds the flags of `text`; any bytes.
void find_flags(std::string_view text, Flags& flags);

}  // namespace geotally::geo
