#include "geo/accumulate.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>

namespace geotally::geo {
namespace {

constexpr int kQuarterHour = 900;  // s

// The middles of the hours as vectors on a clock of 24 hours, in the halves in which Memory sums.
struct Step {
  int x;
  int y;
};
const std::array<Step, 24> kHourSteps = [] {
  std::array<Step, 24> steps{};
  for (std::size_t hour = 0; hour < steps.size(); ++hour) {
    const double angle = 2 * std::numbers::pi * (static_cast<double>(hour) + 0.5) / 24;
    steps[hour] = {static_cast<int>(std::lround(2 * std::cos(angle))),
                   static_cast<int>(std::lround(2 * std::sin(angle)))};
  }
  return steps;
}();

}  // namespace

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

std::uint16_t hint_of(Country country) {
  const std::string_view code = country.code();
  return static_cast<std::uint16_t>(kHint | (code[0] - 'A' + 1) << 5 | (code[1] - 'A' + 1));
}
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
void count_hour(Hours& hours, std::uint8_t hour) {
  if (hour > 23 || hours.last == hour + 1) return;
  hours.last = static_cast<std::uint8_t>(hour + 1);
  if (hours.count == Hours::kCountMax) {
    hours.x = static_cast<std::int8_t>(hours.x / 2);
    hours.y = static_cast<std::int8_t>(hours.y / 2);
    hours.count = Hours::kCountMax / 2;
  }
  const auto moved = [](std::int8_t sum, int step) {
    return static_cast<std::int8_t>(std::clamp(sum + step, -63, 63));
  };
  hours.x = moved(hours.x, kHourSteps[hour].x);
  hours.y = moved(hours.y, kHourSteps[hour].y);
  ++hours.count;
}

std::uint8_t fourfold(std::uint8_t count) {
  return count < 4 ? std::min<std::uint8_t>(count, 1) : count < 16 ? 4 : 16;
}

std::uint8_t several_hours(std::uint8_t count) { return count < 8 ? 0 : count < 16 ? 8 : 16; }

// Counts rise with every post, but the answer moves with their order of magnitude. A busy account
// is resolved a few times and not at each post.
bool same_magnitude(const Memory& a, const Memory& b) {
  for (std::size_t i = 0; i < Memory::kLanguages; ++i) {
    if (a.languages[i].id != b.languages[i].id) return false;
    if (fourfold(a.languages[i].count) != fourfold(b.languages[i].count)) return false;
  }
  return a.region == b.region && fourfold(a.region_count) == fourfold(b.region_count) &&
         a.offset == b.offset && several_hours(a.hours.count) == several_hours(b.hours.count) &&
         a.domain == b.domain && a.profile == b.profile &&
         a.profile_language == b.profile_language && a.zone == b.zone &&
         a.zone_offset == b.zone_offset && a.city == b.city;
}

}  // namespace geotally::geo
