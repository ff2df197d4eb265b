#include "geo/languages.h"

#include <algorithm>
#include <cmath>
#include <string_view>

#include "country/language_tag.h"

namespace geotally::geo {
namespace {

struct EconomyRow {
  std::string_view country;
  double gdp_billions;
  int literate_per_mille;
};
constexpr EconomyRow kEconomy[] = {
#include "geo/economy_table.inc"
};

struct LanguageRow {
  std::string_view language;
  std::string_view country;
  int share_per_mille;
  int status;  // 1 official, 2 official in a part, 0 neither
};
constexpr LanguageRow kUse[] = {
#include "geo/language_table.inc"
};

// Raw population is not social use: accounts follow income, less than in proportion.
constexpr double kIncomeExponent = 0.75;
constexpr double kShareMin = 1e-5;
// How far one who can speak a language also posts in it, by its status.
constexpr double kUseByStatus[] = {0.15, 1.0, 0.5};
// Whoever lives anywhere may post in any language, and more so in English.
constexpr double kAnywhere = 0.0002;
constexpr double kEnglishAnywhere = 0.12;

}  // namespace

Languages::Languages() {
  prior_.fill(-100.0F);
  double total = 0;
  std::array<double, Country::kLimit> share{};
  for (const auto& row : kEconomy) {
    const double weight = std::pow(row.gdp_billions, kIncomeExponent);
    share[Country::parse(row.country)->index()] = weight;
    total += weight;
  }
  for (std::size_t i = 1; i < Country::count(); ++i) {
    prior_[i] = static_cast<float>(std::log(std::max(share[i] / total, kShareMin)));
  }

  // What a country's speakers add up to; where it is more than all, each gets less.
  std::array<double, Country::kLimit> spoken{};
  const auto use = [](const LanguageRow& row) {
    return row.share_per_mille * 1e-3 * kUseByStatus[row.status];
  };
  for (const auto& row : kUse) spoken[Country::parse(row.country)->index()] += use(row);
  for (const auto& row : kUse) {
    const auto tag = LanguageTag::parse(row.language);
    if (!tag) continue;
    if (rows_.empty() || rows_.back().language != tag->language_id()) {
      const auto at = static_cast<std::uint16_t>(uses_.size());
      rows_.push_back({tag->language_id(), at, at});
    }
    const std::uint8_t country = Country::parse(row.country)->index();
    const double anywhere = row.language == "en" ? kEnglishAnywhere : kAnywhere;
    const double there = use(row) / std::max(1.0, spoken[country]) + anywhere;
    uses_.push_back({country, static_cast<float>(std::log(there / anywhere))});
    rows_.back().end = static_cast<std::uint16_t>(uses_.size());
  }
  std::sort(rows_.begin(), rows_.end(), [](Row a, Row b) { return a.language < b.language; });
}

std::span<const Languages::Use> Languages::uses(std::uint16_t language_id) const {
  const auto row = std::lower_bound(rows_.begin(), rows_.end(), language_id,
                                    [](Row a, std::uint16_t id) { return a.language < id; });
  if (row == rows_.end() || row->language != language_id) return {};
  return std::span(uses_).subspan(row->begin, row->end - row->begin);
}

}  // namespace geotally::geo
