// Goal: a frame of the real shape becomes an Event, and hostile bytes never do.
// Method: one frame of each kind, then the same frames cut, reordered, bent and flipped.
#include <random>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "feed/dialect.h"
#include "feed/tid.h"
#include "padded.h"
#include "sound.h"

namespace geotally::feed {
namespace {

constexpr std::string_view kPost =
    R"({"did":"did:plc:aaaabbbbccccddddeeeeffff","time_us":1779719009132431,"kind":"commit",)"
    R"("commit":{"rev":"3mmoojp7vgo2g","operation":"create","collection":"app.bsky.feed.post",)"
    R"("rkey":"3mmoojp7etg2g","record":{"$type":"app.bsky.feed.post",)"
    R"("createdAt":"2026-05-25T14:23:28.778+09:00","langs":["ja","en"],)"
    R"("reply":{"parent":{"cid":"c","uri":"at://x"},"root":{"cid":"c","uri":"at://x"}},)"
    R"("text":"hello \u3042 \"quoted\"\n","embed":{"$type":"e","images":[{"alt":"{[","size":[1,2]}]}},)"
    R"("cid":"bafy"}})";
constexpr std::string_view kProfile =
    R"({"did":"did:plc:a","time_us":1779719009132431,"kind":"commit","commit":{)"
    R"("rev":"3mmoojp7vgo2g","operation":"update","collection":"app.bsky.actor.profile",)"
    R"("rkey":"self","record":{"displayName":"Ann","description":"Lyon","website":"https://a.fr",)"
    R"("pronouns":"she","createdAt":"2024-01-01T00:00:00Z"},"cid":"b"}})";
constexpr std::string_view kAddress =
    R"({"did":"did:plc:a","time_us":1779719009132431,"kind":"commit","commit":{)"
    R"("rev":"3mmoojp7vgo2g","operation":"create","collection":"community.lexicon.location.address",)"
    R"("rkey":"home","record":{"country":"FR","locality":"Lyon"},"cid":"b"}})";
constexpr std::string_view kPerson =
    R"({"did":"did:plc:a","time_us":1779719009132431,"kind":"commit","commit":{)"
    R"("rev":"3mmoojp7vgo2g","operation":"create","collection":"community.lexicon.actor.profile",)"
    R"("rkey":"self","record":{"$type":"community.lexicon.actor.profile","displayName":"Ann",)"
    R"("address":{"$type":"community.lexicon.location.address","country":"FR","locality":"Lyon"},)"
    R"("country":"DE"},"cid":"b"}})";
constexpr std::string_view kDelete =
    R"({"did":"did:plc:a","time_us":1779719009132431,"kind":"commit","commit":{)"
    R"("rev":"3mmoojp7vgo2g","operation":"delete","collection":"app.bsky.feed.post","rkey":"3mm"}})";
constexpr std::string_view kIdentity =
    R"({"did":"did:plc:a","time_us":1779719009132431,"kind":"identity","identity":{)"
    R"("did":"did:plc:a","seq":29,"time":"2026-05-25T14:23:28.778Z"},"cursor":77})";
constexpr std::string_view kAccount =
    R"({"did":"did:plc:a","time_us":1779719009132431,"kind":"account","account":{)"
    R"("active":false,"did":"did:plc:a","seq":30,"status":"deleted","time":"2026-05-25T14:23:28Z"}})";
constexpr std::string_view kLike =
    R"({"did":"did:plc:a","time_us":1779719009132431,"kind":"commit","commit":{)"
    R"("rev":"3mmoojp7vgo2g","operation":"create","collection":"app.bsky.feed.like","rkey":"3mm",)"
    R"("record":{"subject":{"uri":"at://x"}},"cid":"b"}})";

struct Result {
  Verdict verdict{};
  Rejection rejection{};
  Event event;
};

// The views of the event hold for as long as the dialect and the frame live.
class JetstreamV1 : public testing::Test {
 protected:
  Result decode(std::string_view text) {
    frame_ = std::make_unique<Padded>(text);
    Result result;
    result.verdict = dialect_->decode(*frame_, result.event);
    if (result.verdict == Verdict::kRejected) result.rejection = dialect_->rejection();
    return result;
  }
  void refused(std::string_view text, Rejection reason) {
    const Result result = decode(text);
    EXPECT_EQ(result.verdict, Verdict::kRejected) << text;
    EXPECT_EQ(to_string(result.rejection), to_string(reason)) << text;
  }
  // `text` with the first `from` replaced.
  static std::string with(std::string_view text, std::string_view from, std::string_view to) {
    std::string changed(text);
    const auto at = changed.find(from);
    EXPECT_NE(at, std::string::npos) << from;
    return changed.replace(at, from.size(), to);
  }

