// Goal: the small parsers of the feed (TID, RFC 3339, targets, Retry-After, depth) agree with their
// specifications at the edges.
#include <string>

#include <gtest/gtest.h>

#include "feed/json.h"
#include "feed/retry_after.h"
#include "feed/rfc3339.h"
#include "feed/target.h"
#include "feed/tid.h"
#include "padded.h"

namespace geotally::feed {
namespace {

TEST(Tid, IsANumberThatSortsLikeItsText) {
  EXPECT_EQ(parse_tid("2222222222223"), 1u);
  EXPECT_EQ(parse_tid("222222222222z"), 31u);
  EXPECT_EQ(parse_tid("2222222222232"), 32u);
  EXPECT_EQ(parse_tid("jzzzzzzzzzzzz"), UINT64_MAX);
  // The example of the specification: microseconds in the upper 53 bits.
  EXPECT_EQ(parse_tid("3jzfcijpj2z2a") >> 10, 1'688'137'381'887'007u);
  EXPECT_LT(parse_tid("3jzfcijpj2z2a"), parse_tid("3jzfcijpj2z2b"));
}

TEST(Tid, AnythingElseIsNone) {
  for (const std::string_view text :
       {"", "3jzfcijpj2z2", "3jzfcijpj2z2aa", "3jzfcijpj2z21", "3jzfcijpj2z2A", "kzzzzzzzzzzzz",
        "zzzzzzzzzzzzz", "2222222222222", "3jzf-cij-pj2z",
        "\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF"}) {
    EXPECT_EQ(parse_tid(text), 0u) << text;
  }
}

TEST(Rfc3339, ReadsWhatServersWrite) {
  const auto at = [](std::string_view text) {
    std::int64_t time_us = -1;
    EXPECT_TRUE(parse_rfc3339(text, time_us)) << text;
    return time_us;
  };
  EXPECT_EQ(at("1970-01-01T00:00:00Z"), 0);
  EXPECT_EQ(at("2026-08-11T12:49:00.398794Z"), 1'786'452'540'398'794);
  EXPECT_EQ(at("2026-08-11T14:49:00.398794+02:00"), 1'786'452'540'398'794);
  EXPECT_EQ(at("2026-08-11T07:19:00.398794-05:30"), 1'786'452'540'398'794);
  EXPECT_EQ(at("2026-08-11T12:49:00.3Z"), 1'786'452'540'300'000);
  EXPECT_EQ(at("2026-08-11T12:49:00.398794999Z"), 1'786'452'540'398'794);
  EXPECT_EQ(at("2024-02-29T23:59:60Z"), at("2024-02-29T23:59:59Z"));
  EXPECT_EQ(at("2000-03-01T00:00:00Z"), 951'868'800'000'000);
  EXPECT_EQ(at("9999-12-31T23:59:59.999999Z"), kTimeMax_us);
}

TEST(Rfc3339, RefusesEverythingElse) {
  for (const std::string_view text : {"",
                                      "2026-08-11",
                                      "2026-08-11T12:49:00",
                                      "2026-08-11T12:49:00.Z",
                                      "2026-13-11T12:49:00Z",
                                      "2026-02-29T12:49:00Z",
                                      "1900-02-29T00:00:00Z",
                                      "2026-08-32T12:49:00Z",
                                      "2026-08-11T24:00:00Z",
                                      "2026-08-11T12:60:00Z",
                                      "2026-08-11T12:49:61Z",
                                      "2026-08-11T12:49:00+2:00",
                                      "2026-08-11T12:49:00+24:00",
                                      "2026-08-11T12:49:00Zx",
                                      "2026-08-11T12:49:0aZ",
                                      "0000-00-00T00:00:00Z",
                                      "1969-12-31T23:59:59Z",
                                      "1970-01-01T00:00:00+00:01",
                                      "9999-12-31T23:59:59-00:01",
                                      "2026-08-11T12:49:00.5"}) {
    std::int64_t time_us = 42;
    EXPECT_FALSE(parse_rfc3339(text, time_us)) << text;
    EXPECT_EQ(time_us, 42) << text;
  }
}

TEST(Target, KeepsWhatTheOperatorWrote) {
  Target target("/subscribe?wantedCollections=a.b&cursor=1&x=&cursor=2");
  EXPECT_TRUE(target.given("wantedCollections"));
  EXPECT_TRUE(target.given("x"));
  EXPECT_FALSE(target.given("wanted"));
  EXPECT_FALSE(target.given("subscribe"));
  target.replace("cursor", "99");
  target.add("wantedDids", "did:web:a%3A1");
  EXPECT_EQ(target.text(),
            "/subscribe?wantedCollections=a.b&x=&cursor=99&wantedDids=did:web:a%253A1");
}

TEST(Target, BeginsAQueryWhereThereIsNone) {
  for (const std::string_view base : {"/subscribe", "/subscribe?"}) {
    Target target(base);
    target.add("a", "x*.y z");
    target.add("b", "é");
    EXPECT_EQ(target.text(), "/subscribe?a=x*.y%20z&b=%C3%A9");
    target.remove("a");
    target.remove("b");
    EXPECT_EQ(target.text(), "/subscribe");
  }
}

TEST(Target, KnowsAParameterHoweverItIsEncoded) {
  Target target("/subscribe?%63ursor=1&wanted%43ollections=a.b&c+d=%2B+%");
  EXPECT_TRUE(target.given("cursor"));
  EXPECT_TRUE(target.given("wantedCollections"));
  EXPECT_EQ(parameters("/subscribe?%63ursor=1&&x&c+d=%2B+%&y=a=b"),
            (std::vector<std::pair<std::string, std::string>>{
                {"cursor", "1"}, {"x", ""}, {"c d", "+ %"}, {"y", "a=b"}}));
  target.replace("cursor", "2");
  EXPECT_EQ(target.text(), "/subscribe?wanted%43ollections=a.b&c+d=%2B+%&cursor=2");
}

TEST(RetryAfter, IsSecondsOrADate) {
  using std::chrono::seconds;
  constexpr std::int64_t kNow = 784'111'777;  // Sun, 06 Nov 1994 08:49:37 GMT
  EXPECT_EQ(parse_retry_after("0", kNow), seconds(0));
  EXPECT_EQ(parse_retry_after("120", kNow), seconds(120));
  EXPECT_EQ(parse_retry_after("Sun, 06 Nov 1994 08:51:37 GMT", kNow), seconds(120));
  EXPECT_EQ(parse_retry_after("Sunday, 06-Nov-94 08:51:37 GMT", kNow), seconds(120));
  EXPECT_EQ(parse_retry_after("Sun Nov  6 08:51:37 1994", kNow), seconds(120));
  EXPECT_EQ(parse_retry_after("Sun, 06 Nov 1994 08:49:36 GMT", kNow), seconds(0)) << "it is past";
  EXPECT_GT(parse_retry_after("99999999999999999999999999", kNow), seconds(86'400));
  EXPECT_GT(parse_retry_after("Fri, 31 Dec 9999 23:59:59 GMT", kNow), seconds(86'400));
  for (const char* text : {"", "-1", "1.5", "soon", "120 s", "Sun, 06 Nov 1994 08:51:37",
                           "Sun, 06 Nov 1994 08:51:37 CET", "Sun, 36 Nov 1994 08:51:37 GMT",
                           "Sun, 06 Nov 1994 08:51:37 GMT, 120", "1e3"}) {
    EXPECT_EQ(parse_retry_after(text, kNow), std::nullopt) << text;
  }
}

TEST(Depth, CountsOnlyWhatNests) {
  const auto deeper = [](const std::string& text, std::size_t max) {
    const Padded padded(text, '[');
    return deeper_than(Frame(padded).text, max);
  };
  EXPECT_FALSE(deeper("", 0));
  EXPECT_TRUE(deeper("{", 0));
  EXPECT_FALSE(deeper("{}[]{}[]{}[]", 1));
  EXPECT_FALSE(deeper("[[[]]]", 3));
  EXPECT_TRUE(deeper("[[[]]]", 2));
  EXPECT_FALSE(deeper(R"(["[[[[[[[[", "\"[[[[[[", "\\"])", 1));
  EXPECT_TRUE(deeper(R"(["\\",[]])", 1));
  EXPECT_TRUE(deeper(std::string(100'000, '['), 64));
  EXPECT_FALSE(deeper("\"" + std::string(100'000, '{') + "\"", 64));
  // Exactly at the limit, at every alignment, with brackets in the padding.
  for (std::size_t before = 0; before < 40; ++before) {
    const std::string open = std::string(before, ' ') + std::string(64, '[');
    EXPECT_FALSE(deeper(open, 64)) << before;
    EXPECT_TRUE(deeper(open + "{", 64)) << before;
  }
}

}  // namespace
}  // namespace geotally::feed
