// Goal: a country-code domain names its country; a code that is sold to anybody, a service, a word
// that ends in a code, and a bridge name none.
#include "geo/domains.h"

#include <string>

#include <gtest/gtest.h>

#include "geo/resolver.h"

namespace geotally::geo {
namespace {

const Table& table() {
  static const Table instance(GEOTALLY_TABLE);
  return instance;
}
std::string of(std::string_view domain) {
  return std::string(country_of_domain(table(), domain).code());
}

TEST(Domains, OfHandles) {
  EXPECT_EQ(of("someone.example.fr"), "FR");
  EXPECT_EQ(of("SOMEONE.CO.UK"), "GB");
  EXPECT_EQ(of("a.com.br."), "BR");
  EXPECT_EQ(of("bäckerei-müller.de"), "DE");
  for (const auto* handle :
       {"a.bsky.social", "a.example.io", "a.ai", "a.tv", "a.me", "a.co", "a.xyz", "a.zz", "fr",
        ".fr", "", "...", "a.f\xc3", "a.eu", "192.168.1.10", "a..fr", ".a.fr"}) {
    EXPECT_EQ(of(handle), "ZZ") << handle;
  }
  EXPECT_EQ(of(std::string(100'000, 'a') + ".fr"), "ZZ");
}

TEST(Domains, OfWebsites) {
  const auto site = [](std::string_view url) {
    return std::string(country_of_website(table(), url).code());
  };
  EXPECT_EQ(site("https://example.de/path?x=1"), "DE");
  EXPECT_EQ(site("example.jp"), "JP");
  EXPECT_EQ(site("http://user:word@example.it:8080/"), "IT");
  EXPECT_EQ(site("https://example.com/x.fr"), "ZZ");
  EXPECT_EQ(site("https://youtu.be/abc"), "ZZ");
  EXPECT_EQ(site("https://"), "ZZ");
  EXPECT_EQ(site(""), "ZZ");
}

TEST(Domains, AServiceIsNoCountryNorWhatLiesBelowIt) {
  for (const auto* service :
       {"youtu.be", "linktr.ee", "flic.kr", "redd.it", "spoti.fi", "msha.ke", "hoo.be", "pin.it",
        "lnkd.in", "someone.ap.brid.gy", "SITE.EXAMPLE.WEB.BRID.GY", "buymeacoff.ee", "telegra.ph",
        "a.b.c.d.teletype.in", "toyhou.se", "zoom.us", "us02web.zoom.us", "lemm.ee", "shope.ee"}) {
    EXPECT_EQ(of(service), "ZZ") << service;
  }
  // Not by the letters, but by the labels.
  EXPECT_EQ(of("notyoutu.be"), "BE");
  EXPECT_EQ(of("mylinktr.ee"), "EE");
}

TEST(Domains, APublicSuffixByItselfIsNoSite) {
  EXPECT_EQ(of("co.uk"), "ZZ");
  EXPECT_EQ(of("com.br"), "ZZ");
  EXPECT_EQ(of("example.com.br"), "BR");
}

TEST(Domains, AWordThatEndsInACodeIsNoCountry) {
  for (const auto* word : {"hou.se", "gui.de", "cred.it", "sket.ch", "paragra.ph", "my.archiv.es",
                           "clubhou.se", "mat.ch", "sta.ge"}) {
    EXPECT_EQ(of(word), "ZZ") << word;
  }
  // Where the label is whole without it, it is a site.
  for (const auto& [site, code] : {std::pair("smart-home.de", "DE"),
                                   {"bakery.at", "AT"},
                                   {"rundschau.de", "DE"},
                                   {"corriere.it", "IT"},
                                   {"lemonde.fr", "FR"},
                                   {"zeit.de", "DE"},
                                   {"elpais.es", "ES"},
                                   {"nos.nl", "NL"},
                                   {"hs.fi", "FI"},
                                   {"flipkart.in", "IN"},
                                   {"postimees.ee", "EE"},
                                   {"kotimaa.fi", "FI"},
                                   {"aftonbladet.se", "SE"}}) {
    EXPECT_EQ(of(site), code) << site;
  }
}

TEST(Domains, BridgedAccountsAreToldByTheirLabels) {
  EXPECT_TRUE(is_bridged("someone.example.social.ap.brid.gy"));
  EXPECT_TRUE(is_bridged("example.com.web.brid.gy"));
  EXPECT_TRUE(is_bridged("Someone.Example.AP.Brid.Gy."));
  for (const auto* handle :
       {"ap.brid.gy", ".ap.brid.gy.example.com", "web.brid.gy", "brid.gy", "someone.brid.gy",
        "someonewap.brid.gy", "someone.xap.brid.gy", "someone.bsky.social", "", ".", "gy"}) {
    EXPECT_FALSE(is_bridged(handle)) << handle;
  }
}

TEST(Domains, LinksOfATextButNotItsSentences) {
  const auto links = [](std::string_view text) {
    return std::string(country_of_links(table(), text).code());
  };
  EXPECT_EQ(links("Redakteurin, https://www.zeitung-am-see.de/team"), "DE");
  EXPECT_EQ(links("mail: someone@example.pl"), "PL");
  EXPECT_EQ(links("(kavarna-u-mostu.cz)"), "CZ");
  EXPECT_EQ(links("linktr.ee/someone, example.nl/me"), "NL");
  EXPECT_EQ(links("https://youtu.be/abc et https://linktr.ee/moi"), "ZZ");
  EXPECT_EQ(links("so tired.it is late, and i am in.no, out"), "ZZ");
  EXPECT_EQ(links("Born in Lyon.Fr, raised...in.It"), "ZZ");
  EXPECT_EQ(links("no link at all"), "ZZ");
  EXPECT_EQ(links("."), "ZZ");
  EXPECT_EQ(links(std::string(100'000, '.')), "ZZ");
}

Resolution resolved(const Evidence& evidence) {
  static const Resolver resolver(Resolver::Options{.table = GEOTALLY_TABLE});
  EvidenceState state;
  (void)resolver.weigh(state, evidence);
  return resolver.resolve(state);
}

TEST(Domains, ThirtyBridgedAccountsAreNotOfGuyana) {
  Evidence evidence;
  evidence.handle = "someone.example.social.ap.brid.gy";
  EXPECT_FALSE(resolved(evidence).country.known());
}

TEST(Domains, LinksAreNoPlaces) {
  Evidence evidence;
  evidence.profile = true;
  for (const auto* text : {"linktr.ee/paris", "https://www.instagram.com/jordan", "www.berlin.com",
                           "mail me: paris@lyon.com", "https://linktr.ee/berlin"}) {
    evidence.location = text;
    evidence.description = {};
    EXPECT_FALSE(resolved(evidence).country.known()) << text;
    evidence.location = {};
    evidence.description = text;
    EXPECT_FALSE(resolved(evidence).country.known()) << text;
  }
  evidence.description = {};
  evidence.location = "Lyon, France. https://example.com/berlin";
  EXPECT_EQ(resolved(evidence).country.code(), "FR");
  evidence.location = "Paris.France";
  EXPECT_EQ(resolved(evidence).country.code(), "FR");
}

TEST(Domains, ASmallCountrysCodeSaysLessThanALargeOnes) {
  Evidence evidence;
  evidence.handle = "a.example.de";
  const Resolution large = resolved(evidence);
  EXPECT_EQ(large.country.code(), "DE");
  evidence.handle = "a.example.tg";
  EXPECT_LT(resolved(evidence).confidence, large.confidence - 10);
}

}  // namespace
}  // namespace geotally::geo
