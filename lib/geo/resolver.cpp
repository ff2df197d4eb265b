#include "geo/resolver.h"

#include <algorithm>
#include <cmath>

#include "geo/flags.h"
#include "geo/languages.h"
#include "geo/memory.h"

namespace geotally::geo {
namespace {

// How often each kind of evidence alone is right.
constexpr double kOneFlag = 0.93;
constexpr double kRegionTag = 0.85;
constexpr double kProfileLanguageRegion = 0.8;
// A language counts this much of its log-likelihood, because posts of one account depend on
// each other; more posts add little.
constexpr float kLanguageWeight = 1.0F;

float logit(double probability) {
  return static_cast<float>(std::log(probability / (1 - probability)));
}

// Log-odds that lift a country from its prior to `probability`.
float lift(const Languages& languages, Country country, double probability) {
  const double prior = std::exp(languages.prior()[country.index()]);
  return std::max(0.0F, logit(probability) - logit(prior));
}

void add_candidate(Memory& memory, Country country, float log_odds, EvidenceKind kind) {
  const auto strength = static_cast<std::uint8_t>(
      std::clamp(std::lround(log_odds * 2), 1L, long{Memory::kStrengthMax}));
  for (auto& candidate : memory.profile) {
    if (candidate.country == country) {
      candidate.strength = static_cast<std::uint8_t>(
          std::min<int>(candidate.strength + strength, Memory::kStrengthMax));
      return;
    }
    if (!candidate.country.known()) {
      candidate = {country, strength, kind};
      return;
    }
  }
}

void vote_region(Memory& memory, Country country) {
  if (memory.region == country) {
    if (memory.region_count < Memory::kRegionCountMax) ++memory.region_count;
  } else if (memory.region_count <= 1) {
    memory.region = country;
    memory.region_count = 1;
  } else {
    --memory.region_count;
  }
}

// Both written forms of Norwegian are one language here, as in the tables.
std::uint16_t macro_language(std::uint16_t id) {
  static const std::uint16_t bokmal = LanguageTag::parse("nb")->language_id();
  static const std::uint16_t nynorsk = LanguageTag::parse("nn")->language_id();
  static const std::uint16_t norwegian = LanguageTag::parse("no")->language_id();
  return id == bokmal || id == nynorsk ? norwegian : id;
}

void count_language(Memory& memory, std::uint16_t id) {
  std::size_t slot = 0;
  while (slot < Memory::kLanguages && memory.languages[slot].id != id &&
         memory.languages[slot].count != 0) {
    ++slot;
  }
  if (slot == Memory::kLanguages) {
    // Full: the weakest pays, so that a new habit can displace an old exception.
    auto& last = memory.languages.back();
    if (--last.count == 0) last = {};
    return;
  }
  auto& language = memory.languages[slot];
  language.id = id;
  if (language.count < Memory::kCountMax) {
    ++language.count;
  } else {
    // Saturated: the others fade, as they would in a share.
    for (std::size_t i = 0; i < Memory::kLanguages; ++i) {
      if (i != slot && memory.languages[i].count > 1) --memory.languages[i].count;
    }
  }
  while (slot > 0 && memory.languages[slot - 1].count < memory.languages[slot].count) {
    std::swap(memory.languages[slot - 1], memory.languages[slot]);
    --slot;
  }
}

}  // namespace

struct Resolver::Tables {
  Languages languages;
};

Resolver::Resolver(Options options)
    : tables_(std::make_unique<const Tables>()), options_(options) {}
Resolver::~Resolver() = default;

bool Resolver::weigh(EvidenceState& state, const Evidence& evidence) const {
  Memory memory = unpack(state);
  if (evidence.profile) {
    memory.profile = {};
    memory.city = 0;
    Flags flags;
    find_flags(evidence.display_name, flags);
    find_flags(evidence.location, flags);
    find_flags(evidence.description, flags);
    // Several flags are a list of interests: each says less, the first the most.
    for (std::size_t i = 0; i < std::min(flags.count, Memory::kCandidates); ++i) {
      const double probability =
          flags.count == 1 ? kOneFlag : 0.6 / static_cast<double>(flags.count + i);
      const float log_odds = lift(tables_->languages, flags.countries[i], probability);
      if (log_odds > 0) add_candidate(memory, flags.countries[i], log_odds, EvidenceKind::kFlag);
    }
    if (const Country region = evidence.profile_language.region(); region.known()) {
      add_candidate(memory, region, lift(tables_->languages, region, kProfileLanguageRegion),
                    EvidenceKind::kRegion);
    }
  }
  if (evidence.post) {
    for (const LanguageTag tag : evidence.languages) {
      if (tag.empty()) continue;
      count_language(memory, macro_language(tag.language_id()));
      if (tag.region().known()) vote_region(memory, tag.region());
    }
  }
  const EvidenceState packed = pack(memory);
  if (packed == state) return false;
  state = packed;
  return true;
}

Resolution Resolver::resolve(const EvidenceState& state) const {
  const Memory memory = unpack(state);
  std::array<float, Country::kLimit> score = tables_->languages.prior();
  std::array<float, kEvidenceKinds> gains{};
  const auto add = [&](Country country, float log_odds) { score[country.index()] += log_odds; };

  for (const auto& candidate : memory.profile) {
    if (candidate.country.known())
      add(candidate.country, static_cast<float>(candidate.strength) / 2);
  }
  if (memory.region.known())
    add(memory.region, lift(tables_->languages, memory.region, kRegionTag));
  float posts = 0;
  for (const auto& language : memory.languages) posts += language.count;
  for (const auto& language : memory.languages) {
    const float share = language.count == 0 ? 0 : language.count / posts;
    for (const auto& use : tables_->languages.uses(language.id)) {
      score[use.country] += kLanguageWeight * share * use.gain;
    }
  }

  const std::size_t best = static_cast<std::size_t>(
      std::max_element(score.begin() + 1,
                       score.begin() + static_cast<std::ptrdiff_t>(Country::count())) -
      score.begin());
  double total = 0;
  for (std::size_t i = 1; i < Country::count(); ++i) total += std::exp(score[i] - score[best]);
  const Country country = Country::from_index(best);

  // The kind that speaks loudest for the answer.
  for (const auto& candidate : memory.profile) {
    if (candidate.country == country) {
      gains[static_cast<std::size_t>(candidate.kind)] += static_cast<float>(candidate.strength) / 2;
    }
  }
  if (memory.region == country) {
    gains[static_cast<std::size_t>(EvidenceKind::kRegion)] +=
        lift(tables_->languages, country, kRegionTag);
  }
  for (const auto& language : memory.languages) {
    for (const auto& use : tables_->languages.uses(language.id)) {
      if (use.country == best && language.count != 0) {
        gains[static_cast<std::size_t>(EvidenceKind::kLanguage)] +=
            kLanguageWeight * language.count / posts * use.gain;
      }
    }
  }
  const auto loudest = std::max_element(gains.begin(), gains.end());
  Resolution resolution;
  if (*loudest <= 0) return resolution;
  const double confidence = 1 / total;
  resolution.confidence = static_cast<std::uint8_t>(confidence * 255);
  if (confidence < options_.threshold) return resolution;
  resolution.country = country;
  resolution.evidence = static_cast<EvidenceKind>(loudest - gains.begin());
  return resolution;
}

}  // namespace geotally::geo
