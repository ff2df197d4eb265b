// Goal: over a real socket, every message arrives whole and once; pings are answered whatever
// lies around them; whatever is no websocket ends the connection at once, with its reason.
// Method: a server that sends exactly the bytes we want.
#include <future>

#include <gtest/gtest.h>

#include "byte_server.h"
#include "harness.h"
#include "wire.h"

namespace geotally::feed {
namespace {

TEST(Connection, MessagesOfEveryShapeInEveryCut) {
  const std::string large(200'000, 'L');
  const std::string stream = text("one") + frame(kText, "fr", false) + frame(kPing, "between") +
                             frame(kContinue, "", false) + frame(kContinue, "ag") + text("") +
                             text(large) + frame(kText, large.substr(0, 70'000), false) +
                             frame(kContinue, large.substr(70'000)) + frame(kPing, "late") +
                             text("last");
  const std::vector<std::string> expected = {"one", "frag", "", large, large, "last"};
  for (const std::size_t piece : {std::size_t{1}, std::size_t{1000}, std::size_t{1 << 20}}) {
    for (const std::size_t buffer : {std::size_t{4096}, std::size_t{256 * 1024}}) {
      // One byte at a time is slow where there is much of it.
      const bool small = piece == 1;
      const std::string& bytes = small
                                     ? text("one") + frame(kText, "fr", false) + frame(kPing, "p") +
                                           frame(kContinue, "ag") + frame(kPing, "q") + text("last")
                                     : stream;
      ByteServer server([&](Peer& peer, int) {
        peer.upgrade();
        peer.dribble(bytes, piece);
        peer.wait_for_end();
      });
      Harness harness({server.url()});
      harness.options.buffer_bytes = buffer;
      harness.start();
      harness.until([&] { return !harness.messages.empty() && harness.messages.back() == "last"; });
      EXPECT_EQ(harness.messages,
                small ? (std::vector<std::string>{"one", "frag", "last"}) : expected);
      EXPECT_TRUE(harness.disconnects.empty());
      EXPECT_GT(harness.drained, 0u);
      EXPECT_EQ(harness.follower->counts().messages, harness.messages.size());
      EXPECT_GE(harness.follower->counts().bytes, bytes.size());
      EXPECT_EQ(harness.follower->counts().pings, 2u);
    }
  }
}

TEST(Connection, APingIsAnsweredWhereverItStands) {
  // Last in the buffer; with a message before it; in a fragmented message; alone.
  const std::vector<std::string> rounds = {frame(kPing, "alone"), text("x") + frame(kPing, "last"),
                                           frame(kText, "a", false) + frame(kPing, "inside"),
                                           frame(kContinue, "b") + frame(kPing, "")};
  std::promise<std::vector<std::string>> answers;
  ByteServer server([&](Peer& peer, int) {
    peer.upgrade();
    std::vector<std::string> seen;
    for (const auto& bytes : rounds) {
      peer.send(bytes);
      const auto pong = peer.receive();  // nothing is sent until it came
      if (pong.ok && pong.opcode == kPong && pong.masked) seen.push_back(pong.payload);
    }
    answers.set_value(seen);
    peer.wait_for_end();
  });
  Harness harness({server.url()});
  harness.start();
  harness.until(
      [&] { return harness.follower->counts().pings == 4 && harness.messages.size() == 2; });
  auto future = answers.get_future();
  harness.until(
      [&] { return future.wait_for(std::chrono::seconds(0)) == std::future_status::ready; });
  EXPECT_EQ(future.get(), (std::vector<std::string>{"alone", "last", "inside", ""}));
  EXPECT_EQ(harness.messages, (std::vector<std::string>{"x", "ab"}));
}

TEST(Connection, TheFirstMessageMayComeWithTheHandshake) {
  ByteServer server([](Peer& peer, int) {
    peer.upgrade();  // what follows is often in the same segment
    peer.send(text("1") + text("2"));
    peer.wait_for_end();
  });
  Harness harness({server.url()});
  harness.start();
  harness.until([&] { return harness.messages.size() == 2; });
  EXPECT_EQ(harness.messages, (std::vector<std::string>{"1", "2"}));
}

TEST(Connection, EarlyHintsBeforeTheUpgradeArePassedOver) {
  for (const std::size_t piece : {std::size_t{1}, std::size_t{1} << 20}) {
    ByteServer server([&](Peer& peer, int) {
      peer.read_request();
      peer.dribble(
          "HTTP/1.1 103 Early Hints\r\nLink: </style.css>; rel=preload\r\n\r\n"
          "HTTP/1.1 102 Processing\r\n\r\n",
          piece);
      peer.accept();
      peer.send(text("1") + text("2"));
      peer.wait_for_end();
    });
    Harness harness({server.url()});
    harness.start();
    harness.until([&] { return harness.messages.size() == 2 || !harness.failures.empty(); });
    EXPECT_TRUE(harness.failures.empty()) << harness.details[0];
  }
}

TEST(Connection, ATooLargeMessageIsCountedAndTheConnectionKept) {
  ByteServer server([](Peer& peer, int) {
    peer.upgrade();
    const std::string large(50'000, 'x');
    peer.send(text("before") + text(large) + text("between") + frame(kText, large, false) +
              frame(kPing, "p") + frame(kContinue, large) + text("after"));
    peer.wait_for_end();
  });
  Harness harness({server.url()});
  harness.options.message_bytes_max = 10'000;
  harness.options.buffer_bytes = 4096;
  harness.start();
  harness.until([&] { return harness.messages.size() == 3; });
  EXPECT_EQ(harness.messages, (std::vector<std::string>{"before", "between", "after"}));
  EXPECT_EQ(harness.rejections,
            (std::vector<Rejection>{Rejection::kTooLarge, Rejection::kTooLarge}));
  EXPECT_TRUE(harness.disconnects.empty());
  EXPECT_EQ(harness.follower->counts().messages, 5u);
}

TEST(Connection, ABinaryMessageIsNotText) {
  ByteServer server([](Peer& peer, int) {
    peer.upgrade();
    peer.send(frame(kBinaryData, "\x01\x02") + text("after"));
    peer.wait_for_end();
  });
  Harness harness({server.url()});
  harness.start();
  harness.until([&] { return harness.messages.size() == 1; });
  EXPECT_EQ(harness.rejections, (std::vector<Rejection>{Rejection::kNotText}));
}

TEST(Connection, HostileEventsAreRefusedOneByOneAndTheConnectionKept) {
  ByteServer server([](Peer& peer, int) {
    peer.upgrade();
    peer.send(text(like(1)) + text("{\"did\":\"\xFF\"}") + text("{") +
              text(std::string(100'000, '[')) + text("") + text(like(2)));
    peer.wait_for_end();
  });
  Harness harness({server.url()});
  harness.start();
  harness.until([&] { return harness.verdicts.size() == 6; });
  EXPECT_EQ(harness.verdicts,
            (std::vector<Verdict>{Verdict::kUncounted, Verdict::kRejected, Verdict::kRejected,
                                  Verdict::kRejected, Verdict::kRejected, Verdict::kUncounted}));
  EXPECT_TRUE(harness.disconnects.empty());
}

TEST(Connection, WhatIsNoWebsocketEndsItAtOnce) {
  for (const std::string& bad : {
           std::string("\x81\x83") + "abcdxyz",      // masked
           std::string("\xC1\x01x"),                 // a reserved bit
           std::string("\x83\x01x"),                 // a reserved opcode
           std::string("\x80\x01x"),                 // nothing to continue
           std::string("\x81\x7E\x00\x05hello", 9),  // not the shortest length
           std::string("\x81\x7F\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF", 10),
           header(kText, std::uint64_t{1} << 40),  // only announced
           frame(kText, "a", false) + header(kContinue, std::uint64_t{1} << 40),
           frame(kText, "a", false) + text("b"),  // a message in a message
           std::string("\x89\x7E\x00\x80", 4),    // a long ping
           std::string("\x09\x01x"),              // a fragmented ping
           std::string("\x88\x01x"),              // half a close code
       }) {
    ByteServer server([&](Peer& peer, int) {
      peer.upgrade();
      peer.send(text("before") + bad);
      peer.wait_for_end();
    });
    Harness harness({server.url()});
    harness.start();
    harness.until([&] { return !harness.disconnects.empty(); });
    EXPECT_EQ(harness.disconnects[0], Disconnect::kProtocolError)
        << testing::PrintToString(bad) << ' ' << harness.details[0];
    EXPECT_EQ(harness.messages[0], "before");
  }
}

TEST(Connection, ItsEndHasAReason) {
  struct Case {
    std::string bytes;
    bool reset;
    Disconnect reason;
    std::string detail;
  };
  for (const Case& one :
       {Case{close_frame(1000), false, Disconnect::kServerClosed, "close code 1000"},
        Case{close_frame(1001), false, Disconnect::kServerRestart, "close code 1001"},
        Case{close_frame(1008), false, Disconnect::kServerClosed, "close code 1008"},
        Case{frame(kClose, ""), false, Disconnect::kServerClosed, "close code 1005"},
        Case{"", false, Disconnect::kServerClosed, "close code 1006, end of stream"},
        Case{"\x81\x05he", false, Disconnect::kServerClosed, "close code 1006, end of stream"},
        Case{"", true, Disconnect::kIoError, "close code 1006, Connection reset"}}) {
    ByteServer server([&](Peer& peer, int index) {
      peer.upgrade();
      peer.send(text("x") + one.bytes);
      if (index == 0) {
        if (one.bytes.starts_with("\x88")) peer.receive();  // the answer to the close
        if (one.reset) peer.reset();
        return;
      }
      peer.wait_for_end();
    });
    Harness harness({server.url()});
    harness.start();
    harness.until([&] { return harness.disconnects.size() == 1; });
    EXPECT_EQ(harness.disconnects[0], one.reason);
    EXPECT_NE(harness.details[0].find(one.detail), std::string::npos) << harness.details[0];
  }
}

}  // namespace
}  // namespace geotally::feed
