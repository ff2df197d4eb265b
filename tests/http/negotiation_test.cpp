// Goal: a client gets what it would rather have, by the weights of RFC 9110. Method: headers that
// clients send, and the examples of sections 12.4.2, 12.5.1 and 12.5.3.
#include "http/negotiation.h"

#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace geotally::http {
namespace {

TEST(Negotiation, GzipIsSentToThoseWhoTakeIt) {
  for (const char* header :
       {"gzip", "GZIP", "deflate, gzip;q=0.5", "gzip;q=1.0", "*", "br , gzip ", "*;q=0, gzip",
        "x-gzip", "gzip ; q=0.001", "gzip;Q=0.5", "compress;q=0.5, gzip;q=1.0",
        "gzip;q=1.0, identity; q=0.5, *;q=0", "gzip;q=0.5, identity;q=0.5", "*;q=0.1", "gzip;q=1.",
        "gzip;q=0.2;x=1"}) {
    EXPECT_TRUE(accepts_gzip(header)) << header;
  }
  for (const char* header :
       {"", "identity", "gzip;q=0", "gzip; q=0.000", "gzip;Q=0", "deflate", "identity;q=0",
        "x-gzipped", "*, gzip;q=0", ",,,", "*;q=0", "gzip;q=0., *"}) {
    EXPECT_FALSE(accepts_gzip(header)) << header;
  }
}

TEST(Negotiation, WhoRatherHasTheTextAsItIsGetsThat) {
  EXPECT_FALSE(accepts_gzip("identity, gzip;q=0.5"));
  EXPECT_FALSE(accepts_gzip("gzip;q=0.3, *;q=0.4"));
  EXPECT_TRUE(accepts_gzip("gzip;q=0.4, identity;q=0.3"));
}

TEST(Negotiation, AWeightThatIsNoneSaysNothing) {
  for (const char* weight : {"2", "1.001", "-1", "0.0000", "x", "", "0,5", ".5", "00", "1e0"}) {
    EXPECT_FALSE(accepts_gzip(std::string("gzip;q=") + weight)) << weight;
    EXPECT_FALSE(prefers_csv(std::string("text/csv;q=") + weight)) << weight;
  }
}

TEST(Negotiation, CsvIsSentToThoseWhoRatherHaveIt) {
  for (const char* header :
       {"text/csv", "TEXT/CSV", "text/csv; charset=utf-8", "text/csv;q=0.5", "text/csv, */*",
        "text/csv;q=0.9, application/json;q=0.8", "application/json;q=0, */*;q=0.1, text/csv",
        "text/*", "application/json;q=0, */*", "text/csv;header=present;q=0.001",
        "text/html, text/csv;q=0.5", "text/csv, application/*", "text/csv;x=\"a,b;q=0\""}) {
    EXPECT_TRUE(prefers_csv(header)) << header;
  }
  for (const char* header :
       {"", "*/*", "application/json", "text/csv;q=0", "text/csv; q=0.0", "text/csv;Q=0",
        "text/csv;q=0, */*", "text/csv;q=0.5, */*", "text/csv;q=0.5, application/json",
        "application/json, text/csv",
        "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", "text/html",
        "text/*;q=0.3, application/json;q=0.4", "text/*, text/csv;q=0", "text/csv-schema",
        "x/text/csv", "application/json;x=\"text/csv\"", "\"text/csv"}) {
    EXPECT_FALSE(prefers_csv(header)) << header;
  }
}

TEST(Negotiation, AListIsTakenApartWhereItsCommasAre) {
  std::vector<std::string> seen;
  const auto collect = [&](std::string_view element) {
    seen.emplace_back(element);
    return true;
  };
  each_element(" a,\tb ,, \"c,\\\",d\" ,", collect);
  EXPECT_EQ(seen, (std::vector<std::string>{"a", "b", "\"c,\\\",d\""}));
  int calls = 0;
  each_element("a,b,c", [&](std::string_view) { return ++calls < 2; });
  EXPECT_EQ(calls, 2);
  each_element("\"never closed, \\", [&](std::string_view) { return ++calls < 9; });
  EXPECT_EQ(calls, 3);
}

}  // namespace
}  // namespace geotally::http
