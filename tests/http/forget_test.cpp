// Goal: whoever asks for an erasure gets one answer: that it is durable, that it is not yet, or why
// not; and neither they nor a late answer harm anybody else.
// Method: a real server on a free port of the loopback, over a store that says when it is done.
#include <condition_variable>
#include <mutex>

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "http/server.h"
#include "log/log.h"
#include "raw_client.h"
#include "world.h"

namespace geotally::http {
namespace {

using Done = std::function<void(std::uint64_t)>;

class ForgetTest : public ::testing::Test {
 protected:
  ~ForgetTest() override {
    server_.reset();  // its thread still logs
    ::close(null_);
  }

  std::uint16_t serve(Options options = {}) {
    options.listen = {"127.0.0.1", 0};
    Sources sources = world_sources();
    sources.snapshot = [this]() -> std::shared_ptr<const tally::Snapshot> {
      return loaded_ ? world() : nullptr;
    };
    sources.metrics_page = [this] { return metrics_.page(); };
    sources.forget = [this](const std::string& did, Done done) {
      const std::lock_guard lock(mutex_);
      waiting_.emplace_back(did, std::move(done));
      changed_.notify_all();
    };
    server_ = std::make_unique<Server>(std::move(options), sources, metrics_, log_);
    server_->start();
    return server_->port();
  }
  /// The request of number `i`, counted from 0, once it has come to the store.
  std::pair<std::string, Done> asked(std::size_t i) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return waiting_.size() > i; });
    return waiting_[i];
  }
  static std::string request(const std::string& did) {
    return "POST /api/v1/forget?did=" + did +
           " HTTP/1.1\r\nHost: localhost\r\nGeotally-Action: forget\r\n\r\n";
  }
  [[nodiscard]] bool counted(int code, int times) const {
    return metrics_.page().find("geotally_http_requests_total{handler=\"api_forget\",code=\"" +
                                std::to_string(code) + "\"} " + std::to_string(times) + "\n") !=
           std::string::npos;
  }

  int null_ = ::open("/dev/null", O_WRONLY | O_CLOEXEC);
  log::Logger log_{{.descriptor = null_, .strict = true}};
  metrics::Metrics metrics_{{"1", "r"}, 0, {{"dns"}, {"silent"}}, log_};
  std::atomic<bool> loaded_{true};
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<std::pair<std::string, Done>> waiting_;
  std::unique_ptr<Server> server_;  // last: its thread uses the others
};

TEST_F(ForgetTest, IsAnsweredWithTheCommitOnceItIsDurable) {
  const std::uint16_t port = serve();
  RawClient first(port);
  first.send(request("did:plc:first"));
  const auto [did, done] = asked(0);
  EXPECT_EQ(did, "did:plc:first");
  RawClient second(port);
  second.send(request("did:plc:second"));
  asked(1).second(8);  // in any order
  EXPECT_EQ(second.receive().body, "{\"status\":\"success\",\"data\":{\"commit\":8}}\n");
  done(7);
  const Answer answer = first.receive();
  EXPECT_EQ(answer.code, 200);
  EXPECT_EQ(answer.body, "{\"status\":\"success\",\"data\":{\"commit\":7}}\n");
  first.send("GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n");
  EXPECT_EQ(first.receive().code, 200);
  EXPECT_TRUE(counted(200, 2));
}

TEST_F(ForgetTest, WaitsSoLongAndNoLonger) {
  Options options;
  options.later_timeout = std::chrono::milliseconds(10);
  const std::uint16_t port = serve(std::move(options));
  RawClient client(port);
  client.send(request("did:plc:slow"));
  const Answer answer = client.receive();
  EXPECT_EQ(answer.code, 504);
  EXPECT_EQ(answer.body, "It is not durable yet; ask again.\n");
  asked(0).second(7);  // too late: the connection has other things to do
  client.send("GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n");
  EXPECT_EQ(client.receive().body, "alive\n");
  EXPECT_TRUE(counted(504, 1));
}

TEST_F(ForgetTest, WithoutItsHeaderNothingIsErased) {
  Options options;
  options.later_timeout = std::chrono::milliseconds(10);  // a refusal does not wait for it
  const std::uint16_t port = serve(std::move(options));
  const std::string line = "POST /api/v1/forget?did=did:plc:first HTTP/1.1\r\nHost: localhost\r\n";
  for (const char* header : {"", "Geotally-Action: \r\n", "Geotally-Action: forgets\r\n",
                             "Geotally-Action: Forget\r\n", "Action: forget\r\n"}) {
    RawClient client(port);
    client.send(line + header + "\r\n");
    const Answer answer = client.receive();
    EXPECT_EQ(answer.code, 400) << header;
    EXPECT_NE(answer.body.find("Geotally-Action: forget"), std::string::npos) << answer.body;
  }
  for (const char* query : {"", "?did=", "?did=plc:first", "?did=did:plc:", "?DID=did:plc:first"}) {
    RawClient client(port);
    client.send("POST /api/v1/forget" + std::string(query) +
                " HTTP/1.1\r\nHost: localhost\r\nGeotally-Action: forget\r\n\r\n");
    EXPECT_EQ(client.receive().code, 400) << query;
  }
  RawClient reader(port);
  reader.send(
      "GET /api/v1/forget?did=did:plc:first HTTP/1.1\r\nHost: localhost\r\n"
      "Geotally-Action: forget\r\n\r\n");
  EXPECT_EQ(reader.receive().code, 405);
  const std::lock_guard lock(mutex_);
  EXPECT_TRUE(waiting_.empty());
}

TEST_F(ForgetTest, SaysThatTooMuchIsWaiting) {
  RawClient client(serve());
  client.send(request("did:plc:one"));
  asked(0).second(0);
  const Answer answer = client.receive();
  EXPECT_EQ(answer.code, 503);
  EXPECT_NE(answer.body.find("too much is being forgotten; ask again"), std::string::npos);
  EXPECT_EQ(answer.headers.at("content-type"), "application/json; charset=utf-8");
}

TEST_F(ForgetTest, SaysThatTheStateIsNotLoaded) {
  loaded_ = false;
  RawClient client(serve());
  client.send(request("did:plc:early"));
  const Answer answer = client.receive();
  EXPECT_EQ(answer.code, 503);
  EXPECT_NE(answer.body.find("the state is not loaded yet"), std::string::npos);
  EXPECT_TRUE(waiting_.empty());
}

TEST_F(ForgetTest, WhoHangsUpHarmsNobody) {
  const std::uint16_t port = serve();
  for (std::size_t i = 0; i < 5; ++i) {
    RawClient client(port);
    client.send(request("did:plc:gone"));
    asked(i);
  }
  RawClient patient(port);
  patient.send(request("did:plc:patient"));
  for (std::size_t i = 0; i < 6; ++i) asked(i).second(i + 1);
  EXPECT_EQ(patient.receive().body, "{\"status\":\"success\",\"data\":{\"commit\":6}}\n");
  // The server ends while somebody waits; nothing answers them.
  RawClient last(port);
  last.send(request("did:plc:last"));
  asked(6);
  server_->stop();
  EXPECT_EQ(last.receive().code, 0);
}

}  // namespace
}  // namespace geotally::http
