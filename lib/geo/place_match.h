// A name in a text and what it can mean: how far each meaning is to be trusted, and how two of them
// speak for each other. Private to lib/geo.
#pragma once

#include <array>
#include <cstdint>

#include "geo/places.h"
#include "geo/table.h"
#include "geo/words.h"

namespace geotally::geo {

constexpr std::size_t kSensesMax = 24;

// A name that was found in the text, and what it can mean.
struct Match {
  struct Sense {
    Meaning meaning;
    bool city;  // a place of its own, not one of the special meanings
    std::uint8_t country;
    std::uint16_t admin;
    std::uint32_t place;
    float inhabitants;  // of a city or a part
    float renown;       // of a city: a factor, 1 for most
    bool confirmed;
    bool exact;  // spelled as the text spells it, accents and all
  };
  std::array<Sense, kSensesMax> senses;
  std::size_t count = 0;
  std::size_t first = 0;  // word
  std::size_t words = 0;
  std::size_t letters = 0;  // bytes of the normalised name
  int common = 0;           // 1 to 5, 0 = no common word
  bool given_name = false;
  bool trap = false;
  bool word = false;  // is a name too seldom to be one beside other words
  bool capitals = false;
  bool capitalised = false;
  bool dense = false;
  Break before = Break::kStrong;
  std::size_t segment = 0;
  float reliability = 0;
};

[[nodiscard]] constexpr bool is_code(Meaning meaning) {
  return meaning == Meaning::kCountryCode || meaning == Meaning::kPartCode ||
         meaning == Meaning::kNicknameCapitals;
}

/// How likely `sense` is meant where nothing else is known, 0 to 1.
[[nodiscard]] float trust(const Table& table, const Prior& prior, const Match& match,
                          const Match::Sense& sense);
/// How often the meaning is named without anything beside it, next to others of the same name.
[[nodiscard]] float fame(const Table& table, const Match::Sense& sense);

/// Inhabitants of a part of which no place is known.
[[nodiscard]] float people_of_unknown_part(const Table& table, const Match::Sense& sense);

/// How widely a city is known for its size: 1 for one of fifteen names.
[[nodiscard]] inline float renown(const PlaceRecord& place) {
  return (static_cast<float>(place.renown) + 3) / 20;
}

/// Whether `region` behind a name says that `sense` is meant by it.
[[nodiscard]] bool supports(const Match::Sense& region, const Match::Sense& sense);
/// "NV/UT", "TX ✈ FL": two parts of one country.
[[nodiscard]] bool two_codes(const Match::Sense& left, const Match::Sense& right);
/// Whether the codes of the country's parts are written without a city ("TX", but not "UP").
[[nodiscard]] bool parts_stand_alone(Country country);
/// "in", "de" and "me" in lower case are words, unless a comma stands before them.
[[nodiscard]] bool is_word(const Match& match);
[[nodiscard]] bool is_demonym(const Match& match);

}  // namespace geotally::geo