  std::unique_ptr<Dialect> dialect_ = make_jetstream_v1();
  std::unique_ptr<Padded> frame_;
};

TEST_F(JetstreamV1, APost) {
  const auto [verdict, rejection, event] = decode(kPost);
  ASSERT_EQ(verdict, Verdict::kEvent);
  EXPECT_EQ(event.kind, EventKind::kPost);
  EXPECT_EQ(event.did, "did:plc:aaaabbbbccccddddeeeeffff");
  EXPECT_EQ(event.time_us, 1'779'719'009'132'431);
  EXPECT_EQ(event.revision, parse_tid("3mmoojp7vgo2g"));
  EXPECT_EQ(event.created_at, "2026-05-25T14:23:28.778+09:00");
  ASSERT_EQ(event.language_count, 2);
  EXPECT_EQ(event.languages[0], "ja");
  EXPECT_EQ(event.languages[1], "en");
  EXPECT_TRUE(event.reply);
  EXPECT_EQ(event.text, "hello \u3042 \"quoted\"\n");
  EXPECT_NE(event.discriminator, 0u);
  EXPECT_NE(event.record_key, 0u);
}

TEST_F(JetstreamV1, AProfileAnAddressADeletion) {
  const Event profile = decode(kProfile).event;
  EXPECT_EQ(profile.kind, EventKind::kProfile);
  EXPECT_EQ(profile.display_name, "Ann");
  EXPECT_EQ(profile.description, "Lyon");
  EXPECT_EQ(profile.website, "https://a.fr");
  const Event address = decode(kAddress).event;
  EXPECT_EQ(address.kind, EventKind::kAddress);
  EXPECT_EQ(address.country, "FR");
  const Event removal = decode(with(kAddress, "create", "delete")).event;
  EXPECT_EQ(removal.kind, EventKind::kAddressDelete);
  EXPECT_EQ(removal.record_key, address.record_key);
  EXPECT_TRUE(removal.country.empty());
  EXPECT_EQ(decode(kDelete).event.kind, EventKind::kPostDelete);
  EXPECT_EQ(decode(with(kProfile, "update", "delete")).event.kind, EventKind::kProfileDelete);
  EXPECT_EQ(decode(with(kProfile, "update", "create")).event.kind, EventKind::kProfile);
}

// community.lexicon.actor.profile, as lexicon-community/lexicon#34 proposes it.
TEST_F(JetstreamV1, APersonDeclaresACountryInTheAddressOfTheirCommunityProfile) {
  const Event person = decode(kPerson).event;
  EXPECT_EQ(person.kind, EventKind::kAddress);
  EXPECT_EQ(person.country, "FR");
  EXPECT_EQ(person.ignored, 0);
  EXPECT_EQ(decode(with(kPerson, "create", "update")).event.kind, EventKind::kAddress);
  const Event removal = decode(with(kPerson, "create", "delete")).event;
  EXPECT_EQ(removal.kind, EventKind::kAddressDelete);
  EXPECT_EQ(removal.record_key, person.record_key);
  EXPECT_TRUE(removal.country.empty());
  // One without an address is an update all the same: what was declared before is not any more.
  for (const std::string_view none : {"null", "{}", R"({"country":null})"}) {
    const auto without = decode(
        with(kPerson,
             R"({"$type":"community.lexicon.location.address","country":"FR","locality":"Lyon"})",
             none));
    EXPECT_EQ(without.verdict, Verdict::kEvent) << none;
    EXPECT_EQ(without.event.kind, EventKind::kAddress) << none;
    EXPECT_TRUE(without.event.country.empty()) << none;
    EXPECT_EQ(without.event.ignored, 0) << none;
  }
  // Only the key "self" is a person's own.
  EXPECT_EQ(decode(with(kPerson, R"("rkey":"self")", R"("rkey":"other")")).verdict,
            Verdict::kUncounted);
}

// The fence and what decides know a record by the low bits of this.
TEST_F(JetstreamV1, AnAddressRecordAndACommunityProfileAreDifferentRecordsWhateverTheirKeys) {
  const std::uint64_t person = decode(kPerson).event.record_key;
  const std::uint64_t address =
      decode(with(kAddress, R"("rkey":"home")", R"("rkey":"self")")).event.record_key;
  EXPECT_NE(person & 0xffff, address & 0xffff);
  EXPECT_NE(person & 0xffff, 0U);
  // As every store has it that was written when there was but one collection.
  EXPECT_EQ(address, 7'911'045'033'010'173'607U);
}

TEST_F(JetstreamV1, WhereAnEventTakesPlaceSaysNothingOfWhoAnnouncesIt) {
  constexpr std::string_view kGathering =
      R"({"did":"did:plc:a","time_us":1779719009132431,"kind":"commit","commit":{)"
      R"("rev":"3mmoojp7vgo2g","operation":"create","collection":"community.lexicon.calendar.event",)"
      R"("rkey":"self","record":{"name":"x","country":"FR","address":{"country":"FR"},"locations":[)"
      R"({"$type":"community.lexicon.location.address","country":"FR"}]},"cid":"b"}})";
  const auto result = decode(kGathering);
  EXPECT_EQ(result.verdict, Verdict::kUncounted);
  EXPECT_TRUE(result.event.country.empty());
}

TEST_F(JetstreamV1, IdentityAndAccount) {
  const auto identity = decode(kIdentity);
  ASSERT_EQ(identity.verdict, Verdict::kEvent);
  EXPECT_EQ(identity.event.kind, EventKind::kIdentity);
  EXPECT_EQ(identity.event.sequence, 77u);
  EXPECT_EQ(identity.event.upstream_sequence, 29u);
  EXPECT_EQ(identity.event.upstream_time_us, 1'779'719'008'778'000);
  EXPECT_TRUE(identity.event.handle.empty());
  EXPECT_EQ(decode(with(kIdentity, R"("seq":29)", R"("handle":"a.fr","seq":29)")).event.handle,
            "a.fr");
  const auto account = decode(kAccount);
  ASSERT_EQ(account.verdict, Verdict::kEvent);
  EXPECT_EQ(account.event.kind, EventKind::kAccount);
  EXPECT_EQ(account.event.status, AccountStatus::kDeleted);
}

// DEFINITIONS.md: "Gone: active=false with status takendown, suspended, deleted,
// deactivated, none or an unknown one (not desynchronized or throttled)".
TEST_F(JetstreamV1, StatusOfAnAccount) {
  const auto status = [this](std::string_view fields) {
    const auto result = decode(
        with(kAccount, R"("active":false,"did":"did:plc:a","seq":30,"status":"deleted")", fields));
    EXPECT_EQ(result.verdict, Verdict::kEvent) << fields;
    return result.event.status;
  };
  EXPECT_EQ(status(R"("active":true)"), AccountStatus::kActive);
  EXPECT_EQ(status(R"("active":true,"status":null)"), AccountStatus::kActive);
  EXPECT_EQ(status(R"("active":false)"), AccountStatus::kGone);
  EXPECT_EQ(status(R"("status":"throttled","active":false)"), AccountStatus::kHostTrouble);
  EXPECT_EQ(status(R"("active":false,"status":"desynchronized")"), AccountStatus::kHostTrouble);
  for (const std::string_view gone : {"takendown", "suspended", "deactivated", "abducted", ""}) {
    EXPECT_EQ(status(R"("active":false,"status":")" + std::string(gone) + '"'),
              AccountStatus::kGone);
  }
}

TEST_F(JetstreamV1, WhatIsNotCountedIsNotRefused) {
  for (const std::string& text : {
           std::string(kLike),
           with(kPost, "create", "update"),
           with(kPost, "create", "frobnicate"),
           with(kPost, "app.bsky.feed.post", "app.bsky.feed.postgate"),
           with(kProfile, "self", "other"),
           with(kAddress, "location.address", "location.geo"),
           with(kLike, "3mmoojp7vgo2g", "not a tid"),
           with(kLike, "\"kind\":\"commit\"", "\"kind\":\"sync\""),
           std::string(R"({"did":"did:plc:a","time_us":1,"type":"com","commit":{"type":"c"}})"),
       }) {
    const auto result = decode(text);
    EXPECT_EQ(result.verdict, Verdict::kUncounted) << text;
    EXPECT_TRUE(result.event.did.starts_with("did:plc:a"));
    EXPECT_GT(result.event.time_us, 0);
    EXPECT_NE(result.event.discriminator, 0u);
  }
}

TEST_F(JetstreamV1, EveryPartOfAnIdentityTellsEventsApart) {
  const auto id = [this](const std::string& text) { return identity_of(decode(text).event); };
  const std::vector<std::string> others = {
      std::string(kLike),
      with(kLike, "did:plc:a", "did:plc:b"),
      with(kLike, "3mmoojp7vgo2g", "3mmoojp7vgo2h"),
      with(kLike, "3mmoojp7vgo2g", "not a tid"),
      with(kLike, "feed.like", "feed.repost"),
      with(kLike, "\"rkey\":\"3mm\"", "\"rkey\":\"3mn\""),
      with(kLike, "create", "delete"),
      std::string(kIdentity),
      with(kIdentity, "29", "30"),
      std::string(kAccount),
      with(kAccount, "deleted", "suspended"),
      with(kAccount, "false", "true"),
  };
  for (std::size_t a = 0; a < others.size(); ++a) {
    EXPECT_EQ(id(others[a]), id(others[a]));
    for (std::size_t b = a + 1; b < others.size(); ++b) {
      EXPECT_NE(id(others[a]), id(others[b])) << others[a] << '\n' << others[b];
    }
  }
  // The server's time and its number differ by host and are no part of it.
  EXPECT_EQ(id(others[0]), id(with(kLike, "1779719009132431", "1779719019132431")));
}

TEST_F(JetstreamV1, KeyOrderDoesNotMatter) {
  constexpr std::string_view kReversed =
      R"({"commit":{"record":{"text":"a\"b","langs":["fr"]},"rkey":"r",)"
      R"("collection":"app.bsky.feed.post","operation":"create","rev":"3mmoojp7vgo2g"},)"
      R"("kind":"commit","time_us":5,"did":"did:plc:\u0061"})";
  const auto result = decode(kReversed);
  ASSERT_EQ(result.verdict, Verdict::kEvent);
  EXPECT_EQ(result.event.kind, EventKind::kPost);
  EXPECT_EQ(result.event.did, "did:plc:a");
  EXPECT_EQ(result.event.text, "a\"b");
  ASSERT_EQ(result.event.language_count, 1);
  EXPECT_EQ(result.event.languages[0], "fr");
}

