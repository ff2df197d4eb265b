// A follower with a real dialect, position and log, on an io_context of its own, for tests
// against a server. Nothing waits for a fixed time: until() runs the loop until a condition
// holds, and after a minute fails the test by an exception, so that what follows it may rely on
// the condition.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include <boost/asio/io_context.hpp>
#include <gtest/gtest.h>
#include <unistd.h>

#include "feed/follower.h"
#include "log/log.h"

namespace geotally::feed {

/// A v1 frame of a like: number `n`, `second` seconds after a fixed start.
inline std::string like(int n, std::int64_t second) {
  const std::int64_t time_us = (1'700'000'000 + second) * 1'000'000;
  return R"({"did":"did:plc:a","time_us":)" + std::to_string(time_us) +
         R"(,"kind":"commit","commit":{"rev":"3mmoojp7vgo2g","operation":"create",)"
         R"("collection":"app.bsky.feed.like","rkey":"r)" +
         std::to_string(n) + R"(","record":{}}})";
}
inline std::string like(int n) { return like(n, n); }

class Harness {
 public:
  explicit Harness(std::vector<std::string> urls, Wire wire = Wire::kJetstreamV1)
      : dialect(make_dialect(wire, {.collections = {}})),
        log({.level_min = log::Level::kDebug,
             .format = log::Format::kJson,
             .descriptor = open_log(),
             .burst = 100'000,
             .strict = true}) {
    for (const auto& text : urls) {
      std::string error;
      EXPECT_TRUE(Url::parse(text, options.urls.emplace_back(), error)) << error;
    }
    options.connect_timeout = std::chrono::milliseconds(5'000);
    options.silence_max = std::chrono::milliseconds(0);
    options.backoff = {std::chrono::milliseconds(1), std::chrono::milliseconds(20)};
  }
  ~Harness() {
    if (follower && !stopped) {
      follower->stop();
      EXPECT_TRUE(comes([this] { return stopped; })) << "does not stop";
    }
    std::fclose(log_file_);
  }

  void start() {
    FollowerHandlers handlers;
    handlers.on_frame = [this](Frame frame) {
      messages.emplace_back(frame.text);
      Event event;
      const Verdict verdict = dialect->decode(frame, event);
      verdicts.push_back(verdict);
      if (verdict == Verdict::kEvent || verdict == Verdict::kUncounted) position.observe(event);
      if (on_frame) on_frame(frame);
    };
    handlers.on_drained = [this] { ++drained; };
    handlers.on_rejected = [this](Rejection reason) { rejections.push_back(reason); };
    handlers.on_connected = [this](std::string_view host) {
      connects.emplace_back(host);
      if (on_connected) on_connected();
    };
    handlers.on_connect_failed = [this](std::string_view, ConnectFailure why,
                                        std::string_view detail) {
      failures.push_back(why);
      details.emplace_back(detail);
    };
    handlers.on_disconnected = [this](std::string_view, Disconnect why, std::string_view detail) {
      disconnects.push_back(why);
      details.emplace_back(detail);
    };
    handlers.on_stopped = [this] { stopped = true; };
    follower =
        std::make_unique<Follower>(io, options, *dialect, position, std::move(handlers), log);
    follower->start();
  }

  /// Runs the loop until `done`; throws when that does not come.
  void until(const std::function<bool()>& done) {
    if (!comes(done)) throw std::runtime_error("what the test waits for does not happen");
  }
  /// Runs the loop until `done`, or in vain for a minute.
  [[nodiscard]] bool comes(const std::function<bool()>& done) {
    const auto limit = std::chrono::steady_clock::now() + std::chrono::minutes(1);
    while (!done()) {
      if (std::chrono::steady_clock::now() >= limit) return false;
      io.run_one_for(std::chrono::milliseconds(100));
    }
    return true;
  }
  /// Every name has these addresses.
  void resolves_to(std::vector<std::string> addresses) {
    options.resolve = [addresses](const std::string&,
                                  const std::function<void(std::vector<std::string>)>& done) {
      done(addresses);
    };
  }
  void stop() {
    if (!follower || stopped) return;
    follower->stop();
    until([this] { return stopped; });
  }
  /// Everything that was logged, line by line.
  std::string logged() {
    std::fflush(log_file_);
    std::rewind(log_file_);
    std::string all;
    char part[4096];
    for (std::size_t n = 0; (n = std::fread(part, 1, sizeof part, log_file_)) > 0;) {
      all.append(part, n);
    }
    return all;
  }

  boost::asio::io_context io{1};
  std::unique_ptr<Dialect> dialect;
  Position position;
  FollowerOptions options;
  std::unique_ptr<Follower> follower;

  std::vector<std::string> messages;
  std::vector<Verdict> verdicts;
  std::vector<Rejection> rejections;
  std::vector<std::string> connects;
  std::vector<ConnectFailure> failures;
  std::vector<Disconnect> disconnects;
  std::vector<std::string> details;
  std::size_t drained = 0;
  bool stopped = false;
  std::function<void(Frame)> on_frame;
  std::function<void()> on_connected;

 private:
  int open_log() {
    log_file_ = std::tmpfile();
    EXPECT_NE(log_file_, nullptr);
    return ::fileno(log_file_);
  }
  std::FILE* log_file_ = nullptr;

 public:
  log::Logger log;
};

}  // namespace geotally::feed
