#include "http/api/regions.h"

#include <algorithm>
#include <charconv>

#include <fmt/format.h>

namespace geotally::http {

bool Region::holds(Country country) const {
  if (!country.known()) return false;
  if (code == 1 || country.region() == code || country.subregion() == code) return true;
  return std::ranges::find(members, country.subregion()) != members.end();
}

std::span<const Region> regions() {
  static const std::vector<Region> table = {
      {1, "World", "Monde"},
      {2, "Africa", "Afrique"},
      {3, "North America", "Amérique du Nord", {13, 21, 29}},
      {5, "South America", "Amérique du Sud"},
      {9, "Oceania", "Océanie"},
      {11, "Western Africa", "Afrique occidentale"},
      {13, "Central America", "Amérique centrale"},
      {14, "Eastern Africa", "Afrique orientale"},
      {15, "Northern Africa", "Afrique septentrionale"},
      {17, "Middle Africa", "Afrique centrale"},
      {18, "Southern Africa", "Afrique australe"},
      {19, "Americas", "Amériques"},
      {21, "Northern America", "Amérique septentrionale"},
      {29, "Caribbean", "Caraïbes"},
      {30, "Eastern Asia", "Asie orientale"},
      {34, "Southern Asia", "Asie méridionale"},
      {35, "South-eastern Asia", "Asie du Sud-Est"},
      {39, "Southern Europe", "Europe méridionale"},
      {53, "Australia and New Zealand", "Australie et Nouvelle-Zélande"},
      {54, "Melanesia", "Mélanésie"},
      {57, "Micronesia", "Micronésie"},
      {61, "Polynesia", "Polynésie"},
      {142, "Asia", "Asie"},
      {143, "Central Asia", "Asie centrale"},
      {145, "Western Asia", "Asie occidentale"},
      {150, "Europe", "Europe"},
      {151, "Eastern Europe", "Europe orientale"},
      {154, "Northern Europe", "Europe septentrionale"},
      {155, "Western Europe", "Europe occidentale"},
      {202, "Sub-Saharan Africa", "Afrique subsaharienne", {11, 14, 17, 18}},
      {419, "Latin America and the Caribbean", "Amérique latine et Caraïbes", {5, 13, 29}},
  };
  return table;
}

const Region* find_region(std::uint16_t code) {
  const auto table = regions();
  const auto found = std::ranges::find(table, code, &Region::code);
  return found == table.end() ? nullptr : &*found;
}

const Region* parse_region(std::string_view text) {
  std::uint16_t code = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), code);
  if (error != std::errc{} || end != text.data() + text.size() || text.size() > 3) return nullptr;
  return find_region(code);
}

std::string code_text(std::uint16_t code) { return fmt::format("{:03}", code); }

}  // namespace geotally::http
