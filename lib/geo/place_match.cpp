#include "geo/place_match.h"

#include <algorithm>
#include <cmath>
#include <string_view>

namespace geotally::geo {
namespace {

float people(const Table& table, const Match::Sense& sense) {
  return std::max(static_cast<float>(table.country(sense.country).population()), 1'000.0F);
}
constexpr float kPartsOfACountry = 20;  // of a country, on the average

// An area that was named by hand is one of them.
float people_of_part(const Table& table, const Match::Sense& sense) {
  return sense.inhabitants > 0 ? sense.inhabitants : people(table, sense) / kPartsOfACountry;
}

}  // namespace

float people_of_unknown_part(const Table& table, const Match::Sense& sense) {
  constexpr float kMost = 100'000;
  return std::min(people(table, sense) / kPartsOfACountry, kMost);
}

float trust(const Table& table, const Prior& prior, const Match& match, const Match::Sense& sense) {
  float result = 0;
  if (sense.city) {
    const float people = sense.inhabitants;
    result = people >= 1e6F   ? 0.93F
             : people >= 3e5F ? 0.91F
             : people >= 1e5F ? 0.87F
             : people >= 3e4F ? 0.72F
             : people >= 1e4F ? 0.62F
             : people >= 3e3F ? 0.45F
                              : 0.3F;
    if (match.words > 1) result = 1 - (1 - result) * 0.55F;
    if (!match.dense) {
      if (match.words == 1 && match.letters <= 3) result *= 0.25F;
      if (match.words == 1 && match.letters == 4) result *= people >= 3e5F ? 0.95F : 0.6F;
      if (match.words == 1 && match.letters >= 9 && match.common == 0)
        result = 1 - (1 - result) * 0.8F;
    }
    if (match.common != 0) {
      static constexpr float kByLevel[] = {1, 0.06F, 0.15F, 0.35F, 0.5F, 0.25F};
      const float factor = kByLevel[match.common];
      result *= people >= 1e6F ? std::sqrt(factor) : factor;
    }
    if (match.given_name && match.words == 1)
      result *= people >= 1e6F ? 0.97F : people >= 3e5F ? 0.85F : people >= 1e5F ? 0.6F : 0.25F;
  } else {
    switch (sense.meaning) {
      case Meaning::kCountryName:
        result = match.letters <= 3 && !match.dense ? 0.85F : 0.96F;
        break;
      case Meaning::kCountryCode:
        // The fewer accounts a country has, the more of its abbreviations mean something else.
        result = (match.before == Break::kComma ? 0.8F : 0.6F) *
                 std::clamp(1.3F + 0.1F * prior[table.country(sense.country).index()], 0.3F, 1.0F);
        break;
      case Meaning::kPart:
        result = match.letters <= 4 && !match.dense ? 0.82F : 0.92F;
        // Some countries are divided into villages.
        if (people_of_part(table, sense) < 1e5F) result *= 0.6F;
        break;
      case Meaning::kPartCode:
        result = match.before == Break::kComma ? 0.88F : 0.6F;
        break;
      case Meaning::kCounty:
        result = match.words > 1 ? 0.75F : 0.45F;
        break;
      case Meaning::kNickname:
        result = match.letters <= 3 && !match.dense ? 0.8F : 0.92F;
        break;
      case Meaning::kNicknameCapitals:
        result = 0.75F;
        break;
      case Meaning::kDemonym:
        result = 0.85F;
        break;
      default:
        result = 0;
        break;
    }
    if (match.common != 0 && match.common <= 2 && sense.meaning != Meaning::kCountryName &&
        sense.meaning != Meaning::kDemonym && !is_code(sense.meaning)) {
      result *= 0.5F;
    }
    if (match.given_name && match.words == 1 && !is_code(sense.meaning)) result *= 0.85F;
  }
  return result;
}

float fame(const Table& table, const Match::Sense& sense) {
  // The larger of two namesakes is named alone more often than its inhabitants say; those of the
  // smaller add where it is.
  constexpr float kFame = 1.25F;
  if (sense.city) return std::pow(sense.inhabitants + 300, kFame) * sense.renown;
  switch (sense.meaning) {
    case Meaning::kCountryName:
      // Salvador is a country in French, and a city for those who live there.
      return (sense.admin == 0 ? 20.0F : 0.1F) * std::pow(people(table, sense), kFame);
    case Meaning::kPart:
      return std::pow(people_of_part(table, sense), kFame);
    case Meaning::kNickname:
      return 2e8F;
    case Meaning::kNicknameCapitals:
      return 1e8F;
    case Meaning::kPartCode:
      return 1e8F;
    case Meaning::kCountryCode:
      return 2e7F;
    case Meaning::kCounty:
      return 1e5F;
    case Meaning::kDemonym:
      return 1e8F;
    default:
      return 0;
  }
}

bool supports(const Match::Sense& region, const Match::Sense& sense) {
  if (region.country != sense.country) return false;
  switch (region.meaning) {
    case Meaning::kCountryName:
    case Meaning::kCountryCode:
      return !(sense.meaning == Meaning::kCountryName || sense.meaning == Meaning::kCountryCode) ||
             sense.city;
    case Meaning::kPart:
    case Meaning::kPartCode:
      return !region.city &&
             (sense.city || sense.place != Special::kNoPlace ||
              sense.meaning == Meaning::kCounty) &&
             (region.admin == sense.admin || region.admin == 0);
    default:
      return false;
  }
}

bool two_codes(const Match::Sense& left, const Match::Sense& right) {
  const auto code = [](const Match::Sense& sense) {
    return !sense.city && sense.admin != 0 &&
           (sense.meaning == Meaning::kPartCode || sense.meaning == Meaning::kNicknameCapitals);
  };
  return code(left) && code(right) && left.country == right.country && left.admin != right.admin;
}

bool parts_stand_alone(Country country) {
  static constexpr std::string_view kCountries[] = {"US", "CA", "AU", "BR"};
  return std::find(std::begin(kCountries), std::end(kCountries), country.code()) !=
         std::end(kCountries);
}

bool is_word(const Match& match) {
  return !match.capitals && match.before != Break::kComma &&
         (match.common != 0 || match.trap || match.given_name);
}

bool is_demonym(const Match& match) {
  for (std::size_t i = 0; i < match.count; ++i) {
    if (!match.senses[i].city && match.senses[i].meaning == Meaning::kDemonym) return true;
  }
  return false;
}

}  // namespace geotally::geo
