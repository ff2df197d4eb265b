// Goal: however a name is written, it becomes the form in which the table has it.
#include "geo/words.h"

#include <string>

#include <gtest/gtest.h>

namespace geotally::geo {
namespace {

std::string all(std::string_view text) {
  Words words;
  words.split(text);
  return words.size() == 0 ? "" : std::string(words.text(0, words.size()));
}

TEST(Words, FoldsCaseWidthAndAccents) {
  EXPECT_EQ(all("SÃO Paulo"), "sao paulo");
  EXPECT_EQ(all("Ｔｏｋｙｏ"), "tokyo");
  EXPECT_EQ(all("𝓟𝓪𝓻𝓲𝓼"), "paris");
  EXPECT_EQ(all("İstanbul"), "istanbul");
  EXPECT_EQ(all("Diyarbakır"), "diyarbakir");
  EXPECT_EQ(all("Łódź"), "lodz");
  EXPECT_EQ(all("Århus"), "arhus");
  EXPECT_EQ(all("Straße"), "strasse");
  EXPECT_EQ(all("Αθήνα"), "αθηνα");
  EXPECT_EQ(all("Йошкар-Ола"), "иошкар ола");
  EXPECT_EQ(all("Sa\xcc\x83o"), "sao");  // a combining tilde
}

TEST(Words, KeepsWhatOtherScriptsNeed) {
  EXPECT_EQ(all("がくせい"), "がくせい");  // voiced kana keep their marks
  EXPECT_EQ(all("서울특별시"), "서울특별시");
  EXPECT_EQ(all("दिल्ली"), "दिल्ली");
}

TEST(Words, ArabicLettersAreAsPeopleTypeThem) {
  EXPECT_EQ(all("القاهرة"), "القاهرة");
  EXPECT_EQ(all("أبو ظبي"), "ابو ظبي");
  EXPECT_EQ(all("عُمان"), "عمان");
  EXPECT_EQ(all("ایران"), all("ايران"));
}

TEST(Words, SpellingsThatDifferInAccentsAreToldApart) {
  const auto accents = [](std::string_view text) {
    Words words;
    words.split(text);
    return words.accents(0, words.size());
  };
  EXPECT_EQ(accents("Munster"), 0);
  EXPECT_NE(accents("Münster"), 0);
  EXPECT_EQ(accents("Münster"), accents("Mu\xcc\x88nster"));  // a combining diaeresis
  EXPECT_EQ(accents("München"), accents("MÜNCHEN"));
  EXPECT_NE(accents("Malé"), accents("Malè"));
  EXPECT_EQ(accent_class(0), 0);
}

TEST(Words, DividesAtSpacesPunctuationAndScripts) {
  Words words;
  words.split("Lagos, Nigeria / Accra 🌍 Rio-Branco | 東京Tokyo");
  ASSERT_EQ(words.size(), 7u);
  EXPECT_EQ(words[1].before, Break::kComma);
  EXPECT_EQ(words[2].before, Break::kStrong);
  EXPECT_EQ(words[3].before, Break::kStrong);
  EXPECT_EQ(words[4].before, Break::kHyphen);
  EXPECT_EQ(words[5].before, Break::kStrong);
  EXPECT_TRUE(words[5].dense);
  EXPECT_FALSE(words[6].dense);
  words.split("Lima - Cusco");
  ASSERT_EQ(words.size(), 2u);
  EXPECT_EQ(words[1].before, Break::kStrong);
}

TEST(Words, DotsOfAcronymsAndAbbreviations) {
  EXPECT_EQ(all("U.S.A."), "usa");
  EXPECT_EQ(all("Albany, N.Y."), "albany ny");
  Words words;
  words.split("St. Gallen. Schweiz");
  ASSERT_EQ(words.size(), 3u);
  EXPECT_EQ(words[1].before, Break::kSpace);
  EXPECT_EQ(words[2].before, Break::kComma);
}

TEST(Words, SeesCapitalsAndPossessives) {
  Words words;
  words.split("ATX nyc O'Fallon grandma's");
  ASSERT_EQ(words.size(), 4u);
  EXPECT_TRUE(words[0].capitals);
  EXPECT_FALSE(words[1].capitals);
  EXPECT_FALSE(words[1].capitalised);
  EXPECT_EQ(words.text(2), "ofallon");
  EXPECT_FALSE(words[2].possessive);
  EXPECT_TRUE(words[3].possessive);
}

TEST(Words, IsBounded) {
  Words words;
  std::string many;
  for (int i = 0; i < 10'000; ++i) many += "a ";
  words.split(many);
  EXPECT_EQ(words.size(), Words::kWordsMax);
  words.split(std::string(100'000, 'x'));
  EXPECT_EQ(words.size(), 1u);
  words.split("\xff\xfe\xf0\x9f");
  EXPECT_EQ(words.size(), 0u);
  words.split(
      "ok\xff"
      "fine");
  EXPECT_EQ(words.size(), 2u);
  // One code point that folds to eighteen.
  std::string wide;
  for (int i = 0; i < 300; ++i) wide += "\xef\xb7\xba";
  words.split(wide);
  EXPECT_LE(words.size(), Words::kWordsMax);
}

}  // namespace
}  // namespace geotally::geo
