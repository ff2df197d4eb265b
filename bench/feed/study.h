// The network of 2012 as Semiocast's study described it: how many accounts each
// country has, how many of them are active, how much they post, in what language.
//
// The study published a part of these figures. The others are chosen so that the
// published order of the countries holds; describe() says which are which.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace geotally::feedgen {

struct CountryShare {
  std::string_view code;  ///< ISO 3166-1 alpha-2; ZZ = accounts that give nothing away
  double january = 0;     ///< millions of accounts on 1 January 2012
  double july = 0;        ///< millions of accounts on 1 July 2012
  double active = 0;      ///< per cent of accounts that posted in the last 90 days
  double posts = 0;       ///< per cent of all posts; 0 = by its active accounts
  int utc_offset_h = 0;   ///< for the day's rhythm only
  std::string_view language;
  /// The language alone names the country (ja, ko, …): no other country comes near.
  bool sole_language = false;
  std::string_view published;  ///< which of the figures the study published
};

/// The countries of 2012, ZZ last.
[[nodiscard]] std::span<const CountryShare> study_2012();
/// A handful of countries, for quick tests.
[[nodiscard]] std::span<const CountryShare> small_world();

/// What of the table was published and what was chosen, in a few lines.
[[nodiscard]] std::string describe(std::span<const CountryShare> countries);

/// `total` divided by `weights`: whole numbers that sum to it, by largest remainder.
[[nodiscard]] std::vector<std::uint64_t> quotas(std::span<const double> weights,
                                                std::uint64_t total);

}  // namespace geotally::feedgen
