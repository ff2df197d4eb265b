#include "country/country.h"

#include <algorithm>
#include <array>

#include "base/check.h"

namespace geotally {
namespace {

struct Row {
  std::string_view code;
  std::string_view name_en;
  std::string_view name_fr;
  std::uint16_t region;
  std::uint16_t subregion;
  std::uint32_t population;
};

constexpr Row kRows[] = {
    {"ZZ", "Unknown", "Inconnu", 0, 0, 0},
#include "country/country_table.inc"
};
constexpr std::size_t kCount = std::size(kRows);
static_assert(kCount <= Country::kLimit);

constexpr std::size_t kLetters = 26;
constexpr std::uint8_t kNoCountry = 255;
static_assert(kCount <= kNoCountry);

// Index of a country by its two letters.
constexpr auto kByCode = [] {
  std::array<std::uint8_t, kLetters * kLetters> table{};
  table.fill(kNoCountry);
  for (std::size_t i = 0; i < kCount; ++i) {
    const auto first = static_cast<std::size_t>(kRows[i].code[0] - 'A');
    const auto second = static_cast<std::size_t>(kRows[i].code[1] - 'A');
    table[first * kLetters + second] = static_cast<std::uint8_t>(i);
  }
  return table;
}();

// The codes alone, in eight cache lines: each post that is counted and each account that is stored
// asks for one.
constexpr auto kCodes = [] {
  std::array<std::array<char, 2>, kCount> codes{};
  for (std::size_t i = 0; i < kCount; ++i) codes[i] = {kRows[i].code[0], kRows[i].code[1]};
  return codes;
}();

// 0 to 25, or 26 for what is no ASCII letter.
constexpr std::size_t letter(char c) {
  if (c >= 'A' && c <= 'Z') return static_cast<std::size_t>(c - 'A');
  if (c >= 'a' && c <= 'z') return static_cast<std::size_t>(c - 'a');
  return kLetters;
}

// Codes of three letters, and parts of countries that are countries here.
struct Alias {
  std::string_view code;
  std::string_view country;
};
constexpr Alias kAliases[] = {
#include "country/iso3166_table.inc"
};
static_assert(std::ranges::is_sorted(kAliases, {}, &Alias::code));

// Codes of two letters that ISO 3166-1 keeps free for this use.
constexpr Alias kReserved[] = {{"EL", "GR"}, {"UK", "GB"}};

// "US-CA": two letters, and one to three letters or digits.
constexpr std::size_t kPartBytesMax = 6;
bool is_part(std::string_view code) {
  return code.size() >= 4 && code.size() <= kPartBytesMax && code[2] == '-' &&
         std::ranges::all_of(code.substr(3), [](char c) {
           return letter(c) != kLetters || (c >= '0' && c <= '9');
         });
}

}  // namespace

std::optional<Country> Country::parse(std::string_view code) {
  if (code.size() != 2) return std::nullopt;
  const std::size_t first = letter(code[0]);
  const std::size_t second = letter(code[1]);
  if (first == kLetters || second == kLetters) return std::nullopt;
  const std::uint8_t index = kByCode[first * kLetters + second];
  if (index == kNoCountry) return std::nullopt;
  return Country(index);
}

std::optional<Country> Country::parse_iso3166(std::string_view code) {
  const bool part = is_part(code);
  if (code.size() != 2 && code.size() != 3 && !part) return std::nullopt;
  std::array<char, kPartBytesMax> upper{};
  std::ranges::transform(code, upper.begin(), [](char c) {
    return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
  });
  const std::string_view text(upper.data(), code.size());
  const auto known = std::ranges::lower_bound(kAliases, text, {}, &Alias::code);
  if (known != std::end(kAliases) && known->code == text) return parse(known->country);
  if (code.size() == 3) return std::nullopt;
  const std::string_view two = text.substr(0, 2);
  for (const Alias& alias : kReserved) {
    if (two == alias.code) return parse(alias.country);
  }
  const std::optional<Country> country = parse(two);
  return country && country->known() ? country : std::nullopt;
}

std::size_t Country::count() { return kCount; }

Country Country::from_index(std::size_t index) {
  GEOTALLY_CHECK(index < kCount, "a country that is not in the table");
  return Country(static_cast<std::uint8_t>(index));
}

std::string_view Country::code() const { return {kCodes[index_].data(), kCodes[index_].size()}; }
std::string_view Country::name_en() const { return kRows[index_].name_en; }
std::string_view Country::name_fr() const { return kRows[index_].name_fr; }
std::uint16_t Country::region() const { return kRows[index_].region; }
std::uint16_t Country::subregion() const { return kRows[index_].subregion; }
std::uint32_t Country::population() const { return kRows[index_].population; }

}  // namespace geotally
