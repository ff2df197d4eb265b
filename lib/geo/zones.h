// What the name of a time zone says: some are chosen by those who live there, some are what a form
// suggested.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "country/country.h"
#include "geo/table.h"

namespace geotally::geo {

enum class ZoneClass : std::uint8_t {
  kOwn,        ///< chosen by name: Minsk, Bogota, Tokyo
  kSuggested,  ///< the first name of its offset in a form: Quito, Amsterdam, Athens
  kAmerican,   ///< of the United States: a form's default for everybody, wherever he lives
};
inline constexpr std::size_t kZoneClasses = 3;

/// Immutable after construction.
class Zones {
 public:
  explicit Zones(const Table& table);
  /// The class of a zone by what is stored of it: the country that it is named after, and its
  /// packed offset in January.
  [[nodiscard]] ZoneClass of(Country country, std::uint8_t offset) const {
    for (const Known& known : known_) {
      if (known.country == country && known.offset == offset) return known.zone_class;
    }
    return ZoneClass::kOwn;
  }

 private:
  struct Known {
    Country country;
    std::uint8_t offset;
    ZoneClass zone_class;
  };
  std::vector<Known> known_;
};

}  // namespace geotally::geo
