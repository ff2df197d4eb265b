#include "feed/study.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <numeric>

namespace geotally::feedgen {
namespace {

// Chosen so that the world as a whole comes to the published 27 %.
constexpr double kActive = 26.2;

// In the order of July 2012. Growth is above South Korea's 16 % and below Saudi Arabia's
// 93 % everywhere, as the study says.
constexpr auto kStudy = std::to_array<CountryShare>({
    {"US", 107.7, 141.8, 28, 25.8, -6, "en", false, "accounts, active, posts"},
    {"BR", 33.3, 41.2, 25, 6.6, -3, "pt", false, "accounts, active, posts"},
    {"JP", 29.9, 35.0, 30, 10.6, 9, "ja", true, "accounts, active, posts"},
    {"GB", 23.8, 32.2, kActive, 0, 0, "en", false, "accounts"},
    {"ID", 19.5, 29.4, kActive, 0, 7, "id", true, "accounts"},
    {"IN", 16.5, 23.0, kActive, 0, 5, "en", false, "rank"},
    {"MX", 14.3, 20.5, kActive, 0, -6, "es", false, "rank"},
    {"CA", 10.2, 16.0, kActive, 0, -5, "en", false, "rank"},
    {"ES", 10.4, 14.2, 29, 0, 1, "es", false, "rank, active"},
    {"PH", 10.6, 12.6, kActive, 0, 8, "en", false, "rank"},
    {"TR", 7.2, 11.3, kActive, 0, 3, "tr", true, ""},
    {"CO", 6.1, 10.6, kActive, 0, -5, "es", false, ""},
    {"VE", 6.9, 9.9, kActive, 0, -4, "es", false, ""},
    {"NL", 6.5, 9.3, 33, 0, 1, "nl", false, "rank in Europe, active"},
    {"KR", 7.5, 8.7, kActive, 0, 9, "ko", true, "growth"},
    {"MY", 4.9, 8.2, kActive, 0, 8, "ms", false, ""},
    {"AR", 5.0, 7.6, kActive, 0, -3, "es", false, "rank"},
    {"FR", 5.2, 7.3, 24, 0, 1, "fr", false, "accounts, rank, active"},
    {"DE", 4.7, 6.9, kActive, 0, 1, "de", false, "rank"},
    {"IT", 3.936, 5.181, kActive, 0, 1, "it", false, ""},
    {"RU", 3.662, 4.83, kActive, 0, 3, "ru", false, ""},
    {"CL", 3.387, 4.479, kActive, 0, -4, "es", false, ""},
    {"ZA", 3.021, 4.04, kActive, 0, 2, "en", false, ""},
    {"TH", 2.838, 3.688, kActive, 0, 7, "th", true, ""},
    {"AU", 2.655, 3.513, kActive, 0, 10, "en", false, ""},
    {"NG", 1.922, 2.634, kActive, 0, 1, "en", false, ""},
    {"SA", 1.5, 2.9, kActive, 0, 3, "ar", false, "accounts, growth"},
    {"PE", 1.831, 2.459, kActive, 0, -5, "es", false, ""},
    {"EG", 1.556, 2.108, kActive, 0, 2, "ar", false, ""},
    {"SG", 1.465, 1.932, kActive, 0, 8, "en", false, ""},
    {"EC", 1.282, 1.756, kActive, 0, -5, "es", false, ""},
    {"PT", 1.19, 1.581, kActive, 0, 0, "pt", false, ""},
    {"PL", 1.053, 1.405, kActive, 0, 1, "pl", true, ""},
    {"BE", 1.044, 1.387, kActive, 0, 1, "nl", false, ""},
    {"SE", 1.007, 1.317, kActive, 0, 1, "sv", false, ""},
    {"IE", 0.9154, 1.229, kActive, 0, 0, "en", false, ""},
    {"UA", 0.8696, 1.142, kActive, 0, 2, "uk", false, ""},
    {"PK", 0.8239, 1.124, kActive, 0, 5, "en", false, ""},
    {"KW", 0.7781, 1.054, kActive, 0, 3, "ar", false, ""},
    {"AE", 0.769, 1.036, kActive, 0, 4, "ar", false, ""},
    {"TW", 0.7323, 0.966, kActive, 0, 8, "zh", false, ""},
    {"DO", 0.6866, 0.9221, kActive, 0, -4, "es", false, ""},
    {"HK", 0.6591, 0.8782, kActive, 0, 8, "zh", false, ""},
    {"VN", 0.595, 0.7903, kActive, 0, 7, "vi", true, ""},
    {"NZ", 0.5859, 0.7816, kActive, 0, 12, "en", false, ""},
    {"KE", 0.5676, 0.7728, kActive, 0, 3, "en", false, ""},
    {"GH", 0.5218, 0.7025, kActive, 0, 0, "en", false, ""},
    {"GR", 0.5126, 0.6937, kActive, 0, 2, "el", false, ""},
    {"GT", 0.5035, 0.685, kActive, 0, -6, "es", false, ""},
    {"CH", 0.4577, 0.6147, kActive, 0, 1, "de", false, ""},
    {"DK", 0.4486, 0.6059, kActive, 0, 1, "da", false, ""},
    {"NO", 0.4394, 0.5971, kActive, 0, 1, "nb", false, ""},
    {"IL", 0.4302, 0.5884, kActive, 0, 2, "he", false, ""},
    {"AT", 0.3936, 0.5269, kActive, 0, 1, "de", false, ""},
    {"FI", 0.3845, 0.5181, kActive, 0, 2, "fi", false, ""},
    {"MA", 0.3845, 0.5093, kActive, 0, 0, "ar", false, ""},
    {"UY", 0.3753, 0.5006, kActive, 0, -3, "es", false, ""},
    {"CR", 0.3662, 0.4918, kActive, 0, -6, "es", false, ""},
    {"RO", 0.3662, 0.483, kActive, 0, 2, "ro", false, ""},
    {"CZ", 0.3296, 0.4391, kActive, 0, 1, "cs", false, ""},
    {"QA", 0.3204, 0.4303, kActive, 0, 3, "ar", false, ""},
    {"LB", 0.3112, 0.4215, kActive, 0, 2, "ar", false, ""},
    {"PA", 0.3021, 0.4127, kActive, 0, -5, "es", false, ""},
    {"PY", 0.2929, 0.3952, kActive, 0, -4, "es", false, ""},
    {"HU", 0.2655, 0.3513, kActive, 0, 1, "hu", false, ""},
    {"BH", 0.2563, 0.3425, kActive, 0, 3, "ar", false, ""},
    {"JO", 0.2472, 0.3337, kActive, 0, 2, "ar", false, ""},
    {"SN", 0.1373, 0.1844, kActive, 0, 0, "fr", false, ""},
    {"CI", 0.1282, 0.1756, kActive, 0, 0, "fr", false, ""},
    {"ZZ", 3.296, 4.391, kActive, 0, 0, "", false, ""},
});

constexpr auto kSmall = std::to_array<CountryShare>({
    {"US", 30, 30, 40, 0, -6, "en", false, ""},
    {"BR", 18, 18, 40, 0, -3, "pt", false, ""},
    {"JP", 14, 14, 50, 0, 9, "ja", true, ""},
    {"GB", 10, 10, 40, 0, 0, "en", false, ""},
    {"FR", 8, 8, 40, 0, 1, "fr", false, ""},
    {"NL", 6, 6, 60, 0, 1, "nl", false, ""},
    {"KR", 5, 5, 40, 0, 9, "ko", true, ""},
    {"NZ", 4, 4, 40, 0, 12, "en", false, ""},
    {"ZZ", 5, 5, 40, 0, 0, "", false, ""},
});

}  // namespace

std::span<const CountryShare> study_2012() { return kStudy; }
std::span<const CountryShare> small_world() { return kSmall; }

std::string describe(std::span<const CountryShare> countries) {
  std::string published;
  std::size_t chosen = 0;
  for (const CountryShare& country : countries) {
    if (country.published.empty()) {
      ++chosen;
      continue;
    }
    if (!published.empty()) published += "; ";
    published.append(country.code).append(" ").append(country.published);
  }
  if (published.empty()) return "made-up world: no figure of it was published";
  return "published by Semiocast (2012): " + published + ".\nChosen for this world, keeping " +
         "the published order: every other figure of these countries, all figures of " +
         std::to_string(chosen) + " more, and who gives no country away (ZZ)";
}

std::vector<std::uint64_t> quotas(std::span<const double> weights, std::uint64_t total) {
  const double sum = std::accumulate(weights.begin(), weights.end(), 0.0);
  std::vector<std::uint64_t> parts(weights.size());
  if (sum <= 0) return parts;
  std::vector<std::pair<double, std::size_t>> rests;
  std::uint64_t given = 0;
  for (std::size_t i = 0; i < weights.size(); ++i) {
    const double exact = static_cast<double>(total) * weights[i] / sum;
    parts[i] = static_cast<std::uint64_t>(exact);
    given += parts[i];
    rests.emplace_back(-(exact - std::floor(exact)), i);
  }
  std::sort(rests.begin(), rests.end());
  for (std::size_t i = 0; given < total; ++i, ++given) ++parts[rests[i % rests.size()].second];
  return parts;
}

}  // namespace geotally::feedgen
