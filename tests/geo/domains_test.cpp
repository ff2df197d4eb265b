// Goal: a country-code domain names its country, one that is sold to anybody names none.
#include "geo/domains.h"

#include <string>

#include <gtest/gtest.h>

namespace geotally::geo {
namespace {

TEST(Domains, OfHandles) {
  EXPECT_EQ(country_of_handle("someone.example.fr").code(), "FR");
  EXPECT_EQ(country_of_handle("SOMEONE.CO.UK").code(), "GB");
  EXPECT_EQ(country_of_handle("a.com.br.").code(), "BR");
  for (const auto* handle :
       {"a.bsky.social", "a.example.io", "a.ai", "a.tv", "a.me", "a.co", "a.xyz", "a.zz", "fr",
        ".fr", "", "...", "a.f\xc3", "a.eu", "192.168.1.10"}) {
    EXPECT_FALSE(country_of_handle(handle).known()) << handle;
  }
  EXPECT_FALSE(country_of_handle(std::string(100'000, 'a') + ".fr").known());
}

TEST(Domains, OfWebsites) {
  EXPECT_EQ(country_of_website("https://example.de/path?x=1").code(), "DE");
  EXPECT_EQ(country_of_website("example.jp").code(), "JP");
  EXPECT_EQ(country_of_website("http://user:word@example.it:8080/").code(), "IT");
  EXPECT_FALSE(country_of_website("https://example.com/x.fr").known());
  EXPECT_FALSE(country_of_website("https://").known());
  EXPECT_FALSE(country_of_website("").known());
}

}  // namespace
}  // namespace geotally::geo
