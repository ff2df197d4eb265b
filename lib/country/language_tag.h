// A BCP 47 tag cut down to what says something about a country: the language
// and, where there is one, the region. Packed into four bytes, so that it
// travels with a sample instead of a string.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "country/country.h"

namespace geotally {

class LanguageTag {
 public:
  /// No language.
  constexpr LanguageTag() = default;

  /// "pt", "pt-BR", "zh-Hant-TW", "PT_br". Old and long codes are folded by CLDR's aliases
  /// (in → id, iw → he, tl → fil, por → pt); UK as a region is GB.
  /// Nothing for "und" and for whatever is not a language of two or three letters;
  /// a region that is no country is left out.
  [[nodiscard]] static std::optional<LanguageTag> parse(std::string_view tag) {
    // In a register: an optional that is returned goes through memory, once for every post.
    const std::uint32_t packed = parse_packed(tag);
    if (packed == 0) return std::nullopt;
    return LanguageTag(static_cast<std::uint16_t>(packed), static_cast<std::uint8_t>(packed >> 16));
  }

  /// The language of an id that language_id() gave, without region; none for other numbers.
  [[nodiscard]] static LanguageTag from_id(std::uint16_t language_id);

  /// Two or three lower-case letters, e.g. "pt".
  [[nodiscard]] std::string language() const;
  /// ZZ where the tag has no region.
  [[nodiscard]] Country region() const;

  [[nodiscard]] constexpr bool empty() const { return language_ == 0; }
  /// The language alone as a number: equal for equal languages, 0 for none, below 32,768.
  [[nodiscard]] constexpr std::uint16_t language_id() const { return language_; }
  friend constexpr bool operator==(LanguageTag, LanguageTag) = default;

 private:
  constexpr LanguageTag(std::uint16_t language, std::uint8_t region)
      : language_(language), region_(region) {}
  // The language, and the region's index from bit 16 on; 0 = none.
  [[nodiscard]] static std::uint32_t parse_packed(std::string_view tag);
  [[nodiscard]] static std::uint32_t parse_anew(std::string_view tag);

  std::uint16_t language_ = 0;  // three letters of five bits, a = 1
  std::uint8_t region_ = 0;     // index of the country
};

}  // namespace geotally
