#include "geo/zones.h"

#include <string_view>

#include "geo/memory.h"

namespace geotally::geo {
namespace {

struct Row {
  std::string_view name;
  ZoneClass zone_class;
};
// By Rails name. Twitter's form suggested a name for the offset of the visitor's browser; whoever
// did not choose another kept it.
constexpr Row kRows[] = {
    {"Eastern Time (US & Canada)", ZoneClass::kAmerican},
    {"Central Time (US & Canada)", ZoneClass::kAmerican},
    {"Mountain Time (US & Canada)", ZoneClass::kAmerican},
    {"Pacific Time (US & Canada)", ZoneClass::kAmerican},
    {"Arizona", ZoneClass::kAmerican},
    {"Alaska", ZoneClass::kAmerican},
    {"Hawaii", ZoneClass::kAmerican},
    {"Midway Island", ZoneClass::kSuggested},
    {"Atlantic Time (Canada)", ZoneClass::kSuggested},
    {"Quito", ZoneClass::kSuggested},
    {"Central America", ZoneClass::kSuggested},
    {"Tijuana", ZoneClass::kSuggested},
    {"Santiago", ZoneClass::kSuggested},
    {"Greenland", ZoneClass::kSuggested},
    {"Mid-Atlantic", ZoneClass::kSuggested},
    {"Azores", ZoneClass::kSuggested},
    {"Casablanca", ZoneClass::kSuggested},
    {"Amsterdam", ZoneClass::kSuggested},
    {"West Central Africa", ZoneClass::kSuggested},
    {"Athens", ZoneClass::kSuggested},
    {"Baghdad", ZoneClass::kSuggested},
    {"Abu Dhabi", ZoneClass::kSuggested},
    {"Bangkok", ZoneClass::kSuggested},
    {"Beijing", ZoneClass::kSuggested},
    {"Irkutsk", ZoneClass::kSuggested},
    {"New Caledonia", ZoneClass::kSuggested},
    {"Brisbane", ZoneClass::kSuggested},
};

}  // namespace

Zones::Zones(const Table& table) {
  for (const Row& row : kRows) {
    const Zone* zone = table.find_zone(row.name);
    if (zone == nullptr) continue;
    known_.push_back({table.country(zone->country),
                      static_cast<std::uint8_t>(zone->winter + Memory::kOffsetBias),
                      row.zone_class});
  }
}

}  // namespace geotally::geo
