#include "support/jetstream_line.h"

#include <ctime>

#include <fmt/format.h>

namespace geotally::support {

std::uint64_t revision_at(std::int64_t time_us, unsigned clock) {
  return static_cast<std::uint64_t>(time_us) << 10 | (clock & 1'023U);
}

std::string tid(std::uint64_t revision) {
  static constexpr const char* kAlphabet = "234567abcdefghijklmnopqrstuvwxyz";
  std::string text(13, '2');
  for (auto at = text.rbegin(); at != text.rend(); ++at) {
    *at = kAlphabet[revision % 32];
    revision /= 32;
  }
  return text;
}

std::string rfc3339(std::int64_t time_us) {
  const std::time_t seconds = time_us / kSecond_us;
  std::tm parts{};
  ::gmtime_r(&seconds, &parts);
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:06}Z", parts.tm_year + 1900,
                     parts.tm_mon + 1, parts.tm_mday, parts.tm_hour, parts.tm_min, parts.tm_sec,
                     time_us % kSecond_us);
}

std::string to_message(const Line& line) {
  using Kind = Line::Kind;
  if (line.kind == Kind::kIdentity || line.kind == Kind::kAccount) {
    const std::string time = rfc3339(line.upstream_us != 0 ? line.upstream_us : line.time_us);
    if (line.kind == Kind::kIdentity) {
      return fmt::format(
          R"({{"did":"{0}","time_us":{1},"kind":"identity","identity":{{"did":"{0}","seq":{2},"time":"{3}"}}}})",
          line.did, line.time_us, line.sequence, time);
    }
    const std::string status =
        line.status.empty() ? "" : fmt::format(R"(,"status":"{}")", line.status);
    return fmt::format(
        R"({{"did":"{0}","time_us":{1},"kind":"account","account":{{"active":{4},"did":"{0}","seq":{2},"time":"{3}"{5}}}}})",
        line.did, line.time_us, line.sequence, time, line.active, status);
  }
  const char* collection = "app.bsky.feed.post";
  const char* operation = "create";
  std::string record;
  switch (line.kind) {
    case Kind::kPost: {
      std::string langs;
      for (const std::string& lang : line.langs) {
        langs += fmt::format(R"({}"{}")", langs.empty() ? "" : ",", lang);
      }
      record = fmt::format(
          R"(,"record":{{"$type":"app.bsky.feed.post","langs":[{}],"text":"{}"}},"cid":"bafy")",
          langs, line.text);
      break;
    }
    case Kind::kPostDelete:
      operation = "delete";
      break;
    case Kind::kProfile:
      collection = "app.bsky.actor.profile";
      record = fmt::format(R"(,"record":{{"$type":"app.bsky.actor.profile","description":"{}"}})",
                           line.description);
      break;
    case Kind::kAddress:
      collection = "community.lexicon.location.address";
      record = fmt::format(R"(,"record":{{"country":"{}"}})", line.country);
      break;
    case Kind::kAddressDelete:
      collection = "community.lexicon.location.address";
      operation = "delete";
      break;
    default:
      collection = "app.bsky.feed.like";
      record = R"(,"record":{"$type":"app.bsky.feed.like"})";
      break;
  }
  return fmt::format(
      R"({{"did":"{}","time_us":{},"kind":"commit","commit":{{"rev":"{}","operation":"{}","collection":"{}","rkey":"{}"{}}}}})",
      line.did, line.time_us, tid(line.revision != 0 ? line.revision : revision_at(line.time_us)),
      operation, collection, line.rkey, record);
}

}  // namespace geotally::support
