// Coordinates that a text holds.
#pragma once

#include <optional>
#include <string_view>
#include <utility>

namespace geotally::geo {

/// Latitude and longitude in degrees, whatever their range: "ÜT: -6.269,107.121", "35.05, -78.98"
/// (a fraction of two digits at least), "59.33° N, 18.06° E", "48°51′24″N 2°21′E", "N 48° 51.4' E
/// 2° 21.1'", "Lat 19.4 Lon -99.1". Any bytes; nothing for long texts.
[[nodiscard]] std::optional<std::pair<double, double>> find_coordinates(std::string_view text);

}  // namespace geotally::geo
