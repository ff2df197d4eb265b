#include "geo/accumulate.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace geotally::geo {
namespace {

constexpr int kQuarterHour = 900;  // s

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

}  // namespace geotally::geo
