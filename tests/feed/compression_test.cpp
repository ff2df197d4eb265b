// Goal: both wires over zstd; v2's dictionary is fetched, and again when it changes; what the
// server says before the upgrade is understood.
#include <future>
#include <mutex>

#include <gtest/gtest.h>

#include "byte_server.h"
#include "compressed.h"
#include "feed/xrpc_error.h"
#include "harness.h"
#include "surroundings.h"
#include "wire.h"

namespace geotally::feed {
namespace {

constexpr std::string_view kV2Path = "/xrpc/network.bsky.jetstream.subscribeEvents";

std::string v2_like(int n) {
  return R"({"$type":"message","payload":{"$type":"network.bsky.jetstream.subscribeEvents#commit",)"
         R"("collection":"app.bsky.feed.like","did":"did:plc:a","operation":"delete",)"
         R"("rev":"3mmoojp7vgo2g","rkey":"r)" +
         std::to_string(n) + R"(","seq":)" + std::to_string(100 + n) +
         R"(,"time":"2026-08-11T12:00:)" + (n % 60 < 10 ? "0" : "") + std::to_string(n % 60) +
         R"(.000000Z"}})";
}

std::string http(int status, const std::string& type, const std::string& body) {
  return "HTTP/1.1 " + std::to_string(status) + " X\r\nContent-Type: " + type +
         "\r\nContent-Length: " + std::to_string(body.size()) + "\r\nConnection: close\r\n\r\n" +
         body;
}

std::string refusal(const std::string& name, const std::string& message) {
  return http(400, "application/json",
              R"({"error":")" + name + R"(","message":")" + message + "\"}");
}

// A v2 server with a dictionary that may change; sees every request.
class V2Server {
 public:
  using Stream = std::function<void(Peer&, int connection, const std::string& dictionary)>;
  /// `before`: what is sent before each dictionary.
  V2Server(std::vector<std::string> dictionaries, Stream stream, std::string before = "")
      : before_(std::move(before)),
        dictionaries_(std::move(dictionaries)),
        stream_(std::move(stream)),
        server_([this](Peer& peer, int) { serve(peer); }) {}

  std::string url() const {
    return "ws://127.0.0.1:" + std::to_string(server_.port()) + std::string(kV2Path);
  }
  std::vector<std::string> requests() {
    const std::lock_guard lock(mutex_);
    return requests_;
  }
  void rotate() { current_ = 1; }

 private:
  void serve(Peer& peer) {
    const bool stream =
        peer.read_request() && peer.target().find("subscribeEvents") != std::string::npos;
    {
      const std::lock_guard lock(mutex_);
      requests_.push_back(peer.target());
    }
    const std::string& dictionary = dictionaries_[static_cast<std::size_t>(current_)];
    if (stream) {
      stream_(peer, connections_++, dictionary);
    } else {
      peer.send(before_ + http(200, "application/octet-stream", dictionary));
    }
  }
  const std::string before_;
  const std::vector<std::string> dictionaries_;
  const Stream stream_;
  std::atomic<int> current_{0};
  int connections_ = 0;
  std::mutex mutex_;
  std::vector<std::string> requests_;
  ByteServer server_;
};

std::unique_ptr<Harness> v2_harness(std::vector<std::string> urls, bool compress) {
  auto harness = std::make_unique<Harness>(std::move(urls));
  DialectOptions options;
  options.collections = {};
  options.compress = compress;
  harness->dialect = make_jetstream_v2(options);
  harness->options.compress = compress;
  return harness;
}

