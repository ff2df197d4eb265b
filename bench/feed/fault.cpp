#include "feed/fault.h"

#include <array>
#include <charconv>
#include <stdexcept>

#include "feed/text.h"

namespace geotally::feedgen {
namespace {

struct Known {
  FaultKind kind;
  std::string_view name;
  std::string_view keys;  ///< besides every, times and host
};
constexpr auto kKnown = std::to_array<Known>({
    {FaultKind::kDrop, "drop", " how "},
    {FaultKind::kSilent, "silent", " for "},
    {FaultKind::kStall, "stall", " for "},
    {FaultKind::kRewind, "rewind", " span cursors how "},
    {FaultKind::kReorder, "reorder", " events "},
    {FaultKind::kForget, "forget", " lost how "},
    {FaultKind::kLose, "lose", " events "},
    {FaultKind::kCorrupt, "corrupt", " what count bytes "},
    {FaultKind::kFuture, "future", " ahead accounts "},
    {FaultKind::kRefuse, "refuse", " status body connections for how "},
    {FaultKind::kRestart, "restart", " sequence clock for "},
    {FaultKind::kDelay, "delay", " by "},
    {FaultKind::kFragment, "fragment", " events "},
    {FaultKind::kSplit, "split", " events "},
    {FaultKind::kPing, "ping", " count "},
    {FaultKind::kRotate, "rotate", " "},
    {FaultKind::kSync, "sync", " count "},
    {FaultKind::kInfo, "info", " name "},
    {FaultKind::kError, "error", " name how "},
});

std::optional<std::uint64_t> parse_number(std::string_view text) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || text.empty()) return {};
  return value;
}

[[noreturn]] void refuse(std::string_view text, const std::string& why) {
  throw std::invalid_argument("fault '" + std::string(text) + "': " + why);
}

const Known& known(std::string_view text, std::string_view name) {
  std::string names;
  for (const Known& entry : kKnown) {
    if (entry.name == name) return entry;
    names.append(names.empty() ? "" : ", ").append(entry.name);
  }
  refuse(text, "unknown; allowed: " + names);
}

/// Those that are no text: they are sent as binary messages, whatever the client asked for.
constexpr std::string_view kBinaryWhats =
    " binary zstd_garbage zstd_truncated zstd_wrong_id zstd_bomb zstd_no_dictionary ";

std::string spoiled_post(const Mould& mould, std::string_view field, std::string_view value) {
  std::string record = R"({"$type":"app.bsky.feed.post","createdAt":"2012-01-01T00:00:00.000Z",)";
  record.append("\"").append(field).append("\":").append(value).append("}");
  return made_up_post(mould, "7zzzzzzzzzzzz", record);
}

// A right message of a later server, of an account that does not exist: a kind, a collection or a
// status that nobody knows yet, or a time at the end of what 64 bits hold.
std::string foreign(std::string_view what, const Mould& mould) {
  const bool v2 = mould.wire == Wire::kV2;
  std::string time = std::to_string(mould.time_us);
  if (what == "int64_min") time = std::to_string(INT64_MIN);
  if (what == "int64_max") time = std::to_string(INT64_MAX);
  std::string_view kind = what == "foreign_status" ? "account" : "commit";
  std::string_view body =
      R"({"rev":"7zzzzzzzzzzzz","operation":"create","collection":"app.bsky.feed.like",)"
      R"("rkey":"7zzzzzzzzzzzz","record":{"$type":"app.bsky.feed.like"},"cid":"x"})";
  if (what == "foreign_kind") {
    kind = "weather";
    body = R"({"rain":[true,null,-1.5e3]})";
  } else if (what == "foreign_collection") {
    body = R"({"rev":"7zzzzzzzzzzzz","operation":"create","collection":"org.example.chess.move",)"
           R"("rkey":"self","record":{"$type":"org.example.chess.move"},"cid":"x"})";
  } else if (what == "foreign_status") {
    body = R"({"active":false,"did":"did:plc:zzzzzzzzzzzzzzzzzzzzzzzz","seq":9223372036854775807,)"
           R"("status":"vanished","time":"2012-01-01T00:00:00.000Z"})";
  }
  const std::string did = R"("did":"did:plc:zzzzzzzzzzzzzzzzzzzzzzzz",)";
  if (!v2) {
    return "{" + did + R"("time_us":)" + time + R"(,"kind":")" + std::string(kind) + R"(",")" +
           std::string(kind) + "\":" + std::string(body) + "}";
  }
  std::array<char, 32> shown{};
  const char* const end = put_time(shown.data(), mould.time_us, 6);
  const std::string at(shown.data(), static_cast<std::size_t>(end - shown.data()));
  const std::string sequence =
      what.starts_with("int64_") ? std::move(time) : std::to_string(mould.sequence);
  std::string fields = R"(")" + std::string(kind) + "\":" + std::string(body);
  if (kind == "commit") fields = std::string(body.substr(1, body.size() - 2));
  return R"({"$type":"message","payload":{"$type":"network.bsky.jetstream.subscribeEvents#)" +
         std::string(kind) + R"(",)" + did + fields + R"(,"seq":)" + sequence + R"(,"time":")" +
         at + R"("}})";
}

}  // namespace

