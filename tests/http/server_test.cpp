// Goal: the admin server answers what it should, and nothing that a client sends or
// withholds keeps it from answering the next one.
// Method: a real server on a free port of the loopback, raw bytes from real sockets; limits small
// enough to be reached, and no test that depends on how long something takes.
#include "http/server.h"

#include <atomic>
#include <memory>
#include <mutex>
#include <thread>

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "country/country.h"
#include "http/routes.h"
#include "log/log.h"
#include "metrics/country_page.h"
#include "raw_client.h"

namespace geotally::http {
namespace {

using namespace std::chrono_literals;
using namespace std::string_literals;

std::shared_ptr<const tally::Snapshot> snapshot_of(std::uint64_t commit) {
  auto snapshot = std::make_shared<tally::Snapshot>();
  snapshot->commit = commit;
  snapshot->windows = {{"24h", 86'400}};
  snapshot->window_coverage_us = {0};
  snapshot->countries.resize(Country::count());
  for (auto& figures : snapshot->countries) figures.posts = figures.accounts = commit;
  return snapshot;
}

class ServerTest : public ::testing::Test {
 protected:
  ~ServerTest() override {
    server_.reset();  // its thread still logs
    ::close(null_);
  }

  Server& serve(Options options = {}, const std::string& address = "127.0.0.1") {
    options.listen = {address, 0};
    Sources sources;
    sources.snapshot = [this] {
      const std::lock_guard lock(mutex_);
      return snapshot_;
    };
    sources.metrics_page = [this] { return metrics_page_ ? metrics_page_() : metrics_.page(); };
    sources.status = [this] {
      Status status;
      status.ready = ready_;
      status.not_ready = "the store is being opened";
      return status;
    };
    sources.daily_rows = [](std::int32_t, std::int32_t) { return std::vector<DailyRow>(); };
    sources.gaps = [](std::size_t) { return std::vector<Gap>(); };
    sources.now_us = [] { return std::int64_t{0}; };
    server_ = std::make_unique<Server>(std::move(options), sources, metrics_, log_);
    server_->start();
    return *server_;
  }
  void publish(std::shared_ptr<const tally::Snapshot> snapshot) {
    const std::lock_guard lock(mutex_);
    snapshot_ = std::move(snapshot);
  }
  [[nodiscard]] bool page_has(const std::string& line) const {
    return metrics_.page().find("\n" + line + "\n") != std::string::npos;
  }
  /// Waits until the page shows `line`; a test that waits in vain fails after half a minute.
  [[nodiscard]] bool page_comes_to_have(const std::string& line) const {
    for (int i = 0; i < 3'000; ++i) {
      if (page_has(line)) return true;
      std::this_thread::sleep_for(10ms);
    }
    return false;
  }

  int null_ = ::open("/dev/null", O_WRONLY | O_CLOEXEC);
  log::Logger log_{{.descriptor = null_, .strict = true}};
  metrics::Metrics metrics_{{"1", "r"}, 0, {{"dns"}, {"silent"}}, log_};
  std::mutex mutex_;
  std::shared_ptr<const tally::Snapshot> snapshot_;
  std::function<std::string()> metrics_page_;
  std::atomic<bool> ready_{false};
  std::unique_ptr<Server> server_;  // last: its thread uses the others
};

TEST_F(ServerTest, HealthAndReadiness) {
  const std::uint16_t port = serve().port();
  EXPECT_EQ(get(port, "/healthz").code, 200);
  const Answer waiting = get(port, "/readyz");
  EXPECT_EQ(waiting.code, 503);
  EXPECT_EQ(waiting.body, "not ready: the store is being opened\n");
  ready_ = true;
  EXPECT_EQ(get(port, "/readyz").code, 200);
  EXPECT_EQ(get(port, "/healthz?verbose").code, 200);
}

TEST_F(ServerTest, CountriesAreUnavailableAndNeverZeroBeforeTheStateIsLoaded) {
  const std::uint16_t port = serve().port();
  const Answer before = get(port, "/metrics/countries");
  EXPECT_EQ(before.code, 503);
  EXPECT_EQ(before.body.find("geotally_"), std::string::npos);
  publish(snapshot_of(3));
  const Answer after = get(port, "/metrics/countries");
  EXPECT_EQ(after.code, 200);
  EXPECT_EQ(after.headers.at("content-type"), "text/plain; version=0.0.4; charset=utf-8");
  EXPECT_EQ(after.body, metrics::country_page(*snapshot_of(3)));
}

TEST_F(ServerTest, TheProcessPageCountsItsOwnScrapes) {
  const std::uint16_t port = serve().port();
  EXPECT_EQ(get(port, "/metrics").code, 200);
  EXPECT_TRUE(
      page_comes_to_have("geotally_http_requests_total{handler=\"metrics\",code=\"200\"} 1"));
}

TEST_F(ServerTest, GzipAndPlainAreTheSamePage) {
  const std::uint16_t port = serve().port();
  publish(snapshot_of(5));
  for (const char* target : {"/metrics/countries", "/metrics"}) {
    metrics_page_ = [] { return std::string(5'000, 'x'); };
    const Answer plain = get(port, target);
    const Answer zipped = get(port, target, "Accept-Encoding: gzip\r\n");
    EXPECT_EQ(plain.headers.count("content-encoding"), 0u);
    EXPECT_EQ(zipped.headers.at("content-encoding"), "gzip");
    EXPECT_EQ(zipped.headers.at("vary"), "Accept-Encoding");
    EXPECT_EQ(gunzip(zipped.body), plain.body);
    EXPECT_EQ(zipped.headers.at("etag"), plain.headers.at("etag"));
  }
}

TEST_F(ServerTest, TheCompressedPageIsOfTheCommitThatIsShown) {
  Server& server = serve();
  for (std::uint64_t commit = 1; commit <= 4; ++commit) {
    publish(snapshot_of(commit));
    // Made beforehand, or when it is asked for; each after one that was compressed too.
    if (commit % 2 == 0) server.on_commit();
    const Answer zipped = get(server.port(), "/metrics/countries", "Accept-Encoding: gzip\r\n");
    EXPECT_EQ(zipped.headers.at("content-encoding"), "gzip");
    EXPECT_EQ(gunzip(zipped.body), metrics::country_page(*snapshot_of(commit))) << commit;
  }
}

TEST_F(ServerTest, AnEtagSparesThePageUntilTheNextCommit) {
  const std::uint16_t port = serve().port();
  publish(snapshot_of(1));
  const std::string etag = get(port, "/metrics/countries").headers.at("etag");
  const std::string condition = "If-None-Match: " + etag + "\r\n";
  const Answer same = get(port, "/metrics/countries", condition);
  EXPECT_EQ(same.code, 304);
  EXPECT_EQ(same.headers.count("content-length"), 0u);
  publish(snapshot_of(2));
  EXPECT_EQ(get(port, "/metrics/countries", condition).code, 200);
}

TEST_F(ServerTest, ThePageOfACommitIsMadeBeforeItIsAskedForAgain) {
  Server& server = serve();
  const auto commit = [&] {
    const std::shared_ptr<const tally::Snapshot> snapshot = snapshot_of(1);
    publish(snapshot);
    server.on_commit();
    EXPECT_EQ(get(server.port(), "/healthz").code, 200);  // comes after it, on the same thread
    return snapshot;
  };
  // Held by the caller and by the sources; and by the page once it is made.
  EXPECT_EQ(commit().use_count(), 2);
  EXPECT_EQ(get(server.port(), "/metrics/countries").code, 200);
  EXPECT_EQ(commit().use_count(), 3);
  EXPECT_EQ(commit().use_count(), 2);
}

TEST_F(ServerTest, HeadHasTheHeadersAndNoBody) {
  const std::uint16_t port = serve().port();
  publish(snapshot_of(1));
  RawClient client(port);
  client.send(
      "HEAD /metrics/countries HTTP/1.1\r\nHost: localhost\r\n\r\n"
      "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n");
  const Answer head = client.receive(true);
  EXPECT_EQ(head.code, 200);
  EXPECT_EQ(head.headers.at("content-length"),
            std::to_string(metrics::country_page(*snapshot_of(1)).size()));
  EXPECT_EQ(client.receive().body, "alive\n");  // nothing came between
}

TEST_F(ServerTest, AConnectionServesManyRequestsAlsoUnasked) {
  const std::uint16_t port = serve().port();
  RawClient client(port);
  const std::string request = "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n";
  for (int i = 0; i < 3; ++i) {
    client.send(request);
    EXPECT_EQ(client.receive().code, 200);
  }
  std::string many;
  for (int i = 0; i < 200; ++i) many += request;
  client.send(many);
  for (int i = 0; i < 200; ++i) ASSERT_EQ(client.receive().code, 200) << i;
  client.send("GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
  EXPECT_EQ(client.receive().headers.at("connection"), "close");
  EXPECT_TRUE(client.closed_by_server());
  RawClient old(port);
  old.send("GET /healthz HTTP/1.0\r\nHost: localhost\r\n\r\n");
  EXPECT_EQ(old.receive().code, 200);
  EXPECT_TRUE(old.closed_by_server());
}

TEST_F(ServerTest, MalformedRequestsAreRefusedAndTheNextOneIsAnswered) {
  const std::uint16_t port = serve().port();
  const std::string line = "GET /healthz HTTP/1.1\r\nHost: localhost\r\n";
  const std::vector<std::pair<std::string, int>> requests = {
      {"\x16\x03\x01\x02\x01\x01\xfc\x03\x03\r\n\r\n", 400},  // a TLS hello
      {"hello\r\n\r\n", 400},
      {"GET\r\n\r\n", 400},
      {"GET /healthz\r\n\r\n", 400},
      {"GET /healthz HTTP/2.0\r\nHost: localhost\r\n\r\n", 400},
      {"GET /healthz HTTP/1.1\r\nHost localhost\r\n\r\n", 400},
      {"GET /healthz HTTP/1.1\r\n: localhost\r\n\r\n", 400},
      {"GET /heal\0thz HTTP/1.1\r\nHost: localhost\r\n\r\n"s, 400},
      {line + "Content-Length: x\r\n\r\n", 400},
      {line + "Content-Length: 1\r\nContent-Length: 2\r\n\r\n", 400},
      {line + "Content-Length: 99999999999999999999999\r\n\r\n", 400},
      {line + "Content-Length: 5\r\n\r\nhello", 413},
      {line + "Content-Length: 1000000000\r\n\r\nhello", 413},
      {line + "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n", 413},
      {"GET /" + std::string(20'000, 'a') + " HTTP/1.1\r\nHost: localhost\r\n\r\n", 431},
      {line + "X: " + std::string(20'000, 'a') + "\r\n\r\n", 431},
      {line + std::string(3'000, '\n'), 400},
  };
  for (const auto& [bytes, code] : requests) {
    RawClient client(port);
    client.send(bytes);
    EXPECT_EQ(client.receive().code, code) << bytes.substr(0, 60);
    EXPECT_TRUE(client.closed_by_server()) << bytes.substr(0, 60);
    EXPECT_EQ(get(port, "/healthz").code, 200);
  }
  for (std::size_t cut = 0; cut <= line.size(); ++cut) {  // hangs up in the middle
    RawClient client(port);
    client.send(line.substr(0, cut));
    client.shut_down_sending();
    EXPECT_TRUE(client.closed_by_server()) << cut;
  }
  EXPECT_EQ(get(port, "/healthz").code, 200);
  EXPECT_TRUE(page_has("geotally_http_rejected_total{reason=\"header_too_large\"} 2"));
  EXPECT_TRUE(page_has("geotally_http_rejected_total{reason=\"body\"} 3"));
}

TEST_F(ServerTest, AnswersToWellFormedMistakes) {
  const std::uint16_t port = serve().port();
  EXPECT_EQ(get(port, "/nothing").code, 404);
  EXPECT_EQ(get(port, "/healthz/").code, 404);
  EXPECT_EQ(get(port, "/../etc/passwd").code, 404);
  EXPECT_EQ(get(port, "/%zz").code, 400);
  EXPECT_EQ(get(port, "ftp://localhost/healthz").code, 400);
  for (const char* method : {"POST", "PUT", "DELETE", "OPTIONS", "TRACE", "PATCH", "BREW"}) {
    RawClient client(port);
    client.send(std::string(method) + " /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n");
    const Answer answer = client.receive();
    EXPECT_EQ(answer.code, 405) << method;
    EXPECT_EQ(answer.headers.at("allow"), "GET, HEAD");
    EXPECT_EQ(answer.headers.count("access-control-allow-origin"), 0u);
  }
}

TEST_F(ServerTest, OnlyKnownHostsAreServed) {
  Options options;
  options.allowed_hosts = {"counter"};
  const std::uint16_t port = serve(options).port();
  const auto code_for = [&](const std::string& headers) {
    RawClient client(port);
    client.send("GET /healthz HTTP/1.1\r\n" + headers + "\r\n");
    return client.receive().code;
  };
  EXPECT_EQ(code_for("Host: 127.0.0.1:" + std::to_string(port) + "\r\n"), 200);
  EXPECT_EQ(code_for("Host: counter:9718\r\n"), 200);
  EXPECT_EQ(code_for("Host: rebound.example\r\n"), 421);
  EXPECT_EQ(code_for(""), 400);
  EXPECT_EQ(code_for("Host: localhost\r\nHost: localhost\r\n"), 400);
  EXPECT_TRUE(page_has("geotally_http_rejected_total{reason=\"host\"} 3"));
}

TEST_F(ServerTest, NoRouteIsServedUnderAForeignName) {
  const std::uint16_t port = serve().port();
  publish(snapshot_of(1));
  Sources sources;
  sources.forget = [](const std::string&, const std::function<void(std::uint64_t)>&) {};
  std::vector<Route> routes = make_routes(sources);
  ASSERT_GT(routes.size(), 12u);
  for (const Route& route : routes) {
    for (const char* method : {"GET", "HEAD", "POST"}) {
      RawClient client(port);
      client.send(std::string(method) + " " + route.path +
                  " HTTP/1.1\r\nHost: rebound.example\r\nGeotally-Action: forget\r\n\r\n");
      EXPECT_EQ(client.receive(true).code, 421) << method << ' ' << route.path;
    }
  }
}

TEST_F(ServerTest, AnAbsoluteTargetStandsInForTheHost) {
  const std::uint16_t port = serve().port();
  const auto code_for = [&](const std::string& request) {
    RawClient client(port);
    client.send(request + "\r\n");
    return client.receive().code;
  };
  EXPECT_EQ(code_for("GET http://localhost:9718/healthz HTTP/1.1\r\nHost: localhost\r\n"), 200);
  EXPECT_EQ(code_for("GET HTTP://LOCALHOST/healthz HTTP/1.1\r\nHost: rebound.example\r\n"), 200);
  EXPECT_EQ(code_for("GET http://localhost/metrics?x=1 HTTP/1.0\r\n"), 200);
  EXPECT_EQ(code_for("GET http://rebound.example/healthz HTTP/1.1\r\nHost: localhost\r\n"), 421);
  EXPECT_EQ(code_for("GET http://rebound.example/healthz HTTP/1.0\r\n"), 421);
  EXPECT_EQ(code_for("GET http://localhost/healthz HTTP/1.1\r\n"), 400);
}

TEST_F(ServerTest, AProbeOfHttp10NeedsNoHost) {
  const std::uint16_t port = serve().port();
  RawClient probe(port);
  probe.send("GET /healthz HTTP/1.0\r\n\r\n");
  EXPECT_EQ(probe.receive().body, "alive\n");
  EXPECT_TRUE(probe.closed_by_server());
  RawClient named(port);
  named.send("GET /healthz HTTP/1.0\r\nHost: rebound.example\r\n\r\n");
  EXPECT_EQ(named.receive().code, 421);
}

TEST_F(ServerTest, AnIPv4ScrapeOfASocketForBothIsServed) {
  std::uint16_t port = 0;
  try {
    port = serve({}, "::").port();
  } catch (const ListenError&) {
    return;  // a machine without IPv6 has no such socket
  }
  RawClient client(port, 0, "127.0.0.2");  // an address of ours that is no name of the loopback
  client.send("GET /healthz HTTP/1.1\r\nHost: 127.0.0.2:" + std::to_string(port) + "\r\n\r\n");
  EXPECT_EQ(client.receive().code, 200);
}

TEST_F(ServerTest, ATokenIsAskedForButNotByTheProbes) {
  Options options;
  options.token = config::Secret("hunter2");
  const std::uint16_t port = serve(options).port();
  ready_ = true;
  EXPECT_EQ(get(port, "/healthz").code, 200);
  EXPECT_EQ(get(port, "/readyz").code, 200);
  const Answer refused = get(port, "/metrics");
  EXPECT_EQ(refused.code, 401);
  EXPECT_EQ(refused.headers.at("www-authenticate"), "Bearer");
  EXPECT_EQ(get(port, "/nothing").code, 401);  // not even what there is
  EXPECT_EQ(get(port, "/metrics", "Authorization: Bearer hunter3\r\n").code, 401);
  EXPECT_EQ(get(port, "/metrics", "Authorization: Bearer hunter2\r\n").code, 200);
  EXPECT_TRUE(page_has("geotally_http_rejected_total{reason=\"unauthorized\"} 3"));
}

TEST_F(ServerTest, AClientThatDoesNotFinishItsRequestIsShownOut) {
  Options options;
  options.request_timeout = 50ms;
  const std::uint16_t port = serve(options).port();
  for (const char* beginning : {"", "G", "GET /healthz HTTP/1.1\r\nHost: local"}) {
    RawClient client(port);
    client.send(beginning);
    EXPECT_TRUE(client.closed_by_server()) << beginning;
  }
  EXPECT_TRUE(page_comes_to_have("geotally_http_rejected_total{reason=\"timeout\"} 3"));
}

TEST_F(ServerTest, ByteByByteDoesNotBuyMoreTime) {
  Options options;
  options.request_timeout = 200ms;
  const std::uint16_t port = serve(options).port();
  RawClient client(port);
  std::size_t sent = 0;
  // Ends when the server has closed: it would take 80 s to send it all.
  while (sent < 8'000 && client.send("x")) {
    ++sent;
    std::this_thread::sleep_for(10ms);
  }
  EXPECT_LT(sent, 8'000u);
}

TEST_F(ServerTest, AnIdleConnectionIsClosed) {
  Options options;
  options.idle_timeout = 50ms;
  const std::uint16_t port = serve(options).port();
  RawClient client(port);
  client.send("GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n");
  EXPECT_EQ(client.receive().code, 200);
  EXPECT_TRUE(client.closed_by_server());
  EXPECT_TRUE(page_has("geotally_http_rejected_total{reason=\"timeout\"} 0"));
}

TEST_F(ServerTest, AClientThatDoesNotReadIsShownOut) {
  Options options;
  options.write_timeout = 100ms;
  const std::uint16_t port = serve(options).port();
  metrics_page_ = [] { return std::string(32 << 20, 'x'); };  // more than sockets hold
  RawClient client(port, 4'096);
  client.send("GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n");
  EXPECT_TRUE(page_comes_to_have("geotally_http_rejected_total{reason=\"timeout\"} 1"));
  EXPECT_TRUE(page_comes_to_have("geotally_http_connections 0"));
  EXPECT_EQ(get(port, "/healthz").code, 200);
}

TEST_F(ServerTest, AFullHouseShowsOutWhoeverSaysNothing) {
  Options options;
  options.connections_max = 2;
  options.prompt_request = 0ms;
  const std::uint16_t port = serve(options).port();
  RawClient first(port);
  RawClient second(port);
  ASSERT_TRUE(page_comes_to_have("geotally_http_connections 2"));
  RawClient third(port);
  third.send("GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n");
  EXPECT_EQ(third.receive().code, 200);
  EXPECT_TRUE(first.closed_by_server());  // it waited longest
  EXPECT_TRUE(page_has("geotally_http_rejected_total{reason=\"connections_max\"} 1"));
  second.send("GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n");
  EXPECT_EQ(second.receive().code, 200);
}

TEST_F(ServerTest, AHouseFullOfSlowReadersAnswersProbesOnly) {
  Options options;
  options.connections_max = 1;
  options.slow_answer = 1h;
  const std::uint16_t port = serve(options).port();
  metrics_page_ = [] { return std::string(32 << 20, 'x'); };
  RawClient slow(port, 4'096);
  slow.send("GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n");
  EXPECT_EQ(slow.receive(true).code, 200);  // its head has come: the answer is under way
  EXPECT_EQ(get(port, "/metrics").code, 503);
  EXPECT_TRUE(page_has("geotally_http_rejected_total{reason=\"connections_max\"} 1"));
  // However many come and say nothing: there is a place for the one that asks.
  std::vector<std::unique_ptr<RawClient>> silent;
  for (int i = 0; i < 100; ++i) silent.push_back(std::make_unique<RawClient>(port));
  for (int i = 0; i < 3; ++i) {
    RawClient probe(port);
    probe.send("GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n");
    EXPECT_EQ(probe.receive().code, 200);
    EXPECT_TRUE(probe.closed_by_server());
  }
}

TEST_F(ServerTest, AFullHouseShowsOutWhoeverDoesNotRead) {
  Options options;
  options.connections_max = 1;
  options.slow_answer = 0ms;
  const std::uint16_t port = serve(options).port();
  metrics_page_ = [] { return std::string(32 << 20, 'x'); };
  RawClient slow(port, 4'096);
  slow.send("GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n");
  EXPECT_EQ(slow.receive(true).code, 200);
  EXPECT_EQ(get(port, "/healthz").code, 200);
  EXPECT_TRUE(slow.closed_by_server());
}

TEST_F(ServerTest, ATakenPortIsSaidInOneLine) {
  const std::uint16_t port = serve().port();
  Options options;
  options.listen = {"127.0.0.1", port};
  try {
    const Server second(options, {}, metrics_, log_);
    FAIL() << "two servers on one port";
  } catch (const ListenError& error) {
    EXPECT_EQ(std::string(error.what()),
              "cannot listen on 127.0.0.1:" + std::to_string(port) + ": Address already in use");
  }
  options.listen = {"192.0.2.1", 1};
  EXPECT_THROW(Server(options, {}, metrics_, log_), ListenError);
  options.listen = {"no-such-host.invalid", 1};
  EXPECT_THROW(Server(options, {}, metrics_, log_), ListenError);
}

TEST_F(ServerTest, AFaultBehindARouteIsAnAnswerToo) {
  const std::uint16_t port = serve().port();
  metrics_page_ = []() -> std::string { throw std::runtime_error("disk on fire"); };
  const Answer answer = get(port, "/metrics");
  EXPECT_EQ(answer.code, 500);
  EXPECT_EQ(answer.body.find("fire"), std::string::npos);  // the log's business
  EXPECT_EQ(get(port, "/healthz").code, 200);
}

TEST_F(ServerTest, StopsWithConnectionsInEveryState) {
  Options options;
  Server& server = serve(options);
  metrics_page_ = [] { return std::string(32 << 20, 'x'); };
  RawClient silent(server.port());
  RawClient half(server.port());
  half.send("GET /hea");
  RawClient idle(server.port());
  idle.send("GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n");
  EXPECT_EQ(idle.receive().code, 200);
  RawClient slow(server.port(), 4'096);
  slow.send("GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n");
  EXPECT_EQ(slow.receive(true).code, 200);
  server.stop();
  server.stop();
  for (RawClient* client : {&silent, &half, &idle, &slow}) EXPECT_TRUE(client->closed_by_server());
}

TEST_F(ServerTest, TheApiAnswersInJsonAndInCsv) {
  const std::uint16_t port = serve().port();
  const Answer waiting = get(port, "/api/v1/rankings");
  EXPECT_EQ(waiting.code, 503);
  EXPECT_EQ(waiting.body,
            "{\"status\":\"error\",\"errorType\":\"unavailable\","
            "\"error\":\"the state is not loaded yet\"}\n");
  publish(snapshot_of(4));
  const Answer json = get(port, "/api/v1/countries/FR");
  EXPECT_EQ(json.code, 200);
  EXPECT_EQ(json.headers.at("content-type"), "application/json; charset=utf-8");
  EXPECT_TRUE(json.body.starts_with("{\"status\":\"success\",\"data\":{\"basis\":{\"commit\":4,"));
  EXPECT_EQ(
      get(port, "/api/v1/countries/FR", "If-None-Match: " + json.headers.at("etag") + "\r\n").code,
      304);
  for (const Answer& csv : {get(port, "/api/v1/rankings?limit=1&format=csv"),
                            get(port, "/api/v1/rankings?limit=1", "Accept: text/csv\r\n")}) {
    EXPECT_EQ(csv.headers.at("content-type"), "text/csv; charset=utf-8; header=present");
    EXPECT_EQ(csv.headers.at("vary"), "Accept, Accept-Encoding");
    EXPECT_TRUE(csv.body.starts_with("rank,world_rank,region_rank,country,")) << csv.body;
    EXPECT_NE(csv.body.find("\r\n1,1,1,AD,Andorra,"), std::string::npos) << csv.body;
  }
  for (const char* json_wanted : {"Accept: text/csv;q=0\r\n", "Accept: text/csv;q=0.1, */*\r\n",
                                  "Accept: application/json\r\nAccept: text/csv;q=0.9\r\n"}) {
    EXPECT_EQ(get(port, "/api/v1/rankings?limit=1", json_wanted).headers.at("content-type"),
              "application/json; charset=utf-8")
        << json_wanted;
  }
  EXPECT_EQ(get(port, "/api/v1/rankings?limit=1",
                "Accept: application/json;q=0.5\r\nAccept: text/csv\r\n")
                .headers.at("content-type"),
            "text/csv; charset=utf-8; header=present");
  EXPECT_EQ(get(port, "/api/v1/rankings?format=xml").code, 400);
  EXPECT_EQ(get(port, "/api/v1/countries/Atlantis").code, 400);
  EXPECT_EQ(get(port, "/api/v1/").code, 404);
  EXPECT_EQ(get(port, "/api/v1/nothing").code, 404);
  EXPECT_EQ(get(port, "/api/v1/status").code, 200);
}

TEST_F(ServerTest, EveryAnswerIsOfOneCommit) {
  const std::uint16_t port = serve().port();
  publish(snapshot_of(1));
  std::atomic<bool> done{false};
  std::thread committer([&] {
    for (std::uint64_t commit = 2; !done; ++commit) publish(snapshot_of(commit));
  });
  std::vector<std::thread> readers;
  std::atomic<int> mixed{0};
  for (int i = 0; i < 4; ++i) {
    readers.emplace_back([&] {
      for (int n = 0; n < 25; ++n) {
        const std::string page = get(port, "/metrics/countries").body;
        const auto value = [&](const std::string& series) {
          const std::size_t at = page.find(series) + series.size();
          return page.substr(at, page.find('\n', at) - at);
        };
        if (value("geotally_posts_total{country=\"AD\"} ") !=
            value("geotally_accounts{country=\"ZW\"} ")) {
          ++mixed;
        }
      }
    });
  }
  for (auto& reader : readers) reader.join();
  done = true;
  committer.join();
  EXPECT_EQ(mixed, 0);
}

}  // namespace
}  // namespace geotally::http
