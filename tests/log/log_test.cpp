// Goal: every line can be read back by its reader, whatever the values hold; a flood
// of one event neither floods the log nor is forgotten.
// Method: a Logger on a real pipe, read back with an independent JSON parser.
#include "log/log.h"

#include <set>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>
#include <simdjson.h>
#include <sys/stat.h>
#include <unistd.h>

namespace geotally::log {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;
using std::chrono::system_clock;

class Pipe {
 public:
  Pipe() { EXPECT_EQ(::pipe(ends_), 0); }
  ~Pipe() {
    ::close(ends_[0]);
    if (ends_[1] >= 0) ::close(ends_[1]);
  }
  int writer() const { return ends_[1]; }
  int reader() const { return ends_[0]; }
  /// Everything that was written so far.
  std::string read() {
    ::close(ends_[1]);
    ends_[1] = -1;
    std::string all;
    char part[4096];
    for (ssize_t n = 0; (n = ::read(ends_[0], part, sizeof part)) > 0;) {
      all.append(part, static_cast<std::size_t>(n));
    }
    return all;
  }

 private:
  int ends_[2] = {-1, -1};
};

std::vector<std::string> lines(const std::string& text) {
  std::vector<std::string> out;
  std::size_t begin = 0;
  for (std::size_t end = 0; (end = text.find('\n', begin)) != std::string::npos; begin = end + 1) {
    out.push_back(text.substr(begin, end - begin));
  }
  EXPECT_EQ(begin, text.size()) << "the last line is not ended";
  return out;
}

TEST(Events, NamesAreUniqueAndWellFormed) {
  std::set<std::string_view> names;
  std::set<std::string_view> ids;
  for (std::size_t i = 0; i < kEvents; ++i) {
    const EventInfo& row = info(static_cast<Event>(i));
    EXPECT_TRUE(names.insert(row.name).second) << row.name;
    EXPECT_NE(row.name.find('.'), std::string_view::npos) << row.name;
    EXPECT_EQ(row.name.find_first_not_of("abcdefghijklmnopqrstuvwxyz._"), std::string_view::npos);
    EXPECT_FALSE(row.body.empty());
    EXPECT_FALSE(row.meaning.empty());
    std::set<std::string_view> keys;
    for (const std::string_view key : row.keys) {
      EXPECT_EQ(key.find_first_not_of("abcdefghijklmnopqrstuvwxyz_"), std::string_view::npos);
      if (key.empty()) continue;
      EXPECT_TRUE(keys.insert(key).second) << row.name << " " << key;
    }
    EXPECT_FALSE(lists(row, ""));
    EXPECT_EQ(row.body.find_first_of("\"\\\n"), std::string_view::npos) << "written unescaped";
    if (row.message_id.empty()) continue;
    EXPECT_EQ(row.message_id.size(), 32u);
    EXPECT_EQ(row.message_id.find_first_not_of("0123456789abcdef"), std::string_view::npos);
    EXPECT_TRUE(ids.insert(row.message_id).second) << row.name;
  }
}

TEST(Logger, JsonHasTheKeysOfOpenTelemetry) {
  Pipe pipe;
  Logger log({.format = Format::kJson, .descriptor = pipe.writer()});
  log.write_at(Event::kFeedConnected,
               {{"host", "feed.example:443"}, {"delay_ms", 250}, {"ok", true}, {"share", 0.5}},
               system_clock::time_point(std::chrono::microseconds(1'779'719'009'132'431)),
               steady_clock::now());
  EXPECT_EQ(pipe.read(), R"({"timestamp":"2026-05-25T14:23:29.132431Z","severity_text":"info",)"
                         R"("body":"connected to the feed","attributes":{"event":"feed.connected",)"
                         R"("host":"feed.example:443","delay_ms":250,"ok":true,"share":0.5}})"
                         "\n");
}

TEST(Logger, LogfmtQuotesOnlyWhatNeedsIt) {
  Pipe pipe;
  Logger log({.format = Format::kLogfmt, .descriptor = pipe.writer()});
  log.write_at(Event::kFeedConnectFailed,
               {{"host", "feed.example:443"}, {"detail", "status 503 \"busy\"\n"}, {"empty", ""}},
               system_clock::time_point(std::chrono::microseconds(0)), steady_clock::now());
  EXPECT_EQ(pipe.read(),
            "time=1970-01-01T00:00:00.000000Z level=warning event=feed.connect_failed "
            "msg=\"cannot connect to the feed\" host=feed.example:443 "
            "detail=\"status 503 \\\"busy\\\"\\n\" empty=\"\"\n");
}

TEST(Logger, AnyBytesGiveOneValidLine) {
  std::vector<std::string> values;
  for (int byte = 0; byte < 256; ++byte) values.push_back({'a', static_cast<char>(byte), 'b'});
  values.insert(values.end(), {"\xED\xA0\x80", "\xC0\xAF", "\xF5\x80\x80\x80", "\xF0\x8F\x80\x80",
                               "\xE2\x82", "\xF0\x9F\x98", "plain \xF0\x9F\x98\x80 text",
                               std::string(5000, 'x'), std::string(2000, '\xFF')});
  for (const Format format : {Format::kJson, Format::kLogfmt}) {
    for (const std::string& value : values) {
      Pipe pipe;
      Logger log({.format = format, .descriptor = pipe.writer()});
      log.write(Event::kFeedNotice, {{"name", value}, {"last", 1}});
      const auto written = lines(pipe.read());
      ASSERT_EQ(written.size(), 1u);
      EXPECT_LT(written[0].size(), 6 * Value::kTextMax);
      EXPECT_TRUE(simdjson::validate_utf8(written[0]));
      if (format != Format::kJson) continue;
      simdjson::dom::parser parser;
      simdjson::dom::element line;
      ASSERT_EQ(parser.parse(written[0]).get(line), simdjson::SUCCESS) << written[0];
      std::int64_t last = 0;
      EXPECT_EQ(line["attributes"]["last"].get(last), simdjson::SUCCESS);
    }
  }
}

TEST(Logger, ValidTextComesBackUnchanged) {
  const std::string text = "tab\t quote\" back\\ nul\x01 é 漢 😀 \x7F";
  Pipe pipe;
  Logger log({.format = Format::kJson, .descriptor = pipe.writer()});
  log.write(Event::kFeedNotice, {{"name", text}});
  simdjson::dom::parser parser;
  std::string_view back;
  const std::string line = pipe.read();
  ASSERT_EQ(parser.parse(line)["attributes"]["name"].get(back), simdjson::SUCCESS);
  EXPECT_EQ(back, text);
}

TEST(Logger, LevelsBelowTheMinimumAreNotWritten) {
  Pipe pipe;
  Logger log({.level_min = Level::kWarning, .format = Format::kJson, .descriptor = pipe.writer()});
  log.write(Event::kFeedConnected);
  log.write(Event::kFeedDisconnected);
  log.set_level_min(Level::kDebug);
  log.write(Event::kFeedConnecting);
  EXPECT_EQ(lines(pipe.read()).size(), 2u);
  EXPECT_EQ(log.written(Level::kInfo), 0u);
  EXPECT_EQ(log.written(Level::kWarning), 1u);
  EXPECT_EQ(log.written(Level::kDebug), 1u);
  EXPECT_EQ(log.suppressed(), 0u);
}

TEST(Logger, AFloodOfOneEventIsHeldBackAndCounted) {
  Pipe pipe;
  Logger log({.format = Format::kJson,
              .descriptor = pipe.writer(),
              .burst = 3,
              .refill = milliseconds(100)});
  const steady_clock::time_point start{};
  const system_clock::time_point wall{};
  for (int i = 0; i < 10; ++i) log.write_at(Event::kFeedRejected, {{"n", i}}, wall, start);
  log.write_at(Event::kFeedNotice, {}, wall, start);  // another event is not touched
  log.write_at(Event::kFeedRejected, {{"n", 10}}, wall, start + milliseconds(99));
  log.write_at(Event::kFeedRejected, {{"n", 11}}, wall, start + milliseconds(100));
  log.write_at(Event::kFeedRejected, {{"n", 12}}, wall, start + milliseconds(1000));
  const auto written = lines(pipe.read());
  ASSERT_EQ(written.size(), 6u);
  EXPECT_NE(written[4].find(R"("n":11,"suppressed":8)"), std::string::npos) << written[4];
  EXPECT_EQ(written[5].find("suppressed"), std::string::npos);
  EXPECT_EQ(log.suppressed(), 8u);
  EXPECT_EQ(log.written(Level::kWarning), 6u);
}

TEST(Logger, FatalLinesAreNeverHeldBack) {
  Pipe pipe;
  Logger log({.format = Format::kJson, .descriptor = pipe.writer(), .burst = 1});
  for (int i = 0; i < 5; ++i) log.write(Event::kInvariantBroken, {{"what", "x"}});
  EXPECT_EQ(lines(pipe.read()).size(), 5u);
}

TEST(Logger, ThreadsDoNotMixTheirLines) {
  Pipe pipe;
  std::string all;
  std::thread reader([&] {
    char part[4096];
    for (ssize_t n = 0; (n = ::read(pipe.reader(), part, sizeof part)) > 0;) {
      all.append(part, static_cast<std::size_t>(n));
      if (all.find("daemon.stopped") != std::string::npos) return;
    }
  });
  Logger log({.format = Format::kJson, .descriptor = pipe.writer(), .burst = 100'000});
  std::vector<std::thread> writers;
  for (int t = 0; t < 4; ++t) {
    writers.emplace_back([&log] {
      for (int i = 0; i < 500; ++i)
        log.write(Event::kFeedNotice, {{"name", std::string(200, 'x')}});
    });
  }
  for (auto& writer : writers) writer.join();
  log.write(Event::kDaemonStopped);
  reader.join();
  const auto written = lines(all);
  EXPECT_EQ(written.size(), 2001u);
  simdjson::dom::parser parser;
  for (const auto& line : written) {
    ASSERT_EQ(parser.parse(line).error(), simdjson::SUCCESS) << line;
  }
}

// Readers filter by fields: a line has those that its row lists, whatever its level.
TEST(Logger, AFieldThatTheEventDoesNotListStopsAStrictOne) {
  Logger log(
      {.level_min = Level::kFatal, .format = Format::kJson, .descriptor = -1, .strict = true});
  log.write(Event::kFeedNotice, {{"host", "feed.example:443"}, {"name", "info"}});
  EXPECT_DEATH(log.write(Event::kFeedNotice, {{"hosts", "feed.example:443"}}),
               "a field that its event does not list");
}

TEST(Logger, ALineThatCannotBeWrittenIsCounted) {
  Logger log({.format = Format::kJson, .descriptor = -1});
  log.write(Event::kFeedNotice);
  EXPECT_EQ(log.suppressed(), 1u);
  EXPECT_EQ(log.written(Level::kWarning), 0u);
}

TEST(Logger, TheJournalIsUsedOnlyWhenTheDescriptorIsItsStream) {
  Pipe pipe;
  struct stat status {};
  ASSERT_EQ(::fstat(pipe.writer(), &status), 0);
  const std::string own = std::to_string(status.st_dev) + ":" + std::to_string(status.st_ino);
  EXPECT_EQ(choose_format(pipe.writer(), own), Format::kJournal);
  EXPECT_EQ(choose_format(pipe.writer(), "8:1"), Format::kJson);
  EXPECT_EQ(choose_format(pipe.writer(), ""), Format::kJson);
  EXPECT_EQ(choose_format(-1, "8:1"), Format::kJson);
}

}  // namespace
}  // namespace geotally::log