std::string Fault::get(std::string_view key, std::string_view otherwise) const {
  const auto found = parameters.find(key);
  return found == parameters.end() ? std::string(otherwise) : found->second;
}

std::uint64_t Fault::number(std::string_view key, std::uint64_t otherwise) const {
  const auto found = parameters.find(key);
  if (found == parameters.end()) return otherwise;
  const auto value = parse_number(found->second);
  if (!value) refuse(text, std::string(key) + " is no number");
  return *value;
}

std::int64_t Fault::duration_us(std::string_view key, std::int64_t otherwise) const {
  const auto found = parameters.find(key);
  if (found == parameters.end()) return otherwise;
  const auto value = parse_duration_us(found->second);
  if (!value) refuse(text, std::string(key) + " is no duration (250ms, 5s, 10m, 1h, 2d)");
  return *value;
}

std::string_view fault_name(FaultKind kind) {
  for (const Known& entry : kKnown) {
    if (entry.kind == kind) return entry.name;
  }
  return "?";
}

Fault parse_fault(std::string_view text, std::uint64_t now) {
  Fault fault;
  fault.text = text;
  const auto at = text.find('@');
  if (at == std::string_view::npos) refuse(text, "is not NAME@N[:key=value,…]");
  const Known& entry = known(text, text.substr(0, at));
  fault.kind = entry.kind;
  std::string_view rest = text.substr(at + 1);
  const auto colon = rest.find(':');
  const std::string_view place = rest.substr(0, colon);
  const auto number = place == "now" ? std::optional(now) : parse_number(place);
  if (!number) refuse(text, "N is no number");
  fault.at = *number;
  rest = colon == std::string_view::npos ? std::string_view() : rest.substr(colon + 1);
  while (!rest.empty()) {
    const auto comma = rest.find(',');
    const std::string_view item = rest.substr(0, comma);
    rest = comma == std::string_view::npos ? std::string_view() : rest.substr(comma + 1);
    const auto equals = item.find('=');
    if (equals == std::string_view::npos) refuse(text, "'" + std::string(item) + "' has no value");
    const std::string key(item.substr(0, equals));
    fault.parameters[key] = item.substr(equals + 1);
    if (key == "every" || key == "times" || key == "host") continue;
    if (entry.keys.find(" " + key + " ") == std::string_view::npos) {
      refuse(text,
             "unknown key '" + key + "'; allowed:" + std::string(entry.keys) + "every times host");
    }
  }
  fault.every = fault.number("every", 0);
  fault.times = fault.number("times", fault.every > 0 ? UINT64_MAX : 1);
  if (fault.every == 0 && fault.parameters.contains("times")) {
    if (fault.kind != FaultKind::kRefuse) refuse(text, "times needs every=EVENTS");
    fault.parameters.emplace("connections", fault.parameters["times"]);
  }
  fault.host = static_cast<int>(fault.number("host", 0)) - 1;
  for (const char* key : {"for", "span", "ahead", "by", "clock"}) (void)fault.duration_us(key, 0);
  for (const char* key : {"cursors", "events", "lost", "count", "bytes", "accounts", "status",
                          "connections", "sequence"}) {
    (void)fault.number(key, 0);
  }
  const std::string what = fault.get("what", "bad_json");
  if (fault.kind == FaultKind::kCorrupt &&
      kBinaryWhats.find(" " + what + " ") == std::string_view::npos) {
    (void)corrupted(what, {}, 1);
  }
  return fault;
}

