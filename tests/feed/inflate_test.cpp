// Goal: what was compressed comes back, and nothing else comes out, whatever goes in.
#include "feed/inflate.h"

#include <random>

#include <gtest/gtest.h>

#include "compressed.h"
#include "feed/dialect.h"
#include "harness.h"
#include "surroundings.h"

namespace geotally::feed {
namespace {

class Inflate : public testing::Test {
 protected:
  Inflater::Outcome inflate(std::string_view message) {
    return inflater_.inflate(message, *dictionary_, text_);
  }
  static constexpr std::size_t kMax = 100'000;
  std::string bytes_ = train_dictionary(1'612'007'021);
  std::string error_;
  std::unique_ptr<Dictionary> dictionary_ = Dictionary::prepare(bytes_, error_);
  Inflater inflater_{kMax};
  std::string_view text_;
};

TEST_F(Inflate, ARoundTripWithAndWithoutContentSize) {
  ASSERT_NE(dictionary_, nullptr) << error_;
  EXPECT_EQ(dictionary_->id(), 1'612'007'021u);
  for (const bool with_size : {true, false}) {
    for (const std::string& text : {like(5), std::string(), std::string(kMax, 'x')}) {
      const std::string message = compress(text, bytes_, with_size);
      ASSERT_EQ(inflate(message), Inflater::Outcome::kOk);
      EXPECT_EQ(text_, text);
      unsigned sum = 0;  // the padding is readable
      for (std::size_t i = 0; i < kFramePadding; ++i) {
        sum += static_cast<unsigned char>(text_.data()[text_.size() + i]);
      }
      EXPECT_LT(sum, 256 * kFramePadding);
    }
  }
  EXPECT_LT(compress(like(5), bytes_).size(), like(5).size() / 2) << "the dictionary is used";
}

TEST_F(Inflate, AFrameThatNamesNoDictionaryIsRead) {
  ASSERT_EQ(inflate(compress(like(5), "")), Inflater::Outcome::kOk);
  EXPECT_EQ(text_, like(5));
}

TEST_F(Inflate, ABombIsCapped) {
  for (const bool with_size : {true, false}) {
    const std::string bomb = compress(std::string(64 << 20, '\0'), bytes_, with_size);
    ASSERT_LT(bomb.size(), 10'000u);
    EXPECT_EQ(inflate(bomb), Inflater::Outcome::kTooLarge);
    EXPECT_EQ(inflate(compress(std::string(kMax + 1, 'x'), bytes_, with_size)),
              Inflater::Outcome::kTooLarge);
  }
  EXPECT_EQ(inflate(compress(like(1), bytes_)), Inflater::Outcome::kOk);
}

TEST_F(Inflate, AnotherDictionaryIsNamed) {
  EXPECT_EQ(inflate(compress(like(1), train_dictionary(7))), Inflater::Outcome::kOtherDictionary);
  EXPECT_EQ(inflater_.other_dictionary(), 7u);
}

TEST_F(Inflate, EveryTruncationIsBroken) {
  const std::string whole = compress(like(1), bytes_);
  for (std::size_t cut = 0; cut < whole.size(); ++cut) {
    ASSERT_NE(inflate(whole.substr(0, cut)), Inflater::Outcome::kOk) << cut;
  }
  EXPECT_EQ(inflate(whole + "x"), Inflater::Outcome::kBroken);
  EXPECT_EQ(inflate("{}"), Inflater::Outcome::kBroken);
}

TEST_F(Inflate, NoBytesCrashIt) {
  std::mt19937 random(5);
  const std::string whole = compress(like(1) + like(2) + like(3), bytes_);
  for (int round = 0; round < 20'000; ++round) {
    std::string bent = whole;
    for (unsigned flips = 1 + random() % 4; flips > 0; --flips) {
      bent[random() % bent.size()] = static_cast<char>(random());
    }
    (void)inflate(bent);
  }
  EXPECT_EQ(inflate(whole), Inflater::Outcome::kOk);
}

TEST_F(Inflate, OnlyADictionaryIsOne) {
  EXPECT_EQ(Dictionary::prepare("", error_), nullptr);
  EXPECT_EQ(Dictionary::prepare(like(1), error_), nullptr);
  EXPECT_EQ(Dictionary::prepare(bytes_.substr(0, 20), error_), nullptr);
  EXPECT_FALSE(error_.empty());
  EXPECT_EQ(Dictionary::read("/nonexistent/file", error_), nullptr);
  EXPECT_EQ(Dictionary::read("/", error_), nullptr);
  const TemporaryDirectory directory;
  EXPECT_NE(Dictionary::read(directory.write("dictionary", bytes_), error_), nullptr);
}

}  // namespace
}  // namespace geotally::feed
