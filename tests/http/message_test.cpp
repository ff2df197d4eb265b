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

TEST(Message, WhatIsNoTargetIsRefused) {
  for (const char* target :
       {"", "metrics", "http://localhost/metrics", "*", "/%", "/%4", "/%zz", "/?a=%", "/?%g0=1"}) {
    EXPECT_FALSE(parse_target(target)) << target;
  }
  std::string many = "/?";
  for (std::size_t i = 0; i <= kParametersMax; ++i) many += "a=1&";
  EXPECT_FALSE(parse_target(many));
}

}  // namespace
}  // namespace geotally::http