std::optional<std::int64_t> parse_duration_us(std::string_view text) {
  const bool negative = text.starts_with('-');
  if (negative) text.remove_prefix(1);
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc()) return {};
  const std::string_view unit = text.substr(static_cast<std::size_t>(end - text.data()));
  constexpr std::array<std::pair<std::string_view, double>, 7> kUnits = {
      {{"", 1e6}, {"us", 1}, {"ms", 1e3}, {"s", 1e6}, {"m", 60e6}, {"h", 3600e6}, {"d", 86400e6}}};
  for (const auto& [name, factor] : kUnits) {
    if (unit != name) continue;
    if (!(value * factor < 9e18)) return {};
    const auto result = static_cast<std::int64_t>(value * factor);
    return negative ? -result : result;
  }
  return {};
}

std::string made_up_post(const Mould& mould, std::string_view rev, std::string_view record) {
  std::string frame;
  const auto add = [&](auto... parts) { (frame.append(parts), ...); };
  if (mould.wire == Wire::kV1) {
    add(R"({"did":")", mould.did, R"(","time_us":)", std::to_string(mould.time_us),
        R"(,"kind":"commit","commit":{"rev":")", rev,
        R"(","operation":"create","collection":"app.bsky.feed.post","rkey":")", rev,
        R"(","record":)", record, R"(,"cid":"x"}})");
    return frame;
  }
  std::array<char, 32> time{};
  const char* const end = put_time(time.data(), mould.time_us, 6);
  add(R"({"$type":"message","payload":{"$type":"network.bsky.jetstream.subscribeEvents#commit",)",
      R"("cid":"x","collection":"app.bsky.feed.post","did":")", mould.did,
      R"(","operation":"create","record":)", record, R"(,"rev":")", rev, R"(","rkey":")", rev,
      R"(","seq":)", std::to_string(mould.sequence), R"(,"time":")",
      std::string_view(time.data(), static_cast<std::size_t>(end - time.data())), R"("}})");
  return frame;
}

std::string corrupted(std::string_view what, const Mould& mould, std::size_t oversize_bytes) {
  const std::string_view base = mould.message;
  const bool v2 = mould.wire == Wire::kV2;
  const std::string envelope =
      R"({"$type":"message","payload":{"$type":"network.bsky.jetstream.subscribeEvents#commit",)";
  if (what == "bad_json") return std::string(base.substr(0, base.size() / 2)) + "}]\"," + "{";
  if (what == "truncated") return std::string(base.substr(0, base.size() * 2 / 3));
  if (what == "deep") {
    return spoiled_post(mould, "text", std::string(5000, '[') + std::string(5000, ']'));
  }
  if (what == "utf8") return spoiled_post(mould, "text", "\"\xff\xfe\xc3(\"");
  if (what == "oversized") {
    return spoiled_post(mould, "text", "\"" + std::string(oversize_bytes, 'q') + "\"");
  }
  if (what == "empty") return "";
  if (what == "array") return "[1,2,3]";
  if (what == "number") return "17";
  if (what == "surrogate") return spoiled_post(mould, "langs", R"(["\ud800"],"text":7)");
  if (what == "nul") return std::string("\0{\"did\":1}", 10);
  if (what == "missing_did") {
    return v2 ? envelope + R"("seq":5,"time":"2012-01-01T00:00:00.000000Z"}})"
              : R"({"time_us":1725911162329308,"kind":"commit"})";
  }
  if (what == "wrong_type") {
    return v2 ? envelope + R"("did":5,"seq":"x","time":{},"operation":7}})"
              : R"({"did":5,"time_us":"now","kind":{}})";
  }
  if (what == "huge_number") {
    return v2 ? envelope + R"("did":"did:plc:aaaaaaaaaaaaaaaaaaaaaaaa",)" +
                    R"("seq":99999999999999999999999999,"time":"2012-01-01T00:00:00.000000Z"}})"
              : R"({"did":"did:plc:aaaaaaaaaaaaaaaaaaaaaaaa",)"
                R"("time_us":99999999999999999999999999,"kind":"commit","commit":{}})";
  }
  if (what == "foreign_frame") {
    return R"({"$type":"event","event":{"did":"did:plc:zzzzzzzzzzzzzzzzzzzzzzzz"}})";
  }
  if (what == "foreign_kind" || what == "foreign_collection" || what == "foreign_status" ||
      what == "int64_min" || what == "int64_max") {
    return foreign(what, mould);
  }
  throw std::invalid_argument(
      "corrupt: what is one of bad_json, truncated, deep, utf8, oversized, empty, array, number, "
      "surrogate, nul, missing_did, wrong_type, huge_number, foreign_frame, foreign_kind, "
      "foreign_collection, foreign_status, int64_min, int64_max, or as binary:" +
      std::string(kBinaryWhats));
}

}  // namespace geotally::feedgen
