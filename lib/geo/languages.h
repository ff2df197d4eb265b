// Who writes which language where, and how many accounts a country has before anything is
// known: from CLDR's territory data (inhabitants, gross domestic product, languages).
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "country/country.h"

namespace geotally::geo {

/// Immutable after construction.
class Languages {
 public:
  struct Use {
    std::uint8_t country;  ///< index
    float gain;            ///< log of the language's share there over its share elsewhere
  };

  Languages();

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
