// Goal: flags are found whatever stands around them, and nothing else is a flag.
#include "geo/flags.h"

#include <string>

#include <gtest/gtest.h>

namespace geotally::geo {
namespace {

std::string flags(std::string_view text) {
  Flags found;
  find_flags(text, found);
  std::string codes;
  for (std::size_t i = 0; i < std::min(found.count, Flags::kMax); ++i)
    codes += found.countries[i].code();
  return codes;
}

TEST(Flags, FoundInOrderAndOnce) {
  EXPECT_EQ(flags("🇨🇱"), "CL");
  EXPECT_EQ(flags("one🇩🇪two 🇳🇬🇩🇪"), "DENG");
  EXPECT_EQ(flags("🏴󠁧󠁢󠁳󠁣󠁴󠁿 and 🏴󠁧󠁢󠁷󠁬󠁳󠁿"), "GB");
  EXPECT_EQ(flags("🇽🇰"), "XK");
}

TEST(Flags, WhatIsNoCountryIsNoFlag) {
  EXPECT_EQ(flags("🇪🇺"), "");
  EXPECT_EQ(flags("🇿🇿"), "");
  EXPECT_EQ(flags("🇫"), "");
  EXPECT_EQ(flags("🇫 🇷"), "");
  EXPECT_EQ(flags("🏳️‍🌈 🏴‍☠️ 🏴"), "");
  EXPECT_EQ(flags("🇦🇨🇫🇷"), "FR");  // Ascension has no code of its own
}

TEST(Flags, TruncatedBytesAreNone) {
  const std::string flag = "🇧🇷";
  for (std::size_t cut = 0; cut < flag.size(); ++cut)
    EXPECT_EQ(flags(flag.substr(0, cut)), "") << cut;
  EXPECT_EQ(flags("\xf0\x9f\x87"), "");
}

TEST(Flags, ManyAreCountedUpToABound) {
  std::string text;
  for (const auto* flag : {"🇦🇷", "🇧🇪", "🇨🇦", "🇩🇰", "🇪🇪", "🇫🇮", "🇬🇷", "🇭🇺", "🇮🇪", "🇯🇵"})
    text += flag;
  Flags found;
  find_flags(text, found);
  EXPECT_EQ(found.count, Flags::kMax + 1);
}

}  // namespace
}  // namespace geotally::geo
