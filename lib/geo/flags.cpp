#include "geo/flags.h"

#include <algorithm>
#include <cstring>

namespace geotally::geo {
namespace {

// U+1F1E6 to U+1F1FF are F0 9F 87 A6 to F0 9F 87 BF.
constexpr std::size_t kSymbol = 4;

// 'A' to 'Z', or 0.
char indicator(std::string_view text, std::size_t at) {
  if (text.size() - at < kSymbol) return 0;
  if (std::memcmp(text.data() + at, "\xf0\x9f\x87", 3) != 0) return 0;
  const auto last = static_cast<unsigned char>(text[at + 3]);
  return last >= 0xa6 && last <= 0xbf ? static_cast<char>('A' + (last - 0xa6)) : '\0';
}

// U+1F3F4 followed by the tag letters "gb": England, Scotland, Wales.
constexpr std::string_view kTaggedBritain = "\xf0\x9f\x8f\xb4\xf3\xa0\x81\xa7\xf3\xa0\x81\xa2";

}  // namespace

bool Flags::holds(Country country) const {
  const auto* const end = countries.begin() + std::min(count, kMax);
  return std::find(countries.begin(), end, country) != end;
}

void Flags::add(Country country) {
  if (holds(country)) return;
  if (count < kMax) countries[count] = country;
  count = std::min(count + 1, kMax + 1);
}

void find_flags(std::string_view text, Flags& flags) {
  std::size_t at = 0;
  while (at < text.size()) {
    const void* found = std::memchr(text.data() + at, 0xf0, text.size() - at);
    if (found == nullptr) return;
    at = static_cast<std::size_t>(static_cast<const char*>(found) - text.data());
    if (text.substr(at).starts_with(kTaggedBritain)) {
      flags.add(*Country::parse("GB"));
      at += kTaggedBritain.size();
      continue;
    }
    const char first = indicator(text, at);
    if (first == 0) {
      ++at;
      continue;
    }
    const char second = at + kSymbol < text.size() ? indicator(text, at + kSymbol) : '\0';
    if (second == 0) {
      at += kSymbol;
      continue;
    }
    const char code[] = {first, second};
    const auto country = Country::parse({code, 2});
    if (country && country->known()) flags.add(*country);
    at += 2 * kSymbol;
  }
}

}  // namespace geotally::geo
