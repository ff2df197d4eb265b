// Goal: a rank is 1 + the number of countries with a larger value, as DEFINITIONS has it.
// Method: the definition, counted naively, beside the function; many columns with many ties.
#include "http/api/ranking.h"

#include <random>

#include <gtest/gtest.h>

namespace geotally::http {
namespace {

TEST(Ranking, IsOnePlusTheNumberOfLargerValues) {
  std::mt19937 random(1);
  for (int round = 0; round < 50; ++round) {
    Column column(Country::count());
    for (auto& value : column) {
      if (random() % 8 != 0) value = static_cast<double>(random() % 20);
    }
    for (const std::uint16_t code : std::initializer_list<std::uint16_t>{1, 150, 155, 419}) {
      const Region& region = *find_region(code);
      const auto result = ranks(column, region);
      for (std::size_t i = 0; i < column.size(); ++i) {
        const Country country = Country::from_index(i);
        std::uint32_t expected = 0;
        if (column[i] && country.known() && region.holds(country)) {
          expected = 1;
          for (std::size_t n = 1; n < column.size(); ++n) {
            if (column[n] && region.holds(Country::from_index(n)) && *column[n] > *column[i]) {
              ++expected;
            }
          }
        }
        ASSERT_EQ(result[i], expected) << country.code() << " in " << code;
      }
    }
  }
}

TEST(Ranking, EqualsStandInTheOrderOfTheirCodes) {
  Column column(Country::count());
  for (const char* code : {"PT", "FR", "DE"}) column[Country::parse(code)->index()] = 5;
  column[Country::parse("GR")->index()] = 6;
  column[0] = 100;  // ZZ is never ranked
  std::string order;
  for (const Country country : ranked(column, *find_region(150))) {
    order += std::string(country.code()) + " ";
  }
  EXPECT_EQ(order, "GR DE FR PT ");
  EXPECT_EQ(ranks(column, *find_region(150))[Country::parse("PT")->index()], 2u);
}

TEST(Ranking, EveryCountryIsInTheWorldAndInItsOwnRegions) {
  for (std::size_t i = 1; i < Country::count(); ++i) {
    const Country country = Country::from_index(i);
    EXPECT_TRUE(find_region(1)->holds(country));
    if (country.region() == 0) continue;
    ASSERT_NE(find_region(country.region()), nullptr) << country.code();
    ASSERT_NE(find_region(country.subregion()), nullptr) << country.code();
    EXPECT_TRUE(find_region(country.region())->holds(country));
    EXPECT_TRUE(find_region(country.subregion())->holds(country));
  }
  EXPECT_FALSE(find_region(1)->holds(kUnknownCountry));
  EXPECT_TRUE(parse_region("419")->holds(*Country::parse("BR")));
  EXPECT_FALSE(parse_region("419")->holds(*Country::parse("US")));
  EXPECT_TRUE(parse_region("202")->holds(*Country::parse("NG")));
  EXPECT_FALSE(parse_region("202")->holds(*Country::parse("EG")));
  EXPECT_EQ(parse_region("1"), parse_region("001"));
  for (const char* text : {"", "0", "151x", "-1", "0150", "999", "Europe", " 150"}) {
    EXPECT_EQ(parse_region(text), nullptr) << text;
  }
}

}  // namespace
}  // namespace geotally::http
