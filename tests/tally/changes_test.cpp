// Goal: an account that is a program's, or another network's, is counted as such where it counts,
// and only there. Method: moves of one account, applied; what they leave behind is compared.
#include "tally/changes.h"

#include <gtest/gtest.h>

#include "tally/totals.h"

namespace geotally::tally {
namespace {

const Country kFrance = *Country::parse("FR");
const Country kJapan = *Country::parse("JP");

Standing standing(Country country, bool automated, bool bridged) {
  Standing standing;
  standing.counted = true;
  standing.country = country;
  standing.automated = automated;
  standing.bridged = bridged;
  return standing;
}

// How many are automated and bridged, in France and then in Japan.
using Counts = std::array<std::uint64_t, 4>;

class Standings : public testing::Test {
 protected:
  Counts after(const Standing& from, const Standing& to) {
    Changes changes;
    changes.move(from, to);
    totals_.apply(changes);
    const CountryTotals& france = totals_.country(kFrance);
    const CountryTotals& japan = totals_.country(kJapan);
    return {france.automated, france.bridged, japan.automated, japan.bridged};
  }
  Totals totals_;
};

TEST_F(Standings, MoveOfAProgramAndOfAnotherNetworksAccount) {
  const Standing nobody;
  const Standing plain = standing(kFrance, false, false);
  const Standing program = standing(kFrance, true, false);
  const Standing bridged = standing(kFrance, false, true);
  const Standing both = standing(kJapan, true, true);
  EXPECT_EQ(after(nobody, plain), (Counts{0, 0, 0, 0}));
  EXPECT_EQ(after(plain, program), (Counts{1, 0, 0, 0}));
  EXPECT_EQ(after(program, bridged), (Counts{0, 1, 0, 0}));
  EXPECT_EQ(after(bridged, both), (Counts{0, 0, 1, 1}));
  EXPECT_EQ(after(both, nobody), (Counts{0, 0, 0, 0}));
  EXPECT_EQ(after(nobody, both), (Counts{0, 0, 1, 1}));
}

TEST_F(Standings, AreInTheFiguresOfACountry) {
  after({}, standing(kJapan, true, true));
  after({}, standing(kJapan, false, true));
  const std::vector<CountryFigures> figures = totals_.figures({}, 1'750'000'000);
  EXPECT_EQ(figures[kJapan.index()].automated, 1U);
  EXPECT_EQ(figures[kJapan.index()].bridged, 2U);
  EXPECT_EQ(figures[kFrance.index()].bridged, 0U);
}

}  // namespace
}  // namespace geotally::tally
