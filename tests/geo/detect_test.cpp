// Goal: a text that is long enough has a language, and bytes that are no text have none.
#include "geo/detect.h"

#include <random>
#include <string>

#include <gtest/gtest.h>

namespace geotally::geo {
namespace {

TEST(Detect, PlainSentences) {
  EXPECT_EQ(detect_language("今日はとても天気がいいので散歩に行きました").language(), "ja");
  EXPECT_EQ(detect_language("오늘은 날씨가 좋아서 산책을 나갔습니다").language(), "ko");
  EXPECT_EQ(
      detect_language("Heute war das Wetter so schön, dass wir spazieren gegangen sind").language(),
      "de");
  EXPECT_EQ(detect_language("Hoje o tempo estava tão bonito que fomos passear na praia").language(),
            "pt");
  EXPECT_EQ(detect_language("Bugün hava çok güzel olduğu için yürüyüşe çıktık").language(), "tr");
}

TEST(Detect, LinksAndNamesAreNoLanguage) {
  EXPECT_TRUE(
      detect_language("@someone @other #tag https://example.org/eine/lange/adresse").empty());
  EXPECT_TRUE(detect_language("").empty());
  EXPECT_TRUE(detect_language("ok").empty());
  EXPECT_TRUE(detect_language("🎉🎉🎉🎉🎉🎉").empty());
}

TEST(Detect, AnyBytes) {
  std::mt19937 random(7);
  for (int round = 0; round < 2'000; ++round) {
    std::string text(random() % 2'000, '\0');
    for (auto& c : text) c = static_cast<char>(random());
    const LanguageTag found = detect_language(text);
    ASSERT_EQ(LanguageTag::from_id(found.language_id()).language(), found.language()) << round;
  }
}

}  // namespace
}  // namespace geotally::geo
