// Goal: nothing is lost in silence: every message of every wire ends in exactly one counter, what an
// event does without is counted, and each event's delay is its own.
// Method: messages by the handful through a whole pipeline; the metrics page is what is looked at.
#include <cstdio>
#include <memory>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "rig.h"
#include "support/temp_dir.h"

namespace geotally::pipeline {
namespace {

using support::kDay_us;
using support::kSecond_us;
using support::Line;
using support::rfc3339;
using support::TempDir;
using support::tid;

constexpr std::int64_t kNow_us = 1'700'000'000'000'000;

RigOptions options_in(const TempDir& directory, feed::Wire wire) {
  RigOptions options;
  options.directory = directory.path();
  options.wire = wire;
  options.clock = ClockMode::kWall;
  options.wall_us = kNow_us;
  return options;
}

std::string v2(std::string_view kind, std::string_view did, std::int64_t time_us,
               std::string_view fields) {
  return fmt::format(
      R"({{"$type":"message","payload":{{"$type":"network.bsky.jetstream.subscribeEvents#{}",)"
      R"("did":"{}","seq":{},"time":"{}",{}}}}})",
      kind, did, time_us / kSecond_us, rfc3339(time_us), fields);
}

std::string v2_post(std::string_view did, std::int64_t time_us,
                    std::string_view record = R"({"text":"x"})") {
  const std::string revision = tid(support::revision_at(time_us));
  return v2("commit", did, time_us,
            fmt::format(R"("collection":"app.bsky.feed.post","operation":"create","rev":"{0}",)"
                        R"("rkey":"{0}","record":{1})",
                        revision, record));
}

/// A log in memory: what was written so far.
class Log {
 public:
  Log() : file_(std::tmpfile(), &std::fclose) {}
  [[nodiscard]] int descriptor() const { return ::fileno(file_.get()); }
  [[nodiscard]] std::size_t lines_with(std::string_view words) const {
    std::rewind(file_.get());
    std::string text;
    char part[4096];
    for (std::size_t n = 0; (n = std::fread(part, 1, sizeof part, file_.get())) > 0;) {
      text.append(part, n);
    }
    std::size_t found = 0;
    for (std::size_t at = text.find(words); at != std::string::npos; at = text.find(words, at + 1)) {
      ++found;
    }
    return found;
  }

