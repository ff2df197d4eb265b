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
