// Goal: locations of every kind, from every part of the world, are read as they are meant, and what
// is no place is left alone; one string more or less is no matter, a class of them is.
// Method: as_written.tsv, whose strings were made up and labelled before the resolver saw them.
#include <algorithm>
#include <fstream>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "geo/resolver.h"

namespace geotally::geo {
namespace {

TEST(AsWritten, MostArePlacedAndTheOthersSilent) {
  const Resolver resolver(Resolver::Options{.table = GEOTALLY_TABLE});
  std::ifstream file(GEOTALLY_AS_WRITTEN);
  ASSERT_TRUE(file);
  double places = 0;
  double found = 0;
  double others = 0;
  double silent = 0;
  std::string wrong;
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with("# ")) continue;
    const std::size_t tab = line.find('\t');
    const std::string text = line.substr(0, tab);
    const std::string countries = tab == std::string::npos ? "" : line.substr(tab + 1);
    EvidenceState state;
    Evidence evidence;
    evidence.profile = true;
    evidence.location = text;
    (void)resolver.weigh(state, evidence);
    const std::string answer(resolver.resolve(state).country.code());
    const bool right = countries.find(answer) != std::string::npos;
    (countries.empty() ? others : places) += 1;
    if (countries.empty()) {
      silent += answer == "ZZ" ? 1 : 0;
    } else {
      found += right ? 1 : 0;
    }
    if (countries.empty() ? answer != "ZZ" : !right) wrong += text + " → " + answer + "\n";
  }
  EXPECT_GE(places, 500);
  EXPECT_GE(others, 350);
  EXPECT_GE(found / places, 0.97) << wrong;
  EXPECT_GE(silent / others, 0.97) << wrong;
}

}  // namespace
}  // namespace geotally::geo
