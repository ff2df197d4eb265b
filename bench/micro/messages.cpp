#include "micro/messages.h"

#include <array>
#include <random>
#include <string_view>

#include <fmt/format.h>

namespace geotally::bench {
namespace {

constexpr std::string_view kBase32 = "234567abcdefghijklmnopqrstuvwxyz";
constexpr std::int64_t kStart_us = 1'760'000'000'000'000;

std::string tid(std::uint64_t number) {
  std::string text(13, '2');
  for (std::size_t i = 13; i > 0; --i, number >>= 5) text[i - 1] = kBase32[number & 31];
  return text;
}

std::string did(std::uint64_t account) {
  std::string text = "did:plc:";
  std::mt19937_64 random(account);
  for (int i = 0; i < 24; ++i) text += kBase32[random() & 31];
  return text;
}

std::string text(std::mt19937_64& random) {
  static constexpr std::array<std::string_view, 8> kWords = {
      "morning", "rain", "über", "montagne", "と", "\\n", "coffee", "\\\"yes\\\""};
  std::string out;
  for (std::size_t left = 8 + random() % 24; left > 0; --left) {
    out.append(kWords[random() % kWords.size()]).append(" ");
  }
  return out;
}

}  // namespace

Messages::Messages(feed::Wire wire, std::size_t count, std::size_t accounts) {
  static constexpr std::array<std::string_view, 6> kLanguages = {"en", "pt-BR", "ja",
                                                                 "de", "es",    "fr-CA"};
  std::mt19937_64 random(20130802);
  for (std::size_t i = 0; i < count; ++i) {
    starts_.push_back(bytes_.size());
    const std::int64_t time_us = kStart_us + static_cast<std::int64_t>(i) * 1'000;
    const std::string revision = tid(static_cast<std::uint64_t>(time_us) << 10);
    const std::string record = fmt::format(
        R"("record":{{"$type":"app.bsky.feed.post","createdAt":"2025-10-09T08:53:20.123Z",)"
        R"("langs":["{}"],"reply":{{"parent":{{"cid":"bafyrei{}","uri":"at://{}/app.bsky.feed.post/)"
        R"({}"}}}},"text":"{}"}})",
        kLanguages[random() % kLanguages.size()], std::string(52, 'a'), did(random() % accounts),
        tid(random() >> 1), text(random));
    const std::string commit = fmt::format(
        R"("rev":"{}","operation":"create","collection":"app.bsky.feed.post","rkey":"{}",{},)"
        R"("cid":"bafyrei{}")",
        revision, revision, record, std::string(52, 'b'));
    const std::string author = did(random() % accounts);
    if (wire == feed::Wire::kJetstreamV1) {
      bytes_ += fmt::format(R"({{"did":"{}","time_us":{},"kind":"commit","commit":{{{}}}}})",
                            author, time_us, commit);
    } else {
      bytes_ += fmt::format(
          R"({{"$type":"message","payload":{{"$type":"network.bsky.jetstream.subscribeEvents#)"
          R"(commit","did":"{}",{},"seq":{},"time":"2025-10-09T08:53:20.{:06}Z"}}}})",
          author, commit, i + 1, i % 1'000'000);
    }
  }
  starts_.push_back(bytes_.size());
  bytes_.append(feed::kFramePadding, '{');
}

}  // namespace geotally::bench
