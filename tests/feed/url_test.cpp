// Goal: the address of a feed is taken whole, path and query included, or refused with a line.
#include "feed/url.h"

#include <gtest/gtest.h>

namespace geotally::feed {
namespace {

Url parse(std::string_view text) {
  Url url;
  std::string error;
  EXPECT_TRUE(Url::parse(text, url, error)) << text << ": " << error;
  return url;
}

TEST(Url, TakesTheWholeAddress) {
  const Url url = parse("wss://Feed.Example:8443/sub/scribe?wantedCollections=a.b&x=1");
  EXPECT_TRUE(url.tls);
  EXPECT_EQ(url.host, "feed.example");
  EXPECT_EQ(url.port, 8443);
  EXPECT_EQ(url.target, "/sub/scribe?wantedCollections=a.b&x=1");
  EXPECT_EQ(url.authority(), "feed.example:8443");
  EXPECT_EQ(url.host_header(), "feed.example:8443");
}

TEST(Url, FillsInWhatIsLeftOut) {
  EXPECT_EQ(parse("ws://feed.example").target, "/");
  EXPECT_EQ(parse("ws://feed.example").port, 80);
  EXPECT_EQ(parse("wss://feed.example").port, 443);
  EXPECT_EQ(parse("wss://feed.example").host_header(), "feed.example");
  EXPECT_EQ(parse("ws://feed.example?cursor=1").target, "/?cursor=1");
}

TEST(Url, TakesAddressesOfBothFamilies) {
  const Url six = parse("ws://[::1]:6008/subscribe");
  EXPECT_EQ(six.host, "::1");
  EXPECT_EQ(six.port, 6008);
  EXPECT_EQ(six.authority(), "[::1]:6008");
  EXPECT_EQ(parse("ws://[::1]/").host_header(), "[::1]");
  EXPECT_EQ(parse("ws://127.0.0.1:1/").host, "127.0.0.1");
}

TEST(Url, TheDotOfAnAbsoluteNameIsForTheResolverOnly) {
  const Url url = parse("wss://Feed.Example.:8443/");
  EXPECT_EQ(url.host, "feed.example.");
  EXPECT_EQ(url.name(), "feed.example");
  EXPECT_EQ(url.host_header(), "feed.example:8443");
  EXPECT_EQ(parse("wss://feed.example./").host_header(), "feed.example");
  EXPECT_EQ(parse("wss://[::1]/").name(), "::1");
}

TEST(Url, RefusesWhatIsNoFeed) {
  for (const std::string_view text : {"",
                                      "http://feed.example/",
                                      "ws:/feed.example",
                                      "ws://",
                                      "ws:///subscribe",
                                      "ws://:80/",
                                      "ws://feed.example:0/",
                                      "ws://feed.example:65536/",
                                      "ws://feed.example:/",
                                      "ws://feed.example:80x/",
                                      "ws://feed.example:-1/",
                                      "ws://user:secret@feed.example/",
                                      "ws://feed.example/#part",
                                      "ws://feed .example/",
                                      "ws://feed.example/a b",
                                      "ws://feed.example/a\r\nHost: x",
                                      "ws://feed.ex\xC3\xA4mple/",
                                      "ws://./",
                                      "ws://feed..example/",
                                      "ws://feed.example../",
                                      "ws://.feed.example/",
                                      "ws://[::1/",
                                      "ws://[]/",
                                      "ws://[::1]80/",
                                      "ws://::1/",
                                      "ws://a/b\x7F"}) {
    Url url;
    std::string error;
    EXPECT_FALSE(Url::parse(text, url, error)) << text;
    EXPECT_FALSE(error.empty());
    EXPECT_EQ(error.find("secret"), std::string::npos) << "an error must not repeat a secret";
  }
  Url url;
  std::string error;
  EXPECT_FALSE(Url::parse("ws://a/" + std::string(20'000, 'x'), url, error));
  EXPECT_FALSE(Url::parse("ws://" + std::string(300, 'x'), url, error));
}

}  // namespace
}  // namespace geotally::feed
