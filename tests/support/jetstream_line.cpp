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

namespace {

// The commit's own fields, as both wires have them, without those of its record before it.
struct Commit {
  const char* collection = "app.bsky.feed.post";
  const char* operation = "create";
  std::string record;  // empty = none
};

Commit commit_of(const Line& line) {
  using Kind = Line::Kind;
  Commit commit;
  switch (line.kind) {
    case Kind::kPost: {
      std::string langs;
      for (const std::string& lang : line.langs) {
        langs += fmt::format(R"({}"{}")", langs.empty() ? "" : ",", lang);
      }
      commit.record = fmt::format(
          R"(,"record":{{"$type":"app.bsky.feed.post","langs":[{}],"text":"{}"}},"cid":"bafy")",
          langs, line.text);
      break;
    }
    case Kind::kPostDelete:
      commit.operation = "delete";
      break;
    case Kind::kProfile:
      commit.collection = "app.bsky.actor.profile";
      commit.record =
          fmt::format(R"(,"record":{{"$type":"app.bsky.actor.profile","description":"{}"}})",
                      line.description);
      break;
    case Kind::kAddress:
      commit.collection = "community.lexicon.location.address";
      commit.record = fmt::format(R"(,"record":{{"country":"{}"}})", line.country);
      break;
    case Kind::kAddressDelete:
      commit.collection = "community.lexicon.location.address";
      commit.operation = "delete";
      break;
    default:
      commit.collection = "app.bsky.feed.like";
      commit.record = R"(,"record":{"$type":"app.bsky.feed.like"})";
      break;
  }
  if (line.update) commit.operation = "update";
  return commit;
}

std::string fields_of(const Line& line) {
  const Commit commit = commit_of(line);
  return fmt::format(
      R"("rev":"{}","operation":"{}","collection":"{}","rkey":"{}"{})",
      tid(line.revision != 0 ? line.revision : revision_at(line.time_us)), commit.operation,
      commit.collection, line.rkey, commit.record);
}

std::string upstream_of(const Line& line) {
  const std::string time = rfc3339(line.upstream_us != 0 ? line.upstream_us : line.time_us);
  if (line.kind == Line::Kind::kIdentity) {
    const std::string handle =
        line.handle.empty() ? "" : fmt::format(R"(,"handle":"{}")", line.handle);
    return fmt::format(R"("identity":{{"did":"{}","seq":{},"time":"{}"{}}})", line.did,
                       line.sequence, time, handle);
  }
  const std::string status =
      line.status.empty() ? "" : fmt::format(R"(,"status":"{}")", line.status);
  return fmt::format(R"("account":{{"active":{},"did":"{}","seq":{},"time":"{}"{}}})", line.active,
                     line.did, line.sequence, time, status);
}

}  // namespace

std::string to_message(const Line& line) {
  using Kind = Line::Kind;
  if (line.kind == Kind::kIdentity || line.kind == Kind::kAccount) {
    return fmt::format(R"({{"did":"{}","time_us":{},"kind":"{}",{}}})", line.did, line.time_us,
                       line.kind == Kind::kIdentity ? "identity" : "account", upstream_of(line));
  }
  return fmt::format(R"({{"did":"{}","time_us":{},"kind":"commit","commit":{{{}}}}})", line.did,
                     line.time_us, fields_of(line));
}

std::string to_message_v2(const Line& line, std::uint64_t seq) {
  using Kind = Line::Kind;
  const char* kind = "commit";
  std::string fields;
  switch (line.kind) {
    case Kind::kIdentity:
      kind = "identity";
      fields = upstream_of(line);
      break;
    case Kind::kAccount:
      kind = "account";
      fields = upstream_of(line);
      break;
    case Kind::kSync:
      kind = "sync";
      fields = fmt::format(R"("sync":{{"did":"{}","rev":"{}","seq":{}}})", line.did,
                           tid(line.revision), line.sequence);
      break;
    default:
      fields = fields_of(line);
      break;
  }
  const std::string witnessed = rfc3339(line.time_us);
  return fmt::format(
      R"({{"$type":"message","payload":{{"$type":"network.bsky.jetstream.subscribeEvents#{}","did":"{}","seq":{},"time":"{}","witnessedAt":"{}",{}}}}})",
      kind, line.did, seq, line.imported_us != 0 ? rfc3339(line.imported_us) : witnessed, witnessed,
      fields);
}

}  // namespace geotally::support
