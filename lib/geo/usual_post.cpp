#include "geo/usual_post.h"

#include <bit>
#include <cstring>

#include "geo/accumulate.h"
#include "geo/memory.h"

namespace geotally::geo {
namespace {

static_assert(std::endian::native == std::endian::little);

// Some bits of the first two words of a state: proto/store.md, "Evidence state".
template <unsigned At, unsigned Bits>
struct Field {
  static constexpr std::uint64_t kMask = (std::uint64_t{1} << Bits) - 1;
  static constexpr unsigned kAt = At;

  [[nodiscard]] static unsigned get(std::uint64_t word) {
    return static_cast<unsigned>(word >> At & kMask);
  }
  static void put(std::uint64_t& word, unsigned value) {
    word = (word & ~(kMask << At)) | (value & kMask) << At;
  }
};

// In the first word.
using Language = Field<0, 15>;
using Count = Field<15, 5>;
using SecondCount = Field<35, 5>;
using ThirdCount = Field<55, 5>;
using RegionLow = Field<60, 4>;
// In the second one, which begins with bit 64.
using RegionHigh = Field<0, 6>;
using RegionCount = Field<6, 3>;
using HourX = Field<16, 7>;
using HourY = Field<23, 7>;
using HourCount = Field<30, 5>;
using LastHour = Field<35, 5>;

}  // namespace

UsualPost count_usual_post(EvidenceState& state, LanguageTag language, std::uint8_t hour) {
  std::uint64_t low = 0;
  std::uint64_t high = 0;
  std::memcpy(&low, state.bytes.data(), sizeof low);
  std::memcpy(&high, state.bytes.data() + sizeof low, sizeof high);
  bool magnitude = false;

  if (!language.empty()) {
    const unsigned count = Count::get(low);
    if (count == 0 || Language::get(low) != macro_language(language.language_id())) {
      return UsualPost::kUnusual;
    }
    if (const Country region = language.region(); region.known()) {
      const unsigned leader = RegionLow::get(low) | RegionHigh::get(high) << 4;
      if (leader != letters_of(region)) return UsualPost::kUnusual;
      const unsigned votes = RegionCount::get(high);
      if (votes < Memory::kRegionCountMax) {
        RegionCount::put(high, votes + 1);
        magnitude = fourfold(static_cast<std::uint8_t>(votes)) !=
                    fourfold(static_cast<std::uint8_t>(votes + 1));
      }
    }
    if (count < Memory::kCountMax) {
      Count::put(low, count + 1);
      magnitude = magnitude || fourfold(static_cast<std::uint8_t>(count)) !=
                                   fourfold(static_cast<std::uint8_t>(count + 1));
    } else if (SecondCount::get(low) > 1 || ThirdCount::get(low) > 1) {
      return UsualPost::kUnusual;  // the others fade
    }
  }

  if (hour != Evidence::kNoHour && LastHour::get(high) != hour + 1U) {
    Hours hours{stored_hours(HourX::get(high)), stored_hours(HourY::get(high)),
                static_cast<std::uint8_t>(HourCount::get(high)),
                static_cast<std::uint8_t>(LastHour::get(high))};
    const std::uint8_t before = hours.count;
    count_hour(hours, hour);
    magnitude = magnitude || several_hours(before) != several_hours(hours.count);
    HourX::put(high, static_cast<unsigned>(hours.x));
    HourY::put(high, static_cast<unsigned>(hours.y));
    HourCount::put(high, hours.count);
    LastHour::put(high, hours.last);
  }

  std::memcpy(state.bytes.data(), &low, sizeof low);
  std::memcpy(state.bytes.data() + sizeof low, &high, sizeof high);
  return magnitude ? UsualPost::kMagnitude : UsualPost::kCounted;
}

}  // namespace geotally::geo
