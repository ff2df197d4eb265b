// Goal: the 24 bytes of an evidence state hold what Memory says, bit for bit as documented.
#include "geo/memory.h"

#include <random>

#include <gtest/gtest.h>

namespace geotally::geo {
namespace {

Country country(std::string_view code) { return *Country::parse(code); }

TEST(Memory, AllZeroMeansNothingKnown) {
  EXPECT_EQ(unpack(EvidenceState{}), Memory{});
  EXPECT_EQ(pack(Memory{}), EvidenceState{});
}

TEST(Memory, EveryExtremeSurvives) {
  Memory memory;
  memory.profile[0] = {country("AD"), Memory::kStrengthMax, EvidenceKind::kZone};
  memory.profile[1] = {country("ZW"), 1, EvidenceKind::kPlace};
  memory.profile[2] = {country("XK"), 16, EvidenceKind::kFlag};
  memory.city = Memory::kCityMax;
  memory.languages[0] = {32'767, 31};
  memory.languages[1] = {1, 1};
  memory.languages[2] = {12'345, 31};
  memory.region = country("BR");
  memory.region_count = Memory::kRegionCountMax;
  memory.domain = country("TV");
  memory.offset = 127;
  memory.hour_x = -63;
  memory.hour_y = 63;
  memory.hour_count = Memory::kHourCountMax;
  memory.last_hour = 24;
  EXPECT_EQ(unpack(pack(memory)), memory);
}

TEST(Memory, AnyBytesAreAMemory) {
  std::mt19937_64 random(1);
  for (int round = 0; round < 10'000; ++round) {
    EvidenceState state;
    for (auto& byte : state.bytes) byte = static_cast<std::uint8_t>(random());
    const Memory memory = unpack(state);
    EXPECT_EQ(unpack(pack(memory)), memory);
  }
}

// The layout is part of the store's format: proto/store.md, "Evidence state".
TEST(Memory, LayoutIsFrozen) {
  Memory memory;
  memory.profile[0] = {country("FR"), 3, EvidenceKind::kFlag};
  memory.languages[0] = {33, 1};
  memory.domain = country("DE");
  EvidenceState expected;
  // FR = 1 + 26 × 5 + 17 = 148, strength 3, kind 3: 148 | 3 << 10 | 3 << 15.
  expected.bytes[0] = 0x94;
  expected.bytes[1] = 0x8c;
  expected.bytes[2] = 0x01;
  // Language at bit 78 (15 bits), its count at bit 93.
  expected.bytes[9] = 0x40;
  expected.bytes[10] = 0x08;
  expected.bytes[11] = 0x20;
  // DE = 1 + 26 × 3 + 4 = 83 at bit 151.
  expected.bytes[18] = 0x80;
  expected.bytes[19] = 0x29;
  EXPECT_EQ(pack(memory), expected);
}

}  // namespace
}  // namespace geotally::geo
