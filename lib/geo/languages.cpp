#include "geo/languages.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <string_view>
#include <utility>

#include "country/language_tag.h"
#include "geo/stored_weights.h"

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

// Shares of accounts (Semiocast, July 2012, 517 million accounts). Published as figures: US, BR,
// JP, GB, ID, FR. Published as ranks, and interpolated between those figures by rank: the others.
// Countries that are not named there divide the rest by inhabitants and income.
constexpr std::pair<std::string_view, double> kPublished[] = {
    {"US", 0.274}, {"BR", 0.080}, {"JP", 0.067}, {"GB", 0.062}, {"ID", 0.057},
    {"IN", 0.051}, {"MX", 0.046}, {"CA", 0.041}, {"ES", 0.037}, {"PH", 0.033},
    {"NL", 0.023}, {"AR", 0.016}, {"FR", 0.014}, {"DE", 0.013}};
// Raw population is not social use: accounts follow income, up to a point.
constexpr double kIncomeEnough = 45e3;  // US dollars a head
constexpr double kIncomeExponent = 1.2;
constexpr double kShareMin = 1e-5;
// Where such networks are blocked, few get through.
constexpr std::string_view kBlocked[] = {"CN", "KP", "TM"};
constexpr double kThrough = 0.05;
// CLDR gives the mother tongue where most speak another as well.
struct Correction {
  std::string_view language;
  std::string_view country;
  int share_per_mille;
};
constexpr Correction kCorrections[] = {{"es", "PY", 680}};  // census of 2012
// How far one who can speak a language also posts in it, by its status.
constexpr double kUseByStatus[] = {0.15, 1.0, 0.35};
// Whoever lives anywhere may post in any language: in a small one less than in others.
constexpr double kAnywhere = 0.0002;
constexpr double kAnywhereOfWorld = 0.25;
// Languages that their script gives away. A short text in any other is easily taken for another
// language: of posts from where it is not spoken, as many are tagged Estonian as Italian.
constexpr std::string_view kOfOwnScript[] = {
    "am", "ar", "as", "be", "bg", "bn", "bo", "ckb", "dv", "dz", "el",  "fa",
    "gu", "he", "hi", "hy", "ja", "ka", "kk", "km",  "kn", "ko", "ky",  "lo",
    "mk", "ml", "mn", "mr", "my", "ne", "or", "pa",  "ps", "ru", "sd",  "si",
    "sr", "ta", "te", "tg", "th", "ti", "ug", "uk",  "ur", "yi", "yue", "zh"};

float gain(double there, double elsewhere) {
  return static_cast<float>(std::log((there + elsewhere) / elsewhere));
}

}  // namespace

Languages::Languages(const Abroad& abroad) {
  prior_.fill(-100.0F);
  double total = 0;
  std::array<double, Country::kLimit> share{};
  for (const auto& row : kEconomy) {
    const double people = Country::parse(row.country)->population();
    const double income = people > 0 ? row.gdp_billions * 1e9 / people : 0;
    double weight = people * std::pow(std::min(1.0, income / kIncomeEnough), kIncomeExponent);
    if (std::find(std::begin(kBlocked), std::end(kBlocked), row.country) != std::end(kBlocked)) {
      weight *= kThrough;
    }
    share[Country::parse(row.country)->index()] = weight;
    total += weight;
  }
  double published = 0;
  for (const auto& [code, part] : kPublished) {
    auto& weight = share[Country::parse(code)->index()];
    total -= weight;
    weight = 0;
    published += part;
  }
  for (auto& part : share) part *= (1 - published) / total;
  for (const auto& [code, part] : kPublished) share[Country::parse(code)->index()] = part;
  total = 1;
  for (std::size_t i = 1; i < Country::count(); ++i) {
    prior_[i] = static_cast<float>(std::log(std::max(share[i] / total, kShareMin)));
  }

  // What a country's speakers add up to; where it is more than all, each gets less.
  std::array<double, Country::kLimit> spoken{};
  const auto use = [](const LanguageRow& row) {
    int per_mille = row.share_per_mille;
    for (const Correction& one : kCorrections) {
      if (one.language == row.language && one.country == row.country)
        per_mille = one.share_per_mille;
    }
    return per_mille * 1e-3 * kUseByStatus[row.status];
  };
  for (const auto& row : kUse) spoken[Country::parse(row.country)->index()] += use(row);
  std::map<std::string_view, double> world;  // a language's share of all accounts
  for (const auto& row : kUse) {
    const std::uint8_t country = Country::parse(row.country)->index();
    world[row.language] += share[country] * use(row) / std::max(1.0, spoken[country]);
  }
  for (const auto& row : kUse) {
    const auto tag = LanguageTag::parse(row.language);
    if (!tag) continue;
    if (rows_.empty() || rows_.back().language != tag->language_id()) {
      const auto at = static_cast<std::uint16_t>(uses_.size());
      rows_.push_back({tag->language_id(), at, at});
    }
    const std::uint8_t country = Country::parse(row.country)->index();
    const double of_world = kAnywhereOfWorld * world[row.language];
    const bool of_own_script = std::find(std::begin(kOfOwnScript), std::end(kOfOwnScript),
                                         row.language) != std::end(kOfOwnScript);
    // Several posts are in it because someone lives in it; a few also for other reasons.
    double several = std::min(kAnywhere, of_world);
    double few = std::min(abroad.other, of_world) + (of_own_script ? 0 : abroad.mistaken);
    if (row.language == "en") several = few = abroad.english;
    const double there = use(row) / std::max(1.0, spoken[country]);
    const double elsewhere =
        row.language == "en" ? kStoredEnglishAnywhere : std::min(kAnywhere, of_world);
    uses_.push_back(
        {country, gain(there, elsewhere) > kStoredSpoken, gain(there, several), gain(there, few)});
    rows_.back().end = static_cast<std::uint16_t>(uses_.size());
  }
  // Detectors take Malay for Indonesian as often as not, and some know only one of them.
  const auto indonesian = LanguageTag::parse("id")->language_id();
  for (auto& row : rows_) {
    if (row.language != indonesian) continue;
    const auto begin = static_cast<std::uint16_t>(uses_.size());
    for (std::uint16_t i = row.begin; i < row.end; ++i) {
      const Use copy = uses_[i];
      if (copy.country != Country::parse("MY")->index()) uses_.push_back(copy);
    }
    constexpr double kMalaysThere = 0.5;
    uses_.push_back({Country::parse("MY")->index(), true, gain(kMalaysThere, kAnywhere),
                     gain(kMalaysThere, abroad.other + abroad.mistaken)});
    row = {row.language, begin, static_cast<std::uint16_t>(uses_.size())};
  }
  std::sort(rows_.begin(), rows_.end(), [](Row a, Row b) { return a.language < b.language; });
}

std::vector<std::uint16_t> Languages::ids() const {
  std::vector<std::uint16_t> ids;
  for (const Row& row : rows_) ids.push_back(row.language);
  return ids;
}

std::span<const Languages::Use> Languages::uses(std::uint16_t language_id) const {
  const auto row = std::lower_bound(rows_.begin(), rows_.end(), language_id,
                                    [](Row a, std::uint16_t id) { return a.language < id; });
  if (row == rows_.end() || row->language != language_id) return {};
  return std::span(uses_).subspan(row->begin, row->end - row->begin);
}

}  // namespace geotally::geo
