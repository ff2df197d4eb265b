// Goal: v2 frames mean the same as v1 frames, in whatever order their keys come.
#include <string>

#include <gtest/gtest.h>

#include "feed/dialect.h"
#include "feed/tid.h"
#include "padded.h"
#include "sound.h"

namespace geotally::feed {
namespace {

constexpr std::string_view kPrefix =
    R"({"$type":"message","payload":{"$type":"network.bsky.jetstream.subscribeEvents#)";
const std::string kPost =
    std::string(kPrefix) +
    R"(commit","cid":"b","collection":"app.bsky.feed.post","did":"did:plc:a","operation":"create",)"
    R"("record":{"$type":"app.bsky.feed.post","createdAt":"2026-08-11T12:50:46.005Z","langs":["fr"],)"
    R"("text":"bonjour"},"rev":"3mmoojp7vgo2g","rkey":"r1","seq":35610,)"
    R"("time":"2026-08-11T12:49:00.398794Z"}})";
const std::string kAccount =
    std::string(kPrefix) +
    R"(account","account":{"active":false,"did":"did:plc:a","seq":7,"status":"takendown",)"
    R"("time":"2026-08-11T12:48:59Z"},"did":"did:plc:a","seq":35611,)"
    R"("time":"2026-08-11T12:49:00.398794Z"}})";
constexpr std::int64_t kTime_us = 1'786'452'540'398'794;

class JetstreamV2 : public testing::Test {
 protected:
  Verdict decode(std::string_view text) {
    frame_ = std::make_unique<Padded>(text);
    return dialect_->decode(*frame_, event_);
  }
  static std::string with(std::string text, std::string_view from, std::string_view to) {
    const auto at = text.find(from);
    EXPECT_NE(at, std::string::npos) << from;
    return text.replace(at, from.size(), to);
  }

