#include "feed/tid.h"

#include <array>

namespace geotally::feed {
namespace {

constexpr std::string_view kAlphabet = "234567abcdefghijklmnopqrstuvwxyz";
constexpr std::uint8_t kNone = 0xFF;

constexpr std::array<std::uint8_t, 256> make_values() {
  std::array<std::uint8_t, 256> values{};
  for (auto& value : values) value = kNone;
  for (std::size_t i = 0; i < kAlphabet.size(); ++i) {
    values[static_cast<unsigned char>(kAlphabet[i])] = static_cast<std::uint8_t>(i);
  }
  return values;
}
constexpr auto kValues = make_values();

}  // namespace

std::uint64_t parse_tid(std::string_view text) {
  if (text.size() != 13) return 0;
  std::uint64_t number = 0;
  unsigned bad = 0;
  for (const char c : text) {
    const std::uint8_t value = kValues[static_cast<unsigned char>(c)];
    bad |= value;
    number = number << 5 | (value & 0x1FU);
  }
  // 13 characters are 65 bits: the first must not carry the highest.
  const bool fits = kValues[static_cast<unsigned char>(text[0])] < 16;
  return (bad & 0xE0U) == 0 && fits ? number : 0;
}

}  // namespace geotally::feed
