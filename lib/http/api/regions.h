// Regions of the world by UN M49. Source: United Nations Statistics Division, "Standard country
// or area codes for statistical use (M49)", geographic regions.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "country/country.h"

namespace geotally::http {

struct Region {
  std::uint16_t code = 0;  ///< 1 = the world
  std::string_view name_en;
  std::string_view name_fr;
  /// Sub-regions that it is made of, where it is neither a macro region nor one itself.
  std::vector<std::uint16_t> members = {};

  [[nodiscard]] bool holds(Country country) const;
};

/// In the order of their codes.
[[nodiscard]] std::span<const Region> regions();
/// nullptr = no such region.
[[nodiscard]] const Region* find_region(std::uint16_t code);
/// "150", "1" and "001" alike; nullptr = no such region.
[[nodiscard]] const Region* parse_region(std::string_view text);
/// "150".
[[nodiscard]] std::string code_text(std::uint16_t code);

}  // namespace geotally::http
