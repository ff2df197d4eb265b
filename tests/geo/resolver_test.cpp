// Goal: evidence of all kinds adds up, in whatever order it comes, within its bytes.
#include "geo/resolver.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <functional>
#include <random>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "geo/memory.h"
#include "geo/weights.h"

namespace geotally::geo {
namespace {

class ResolverTest : public testing::Test {
 protected:
  static LanguageTag tag(std::string_view text) { return *LanguageTag::parse(text); }
  static bool post(EvidenceState& state, std::string_view language,
                   std::uint8_t hour = Evidence::kNoHour,
                   std::int32_t offset_s = Evidence::kNoOffset) {
    const std::array<LanguageTag, 1> languages = {tag(language)};
    Evidence evidence;
    evidence.post = true;
    evidence.languages = languages;
    evidence.utc_hour = hour;
    evidence.utc_offset_s = offset_s;
    return resolver().weigh(state, evidence);
  }
  static bool profile(EvidenceState& state, const std::function<void(Evidence&)>& fill) {
    Evidence evidence;
    evidence.profile = true;
    fill(evidence);
    return resolver().weigh(state, evidence);
  }
  static std::string_view country(const EvidenceState& state) {
    return resolver().resolve(state).country.code();
  }
  static double chance(const EvidenceState& state, std::string_view code) {
    return resolver().probability(state, *Country::parse(code));
  }
  // The odds of `code` against all others.
  static double odds(const EvidenceState& state, std::string_view code) {
    return chance(state, code) / (1 - chance(state, code));
  }
  // How many times a zone's name multiplies the odds of a country.
  static double gain(std::string_view zone, std::string_view code) {
    EvidenceState state;
    (void)profile(state, [&](Evidence& evidence) { evidence.time_zone = zone; });
    return odds(state, code) / odds(EvidenceState{}, code);
  }
  // A country's strength in half nats, as a flag that is right so often leaves it.
  static int strength(std::string_view code, double right) {
    const double prior = chance(EvidenceState{}, code);
    return static_cast<int>(
        std::lround(2 * (std::log(right / (1 - right)) - std::log(prior / (1 - prior)))));
  }
  static const Resolver& resolver() {
    static const Resolver instance(Resolver::Options{.table = GEOTALLY_TABLE});
    return instance;
  }
};

TEST_F(ResolverTest, LanguageAndPlaceAgreeOrContend) {
  EvidenceState place;
  (void)profile(place, [](Evidence& evidence) { evidence.location = "Valencia"; });
  EvidenceState with_spanish = place;
  (void)post(with_spanish, "ca");
  EXPECT_GT(chance(with_spanish, "ES"), chance(place, "ES"));
  EvidenceState abroad;
  (void)profile(abroad, [](Evidence& evidence) { evidence.location = "Lisboa, Portugal"; });
  for (int i = 0; i < 40; ++i) (void)post(abroad, "en");
  EXPECT_EQ(country(abroad), "PT");
}

// Most posts are counted without unpacking the state. One that gives an offset of zero, which says
// nothing, is not.
TEST_F(ResolverTest, AUsualPostCountsAsEveryOther) {
  constexpr std::array<std::string_view, 5> kLanguages = {"pt", "pt", "pt", "en", "nb"};
  std::mt19937 random(7);
  EvidenceState usual;
  EvidenceState unpacked;
  std::uint8_t hour = 0;
  for (int i = 0; i < 20'000; ++i) {
    if (random() % 4 == 0) hour = static_cast<std::uint8_t>(random() % 24);
    if (i % 200 == 0) usual = unpacked = {};
    const std::string_view language = kLanguages.at(random() % kLanguages.size());
    if (random() % 4 == 0) {
      Evidence silent;
      silent.post = true;
      silent.utc_hour = hour;
      const bool changed = resolver().weigh(usual, silent);
      silent.utc_offset_s = 0;
      EXPECT_EQ(changed, resolver().weigh(unpacked, silent));
    } else {
      EXPECT_EQ(post(usual, language, hour), post(unpacked, language, hour, 0));
    }
    ASSERT_EQ(usual, unpacked) << "after post " << i;
  }
}

TEST_F(ResolverTest, OrderDoesNotMatter) {
  const std::vector<std::function<void(EvidenceState&)>> steps = {
      [](EvidenceState& state) {
        (void)profile(state, [](Evidence& evidence) { evidence.description = "from Medellín"; });
      },
      [](EvidenceState& state) { (void)post(state, "es", 15); },
      [](EvidenceState& state) { (void)post(state, "es-CO", 17, -5 * 3600); },
      [](EvidenceState& state) { (void)post(state, "en", 20, -5 * 3600); },
      [](EvidenceState& state) {
        Evidence evidence;
        evidence.handle = "someone.example.co.uk";
        (void)resolver().weigh(state, evidence);
      }};
  std::vector<std::size_t> order = {0, 1, 2, 3, 4};
  EvidenceState first;
  for (const std::size_t i : order) steps[i](first);
  const Resolution expected = resolver().resolve(first);
  EXPECT_EQ(expected.country.code(), "CO");
  do {
    EvidenceState state;
    for (const std::size_t i : order) steps[i](state);
    const Resolution resolution = resolver().resolve(state);
    EXPECT_EQ(resolution.country, expected.country);
    EXPECT_NEAR(resolution.confidence, expected.confidence, 2);
  } while (std::next_permutation(order.begin(), order.end()));
}

TEST_F(ResolverTest, PostsThatSayNothingNewChangeNothing) {
  EvidenceState state;
  for (int i = 0; i < 100; ++i) (void)post(state, "fr", 12);
  for (int i = 0; i < 100; ++i) EXPECT_FALSE(post(state, "fr", 12));
  // Another hour is remembered, but does not move the answer yet.
  const EvidenceState before = state;
  EXPECT_FALSE(post(state, "fr", 13));
  EXPECT_NE(state, before);
  EXPECT_TRUE(post(state, "de", 13));
}

TEST_F(ResolverTest, ANewHabitDisplacesAnOldOne) {
  EvidenceState state;
  for (int i = 0; i < 200; ++i) (void)post(state, "ja");
  EXPECT_EQ(country(state), "JP");
  for (int i = 0; i < 200; ++i) (void)post(state, "ko");
  EXPECT_EQ(country(state), "KR");
  // Three languages fill the slots; a fourth still gets through.
  EvidenceState full;
  for (const auto* language : {"en", "de", "nl"}) (void)post(full, language);
  for (int i = 0; i < 100; ++i) (void)post(full, "pl");
  EXPECT_EQ(country(full), "PL");
}

TEST_F(ResolverTest, RegionsVote) {
  EvidenceState state;
  (void)post(state, "en-US");
  for (int i = 0; i < 5; ++i) (void)post(state, "en-AU");
  EXPECT_EQ(country(state), "AU");
  EXPECT_EQ(resolver().resolve(state).evidence, EvidenceKind::kRegion);
}

TEST_F(ResolverTest, ZonesAndOffsetsLeanButDoNotOverride) {
  EvidenceState plain;
  (void)post(plain, "es");
  EvidenceState zoned = plain;
  (void)profile(zoned, [](Evidence& evidence) { evidence.time_zone = "Santiago"; });
  EXPECT_GT(chance(zoned, "CL"), 2 * chance(plain, "CL"));
  EvidenceState declared;
  (void)profile(declared, [](Evidence& evidence) {
    evidence.location = "Abuja, Nigeria";
    evidence.time_zone = "Pacific Time (US & Canada)";
  });
  EXPECT_EQ(country(declared), "NG");
  EvidenceState dated;
  for (int i = 0; i < 3; ++i) (void)post(dated, "en", Evidence::kNoHour, 5 * 3600 + 1800);
  EvidenceState undated;
  for (int i = 0; i < 3; ++i) (void)post(undated, "en", Evidence::kNoHour, 0);
  EXPECT_GT(chance(dated, "IN"), 3 * chance(undated, "IN"));
}

TEST_F(ResolverTest, AZoneThatOneCountryUsesSaysMoreThanOneThatAFormSuggests) {
  EXPECT_GT(gain("Bogota", "CO"), 1.4 * gain("Quito", "EC"));
  EXPECT_GT(gain("Minsk", "BY"), 1.4 * gain("Athens", "GR"));
  EXPECT_GT(gain("Stockholm", "SE"), 1.4 * gain("Amsterdam", "NL"));
  // Half the world picks one of the United States, but not where no clock shows its time.
  EvidenceState pacific;
  (void)profile(pacific, [](Evidence& evidence) {
    evidence.location = "Surabaya";
    evidence.time_zone = "Pacific Time (US & Canada)";
  });
  EXPECT_EQ(country(pacific), "ID");
}

TEST_F(ResolverTest, AnOffsetAtWhichACountryHasNoClockSpeaksAgainstIt) {
  const auto at = [](std::string_view language, double hours) {
    EvidenceState state;
    for (int i = 0; i < 4; ++i) {
      (void)post(state, language, Evidence::kNoHour, static_cast<std::int32_t>(hours * 3600));
    }
    return state;
  };
  // Mexico gave up summer time in 2022; only its border with the United States and Cancún are at
  // five hours from UTC.
  const EvidenceState andes = at("es", -5);
  EXPECT_LT(chance(andes, "MX"), 0.15);
  EXPECT_GT(chance(andes, "CO") + chance(andes, "PE") + chance(andes, "EC") + chance(andes, "PA"),
            2 * chance(andes, "MX"));
  EXPECT_GT(chance(at("es", -6), "MX"), 0.6);
  EXPECT_LT(chance(at("pt", -3), "PT"), chance(at("pt", 0.25), "PT"));
  EXPECT_LT(chance(at("pt", 1), "BR"), 0.4);
  EXPECT_GT(chance(at("en", 5.5), "IN"), 0.5);
  // Both of a country's times are its own.
  EXPECT_GT(chance(at("de", 1), "DE"), 0.6);
  EXPECT_GT(chance(at("de", 2), "DE"), 0.6);
}

// What live accounts hold on disk is no matter of a release's weights.
TEST_F(ResolverTest, AnotherTableOfWeightsChangesNoStoredByte) {
  Weights others;
  for (const auto& info : kWeightInfos) others.*info.member = 0.01F + 0.5F * others.*info.member;
  const Resolver another(Resolver::Options{.table = GEOTALLY_TABLE, .weights = &others});
  const std::array<LanguageTag, 2> languages = {tag("es-CO"), tag("en")};
  Evidence profile;
  profile.profile = true;
  profile.display_name = "someone \xf0\x9f\x87\xa8\xf0\x9f\x87\xb4";
  profile.description =
      "che boludo, vos sabés que te quiero \xf0\x9f\x87\xaa\xf0\x9f\x87\xb8 \xf0\x9f\x93\x8d Cali";
  profile.location = "Medellín / Madrid";
  profile.website = "https://example.com.co/";
  profile.time_zone = "Bogota";
  profile.profile_language = tag("es-MX");
  Evidence post;
  post.post = true;
  post.languages = languages;
  post.text = "che boludo, vos sabés que te quiero. Desde Rosario, Santa Fe";
  post.utc_offset_s = -5 * 3600;
  post.utc_hour = 17;
  EvidenceState here;
  EvidenceState there;
  for (const Evidence& evidence : {profile, post}) {
    (void)resolver().weigh(here, evidence);
    (void)another.weigh(there, evidence);
    EXPECT_EQ(here, there);
  }
  for (const char* text : {"che boludo, vos sabés que te quiero", "vivo em Porto", "Brasileira"}) {
    EvidenceState mine;
    EvidenceState theirs;
    Evidence said;
    said.profile = true;
    said.description = text;
    (void)resolver().weigh(mine, said);
    (void)another.weigh(theirs, said);
    EXPECT_NE(mine, EvidenceState{});
    EXPECT_EQ(mine, theirs) << text;
  }
  // Words of a country's English, where not everybody there writes it.
  for (const char* text :
       {"wetin dey happen abeg, una no dey hear", "aiyo machan, why like that lah",
        "howzit my bru, lekker braai", "yaar what nonsense, do the needful"}) {
    EvidenceState mine;
    EvidenceState theirs;
    Evidence said;
    said.post = true;
    said.languages = {languages.data() + 1, 1};
    said.text = text;
    (void)resolver().weigh(mine, said);
    (void)another.weigh(theirs, said);
    EXPECT_EQ(mine, theirs) << text;
  }
  EvidenceState one;
  Evidence in_english;
  in_english.post = true;
  in_english.languages = {languages.data() + 1, 1};
  (void)resolver().weigh(one, in_english);
  EXPECT_NE(chance(one, "US"), another.probability(one, *Country::parse("US")));
}

TEST_F(ResolverTest, AFlagCountsOnceHoweverOftenItIsShown) {
  const std::string flag = "\xf0\x9f\x87\xab\xf0\x9f\x87\xb7";
  EvidenceState once;
  (void)profile(once, [&](Evidence& evidence) { evidence.description = flag; });
  const Memory memory = unpack(once);
  EXPECT_EQ(memory.profile[0].country.code(), "FR");
  EXPECT_EQ(memory.profile[0].strength, strength("FR", 0.928));
  EXPECT_FALSE(memory.profile[1].country.known());
  const std::string twice = flag + " " + flag;
  EvidenceState again;
  (void)profile(again, [&](Evidence& evidence) {
    evidence.display_name = flag;
    evidence.description = twice;
  });
  EXPECT_EQ(again, once);
}

TEST_F(ResolverTest, TwoFlagsAreAListOfWhichTheFirstLeads) {
  const std::string france = "\xf0\x9f\x87\xab\xf0\x9f\x87\xb7";
  const std::string italy = "\xf0\x9f\x87\xae\xf0\x9f\x87\xb9";
  const std::string both = italy + " " + france;
  EvidenceState state;
  (void)profile(state, [&](Evidence& evidence) { evidence.description = both; });
  const Memory memory = unpack(state);
  const auto strength_of = [&](std::string_view code) {
    for (const auto& candidate : memory.profile) {
      if (candidate.country.code() == code) return int{candidate.strength};
    }
    return 0;
  };
  EXPECT_EQ(strength_of("IT"), strength("IT", 0.6 / 2));
  EXPECT_EQ(strength_of("FR"), strength("FR", 0.6 / 3));
}

TEST_F(ResolverTest, APlaceInADescriptionIsTrustedLessThanOneInAFieldForPlaces) {
  EvidenceState field;
  (void)profile(field, [](Evidence& evidence) { evidence.location = "Porto"; });
  EvidenceState mention;
  (void)profile(mention, [](Evidence& evidence) { evidence.description = "vivo em Porto"; });
  EXPECT_EQ(resolver().ground(field).basis, Basis::kPlace);
  EXPECT_EQ(resolver().ground(mention).basis, Basis::kMention);
  EXPECT_EQ(resolver().resolve(field).evidence, EvidenceKind::kPlace);
  const Resolver open(Resolver::Options{.threshold = 0, .table = GEOTALLY_TABLE});
  EXPECT_EQ(open.resolve(mention).evidence, EvidenceKind::kPlace);
  EXPECT_GT(open.resolve(field).confidence, open.resolve(mention).confidence);
}

TEST_F(ResolverTest, AFlagInAFieldForPlacesIsAPlace) {
  EvidenceState state;
  (void)profile(state,
                [](Evidence& evidence) { evidence.location = "\xf0\x9f\x87\xb2\xf0\x9f\x87\xbd"; });
  EXPECT_EQ(country(state), "MX");
  EXPECT_EQ(resolver().resolve(state).evidence, EvidenceKind::kPlace);
}

TEST_F(ResolverTest, OnePostInALanguageMayBeAMistakeAndSeveralAreNot) {
  EvidenceState one;
  (void)post(one, "pl");
  EvidenceState several;
  for (int i = 0; i < 4; ++i) (void)post(several, "pl");
  EXPECT_GT(odds(several, "PL"), 2 * odds(one, "PL"));
  EXPECT_EQ(country(one), "ZZ");
  EXPECT_EQ(country(several), "PL");
  // However many posts are in English, they do not tell a country.
  EvidenceState english;
  for (int i = 0; i < 200; ++i) (void)post(english, "en", static_cast<std::uint8_t>(i % 24));
  EXPECT_EQ(country(english), "ZZ");
}

TEST_F(ResolverTest, HoursOfActivityTellContinentsApart) {
  EvidenceState american;
  EvidenceState australian;
  for (int day = 0; day < 4; ++day) {
    for (const int hour : {9, 12, 14, 17, 19, 21, 22}) {
      (void)post(american, "en", static_cast<std::uint8_t>((hour + 6) % 24));
      (void)post(australian, "en", static_cast<std::uint8_t>((hour + 14) % 24));
    }
  }
  EXPECT_GT(chance(american, "US"), chance(australian, "US"));
  EXPECT_GT(chance(australian, "AU"), 2 * chance(american, "AU"));
}

TEST_F(ResolverTest, HandlesHaveDomains) {
  EvidenceState state;
  Evidence evidence;
  evidence.handle = "someone.example.cz";
  EXPECT_TRUE(resolver().weigh(state, evidence));
  EXPECT_EQ(country(state), "CZ");
  EXPECT_EQ(resolver().resolve(state).evidence, EvidenceKind::kDomain);
  evidence.handle = "someone.example.org";
  EXPECT_TRUE(resolver().weigh(state, evidence));
  EXPECT_EQ(state, EvidenceState{});
}

TEST_F(ResolverTest, ALanguageIsDetectedWhereNoneIsDeclared) {
  EvidenceState state;
  Evidence evidence;
  evidence.post = true;
  evidence.text = "Dzisiaj pogoda była tak piękna, że poszliśmy na długi spacer nad rzekę";
  for (int i = 0; i < 4; ++i) (void)resolver().weigh(state, evidence);
  EXPECT_EQ(country(state), "PL");
}

TEST_F(ResolverTest, TextThatComesWithALanguageStillHints) {
  EvidenceState plain;
  EvidenceState hinted;
  for (int i = 0; i < 3; ++i) {
    (void)post(plain, "es");
    const std::array<LanguageTag, 1> languages = {tag("es")};
    Evidence evidence;
    evidence.post = true;
    evidence.languages = languages;
    evidence.text = "che boludo, vos sabés que te quiero";
    (void)resolver().weigh(hinted, evidence);
  }
  EXPECT_GT(chance(hinted, "AR"), 2 * chance(plain, "AR"));
  // The same words in a text of another language are an accident.
  EvidenceState german;
  const std::array<LanguageTag, 1> languages = {tag("de")};
  Evidence evidence;
  evidence.post = true;
  evidence.languages = languages;
  evidence.text = "che boludo, vos sabés que te quiero";
  (void)resolver().weigh(german, evidence);
  EXPECT_EQ(unpack(german).languages[1].count, 0);
}

TEST_F(ResolverTest, TheCityIsThatOfTheCountry) {
  EvidenceState state;
  (void)profile(state, [](Evidence& evidence) { evidence.location = "Gdańsk"; });
  EXPECT_EQ(resolver().city(state).name, "Gdańsk");
  EXPECT_EQ(resolver().city(EvidenceState{}).id, 0u);
}

TEST_F(ResolverTest, ExplainsInWords) {
  EvidenceState state;
  (void)profile(state, [](Evidence& evidence) {
    evidence.location = "Oaxaca, México";
    evidence.time_zone = "Mexico City";
  });
  (void)post(state, "es", 3);
  const Explanation explanation = resolver().explain(state);
  ASSERT_FALSE(explanation.alternatives.empty());
  EXPECT_EQ(explanation.alternatives[0].country.code(), "MX");
  double sum = 0;
  for (const auto& alternative : explanation.alternatives) sum += alternative.probability;
  EXPECT_LE(sum, 1.0001);
  ASSERT_GE(explanation.pieces.size(), 3u);
  for (const auto& piece : explanation.pieces) EXPECT_FALSE(piece.words.empty());
  EXPECT_TRUE(resolver().explain(EvidenceState{}).pieces.empty());
}

TEST_F(ResolverTest, OneLanguageAloneIsResolvedAsTheLongWayWould) {
  const Resolver open(Resolver::Options{.threshold = 0, .table = GEOTALLY_TABLE});
  for (const char* language : {"en", "de", "ja", "sw", "qqq", "hr"}) {
    EvidenceState state;
    for (int posts = 1; posts <= 40; ++posts) {
      (void)post(state, language, static_cast<std::uint8_t>(posts < 6 ? posts : 6));
      const Resolution resolution = open.resolve(state);
      const auto likeliest = open.explain(state).alternatives.front();
      if (resolution.evidence == EvidenceKind::kNone) continue;
      EXPECT_EQ(resolution.country, likeliest.country) << language;
      EXPECT_EQ(resolution.confidence, static_cast<std::uint8_t>(likeliest.probability * 255));
    }
  }
}

// What is known of an account that has only posted is looked up, not worked out. Hours that cancel
// each other say nothing either, but are not looked up.
TEST_F(ResolverTest, WhatIsLookedUpIsWhatIsWorkedOut) {
  for (const char* text : {"de", "de-AT", "de-JP", "pt-BR", "en", "en-US", "en-JP", "ja", "eo"}) {
    const LanguageTag tag = *LanguageTag::parse(text);
    for (const std::uint8_t posts : std::array<std::uint8_t, 3>{1, 5, 31}) {
      Memory memory;
      memory.languages[0] = {tag.language_id(), posts};
      memory.region = tag.region();
      memory.region_count = memory.region.known() ? std::min<std::uint8_t>(posts, 7) : 0;
      const Resolution looked_up = resolver().resolve(pack(memory));
      memory.hours = {0, 0, 20, 4};
      const Resolution worked_out = resolver().resolve(pack(memory));
      EXPECT_EQ(looked_up.country, worked_out.country) << text;
      EXPECT_EQ(looked_up.evidence, worked_out.evidence) << text;
      EXPECT_EQ(looked_up.confidence, worked_out.confidence) << text;
    }
  }
}

TEST_F(ResolverTest, TheThresholdHidesButDoesNotForget) {
  const Resolver strict(Resolver::Options{.threshold = 0.999, .table = GEOTALLY_TABLE});
  EvidenceState state;
  (void)profile(state, [](Evidence& evidence) { evidence.location = "Riga"; });
  const Resolution hidden = strict.resolve(state);
  EXPECT_FALSE(hidden.country.known());
  EXPECT_EQ(hidden.evidence, EvidenceKind::kNone);
  EXPECT_GT(hidden.confidence, 0);
  EXPECT_EQ(country(state), "LV");
}

}  // namespace
}  // namespace geotally::geo
