// Goal: of any tag, what says something about a country; nothing of what is no tag.
#include "country/language_tag.h"

#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace geotally {
namespace {

std::string text(std::string_view tag) {
  const auto parsed = LanguageTag::parse(tag);
  if (!parsed) return "none";
  return parsed->language() + "/" + std::string(parsed->region().code());
}

TEST(LanguageTag, LanguageAndRegion) {
  EXPECT_EQ(text("pt"), "pt/ZZ");
  EXPECT_EQ(text("pt-BR"), "pt/BR");
  EXPECT_EQ(text("PT_br"), "pt/BR");
  EXPECT_EQ(text("zh-Hant-TW"), "zh/TW");
  EXPECT_EQ(text("zh-Hans"), "zh/ZZ");
  EXPECT_EQ(text("sl-rozaj-IT"), "sl/IT");
  EXPECT_EQ(text("es-419"), "es/ZZ");
  EXPECT_EQ(text("en-UK"), "en/GB");
  EXPECT_EQ(text("en-XX"), "en/ZZ");
  EXPECT_EQ(text("en-x-US"), "en/ZZ");
  EXPECT_EQ(text("en-u-rg-gb"), "en/ZZ");
}

TEST(LanguageTag, OldAndLongCodesAreFolded) {
  EXPECT_EQ(text("in"), "id/ZZ");
  EXPECT_EQ(text("iw-IL"), "he/IL");
  EXPECT_EQ(text("ji"), "yi/ZZ");
  EXPECT_EQ(text("tl"), "fil/ZZ");
  EXPECT_EQ(text("eng"), "en/ZZ");
  EXPECT_EQ(text("cmn-CN"), "zh/CN");
  EXPECT_EQ(LanguageTag::parse("por-BR"), LanguageTag::parse("pt-br"));
}

TEST(LanguageTag, WhatIsNoLanguageIsNothing) {
  for (const auto* tag : {"", "e", "und", "mul", "zxx", "und-FR", "english", "e1", "-", "--", "_fr",
                          "\xf0\x9f\x87\xab\xf0\x9f\x87\xb7", "\xff\xfe"}) {
    EXPECT_EQ(text(tag), "none") << tag;
  }
  EXPECT_EQ(text("en-"), "en/ZZ");
  EXPECT_EQ(text("en--US"), "en/ZZ");
  EXPECT_EQ(text(std::string(100'000, 'a')), "none");
}

TEST(LanguageTag, NumbersAreEqualForEqualLanguages) {
  EXPECT_TRUE(LanguageTag().empty());
  EXPECT_EQ(LanguageTag().language_id(), 0);
  EXPECT_EQ(LanguageTag::parse("fr")->language_id(), LanguageTag::parse("fr-CA")->language_id());
  EXPECT_NE(LanguageTag::parse("fr")->language_id(), LanguageTag::parse("fy")->language_id());
  EXPECT_LT(LanguageTag::parse("zzz")->language_id(), 32'768);
}

// What was parsed lately is remembered, in far fewer places than there are tags.
TEST(LanguageTag, IsTheSameWhateverWasParsedBefore) {
  std::vector<std::string> tags;
  for (char first = 'a'; first <= 'z'; ++first) {
    for (char second = 'a'; second <= 'z'; ++second) {
      const std::string code = {first, second};
      for (const std::string& tag :
           {code, code + first, code + "-US", code + "_br", code + "-Latn"}) {
        tags.push_back(tag);
      }
    }
  }
  for (int round = 0; round < 2; ++round) {
    for (const std::string& tag : tags) {
      // Too long to be remembered; private use says nothing.
      EXPECT_EQ(LanguageTag::parse(tag), LanguageTag::parse(tag + "-x-private")) << tag;
      EXPECT_EQ(LanguageTag::parse(tag), LanguageTag::parse(tag)) << tag;
    }
  }
}

}  // namespace
}  // namespace geotally
