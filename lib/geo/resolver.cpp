#include "geo/resolver.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "geo/detect.h"
#include "geo/domains.h"
#include "geo/flags.h"
#include "geo/languages.h"
#include "geo/memory.h"
#include "geo/places.h"
#include "geo/table.h"
#include "geo/weights.h"

namespace geotally::geo {
namespace {

constexpr int kQuarterHour = 900;  // s

float logit(double probability) {
  return static_cast<float>(std::log(probability / (1 - probability)));
}

std::uint8_t pack_offset(std::int32_t seconds) {
  const int quarters = seconds / kQuarterHour + Memory::kOffsetBias;
  return quarters > 0 && quarters < 128 ? static_cast<std::uint8_t>(quarters) : std::uint8_t{0};
}

// Half nats, as they are stored.
void add_candidate(Memory& memory, Country country, float log_odds, EvidenceKind kind) {
  const auto halves = std::lround(log_odds * 2);
  if (halves < 1) return;
  const auto strength = static_cast<std::uint8_t>(std::min(halves, long{Memory::kStrengthMax}));
  auto* weakest = &memory.profile[0];
  for (auto& candidate : memory.profile) {
    if (candidate.country == country) {
      // The louder piece names the kind.
      if (strength > candidate.strength) candidate.kind = kind;
      candidate.strength = static_cast<std::uint8_t>(
          std::min<int>(candidate.strength + strength, Memory::kStrengthMax));
      return;
    }
    if (candidate.strength < weakest->strength) weakest = &candidate;
  }
  if (weakest->strength < strength) *weakest = {country, strength, kind};
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

std::uint16_t english() {
  static const std::uint16_t id = LanguageTag::parse("en")->language_id();
  return id;
}

// What posts hint of a country, by its words or by places that confirm each other, is counted
// among the languages, under numbers that no language has: the first letter would be the 27th.
constexpr std::uint16_t kHint = 27 << 10;
std::uint16_t hint_of(Country country) {
  const std::string_view code = country.code();
  return static_cast<std::uint16_t>(kHint | (code[0] - 'A' + 1) << 5 | (code[1] - 'A' + 1));
}
bool is_hint(std::uint16_t id) { return id >= kHint; }
Country country_of_hint(std::uint16_t id) {
  const char code[] = {static_cast<char>('A' + (id >> 5 & 31) - 1),
                       static_cast<char>('A' + (id & 31) - 1)};
  return Country::parse({code, 2}).value_or(kUnknownCountry);
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

// One vote for every hour in which a post was seen, however many posts it held.
void count_hour(Memory& memory, std::uint8_t hour) {
  if (hour > 23 || memory.last_hour == hour + 1) return;
  memory.last_hour = static_cast<std::uint8_t>(hour + 1);
  if (memory.hour_count == Memory::kHourCountMax) {
    memory.hour_x = static_cast<std::int8_t>(memory.hour_x / 2);
    memory.hour_y = static_cast<std::int8_t>(memory.hour_y / 2);
    memory.hour_count = Memory::kHourCountMax / 2;
  }
  const double angle = 2 * std::numbers::pi * (hour + 0.5) / 24;
  const auto moved = [](std::int8_t sum, double step) {
    return static_cast<std::int8_t>(std::clamp<long>(sum + std::lround(2 * step), -63, 63));
  };
  memory.hour_x = moved(memory.hour_x, std::cos(angle));
  memory.hour_y = moved(memory.hour_y, std::sin(angle));
  ++memory.hour_count;
}

}  // namespace

struct Resolver::Tables {
  explicit Tables(const Options& options)
      : table(options.table.empty() ? default_table_path() : options.table),
        weights(options.weights == nullptr ? Weights{} : *options.weights) {
    for (std::size_t i = 0; i < prior.size(); ++i) {
      prior[i] = weights.prior * languages.prior()[i];
    }
    double total = 0;
    for (std::size_t i = 1; i < Country::count(); ++i) total += std::exp(prior[i]);
    for (std::size_t i = 1; i < Country::count(); ++i) {
      prior[i] = std::max(prior[i] - static_cast<float>(std::log(total)), kPriorMin);
    }
    prior[0] = kImpossible;
    read_offsets();
  }

  // Log-odds that lift a country from its prior to `probability`.
  [[nodiscard]] float lift(Country country, double probability) const {
    return std::max(0.0F, logit(probability) - logit(std::exp(prior[country.index()])));
  }

  // How likely an offset is for a country's inhabitants, as log-likelihood.
  void read_offsets() {
    constexpr float kFloor = 0.08F;  // travellers, and clocks that are set wrong
    for (auto& row : by_offset) row.fill(std::log(kFloor));
    std::array<std::array<float, 128>, Country::kLimit> shares{};
    for (const OffsetShare& row : table.offsets()) {
      auto& country = shares[table.country(row.country).index()];
      const float share = static_cast<float>(row.share) / 255;
      for (const int quarters : {int{row.winter}, int{row.summer}}) {
        auto& slot = country[static_cast<std::size_t>(quarters + Memory::kOffsetBias)];
        slot = std::min(1.0F, slot + share);
        if (row.winter == row.summer) break;
      }
    }
    for (std::size_t c = 0; c < Country::kLimit; ++c) {
      double x = 0;
      double y = 0;
      for (std::size_t o = 0; o < 128; ++o) {
        if (shares[c][o] > 0) by_offset[o][c] = std::log(kFloor + (1 - kFloor) * shares[c][o]);
        const double angle =
            2 * std::numbers::pi * (static_cast<double>(o) - Memory::kOffsetBias) / 96;
        x += shares[c][o] * std::cos(angle);
        y += shares[c][o] * std::sin(angle);
      }
      mean_offset[c] = static_cast<float>(std::atan2(y, x));
    }
  }

  static constexpr float kPriorMin = -11.5F;
  static constexpr float kImpossible = -100.0F;
  Table table;
  Languages languages;
  Weights weights;
  Prior prior{};
  std::array<std::array<float, Country::kLimit>, 128> by_offset{};  // by packed offset
  std::array<float, Country::kLimit> mean_offset{};                 // radians east of UTC
};

struct Resolver::Scores {
  std::array<float, Country::kLimit> total;
  // What each kind of evidence says, so that the answer can name the one that decided.
  std::array<std::array<float, Country::kLimit>, kEvidenceKinds> by_kind;
  std::array<bool, kEvidenceKinds> spoke{};
  std::size_t best = 0;
  double probability = 0;  ///< uncalibrated, of `best`
  double confidence = 0;
  EvidenceKind kind = EvidenceKind::kNone;

  std::array<float, Country::kLimit>& row(EvidenceKind which) {
    const auto index = static_cast<std::size_t>(which);
    if (!spoke[index]) by_kind[index].fill(0);
    spoke[index] = true;
    return by_kind[index];
  }
};

Resolver::Resolver(Options options)
    : tables_(std::make_unique<const Tables>(options)), options_(std::move(options)) {}
Resolver::~Resolver() = default;

// A word of a country's dialect counts only in a language that is written there.
Country Resolver::dialect_of(std::string_view text, LanguageTag tag, int& words) const {
  const Dialect dialect = read_dialect(tables_->table, text);
  words = dialect.words;
  if (words == 0) return kUnknownCountry;
  // Detection is slow, so only where something hangs on it.
  if (tag.empty()) tag = detect_language(text);
  const std::uint16_t language = macro_language(tag.language_id());
  constexpr float kSpoken = 1.0F;
  for (const auto& use : tables_->languages.uses(language)) {
    if (use.country == dialect.country.index() && use.gain > kSpoken) return dialect.country;
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

namespace {

// 0, 1, 4, 16: the largest that is not above `count`.
std::uint8_t fourfold(std::uint8_t count) {
  return count < 4 ? std::min<std::uint8_t>(count, 1) : count < 16 ? 4 : 16;
}

// What of a memory the answer really follows: counts rise with every post, but the answer moves
// with their order of magnitude, and hours say nothing before there are several. A busy account is
// resolved a few times and not at each post.
Memory magnitude(Memory memory) {
  for (Memory::Language& language : memory.languages) language.count = fourfold(language.count);
  memory.region_count = fourfold(memory.region_count);
  memory.hour_count = memory.hour_count < 8 ? 0 : memory.hour_count < 16 ? 8 : 16;
  memory.hour_x = 0;
  memory.hour_y = 0;
  memory.last_hour = 0;
  return memory;
}

}  // namespace

bool Resolver::weigh(EvidenceState& state, const Evidence& evidence) const {
  const Weights& weights = tables_->weights;
  const Memory before = unpack(state);
  Memory memory = before;
  if (evidence.profile) {
    memory.profile = {};
    memory.profile_language = 0;
    memory.zone = kUnknownCountry;
    memory.zone_offset = 0;
    memory.city = 0;

    const auto take = [&](Reading& reading) {
      reading.sort();
      for (std::size_t i = 0; i < reading.count; ++i) {
        const auto& item = reading.items[i];
        add_candidate(memory, item.country, item.lift,
                      item.coordinates ? EvidenceKind::kExplicit
                      : item.demonym   ? EvidenceKind::kFlag
                                       : EvidenceKind::kPlace);
        if (memory.city == 0 && i == 0 && item.city <= Memory::kCityMax) memory.city = item.city;
      }
    };
    Reading location;
    read_places(tables_->table, tables_->prior, evidence.location, Field::kLocation,
                weights.location, location);
    take(location);
    Reading description;
    read_places(tables_->table, tables_->prior, evidence.description, Field::kDescription,
                weights.description, description);
    read_places(tables_->table, tables_->prior, evidence.display_name, Field::kDescription,
                weights.description, description);
    take(description);

    if (!evidence.description.empty()) {
      int words = 0;
      const Country country = dialect_of(evidence.description, LanguageTag(), words);
      if (country.known()) {
        add_candidate(memory, country, weights.hint * std::log1p(static_cast<float>(words)),
                      EvidenceKind::kLanguage);
      }
    }
    Flags flags;
    find_flags(evidence.display_name, flags);
    find_flags(evidence.location, flags);
    find_flags(evidence.description, flags);
    // Several flags are a list of interests: each says less, the first the most.
    for (std::size_t i = 0; i < std::min(flags.count, Memory::kCandidates); ++i) {
      const double probability =
          flags.count == 1 ? weights.flag : weights.flags / static_cast<double>(flags.count + i);
      add_candidate(memory, flags.countries[i], tables_->lift(flags.countries[i], probability),
                    EvidenceKind::kFlag);
    }
    if (const Country country = country_of_website(evidence.website); country.known()) {
      add_candidate(memory, country, tables_->lift(country, weights.website),
                    EvidenceKind::kDomain);
    }
    if (const Country region = evidence.profile_language.region(); region.known()) {
      add_candidate(memory, region, tables_->lift(region, weights.profile_region),
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
  if (!evidence.handle.empty()) memory.domain = country_of_handle(evidence.handle);
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
    if (evidence.utc_hour != Evidence::kNoHour) count_hour(memory, evidence.utc_hour);
  }
  if (memory == before) return false;
  state = pack(memory);
  return !(magnitude(memory) == magnitude(before));
}

void Resolver::score(const EvidenceState& state, Scores& scores) const {
  const Tables& tables = *tables_;
  const Weights& weights = tables.weights;
  const Memory memory = unpack(state);

  for (const auto& candidate : memory.profile) {
    if (!candidate.country.known()) continue;
    scores.row(candidate.kind)[candidate.country.index()] +=
        static_cast<float>(candidate.strength) / 2;
  }
  if (memory.domain.known()) {
    scores.row(EvidenceKind::kDomain)[memory.domain.index()] +=
        tables.lift(memory.domain, weights.domain);
  }
  if (memory.region.known()) {
    scores.row(EvidenceKind::kRegion)[memory.region.index()] +=
        tables.lift(memory.region, weights.region);
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
        scores.row(EvidenceKind::kLanguage)[country.index()] +=
            weights.hint * std::log1p(static_cast<float>(language.count));
      }
      continue;
    }
    const float factor = weights.language * static_cast<float>(language.count) / posts;
    const auto uses = tables.languages.uses(language.id);
    if (uses.empty()) continue;
    auto& row = scores.row(EvidenceKind::kLanguage);
    for (const auto& use : uses) row[use.country] += factor * use.gain;
  }
  if (memory.profile_language != 0) {
    const float factor =
        memory.profile_language == english() ? weights.profile_english : weights.profile_language;
    const auto uses = tables.languages.uses(memory.profile_language);
    if (!uses.empty()) {
      auto& row = scores.row(EvidenceKind::kLanguage);
      for (const auto& use : uses) row[use.country] += factor * use.gain;
    }
  }
  const std::size_t count = Country::count();
  if (memory.zone_offset != 0 && weights.zone_offset > 0) {
    auto& row = scores.row(EvidenceKind::kZone);
    const auto& likelihood = tables.by_offset[memory.zone_offset];
    for (std::size_t i = 1; i < count; ++i) row[i] += weights.zone_offset * likelihood[i];
  }
  if (memory.zone.known()) scores.row(EvidenceKind::kZone)[memory.zone.index()] += weights.zone;
  if (memory.offset != 0 && weights.offset > 0) {
    auto& row = scores.row(EvidenceKind::kZone);
    const auto& likelihood = tables.by_offset[memory.offset];
    for (std::size_t i = 1; i < count; ++i) row[i] += weights.offset * likelihood[i];
  }
  // A few posts say nothing of when an account is awake.
  constexpr std::uint8_t kHoursMin = 8;
  if (memory.hour_count >= kHoursMin && (memory.hour_x != 0 || memory.hour_y != 0)) {
    // People post around 15 h of their own clock; the middle of an account's hours lies within
    // some 3 h of it, and is known the better the more hours were seen.
    constexpr double kMiddle = 15.5 / 24 * 2 * std::numbers::pi;
    const double x = memory.hour_x / 2.0;
    const double y = memory.hour_y / 2.0;
    const double length = std::sqrt(x * x + y * y) / memory.hour_count;
    const double concentration =
        weights.hours * 2.0 * length * std::min(1.0, memory.hour_count / 24.0);
    const double angle = std::atan2(y, x);
    auto& row = scores.row(EvidenceKind::kZone);
    for (std::size_t i = 1; i < count; ++i) {
      row[i] += static_cast<float>(concentration *
                                   (std::cos(angle + tables.mean_offset[i] - kMiddle) - 1));
    }
  }

  scores.total = tables.prior;
  for (std::size_t k = 0; k < kEvidenceKinds; ++k) {
    if (!scores.spoke[k]) continue;
    for (std::size_t i = 1; i < count; ++i) scores.total[i] += scores.by_kind[k][i];
  }
  const auto* best = std::max_element(scores.total.begin() + 1,
                                      scores.total.begin() + static_cast<std::ptrdiff_t>(count));
  scores.best = static_cast<std::size_t>(best - scores.total.begin());
  double total = 0;
  for (std::size_t i = 1; i < count; ++i) total += std::exp(scores.total[i] - *best);
  scores.probability = 1 / total;
  constexpr double kSure = 0.9999;
  const double odds = logit(std::min(scores.probability, kSure));
  scores.confidence = weights.ceiling / (1 + std::exp(-(weights.slope * odds + weights.intercept)));

  // The kind that speaks loudest for the answer, against what it says of the others on average.
  float loudest = 0;
  for (std::size_t k = 1; k < kEvidenceKinds; ++k) {
    if (!scores.spoke[k]) continue;
    float average = 0;
    for (std::size_t i = 1; i < count; ++i) {
      average += std::exp(tables.prior[i]) * scores.by_kind[k][i];
    }
    const float gain = scores.by_kind[k][scores.best] - average;
    if (gain > loudest) {
      loudest = gain;
      scores.kind = static_cast<EvidenceKind>(k);
    }
  }
}

Resolution Resolver::resolve(const EvidenceState& state) const {
  Resolution resolution;
  if (state == EvidenceState{}) return resolution;
  Scores scores;
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
  const City city = find_city(unpack(state).city);
  return city.id != 0 && city.country == resolve(state).country ? city : City{};
}

Country Resolver::country_at(double latitude, double longitude) const {
  return tables_->table.country_at(latitude, longitude);
}

double Resolver::probability(const EvidenceState& state, Country country) const {
  Scores scores;
  score(state, scores);
  return scores.probability * std::exp(scores.total[country.index()] - scores.total[scores.best]);
}

std::size_t Resolver::table_bytes() const { return tables_->table.bytes(); }

std::string_view Resolver::licences() const { return tables_->table.licences(); }

Explanation Resolver::explain(const EvidenceState& state) const {
  Explanation explanation;
  if (state == EvidenceState{}) return explanation;
  const Memory memory = unpack(state);
  Scores scores;
  score(state, scores);
  std::vector<std::pair<float, std::size_t>> order;
  for (std::size_t i = 1; i < Country::count(); ++i) order.emplace_back(scores.total[i], i);
  constexpr std::size_t kAlternatives = 5;
  std::partial_sort(order.begin(), order.begin() + kAlternatives, order.end(), std::greater<>());
  for (std::size_t i = 0; i < kAlternatives; ++i) {
    const double raw = scores.probability * std::exp(order[i].first - order[0].first);
    const double shared =
        scores.probability < 1 ? raw / (1 - scores.probability) * (1 - scores.confidence) : 0;
    explanation.alternatives.push_back(
        {Country::from_index(order[i].second), i == 0 ? scores.confidence : shared});
  }
  const auto say = [&](EvidenceKind kind, Country country, double weight, std::string words) {
    explanation.pieces.push_back({kind, country, weight, std::move(words)});
  };
  for (const auto& candidate : memory.profile) {
    if (!candidate.country.known()) continue;
    const char* words = "";
    switch (candidate.kind) {
      case EvidenceKind::kExplicit:
        words = "coordinates in the profile";
        break;
      case EvidenceKind::kPlace:
        words = "a place that the profile names";
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
    say(candidate.kind, candidate.country, candidate.strength / 2.0, words);
  }
  if (memory.city != 0) {
    if (const City city = find_city(memory.city); city.id != 0) {
      say(EvidenceKind::kPlace, city.country, 0, "city: " + std::string(city.name));
    }
  }
  if (memory.domain.known()) {
    say(EvidenceKind::kDomain, memory.domain, tables_->lift(memory.domain, tables_->weights.domain),
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
  if (memory.hour_count > 0) part("active in " + std::to_string(memory.hour_count) + " hours seen");
  if (!clock.empty()) strongest(EvidenceKind::kZone, clock);
  std::stable_sort(explanation.pieces.begin(), explanation.pieces.end(),
                   [](const auto& a, const auto& b) { return a.weight > b.weight; });
  return explanation;
}

}  // namespace geotally::geo
