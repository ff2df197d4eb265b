// Goal: the 28 bytes of an evidence state hold what Memory says, bit for bit as documented.
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
  memory.profile_language = 32'767;
  memory.zone = country("ZW");
  memory.zone_offset = 127;
  memory.offset = 127;
  memory.hours.x = -63;
  memory.hours.y = 63;
  memory.hours.count = Hours::kCountMax;
  memory.hours.last = 24;
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
  memory.city = 0x010203;
  EvidenceState expected;
  // The first language at bit 0 (15 bits), its count at bit 15.
  expected.bytes[0] = 0x21;
  expected.bytes[1] = 0x80;
  // DE = 1 + 26 × 3 + 4 = 83 at bit 104.
  expected.bytes[13] = 0x53;
  // FR = 1 + 26 × 5 + 17 = 148 at bit 114, strength 3 at bit 124, kind 3 at bit 129.
  expected.bytes[14] = 0x50;
  expected.bytes[15] = 0x32;
  expected.bytes[16] = 0x06;
  // The city at bit 200.
  expected.bytes[25] = 0x03;
  expected.bytes[26] = 0x02;
  expected.bytes[27] = 0x01;
  EXPECT_EQ(pack(memory), expected);
}

}  // namespace
}  // namespace geotally::geo
