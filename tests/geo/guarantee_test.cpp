// Goal: what a resolver of any version promises to the rest of the program, at the default
// threshold: plain, unambiguous evidence decides, weak evidence alone does not.
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "geo/resolver.h"

namespace geotally::geo {
namespace {

class Guarantee : public testing::Test {
 protected:
  static std::string flag(std::string_view code) {
    std::string text;
    for (const char letter : code) {
      text += "\xf0\x9f\x87";
      text += static_cast<char>(0xa6 + (letter - 'A'));
    }
    return text;
  }
  static std::vector<LanguageTag> tags(std::initializer_list<std::string_view> texts) {
    std::vector<LanguageTag> result;
    for (const auto text : texts) result.push_back(*LanguageTag::parse(text));
    return result;
  }
  Resolution of_profile(std::string_view description) const {
    EvidenceState state;
    Evidence evidence;
    evidence.profile = true;
    evidence.description = description;
    (void)resolver_.weigh(state, evidence);
    return resolver_.resolve(state);
  }
  Resolution of_posts(std::initializer_list<std::string_view> languages, int posts = 1) const {
    EvidenceState state;
    const auto parsed = tags(languages);
    Evidence evidence;
    evidence.post = true;
    evidence.languages = parsed;
    for (int i = 0; i < posts; ++i) (void)resolver_.weigh(state, evidence);
    return resolver_.resolve(state);
  }
  static const Resolver& shared() {
    static const Resolver instance(Resolver::Options{.table = GEOTALLY_TABLE});
    return instance;
  }
  const Resolver& resolver_ = shared();
};

TEST_F(Guarantee, NothingIsUnknown) {
  EXPECT_EQ(resolver_.resolve(EvidenceState{}), Resolution{});
  EXPECT_EQ(of_profile("just a person").country, kUnknownCountry);
  EXPECT_EQ(of_posts({}).country, kUnknownCountry);
  // A language that no country has.
  EXPECT_EQ(of_posts({"qqq"}).country, kUnknownCountry);
}

TEST_F(Guarantee, OneFlagLeadsForEveryCountryButIsNotLikelierThanNot) {
  const Resolver open(Resolver::Options{.threshold = 0, .table = GEOTALLY_TABLE});
  for (std::size_t i = 1; i < Country::count(); ++i) {
    const Country country = Country::from_index(i);
    EvidenceState state;
    Evidence evidence;
    evidence.profile = true;
    const std::string description = "hello " + flag(country.code()) + " world";
    evidence.description = description;
    (void)open.weigh(state, evidence);
    const Resolution resolution = open.resolve(state);
    EXPECT_EQ(resolution.country, country) << country.code();
    EXPECT_EQ(resolution.evidence, EvidenceKind::kFlag) << country.code();
    EXPECT_LE(resolution.confidence, 128) << country.code();
    EXPECT_EQ(resolver_.resolve(state).country, kUnknownCountry) << country.code();
  }
}

// Among English posts a flag is often of where a family is from, so that it takes a language of its
// country to decide.
TEST_F(Guarantee, AFlagDecidesAmongPostsInALanguageOfItsCountryButEnglish) {
  const struct {
    std::string_view code;
    std::string_view language;
  } worlds[] = {{"BR", "pt"}, {"JP", "ja"}, {"ID", "id"}, {"IN", "hi"}, {"MX", "es"}, {"CO", "es"},
                {"AR", "es"}, {"ES", "es"}, {"VE", "es"}, {"CL", "es"}, {"PH", "tl"}, {"FR", "fr"},
                {"TR", "tr"}, {"TH", "th"}, {"KR", "ko"}, {"NL", "nl"}, {"IT", "it"}, {"DE", "de"},
                {"AT", "de"}, {"CH", "de"}, {"BE", "fr"}, {"RU", "ru"}, {"UA", "uk"}, {"PT", "pt"},
                {"SA", "ar"}, {"EG", "ar"}, {"KW", "ar"}, {"SE", "sv"}, {"FI", "fi"}, {"NO", "nb"},
                {"DK", "da"}, {"PL", "pl"}, {"MY", "ms"}, {"CN", "zh"}, {"TW", "zh"}, {"HK", "zh"}};
  for (const auto& world : worlds) {
    for (const bool profile_first : {true, false}) {
      EvidenceState state;
      const std::string description = flag(world.code);
      const auto languages = tags({world.language});
      Evidence profile;
      profile.profile = true;
      profile.description = description;
      Evidence post;
      post.post = true;
      post.languages = languages;
      if (profile_first) (void)resolver_.weigh(state, profile);
      for (int i = 0; i < 100; ++i) (void)resolver_.weigh(state, post);
      if (!profile_first) (void)resolver_.weigh(state, profile);
      EXPECT_EQ(resolver_.resolve(state).country.code(), world.code) << world.language;
    }
  }
}

TEST_F(Guarantee, ARegionSubtagDecides) {
  for (std::size_t i = 1; i < Country::count(); ++i) {
    const Country country = Country::from_index(i);
    const Resolution resolution = of_posts({"en-" + std::string(country.code())});
    EXPECT_EQ(resolution.country, country) << country.code();
  }
  EXPECT_EQ(of_posts({"pt-BR"}).country.code(), "BR");
  EXPECT_EQ(of_posts({"pt-PT"}).country.code(), "PT");
  EXPECT_EQ(of_posts({"es-MX"}).country.code(), "MX");
  EXPECT_EQ(of_posts({"fr-CA"}, 50).country.code(), "CA");
}

TEST_F(Guarantee, SeveralPostsInALanguageOfEssentiallyOneCountryDecide) {
  const struct {
    std::string_view language;
    std::string_view code;
  } languages[] = {{"ja", "JP"}, {"ko", "KR"}, {"th", "TH"}, {"fi", "FI"}, {"pl", "PL"},
                   {"tr", "TR"}, {"id", "ID"}, {"is", "IS"}, {"it", "IT"}, {"vi", "VN"},
                   {"uk", "UA"}, {"da", "DK"}, {"no", "NO"}, {"nb", "NO"}, {"sv", "SE"},
                   {"hu", "HU"}, {"cs", "CZ"}, {"he", "IL"}, {"bg", "BG"}, {"et", "EE"},
                   {"lv", "LV"}, {"lt", "LT"}, {"ka", "GE"}, {"de", "DE"}, {"ru", "RU"},
                   {"el", "GR"}, {"sk", "SK"}, {"tl", "PH"}, {"in", "ID"}, {"fil", "PH"},
                   {"sl", "SI"}, {"hr", "HR"}, {"ro", "RO"}, {"nl", "NL"}, {"hi", "IN"}};
  for (const auto& [language, code] : languages) {
    // One post may be in a language by mistake.
    EXPECT_EQ(of_posts({language}).country, kUnknownCountry) << language;
    for (const int posts : {4, 100}) {
      const Resolution resolution = of_posts({language}, posts);
      EXPECT_EQ(resolution.country.code(), code) << language;
      EXPECT_EQ(resolution.evidence, EvidenceKind::kLanguage) << language;
    }
  }
}

// Portuguese is Brazil's by far, so it decides; the others have no country of their own.
TEST_F(Guarantee, WorldLanguagesAloneDoNotDecide) {
  for (const auto* language : {"en", "es", "ar"}) {
    for (const int posts : {1, 100}) {
      EXPECT_EQ(of_posts({language}, posts).country, kUnknownCountry) << language;
    }
  }
  EXPECT_EQ(of_posts({"pt"}, 4).country.code(), "BR");
}

TEST_F(Guarantee, AProfileReplacesTheOneBefore) {
  EvidenceState state;
  Evidence profile;
  profile.profile = true;
  const std::string spain = flag("ES");
  const std::string chile = flag("CL");
  Evidence posts;
  posts.post = true;
  const auto languages = tags({"es"});
  posts.languages = languages;
  for (int i = 0; i < 4; ++i) (void)resolver_.weigh(state, posts);
  const EvidenceState posted = state;
  profile.description = spain;
  EXPECT_TRUE(resolver_.weigh(state, profile));
  EXPECT_FALSE(resolver_.weigh(state, profile));
  EXPECT_EQ(resolver_.resolve(state).country.code(), "ES");
  profile.description = chile;
  EXPECT_TRUE(resolver_.weigh(state, profile));
  EXPECT_EQ(resolver_.resolve(state).country.code(), "CL");
  profile.description = {};
  EXPECT_TRUE(resolver_.weigh(state, profile));
  EXPECT_EQ(state, posted);
}

}  // namespace
}  // namespace geotally::geo