TEST_F(JetstreamV1, OptionalFieldsMayBeMissingOrNull) {
  const std::string bare =
      R"({"did":"did:plc:a","time_us":5,"kind":"commit","commit":{"rev":"3mmoojp7vgo2g",)"
      R"("operation":"create","collection":"app.bsky.feed.post","rkey":"r","record":{}}})";
  EXPECT_EQ(decode(bare).verdict, Verdict::kEvent);
  const auto nulls =
      decode(with(bare, "\"record\":{}",
                  R"("record":{"text":null,"langs":null,"reply":null,"createdAt":null})"));
  EXPECT_EQ(nulls.verdict, Verdict::kEvent);
  EXPECT_FALSE(nulls.event.reply);
  EXPECT_EQ(decode(with(kAddress, R"("country":"FR",)", "")).verdict, Verdict::kEvent);
  EXPECT_EQ(decode(with(kProfile, R"("displayName":"Ann",)", "")).verdict, Verdict::kEvent);
  const auto many = decode(with(kPost, R"(["ja","en"])", R"(["a","b","c","d","e"])"));
  EXPECT_EQ(many.event.language_count, 3);
  EXPECT_EQ(many.event.languages[2], "c");
}

TEST_F(JetstreamV1, MissingFieldsAreRefused) {
  refused(with(kPost, R"("did":"did:plc:aaaabbbbccccddddeeeeffff",)", ""),
          Rejection::kMissingField);
  refused(with(kPost, R"("time_us":1779719009132431,)", ""), Rejection::kMissingField);
  refused(with(kPost, R"("kind":"commit",)", ""), Rejection::kMissingField);
  refused(with(kPost, R"("rev":"3mmoojp7vgo2g",)", ""), Rejection::kMissingField);
  refused(with(kPost, R"("operation":"create",)", ""), Rejection::kMissingField);
  refused(with(kPost, R"("collection":"app.bsky.feed.post",)", ""), Rejection::kMissingField);
  refused(with(kPost, R"("rkey":"3mmoojp7etg2g",)", ""), Rejection::kMissingField);
  refused(with(kPost, R"("record":{"$type")", R"("recorb":{"$type")"), Rejection::kMissingField);
  refused(R"({"did":"did:plc:a","time_us":5,"kind":"commit"})", Rejection::kMissingField);
  refused(R"({"did":"did:plc:a","time_us":5,"kind":"account"})", Rejection::kMissingField);
  refused(with(kAccount, R"("active":false,)", ""), Rejection::kMissingField);
  refused(with(kIdentity, R"(,"time":"2026-05-25T14:23:28.778Z")", ""), Rejection::kMissingField);
  refused("{}", Rejection::kMissingField);
}

