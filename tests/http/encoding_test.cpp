// Goal: content coding and validators as RFC 9110 has them. Method: headers that clients send.
#include "http/encoding.h"

#include <gtest/gtest.h>

#include "raw_client.h"

namespace geotally::http {
namespace {

TEST(Encoding, WhatIsCompressedComesBack) {
  std::string text;
  for (int i = 0; i < 20'000; ++i) text += std::to_string(i * 7'919) + "\n";
  for (const std::string& sample : {std::string(), std::string("a"), text}) {
    EXPECT_EQ(gunzip(gzip(sample)), sample);
  }
  EXPECT_LT(gzip(text).size(), text.size() / 2);
}

TEST(Encoding, AValidatorNamesItsBodyOnly) {
  const std::string etag = etag_of("one");
  EXPECT_EQ(etag, etag_of("one"));
  EXPECT_NE(etag, etag_of("two"));
  EXPECT_TRUE(names_etag(etag, etag));
  EXPECT_TRUE(names_etag("\"x\", " + etag, etag));
  EXPECT_TRUE(names_etag(etag.substr(2), etag));  // weak comparison
  EXPECT_TRUE(names_etag("*", etag));
  EXPECT_TRUE(names_etag("\"a,b\", " + etag, etag));  // a comma inside a tag
  EXPECT_FALSE(names_etag("", etag));
  EXPECT_FALSE(names_etag("\"x\"", etag));
}

}  // namespace
}  // namespace geotally::http
