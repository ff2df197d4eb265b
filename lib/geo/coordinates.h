// Coordinates that a text holds.
#pragma once

#include <optional>
#include <string_view>
#include <utility>

namespace geotally::geo {

/// "ÜT: -6.269,107.121", "35.05, -78.98", "59.33° N, 18.06° E": two numbers with a fraction of two
/// digits at least, as latitude and longitude in degrees, whatever their range. Any bytes; nothing
/// for long texts.
[[nodiscard]] std::optional<std::pair<double, double>> find_coordinates(std::string_view text);

}  // namespace geotally::geo
