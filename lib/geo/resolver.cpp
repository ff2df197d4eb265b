#include "geo/resolver.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "geo/accumulate.h"
#include "geo/detect.h"
#include "geo/dialect.h"
#include "geo/domains.h"
#include "geo/flags.h"
#include "geo/memory.h"
#include "geo/per_country.h"
#include "geo/places.h"
#include "geo/resolver_tables.h"
#include "geo/usual_post.h"

namespace geotally::geo {
namespace {

// A few posts say nothing of when an account is awake.
constexpr std::uint8_t kHoursMin = 8;

// All that most posts say: one language, or none, and when.
bool says_no_more_than_a_language(const Evidence& evidence) {
  return evidence.post && !evidence.profile && evidence.handle.empty() && evidence.text.empty() &&
         evidence.utc_offset_s == Evidence::kNoOffset && evidence.languages.size() <= 1;
}

// Fewer posts than these in a language may be a mistake of a detector, or of a hurried thumb.
constexpr std::uint8_t kSeveralPosts = 4;

// From this probability on, a language is mostly one country's. Not so English, however probable
// the United States are.
constexpr float kOfOneCountry = 0.55F;

// A language with a region, and whether several posts are in it.
std::uint32_t alone_key(const Memory::Language& language, Country region) {
  return std::uint32_t{language.id} << 9 | std::uint32_t{language.count >= kSeveralPosts} << 8 |
         static_cast<std::uint32_t>(region.index());
}

Basis basis_of(const Memory& memory, Country country, EvidenceKind kind) {
  switch (kind) {
    case EvidenceKind::kExplicit:
      return Basis::kPlace;
    case EvidenceKind::kPlace:
      for (const auto& candidate : memory.profile) {
        if (candidate.country == country && candidate.kind == Memory::kMention)
          return Basis::kMention;
      }
      return Basis::kPlace;
    case EvidenceKind::kFlag:
      return Basis::kFlag;
    case EvidenceKind::kLanguage:
      return Basis::kLanguage;
    case EvidenceKind::kRegion:
    case EvidenceKind::kDomain:
      return Basis::kDeclared;
    default:
      return Basis::kOther;
  }
}

}  // namespace

Resolver::Resolver(Options options)
    : tables_(std::make_unique<const Tables>(options)), options_(std::move(options)) {
  for (const std::uint16_t id : tables_->languages.ids()) {
    const auto learn = [&](Country region) {
      for (const std::uint8_t posts : {std::uint8_t{1}, kSeveralPosts}) {
        Memory memory;
        memory.languages[0] = {id, posts};
        memory.region = region;
        memory.region_count = region.known() ? 1 : 0;
        alone_.emplace_back(alone_key(memory.languages[0], region), judge(pack(memory)));
      }
    };
    learn(kUnknownCountry);
    for (const auto& use : tables_->languages.uses(id)) learn(Country::from_index(use.country));
  }
  std::sort(alone_.begin(), alone_.end(),
            [](const auto& a, const auto& b) { return a.first < b.first; });
}
Resolver::~Resolver() = default;

// A word of a country's dialect counts only in a language that is written there.
Country Resolver::dialect_of(std::string_view text, LanguageTag tag, int& words) const {
  const Dialect dialect = read_dialect(tables_->table, text);
  words = dialect.words;
  if (words == 0) return kUnknownCountry;
  // Detection is slow, so only where something hangs on it.
  if (tag.empty()) tag = detect_language(text);
  const std::uint16_t language = macro_language(tag.language_id());
  for (const auto& use : tables_->languages.uses(language)) {
    if (use.country == dialect.country.index() && use.spoken) return dialect.country;
  }
  return kUnknownCountry;
}

void Resolver::hint(Memory& memory, std::string_view text, LanguageTag language) const {
  int words = 0;
  if (const Country country = dialect_of(text, language, words); country.known()) {
    for (int i = 0; i < words; ++i) count_language(memory, hint_of(country));
  }
  Reading reading;
  read_places(tables_->table, tables_->prior, text, Field::kPost, 0, reading);
  reading.sort();
  if (reading.count == 0 || !reading.items[0].confirmed) return;
  for (int i = 0; i < 2; ++i) count_language(memory, hint_of(reading.items[0].country));
}

bool Resolver::weigh(EvidenceState& state, const Evidence& evidence) const {
  if (says_no_more_than_a_language(evidence)) {
    const LanguageTag language = evidence.languages.empty() ? LanguageTag() : evidence.languages[0];
    const UsualPost usual = count_usual_post(state, language, evidence.utc_hour);
    if (usual != UsualPost::kUnusual) return usual == UsualPost::kMagnitude;
  }
  return weigh_all(state, evidence);
}

// By itself, so that a usual post needs no room on the stack for the rest.
bool Resolver::weigh_all(EvidenceState& state, const Evidence& evidence) const {
  const Memory before = unpack(state);
  Memory memory = before;
  if (evidence.profile) {
    memory.profile = {};
    memory.profile_language = 0;
    memory.zone = kUnknownCountry;
    memory.zone_offset = 0;
    memory.city = 0;

    const auto take = [&](Reading& reading, EvidenceKind place) {
      reading.sort();
      for (std::size_t i = 0; i < reading.count; ++i) {
        const auto& item = reading.items[i];
        // What its people are called is as good as its name, where a place is asked for.
        const bool demonym = item.demonym && place == Memory::kMention;
        add_candidate(memory, item.country, item.lift,
                      item.coordinates ? EvidenceKind::kExplicit
                      : demonym        ? EvidenceKind::kFlag
                                       : place);
        if (memory.city == 0 && i == 0 && item.city <= Memory::kCityMax) memory.city = item.city;
      }
    };
    Reading location;
    read_places(tables_->table, tables_->prior, evidence.location, Field::kLocation,
                kStoredLocation, location);
    take(location, EvidenceKind::kPlace);
    Reading description;
    read_places(tables_->table, tables_->prior, evidence.description, Field::kDescription,
                kStoredDescription, description);
    read_places(tables_->table, tables_->prior, evidence.display_name, Field::kDescription,
                kStoredDescription, description);
    take(description, Memory::kMention);

    if (!evidence.description.empty()) {
      int words = 0;
      const Country country = dialect_of(evidence.description, LanguageTag(), words);
      if (country.known()) {
        add_candidate(memory, country, kStoredHint * std::log1p(static_cast<float>(words)),
                      EvidenceKind::kLanguage);
      }
    }
    // A flag in a field for places is meant as one.
    Flags located;
    find_flags(evidence.location, located);
    Flags flags;
    find_flags(evidence.display_name, flags);
    find_flags(evidence.location, flags);
    find_flags(evidence.description, flags);
    // Several flags are a list of interests: each says less, the first the most.
    for (std::size_t i = 0; i < std::min(flags.count, Memory::kCandidates); ++i) {
      const Country country = flags.countries[i];
      const double probability =
          flags.count == 1 ? kStoredFlag : kStoredFlags / static_cast<double>(flags.count + i);
      add_candidate(memory, country, tables_->lift(country, probability),
                    located.holds(country) ? EvidenceKind::kPlace : EvidenceKind::kFlag);
    }
    Country site = country_of_website(tables_->table, evidence.website);
    // Where there is no field for it, the site stands in the description.
    if (!site.known()) site = country_of_links(tables_->table, evidence.description);
    if (site.known()) {
      add_candidate(memory, site, tables_->lift_of_domain(site, kStoredWebsite),
                    EvidenceKind::kDomain);
    }
    if (const Country region = evidence.profile_language.region(); region.known()) {
      add_candidate(memory, region, tables_->lift(region, kStoredProfileRegion),
                    EvidenceKind::kRegion);
    }
    memory.profile_language = macro_language(evidence.profile_language.language_id());
    if (const Zone* zone = tables_->table.find_zone(evidence.time_zone)) {
      memory.zone = tables_->table.country(zone->country);
      memory.zone_offset = static_cast<std::uint8_t>(zone->winter + Memory::kOffsetBias);
    } else if (evidence.utc_offset_s != Evidence::kNoOffset) {
      memory.zone_offset = pack_offset(evidence.utc_offset_s);
    }
    std::stable_sort(memory.profile.begin(), memory.profile.end(),
                     [](const auto& a, const auto& b) { return a.strength > b.strength; });
  }
  if (!evidence.handle.empty()) memory.domain = country_of_domain(tables_->table, evidence.handle);
  if (evidence.post) {
    LanguageTag detected;
    if (!evidence.text.empty() && (evidence.languages.empty() || evidence.languages[0].empty())) {
      detected = detect_language(evidence.text);
    }
    if (!evidence.text.empty()) {
      const LanguageTag language = !detected.empty()            ? detected
                                   : evidence.languages.empty() ? LanguageTag()
                                                                : evidence.languages[0];
      hint(memory, evidence.text, language);
    }
    if (!detected.empty()) count_language(memory, macro_language(detected.language_id()));
    for (const LanguageTag tag : evidence.languages) {
      if (tag.empty()) continue;
      count_language(memory, macro_language(tag.language_id()));
      if (tag.region().known()) vote_region(memory, tag.region());
    }
    // Most clients write UTC, so that an offset of zero says nothing.
    if (evidence.utc_offset_s != Evidence::kNoOffset && evidence.utc_offset_s != 0) {
      memory.offset = pack_offset(evidence.utc_offset_s);
    }
    if (evidence.utc_hour != Evidence::kNoHour) count_hour(memory.hours, evidence.utc_hour);
  }
  if (memory == before) return false;
  state = pack(memory);
  return !same_magnitude(memory, before);
}

void Resolver::score(const EvidenceState& state, Scores& scores) const {
  const Tables& tables = *tables_;
  const Weights& weights = tables.weights;
  const Memory memory = unpack(state);

  for (const auto& candidate : memory.profile) {
    if (!candidate.country.known()) continue;
    const EvidenceKind kind =
        candidate.kind == Memory::kMention ? EvidenceKind::kPlace : candidate.kind;
    scores.add(kind, candidate.country, tables.value(memory, candidate));
  }
  if (memory.domain.known()) {
    scores.add(EvidenceKind::kDomain, memory.domain, tables.lift_of_domain(memory.domain, weights.domain));
  }
  if (memory.region.known()) {
    scores.add(EvidenceKind::kRegion, memory.region, tables.lift(memory.region, weights.region));
  }
  float posts = 0;
  for (const auto& language : memory.languages) {
    if (!is_hint(language.id)) posts += language.count;
  }
  for (const auto& language : memory.languages) {
    if (language.count == 0) continue;
    if (is_hint(language.id)) {
      const Country country = country_of_hint(language.id);
      if (country.known()) {
        scores.add(EvidenceKind::kLanguage, country,
                   weights.hint * std::log1p(static_cast<float>(language.count)));
      }
      continue;
    }
    const float factor = weights.language * static_cast<float>(language.count) / posts;
    scores.add_language(
        language.id, factor,
        language.count < kSeveralPosts ? &Languages::Use::gain_of_few : &Languages::Use::gain);
  }
  if (memory.profile_language != 0) {
    const float factor =
        memory.profile_language == english() ? weights.profile_english : weights.profile_language;
    scores.add_language(memory.profile_language, factor, &Languages::Use::gain);
  }
  if (memory.zone.known()) {
    const auto of = static_cast<std::size_t>(tables.zones.of(memory.zone, memory.zone_offset));
    const std::array<float, kZoneClasses> zone = {weights.zone_own, weights.zone_suggested,
                                                  weights.zone_american};
    const std::array<float, kZoneClasses> clock = {weights.clock_own, weights.clock_suggested,
                                                   weights.clock_american};
    scores.add(EvidenceKind::kZone, memory.zone, zone[of]);
    scores.add_offset(tables.then_in_january, memory.zone_offset, clock[of]);
  } else if (memory.zone_offset != 0) {
    scores.add_offset(tables.then, memory.zone_offset, weights.clock_suggested);
  }
  if (memory.offset != 0) scores.add_offset(tables.now, memory.offset, weights.offset);
  if (memory.hours.count >= kHoursMin && (memory.hours.x != 0 || memory.hours.y != 0)) {
    // People post around 15 h of their own clock; the middle of an account's hours lies within
    // some 3 h of it, and is known the better the more hours were seen.
    constexpr double kMiddle = 15.5 / 24 * 2 * std::numbers::pi;
    const double x = memory.hours.x / 2.0;
    const double y = memory.hours.y / 2.0;
    const double length = std::sqrt(x * x + y * y) / memory.hours.count;
    const double concentration =
        weights.hours * 2.0 * length * std::min(1.0, memory.hours.count / 24.0);
    // The cosine of the angle between this middle and a country's, as a product of vectors.
    const double angle = std::atan2(y, x) - kMiddle;
    const auto along = static_cast<float>(concentration * std::cos(angle));
    const auto across = static_cast<float>(concentration * std::sin(angle));
    scores.add_hours(along, across, static_cast<float>(concentration));
  }

  // Places without a country are impossible in the prior, so that whole arrays can be summed.
  scores.total = tables.prior;
  for (std::size_t k = 0; k < kEvidenceKinds; ++k) {
    if (scores.spoke[k]) add(scores.by_kind[k], scores.total);
  }
  const Peak peak = peak_of(scores.total);
  scores.best = peak.place;
  scores.probability = peak.probability;
  // The kind that speaks loudest for the answer, against what it says of the others on average.
  float loudest = 0;
  for (std::size_t k = 1; k < kEvidenceKinds; ++k) {
    if (!scores.spoke[k]) continue;
    const float gain = scores.by_kind[k][scores.best] - scores.average[k];
    if (gain > loudest) {
      loudest = gain;
      scores.kind = static_cast<EvidenceKind>(k);
    }
  }

  // How far such an answer can be trusted depends on what it rests on. Hours alone say too little
  // of a country to agree.
  constexpr float kSpeaks = 1;  // nat
  const bool clock = memory.zone.known() || memory.zone_offset != 0 || memory.offset != 0;
  int speaking = 0;
  for (std::size_t k = 1; k < kEvidenceKinds; ++k) {
    if (static_cast<EvidenceKind>(k) == EvidenceKind::kZone && !clock) continue;
    if (scores.spoke[k] && scores.by_kind[k][scores.best] - scores.average[k] >= kSpeaks) {
      ++speaking;
    }
  }
  const Basis basis = basis_of(memory, Country::from_index(scores.best), scores.kind);
  const auto& leading = memory.languages[0];
  const bool decides = leading.count >= kSeveralPosts && leading.id != english() &&
                       scores.probability >= kOfOneCountry;
  scores.ground.basis = basis;
  scores.ground.agreement = speaking > 1;
  scores.ground.weak =
      !scores.ground.agreement && (basis == Basis::kFlag || (basis == Basis::kOther && !clock) ||
                                   (basis == Basis::kLanguage && !decides));
  scores.confidence = confidence_of(weights, scores.probability, scores.ground);
}

Ground Resolver::ground(const EvidenceState& state) const {
  Scores scores(*tables_);
  score(state, scores);
  return scores.ground;
}

std::string_view to_string(Basis basis) {
  static constexpr std::array<std::string_view, kBases> kNames = {
      "languages", "place", "place in description", "flag", "domain or region", "zone"};
  return kNames.at(static_cast<std::size_t>(basis));
}

Resolution Resolver::resolve(const EvidenceState& state) const {
  if (state == EvidenceState{}) return {};
  // How often hardly matters where there is one, nor do hours of which few were seen.
  Memory memory = unpack(state);
  const std::uint32_t key = alone_key(memory.languages[0], memory.region);
  if (memory.hours.count < kHoursMin && memory.languages[0].count > 0) {
    memory.languages[0] = {};
    memory.hours = {};
    memory.region = kUnknownCountry;
    memory.region_count = 0;
    if (memory == Memory{}) {
      const auto found = std::lower_bound(
          alone_.begin(), alone_.end(), key,
          [](const auto& one, std::uint32_t wanted) { return one.first < wanted; });
      if (found != alone_.end() && found->first == key) return found->second;
    }
  }
  return judge(state);
}

Resolution Resolver::judge(const EvidenceState& state) const {
  Resolution resolution;
  Scores scores(*tables_);
  score(state, scores);
  if (scores.kind == EvidenceKind::kNone) return resolution;
  resolution.confidence = static_cast<std::uint8_t>(scores.confidence * 255);
  if (scores.confidence < options_.threshold) return resolution;
  resolution.country = Country::from_index(scores.best);
  resolution.evidence = scores.kind;
  return resolution;
}

City Resolver::find_city(std::uint32_t id) const {
  const PlaceRecord* place = id == 0 ? nullptr : tables_->table.find_place(id);
  if (place == nullptr) return {};
  return {id, tables_->table.country(place->country), tables_->table.name(*place)};
}

City Resolver::city(const EvidenceState& state) const {
  return find_city(city_in(state, resolve(state).country));
}

std::uint32_t Resolver::city_in(const EvidenceState& state, Country country) const {
  const City city = find_city(city_of(state));
  return country.known() && city.country == country ? city.id : 0;
}

Country Resolver::country_at(double latitude, double longitude) const {
  return tables_->table.country_at(latitude, longitude);
}

double Resolver::probability(const EvidenceState& state, Country country) const {
  Scores scores(*tables_);
  score(state, scores);
  return scores.probability * std::exp(scores.total[country.index()] - scores.total[scores.best]);
}

std::size_t Resolver::table_bytes() const { return tables_->table.bytes(); }

std::string_view Resolver::licences() const { return tables_->table.licences(); }

}  // namespace geotally::geo
