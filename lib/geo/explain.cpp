#include <algorithm>
#include <cmath>
#include <functional>

#include "geo/accumulate.h"
#include "geo/memory.h"
#include "geo/resolver.h"
#include "geo/resolver_tables.h"

namespace geotally::geo {

Explanation Resolver::explain(const EvidenceState& state) const {
  Explanation explanation;
  if (state == EvidenceState{}) return explanation;
  const Memory memory = unpack(state);
  Scores scores(*tables_);
  score(state, scores);
  std::vector<std::pair<float, std::size_t>> order;
  for (std::size_t i = 1; i < Country::count(); ++i) order.emplace_back(scores.total[i], i);
  constexpr std::size_t kAlternatives = 5;
  std::partial_sort(order.begin(), order.begin() + kAlternatives, order.end(), std::greater<>());
  double others = 0;
  for (std::size_t i = 1; i < order.size(); ++i) others += std::exp(order[i].first);
  for (std::size_t i = 0; i < kAlternatives; ++i) {
    const double share = others > 0 ? std::exp(order[i].first) / others : 0;
    explanation.alternatives.push_back(
        {Country::from_index(order[i].second),
         i == 0 ? scores.confidence : share * (1 - scores.confidence)});
  }
  const auto say = [&](EvidenceKind kind, Country country, double weight, std::string words) {
    explanation.pieces.push_back({kind, country, weight, std::move(words)});
  };
  for (const auto& candidate : memory.profile) {
    if (!candidate.country.known()) continue;
    const char* words = "";
    EvidenceKind kind = candidate.kind;
    switch (kind) {
      case EvidenceKind::kExplicit:
        words = "coordinates in the profile";
        break;
      case EvidenceKind::kPlace:
        words = "a place that the profile names";
        break;
      case Memory::kMention:
        kind = EvidenceKind::kPlace;
        words = "a place that the name or the description names";
        break;
      case EvidenceKind::kFlag:
        words = "a flag, or what its people are called, in the profile";
        break;
      case EvidenceKind::kDomain:
        words = "the domain of the profile's website";
        break;
      case EvidenceKind::kRegion:
        words = "the region in the profile's language";
        break;
      default:
        words = "the profile";
        break;
    }
    say(kind, candidate.country, tables_->value(memory, candidate), words);
  }
  if (memory.city != 0) {
    if (const City city = find_city(memory.city); city.id != 0) {
      say(EvidenceKind::kPlace, city.country, 0, "city: " + std::string(city.name));
    }
  }
  if (memory.domain.known()) {
    say(EvidenceKind::kDomain, memory.domain, tables_->lift_of_domain(memory.domain, tables_->weights.domain),
        "the domain of the handle");
  }
  if (memory.region.known()) {
    say(EvidenceKind::kRegion, memory.region, tables_->lift(memory.region, tables_->weights.region),
        "the region in the languages of the posts");
  }
  const auto strongest = [&](EvidenceKind kind, const std::string& words) {
    const auto index = static_cast<std::size_t>(kind);
    if (!scores.spoke[index]) return;
    const auto& row = scores.by_kind[index];
    // What it adds to the country that it favours, once the prior has its say.
    std::size_t best = 1;
    for (std::size_t i = 2; i < Country::count(); ++i) {
      if (row[i] + tables_->prior[i] > row[best] + tables_->prior[best]) best = i;
    }
    say(kind, Country::from_index(best), row[best], words);
  };
  std::string languages;
  for (const auto& language : memory.languages) {
    if (language.count == 0) continue;
    if (!languages.empty()) languages += ", ";
    languages += is_hint(language.id)
                     ? "hints of " + std::string(country_of_hint(language.id).code())
                     : LanguageTag::from_id(language.id).language();
    languages += " × " + std::to_string(language.count);
  }
  if (!languages.empty() || memory.profile_language != 0) {
    std::string words = languages.empty() ? "" : "languages of the posts: " + languages;
    if (memory.profile_language != 0) {
      words += (words.empty() ? "" : "; ") + std::string("language of the profile: ") +
               LanguageTag::from_id(memory.profile_language).language();
    }
    strongest(EvidenceKind::kLanguage, words);
  }
  std::string clock;
  const auto part = [&](const std::string& words) { clock += (clock.empty() ? "" : "; ") + words; };
  if (memory.zone.known()) part("time zone of " + std::string(memory.zone.code()));
  if (memory.zone_offset != 0) {
    part("offset " + std::to_string((memory.zone_offset - Memory::kOffsetBias) / 4.0).substr(0, 5) +
         " h");
  }
  if (memory.offset != 0) {
    part("posts dated at offset " +
         std::to_string((memory.offset - Memory::kOffsetBias) / 4.0).substr(0, 5) + " h");
  }
  if (memory.hours.count > 0)
    part("active in " + std::to_string(memory.hours.count) + " hours seen");
  if (!clock.empty()) strongest(EvidenceKind::kZone, clock);
  std::stable_sort(explanation.pieces.begin(), explanation.pieces.end(),
                   [](const auto& a, const auto& b) { return a.weight > b.weight; });
  return explanation;
}

}  // namespace geotally::geo
