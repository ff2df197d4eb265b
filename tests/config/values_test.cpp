// Goal: each kind of value is read exactly or refused. Method: what is allowed beside its
// nearest neighbours that are not.
#include "config/values.h"

#include <gtest/gtest.h>

namespace geotally::config {
namespace {

TEST(Values, Windows) {
  EXPECT_EQ(parse_window("15m")->seconds, 900);
  EXPECT_EQ(parse_window("899s")->seconds, 899);
  EXPECT_FALSE(parse_window("901s"));  // above 15 min only whole minutes
  EXPECT_EQ(parse_window("960s")->seconds, 960);
  EXPECT_EQ(parse_window("24h")->seconds, 86'400);
  EXPECT_FALSE(parse_window("1441m"));  // above 24 h only whole hours
  EXPECT_EQ(parse_window("25h")->seconds, 90'000);
  EXPECT_EQ(parse_window("90d")->seconds, 7'776'000);
  for (const char* text : {"", "m", "0m", "-1m", "+1m", " 1m", "1m ", "1.5h", "91d", "2161h", "1",
                           "1M", "99999999999999999999s", "1\xc2\xb5s"}) {
    EXPECT_FALSE(parse_window(text)) << text;
  }
}

TEST(Values, Endpoints) {
  EXPECT_EQ(parse_endpoint("127.0.0.1:9718"), (Endpoint{"127.0.0.1", 9718}));
  EXPECT_EQ(parse_endpoint("[::1]:0"), (Endpoint{"::1", 0}));
  EXPECT_EQ(to_string(*parse_endpoint("[::1]:80")), "[::1]:80");
  for (const char* text : {"", ":", "9718", ":9718", "a:", "a:b", "a:-1", "a:65536", "::1:80",
                           "[]:80", "a b:80", "a/b:80", "a:80 "}) {
    EXPECT_FALSE(parse_endpoint(text)) << text;
  }
  EXPECT_TRUE(is_loopback({"127.8.8.8", 1}));
  EXPECT_TRUE(is_loopback({"::1", 1}));
  EXPECT_FALSE(is_loopback({"0.0.0.0", 1}));
  EXPECT_FALSE(is_loopback({"::", 1}));
  EXPECT_FALSE(is_loopback({"127.example.org", 1}));
}

TEST(Values, Starts) {
  EXPECT_EQ(parse_start("live")->kind, Start::Kind::kLive);
  EXPECT_EQ(parse_start("oldest")->kind, Start::Kind::kOldest);
  EXPECT_EQ(parse_start("2012-07-01T00:00:00Z")->time_us, 1'341'100'800'000'000);
  EXPECT_EQ(parse_start("2012-07-01T02:00:00.000001+02:00")->time_us, 1'341'100'800'000'001);
  EXPECT_EQ(parse_start("2012-06-30T18:30:00.1234567-05:30")->time_us, 1'341'100'800'123'456);
  EXPECT_EQ(parse_start("1970-01-01T00:00:00z")->time_us, 0);
  for (const char* text :
       {"", "now", "Live", "2012-07-01", "2012-07-01T00:00:00", "2012-02-30T00:00:00Z",
        "2012-07-01T24:00:00Z", "2012-07-01T00:00:00.Z", "1969-12-31T23:59:59Z",
        "1970-01-01T00:00:00+01:00", "2012-07-01T00:00:00Zx", "2012-7-1T00:00:00Z"}) {
    EXPECT_FALSE(parse_start(text)) << text;
  }
}

TEST(Values, Urls) {
  for (const char* url : {"ws://h", "wss://host.example:443/a?b=c", "ws://127.0.0.1:6008/subscribe",
                          "ws://[::1]:80/x", "ws://[::1]/x"}) {
    EXPECT_EQ(check_url(url), "") << url;
  }
  for (const char* url : {"", "http://h/", "ws://", "ws:///x", "ws://h:0/", "ws://h:65536/",
                          "ws://h:x/", "ws://h /", "ws://h/#f", "ws://h/\n", "WS://h/"}) {
    EXPECT_NE(check_url(url), "") << url;
  }
  const std::string wrong = check_url("wss://user:hunter2@h/");
  EXPECT_NE(wrong.find("feed.token_file"), std::string::npos);
  EXPECT_EQ(wrong.find("hunter2"), std::string::npos);
}

TEST(Values, Collections) {
  EXPECT_EQ(check_collection("app.bsky.feed.post"), "");
  EXPECT_EQ(check_collection("community.lexicon.location.*"), "");
  for (const char* text : {"", "*", ".*", "post", "a.b&cursor=1", "a..*x", ".a.b", "a.b."}) {
    EXPECT_NE(check_collection(text), "") << text;
  }
}

}  // namespace
}  // namespace geotally::config
