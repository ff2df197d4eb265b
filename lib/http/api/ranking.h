// Ranks (DEFINITIONS: ZZ). Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "country/country.h"
#include "http/api/regions.h"

namespace geotally::http {

/// One value a country, by Country::index(); none = takes no part. ZZ never does.
using Column = std::vector<std::optional<double>>;

/// By Country::index(): 1 + how many countries of `region` have a larger value; 0 = no rank there.
[[nodiscard]] std::vector<std::uint32_t> ranks(const Column& column, const Region& region);

/// The countries that have a rank, best first; equal ones in the order of their codes.
[[nodiscard]] std::vector<Country> ranked(const Column& column, const Region& region);

}  // namespace geotally::http
