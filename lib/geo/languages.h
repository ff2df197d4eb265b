// Who writes which language where, and how many accounts a country has before anything is
// known: from CLDR's territory data (inhabitants, gross domestic product, languages).
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "country/country.h"

namespace geotally::geo {

/// Which share of single posts from a country are in a language that is not spoken there.
struct Abroad {
  double english = 0;   ///< in English; of several posts too
  double other = 0;     ///< at most, in another one
  double mistaken = 0;  ///< are taken for one, if it has no script of its own
};

/// Immutable after construction.
class Languages {
 public:
  /// Log of the language's share of the posts there over its share elsewhere.
  struct Use {
    std::uint8_t country;  ///< index
    bool spoken;        ///< much more than elsewhere: no weight, since what is stored hangs on it
    float gain;         ///< where several posts say so
    float gain_of_few;  ///< where few do, and it may be a mistake
  };

  explicit Languages(const Abroad& abroad);

  /// Natural logarithm of the share of accounts by index of the country; ZZ has none (−100).
  [[nodiscard]] const std::array<float, Country::kLimit>& prior() const { return prior_; }
  /// The countries in which a language is more used than anywhere else; empty for an unknown one.
  [[nodiscard]] std::span<const Use> uses(std::uint16_t language_id) const;
  /// Every language that has uses, ascending.
  [[nodiscard]] std::vector<std::uint16_t> ids() const;

 private:
  struct Row {
    std::uint16_t language;
    std::uint16_t begin;
    std::uint16_t end;
  };
  std::array<float, Country::kLimit> prior_{};
  std::vector<Use> uses_;
  std::vector<Row> rows_;
};

}  // namespace geotally::geo
