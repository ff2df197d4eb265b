// Goal: whatever a server or a network does, the follower comes back, from the right place,
// not too often, and says why; and it stops when it is told to.
#include "feed/follower.h"

#include <algorithm>
#include <future>
#include <mutex>
#include <regex>

#include <gtest/gtest.h>

#include "byte_server.h"
#include "harness.h"
#include "wire.h"

namespace geotally::feed {
namespace {

using std::chrono::milliseconds;

// Delays before the next attempt, as logged.
std::vector<int> delays(Harness& harness) {
  std::vector<int> found;
  const std::string log = harness.logged();
  const std::regex pattern("\"delay_ms\":(\\d+)");
  for (std::sregex_iterator it(log.begin(), log.end(), pattern), end; it != end; ++it) {
    found.push_back(std::stoi((*it)[1]));
  }
  return found;
}

TEST(Follower, AsksForTheWholeAddressAndSaysWhoItIs) {
  std::promise<std::string> request;
  ByteServer server([&](Peer& peer, int) {
    peer.upgrade();
    request.set_value(peer.request());
    peer.wait_for_end();
  });
  Harness harness({server.url() + "?wantedCollections=app.bsky.feed.post"});
  harness.options.token = "t0ken";
  harness.options.user_agent = "geotally/test";
  harness.start();
  harness.until([&] { return harness.connects.size() == 1; });
  const std::string text = request.get_future().get();
  EXPECT_NE(text.find("GET /subscribe?wantedCollections=app.bsky.feed.post HTTP/1.1\r\n"),
            std::string::npos)
      << text;
  EXPECT_NE(text.find("Authorization: Bearer t0ken\r\n"), std::string::npos);
  EXPECT_NE(text.find("User-Agent: geotally/test\r\n"), std::string::npos);
  EXPECT_NE(text.find("Host: 127.0.0.1:" + std::to_string(server.port())), std::string::npos);
  EXPECT_EQ(text.find("permessage-deflate"), std::string::npos);
  EXPECT_TRUE(harness.follower->connected());
  harness.stop();
  EXPECT_EQ(harness.logged().find("t0ken"), std::string::npos) << "a secret in the log";
}

TEST(Follower, ResumesFromThePositionAndProvesContinuity) {
  std::mutex mutex;
  std::vector<std::string> targets;
  ByteServer server([&](Peer& peer, int index) {
    peer.upgrade();
    {
      const std::lock_guard lock(mutex);
      targets.push_back(peer.target());
    }
    if (index == 0) {
      for (int n = 1; n <= 10; ++n) peer.send(text(like(n)));
      return;
    }
    for (int n = 1; n <= 100; ++n) peer.send(text(like(n)));
    peer.wait_for_end();
  });
  Harness harness({server.url()});
  harness.start();
  harness.until([&] { return harness.messages.size() == 110; });
  EXPECT_EQ(harness.disconnects, (std::vector<Disconnect>{Disconnect::kServerClosed}));
  const std::lock_guard lock(mutex);
  EXPECT_EQ(targets, (std::vector<std::string>{
                         "/subscribe", "/subscribe?cursor=1699999941000000"}));  // second 1 − 60 s
  EXPECT_TRUE(harness.position.take_gaps().empty());
  EXPECT_EQ(harness.position.time_us(), 1'700'000'100'000'000);
}

TEST(Follower, ASilentClampIsRecordedAsAGap) {
  ByteServer server([&](Peer& peer, int index) {
    peer.upgrade();
    const int first = index == 0 ? 1 : 1001;
    for (int n = first; n < first + 100; ++n) peer.send(text(like(n)));
    if (index != 0) peer.wait_for_end();
  });
  Harness harness({server.url()});
  harness.start();
  harness.until([&] { return harness.messages.size() == 200; });
  EXPECT_EQ(harness.position.take_gaps(),
            (std::vector<Gap>{{1'700'000'100'000'000, 1'700'001'001'000'000, "server_closed"}}));
}

TEST(Follower, BackOffGrowsThoughTheConnectionStands) {
  ByteServer server([](Peer& peer, int) {
    peer.upgrade();
    peer.send(text(like(1)));  // the same event each time: no progress
  });
  Harness harness({server.url()});
  harness.options.backoff = {milliseconds(2), milliseconds(40)};
  harness.start();
  harness.until([&] { return harness.disconnects.size() == 7; });
  harness.stop();
  const auto waits = delays(harness);
  ASSERT_GE(waits.size(), 7u);
  int low = 1;
  for (std::size_t i = 0; i < 7; ++i) {
    EXPECT_GE(waits[i], low) << i;
    low = std::min(low * 2, 20);
  }
  EXPECT_EQ(harness.follower->counts().messages, harness.messages.size());
}

TEST(Follower, AConnectionThatOnlyStandsIsNoProgress) {
  ByteServer server([](Peer& peer, int) {
    peer.upgrade();
    // For longer than `progress_after`: it answers pings, and has nothing to say.
    const auto end = std::chrono::steady_clock::now() + milliseconds(10);
    while (std::chrono::steady_clock::now() < end) {
      if (!peer.send(frame(kPing, "p")) || !peer.receive().ok) return;
    }
  });
  Harness harness({server.url()});
  harness.options.backoff = {milliseconds(2), milliseconds(40)};
  harness.options.progress_after = milliseconds(1);
  harness.start();
  harness.until([&] { return harness.disconnects.size() == 7; });
  harness.stop();
  const auto waits = delays(harness);
  ASSERT_GE(waits.size(), 7u);
  int low = 1;
  for (std::size_t i = 0; i < 7; ++i) {
    EXPECT_GE(waits[i], low) << i;
    low = std::min(low * 2, 20);
  }
}

TEST(Follower, ProgressResetsTheBackOff) {
  ByteServer server([](Peer& peer, int index) {
    peer.upgrade();
    for (int n = 0; n < 50; ++n) peer.send(text(like(index * 50 + n)));
  });
  Harness harness({server.url()});
  harness.options.backoff = {milliseconds(2), milliseconds(10'000)};
  harness.options.progress_events = 20;
  harness.start();
  harness.until([&] { return harness.disconnects.size() == 6; });
  harness.stop();
  for (const int wait : delays(harness)) EXPECT_LE(wait, 2);
}

TEST(Follower, TimeWithDataResetsTheBackOffToo) {
  ByteServer server([](Peer& peer, int) {
    peer.upgrade();
    for (int n = 0; n < 40; ++n) {
      peer.send(text(like(1)));  // nothing new, but data
      std::this_thread::sleep_for(milliseconds(5));
    }
  });
  Harness harness({server.url()});
  harness.options.backoff = {milliseconds(2), milliseconds(10'000)};
  harness.options.progress_after = milliseconds(60);
  harness.start();
  harness.until([&] { return harness.disconnects.size() == 4; });
  harness.stop();
  for (const int wait : delays(harness)) EXPECT_LE(wait, 2);
}

TEST(Follower, SilenceEndsAConnectionThatOnlyPings) {
  ByteServer server([](Peer& peer, int) {
    peer.upgrade();
    peer.send(text("x"));
    while (peer.send(frame(kPing, "alive")) && peer.receive().ok) {
      std::this_thread::sleep_for(milliseconds(5));
    }
  });
  Harness harness({server.url()});
  harness.options.silence_max = milliseconds(100);
  harness.start();
  harness.until([&] { return harness.disconnects.size() == 2; });
  EXPECT_EQ(harness.disconnects[0], Disconnect::kSilent);
  EXPECT_GT(harness.follower->counts().pings, 0u);
}

TEST(Follower, AQuietFeedMayBeSilentAndIsThenCaughtUp) {
  ByteServer server([](Peer& peer, int) {
    peer.upgrade();
    peer.send(text(like(1)));
    peer.wait_for_end();
  });
  Harness harness({server.url()});
  harness.options.silence_max = milliseconds(0);
  harness.options.idle_after = milliseconds(50);
  harness.start();
  harness.until([&] { return harness.position.caught_up(); });
  EXPECT_TRUE(harness.disconnects.empty());
  EXPECT_NE(harness.logged().find("feed.caught_up"), std::string::npos);
}

TEST(Follower, FailuresToConnectHaveAReason) {
  struct Case {
    std::string answer;
    std::string detail;
  };
  for (const Case& one :
       {Case{"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n", "status 503"},
        Case{
            "HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=utf-8\r\nContent-Length: 6\r\n\r\n"
            "<html>",
            "status 200, text/html"},
        Case{"HTTP/1.1 302 Found\r\nLocation: https://elsewhere.example/\r\nContent-Length: "
             "0\r\n\r\n",
             "redirects are not followed"},
        Case{"HTTP/1.1 400 Bad Request\r\nContent-Type: application/json\r\nContent-Length: "
             "43\r\n\r\n"
             R"({"error":"InvalidRequest","message":"nope"})",
             "InvalidRequest"},
        Case{"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
             "Sec-WebSocket-Accept: bm9wZQ==\r\n\r\n",
             ""},
        Case{"SSH-2.0-OpenSSH_9.2\r\n", ""}, Case{"", ""},
        Case{"HTTP/1.1 200 OK\r\nA: " + std::string(100'000, 'x') + "\r\n\r\n", ""}}) {
    ByteServer server([&](Peer& peer, int) {
      peer.read_request();
      peer.send(one.answer);
    });
    Harness harness({server.url()});
    harness.start();
    harness.until([&] { return harness.failures.size() == 2; });
    EXPECT_EQ(harness.failures[0], ConnectFailure::kHttp) << one.answer.substr(0, 50);
    EXPECT_NE(harness.details[0].find(one.detail), std::string::npos) << harness.details[0];
    EXPECT_TRUE(harness.connects.empty());
    harness.stop();
    EXPECT_EQ(harness.logged().find("elsewhere"), std::string::npos) << "a payload in the log";
  }
}

TEST(Follower, ARefusedPortAndAnUnknownName) {
  std::string url;
  {
    ByteServer gone([](Peer&, int) {});
    url = gone.url();
  }
  Harness refused({url});
  refused.start();
  refused.until([&] { return refused.failures.size() == 1; });
  EXPECT_EQ(refused.failures[0], ConnectFailure::kTcp);
  Harness unknown({"ws://no-such-host.invalid/"});
  unknown.start();
  unknown.until([&] { return unknown.failures.size() == 1; });
  EXPECT_EQ(unknown.failures[0], ConnectFailure::kDns);
}

TEST(Follower, AServerThatNeverAnswersTimesOut) {
  ByteServer server([](Peer& peer, int) {
    peer.read_request();
    peer.wait_for_end();
  });
  Harness harness({server.url()});
  harness.options.connect_timeout = milliseconds(50);
  harness.start();
  harness.until([&] { return harness.failures.size() == 1; });
  EXPECT_EQ(harness.failures[0], ConnectFailure::kTimeout);
}

TEST(Follower, ANameIsResolved) {
  ByteServer server([](Peer& peer, int) {
    peer.upgrade();
    peer.send(text("x"));
    peer.wait_for_end();
  });
  // Where "localhost" has an IPv6 address too, that is refused first.
  Harness harness({"ws://localhost:" + std::to_string(server.port()) + "/"});
  harness.start();
  harness.until([&] { return harness.messages.size() == 1; });
  EXPECT_EQ(harness.connects[0], "localhost:" + std::to_string(server.port()));
}

TEST(Follower, ADeadFirstAddressCostsAMomentOnly) {
  ByteServer server([](Peer& peer, int) {
    peer.upgrade();
    peer.send(text("x"));
    peer.wait_for_end();
  });
  const DeadAddress dead("127.0.0.2", server.port());
  Harness harness({"ws://feed.example:" + std::to_string(server.port()) + "/"});
  harness.resolves_to({"127.0.0.2", "127.0.0.1"});
  harness.options.attempt_delay = milliseconds(10);
  harness.options.connect_timeout = std::chrono::hours(1);  // nothing waits for it
  harness.start();
  harness.until([&] { return harness.messages.size() == 1; });
  EXPECT_TRUE(harness.failures.empty());
  EXPECT_NE(harness.logged().find("\"address\":\"127.0.0.2\""), std::string::npos);
}

TEST(Follower, AnAddressThatAcceptsAndBreaksOffIsLeftForTheNext) {
  ByteServer server([](Peer& peer, int) {
    peer.upgrade();
    peer.send(text("x"));
    peer.wait_for_end();
  });
  const ByteServer broken([](Peer& peer, int) { peer.reset(); }, nullptr, "127.0.0.2",
                          server.port());
  Harness harness({"ws://feed.example:" + std::to_string(server.port()) + "/"});
  harness.resolves_to({"127.0.0.2", "127.0.0.3", "127.0.0.1"});
  harness.options.attempt_delay = std::chrono::hours(1);
  harness.options.connect_timeout = std::chrono::hours(1);
  harness.start();
  harness.until([&] { return harness.messages.size() == 1; });
  EXPECT_TRUE(harness.failures.empty());
  EXPECT_EQ(broken.accepted(), 1);
}

TEST(Follower, AnAddressThatAcceptsAndSaysNothingIsLeftForTheNext) {
  ByteServer server([](Peer& peer, int) {
    peer.upgrade();
    peer.send(text("x"));
    peer.wait_for_end();
  });
  const ByteServer mute([](Peer& peer, int) { peer.wait_for_end(); }, nullptr, "127.0.0.2",
                        server.port());
  Harness harness({"ws://feed.example:" + std::to_string(server.port()) + "/"});
  harness.resolves_to({"127.0.0.2", "127.0.0.1"});
  harness.options.attempt_delay = std::chrono::hours(1);
  harness.options.connect_timeout = milliseconds(200);  // missed by the other too, it comes again
  harness.start();
  harness.until([&] { return !harness.messages.empty(); });
  EXPECT_GE(mute.accepted(), 1);
}

TEST(Follower, ANameThatIsNeverResolvedTimesOut) {
  std::vector<std::function<void(std::vector<std::string>)>> waiting;
  Harness harness({"ws://feed.example/"});
  harness.options.connect_timeout = milliseconds(20);
  harness.options.resolve = [&](const std::string& name, auto done) {
    EXPECT_EQ(name, "feed.example");
    waiting.push_back(std::move(done));
  };
  harness.start();
  harness.until([&] { return harness.failures.size() == 2; });
  EXPECT_EQ(harness.failures, std::vector<ConnectFailure>(2, ConnectFailure::kTimeout));
  harness.until([&] { return waiting.size() == 3; });
  waiting[0]({"127.0.0.1"});  // too late for any question
  harness.stop();             // and in the middle of one
  waiting[2]({"127.0.0.1"});
}

TEST(Follower, StopsWithAGoodbye) {
  std::promise<Peer::Received> goodbye;
  ByteServer server([&](Peer& peer, int) {
    peer.upgrade();
    peer.send(text("x"));
    const auto frame = peer.receive();
    peer.send(text("too late") + close_frame(1000));
    goodbye.set_value(frame);
    peer.wait_for_end();
  });
  Harness harness({server.url()});
  harness.start();
  harness.until([&] { return harness.messages.size() == 1; });
  harness.stop();
  const auto frame = goodbye.get_future().get();
  EXPECT_EQ(frame.opcode, kClose);
  EXPECT_EQ(frame.payload, "\x03\xE8");  // 1000
  EXPECT_EQ(harness.messages.size(), 1u) << "no frame after stop()";
  EXPECT_EQ(harness.disconnects, (std::vector<Disconnect>{Disconnect::kStopped}));
  EXPECT_FALSE(harness.follower->connected());
}

TEST(Follower, StopsWithoutAnAnswerToo) {
  ByteServer server([](Peer& peer, int) {
    peer.upgrade();
    while (peer.send(text("flood"))) {
    }
  });
  Harness harness({server.url()});
  harness.options.close_timeout = milliseconds(50);
  harness.start();
  harness.until([&] { return harness.messages.size() > 100; });
  harness.follower->stop();
  const auto messages = harness.messages.size();
  harness.until([&] { return harness.stopped; });
  EXPECT_EQ(harness.messages.size(), messages);
}

TEST(Follower, StopsFromAnywhere) {
  ByteServer server([](Peer& peer, int) {
    peer.upgrade();
    peer.send(text("1") + text("2") + text("3"));
    peer.wait_for_end();
  });
  {
    Harness inside({server.url()});  // inside a message
    inside.on_frame = [&](Frame) { inside.follower->stop(); };
    inside.start();
    inside.until([&] { return inside.stopped; });
    EXPECT_EQ(inside.messages.size(), 1u);
  }
  {
    Harness connected({server.url()});  // as soon as it is connected
    connected.on_connected = [&] { connected.follower->stop(); };
    connected.start();
    connected.until([&] { return connected.stopped; });
    EXPECT_TRUE(connected.messages.empty());
  }
  {
    Harness connecting({server.url()});  // before anything happened
    connecting.start();
    connecting.stop();
    EXPECT_TRUE(connecting.connects.empty());
  }
  {
    Harness waiting({"ws://127.0.0.1:1/"});  // in the back-off
    waiting.options.backoff = {milliseconds(100'000), milliseconds(100'000)};
    waiting.start();
    waiting.until([&] { return waiting.failures.size() == 1; });
    waiting.stop();
  }
  {
    Harness resolving({"ws://no-such-host.invalid/"});
    resolving.start();
    resolving.io.poll();
    resolving.stop();
  }
}

TEST(Follower, ReopenResumesAtOnce) {
  ByteServer server([](Peer& peer, int index) {
    peer.upgrade();
    peer.send(text(like(index)) + text(like(index + 100)));
    peer.wait_for_end();
  });
  Harness harness({server.url()});
  harness.options.backoff = {milliseconds(100'000), milliseconds(100'000)};
  harness.on_frame = [&](Frame) {
    if (harness.connects.size() == 1) harness.follower->reopen();
  };
  harness.start();
  harness.until([&] { return harness.connects.size() == 2 && harness.messages.size() == 3; });
  EXPECT_EQ(harness.disconnects, (std::vector<Disconnect>{Disconnect::kReopened}));
}

TEST(Follower, AHandlerThatBlocksLosesNothing) {
  constexpr int kMessages = 20'000;
  ByteServer server([](Peer& peer, int) {
    peer.upgrade();
    for (int n = 0; n < kMessages; ++n) {
      if (!peer.send(text(like(n)))) return;
    }
    peer.wait_for_end();
  });
  Harness harness({server.url()});
  harness.on_frame = [&](Frame) {
    if (harness.messages.size() % 5'000 == 1) std::this_thread::sleep_for(milliseconds(100));
  };
  harness.start();
  harness.until([&] { return harness.messages.size() == kMessages; });
  for (int n = 0; n < kMessages; ++n)
    ASSERT_EQ(harness.messages[static_cast<std::size_t>(n)], like(n));
}

TEST(Follower, GoesToTheNextHostAndBackToThePreferred) {
  std::atomic<bool> up{false};
  ByteServer preferred([&](Peer& peer, int) {
    if (!up) return;
    peer.upgrade();
    peer.send(text(like(1)));
    peer.wait_for_end();
  });
  ByteServer spare([&](Peer& peer, int) {
    up = true;  // before the follower hears of us: it may go back as soon as it does
    peer.upgrade();
    peer.send(text(like(1)));
    peer.wait_for_end();
  });
  Harness harness({preferred.url(), spare.url()});
  harness.options.preferred_after = milliseconds(50);
  harness.options.idle_after = milliseconds(40);
  harness.start();
  harness.until([&] { return harness.connects.size() == 2; });
  EXPECT_EQ(harness.failures.size(), 2u) << "twice before a change of host";
  EXPECT_EQ(harness.connects,
            (std::vector<std::string>{"127.0.0.1:" + std::to_string(spare.port()),
                                      "127.0.0.1:" + std::to_string(preferred.port())}));
  EXPECT_EQ(harness.disconnects, (std::vector<Disconnect>{Disconnect::kPreferred}));
  EXPECT_NE(harness.logged().find("feed.failover"), std::string::npos);
}

std::string busy(int status, const std::string& retry_after) {
  return "HTTP/1.1 " + std::to_string(status) + " X\r\nRetry-After: " + retry_after +
         "\r\nContent-Length: 0\r\n\r\n";
}

TEST(Follower, AHostThatAsksToWaitIsWaitedFor) {
  for (const int status : {429, 503}) {
    ByteServer server([&](Peer& peer, int) {
      peer.read_request();
      peer.send(busy(status, "120"));
    });
    Harness harness({server.url()});
    harness.start();
    harness.until([&] { return harness.failures.size() == 1; });
    harness.follower->reopen();  // does not shorten what the host asked for
    harness.io.run_for(milliseconds(1));
    const auto waits = delays(harness);
    ASSERT_EQ(waits.size(), 1u);
    EXPECT_GE(waits[0], 120'000);
    EXPECT_LE(waits[0], 120'001) << "the back-off on top";
    EXPECT_NE(harness.details[0].find("status " + std::to_string(status)), std::string::npos);
    EXPECT_NE(harness.details[0].find("retry after 120 s"), std::string::npos);
    harness.stop();
    EXPECT_EQ(server.accepted(), 1);
  }
}

TEST(Follower, NoHostIsWaitedForLongerThanTheBound) {
  ByteServer server([&](Peer& peer, int index) {
    peer.read_request();
    if (index == 0) {
      peer.send(busy(503, "Fri, 31 Dec 9999 23:59:59 GMT"));
      return;
    }
    peer.accept();
    peer.wait_for_end();
  });
  Harness harness({server.url()});
  harness.options.retry_after_max = milliseconds(30);
  harness.start();
  harness.until([&] { return harness.connects.size() == 1; });
  EXPECT_GE(delays(harness).at(0), 30);
  EXPECT_LE(delays(harness).at(0), 31);
}

TEST(Follower, WhatIsNoWaitOrIsPastIsBackedOffFrom) {
  for (const std::string header : {"soon", "0", "Sun, 06 Nov 1994 08:49:37 GMT", "-5"}) {
    ByteServer server([&](Peer& peer, int) {
      peer.read_request();
      peer.send(busy(503, header));
    });
    Harness harness({server.url()});
    harness.start();
    harness.until([&] { return harness.failures.size() == 3; });
    for (const int wait : delays(harness)) EXPECT_LE(wait, 20) << header;
  }
  ByteServer other([&](Peer& peer, int) {
    peer.read_request();
    peer.send(busy(500, "3600"));  // of a 500 it means nothing
  });
  Harness harness({other.url()});
  harness.start();
  harness.until([&] { return harness.failures.size() == 3; });
  for (const int wait : delays(harness)) EXPECT_LE(wait, 20);
}

TEST(Follower, OtherHostsAreTriedWhileOneAsksToWait) {
  ByteServer preferred([](Peer& peer, int) {
    peer.read_request();
    peer.send(busy(503, "3600"));
  });
  ByteServer spare([](Peer& peer, int index) {
    if (index < 4) return;  // fails more often than a change of host takes
    peer.upgrade();
    while (peer.send(text(like(1)))) std::this_thread::sleep_for(milliseconds(5));
  });
  Harness harness({preferred.url(), spare.url()});
  harness.options.preferred_after = milliseconds(1);
  harness.options.idle_after = milliseconds(40);  // a tick each 10 ms
  harness.start();
  harness.until([&] { return harness.messages.size() >= 20 || preferred.accepted() > 1; });
  EXPECT_EQ(preferred.accepted(), 1) << "neither in turn nor as the preferred one";
  EXPECT_EQ(harness.failures.size(), 5u);
  EXPECT_TRUE(harness.disconnects.empty());
  for (const int wait : delays(harness)) EXPECT_TRUE(wait <= 20 || wait >= 600'000) << wait;
}

TEST(Follower, WhereAllHostsAskToWaitTheShortestWaitIsKept) {
  ByteServer first([&](Peer& peer, int) {
    peer.read_request();
    peer.send(busy(503, "3600"));
  });
  ByteServer second([&](Peer& peer, int) {
    peer.read_request();
    peer.send(busy(429, "1800"));
  });
  ByteServer third([&](Peer& peer, int index) {
    peer.read_request();
    if (index == 0) {
      peer.send(busy(503, "1"));
      return;
    }
    peer.accept();
    peer.wait_for_end();
  });
  Harness harness({first.url(), second.url(), third.url()});
  harness.start();
  harness.until([&] { return harness.connects.size() == 1; });
  EXPECT_EQ(harness.connects[0], "127.0.0.1:" + std::to_string(third.port()));
  EXPECT_EQ(first.accepted(), 1);
  EXPECT_EQ(second.accepted(), 1);
}

TEST(Follower, LeavesASilentHostAtOnce) {
  ByteServer silent([](Peer& peer, int) {
    peer.upgrade();
    peer.wait_for_end();
  });
  ByteServer spare([](Peer& peer, int) {
    peer.upgrade();
    while (peer.send(text(like(1)))) std::this_thread::sleep_for(milliseconds(5));
  });
  Harness harness({silent.url(), spare.url()});
  harness.options.silence_max = milliseconds(100);
  harness.start();
  harness.until([&] { return harness.messages.size() == 3; });
  EXPECT_EQ(harness.disconnects[0], Disconnect::kSilent);
  EXPECT_EQ(silent.accepted(), 1);
}

TEST(Follower, LeavesAHostThatLagsAndDoesNotCatchUp) {
  // Events of 2023 are far behind any clock that runs this test.
  ByteServer late([](Peer& peer, int) {
    peer.upgrade();
    for (int n = 0; peer.send(text(like(n, 0))); ++n) std::this_thread::sleep_for(milliseconds(5));
  });
  ByteServer spare([](Peer& peer, int) {
    peer.upgrade();
    peer.send(text(like(1)));
    peer.wait_for_end();
  });
  Harness harness({late.url(), spare.url()});
  harness.options.lag_max = milliseconds(1'000);
  harness.options.progress_after = milliseconds(80);
  harness.on_frame = [](Frame) {};
  harness.start();
  harness.until([&] { return harness.connects.size() == 2; });
  EXPECT_EQ(harness.disconnects[0], Disconnect::kLagging);
}

}  // namespace
}  // namespace geotally::feed
