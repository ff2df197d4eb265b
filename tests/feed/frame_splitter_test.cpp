// Goal: every message comes out whole and once, whatever its frames and however the bytes
// are cut; nothing but control frames and violations is handed on.
#include "feed/frame_splitter.h"

#include <algorithm>
#include <random>
#include <string>
#include <tuple>
#include <vector>

#include <gtest/gtest.h>

#include "feed/dialect.h"
#include "wire.h"

namespace geotally::feed {
namespace {

constexpr std::string_view kAnswer = "HTTP/1.1 101 Switching Protocols\r\nA: b\r\r\n\r\n";

class Splitter : public testing::Test {
 protected:
  void begin(SplitterOptions options) {
    splitter_ = std::make_unique<FrameSplitter>(
        options, FrameSplitter::Sink{[this](std::string_view message, bool binary) {
                                       // The padding must be readable, whatever it holds.
                                       for (std::size_t i = 0; i < kFramePadding; ++i) {
                                         sum_ += static_cast<unsigned char>(
                                             message.data()[message.size() + i]);
                                       }
                                       messages_.emplace_back(message);
                                       binary_.push_back(binary);
                                     },
                                     [this] { ++too_large_; }});
    splitter_->begin_frames();
  }

  // Gives `bytes` in pieces of at most `piece`, and takes what is handed on.
  void feed(std::string_view bytes, std::size_t piece = SIZE_MAX) {
    while (!bytes.empty()) {
      pump();
      const auto room = splitter_->room();
      ASSERT_FALSE(room.empty()) << "asks for more but has no room";
      const std::size_t size = std::min({bytes.size(), room.size(), piece});
      std::copy_n(bytes.begin(), size, room.begin());
      splitter_->filled(size);
      bytes.remove_prefix(size);
    }
    pump();
  }
  void pump() {
    while (splitter_->next() == FrameSplitter::Step::kHand) {
      char part[7];
      const std::size_t size = splitter_->take(part);
      ASSERT_GT(size, 0u);
      handed_.append(part, size);
    }
  }

