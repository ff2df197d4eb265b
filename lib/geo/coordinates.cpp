#include "geo/coordinates.h"

#include <charconv>

namespace geotally::geo {

std::optional<std::pair<double, double>> find_coordinates(std::string_view text) {
  constexpr std::size_t kLengthMax = 100;
  if (text.size() > kLengthMax) return std::nullopt;
  const auto number = [](std::string_view from, std::size_t& length) -> std::optional<double> {
    double value = 0;
    const auto [end, error] =
        std::from_chars(from.data(), from.data() + from.size(), value, std::chars_format::fixed);
    if (error != std::errc{}) return std::nullopt;
    length = static_cast<std::size_t>(end - from.data());
    const std::size_t dot = from.substr(0, length).find('.');
    if (dot == std::string_view::npos || length - dot < 3) return std::nullopt;
    return value;
  };
  // "48.8566° N": a sign of degrees, and a letter of either sign.
  const auto hemisphere = [&](std::size_t& at, char plus, char minus, double& value) {
    std::size_t next = at;
    if (text.substr(next).starts_with("\xc2\xb0")) next += 2;
    while (next < text.size() && text[next] == ' ') ++next;
    if (next == text.size()) return;
    const char letter = static_cast<char>(text[next] & ~0x20);
    const bool ends =
        next + 1 == text.size() || (text[next + 1] | 0x20) < 'a' || (text[next + 1] | 0x20) > 'z';
    if ((letter != plus && letter != minus) || !ends) return;
    if (letter == minus) value = -value;
    at = next + 1;
  };
  for (std::size_t at = 0; at < text.size(); ++at) {
    const bool start = (text[at] >= '0' && text[at] <= '9') || text[at] == '-';
    if (!start || (at > 0 && ((text[at - 1] >= '0' && text[at - 1] <= '9') || text[at - 1] == '.')))
      continue;
    std::size_t length = 0;
    auto latitude = number(text.substr(at), length);
    if (!latitude) continue;
    std::size_t next = at + length;
    hemisphere(next, 'N', 'S', *latitude);
    std::size_t separators = 0;
    while (next < text.size() && (text[next] == ',' || text[next] == ' ' || text[next] == ';')) {
      ++next;
      ++separators;
    }
    if (separators == 0 || next >= text.size()) continue;
    auto longitude = number(text.substr(next), length);
    if (!longitude) continue;
    next += length;
    hemisphere(next, 'E', 'W', *longitude);
    return std::pair(*latitude, *longitude);
  }
  return std::nullopt;
}

}  // namespace geotally::geo