TEST_F(JetstreamV1, WrongTypesAndImpossibleValuesAreRefused) {
  for (const std::string_view value :
       {"5", "null", "true", "[]", "{}", "\"\"", "\"a\"", "\"didplc\"", "-1", "1.5", "1e3"}) {
    refused(with(kPost, R"("did:plc:aaaabbbbccccddddeeeeffff")", value), Rejection::kInvalidField);
  }
  for (const std::string_view value :
       {"\"5\"", "null", "true", "[]", "{}", "0", "-1", "1.5", "1e15", "-9223372036854775808",
        "9223372036854775807", "9223372036854775808", "18446744073709551616", "253402300800000000",
        "99999999999999999999999999999999"}) {
    refused(with(kPost, "1779719009132431", value), Rejection::kInvalidField);
  }
  refused(with(kPost, R"("kind":"commit")", R"("kind":5)"), Rejection::kInvalidField);
  refused(with(kPost, R"("3mmoojp7vgo2g")", R"("3mmoojp7vgo2!")"), Rejection::kInvalidField);
  refused(with(kPost, R"("3mmoojp7vgo2g")", "17"), Rejection::kInvalidField);
  refused(with(kPost, R"({"$type":"app.bsky.feed.post")", R"(null,"x":{"y":1)"),
          Rejection::kInvalidField);
  refused(with(kAddress, R"({"country":"FR","locality":"Lyon"})", "null"),
          Rejection::kInvalidField);
  refused(with(kAddress, R"({"country":"FR","locality":"Lyon"})", "[1]"), Rejection::kInvalidField);
  refused(with(kAccount, R"("active":false)", R"("active":"false")"), Rejection::kInvalidField);
  refused(with(kAccount, "30", "-30"), Rejection::kInvalidField);
  refused(with(kAccount, "2026-05-25T14:23:28Z", "yesterday"), Rejection::kInvalidField);
  refused(with(kIdentity, "\"cursor\":77", "\"cursor\":-77"), Rejection::kInvalidField);
  refused(R"({"did":"did:plc:a","time_us":5,"kind":"commit","commit":[]})",
          Rejection::kInvalidField);
  refused(with(kPost, "did:plc:aaaabbbbccccddddeeeeffff", "did:plc:" + std::string(3000, 'x')),
          Rejection::kInvalidField);
}