  std::unique_ptr<Dialect> dialect_ = make_jetstream_v2();
  std::unique_ptr<Padded> frame_;
  Event event_;
};

TEST_F(JetstreamV2, APost) {
  ASSERT_EQ(decode(kPost), Verdict::kEvent);
  EXPECT_EQ(event_.kind, EventKind::kPost);
  EXPECT_EQ(event_.did, "did:plc:a");
  EXPECT_EQ(event_.sequence, 35610u);
  EXPECT_EQ(event_.time_us, kTime_us);
  EXPECT_EQ(event_.text, "bonjour");
  EXPECT_EQ(event_.revision, parse_tid("3mmoojp7vgo2g"));
  ASSERT_EQ(event_.language_count, 1);
}

TEST_F(JetstreamV2, IdentifiesAnEventAsV1Does) {
  constexpr std::string_view kV1 =
      R"({"did":"did:plc:a","time_us":1,"kind":"commit","commit":{"rev":"3mmoojp7vgo2g",)"
      R"("operation":"create","collection":"app.bsky.feed.post","rkey":"r1","record":{}}})";
  ASSERT_EQ(decode(kPost), Verdict::kEvent);
  const auto v2 = identity_of(event_);
  const Padded frame(kV1);
  Event event;
  ASSERT_EQ(make_jetstream_v1()->decode(frame, event), Verdict::kEvent);
  EXPECT_EQ(identity_of(event), v2);
}

TEST_F(JetstreamV2, WitnessedAtWinsInAnyOrder) {
  const std::string witnessed = R"("witnessedAt":"2026-08-11T12:50:00Z")";
  ASSERT_EQ(decode(with(kPost, R"("time":"2026-08-11T12:49:00.398794Z")", witnessed)),
            Verdict::kEvent);
  EXPECT_EQ(event_.time_us, 1'786'452'600'000'000);
  for (const std::string& text : {with(kPost, R"("seq":35610)", R"("seq":35610,)" + witnessed),
                                  with(kPost, R"(398794Z")", R"(398794Z",)" + witnessed)}) {
    ASSERT_EQ(decode(text), Verdict::kEvent);
    EXPECT_EQ(event_.time_us, 1'786'452'600'000'000);
  }
  EXPECT_EQ(decode(with(kPost, R"(,"time":"2026-08-11T12:49:00.398794Z")", "")),
            Verdict::kRejected);
  EXPECT_EQ(dialect_->rejection(), Rejection::kMissingField);
  EXPECT_EQ(decode(with(kPost, "2026-08-11T12:49:00.398794Z", "noon")), Verdict::kRejected);
  EXPECT_EQ(dialect_->rejection(), Rejection::kInvalidField);
}

TEST_F(JetstreamV2, KeyOrderDoesNotMatter) {
  ASSERT_EQ(
      decode(R"({"payload":{"record":{"text":"x"},"time":"2026-08-11T12:49:00.398794Z","seq":1,)"
             R"("rkey":"r","rev":"3mmoojp7vgo2g","operation":"create","did":"did:plc:a",)"
             R"("collection":"app.bsky.feed.post","$type":"x#commit"},"$type":"message"})"),
      Verdict::kEvent);
  EXPECT_EQ(event_.text, "x");
}

TEST_F(JetstreamV2, IdentityAccountAndSync) {
  ASSERT_EQ(decode(kAccount), Verdict::kEvent);
  EXPECT_EQ(event_.kind, EventKind::kAccount);
  EXPECT_EQ(event_.status, AccountStatus::kGone);
  EXPECT_EQ(event_.upstream_sequence, 7u);
  EXPECT_EQ(event_.sequence, 35611u);
  EXPECT_EQ(event_.time_us, kTime_us);
  ASSERT_EQ(decode(with(with(kAccount, "#account", "#identity"), "\"account\":", "\"identity\":")),
            Verdict::kEvent);
  EXPECT_EQ(event_.kind, EventKind::kIdentity);
  // Its revision stands in what the relay said.
  const std::string sync = with(with(kAccount, "#account", "#sync"), "\"account\":", "\"sync\":");
  ASSERT_EQ(decode(with(sync, "\"seq\":7", "\"rev\":\"3mmoojp7vgo2g\",\"seq\":7")),
            Verdict::kEvent);
  EXPECT_EQ(event_.kind, EventKind::kSync);
  EXPECT_EQ(event_.revision, parse_tid("3mmoojp7vgo2g"));
  EXPECT_EQ(event_.sequence, 35611u);
  EXPECT_EQ(event_.time_us, kTime_us);
  EXPECT_EQ(decode(sync), Verdict::kRejected);
  EXPECT_EQ(dialect_->rejection(), Rejection::kMissingField);
  EXPECT_EQ(decode(with(sync, "\"seq\":7", "\"rev\":\"old\",\"seq\":7")), Verdict::kRejected);
  EXPECT_EQ(dialect_->rejection(), Rejection::kInvalidField);
  EXPECT_EQ(decode(with(kAccount, "#account", "#somethingNew")), Verdict::kUncounted);
}

// An operator's import rewrites `time`, but not when the server first saw the event.
TEST_F(JetstreamV2, AnImportedTimeIsKeptBesideTheWitnessedOne) {
  ASSERT_EQ(decode(kPost), Verdict::kEvent);
  EXPECT_EQ(event_.imported_us, 0);
  const std::string both =
      with(kPost, "\"time\":", "\"time\":\"2024-01-02T03:04:05Z\",\"witnessedAt\":");
  ASSERT_EQ(decode(both), Verdict::kEvent);
  EXPECT_EQ(event_.time_us, kTime_us);
  EXPECT_EQ(event_.imported_us, 1'704'164'645'000'000);
}

TEST_F(JetstreamV2, APostHasTheNumberOfItsKey) {
  ASSERT_EQ(decode(kPost), Verdict::kEvent);
  EXPECT_EQ(event_.record_key, 0u);  // "r1" is no TID
  EXPECT_TRUE(event_.created);
  ASSERT_EQ(decode(with(kPost, "\"rkey\":\"r1\"", "\"rkey\":\"3mmoojp7vgo2g\"")),
            Verdict::kEvent);
  EXPECT_EQ(event_.record_key, parse_tid("3mmoojp7vgo2g"));
}

TEST_F(JetstreamV2, ACommunityProfileDeclaresACountry) {
  const std::string person =
      with(with(with(kPost, "app.bsky.feed.post", "community.lexicon.actor.profile"),
                R"("rkey":"r1")", R"("rkey":"self")"),
           R"("text":"bonjour")", R"("address":{"country":"DEU"})");
  ASSERT_EQ(decode(person), Verdict::kEvent);
  EXPECT_EQ(event_.kind, EventKind::kAddress);
  EXPECT_EQ(event_.country, "DEU");
}

TEST_F(JetstreamV2, AnOddFieldThatNobodyNeedsCostsNoEvent) {
  ASSERT_EQ(decode(with(kPost, R"(["fr"])", R"({"0":"fr"})")), Verdict::kEvent);
  EXPECT_EQ(event_.kind, EventKind::kPost);
  EXPECT_EQ(event_.ignored, 1 << static_cast<int>(EventField::kLangs));
  EXPECT_EQ(decode(with(kPost, R"("seq":35610)", R"("name":5,"seq":35610)")), Verdict::kEvent);
  EXPECT_EQ(decode(R"({"$type":"error","error":5})"), Verdict::kNotice);
  EXPECT_EQ(dialect_->notice(), "Unnamed");
}

TEST_F(JetstreamV2, EveryNoticeHasANameOfTheClosedList) {
  const std::pair<std::string, Notice> notices[] = {
      {std::string(kPrefix) + R"(info","name":"OutdatedCursor"}})", Notice::kOutdatedCursor},
      {std::string(kPrefix) + R"(info","name":"Maintenance"}})", Notice::kOther},
      {std::string(kPrefix) + R"(info"}})", Notice::kOther},
      {R"({"$type":"error","error":"ConsumerTooSlow"})", Notice::kConsumerTooSlow},
      {R"({"$type":"error","error":"InternalError"})", Notice::kInternalError},
      {R"({"$type":"error","error":"<b>"})", Notice::kOther},
      {R"({"$type":"error"})", Notice::kOther},
      {R"({"$type":"novelty","payload":{}})", Notice::kUnknownFrame},
      {with(kPost, R"("$type":"message")", R"("$type":"message2")"), Notice::kUnknownFrame}};
  for (const auto& [text, notice] : notices) {
    EXPECT_EQ(decode(text), Verdict::kNotice) << text;
    EXPECT_EQ(to_string(dialect_->notice_kind()), to_string(notice)) << text;
  }
}

