// Goal: the post that is counted without unpacking leaves the very bits, and says the very thing,
// that it would have left and said unpacked.
// Method: random memories near every bound, random posts, both ways.
#include "geo/usual_post.h"

#include <algorithm>
#include <array>
#include <random>

#include <gtest/gtest.h>

#include "geo/accumulate.h"
#include "geo/memory.h"

namespace geotally::geo {
namespace {

class Chance {
 public:
  std::size_t below(std::size_t end) { return random_() % end; }
  template <typename T, std::size_t N>
  const T& among(const std::array<T, N>& list) {
    return list.at(below(N));
  }

 private:
  std::mt19937 random_{7};
};

LanguageTag tag(const char* text) { return LanguageTag::parse(text).value_or(LanguageTag()); }

const std::array<LanguageTag, 8> kTags = {LanguageTag(), tag("de"),    tag("de-AT"), tag("de-DE"),
                                          tag("pt"),     tag("pt-BR"), tag("nb"),    tag("nn-NO")};
const std::array<std::uint8_t, 8> kCounts = {0, 1, 2, 3, 4, 15, 16, Memory::kCountMax};

Memory any(Chance& chance) {
  Memory memory;
  const std::size_t languages = chance.below(Memory::kLanguages + 1);
  for (std::size_t i = 0; i < languages; ++i) {
    const LanguageTag language = chance.among(kTags);
    if (language.empty()) break;
    memory.languages[i] = {macro_language(language.language_id()),
                           std::max<std::uint8_t>(chance.among(kCounts), 1)};
  }
  std::sort(memory.languages.begin(), memory.languages.end(),
            [](const auto& a, const auto& b) { return a.count > b.count; });
  memory.region = chance.among(kTags).region();
  if (memory.region.known()) {
    memory.region_count = static_cast<std::uint8_t>(1 + chance.below(Memory::kRegionCountMax));
  }
  memory.offset = static_cast<std::uint8_t>(chance.below(128));
  memory.hours.x = static_cast<std::int8_t>(chance.below(127) - 63);
  memory.hours.y = static_cast<std::int8_t>(chance.below(127) - 63);
  memory.hours.count = static_cast<std::uint8_t>(chance.below(Hours::kCountMax + 1));
  memory.hours.last = static_cast<std::uint8_t>(chance.below(25));
  memory.domain = chance.among(kTags).region();
  memory.city = static_cast<std::uint32_t>(chance.below(Memory::kCityMax));
  return memory;
}

TEST(UsualPost, IsWhatItIsUnpacked) {
  Chance chance;
  std::array<int, 3> met{};
  for (int i = 0; i < 200'000; ++i) {
    const Memory before = any(chance);
    const LanguageTag language = chance.among(kTags);
    const auto hour =
        chance.below(25) == 24 ? Evidence::kNoHour : static_cast<std::uint8_t>(chance.below(24));
    Memory expected = before;
    if (!language.empty()) {
      count_language(expected, macro_language(language.language_id()));
      if (language.region().known()) vote_region(expected, language.region());
    }
    if (hour != Evidence::kNoHour) count_hour(expected.hours, hour);

    EvidenceState state = pack(before);
    const UsualPost usual = count_usual_post(state, language, hour);
    ++met.at(static_cast<std::size_t>(usual));
    if (usual == UsualPost::kUnusual) {
      ASSERT_EQ(state, pack(before));
      continue;
    }
    ASSERT_EQ(unpack(state), expected);
    ASSERT_EQ(usual == UsualPost::kCounted, same_magnitude(before, expected));
  }
  for (const int times : met) EXPECT_GT(times, 1'000);
}

// A leader that goes on leading is what the short way is for.
TEST(UsualPost, IsOneWhoseLanguageAndRegionLead) {
  Memory memory;
  memory.languages[0] = {tag("de").language_id(), 5};
  memory.region = tag("de-AT").region();
  memory.region_count = 2;
  for (const char* text : {"de", "de-AT"}) {
    EvidenceState state = pack(memory);
    EXPECT_NE(count_usual_post(state, tag(text), 12), UsualPost::kUnusual) << text;
  }
  for (const char* text : {"de-DE", "pt"}) {
    EvidenceState state = pack(memory);
    EXPECT_EQ(count_usual_post(state, tag(text), 12), UsualPost::kUnusual) << text;
  }
}

TEST(Memory, CityIsReadAlone) {
  Memory memory;
  EXPECT_EQ(city_of(pack(memory)), 0U);
  memory.zone_offset = 127;
  memory.city = 2'996'944;
  EXPECT_EQ(city_of(pack(memory)), 2'996'944U);
}

}  // namespace
}  // namespace geotally::geo
