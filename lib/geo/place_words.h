// Words around the name of a place: what they say of whether a place is meant.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string_view>

namespace geotally::geo {

/// A set of what a word may be.
using WordKinds = std::uint8_t;
enum : WordKinds {
  kFiller = 1,  ///< says nothing about whether the rest is a place ("greater", "downtown", "from")
  kPersonal = 2,   ///< makes what stands beside it someone's property, no place ("my", "heart")
  kCue = 4,        ///< announces a place in running text ("in", "based", "vivo")
  kResidence = 8,  ///< announces the place where someone lives ("based", "vivo"),
  kOrigin = 16,    ///< and the one where he comes from ("from", "born", "originally")
  kCase = 32,      ///< a preposition behind which a Slavic language declines a name;
  kCaseBehindVerb = 64,  ///< the same, where kResidence or kOrigin stands before it
};

/// Of a normalised word (see words.h); 0 for most.
[[nodiscard]] WordKinds kinds_of_word(std::string_view word);

struct Ending {
  std::string_view declined;
  std::string_view nominative;
};
/// How Slavic names end behind a preposition, and how by themselves.
[[nodiscard]] std::span<const Ending> endings();

/// Calls `visit` with everything that `name`, declined, may be by itself.
template <typename Visit>
void for_nominatives(std::string_view name, Visit visit) {
  constexpr std::size_t kStemMin = 3;  // bytes
  std::array<char, 96> form;
  for (const Ending& ending : endings()) {
    if (!name.ends_with(ending.declined)) continue;
    const std::size_t stem = name.size() - ending.declined.size();
    if (stem < kStemMin || stem + ending.nominative.size() > form.size()) continue;
    name.copy(form.data(), stem);
    ending.nominative.copy(form.data() + stem, ending.nominative.size());
    visit(std::string_view(form.data(), stem + ending.nominative.size()));
  }
}

/// Whether `text`, as written, ends in a pin, a house or a globe.
[[nodiscard]] bool ends_in_pin(std::string_view text);

}  // namespace geotally::geo
