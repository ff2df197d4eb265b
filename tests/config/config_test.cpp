// Goal: a configuration is taken whole or refused with the place of every mistake.
// Method: real files in a directory of the test's own; environments and settings as arguments.
#include "config/config.h"

#include <filesystem>
#include <fstream>

#include <gtest/gtest.h>

#include "config/keys.h"
#include "config/load.h"

namespace geotally::config {
namespace {

class ConfigTest : public ::testing::Test {
 protected:
  void SetUp() override {
    directory_ = std::filesystem::path(::testing::TempDir()) /
                 ("config-" + std::to_string(::getpid()) + "-" +
                  ::testing::UnitTest::GetInstance()->current_test_info()->name());
    std::filesystem::create_directories(directory_);
  }
  void TearDown() override { std::filesystem::remove_all(directory_); }

  std::string file(const std::string& text, const std::string& name = "geotally.toml") {
    const std::filesystem::path path = directory_ / name;
    std::ofstream(path, std::ios::binary) << text;
    return path.string();
  }
  static std::vector<Problem> problems_of(const Inputs& inputs) {
    try {
      (void)load(inputs);
    } catch (const ConfigError& error) {
      return error.problems();
    }
    return {};
  }

  std::filesystem::path directory_;
};

TEST_F(ConfigTest, NothingGivenIsTheDefaults) {
  const Loaded loaded = load({});
  EXPECT_EQ(loaded.config, Config{});
  EXPECT_TRUE(loaded.origins.empty());
  EXPECT_EQ(loaded.config.tally.windows.size(), 9u);
}

TEST_F(ConfigTest, EveryKeyHasItsMemberAndEveryMemberItsKey) {
  // A change made through a key is seen in the text of that key alone, so no two share a member.
  const std::map<std::string_view, std::string> changed = {
      {"feed.urls", "[\"ws://a.example/subscribe\"]"},
      {"feed.wire", "\"jetstream-v2\""},
      {"feed.start", "\"oldest\""},
      {"feed.quiet_s", "7"},
      {"feed.margin_s", "61"},
      {"feed.backoff_max_s", "7"},
      {"feed.lag_max_s", "7"},
      {"feed.preferred_after_s", "7"},
      {"feed.message_bytes_max", "7000"},
      {"feed.depth_max", "9"},
      {"feed.collections", "[\"app.bsky.*\"]"},
      {"feed.token_file", "\"/tokens/feed\""},
      {"feed.zstd", "\"on\""},
      {"feed.zstd_dictionary", "\"/dictionaries/one\""},
      {"tally.clock", "\"feed\""},
      {"tally.windows", "[\"2h\"]"},
      {"tally.fence_horizon_s", "59"},
      {"tally.erase_deleted_days", "7"},
      {"store.data_dir", "\"elsewhere\""},
      {"store.memory_mib", "77"},
      {"store.commit_interval_ms", "77"},
      {"pipeline.shards", "7"},
      {"resolver.threshold", "0.25"},
      {"resolver.table", "\"/tables/one\""},
      {"http.listen", "\"[::1]:7\""},
      {"http.allowed_hosts", "[\"counter\"]"},
      {"http.connections_max", "7"},
      {"http.token_file", "\"/tokens/http\""},
      {"log.level", "\"error\""},
      {"log.format", "\"logfmt\""},
  };
  ASSERT_EQ(keys().size(), changed.size());
  for (const Key& key : keys()) {
    ASSERT_TRUE(changed.contains(key.name)) << key.name;
    std::vector<std::string> settings{std::string(key.name) + "=" + changed.at(key.name)};
    if (!settings[0].ends_with("]") && settings[0].find('"') != std::string::npos) {
      std::erase(settings[0], '"');  // on the command line a string has no quotes
    }
    if (key.name == "feed.zstd") settings.push_back("feed.zstd_dictionary=/dictionaries/one");
    const Config config = load({.settings = settings}).config;
    EXPECT_EQ(value_text(key, config), changed.at(key.name)) << key.name;
    const auto changes = diff(Config{}, config);
    EXPECT_EQ(changes.size(), settings.size()) << key.name;
  }
}

TEST_F(ConfigTest, FlagsBeatTheEnvironmentBeatsTheFileBeatsTheDefaults) {
  const std::string path = file("[feed]\nquiet_s = 1\nbackoff_max_s = 1\ndepth_max = 10\n");
  const Loaded loaded = load({.file = path,
                              .environment = {"GEOTALLY_FEED__QUIET_S=2",
                                              "GEOTALLY_FEED__BACKOFF_MAX_S=2", "HOME=/nowhere"},
                              .settings = {"feed.quiet_s=3", "feed.quiet_s=4"}});
  EXPECT_EQ(loaded.config.feed.quiet_s, 4);
  EXPECT_EQ(loaded.config.feed.backoff_max_s, 2);
  EXPECT_EQ(loaded.config.feed.depth_max, 10);
  EXPECT_EQ(loaded.config.feed.margin_s, Config{}.feed.margin_s);
  EXPECT_EQ(loaded.origins.at("feed.quiet_s"), "--set");
  EXPECT_EQ(loaded.origins.at("feed.backoff_max_s"), "GEOTALLY_FEED__BACKOFF_MAX_S");
  EXPECT_EQ(loaded.origins.at("feed.depth_max"), path + ":4");
}

TEST_F(ConfigTest, AMistakeIsNamedWithItsLineColumnKeyAndWhatIsAllowed) {
  const std::string path = file(
      "[feed]\n"
      "quiet_s = 100000\n"
      "  qiet_s = 3\n"
      "urls = [\"ws://a.example/x\",\n"
      "        \"http://a.example/x\"]\n"
      "[nonsense]\n"
      "a = 1\n"
      "[http]\n"
      "listen = 9718\n"
      "[log]\n"
      "level = \"loud\"\n"
      "[tally]\n"
      "windows = [\"1m\", \"1000s\"]\n");
  const auto problems = problems_of({.file = path});
  ASSERT_EQ(problems.size(), 7u);
  EXPECT_EQ(problems[0].to_string(), path + ":2:11: feed.quiet_s: must be integer, 0 to 86400 s");
  EXPECT_EQ(problems[1].line, 3u);
  EXPECT_EQ(problems[1].column, 3u);
  EXPECT_EQ(problems[1].key, "feed.qiet_s");
  EXPECT_NE(problems[1].message.find("unknown key; feed has: urls, wire"), std::string::npos);
  EXPECT_EQ(problems[2].line, 5u);
  EXPECT_EQ(problems[2].column, 9u);
  EXPECT_EQ(problems[2].message, "must begin with ws:// or wss://");
  EXPECT_EQ(problems[3].line, 6u);
  EXPECT_EQ(problems[3].message,
            "unknown section; there are: feed, tally, store, pipeline, resolver, http, log");
  EXPECT_EQ(problems[4].message, "must be HOST:PORT or [IPV6]:PORT");
  EXPECT_EQ(problems[5].message, "must be debug | info | warning | error");
  EXPECT_EQ(problems[6].line, 13u);
  EXPECT_EQ(problems[6].column, 18u);
}

TEST_F(ConfigTest, WindowsThatNoTierAnswersAreRefused) {
  for (const char* windows : {"[]", "[\"1000s\"]", "[\"91d\"]", "[\"0s\"]", "[\"60s\", \"1m\"]",
                              "[\"1w\"]", "[60]", "60", "[\"25h\", \"1500m\"]"}) {
    EXPECT_EQ(problems_of({.file = file("[tally]\nwindows = " + std::string(windows))}).size(), 1u)
        << windows;
  }
  std::string many = "1s";
  for (int i = 2; i <= 17; ++i) many += "," + std::to_string(i) + "s";
  EXPECT_EQ(problems_of({.settings = {"tally.windows=" + many}}).size(), 1u);
  const Config config = load({.settings = {"tally.windows=24h, 90s,1m"}}).config;
  const std::vector<WindowLength> expected{{"1m", 60}, {"90s", 90}, {"24h", 86400}};
  EXPECT_EQ(config.tally.windows, expected);
}

TEST_F(ConfigTest, WhatIsNoTomlIsOneProblemWithItsPlace) {
  const auto problems = problems_of({.file = file("[feed]\nquiet_s = \n")});
  ASSERT_EQ(problems.size(), 1u);
  EXPECT_EQ(problems[0].line, 2u);
  EXPECT_EQ(problems_of({.file = file("x = \"\xff\xfe\"")}).size(), 1u);
  EXPECT_EQ(problems_of({.file = file(std::string(200'000, '['))}).size(), 1u);
  EXPECT_EQ(problems_of({.file = file(std::string(2 << 20, '#'))}).size(), 1u);
  EXPECT_EQ(problems_of({.file = file("quiet_s = 1")})[0].message.substr(0, 19),
            "is not in a section");
  const auto absent = problems_of({.file = (directory_ / "absent.toml").string()});
  ASSERT_EQ(absent.size(), 1u);
  EXPECT_EQ(absent[0].message, "cannot be read");
  EXPECT_EQ(problems_of({.file = directory_.string()}).size(), 1u);
}

TEST_F(ConfigTest, EveryTruncationOfAFileIsTakenOrRefusedInOrder) {
  const std::string text = to_toml(load({.settings = {"feed.urls=ws://a.example/x"}}));
  for (std::size_t cut = 0; cut < text.size(); ++cut) {
    (void)problems_of({.file = file(text.substr(0, cut))});
  }
  EXPECT_TRUE(problems_of({.file = file(text)}).empty());
}

TEST_F(ConfigTest, TheEnvironmentIsHeldToTheSameKeys) {
  const auto misspelt = problems_of({.environment = {"GEOTALLY_FEED__QIET_S=1"}});
  ASSERT_EQ(misspelt.size(), 1u);
  EXPECT_EQ(misspelt[0].where, "GEOTALLY_FEED__QIET_S");
  EXPECT_EQ(misspelt[0].key, "feed.qiet_s");
  const auto single = problems_of({.environment = {"GEOTALLY_FEED_QUIET_S=1"}});
  ASSERT_EQ(single.size(), 1u);
  EXPECT_EQ(single[0].message, "is written GEOTALLY_FEED__QUIET_S");
  // What a container's service link leaves in the environment is nobody's mistake.
  EXPECT_TRUE(
      problems_of({.environment = {"GEOTALLY_SERVICE_HOST=10.0.0.1", "GEOTALLY_PORT=1"}}).empty());
  EXPECT_EQ(problems_of({.environment = {"GEOTALLY_FEED__QUIET_S="}}).size(), 1u);
  EXPECT_EQ(
      problems_of({.environment = {"GEOTALLY_FEED__QUIET_S=1\n[log]\nlevel=\"debug\""}}).size(),
      1u);
}

TEST_F(ConfigTest, ListsAndStringsNeedNoQuotesOutsideAFile) {
  const Config config =
      load({.environment = {"GEOTALLY_FEED__URLS=ws://a.example/x, wss://b.example:8443/y?z=1"},
            .settings = {"http.allowed_hosts=", "store.data_dir=/var/lib/with = signs"}})
          .config;
  const std::vector<std::string> urls{"ws://a.example/x", "wss://b.example:8443/y?z=1"};
  EXPECT_EQ(config.feed.urls, urls);
  EXPECT_TRUE(config.http.allowed_hosts.empty());
  EXPECT_EQ(config.store.data_dir, "/var/lib/with = signs");
  EXPECT_EQ(problems_of({.settings = {"feed.urls"}})[0].message, "must be SECTION.KEY=VALUE");
}

TEST_F(ConfigTest, SystemdNamesTheStateAndTheCredentials) {
  file("one\n", "feed-token");
  const std::vector<std::string> environment{"STATE_DIRECTORY=/var/lib/geotally:/var/lib/other",
                                             "CREDENTIALS_DIRECTORY=" + directory_.string()};
  const Config config = load({.environment = environment}).config;
  EXPECT_EQ(config.store.data_dir, "/var/lib/geotally");
  EXPECT_EQ(config.feed.token_file, (directory_ / "feed-token").string());
  EXPECT_EQ(config.http.token_file, "");
  const Config other =
      load({.file = file("[store]\ndata_dir = \"/srv\""), .environment = environment}).config;
  EXPECT_EQ(other.store.data_dir, "/srv");
}

TEST_F(ConfigTest, KeysAreHeldToEachOther) {
  EXPECT_EQ(problems_of({.settings = {"feed.margin_s=59"}})[0].key, "feed.margin_s");
  EXPECT_EQ(problems_of({.settings = {"feed.zstd=on"}})[0].key, "feed.zstd");
  EXPECT_TRUE(problems_of({.settings = {"feed.zstd=on", "feed.wire=jetstream-v2"}}).empty());
  EXPECT_EQ(problems_of({.settings = {"http.listen=0.0.0.0:9718"}})[0].key, "http.listen");
  EXPECT_EQ(problems_of({.settings = {"http.listen=127.0.0.1.example.org:1"}}).size(), 1u);
  EXPECT_TRUE(problems_of({.settings = {"http.listen=0.0.0.0:1", "http.token_file=/t"}}).empty());
  EXPECT_TRUE(problems_of({.settings = {"http.listen=localhost:0"}}).empty());
}

TEST_F(ConfigTest, TheFileThatIsInstalledIsTaken) {
  const Config config = load({.file = GEOTALLY_SHIPPED_CONFIG}).config;
  EXPECT_NO_THROW(require_runnable(config));
  EXPECT_EQ(config.http, Config{}.http);
}

TEST_F(ConfigTest, RunNeedsAFeed) {
  EXPECT_THROW(require_runnable(Config{}), ConfigError);
  EXPECT_NO_THROW(require_runnable(load({.settings = {"feed.urls=ws://a.example/x"}}).config));
}

TEST_F(ConfigTest, WhatIsPrintedLoadsAgainAsTheSame) {
  const Loaded loaded =
      load({.settings = {"feed.urls=ws://a.example/x,wss://b.example/y", "resolver.threshold=1",
                         "store.data_dir=odd \"name\" \\ and \t tab",
                         "feed.start=2012-07-01T02:00:00.5+02:00", "tally.windows=1m,90d"}});
  const std::string text = to_toml(loaded);
  const Loaded again = load({.file = file(text)});
  EXPECT_EQ(again.config, loaded.config) << text;
  EXPECT_NE(text.find("threshold = 1.0  # --set\n"), std::string::npos) << text;
  EXPECT_NE(text.find("quiet_s = 60  # default\n"), std::string::npos) << text;
}

TEST_F(ConfigTest, AReloadTakesWhatItCanAndSaysWhatNeedsARestart) {
  const Config running = load({.settings = {"feed.urls=ws://a.example/x"}}).config;
  const Config next = load({.settings = {"feed.urls=ws://b.example/x", "log.level=debug",
                                         "pipeline.shards=2", "feed.quiet_s=5"}})
                          .config;
  std::map<std::string, bool> reloadable;
  for (const Change& change : diff(running, next)) reloadable[change.key] = change.reloadable;
  const std::map<std::string, bool> expected{{"feed.urls", false},
                                             {"feed.quiet_s", false},
                                             {"pipeline.shards", false},
                                             {"log.level", true}};
  EXPECT_EQ(reloadable, expected);
  const Config after = reloaded(running, next);
  EXPECT_EQ(after.feed.urls, running.feed.urls);
  EXPECT_EQ(after.log.level, LogLevel::kDebug);
  EXPECT_EQ(after.pipeline.shards, 1);
  for (const Change& change : diff(after, next)) EXPECT_FALSE(change.reloadable) << change.key;
}

TEST_F(ConfigTest, TheManualNamesEveryKeyWithItsDefault) {
  const std::string manual = manual_entries();
  EXPECT_NE(manual.find("## [feed]"), std::string::npos);
  EXPECT_NE(manual.find("*quiet\\_s* = 60"), std::string::npos) << manual;
  EXPECT_NE(manual.find("integer, 0 to 86400 s."), std::string::npos);
  for (const Key& key : keys()) {
    EXPECT_FALSE(key.doc.empty()) << key.name;
    EXPECT_TRUE(key.doc.ends_with('.')) << key.name;
    EXPECT_EQ(find_key(key.name), &key);
  }
}

}  // namespace
}  // namespace geotally::config
