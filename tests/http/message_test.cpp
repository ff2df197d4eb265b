// Goal: a target is taken apart or refused. Method: targets as browsers and attackers write them.
#include "http/message.h"

#include <gtest/gtest.h>

namespace geotally::http {
namespace {

TEST(Message, ATargetIsTakenApartAndDecoded) {
  const auto target = parse_target("/api/v1/rankings?by=active%5Fshare&region=150&q=a+b&flag&x=");
  ASSERT_TRUE(target);
  EXPECT_EQ(target->path, "/api/v1/rankings");
  Request request;
  request.query = target->query;
  EXPECT_EQ(request.parameter("by"), "active_share");
  EXPECT_EQ(request.parameter("q"), "a b");
  EXPECT_EQ(request.parameter("flag"), "");
  EXPECT_EQ(request.parameter("x"), "");
  EXPECT_EQ(request.parameter("y"), std::nullopt);
  EXPECT_EQ(parse_target("/%46R")->path, "/FR");
  EXPECT_TRUE(parse_target("/?&&")->query.empty());
}

TEST(Message, AnAbsoluteTargetNamesItsHostToo) {
  const auto target = parse_target("HTTP://Counter.example:9718/a%20b?c=d");
  ASSERT_TRUE(target);
  EXPECT_EQ(target->authority, "Counter.example:9718");
  EXPECT_EQ(target->path, "/a b");
  EXPECT_EQ(target->query.size(), 1u);
  EXPECT_EQ(parse_target("http://[::1]/metrics")->authority, "[::1]");
  for (const char* root : {"http://localhost", "http://localhost/", "http://localhost?x=1"}) {
    ASSERT_TRUE(parse_target(root)) << root;
    EXPECT_EQ(parse_target(root)->path, "/") << root;
  }
  EXPECT_EQ(parse_target("/http://elsewhere/")->authority, "");
  for (const char* bad : {"http://", "http:///metrics", "http:/metrics", "http:localhost/",
                          "https://localhost/metrics", "http://ann@localhost/", "http://?x=1"}) {
    EXPECT_FALSE(parse_target(bad)) << bad;
  }
}

TEST(Message, WhatIsNoTargetIsRefused) {
  for (const char* target : {"", "metrics", "*", "/%", "/%4", "/%zz", "/?a=%", "/?%g0=1"}) {
    EXPECT_FALSE(parse_target(target)) << target;
  }
  std::string many = "/?";
  for (std::size_t i = 0; i <= kParametersMax; ++i) many += "a=1&";
  EXPECT_FALSE(parse_target(many));
}

}  // namespace
}  // namespace geotally::http
