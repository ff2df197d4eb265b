// Goal: a secret is read once and never shown. Method: real files.
#include "config/secret.h"

#include <filesystem>
#include <fstream>

#include <gtest/gtest.h>

#include "config/load.h"

namespace geotally::config {
namespace {

std::string written(const std::string& text) {
  const auto path = std::filesystem::path(::testing::TempDir()) /
                    ("secret-" + std::to_string(::getpid()) + "-" +
                     ::testing::UnitTest::GetInstance()->current_test_info()->name());
  std::ofstream(path, std::ios::binary) << text;
  return path.string();
}

TEST(Secret, IsReadWithoutItsLineBreakAndPrintsAsStars) {
  const Secret secret = Secret::from_file("feed.token_file", written("hunter2 \r\n"));
  EXPECT_EQ(secret.reveal(), "hunter2");
  EXPECT_EQ(to_string(secret), "***");
  EXPECT_EQ(to_string(Secret{}), "");
}

TEST(Secret, IsReadWithoutWhatEditorsPutAroundIt) {
  for (const char* text : {"\xEF\xBB\xBFhunter2\r\n", "\nhunter2\n", "\r\n\r\nhunter2",
                           " \thunter2", "\xEF\xBB\xBF\n\nhunter2\n\n"}) {
    const Secret secret = Secret::from_file("http.token_file", written(text));
    EXPECT_TRUE(secret.matches("hunter2")) << text;
  }
}

TEST(Secret, WhatNoClientCanSendIsRefusedInWords) {
  struct Case {
    std::string text;
    std::string says;
  };
  for (const Case& one :
       {Case{"\xFF\xFEh\0u\0", "UTF-16"}, Case{std::string("\xFE\xFF\0h", 4), "UTF-16"},
        Case{"hunter2\nhunter3", "more than one line"}, Case{"hun ter2", "white space inside"},
        Case{"hun\tter2", "white space inside"},
        Case{std::string("hun\0ter2", 8), "control character"},
        Case{"hunter2\xE2\x80\x8B", "beyond ASCII"}, Case{"\xC2\xA0hunter2", "beyond ASCII"},
        Case{"hunter2\xEF\xBB\xBF", "beyond ASCII"}, Case{"\xEF\xBB\xBF\r\n", "is empty"}}) {
    try {
      (void)Secret::from_file("http.token_file", written(one.text));
      ADD_FAILURE() << "taken: " << one.says;
    } catch (const ConfigError& error) {
      const std::string what = error.what();
      EXPECT_NE(what.find(one.says), std::string::npos) << what;
      EXPECT_EQ(what.find("ter2"), std::string::npos) << what;
    }
  }
  EXPECT_THROW((void)Secret::from_text("GEOTALLY_TOKEN", "environment", "two words"), ConfigError);
}

TEST(Secret, MatchesOnlyItself) {
  const Secret secret("hunter2");
  EXPECT_TRUE(secret.matches("hunter2"));
  for (const char* other : {"", "hunter", "hunter22", "Hunter2", "hunter2hunter2"}) {
    EXPECT_FALSE(secret.matches(other)) << other;
  }
  EXPECT_FALSE(Secret{}.matches(""));
}

TEST(Secret, AFileThatHoldsNoneIsRefusedWithoutShowingIt) {
  for (const std::string& text :
       {std::string(), std::string("\n"), std::string("hun\nter2"), std::string(5'000, 'h')}) {
    const std::string path = written(text);
    try {
      (void)Secret::from_file("feed.token_file", path);
      ADD_FAILURE() << "taken: " << text.size() << " bytes";
    } catch (const ConfigError& error) {
      const std::string what = error.what();
      EXPECT_NE(what.find(path), std::string::npos);
      EXPECT_NE(what.find("feed.token_file"), std::string::npos);
      EXPECT_EQ(what.find("ter2"), std::string::npos);
    }
  }
  EXPECT_THROW((void)Secret::from_file("feed.token_file", "/nonexistent/token"), ConfigError);
  EXPECT_THROW((void)Secret::from_file("feed.token_file", ::testing::TempDir()), ConfigError);
}

}  // namespace
}  // namespace geotally::config
