// Goal: DEFINITIONS, "Explicit evidence: ... decides until it is replaced or deleted; weaker evidence
// never overrides it", for the records in which a person declares a country.
// Method: messages of one account through a whole pipeline; where it counts is what is looked at.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include "rig.h"
#include "support/temp_dir.h"

namespace geotally::pipeline {
namespace {

using support::kSecond_us;
using support::Line;
using support::TempDir;

constexpr std::int64_t kNow_us = 1'700'000'000'000'000;
constexpr std::string_view kPerson = "community.lexicon.actor.profile";
constexpr std::string_view kAddress = "community.lexicon.location.address";

class Declared : public testing::Test {
 protected:
  Declared() : rig_(options()) {}

  /// What the account says next; where it counts then.
  std::string says(std::string_view operation, std::string_view collection, std::string_view rkey,
                   std::string_view record = {}) {
    now_us_ += kSecond_us;
    rig_.feed(fmt::format(
        R"({{"did":"did:plc:a","time_us":{},"kind":"commit","commit":{{"rev":"{}",)"
        R"("operation":"{}","collection":"{}","rkey":"{}"{}{}}}}})",
        now_us_, support::tid(support::revision_at(now_us_)), operation, collection, rkey,
        record.empty() ? "" : R"(,"record":)", record));
    return where();
  }
  std::string person(std::string_view record, std::string_view operation = "update") {
    return says(operation, kPerson, "self", record);
  }
  std::string address(std::string_view rkey, std::string_view country) {
    return says("create", kAddress, rkey, fmt::format(R"({{"country":"{}"}})", country));
  }
  std::string posts(std::string_view language) {
    return says("create", "app.bsky.feed.post", "r",
                fmt::format(R"({{"langs":["{}"],"text":"x"}})", language));
  }
  std::string where() {
    rig_.settle();
    std::string code = "nowhere";
    const auto snapshot = rig_.snapshot();
    for (std::size_t i = 0; i < Country::count(); ++i) {
      if (snapshot->countries[i].accounts == 1) code = Country::from_index(i).code();
    }
    return code;
  }
  double not_understood() {
    return rig_.metric("geotally_event_fields_ignored_total{field=\"country\"}");
  }

 private:
  RigOptions options() {
    RigOptions options;
    options.directory = directory_.path();
    options.threshold = 0;  // whatever evidence there is decides
    return options;
  }
  const TempDir directory_;
  std::int64_t now_us_ = kNow_us;

 protected:
  Rig rig_;
};

TEST_F(Declared, ACommunityProfileWithAnAddressSaysWhereAnAccountIs) {
  EXPECT_EQ(posts("ja"), "JP");
  EXPECT_EQ(person(R"({"displayName":"x","address":{"country":"FR"}})", "create"), "FR");
  EXPECT_EQ(posts("ja"), "FR");  // weaker evidence never overrides it
  EXPECT_EQ(person(R"({"address":{"country":"DE","locality":"Berlin"}})"), "DE");
  EXPECT_EQ(not_understood(), 0);
}

TEST_F(Declared, DeletingTheCommunityProfileOrItsAddressTakesTheCountryAway) {
  EXPECT_EQ(posts("ja"), "JP");
  EXPECT_EQ(person(R"({"address":{"country":"FR"}})", "create"), "FR");
  EXPECT_EQ(says("delete", kPerson, "self"), "JP");
  EXPECT_EQ(person(R"({"address":{"country":"FR"}})", "create"), "FR");
  EXPECT_EQ(person(R"({"displayName":"x"})"), "JP");
  EXPECT_EQ(not_understood(), 0);
}

TEST_F(Declared, FranceUpdatedToFRAIsFranceStill) {
  EXPECT_EQ(posts("ja"), "JP");
  EXPECT_EQ(address("home", "FR"), "FR");
  EXPECT_EQ(says("update", kAddress, "home", R"({"country":"FRA"})"), "FR");
  EXPECT_EQ(person(R"({"address":{"country":"GBR"}})", "create"), "GB");
  const std::pair<const char*, const char*> codes[] = {{"UK", "GB"},     {"EL", "GR"},
                                                       {"DEU", "DE"},    {"US-CA", "US"},
                                                       {"US-PR", "PR"},  {"fr-974", "RE"},
                                                       {"XKX", "XK"},    {"de", "DE"}};
  for (const auto& [text, code] : codes) {
    EXPECT_EQ(person(fmt::format(R"({{"address":{{"country":"{}"}}}})", text)), code) << text;
  }
  EXPECT_EQ(not_understood(), 0);
}

TEST_F(Declared, ACountryThatIsNotUnderstoodIsCounted) {
  EXPECT_EQ(address("home", "FR"), "FR");
  double expected = 0;
  for (const char* country : {R"("Frankreich")", R"("XX")", R"("ZZ")", "33", R"(["FR"])"}) {
    // It was replaced by something that declares nothing.
    EXPECT_EQ(says("update", kAddress, "home", fmt::format(R"({{"country":{}}})", country)), "ZZ");
    EXPECT_EQ(not_understood(), ++expected) << country;
    EXPECT_EQ(address("home", "FR"), "FR");
  }
  EXPECT_EQ(rig_.rejected(), 0);
  EXPECT_EQ(rig_.metric("geotally_event_fields_ignored_total{field=\"address\"}"), 0);
  person(R"({"address":"FR"})", "create");
  EXPECT_EQ(rig_.metric("geotally_event_fields_ignored_total{field=\"address\"}"), 1);
}

// Whose record it is decides: what one says is not taken back by the other.
TEST_F(Declared, AnAddressRecordAndACommunityProfileSpeakForThemselves) {
  EXPECT_EQ(address("self", "FR"), "FR");
  EXPECT_EQ(person(R"({"displayName":"x"})", "create"), "FR");  // declares nothing, takes nothing
  EXPECT_EQ(says("delete", kPerson, "self"), "FR");
  EXPECT_EQ(person(R"({"address":{"country":"JP"}})", "create"), "JP");  // the newest decides
  EXPECT_EQ(says("delete", kAddress, "self"), "JP");
  EXPECT_EQ(says("delete", kPerson, "self"), "ZZ");
}

TEST_F(Declared, WhereACalendarEventTakesPlaceIsNotWhereItsAuthorIs) {
  EXPECT_EQ(posts("ja"), "JP");
  EXPECT_EQ(says("create", "community.lexicon.calendar.event", "self",
                 R"({"name":"x","locations":[{"$type":"community.lexicon.location.address",)"
                 R"("country":"FR"}]})"),
            "JP");
  EXPECT_EQ(rig_.dropped("uncounted"), 1);
}

}  // namespace
}  // namespace geotally::pipeline
