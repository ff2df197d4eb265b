// Goal: a server is trusted only when its chain ends in a root of the system and its name is
// the one that we asked for; through a proxy as well.
// Method: servers with certificates made on the spot, their root brought in by SSL_CERT_FILE;
// Debian's nginx and tinyproxy in between.
#include <cstdlib>
#include <future>
#include <mutex>

#include <gtest/gtest.h>

#include "byte_server.h"
#include "feed/proxy.h"
#include "harness.h"
#include "surroundings.h"
#include "wire.h"

namespace geotally::feed {
namespace {

void serve_one(Peer& peer, int /*index*/) {
  if (!peer.upgrade()) return;
  peer.send(text("hello") + frame(kPing, "p") + text(std::string(100'000, 'x')));
  peer.wait_for_end();
}

class Tls : public testing::Test {
 protected:
  void SetUp() override {
    ::setenv("SSL_CERT_FILE", directory_.write("root.pem", authority_.certificate_pem()).c_str(),
             1);
  }
  void TearDown() override { ::unsetenv("SSL_CERT_FILE"); }

  static std::string at(std::uint16_t port, const std::string& host = "localhost") {
    return "wss://" + host + ":" + std::to_string(port) + "/subscribe";
  }
  void refused(const KeyPair& pair, const std::string& detail) {
    const auto context = make_server(pair);
    ByteServer server(serve_one, context.get());
    Harness harness({at(server.port())});
    harness.start();
    harness.until([&] { return !harness.failures.empty() || !harness.connects.empty(); });
    ASSERT_TRUE(harness.connects.empty()) << "a server is trusted that must not be";
    EXPECT_EQ(harness.failures[0], ConnectFailure::kTls);
    EXPECT_NE(harness.details[0].find(detail), std::string::npos) << harness.details[0];
    harness.stop();
    EXPECT_NE(harness.logged().find(detail), std::string::npos);
  }

  TemporaryDirectory directory_;
  KeyPair authority_ = make_authority("a test's own root");
  KeyPair good_ = make_certificate("DNS:localhost", &authority_);
};

TEST_F(Tls, AGoodServerIsAccepted) {
  const auto context = make_server(good_);
  ByteServer server(serve_one, context.get());
  Harness harness({at(server.port())});
  harness.start();
  harness.until([&] { return harness.messages.size() == 2; });
  EXPECT_EQ(harness.messages[0], "hello");
  EXPECT_EQ(harness.messages[1].size(), 100'000u);
  EXPECT_EQ(harness.follower->counts().pings, 1u);
  EXPECT_TRUE(harness.failures.empty());
}

TEST_F(Tls, AnAddressInTheCertificateIsAccepted) {
  const auto context = make_server(make_certificate("IP:127.0.0.1", &authority_));
  ByteServer server(serve_one, context.get());
  Harness harness({at(server.port(), "127.0.0.1")});
  harness.start();
  harness.until([&] { return harness.messages.size() == 2; });
  EXPECT_TRUE(harness.failures.empty());
}

TEST_F(Tls, ACertificateOfAnotherHostIsRefused) {
  refused(make_certificate("DNS:other.example", &authority_), "");
  refused(make_certificate("IP:127.0.0.1", &authority_), "");  // we asked for a name
}

TEST_F(Tls, TheDotOfAnAbsoluteNameIsNotForTheServer) {
  const auto context = make_server(good_);
  std::promise<std::pair<std::string, std::string>> seen;
  ByteServer server(
      [&](Peer& peer, int) {
        peer.upgrade();
        seen.set_value({peer.server_name(), peer.header_of("Host")});
        peer.wait_for_end();
      },
      context.get());
  Harness harness({at(server.port(), "localhost.")});
  harness.options.resolve = [](const std::string& name, const auto& done) {
    EXPECT_EQ(name, "localhost.") << "an absolute name is looked up as it is";
    done({"127.0.0.1"});
  };
  harness.start();
  harness.until([&] { return !harness.failures.empty() || !harness.connects.empty(); });
  ASSERT_TRUE(harness.failures.empty()) << harness.details[0];
  const auto [name, host] = seen.get_future().get();
  EXPECT_EQ(name, "localhost");
  EXPECT_EQ(host, "localhost:" + std::to_string(server.port()));
}

TEST_F(Tls, ASelfSignedCertificateIsRefused) {
  refused(make_certificate("DNS:localhost", nullptr), "self-signed");
}

TEST_F(Tls, AnExpiredCertificateIsRefused) {
  refused(make_certificate("DNS:localhost", &authority_, -7200, -3600), "expired");
  refused(make_certificate("DNS:localhost", &authority_, 3600, 7200), "not yet valid");
}

TEST_F(Tls, AnUnknownRootIsRefused) {
  const KeyPair stranger = make_authority("nobody knows");
  refused(make_certificate("DNS:localhost", &stranger), "unable to get local issuer");
}

TEST_F(Tls, AServerWithoutTlsIsRefused) {
  ByteServer server([](Peer& peer, int) { peer.send("HTTP/1.1 400 Bad Request\r\n\r\n"); });
  Harness harness({at(server.port())});
  harness.start();
  harness.until([&] { return harness.failures.size() == 1; });
  EXPECT_EQ(harness.failures[0], ConnectFailure::kTls);
}

TEST_F(Tls, AStreamThatBreaksOffIsAnEnd) {
  const auto context = make_server(good_);
  ByteServer server(
      [](Peer& peer, int index) {
        peer.upgrade();
        peer.send(text("x"));
        if (index > 0) peer.wait_for_end();
      },
      context.get());
  Harness harness({at(server.port())});
  harness.start();
  harness.until([&] { return harness.messages.size() == 2; });
  EXPECT_EQ(harness.disconnects, (std::vector<Disconnect>{Disconnect::kServerClosed}));
}

TEST_F(Tls, BehindNginx) {
  ByteServer backend(serve_one);
  directory_.write("server.pem", good_.certificate_pem());
  directory_.write("server.key", good_.key_pem());
  const std::uint16_t port = free_port();
  const std::string& home = directory_.path();
  const std::string configuration = directory_.write(
      "nginx.conf",
      "daemon off;\nmaster_process off;\npid " + home + "/nginx.pid;\nerror_log " + home +
          "/error.log;\nevents {}\nhttp {\n  access_log off;\n  client_body_temp_path " + home +
          "/a;\n  proxy_temp_path " + home + "/b;\n  fastcgi_temp_path " + home +
          "/c;\n  uwsgi_temp_path " + home + "/d;\n  scgi_temp_path " + home +
          "/e;\n  server {\n    listen 127.0.0.1:" + std::to_string(port) +
          " ssl;\n    ssl_certificate " + home + "/server.pem;\n    ssl_certificate_key " + home +
          "/server.key;\n    location / {\n      proxy_pass http://127.0.0.1:" +
          std::to_string(backend.port()) +
          ";\n      proxy_http_version 1.1;\n      proxy_set_header Upgrade $http_upgrade;\n"
          "      proxy_set_header Connection upgrade;\n    }\n  }\n}\n");
  const Child nginx(
      {"/usr/sbin/nginx", "-p", home, "-e", home + "/error.log", "-c", configuration});
  ASSERT_TRUE(wait_for_port(port));
  Harness harness({at(port)});
  harness.start();
  harness.until([&] { return harness.messages.size() == 2; });
  EXPECT_EQ(harness.messages[1].size(), 100'000u);
}

TEST_F(Tls, ThroughTinyproxy) {
  const auto context = make_server(good_);
  ByteServer server(serve_one, context.get());
  const std::uint16_t port = free_port();
  const std::string configuration = directory_.write(
      "tinyproxy.conf", "Port " + std::to_string(port) +
                            "\nListen 127.0.0.1\nTimeout 60\nAllow 127.0.0.1\nConnectPort " +
                            std::to_string(server.port()) + "\nBasicAuth ann s3cr3t\n");
  const Child tinyproxy({"tinyproxy", "-d", "-c", configuration});
  ASSERT_TRUE(wait_for_port(port));
  const std::string proxy = "127.0.0.1:" + std::to_string(port);
  {
    Harness harness({at(server.port())});
    harness.options.proxy = "http://ann:s3cr%33t@" + proxy;
    harness.start();
    harness.until([&] { return harness.messages.size() == 2; });
    EXPECT_EQ(harness.connects[0], "localhost:" + std::to_string(server.port()));
    harness.stop();
    EXPECT_EQ(harness.logged().find("s3cr3t"), std::string::npos) << "a secret in the log";
  }
  {
    Harness harness({at(server.port())});
    harness.options.proxy = "http://ann:wrong@" + proxy;
    harness.start();
    harness.until([&] { return harness.failures.size() == 1; });
    EXPECT_EQ(harness.failures[0], ConnectFailure::kHttp);
    EXPECT_NE(harness.details[0].find("proxy: status 40"), std::string::npos) << harness.details[0];
  }
  {
    Harness harness({at(server.port())});  // a host that needs no proxy
    harness.options.proxy = "http://127.0.0.1:1";
    harness.options.no_proxy = "example.org, localhost";
    harness.start();
    harness.until([&] { return harness.messages.size() == 2; });
  }
}

TEST_F(Tls, AProxyThatMisbehaves) {
  for (const std::string& answer :
       {std::string("HTTP/1.1 403 Forbidden\r\n\r\n"), std::string("nonsense\r\n\r\n"),
        std::string(), std::string(100'000, 'x'),
        std::string("HTTP/1.1 200 OK\r\n\r\nthe server speaks first")}) {
    ByteServer proxy([&](Peer& peer, int) {
      peer.read_request();
      peer.send(answer);
    });
    Harness harness({"wss://feed.example/"});
    harness.options.proxy = "http://127.0.0.1:" + std::to_string(proxy.port());
    harness.start();
    harness.until([&] { return harness.failures.size() == 1; });
    EXPECT_EQ(harness.failures[0], ConnectFailure::kHttp);
    EXPECT_NE(harness.details[0].find("proxy"), std::string::npos) << harness.details[0];
  }
}

TEST_F(Tls, AProxysEarlyHintsArePassedOverAndItsWaitIsKept) {
  ByteServer proxy([&](Peer& peer, int) {
    peer.read_request();
    peer.send(
        "HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n"
        "HTTP/1.1 503 Busy\r\nretry-after: 3600\r\nContent-Length: 3\r\n\r\nno\n");
  });
  Harness harness({"wss://feed.example/"});
  harness.options.proxy = "http://127.0.0.1:" + std::to_string(proxy.port());
  harness.start();
  harness.until([&] { return harness.failures.size() == 1; });
  EXPECT_EQ(harness.details[0], "proxy: status 503, retry after 3600 s");
}

TEST_F(Tls, AProxysDeadFirstAddressCostsAMomentOnly) {
  const auto context = make_server(good_);
  ByteServer server(serve_one, context.get());
  const std::uint16_t port = free_port();
  const std::string configuration = directory_.write(
      "tinyproxy.conf", "Port " + std::to_string(port) +
                            "\nListen 127.0.0.1\nTimeout 60\nAllow 127.0.0.1\nConnectPort " +
                            std::to_string(server.port()) + "\n");
  const Child tinyproxy({"tinyproxy", "-d", "-c", configuration});
  ASSERT_TRUE(wait_for_port(port));
  const DeadAddress dead("127.0.0.2", port);
  Harness harness({at(server.port())});
  harness.options.proxy = "http://proxy.example:" + std::to_string(port);
  harness.options.attempt_delay = std::chrono::milliseconds(10);
  harness.options.connect_timeout = std::chrono::hours(1);  // nothing waits for it
  harness.options.resolve = [](const std::string& name, const auto& done) {
    EXPECT_EQ(name, "proxy.example");
    done({"127.0.0.2", "127.0.0.1"});
  };
  harness.start();
  harness.until([&] { return harness.messages.size() == 2; });
  EXPECT_TRUE(harness.failures.empty());
}

TEST(Proxy, Addresses) {
  Proxy proxy;
  std::string error;
  ASSERT_TRUE(Proxy::parse("http://ann:p%40ss@proxy.example:3128/", proxy, error));
  EXPECT_EQ(proxy.host, "proxy.example");
  EXPECT_EQ(proxy.port, 3128);
  EXPECT_EQ(proxy.user, "ann:p@ss");
  ASSERT_TRUE(Proxy::parse("proxy.example", proxy, error));
  EXPECT_EQ(proxy.port, 80);
  ASSERT_TRUE(Proxy::parse("http://[::1]:8080", proxy, error));
  EXPECT_EQ(proxy.host, "::1");
  for (const std::string_view bad : {"", "https://a:1", "socks5://a:1", "http://a:1/x", "http://:1",
                                     "http://ann:secret@/", "http://a:99999"}) {
    EXPECT_FALSE(Proxy::parse(bad, proxy, error)) << bad;
    EXPECT_EQ(error.find("secret"), std::string::npos);
  }
}

TEST(Proxy, Bypass) {
  EXPECT_TRUE(bypasses_proxy("*", "feed.example", 443));
  EXPECT_TRUE(bypasses_proxy("other, feed.example", "feed.example", 443));
  EXPECT_TRUE(bypasses_proxy("Example", "feed.example", 443));
  EXPECT_TRUE(bypasses_proxy(".example", "a.feed.example", 443));
  EXPECT_TRUE(bypasses_proxy("feed.example:443", "feed.example", 443));
  EXPECT_TRUE(bypasses_proxy("127.0.0.1,::1", "::1", 443));
  EXPECT_TRUE(bypasses_proxy("[::1]", "::1", 443));
  EXPECT_TRUE(bypasses_proxy("feed.example.", "feed.example", 443));
  EXPECT_TRUE(bypasses_proxy("feed.example", "feed.example.", 443));
  EXPECT_FALSE(bypasses_proxy("feed.example:80", "feed.example", 443));
  EXPECT_FALSE(bypasses_proxy("example", "badexample", 443));
  EXPECT_FALSE(bypasses_proxy("a.feed.example", "feed.example", 443));
  EXPECT_FALSE(bypasses_proxy("", "feed.example", 443));
  EXPECT_FALSE(bypasses_proxy(",, ,.", "feed.example", 443));
}

TEST(Proxy, Environment) {
  ::setenv("HTTPS_PROXY", "http://upper", 1);
  ::setenv("NO_PROXY", "one", 1);
  ::unsetenv("https_proxy");
  ::unsetenv("no_proxy");
  EXPECT_EQ(proxy_from_environment().proxy, "http://upper");
  EXPECT_EQ(proxy_from_environment().no_proxy, "one");
  ::setenv("https_proxy", "http://lower", 1);
  EXPECT_EQ(proxy_from_environment().proxy, "http://lower");
  ::unsetenv("https_proxy");
  ::unsetenv("HTTPS_PROXY");
  ::unsetenv("NO_PROXY");
  EXPECT_EQ(proxy_from_environment().proxy, "");
}

}  // namespace
}  // namespace geotally::feed
