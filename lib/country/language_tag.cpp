#include "country/language_tag.h"

#include <algorithm>
#include <array>
#include <cstring>

namespace geotally {
namespace {

constexpr std::uint16_t kNone = 0;
constexpr std::size_t kSubtagMax = 8;
constexpr std::size_t kTagMax = 64;

// a = 1 to z = 26; 0 for what is no ASCII letter.
constexpr unsigned letter(char c) {
  if (c >= 'a' && c <= 'z') return static_cast<unsigned>(c - 'a') + 1;
  if (c >= 'A' && c <= 'Z') return static_cast<unsigned>(c - 'A') + 1;
  return 0;
}

// Two or three letters as a number; kNone for anything else.
constexpr std::uint16_t pack(std::string_view code) {
  if (code.size() != 2 && code.size() != 3) return kNone;
  unsigned packed = 0;
  for (std::size_t i = 0; i < 3; ++i) {
    const unsigned value = i < code.size() ? letter(code[i]) : 0;
    if (value == 0 && i < code.size()) return kNone;
    packed = packed << 5 | value;
  }
  return static_cast<std::uint16_t>(packed);
}

struct Alias {
  std::uint16_t from;
  std::uint16_t to;
};
struct AliasText {
  std::string_view from;
  std::string_view to;
};
constexpr AliasText kAliasTexts[] = {
#include "country/language_alias.inc"
};

// Packed numbers sort as the codes do, so the generated order holds.
constexpr auto kAliases = [] {
  std::array<Alias, std::size(kAliasTexts)> aliases{};
  for (std::size_t i = 0; i < aliases.size(); ++i) {
    aliases[i] = {pack(kAliasTexts[i].from), pack(kAliasTexts[i].to)};
  }
  return aliases;
}();
static_assert(std::is_sorted(kAliases.begin(), kAliases.end(),
                             [](Alias a, Alias b) { return a.from < b.from; }));

// Nearly every post names a language without an alias: one bit says so.
constexpr auto kHasAlias = [] {
  std::array<std::uint64_t, (1 << 15) / 64> bits{};
  for (const Alias& alias : kAliases) bits[alias.from / 64] |= std::uint64_t{1} << alias.from % 64;
  return bits;
}();

std::uint16_t folded(std::uint16_t language) {
  if ((kHasAlias[language / 64] >> language % 64 & 1) == 0) return language;
  return std::lower_bound(kAliases.begin(), kAliases.end(), language,
                          [](Alias a, std::uint16_t code) { return a.from < code; })
      ->to;
}

// Codes of the standard that name no language.
constexpr bool is_no_language(std::uint16_t code) {
  return code == pack("und") || code == pack("mul") || code == pack("zxx") || code == pack("mis");
}

// A region subtag; UK is what many write for GB.
std::optional<Country> region_of(std::string_view subtag) {
  if (subtag.size() != 2) return std::nullopt;
  if (letter(subtag[0]) == letter('u') && letter(subtag[1]) == letter('k')) {
    return Country::parse("GB");
  }
  return Country::parse(subtag);
}

std::size_t end_of_subtag(std::string_view tag, std::size_t from) {
  while (from < tag.size() && tag[from] != '-' && tag[from] != '_') ++from;
  return from;
}

// The first region among the subtags that follow `end`; index 0 when there is none.
std::uint8_t region_after(std::string_view tag, std::size_t end) {
  while (end < tag.size()) {
    const std::size_t start = end + 1;
    end = end_of_subtag(tag, start);
    const std::string_view subtag = tag.substr(start, end - start);
    if (subtag.empty() || subtag.size() > kSubtagMax) break;
    // A single letter starts an extension or private use: no region follows.
    if (subtag.size() == 1) break;
    if (const auto region = region_of(subtag); region.has_value()) return region->index();
  }
  return 0;
}

template <typename T>
T load(const char* from) {
  T value;
  std::memcpy(&value, from, sizeof value);
  return value;
}

// Two to eight characters as a number; with their count it is theirs alone.
std::uint64_t letters_of(std::string_view tag) {
  const char* const end = tag.data() + tag.size();
  if (tag.size() < 4) {
    return load<std::uint16_t>(tag.data()) | std::uint64_t{load<std::uint16_t>(end - 2)} << 32;
  }
  return load<std::uint32_t>(tag.data()) | std::uint64_t{load<std::uint32_t>(end - 4)} << 32;
}

// A tag that was parsed before. Nearly every post names one of some hundred.
struct Known {
  std::uint64_t letters = 0;
  std::uint32_t size = 0;
  std::uint32_t packed = 0;
};
constexpr unsigned kKnownBits = 8;

}  // namespace

std::uint32_t LanguageTag::parse_packed(std::string_view tag) {
  if (tag.size() < 2 || tag.size() > sizeof(std::uint64_t)) return parse_anew(tag);
  constinit thread_local std::array<Known, 1 << kKnownBits> all{};
  const std::uint64_t letters = letters_of(tag);
  Known& known = all[letters * 0x9e3779b97f4a7c15 >> (64 - kKnownBits)];
  if (known.letters != letters || known.size != tag.size()) {
    known = {letters, static_cast<std::uint32_t>(tag.size()), parse_anew(tag)};
  }
  return known.packed;
}

std::uint32_t LanguageTag::parse_anew(std::string_view tag) {
  if (tag.size() < 2 || tag.size() > kTagMax) return 0;
  const std::size_t end = end_of_subtag(tag, 0);
  const std::uint16_t code = pack(tag.substr(0, end));
  if (code == kNone || is_no_language(code)) return 0;
  const std::uint32_t region = end == tag.size() ? 0U : region_after(tag, end);
  return folded(code) | region << 16;
}

LanguageTag LanguageTag::from_id(std::uint16_t language_id) {
  LanguageTag result;
  for (const int shift : {10, 5, 0}) {
    if ((language_id >> shift & 31) > 26) return result;
  }
  result.language_ = static_cast<std::uint16_t>(language_id & 0x7fff);
  return result;
}

std::string LanguageTag::language() const {
  std::string text;
  for (const int shift : {10, 5, 0}) {
    const int value = language_ >> shift & 31;
    if (value != 0) text.push_back(static_cast<char>('a' + value - 1));
  }
  return text;
}

Country LanguageTag::region() const { return Country::from_index(region_); }

}  // namespace geotally
