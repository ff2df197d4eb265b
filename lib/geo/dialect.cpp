#include "geo/dialect.h"

#include <algorithm>
#include <array>
#include <utility>

#include "geo/words.h"

namespace geotally::geo {

Dialect read_dialect(const Table& table, std::string_view text) {
  constexpr std::size_t kCountriesMax = 6;
  constexpr std::uint8_t kWordsMax = 5;
  Words words;
  words.split(text);
  std::array<std::pair<std::uint8_t, std::uint8_t>, kCountriesMax> hits{};  // country, words
  std::size_t count = 0;
  const auto look = [&](std::string_view name) {
    table.find(name_key(name), [&](Reference reference) {
      if (!reference.special()) return;
      const Special& special = table.special(reference);
      if (special.meaning != Meaning::kDialect) return;
      for (std::size_t i = 0; i < count; ++i) {
        if (hits[i].first != special.country) continue;
        if (hits[i].second < kWordsMax) ++hits[i].second;
        return;
      }
      if (count < kCountriesMax) hits[count++] = {special.country, 1};
    });
  };
  for (std::size_t i = 0; i < words.size(); ++i) {
    if (words[i].dense) continue;
    look(words.text(i));
    if (i + 1 < words.size() && words[i + 1].before <= Break::kHyphen) look(words.text(i, 2));
  }
  std::uint8_t first = 0;
  std::uint8_t second = 0;
  Dialect dialect;
  for (std::size_t i = 0; i < count; ++i) {
    if (hits[i].second > first) {
      second = first;
      first = hits[i].second;
      dialect.country = table.country(hits[i].first);
    } else {
      second = std::max(second, hits[i].second);
    }
  }
  dialect.words = static_cast<std::uint8_t>(first - second);
  if (dialect.words == 0) dialect.country = kUnknownCountry;
  return dialect;
}

}  // namespace geotally::geo
