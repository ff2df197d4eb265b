// Arithmetic over all countries at once: most of what it takes to judge an account.
#pragma once

#include <array>
#include <cstddef>

#include "country/country.h"

namespace geotally::geo {

/// By Country::index().
using PerCountry = std::array<float, Country::kLimit>;

void add(const PerCountry& what, PerCountry& to);

/// The largest of some log-odds.
struct Peak {
  std::size_t place = 0;  ///< the first that holds it
  float probability = 0;  ///< its share, when all of them share out a whole
};
/// The same to the last bit on every x86-64 processor.
[[nodiscard]] Peak peak_of(const PerCountry& log_odds);

}  // namespace geotally::geo