// A message with one field changed to `value`: still an event of that kind, which says that it did
// without the field.
constexpr std::string_view kOddValues[] = {"5", "-1.5e3", "true", "[]", R"([1,["x"],{}])", "{}",
                                           R"({"a":{"b":[]}})"};

TEST_F(JetstreamV1, APostWithAnOddFieldIsStillAPost) {
  const auto bit = [](EventField field) { return 1 << static_cast<int>(field); };
  const struct {
    std::string_view before, key;
    EventField field;
  } fields[] = {
      {R"("createdAt":"2026-05-25T14:23:28.778+09:00")", R"("createdAt":)", EventField::kCreatedAt},
      {R"("langs":["ja","en"])", R"("langs":)", EventField::kLangs},
      {R"("reply":{"parent":{"cid":"c","uri":"at://x"},"root":{"cid":"c","uri":"at://x"}})",
       R"("reply":)", EventField::kReply},
      {R"("text":"hello \u3042 \"quoted\"\n")", R"("text":)", EventField::kText},
  };
  for (const auto& [before, key, field] : fields) {
    for (std::string_view value : kOddValues) {
      if (field == EventField::kLangs && value == "[]") value = R"("ja")";
      if (field == EventField::kLangs && value.starts_with('[')) value = R"(["ja",5,["x"],{}])";
      if (field == EventField::kReply && value.starts_with('{')) value = R"("at://x")";
      const auto text = with(kPost, before, std::string(key) + std::string(value));
      const auto [verdict, rejection, event] = decode(text);
      ASSERT_EQ(verdict, Verdict::kEvent) << text;
      EXPECT_EQ(event.kind, EventKind::kPost);
      EXPECT_EQ(event.ignored, bit(field)) << text;
      // The other fields are there.
      EXPECT_EQ(event.text.empty(), field == EventField::kText) << text;
      EXPECT_EQ(event.created_at.empty(), field == EventField::kCreatedAt) << text;
      EXPECT_EQ(event.reply, field != EventField::kReply) << text;
      if (field != EventField::kLangs) {
        EXPECT_EQ(event.language_count, 2) << text;
      }
    }
  }
  const auto every = decode(with(with(with(with(kPost, fields[0].before, R"("createdAt":1)"),
                                           fields[1].before, R"("langs":1)"),
                                      fields[2].before, R"("reply":1)"),
                                 fields[3].before, R"("text":1)"));
  EXPECT_EQ(every.verdict, Verdict::kEvent);
  EXPECT_EQ(every.event.ignored, bit(EventField::kText) | bit(EventField::kCreatedAt) |
                                     bit(EventField::kLangs) | bit(EventField::kReply));
  EXPECT_EQ(decode(kPost).event.ignored, 0);
}

