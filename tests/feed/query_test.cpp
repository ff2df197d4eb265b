// Goal: no feed stands and says nothing because of what its address asks for.
// Method: the parameters of both wires, each against what the configuration says.
#include "feed/query.h"

#include <gtest/gtest.h>

namespace geotally::feed {
namespace {

QueryExpectation expected(Wire wire, bool compress = false) {
  QueryExpectation expected;
  expected.wire = wire;
  expected.compress = compress;
  expected.collections = DialectOptions().collections;
  expected.message_bytes_max = 1'000'000;
  return expected;
}

// "refused NAME" or "warned NAME", in order.
std::vector<std::string> findings(const std::string& query, const QueryExpectation& expected) {
  std::vector<std::string> found;
  for (const QueryFinding& one : check_query("/x?" + query, expected)) {
    EXPECT_FALSE(one.message.empty());
    EXPECT_EQ(one.message.find("s3cret"), std::string::npos) << "a value is repeated";
    found.push_back((one.refused ? "refused " : "warned ") + one.name);
  }
  return found;
}
using Findings = std::vector<std::string>;

TEST(Query, WhatIsUsualIsFine) {
  const QueryExpectation v1 = expected(Wire::kJetstreamV1);
  const QueryExpectation v2 = expected(Wire::kJetstreamV2);
  EXPECT_EQ(check_query("/subscribe", v1).size(), 0u);
  for (const char* query :
       {"", "token=s3cret", "compress=false", "requireHello=false", "maxMessageSizeBytes=0",
        "wantedCollections=app.bsky.*&wantedCollections=community.lexicon.*"}) {
    EXPECT_EQ(findings(query, v1), Findings{}) << query;
  }
  for (const char* query :
       {"", "token=s3cret", "kinds=commit&kinds=identity&kinds=account&kinds=sync",
        "collections=app.bsky.feed.post&collections=app.bsky.actor.profile"
        "&collections=community.lexicon.*"}) {
    EXPECT_EQ(findings(query, v2), Findings{}) << query;
  }
}

TEST(Query, CompressionIsTheConfigurationsAffair) {
  const QueryExpectation off = expected(Wire::kJetstreamV1);
  const QueryExpectation on = expected(Wire::kJetstreamV1, true);
  for (const char* query :
       {"compress=true", "compress=1", "compress", "%63ompress=true", "compress=t%72ue"}) {
    EXPECT_EQ(findings(query, off), Findings{"refused compress"}) << query;
  }
  EXPECT_EQ(findings("compress=true", on), Findings{});
  EXPECT_EQ(findings("compress=false", on), Findings{"refused compress"});
  for (const bool compress : {false, true}) {
    EXPECT_EQ(findings("zstdDictionary=20260811", expected(Wire::kJetstreamV2, compress)),
              Findings{"refused zstdDictionary"});
  }
}

TEST(Query, AHelloThatIsWaitedForNeverComes) {
  const QueryExpectation v1 = expected(Wire::kJetstreamV1);
  for (const char* query : {"requireHello=true", "requireHello=1", "requireHello"}) {
    EXPECT_EQ(findings(query, v1), Findings{"refused requireHello"}) << query;
  }
}

TEST(Query, TheCursorIsTheStores) {
  for (const Wire wire : {Wire::kJetstreamV1, Wire::kJetstreamV2}) {
    for (const char* query : {"cursor=1", "cursor=1&cursor=2", "%63ursor=1", "cursor="}) {
      EXPECT_EQ(findings(query, expected(wire)), Findings{"refused cursor"}) << query;
    }
  }
}

TEST(Query, WhatAServerReadsOnceIsGivenOnce) {
  EXPECT_EQ(findings("requireHello=false&requireHello=true", expected(Wire::kJetstreamV1)),
            Findings{"refused requireHello"});
  EXPECT_EQ(findings("compress=false&compress=true", expected(Wire::kJetstreamV1)),
            Findings{"refused compress"});
  EXPECT_EQ(findings("maxMessageSizeBytes=0&maxMessageSizeBytes=9", expected(Wire::kJetstreamV2)),
            Findings{"refused maxMessageSizeBytes"});
}

TEST(Query, ABoundOfTheServersMustNotHideMessages) {
  for (const Wire wire : {Wire::kJetstreamV1, Wire::kJetstreamV2}) {
    for (const char* value : {"1", "999999", "-1", "", "x", "1e9", "99999999999999999999999"}) {
      EXPECT_EQ(findings(std::string("maxMessageSizeBytes=") + value, expected(wire)),
                Findings{"refused maxMessageSizeBytes"})
          << value;
    }
    EXPECT_EQ(findings("maxMessageSizeBytes=1000000", expected(wire)),
              Findings{"warned maxMessageSizeBytes"});
  }
}

TEST(Query, CollectionsWithoutPostsCountNothing) {
  for (const auto& [wire, name] : {std::pair{Wire::kJetstreamV1, std::string("wantedCollections")},
                                   std::pair{Wire::kJetstreamV2, std::string("collections")}}) {
    const std::string one = name + "=";
    for (const std::string& query :
         {one + "app.bsky.actor.profile", one + "app.bsky.feed.like&" + one + "app.bsky.graph.*",
          one + "app.bsky.feed.post,app.bsky.actor.profile", one, one + "*", one + "posts"}) {
      EXPECT_EQ(findings(query, expected(wire)), Findings{"refused " + name}) << query;
    }
    // Posts come, but not all that the configuration asks for.
    EXPECT_EQ(findings(one + "app.bsky.feed.post", expected(wire)), Findings{"warned " + name});
    const auto narrower = check_query("/x?" + one + "app.bsky.feed.*", expected(wire));
    ASSERT_EQ(narrower.size(), 1u);
    EXPECT_TRUE(
        narrower[0].message.ends_with("app.bsky.actor.profile, community.lexicon.actor.profile, "
                                      "community.lexicon.location.*"))
        << narrower[0].message;
    std::string many = one + "app.bsky.*";
    for (int i = 0; i < 100; ++i) many += "&" + one + "a.b";
    EXPECT_EQ(findings(many, expected(wire)), Findings{"refused " + name});
    // Whoever configured it so is told, and may have it.
    QueryExpectation profiles = expected(wire);
    profiles.collections = {"app.bsky.actor.profile"};
    EXPECT_EQ(findings("", profiles), Findings{"warned feed.collections"});
    EXPECT_EQ(findings(one + "app.bsky.actor.profile", profiles), Findings{"warned " + name});
    QueryExpectation all = expected(wire);
    all.collections = {};
    EXPECT_EQ(findings("", all), Findings{});
    EXPECT_EQ(findings(one + "app.bsky.feed.post", all), Findings{"warned " + name});
    EXPECT_EQ(findings(one + "app.bsky.actor.profile", all), Findings{"refused " + name});
  }
}

TEST(Query, KindsWithoutCommitsCountNothing) {
  const QueryExpectation v2 = expected(Wire::kJetstreamV2);
  for (const char* query : {"kinds=identity&kinds=account", "kinds=sync", "kinds=commit,account",
                            "kinds=", "kinds=commits&kinds=commit"}) {
    EXPECT_EQ(findings(query, v2), Findings{"refused kinds"}) << query;
  }
  EXPECT_EQ(findings("kinds=commit&kinds=account", v2), Findings{"warned kinds"});
  EXPECT_EQ(findings("kinds=commit", v2), (Findings{"warned kinds", "warned kinds"}));
}

TEST(Query, AFewAccountsAreAWarning) {
  EXPECT_EQ(findings("wantedDids=did:plc:a&wantedDids=did:web:b", expected(Wire::kJetstreamV1)),
            Findings{"warned wantedDids"});
  EXPECT_EQ(findings("dids=did:plc:a", expected(Wire::kJetstreamV2)), Findings{"warned dids"});
  EXPECT_EQ(findings("dids=a", expected(Wire::kJetstreamV2)), Findings{"refused dids"});
}

TEST(Query, TheOtherWiresNamesAreRefused) {
  for (const char* name : {"wantedCollections", "wantedDids", "compress", "requireHello"}) {
    EXPECT_EQ(findings(std::string(name) + "=x", expected(Wire::kJetstreamV2)),
              Findings{std::string("refused ") + name});
  }
  for (const char* name : {"collections", "dids", "kinds", "zstdDictionary"}) {
    EXPECT_EQ(findings(std::string(name) + "=x", expected(Wire::kJetstreamV1)),
              Findings{std::string("refused ") + name});
  }
}

}  // namespace
}  // namespace geotally::feed
