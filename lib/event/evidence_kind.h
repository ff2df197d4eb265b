// What an account's country rests on, strongest first. Closed: the names are
// metric labels, the numbers are stored.
#pragma once

#include <cstdint>
#include <string_view>

namespace geotally {

enum class EvidenceKind : std::uint8_t {
  kNone = 0,      ///< nothing, or nothing that points anywhere
  kExplicit = 1,  ///< an address record, a place tag or coordinates
  kPlace = 2,     ///< a place that the account declares in words
  kFlag = 3,      ///< a flag or a demonym in name or description
  kDomain = 4,    ///< a country-code domain
  kRegion = 5,    ///< a language with a region ("pt-BR")
  kLanguage = 6,  ///< the languages of the posts
  kZone = 7,      ///< a time zone, an offset or the hours of activity
};
inline constexpr std::size_t kEvidenceKinds = 8;
[[nodiscard]] std::string_view to_string(EvidenceKind kind);

}  // namespace geotally
