// Goal: the closed list of countries is ISO 3166-1 plus XK and ZZ, and its values are usable.
#include "country/country.h"

#include <set>
#include <string>

#include <gtest/gtest.h>

namespace geotally {
namespace {

TEST(Country, ListIsIso3166PlusKosovoPlusUnknown) {
  EXPECT_EQ(Country::count(), 249u + 2u);
  EXPECT_EQ(Country::from_index(0), kUnknownCountry);
  EXPECT_EQ(kUnknownCountry.code(), "ZZ");
  EXPECT_FALSE(kUnknownCountry.known());
  std::set<std::string_view> codes;
  for (std::size_t i = 1; i < Country::count(); ++i) {
    const Country country = Country::from_index(i);
    EXPECT_TRUE(country.known());
    EXPECT_EQ(country.index(), i);
    EXPECT_FALSE(country.name_en().empty()) << country.code();
    EXPECT_FALSE(country.name_fr().empty()) << country.code();
    EXPECT_EQ(Country::parse(country.code()), country);
    EXPECT_TRUE(i == 1 || Country::from_index(i - 1).code() < country.code()) << country.code();
    codes.insert(country.code());
  }
  EXPECT_EQ(codes.size(), Country::count() - 1);
  for (const auto* code : {"XK", "TW", "HK", "PR", "GU", "RE", "AX", "BQ", "SS"}) {
    EXPECT_TRUE(codes.contains(code)) << code;
  }
}

TEST(Country, ParsesTwoLettersOfEitherCaseAndNothingElse) {
  EXPECT_EQ(Country::parse("fr")->code(), "FR");
  EXPECT_EQ(Country::parse("Fr")->code(), "FR");
  EXPECT_EQ(Country::parse("ZZ"), kUnknownCountry);
  for (const auto* text :
       {"", "F", "FRA", "F1", "  ", "UK", "XX", "AN", "SU", "EU", "AC", "\xc3\xa9"}) {
    EXPECT_FALSE(Country::parse(text).has_value()) << text;
  }
}

TEST(Country, IsReadAsOthersWriteIt) {
  const std::pair<const char*, const char*> codes[] = {
      {"FR", "FR"},      {"fr", "FR"},      {"FRA", "FR"},    {"fra", "FR"},    {"DEU", "DE"},
      {"GBR", "GB"},     {"UK", "GB"},      {"uk", "GB"},     {"EL", "GR"},     {"XK", "XK"},
      {"XKX", "XK"},     {"US-CA", "US"},   {"us-ca", "US"},  {"GB-ENG", "GB"}, {"UK-SCT", "GB"},
      {"DE-BY", "DE"},   {"FR-75", "FR"},   {"FR-75C", "FR"}, {"AT-9", "AT"},   {"US-PR", "PR"},
      {"US-GU", "GU"},   {"FR-974", "RE"},  {"fr-re", "RE"},  {"CN-HK", "HK"},  {"CN-TW", "TW"},
      {"NL-BQ2", "BQ"},  {"NL-CW", "CW"},   {"FI-01", "AX"},  {"NO-21", "SJ"},  {"BE-WLX", "BE"},
      {"GN-ML", "GN"},   {"US-GA", "US"}};
  for (const auto& [text, code] : codes) {
    const auto country = Country::parse_iso3166(text);
    ASSERT_TRUE(country.has_value()) << text;
    EXPECT_EQ(country->code(), code) << text;
  }
  for (const auto* text :
       {"", "F", "ZZ", "ZZZ", "ZZ-1", "XX", "EU", "AN", "FRANCE", "France", "F-1", "FR-", "FR-ABCD",
        "FR-7\xc3\xa9", "FR 75", "FR_75", "-", "--", "---", "250", " FR", "FR\n", "F\xc3\xa9",
        "\xc3\xa9\xc3\xa9", "US-CA-LA", "\U0001F1EB\U0001F1F7"}) {
    EXPECT_FALSE(Country::parse_iso3166(text).has_value()) << text;
  }
  EXPECT_FALSE(Country::parse_iso3166(std::string_view("F\0", 2)).has_value());
}

TEST(Country, EachHasACodeOfThreeLetters) {
  std::set<std::uint8_t> met;
  for (char a = 'A'; a <= 'Z'; ++a) {
    for (char b = 'A'; b <= 'Z'; ++b) {
      for (char c = 'A'; c <= 'Z'; ++c) {
        const std::string code{a, b, c};
        if (const auto country = Country::parse_iso3166(code)) met.insert(country->index());
      }
    }
  }
  EXPECT_EQ(met.size(), Country::count() - 1);  // all but ZZ
}

TEST(Country, NamesRegionsAndInhabitants) {
  const Country france = *Country::parse("FR");
  EXPECT_EQ(france.name_en(), "France");
  EXPECT_EQ(france.region(), 150);     // Europe
  EXPECT_EQ(france.subregion(), 155);  // Western Europe
  EXPECT_GT(france.population(), 60'000'000u);
  const Country germany = *Country::parse("DE");
  EXPECT_EQ(germany.name_en(), "Germany");
  EXPECT_EQ(germany.name_fr(), "Allemagne");
  EXPECT_EQ(Country::parse("BR")->subregion(), 5);
  EXPECT_EQ(Country::parse("BR")->region(), 19);
  EXPECT_EQ(Country::parse("XK")->region(), 150);
  EXPECT_EQ(Country::parse("AQ")->region(), 0);
  EXPECT_EQ(kUnknownCountry.region(), 0);
  EXPECT_EQ(kUnknownCountry.population(), 0u);
  for (std::size_t i = 1; i < Country::count(); ++i) {
    const Country country = Country::from_index(i);
    if (country.code() == "AQ") continue;
    EXPECT_NE(country.region(), 0) << country.code();
    EXPECT_NE(country.subregion(), 0) << country.code();
  }
}

}  // namespace
}  // namespace geotally