TEST_F(JetstreamV1, AnOddLanguageCostsThePostThatLanguageOnly) {
  const auto result = decode(with(kPost, R"(["ja","en"])", R"([5,"ja",null,{"x":["fr"]},"en"])"));
  ASSERT_EQ(result.verdict, Verdict::kEvent);
  EXPECT_EQ(result.event.ignored, 1 << static_cast<int>(EventField::kLangs));
  ASSERT_EQ(result.event.language_count, 2);
  EXPECT_EQ(result.event.languages[0], "ja");
  EXPECT_EQ(result.event.languages[1], "en");
}

TEST_F(JetstreamV1, AProfileAHandleAnAddressAStatusWithAnOddFieldAreEventsAllTheSame) {
  const struct {
    std::string_view message, before, key;
    EventField field;
  } fields[] = {
      {kProfile, R"("displayName":"Ann")", R"("displayName":)", EventField::kDisplayName},
      {kProfile, R"("description":"Lyon")", R"("description":)", EventField::kDescription},
      {kProfile, R"("website":"https://a.fr")", R"("website":)", EventField::kWebsite},
      {kProfile, R"("createdAt":"2024-01-01T00:00:00Z")", R"("createdAt":)",
       EventField::kCreatedAt},
      {kAddress, R"("country":"FR")", R"("country":)", EventField::kCountry},
      {kPerson, R"("country":"FR")", R"("country":)", EventField::kCountry},
      {kPerson,
       R"("address":{"$type":"community.lexicon.location.address","country":"FR","locality":"Lyon"})",
       R"("address":)", EventField::kAddress},
      {kIdentity, R"("seq":29)", R"("seq":29,"handle":)", EventField::kHandle},
      {kAccount, R"("status":"deleted")", R"("status":)", EventField::kStatus},
  };
  for (const auto& [message, before, key, field] : fields) {
    const EventKind kind = decode(message).event.kind;
    for (std::string_view value : kOddValues) {
      if (field == EventField::kAddress && value.starts_with('{')) value = R"("FR")";
      const auto text = with(message, before, std::string(key) + std::string(value));
      const auto result = decode(text);
      ASSERT_EQ(result.verdict, Verdict::kEvent) << text;
      EXPECT_EQ(result.event.kind, kind) << text;
      EXPECT_EQ(result.event.ignored, 1 << static_cast<int>(field)) << text;
      EXPECT_TRUE(result.event.country.empty()) << text;
      EXPECT_EQ(decode(with(message, before, std::string(key) + "null")).event.ignored, 0) << text;
    }
  }
  // DEFINITIONS.md: gone with "none or an unknown one".
  EXPECT_EQ(decode(with(kAccount, R"("status":"deleted")", R"("status":7)")).event.status,
            AccountStatus::kGone);
}

TEST_F(JetstreamV1, AnOddFieldExcusesNoBrokenJson) {
  for (const std::string_view broken : {"", "}", "]", ",", ":", "x", "{", "["}) {
    EXPECT_EQ(decode(with(kPost, R"(["ja","en"])", broken)).verdict, Verdict::kRejected) << broken;
    EXPECT_EQ(decode(with(kPost, R"("hello)", std::string(broken) + R"(,"x":"hello)")).verdict,
              Verdict::kRejected)
        << broken;
  }
  refused(with(kPost, R"(["ja","en"])", R"(["ja",])"), Rejection::kMalformed);
  refused(with(kPost, R"(["ja","en"])", R"(["\ud800"])"), Rejection::kInvalidUtf8);
}

TEST_F(JetstreamV1, TheLargestNumbersAreRead) {
  const auto result =
      decode(with(with(kIdentity, ":77", ":18446744073709551615"), ":29", ":9223372036854775808"));
  EXPECT_EQ(result.verdict, Verdict::kEvent);
  EXPECT_EQ(result.event.sequence, UINT64_MAX);
  EXPECT_EQ(result.event.upstream_sequence, std::uint64_t{1} << 63);
}

TEST_F(JetstreamV1, MalformedJsonIsRefused) {
  for (const std::string_view text :
       {"",     " ",      "null",     "5",         "\"a\"",          "[]",         "[{}]",
        "{",    "}",      "{]",       "{\"a\"",    "{\"a\":}",       "{\"a\":1,}", "{}{}",
        "{} x", "<html>", "\x01\x02", "{\"a\" 1}", "{\"a\":\"\n\"}", "tru"}) {
    refused(text, Rejection::kMalformed);
  }
  refused(std::string(kPost) + "x", Rejection::kMalformed);
  refused(std::string(kPost) + std::string(kPost), Rejection::kMalformed);
  EXPECT_EQ(decode(" \n" + std::string(kPost) + "\r\n ").verdict, Verdict::kEvent);
}

TEST_F(JetstreamV1, InvalidUtf8AnywhereIsRefused) {
  for (const std::string_view bad :
       {"\xFF", "\xC0\xAF", "\xED\xA0\x80", "\xE3\x81", "\xF5\x80\x80\x80"}) {
    refused(with(kPost, "hello", bad), Rejection::kInvalidUtf8);
    refused(with(kPost, "at://x", bad), Rejection::kInvalidUtf8);  // not even read
    refused(with(kPost, "\"cid\":\"bafy\"", "\"c" + std::string(bad) + "\":1"),
            Rejection::kInvalidUtf8);
    refused(with(kLike, "at://x", bad), Rejection::kInvalidUtf8);
  }
}

TEST_F(JetstreamV1, EscapesThatAreNoTextAreRefusedOnlyWhereTheyAreRead) {
  for (const std::string_view bad : {"\\ud800", "\\udc00", "\\ud800\\u0041", "\\x", "\\u12"}) {
    refused(with(kPost, "hello", bad), Rejection::kInvalidUtf8);
  }
  EXPECT_EQ(decode(with(kPost, "at://x", "\\ud800")).verdict, Verdict::kEvent);
  const auto nul = decode(with(kPost, "hello", "a\\u0000b"));
  EXPECT_EQ(nul.verdict, Verdict::kEvent);
  EXPECT_EQ(nul.event.text.substr(0, 3), std::string_view("a\0b", 3));
  EXPECT_EQ(decode(with(kPost, "hello", "\\ud83d\\ude00")).event.text.substr(0, 4), "\U0001F600");
}

TEST_F(JetstreamV1, DepthIsCapped) {
  const auto nested = [](std::size_t depth) {
    return with(
        kPost, R"({"$type":"e")",
        "{\"deep\":" + std::string(depth, '[') + std::string(depth, ']') + R"(,"$type":"e")");
  };
  // The root, commit, record and embed are four levels already.
  EXPECT_EQ(decode(nested(60)).verdict, Verdict::kEvent);
  refused(nested(61), Rejection::kTooDeep);
  refused(nested(10'000), Rejection::kTooDeep);
  refused(std::string(1'000'000, '['), Rejection::kTooDeep);
  refused(with(kPost, "hello", "hello\",\"x\":" + std::string(5000, '{') + "\"y\":\""),
          Rejection::kTooDeep);
  EXPECT_EQ(decode(with(kPost, "hello", std::string(500, '['))).verdict, Verdict::kEvent);
  DialectOptions shallow;
  shallow.depth_max = 3;
  dialect_ = make_jetstream_v1(shallow);
  refused(kPost, Rejection::kTooDeep);
  EXPECT_EQ(decode(kDelete).verdict, Verdict::kEvent);
}

TEST_F(JetstreamV1, LargeFramesAreReadAndTheParserRecovers) {
  const std::string large(900'000, 'x');
  const auto result = decode(with(kPost, "hello", large));
  ASSERT_EQ(result.verdict, Verdict::kEvent);
  EXPECT_EQ(result.event.text.size(), large.size() + decode(kPost).event.text.size() - 5);
  EXPECT_EQ(decode(kPost).verdict, Verdict::kEvent);
}

TEST_F(JetstreamV1, EveryTruncationIsRefused) {
  for (const std::string_view whole :
       {kPost, kProfile, kAddress, kPerson, kDelete, kIdentity, kAccount, kLike}) {
    for (std::size_t cut = 0; cut < whole.size(); ++cut) {
      const auto result = decode(whole.substr(0, cut));
      ASSERT_EQ(result.verdict, Verdict::kRejected) << "cut at byte " << cut << " of " << whole;
    }
  }
}

TEST_F(JetstreamV1, NoSingleByteCrashesIt) {
  std::size_t events = 0;
  for (const std::string_view whole : {kPost, kAccount}) {
    std::string changed(whole);
    for (std::size_t at = 0; at < changed.size(); ++at) {
      for (int byte = 0; byte < 256; ++byte) {
        changed[at] = static_cast<char>(byte);
        events += decode(changed).verdict == Verdict::kEvent ? 1 : 0;
      }
      changed[at] = whole[at];
    }
  }
  EXPECT_GT(events, 0u);
}

TEST_F(JetstreamV1, NoSpliceMakesAnUnsoundEvent) {
  std::mt19937 random(1);
  int events = 0;
  const std::vector<std::string_view> seeds = {kPost,   kProfile,  kAddress, kPerson,
                                               kDelete, kIdentity, kAccount, kLike};
  for (int round = 0; round < 20'000; ++round) {
    const std::string_view a = seeds[random() % seeds.size()];
    const std::string_view b = seeds[random() % seeds.size()];
    std::string text(a.substr(0, random() % a.size()));
    text += b.substr(random() % b.size());
    for (unsigned flips = random() % 4; flips > 0 && !text.empty(); --flips) {
      text[random() % text.size()] = "{}[]:,\"\\0truef\x80"[random() % 16];
    }
    const Result result = decode(text);
    if (result.verdict != Verdict::kEvent) continue;
    ++events;
    expect_sound(result.event, text);
  }
  EXPECT_GT(events, 0);
}

TEST_F(JetstreamV1, TheTargetAsksForAllThatIsRead) {
  EXPECT_EQ(make_jetstream_v1()->target("/subscribe", {}),
            "/subscribe?wantedCollections=app.bsky.feed.post"
            "&wantedCollections=app.bsky.actor.profile"
            "&wantedCollections=community.lexicon.actor.profile"
            "&wantedCollections=community.lexicon.location.*");
}

TEST_F(JetstreamV1, TheTargetAsksForWhatIsWanted) {
  DialectOptions options;
  options.collections = {"app.bsky.feed.post", "community.lexicon.location.*"};
  options.dids = {"did:plc:a"};
  options.server_bytes_max = 1000;
  const auto dialect = make_jetstream_v1(options);
  EXPECT_EQ(dialect->target("/subscribe", {}),
            "/subscribe?wantedCollections=app.bsky.feed.post"
            "&wantedCollections=community.lexicon.location.*&wantedDids=did:plc:a"
            "&maxMessageSizeBytes=1000");
  EXPECT_EQ(dialect->target("/s?wantedCollections=x&wantedDids=y&maxMessageSizeBytes=0&cursor=1",
                            {Resume::Kind::kTime, 1'779'719'009'132'431}),
            "/s?wantedCollections=x&wantedDids=y&maxMessageSizeBytes=0&cursor=1779719009132431");
  EXPECT_EQ(make_jetstream_v1({.collections = {}, .compress = true})->target("/s", {}),
            "/s?compress=true");
}

}  // namespace
}  // namespace geotally::feed
