// Goal: what `geotally healthcheck` ends with is what the daemon says of itself: a container that
// is not ready is not called healthy. Method: a real admin server on a free port of the loopback.
#include <atomic>
#include <string>

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "daemon/commands.h"
#include "daemon/exit_code.h"
#include "http/server.h"
#include "log/log.h"
#include "metrics/metrics.h"

namespace geotally {
namespace {

class Healthcheck : public ::testing::Test {
 protected:
  ~Healthcheck() override {
    server_.reset();  // its thread still logs
    ::close(null_);
  }

  /// A server that is as ready as `ready_`, and asks for a token. Its port.
  std::uint16_t serve() {
    http::Options options;
    options.listen = {"127.0.0.1", 0};
    options.token = config::Secret("hunter2");
    http::Sources sources;
    sources.snapshot = [] { return std::shared_ptr<const tally::Snapshot>(); };
    sources.metrics_page = [] { return std::string("x\n"); };
    sources.status = [this] {
      http::Status status;
      status.ready = ready_;
      status.not_ready = "commits fail";
      return status;
    };
    server_ = std::make_unique<http::Server>(std::move(options), sources, metrics_, log_);
    server_->start();
    return server_->port();
  }
  /// The exit code, and what was printed in `said_`.
  int check(std::uint16_t port) {
    testing::internal::CaptureStdout();
    testing::internal::CaptureStderr();
    const int code = healthcheck({.settings = {"http.listen=127.0.0.1:" + std::to_string(port)}});
    said_ = testing::internal::GetCapturedStdout() + testing::internal::GetCapturedStderr();
    return code;
  }

  int null_ = ::open("/dev/null", O_WRONLY | O_CLOEXEC);
  log::Logger log_{{.descriptor = null_}};
  metrics::Metrics metrics_{{"1", "r"}, 0, {{"dns"}, {"silent"}}, log_};
  std::atomic<bool> ready_{false};
  std::string said_;
  std::unique_ptr<http::Server> server_;  // last: its thread uses the others
};

TEST_F(Healthcheck, IsWellOnlyWhileTheDaemonIsReady) {
  const std::uint16_t port = serve();
  EXPECT_EQ(check(port), kExitFailure);
  EXPECT_EQ(said_, "not ready: commits fail\n");
  ready_ = true;
  EXPECT_EQ(check(port), kExitOk);
  EXPECT_EQ(said_, "ready\n");
  ready_ = false;
  EXPECT_EQ(check(port), kExitFailure);
}

TEST_F(Healthcheck, IsNotWellWhereNobodyAnswers) {
  const std::uint16_t port = serve();
  server_.reset();
  EXPECT_EQ(check(port), kExitFailure);
  EXPECT_NE(said_.find("no answer"), std::string::npos) << said_;
}

}  // namespace
}  // namespace geotally