 private:
  std::unique_ptr<std::FILE, int (*)(std::FILE*)> file_;
};

TEST(Accounting, EveryMessageOfJetstreamV2EndsInExactlyOneCounter) {
  const TempDir directory;
  Rig rig(options_in(directory, feed::Wire::kJetstreamV2));
  double fed = 0;
  const auto feed = [&](const std::string& message, int times = 1) {
    for (int i = 0; i < times; ++i) rig.feed(message);
    fed += times;
  };
  for (int i = 0; i < 50; ++i) {
    feed(v2_post(fmt::format("did:plc:{}", i % 7), kNow_us - (50 - i) * kSecond_us));
  }
  feed(v2_post("did:plc:1", kNow_us - 49 * kSecond_us), 3);  // replayed
  feed(v2_post("did:plc:1", kNow_us - 100 * kDay_us), 5);    // too old
  feed(v2_post("did:plc:1", kNow_us + kDay_us), 7);          // future, and nobody confirms it
  feed(v2("commit", "did:plc:1", kNow_us,
          R"("collection":"app.bsky.feed.like","operation":"create","rev":"3mmoojp7vgo2g",)"
          R"("rkey":"r","record":{})"),
       11);
  feed(v2("weather", "did:plc:1", kNow_us, R"("weather":{})"), 2);
  feed(R"({"$type":"message","payload":{"$type":"x#info","name":"OutdatedCursor"}})", 13);
  feed(R"({"$type":"message","payload":{"$type":"x#info","name":"Maintenance"}})", 17);
  feed(R"({"$type":"error","error":"ConsumerTooSlow","message":"m"})", 19);
  feed(R"({"$type":"error","error":"InternalError"})", 23);
  feed(R"({"$type":"event","event":{"kind":"commit","did":"did:plc:1"}})", 29);
  for (const char* broken : {"", "{", "[]", "{}", R"({"$type":7})", R"({"$type":"message"})"}) {
    feed(broken);
  }
  rig.stop();  // the end of the process: nobody will confirm what is held

  EXPECT_EQ(rig.accounted_for(), fed);
  EXPECT_EQ(rig.counted(), 50);
  EXPECT_EQ(rig.dropped("replayed"), 3);
  EXPECT_EQ(rig.dropped("too_old"), 5);
  EXPECT_EQ(rig.dropped("future"), 7);
  EXPECT_EQ(rig.dropped("uncounted"), 13);
  EXPECT_EQ(rig.rejected(), 6);
  const std::pair<const char*, double> notices[] = {{"outdated_cursor", 13},
                                                    {"consumer_too_slow", 19},
                                                    {"internal_error", 23},
                                                    {"unknown_frame", 29},
                                                    {"other", 17}};
  for (const auto& [name, times] : notices) {
    EXPECT_EQ(rig.metric(fmt::format("geotally_feed_notices_total{{name=\"{}\"}}", name)), times)
        << name;
  }
}

// A host that renames its envelope: the feed says nothing any more, and that is seen.
TEST(Accounting, AFeedOfUnknownFramesIsCountedAndLoggedButNotLineByLine) {
  const TempDir directory;
  const Log log;
  RigOptions options = options_in(directory, feed::Wire::kJetstreamV2);
  options.log_descriptor = log.descriptor();
  Rig rig(options);
  const std::string frame = v2_post("did:plc:1", kNow_us);
  const std::size_t at = frame.find("message");
  constexpr int kFrames = 5'000;
  for (int i = 0; i < kFrames; ++i) {
    rig.feed(std::string(frame).replace(at, std::string_view("message").size(), "event"));
  }
  rig.drained();
  EXPECT_EQ(rig.metric("geotally_feed_notices_total{name=\"unknown_frame\"}"), kFrames);
  EXPECT_EQ(rig.accounted_for(), kFrames);
  const std::size_t lines = log.lines_with("feed.notice");
  EXPECT_GE(lines, 1U);
  EXPECT_LT(lines, kFrames / 10U);  // more come as time passes, one a second
  EXPECT_EQ(log.lines_with(R"("host":"test:1")"), lines);
  EXPECT_EQ(log.lines_with(R"("name":"UnknownFrame")"), lines);
}

// What is on the socket when a time ahead is confirmed comes again, and is counted then; until
// then it is in a counter of its own, and so is what was held for the second witness.
TEST(Accounting, WhatComesWhileTheFeedIsReopenedEndsInACounter) {
  const TempDir directory;
  Rig rig(options_in(directory, feed::Wire::kJetstreamV1));
  std::vector<Line> lines;
  const auto add = [&](const char* did, std::int64_t time_us) {
    Line line;
    line.did = did;
    line.time_us = time_us;
    line.rkey = fmt::format("{}", time_us);
    lines.push_back(line);
  };
  for (int i = 0; i < 10; ++i) add("did:plc:a", kNow_us + i);
  const std::int64_t later_us = kNow_us + kDay_us;
  for (int i = 0; i < 4; ++i) add("did:plc:a", later_us + i);         // held
  add("did:plc:b", later_us + 4);                                     // confirms them
  for (int i = 5; i < 12; ++i) add("did:plc:c", later_us + i);        // already on the socket
  rig.feed(lines);
  rig.settle();
  EXPECT_EQ(rig.reopened, 1U);
  EXPECT_EQ(rig.counted(), 10);
  EXPECT_EQ(rig.dropped("reopening"), 4 + 1 + 7);
  EXPECT_EQ(rig.dropped("future"), 0);
  EXPECT_EQ(rig.accounted_for(), static_cast<double>(lines.size()));

  rig.reconnect();
  const auto again = std::span(lines).subspan(rig.resume_at(lines));
  rig.feed(again);
  rig.settle();
  EXPECT_EQ(rig.counted(), static_cast<double>(lines.size()));  // each of them once
  EXPECT_EQ(rig.dropped("reopening"), 12);
  EXPECT_EQ(rig.accounted_for(), static_cast<double>(lines.size() + again.size()));
}

TEST(Accounting, APostWithOddFieldsCountsAndSoDoTheFields) {
  const TempDir directory;
  Rig rig(options_in(directory, feed::Wire::kJetstreamV2));
  const std::pair<const char*, const char*> fields[] = {
      {"text", R"({"text":["x"]})"},
      {"created_at", R"({"createdAt":1700000000})"},
      {"langs", R"({"langs":"fr"})"},
      {"langs", R"({"langs":["fr",5,5]})"},
      {"reply", R"({"reply":true})"},
  };
  std::int64_t time_us = kNow_us;
  for (const auto& [field, record] : fields) rig.feed(v2_post("did:plc:a", ++time_us, record));
  rig.settle();
  EXPECT_EQ(rig.metric("geotally_events_total{kind=\"post\"}"), 5);
  EXPECT_EQ(rig.rejected(), 0);
  const auto ignored = [&](std::string_view field) {
    return rig.metric(
        fmt::format("geotally_event_fields_ignored_total{{field=\"{}\"}}", field));
  };
  EXPECT_EQ(ignored("text"), 1);
  EXPECT_EQ(ignored("created_at"), 1);
  EXPECT_EQ(ignored("langs"), 2);
  EXPECT_EQ(ignored("reply"), 1);
  EXPECT_EQ(ignored("handle"), 0);
}

// "From event time to when the event was decoded, by the wall clock": of each event, not of the
// newest one for all that came with it.
TEST(Accounting, EachEventHasTheDelayThatIsItsOwn) {
  const TempDir directory;
  Rig rig(options_in(directory, feed::Wire::kJetstreamV1));
  const auto post = [&](std::int64_t delay_us) {
    Line line;
    line.did = "did:plc:a";
    line.time_us = rig.wall_us - delay_us;
    line.rkey = fmt::format("{}", line.time_us);
    rig.feed(line);
  };
  const auto within = [&](std::string_view bound) {
    return rig.metric(fmt::format("geotally_event_delay_seconds_bucket{{le=\"{}\"}}", bound));
  };
  for (const std::int64_t seconds : {200, 0, 1'000, 2, 20}) post(seconds * kSecond_us);
  rig.drained();
  EXPECT_EQ(within("0.1"), 1);
  EXPECT_EQ(within("1"), 1);
  EXPECT_EQ(within("2.5"), 2);
  EXPECT_EQ(within("10"), 2);
  EXPECT_EQ(within("30"), 3);
  EXPECT_EQ(within("120"), 3);
  EXPECT_EQ(within("300"), 4);
  EXPECT_EQ(within("+Inf"), 5);
  EXPECT_EQ(rig.metric("geotally_event_delay_seconds_sum"), 1'222);

  // By the clock of the moment, though the feed was quiet before and nothing else looked at it.
  rig.wall_us += 50 * kSecond_us;
  post(0);
  rig.drained();
  EXPECT_EQ(within("0.1"), 2);
  EXPECT_EQ(rig.metric("geotally_event_delay_seconds_count"), 6);
  EXPECT_EQ(rig.metric("geotally_event_delay_seconds_sum"), 1'222);
}

}  // namespace
}  // namespace geotally::pipeline