TEST(Compression, V1WithADictionaryFromAFile) {
  const std::string dictionary = train_dictionary(1'612'007'021);
  const TemporaryDirectory directory;
  std::mutex mutex;
  std::string target;
  ByteServer server([&](Peer& peer, int) {
    peer.upgrade();
    {
      const std::lock_guard lock(mutex);
      target = peer.target();
    }
    const std::string good = compress(like(1), dictionary);
    peer.send(frame(kBinaryData, good) + frame(kBinaryData, good.substr(0, good.size() - 3)) +
              frame(kBinaryData, compress(like(2), train_dictionary(9))) +
              frame(kBinaryData, compress(std::string(10 << 20, '\0'), dictionary)) +
              frame(kBinaryData, "") + frame(kBinaryData, compress(like(3), dictionary, false)) +
              text(like(4)));
    peer.wait_for_end();
  });
  Harness harness({server.url()});
  harness.dialect = make_jetstream_v1({.collections = {}, .compress = true});
  harness.options.compress = true;
  harness.options.dictionary_file = directory.write("v1", dictionary);
  harness.start();
  harness.until([&] { return harness.messages.size() == 3; });
  EXPECT_EQ(harness.messages, (std::vector<std::string>{like(1), like(3), like(4)}));
  EXPECT_EQ(harness.verdicts, std::vector<Verdict>(3, Verdict::kUncounted));
  EXPECT_EQ(harness.rejections, std::vector<Rejection>(4, Rejection::kDecompression));
  EXPECT_TRUE(harness.disconnects.empty()) << "the connection is kept";
  const std::lock_guard lock(mutex);
  EXPECT_EQ(target, "/subscribe?compress=true");
}

TEST(Compression, V1WithoutItsDictionaryDoesNotStart) {
  Harness harness({"ws://127.0.0.1:1/"});
  harness.options.compress = true;
  EXPECT_THROW(harness.start(), std::runtime_error);
}

TEST(Compression, V2FetchesTheDictionaryFirst) {
  V2Server server({train_dictionary(20'260'811)},
                  [](Peer& peer, int, const std::string& dictionary) {
                    peer.accept();
                    peer.send(frame(kBinaryData, compress(v2_like(1), dictionary)));
                    peer.wait_for_end();
                  });
  const auto harness = v2_harness({server.url()}, true);
  harness->start();
  harness->until([&] { return harness->messages.size() == 1; });
  EXPECT_EQ(harness->messages[0], v2_like(1));
  EXPECT_EQ(harness->verdicts[0], Verdict::kUncounted);
  const auto requests = server.requests();
  ASSERT_EQ(requests.size(), 2u);
  EXPECT_EQ(requests[0], "/xrpc/network.bsky.jetstream.getZstdDictionary");
  EXPECT_NE(requests[1].find("zstdDictionary=20260811"), std::string::npos) << requests[1];
}

TEST(Compression, AfterAFailoverTheOtherHostsOwnDictionaryIsAskedFor) {
  const auto serve = [](Peer& peer, int n, const std::string& dictionary) {
    peer.accept();
    peer.send(frame(kBinaryData, compress(v2_like(n), dictionary)));
  };
  V2Server first({train_dictionary(11)}, [&](Peer& peer, int connection, const std::string& own) {
    if (connection == 0) serve(peer, 1, own);  // and is never reached again
  });
  V2Server second({train_dictionary(22)}, [&](Peer& peer, int, const std::string& own) {
    if (peer.target().find("zstdDictionary=22") == std::string::npos) return;
    serve(peer, 2, own);
    peer.wait_for_end();
  });
  const auto harness = v2_harness({first.url(), second.url()}, true);
  harness->options.failures_before_failover = 1;
  harness->start();
  harness->until([&] { return second.requests().size() == 2; });
  EXPECT_NE(second.requests()[1].find("zstdDictionary=22"), std::string::npos)
      << second.requests()[1];
  harness->until([&] { return harness->messages.size() == 2; });
  EXPECT_EQ(harness->messages, (std::vector<std::string>{v2_like(1), v2_like(2)}));
  EXPECT_TRUE(harness->rejections.empty());
}

TEST(Compression, V2TakesADictionaryAfterEarlyHints) {
  V2Server server(
      {train_dictionary(5)},
      [](Peer& peer, int, const std::string& dictionary) {
        peer.accept();
        peer.send(frame(kBinaryData, compress(v2_like(1), dictionary)));
        peer.wait_for_end();
      },
      "HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n");
  const auto harness = v2_harness({server.url()}, true);
  harness->start();
  harness->until([&] { return harness->messages.size() == 1; });
  EXPECT_TRUE(harness->failures.empty());
}

TEST(Compression, V2FollowsARotationWhileRunning) {
  const std::string next = train_dictionary(20'260'901);
  V2Server* self = nullptr;
  V2Server server({train_dictionary(20'260'811), next},
                  [&](Peer& peer, int connection, const std::string& dictionary) {
                    peer.accept();
                    peer.send(frame(kBinaryData, compress(v2_like(1), dictionary)));
                    if (connection == 0) {
                      self->rotate();
                      peer.send(frame(kBinaryData, compress(v2_like(2), next)));
                    } else {
                      peer.send(frame(kBinaryData, compress(v2_like(2), dictionary)));
                    }
                    peer.wait_for_end();
                  });
  self = &server;
  const auto harness = v2_harness({server.url()}, true);
  harness->start();
  harness->until([&] { return harness->messages.size() == 3; });
  EXPECT_EQ(harness->messages, (std::vector<std::string>{v2_like(1), v2_like(1), v2_like(2)}));
  EXPECT_EQ(harness->rejections, (std::vector<Rejection>{Rejection::kDecompression}));
  EXPECT_EQ(harness->disconnects, (std::vector<Disconnect>{Disconnect::kDictionary}));
  EXPECT_NE(server.requests().back().find("zstdDictionary=20260901"), std::string::npos);
}

TEST(Compression, V2FetchesAgainWhenItsDictionaryIsUnknown) {
  V2Server* self = nullptr;
  V2Server server({train_dictionary(1), train_dictionary(2)},
                  [&](Peer& peer, int connection, const std::string& dictionary) {
                    if (connection == 0) {
                      self->rotate();
                      peer.send(refusal("UnknownZstdDictionary",
                                        "unknown zstd dictionary id 1; "
                                        "current dictionary id is 2 (fetch it and reconnect)"));
                      return;
                    }
                    peer.accept();
                    peer.send(frame(kBinaryData, compress(v2_like(1), dictionary)));
                    peer.wait_for_end();
                  });
  self = &server;
  const auto harness = v2_harness({server.url()}, true);
  harness->options.backoff.first = harness->options.backoff.max =
      std::chrono::milliseconds(100'000);
  harness->start();
  harness->until([&] { return harness->messages.size() == 1; });
  EXPECT_EQ(harness->failures, (std::vector<ConnectFailure>{ConnectFailure::kHttp}));
  EXPECT_EQ(server.requests().size(), 4u);
}

TEST(Compression, ADictionaryThatIsNoneIsAFailure) {
  V2Server server({"<html>no dictionary</html>"}, [](Peer&, int, const std::string&) { FAIL(); });
  const auto harness = v2_harness({server.url()}, true);
  harness->start();
  harness->until([&] { return harness->failures.size() == 2; });
  EXPECT_EQ(harness->failures[0], ConnectFailure::kHttp);
  EXPECT_EQ(harness->details[0], "dictionary: it is no zstd dictionary");
}

TEST(V2, ACursorThatIsTooOldResumesFromTheFloorAndIsAGap) {
  std::mutex mutex;
  std::vector<std::string> targets;
  ByteServer server([&](Peer& peer, int index) {
    peer.read_request();
    {
      const std::lock_guard lock(mutex);
      targets.push_back(peer.target());
    }
    if (index == 1) {
      peer.send(refusal("CursorTooOld",
                        "subscribe: cursor too old: cursor 1786449540000000 below "
                        "lookback floor 1786449600000000; re-backfill from your last seq"));
      return;
    }
    peer.accept();
    if (index == 0) {
      peer.send(text(v2_like(0)));
      return;
    }
    peer.send(text(v2_like(40)));
    peer.wait_for_end();
  });
  const auto harness = v2_harness({server.url()}, false);
  harness->options.backoff.first = std::chrono::milliseconds(1);
  harness->start();
  harness->until([&] { return harness->messages.size() == 2; });
  const std::lock_guard lock(mutex);
  ASSERT_EQ(targets.size(), 3u);
  EXPECT_TRUE(targets[1].ends_with("cursor=1786449540000000")) << targets[1];
  EXPECT_TRUE(targets[2].ends_with("cursor=1786449600000000")) << targets[2];
  EXPECT_EQ(harness->failures, (std::vector<ConnectFailure>{ConnectFailure::kHttp}));
  EXPECT_EQ(harness->position.suspicions(),
            (std::vector<Gap>{{1'786'449'600'000'000, 1'786'449'640'000'000, "cursor_too_old"}}));
  EXPECT_NE(harness->logged().find("feed.cursor_too_old"), std::string::npos);
}

TEST(V2, AConsumerThatIsTooSlowIsTold) {
  ByteServer server([](Peer& peer, int index) {
    peer.upgrade();
    if (index > 0) {
      peer.wait_for_end();
      return;
    }
    peer.send(text(R"({"$type":"error","error":"ConsumerTooSlow","message":"m"})") +
              close_frame(1000));
    peer.receive();
  });
  const auto harness = v2_harness({server.url()}, false);
  harness->start();
  harness->until([&] { return harness->disconnects.size() == 1; });
  EXPECT_EQ(harness->disconnects[0], Disconnect::kTooSlow);
}

TEST(V2, NothingIsEverSentButControlFrames) {
  std::promise<std::vector<int>> seen;
  ByteServer server([&](Peer& peer, int index) {
    if (index > 0) return;  // whatever makes the follower come again is seen in what it sent
    peer.upgrade();
    peer.send(text(v2_like(1)) + frame(kPing, "p") + text(v2_like(2)));
    std::vector<int> opcodes;
    for (auto received = peer.receive(); received.ok; received = peer.receive()) {
      opcodes.push_back(received.opcode);
      if (received.opcode == kClose) peer.send(close_frame(1000));
    }
    seen.set_value(opcodes);
  });
  const auto harness = v2_harness({server.url()}, false);
  harness->start();
  harness->until(
      [&] { return harness->messages.size() == 2 && harness->follower->counts().pings == 1; });
  harness->stop();
  EXPECT_EQ(seen.get_future().get(), (std::vector<int>{kPong, kClose}));
}

TEST(XrpcError, IsReadWithCare) {
  EXPECT_EQ(parse_xrpc_error(R"({"error":"CursorTooOld","message":"m"})").name, "CursorTooOld");
  EXPECT_EQ(parse_xrpc_error(R"({"error":"a <b>\n"})").name, "ab");
  for (const std::string_view body :
       {"", "null", "[]", "{}", "<html>", R"({"error":5})", "{\"error\":\"\xFF\"}"}) {
    EXPECT_EQ(parse_xrpc_error(body).name, "") << body;
  }
  EXPECT_EQ(named_floor("cursor 17 below lookback floor 4000; re-backfill", 17), 4000u);
  EXPECT_EQ(named_floor("floor 4000", 0), 4000u);
  EXPECT_EQ(named_floor("cursor 17 is too old", 17), std::nullopt);
  EXPECT_EQ(named_floor("99999999999999999999999999", 17), std::nullopt);
  EXPECT_EQ(named_floor("", 0), std::nullopt);
}

}  // namespace
}  // namespace geotally::feed