  std::unique_ptr<FrameSplitter> splitter_;
  std::vector<std::string> messages_;
  std::vector<bool> binary_;
  std::string handed_;
  std::size_t too_large_ = 0;
  unsigned sum_ = 0;
};

TEST_F(Splitter, TheHandshakeEndsAtTheLastByteOfItsHeader) {
  for (const std::size_t piece : {std::size_t{1}, std::size_t{5}, SIZE_MAX}) {
    std::string handed;
    std::vector<std::string> messages;
    FrameSplitter splitter({},
                           {[&](std::string_view m, bool) { messages.emplace_back(m); }, [] {}});
    std::string all = std::string(kAnswer) + text("one") + text("two");
    std::string_view rest = all;
    bool upgraded = false;
    while (true) {
      const auto step = splitter.next();
      if (step == FrameSplitter::Step::kHand) {
        char part[16];
        handed.append(part, splitter.take(part));
        if (!upgraded && handed.ends_with("\r\n\r\n")) {
          upgraded = true;
          splitter.begin_frames();
        }
        continue;
      }
      if (rest.empty()) break;
      const auto room = splitter.room();
      const std::size_t size = std::min(rest.size(), piece);
      std::copy_n(rest.begin(), size, room.begin());
      splitter.filled(size);
      rest.remove_prefix(size);
    }
    EXPECT_EQ(handed, kAnswer);
    EXPECT_EQ(messages, (std::vector<std::string>{"one", "two"}));
  }
}

TEST_F(Splitter, InterimResponsesArePassedOverHoweverTheyAreCut) {
  const std::string early =
      "HTTP/1.1 103 Early Hints\r\nLink: </x>; rel=preload\r\n\r\nHTTP/1.0 100\r\n\r\n"
      "HTTP/1.1 199 \r\nA: HTTP/1.1 200 OK\r\n\r\n";
  for (const std::string& last :
       {std::string(kAnswer), std::string("HTTP/1.1 200 OK\r\n\r\nbody"),
        std::string("HTTP/2 103\r\n\r\n"), std::string("HTTP/1.1 10x\r\n"),
        std::string("SSH-2.0\r\n\r\n"), std::string("h")}) {
    const std::string all = early + last;
    for (std::size_t piece = 1; piece <= all.size(); ++piece) {
      std::string handed;
      FrameSplitter splitter({}, {[](std::string_view, bool) { FAIL(); }, [] { FAIL(); }});
      for (std::size_t at = 0; at < all.size(); at += piece) {
        const std::string_view part = std::string_view(all).substr(at, piece);
        std::copy(part.begin(), part.end(), splitter.room().begin());
        splitter.filled(part.size());
        while (splitter.next() == FrameSplitter::Step::kHand) {
          char taken[16];
          handed.append(taken, splitter.take(taken));
        }
      }
      ASSERT_EQ(handed, last) << "in pieces of " << piece;
    }
  }
}

TEST_F(Splitter, InterimResponsesWithoutEndAreNotPassedOver) {
  for (const std::string flood : {"\r\nHTTP/1.1 103 X\r\n", "A: b\r\n"}) {
    FrameSplitter splitter({}, {[](std::string_view, bool) { FAIL(); }, [] { FAIL(); }});
    const std::string begin = "HTTP/1.1 103 X\r\n";
    std::copy(begin.begin(), begin.end(), splitter.room().begin());
    splitter.filled(begin.size());
    std::size_t sent = 0;
    while (splitter.next() == FrameSplitter::Step::kNeed) {
      ASSERT_LT(sent, 100'000u);
      std::copy(flood.begin(), flood.end(), splitter.room().begin());
      splitter.filled(flood.size());
      sent += flood.size();
    }
  }
}

TEST_F(Splitter, ARefusalIsHandedOnWithItsBody) {
  const std::string refusal = "HTTP/1.1 400 Bad\r\nContent-Length: 12\r\n\r\n{\"error\":\"\"}";
  std::string handed;
  FrameSplitter splitter({}, {[](std::string_view, bool) { FAIL(); }, [] { FAIL(); }});
  const auto room = splitter.room();
  std::copy(refusal.begin(), refusal.end(), room.begin());
  splitter.filled(refusal.size());
  while (splitter.next() == FrameSplitter::Step::kHand) {
    char part[10];
    handed.append(part, splitter.take(part));
  }
  EXPECT_EQ(handed, refusal);
}

TEST_F(Splitter, MessagesOfEveryShape) {
  const std::string large(200'000, 'L');
  const std::string stream =
      text("one") + text("") + frame(kBinaryData, "two") +                            // plain
      frame(kText, "fr", false) + frame(kPing, "p1") + frame(kContinue, "", false) +  // fragments
      frame(kPing, "p2") + frame(kContinue, "ag", true) + frame(kText, "", false) +
      frame(kContinue, "", true) + text(large) + frame(kText, large.substr(0, 99'999), false) +
      frame(kPong, "") + frame(kContinue, large.substr(99'999), true) + text("last");
  const std::vector<std::string> expected = {"one", "", "two", "frag", "", large, large, "last"};
  for (const std::size_t piece : {std::size_t{1}, std::size_t{2}, std::size_t{3}, std::size_t{1000},
                                  std::size_t{65'536}, SIZE_MAX}) {
    for (const std::size_t buffer :
         {std::size_t{1024}, std::size_t{65'536}, std::size_t{1 << 20}}) {
      messages_.clear();
      binary_.clear();
      handed_.clear();
      begin({.buffer_bytes = buffer});
      feed(stream, piece);
      EXPECT_EQ(messages_, expected) << piece << ' ' << buffer;
      EXPECT_EQ(std::count(binary_.begin(), binary_.end(), true), 1);
      EXPECT_EQ(handed_, frame(kPing, "p1") + frame(kPing, "p2") + frame(kPong, ""));
      EXPECT_EQ(too_large_, 0u);
    }
  }
}

TEST_F(Splitter, MessagesAsLongAsTheBuffer) {
  std::string stream;
  std::vector<std::string> expected;
  for (std::size_t size = 1000; size < 1040; ++size) {
    expected.emplace_back(size, 'x');
    stream += text(expected.back());
    // A first part that fills the memory taken for it to the last byte, and the padding behind.
    expected.emplace_back(size, 'y');
    stream += frame(kText, expected.back(), false) + frame(kContinue, "");
  }
  for (const std::size_t piece : {std::size_t{1}, std::size_t{777}, SIZE_MAX}) {
    for (const std::size_t buffer : {std::size_t{1024}, std::size_t{1 << 16}}) {
      messages_.clear();
      begin({.buffer_bytes = buffer});
      feed(stream, piece);
      EXPECT_EQ(messages_, expected);
    }
  }
}

TEST_F(Splitter, AMessageThatIsTooLargeIsSkippedAndCountedOnce) {
  const std::string large(5000, 'x');
  const std::string stream = text("a") + text(large) + text("b") +             // plain
                             frame(kText, large, false) + frame(kPing, "p") +  // first part
                             frame(kContinue, "y", false) + frame(kContinue, large, true) +
                             text("c") + frame(kText, "z", false) +  // in the sum
                             frame(kContinue, large.substr(0, 4000), true) + text("d") +
                             text(large.substr(0, 4000));
  for (const std::size_t piece : {std::size_t{1}, std::size_t{100}, SIZE_MAX}) {
    messages_.clear();
    handed_.clear();
    too_large_ = 0;
    begin({.buffer_bytes = 1024, .message_bytes_max = 4000});
    feed(stream, piece);
    EXPECT_EQ(messages_, (std::vector<std::string>{"a", "b", "c", "d", large.substr(0, 4000)}));
    EXPECT_EQ(too_large_, 3u);
    EXPECT_EQ(handed_, frame(kPing, "p"));
  }
}

TEST_F(Splitter, WhatIsNoFrameIsHandedOnAtOnce) {
  const std::string masked = std::string("\x81\x83") + "abcd" + "xyz";
  for (const std::string& bad : {
           masked,
           std::string("\xC1\x01x"),                 // a reserved bit
           std::string("\x83\x01x"),                 // a reserved opcode
           std::string("\x80\x01x"),                 // nothing to continue
           std::string("\x81\x7E\x00\x05hello", 9),  // not the shortest length
           std::string("\x81\x7F\x00\x00\x00\x00\x00\x00\x00\x05", 10),
           std::string("\x81\x7F\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF", 10),
           header(kText, std::uint64_t{1} << 40),  // 2^40 bytes announced
           header(kClose, 2),
       }) {
    messages_.clear();
    handed_.clear();
    begin({});
    feed(text("before") + bad);
    EXPECT_EQ(messages_, (std::vector<std::string>{"before"}));
    EXPECT_EQ(handed_.substr(0, 2), bad.substr(0, 2)) << "held back";
    EXPECT_EQ(handed_.size(), bad.size());
  }
  // A second message inside a message.
  handed_.clear();
  begin({});
  feed(frame(kText, "a", false) + text("b"));
  EXPECT_EQ(handed_, text("b"));
}

TEST_F(Splitter, HaltAndDiscardTakeEffectInTheMiddleOfABuffer) {
  std::vector<std::string> messages;
  FrameSplitter* self = nullptr;
  FrameSplitter splitter({}, {[&](std::string_view m, bool) {
                                messages.emplace_back(m);
                                if (m == "stop") self->halt();
                                if (m == "drop") self->discard();
                              },
                              [] {}});
  self = &splitter;
  splitter.begin_frames();
  const std::string stream = text("a") + text("drop") + text("b") + frame(kPing, "");
  std::copy(stream.begin(), stream.end(), splitter.room().begin());
  splitter.filled(stream.size());
  EXPECT_EQ(splitter.next(), FrameSplitter::Step::kHand) << "pings are still answered";
  EXPECT_EQ(messages, (std::vector<std::string>{"a", "drop"}));

  FrameSplitter other({}, {[&](std::string_view m, bool) {
                             messages.emplace_back(m);
                             self->halt();
                           },
                           [] {}});
  self = &other;
  other.begin_frames();
  const std::string two = text("c") + text("d");
  std::copy(two.begin(), two.end(), other.room().begin());
  other.filled(two.size());
  EXPECT_EQ(other.next(), FrameSplitter::Step::kHalt);
  EXPECT_EQ(messages.back(), "c");
}

TEST_F(Splitter, RandomStreamsComeOutAsTheyWentIn) {
  std::mt19937 random(42);
  const auto upto = [&random](std::size_t max) { return random() % (max + 1); };
  for (int round = 0; round < 300; ++round) {
    std::string stream;
    std::vector<std::string> expected;
    std::string pings;
    std::size_t large = 0;
    const auto maybe_ping = [&] {
      if (upto(3) != 0) return;
      const std::string ping = frame(kPing, std::string(upto(125), 'p'));
      stream += ping;
      pings += ping;
    };
    for (std::size_t n = upto(20); n > 0; --n) {
      const std::string message(upto(3) == 0 ? upto(9000) : upto(300), static_cast<char>('a' + n));
      if (message.size() > 6000) {
        ++large;
      } else {
        expected.push_back(message);
      }
      std::string_view rest = message;
      bool first = true;
      while (upto(2) == 0) {
        const std::size_t part = upto(rest.size());
        stream += frame(first ? kText : kContinue, rest.substr(0, part), false);
        rest.remove_prefix(part);
        first = false;
        maybe_ping();
      }
      stream += frame(first ? kText : kContinue, rest, true);
      maybe_ping();
    }
    messages_.clear();
    handed_.clear();
    too_large_ = 0;
    begin({.buffer_bytes = 1024 + upto(8000), .message_bytes_max = 6000});
    std::string_view rest = stream;
    while (!rest.empty()) {
      const std::size_t size = std::min(rest.size(), 1 + upto(3000));
      feed(rest.substr(0, size));
      rest.remove_prefix(size);
    }
    ASSERT_EQ(messages_, expected) << round;
    ASSERT_EQ(handed_, pings) << round;
    ASSERT_EQ(too_large_, large) << round;
  }
}

// Nor does it matter in what pieces they come.
TEST_F(Splitter, NoBytesCrashIt) {
  std::mt19937 random(7);
  for (int round = 0; round < 2000; ++round) {
    std::string noise(random() % 400, '\0');
    for (char& c : noise) {
      c = random() % 3 == 0 ? "\x81\x01\x82\x7E\x7F\x89\x80\x02"[random() % 8]
                            : static_cast<char>(random());
    }
    const auto split = [&](std::size_t piece) {
      messages_.clear();
      handed_.clear();
      too_large_ = 0;
      begin({.buffer_bytes = 1024, .message_bytes_max = 100, .skip_bytes_max = 1000});
      feed(noise, piece);
      return std::tuple(messages_, handed_, too_large_);
    };
    ASSERT_EQ(split(1 + random() % 50), split(SIZE_MAX)) << round;
  }
}

}  // namespace
}  // namespace geotally::feed
