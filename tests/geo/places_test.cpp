// Goal: what people write in the place of a place is read as they mean it, and what is no place is
// left alone. Every string here was made up for this test.
#include "geo/places.h"

#include <string>
#include <string_view>

#include <gtest/gtest.h>

#include "geo/dialect.h"
#include "geo/resolver.h"

namespace geotally::geo {
namespace {

class Places : public testing::Test {
 protected:
  static std::string of(std::string_view location, std::string_view description = {}) {
    static const Resolver resolver(Resolver::Options{.table = GEOTALLY_TABLE});
    EvidenceState state;
    Evidence evidence;
    evidence.profile = true;
    evidence.location = location;
    evidence.description = description;
    (void)resolver.weigh(state, evidence);
    const Resolution resolution = resolver.resolve(state);
    std::string answer(resolution.country.code());
    const City city = resolver.city(state);
    if (city.id != 0 && resolution.country.known()) answer += " " + std::string(city.name);
    return answer;
  }
  // Whatever the threshold.
  static std::string likeliest(std::string_view description) {
    static const Resolver resolver(Resolver::Options{.threshold = 0, .table = GEOTALLY_TABLE});
    EvidenceState state;
    Evidence evidence;
    evidence.profile = true;
    evidence.description = description;
    (void)resolver.weigh(state, evidence);
    return std::string(resolver.resolve(state).country.code());
  }
  static std::string country(std::string_view location, std::string_view description = {}) {
    return of(location, description).substr(0, 2);
  }
};

TEST_F(Places, CountriesInManyLanguages) {
  const std::pair<const char*, const char*> cases[] = {
      {"Norwegen", "NO"},  {"Pays-Bas", "NL"}, {"Ελλάδα", "GR"}, {"日本", "JP"},
      {"대한민국", "KR"},  {"Россия", "RU"},   {"المغرب", "MA"}, {"ประเทศไทย", "TH"},
      {"भारत", "IN"},      {"UK", "GB"},       {"U.S.A.", "US"}, {"UAE", "AE"},
      {"brasil", "BR"},    {"Éire", "IE"},     {"Kosovo", "XK"}, {"Scotland", "GB"},
      {"Catalunya", "ES"}, {"Bayern", "DE"},   {"台灣", "TW"},   {"Suomi", "FI"}};
  for (const auto& [text, code] : cases) EXPECT_EQ(country(text), code) << text;
}

TEST_F(Places, CitiesInManyScripts) {
  const std::pair<const char*, const char*> cases[] = {{"Zürich", "CH Zürich"},
                                                       {"Nairobi", "KE Nairobi"},
                                                       {"Санкт-Петербург", "RU Saint Petersburg"},
                                                       {"القاهرة", "EG Cairo"},
                                                       {"서울", "KR Seoul"},
                                                       {"大阪", "JP Osaka"},
                                                       {"กรุงเทพ", "TH Bangkok"},
                                                       {"Montevideo", "UY Montevideo"},
                                                       {"NYC", "US New York City"},
                                                       {"Ljubljana", "SI Ljubljana"},
                                                       {"तिरुवनन्तपुरम", "IN Thiruvananthapuram"},
                                                       {"תל אביב", "IL Tel Aviv"}};
  for (const auto& [text, answer] : cases) EXPECT_EQ(of(text), answer) << text;
}

TEST_F(Places, ACodeBehindACityNeedsTheCityThere) {
  const std::pair<const char*, const char*> cases[] = {
      {"Blumenau, SC", "BR"},     {"Charleston, SC", "US"}, {"Bloomington, IN", "US"},
      {"Jaipur, IN", "IN"},       {"Stuttgart, DE", "DE"},  {"Newark, DE", "US"},
      {"Fresno, CA", "US"},       {"Hamilton, ON", "CA"},   {"Augusta, GA", "US"},
      {"Wagga Wagga, NSW", "AU"}, {"Uberaba-MG", "BR"},     {"boise id", "US"},
      {"Leuven, BE", "BE"},       {"Fargo ND", "US"}};
  for (const auto& [text, code] : cases) EXPECT_EQ(country(text), code) << text;
}

TEST_F(Places, TheSameNameInSeveralCountries) {
  const std::pair<const char*, const char*> cases[] = {{"Córdoba, Argentina", "AR"},
                                                       {"Córdoba, España", "ES"},
                                                       {"Los Ángeles, Chile", "CL"},
                                                       {"Newport, Wales", "GB"},
                                                       {"Newport, Rhode Island", "US"},
                                                       {"Livingston, Scotland", "GB"},
                                                       {"Limerick", "IE"},
                                                       {"Zaragoza", "ES"},
                                                       {"Kochi, Kerala", "IN"},
                                                       {"Columbia, SC", "US"},
                                                       {"La Réunion", "RE"},
                                                       {"Macon, Georgia", "US"},
                                                       {"Kutaisi, Georgia", "GE"},
                                                       {"Santiago de Cuba", "CU"},
                                                       {"Valencia, Venezuela", "VE"},
                                                       {"Birmingham, Alabama", "US"},
                                                       {"Cambridge, Massachusetts", "US"},
                                                       {"Perth, Western Australia", "AU"},
                                                       {"Hyderabad, Sindh", "PK"},
                                                       {"Paris, Texas", "US"},
                                                       {"Reading, UK", "GB"},
                                                       {"Nice, France", "FR"},
                                                       {"Mobile, Alabama", "US"},
                                                       {"Hell, Norge", "NO"}};
  for (const auto& [text, code] : cases) EXPECT_EQ(country(text), code) << text;
}

TEST_F(Places, WordsAroundThePlace) {
  const std::pair<const char*, const char*> cases[] = {{"📍 Lyon", "FR"},
                                                       {"born in Porto, living in Rotterdam", "NL"},
                                                       {"Greater Manchester area", "GB"},
                                                       {"somewhere in Tasmania", "AU"},
                                                       {"東京在住", "JP"},
                                                       {"Dakar • Sénégal", "SN"},
                                                       {"the great state of Oregon", "US"},
                                                       {"lima / perú", "PE"},
                                                       {"Kraków | Polska", "PL"},
                                                       {"İzmir/Türkiye", "TR"},
                                                       {"🏡 Guadalajara, Jalisco", "MX"},
                                                       {"guadalajara, jal", "MX"},
                                                       {"from Mumbai, now in Dubai", "AE"},
                                                       {"southern nevada", "US"},
                                                       {"NV/UT", "US"},
                                                       {"S.F.", "US"},
                                                       {"wv", "US"},
                                                       {"CapeTown", "ZA"},
                                                       {"ʙᴏꜱᴛᴏɴ", "US"},
                                                       {"˗ˏˋ Tulsa, Oklahoma ˎˊ˗", "US"}};
  for (const auto& [text, code] : cases) EXPECT_EQ(country(text), code) << text;
}

TEST_F(Places, OfAListTheFirstLeads) {
  EXPECT_EQ(country("Kenya, Uganda, Tanzania"), "KE");
  EXPECT_EQ(country("Alabama, Georgia, Florida, Mississippi"), "US");
}

TEST_F(Places, WhatIsNoPlaceIsLeftAlone) {
  for (const auto* text : {"hell",
                           "Earth",
                           "planet earth",
                           "he/him",
                           "JUPITER",
                           "my bed",
                           "in your walls",
                           "nowhere",
                           "everywhere",
                           "somewhere over the rainbow",
                           "home",
                           "the moon",
                           "Narnia",
                           "Hogwarts",
                           "the void",
                           "online",
                           "22",
                           "she/they • 19",
                           "dm for collabs",
                           "la la land",
                           "not telling",
                           "...",
                           "🌙✨",
                           "mother's kitchen",
                           "behind the scenes",
                           "under a rock",
                           "the upside down",
                           "ask me",
                           "studying",
                           "cloud 9",
                           "he him his",
                           "en tu corazón",
                           "no meu quarto",
                           "di hatimu",
                           "ur moms house",
                           "probably asleep",
                           "with the cats",
                           "no thanks",
                           "it is what it is",
                           "AS",
                           "in",
                           "me",
                           "of",
                           "most",
                           "1234567",
                           "https://example.com",
                           "work in progress",
                           "up to no good",
                           "on the road",
                           "Mars",
                           "Hotel California",
                           "southern",
                           "BLM",
                           "my own world"}) {
    EXPECT_EQ(of(text), "ZZ") << text;
  }
}

TEST_F(Places, Coordinates) {
  EXPECT_EQ(of("ÜT: 40.4168,-3.7038"), "ES");
  EXPECT_EQ(of("iPhone: -33.868820, 151.209296"), "AU");
  EXPECT_EQ(of("59.3293° N, 18.0686° E"), "SE");
  EXPECT_EQ(of("33.8688 S, 151.2093 E"), "AU");
  EXPECT_EQ(of("11.05 / 10.07"), "ZZ");
  EXPECT_EQ(of("0.00, 0.00"), "ZZ");
  EXPECT_EQ(of("99.99, 999.99"), "ZZ");
  EXPECT_EQ(of("10.10"), "ZZ");
}

TEST_F(Places, DescriptionsNeedACue) {
  EXPECT_EQ(country("", "painter based in Tallinn, Estonia"), "EE");
  EXPECT_EQ(country("", "📍 Medellín"), "CO");
  EXPECT_EQ(country("", "Physics teacher. Wichita, KS. Two dogs."), "US");
  EXPECT_EQ(country("", "vivo em Florianópolis"), "BR");
  EXPECT_EQ(country("", "i like trains, tea and long walks"), "ZZ");
  EXPECT_EQ(country("", "may the force be with you, always"), "ZZ");
}

TEST_F(Places, Demonyms) {
  EXPECT_EQ(likeliest("Brasileira, engenheira"), "BR");
  EXPECT_EQ(likeliest("orgulhosamente brasileiro"), "BR");
  // Alone it may be said of grandparents.
  EXPECT_EQ(country("", "Brasileira, engenheira"), "ZZ");
}

TEST(Dialect, LeadsOnlyByWhatOthersDoNotSay) {
  const Table table(GEOTALLY_TABLE);
  EXPECT_EQ(read_dialect(table, "che boludo, vos sabés que te quiero").country.code(), "AR");
  EXPECT_EQ(read_dialect(table, "no mames wey, qué chido").country.code(), "MX");
  EXPECT_EQ(read_dialect(table, "que weá más fome weon").country.code(), "CL");
  EXPECT_EQ(read_dialect(table, "korang nak pergi kat mana").country.code(), "MY");
  EXPECT_EQ(read_dialect(table, "").words, 0);
}

}  // namespace
}  // namespace geotally::geo