TEST_F(JetstreamV2, NoticesAreNoEvents) {
  EXPECT_EQ(decode(std::string(kPrefix) + R"(info","name":"OutdatedCursor","message":"m"}})"),
            Verdict::kNotice);
  EXPECT_EQ(dialect_->notice(), "OutdatedCursor");
  EXPECT_EQ(decode(R"({"$type":"error","error":"ConsumerTooSlow\n<b>","message":"m"})"),
            Verdict::kNotice);
  EXPECT_EQ(dialect_->notice(), "ConsumerTooSlowb");
  EXPECT_EQ(decode(R"({"$type":"error"})"), Verdict::kNotice);
  EXPECT_EQ(dialect_->notice(), "Unnamed");
  EXPECT_EQ(decode(R"({"$type":"novelty","payload":{}})"), Verdict::kNotice);
  dialect_->clear_notice();
  EXPECT_EQ(decode(kPost), Verdict::kEvent);
  EXPECT_EQ(dialect_->notice(), "");
}

TEST_F(JetstreamV2, EveryTruncationIsRefused) {
  for (const std::string& whole : {kPost, kAccount}) {
    for (std::size_t cut = 0; cut < whole.size(); ++cut) {
      ASSERT_EQ(decode(whole.substr(0, cut)), Verdict::kRejected) << "cut at byte " << cut;
    }
  }
  EXPECT_EQ(decode("{}"), Verdict::kRejected);
  EXPECT_EQ(decode(R"({"$type":"message"})"), Verdict::kRejected);
  EXPECT_EQ(decode(R"({"$type":"message","payload":5})"), Verdict::kRejected);
  EXPECT_EQ(decode(R"({"$type":5})"), Verdict::kRejected);
}

TEST_F(JetstreamV2, NoSingleByteMakesAnUnsoundEvent) {
  int events = 0;
  std::string changed = kPost;
  for (std::size_t at = 0; at < changed.size(); ++at) {
    for (int byte = 0; byte < 256; ++byte) {
      changed[at] = static_cast<char>(byte);
      if (decode(changed) != Verdict::kEvent) continue;
      ++events;
      expect_sound(event_, changed);
    }
    changed[at] = kPost[at];
  }
  EXPECT_GT(events, 0);
}

TEST_F(JetstreamV2, TheTargetUsesItsOwnNames) {
  DialectOptions options;
  options.collections = {"app.bsky.feed.post"};
  options.dids = {"did:plc:a"};
  options.compress = true;
  const auto dialect = make_jetstream_v2(options);
  EXPECT_EQ(dialect->target("/x", {Resume::Kind::kSequence, 17}),
            "/x?kinds=commit&kinds=identity&kinds=account&kinds=sync"
            "&collections=app.bsky.feed.post&dids=did:plc:a&cursor=17");
  dialect->set_dictionary(20260811);
  EXPECT_EQ(dialect->target("/x?kinds=commit&collections=c&dids=d", {}),
            "/x?kinds=commit&collections=c&dids=d&zstdDictionary=20260811");
}

}  // namespace
}  // namespace geotally::feed
