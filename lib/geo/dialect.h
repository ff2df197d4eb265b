// Words of one country's way to write a language that it shares with others.
#pragma once

#include <cstdint>
#include <string_view>

#include "country/country.h"
#include "geo/table.h"

namespace geotally::geo {

/// Words by which people of one country give themselves away among all who share a language.
struct Dialect {
  Country country;         ///< ZZ where no country leads
  std::uint8_t words = 0;  ///< by how many it leads
};
[[nodiscard]] Dialect read_dialect(const Table& table, std::string_view text);

}  // namespace geotally::geo
