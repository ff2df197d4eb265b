// Goal: whatever bytes an account sends, the work is bounded and the state stays sound.
#include <array>
#include <random>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "geo/memory.h"
#include "geo/resolver.h"

namespace geotally::geo {
namespace {

const Resolver& resolver() {
  static const Resolver instance(Resolver::Options{.table = GEOTALLY_TABLE});
  return instance;
}

void give(const std::string& text) {
  EvidenceState state;
  Evidence evidence;
  evidence.profile = true;
  evidence.post = true;
  evidence.display_name = evidence.description = evidence.location = evidence.website =
      evidence.time_zone = evidence.handle = evidence.text = text;
  (void)resolver().weigh(state, evidence);
  const Resolution resolution = resolver().resolve(state);
  EXPECT_EQ(resolution.country.known(), resolution.evidence != EvidenceKind::kNone);
  // The same again changes nothing but counts.
  EXPECT_EQ(unpack(pack(unpack(state))), unpack(state));
  (void)resolver().explain(state);
}

TEST(Hostile, LongAndRepeated) {
  for (const std::string& unit : {std::string("San "),
                                  std::string("a"),
                                  std::string("🇫🇷"),
                                  std::string("東京"),
                                  std::string("Paris, "),
                                  std::string("\xff"),
                                  std::string("\xf0\x9f"),
                                  std::string("."),
                                  std::string("-"),
                                  std::string("1.23,"),
                                  std::string("\xef\xb7\xba"),
                                  std::string("a\xcc\x81\xcc\x81\xcc\x81"),
                                  std::string("'s "),
                                  std::string("US "),
                                  std::string("New York, NY / "),
                                  std::string(1, '\0'),
                                  std::string("📍"),
                                  std::string("N.Y."),
                                  std::string("กรุงเทพ"),
                                  std::string("\xe2\x80\x8d"),
                                  std::string("che boludo "),
                                  std::string("-12.345 ")}) {
    std::string text;
    while (text.size() < 70'000) text += unit;
    give(text);
    give(text.substr(0, 1'023));
    give(unit);
  }
}

TEST(Hostile, RandomBytes) {
  std::mt19937 random(11);
  for (int round = 0; round < 3'000; ++round) {
    std::string text(random() % 700, '\0');
    for (auto& c : text) c = static_cast<char>(random());
    give(text);
  }
}

TEST(Hostile, RandomPiecesOfSense) {
  const std::vector<std::string> pieces = {
      "Paris",     ", ", "TX",   " ",    "🇧🇷",   "/",    "in ",    "東京",  "Springfield", "-",
      "georgia",   ".",  "São",  "hell", "\n",   "St.",  "he/him", "'s",    "CA",          "الرياض",
      "40.4,-3.7", "📍",  "\xff", "U.S.", "New ", "York", "wey",    "Москва"};
  std::mt19937 random(13);
  for (int round = 0; round < 5'000; ++round) {
    std::string text;
    const std::size_t count = random() % 40;
    for (std::size_t i = 0; i < count; ++i) text += pieces[random() % pieces.size()];
    give(text);
  }
}

TEST(Hostile, EveryCutOfAProfile) {
  const std::string text =
      "📍 São Tomé & Príncipe 🇸🇹 / Łódź, N.Y. — 東京在住 ÜT: 40.41,-3.70 che boludo";
  for (std::size_t cut = 0; cut <= text.size(); ++cut) {
    give(text.substr(0, cut));
    give(text.substr(cut));
  }
}

TEST(Hostile, AnyStateIsResolved) {
  std::mt19937_64 random(17);
  for (int round = 0; round < 5'000; ++round) {
    EvidenceState state;
    for (auto& byte : state.bytes) byte = static_cast<std::uint8_t>(random());
    (void)resolver().resolve(state);
    (void)resolver().explain(state);
    (void)resolver().city(state);
    Evidence evidence;
    evidence.post = true;
    const std::array<LanguageTag, 2> languages = {*LanguageTag::parse("en-GB"), LanguageTag()};
    evidence.languages = languages;
    evidence.utc_hour = static_cast<std::uint8_t>(random());
    evidence.utc_offset_s = static_cast<std::int32_t>(random());
    (void)resolver().weigh(state, evidence);
  }
}

}  // namespace
}  // namespace geotally::geo
