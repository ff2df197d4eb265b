#include "config/keys.h"

#include <algorithm>
#include <cctype>
#include <cmath>

#include <fmt/format.h>

#include "config/values.h"

namespace geotally::config {
namespace {

/// A member that is an enum whose values count from 0, as ChoiceField wants it. `Accessor` is
/// the type of a lambda without a capture, which can be made anywhere.
template <class Accessor>
ChoiceField choice(Accessor) {
  return {[](const Config& config) {
            // The accessor is shared with the setter; it does not change what it is given.
            return static_cast<std::size_t>(Accessor{}(const_cast<Config&>(config)));
          },
          [](Config& config, std::size_t index) {
            auto& member = Accessor{}(config);
            member = static_cast<std::remove_reference_t<decltype(member)>>(index);
          }};
}

// clang-format off
#define GEOTALLY_ACCESSOR(path) [](Config& config) -> decltype((config.path)) { return config.path; }
#define GEOTALLY_MEMBER(path) (+GEOTALLY_ACCESSOR(path))
#define GEOTALLY_CHOICE(path) choice(GEOTALLY_ACCESSOR(path))
// clang-format on

std::vector<Key> make_keys() {
  using enum Takes;
  constexpr double kGib = 1024.0 * 1024.0;  // in MiB: a pebibyte is no mistake worth a refusal
  return {
      {.name = "feed.urls",
       .field = GEOTALLY_MEMBER(feed.urls),
       .doc = "Websocket URLs of the feed, path included. The first is tried first; the others are "
              "where to go when it fails. A parameter in a query that keeps posts away, or that "
              "contradicts another key, is refused; `geotally check-config` says which.",
       .max = 16,
       .check = check_url},
      {.name = "feed.wire",
       .field = GEOTALLY_CHOICE(feed.wire),
       .doc = "What the hosts in feed.urls speak.",
       .choices = {"jetstream-v1", "jetstream-v2"}},
      {.name = "feed.start",
       .field = GEOTALLY_MEMBER(feed.start),
       .doc = "Where a new store begins: with what comes next, with the oldest that the host still "
              "has, or at a time. A store that has a cursor resumes from it."},
      {.name = "feed.quiet_s",
       .field = GEOTALLY_MEMBER(feed.quiet_s),
       .doc = "Reconnect when no data frame came for so long (pongs do not count). 0: a quiet feed "
              "is legitimate.",
       .unit = "s",
       .max = 86'400},
      {.name = "feed.margin_s",
       .field = GEOTALLY_MEMBER(feed.margin_s),
       .doc = "A reconnect resumes so much feed time before the cursor; the overlap is not counted "
              "twice. At least tally.fence_horizon_s.",
       .unit = "s",
       .min = 1,
       .max = 3'600},
      {.name = "feed.backoff_max_s",
       .field = GEOTALLY_MEMBER(feed.backoff_max_s),
       .doc = "Longest pause between two attempts to connect; a host that says Retry-After (429 or "
              "503) is waited for longer, up to 600 s, while other URLs are tried.",
       .unit = "s",
       .min = 1,
       .max = 3'600},
      {.name = "feed.lag_max_s",
       .field = GEOTALLY_MEMBER(feed.lag_max_s),
       .doc = "With several URLs: leave a host whose newest event is older than this. 0: never.",
       .unit = "s",
       .max = 86'400},
      {.name = "feed.preferred_after_s",
       .field = GEOTALLY_MEMBER(feed.preferred_after_s),
       .doc = "With several URLs: so long after leaving a preferred host, try it again.",
       .unit = "s",
       .min = 1,
       .max = 86'400},
      {.name = "feed.message_bytes_max",
       .field = GEOTALLY_MEMBER(feed.message_bytes_max),
       .doc = "A longer message is rejected (and counted as such); the connection stays.",
       .unit = "bytes",
       .min = 1'024,
       .max = 67'108'864},
      {.name = "feed.depth_max",
       .field = GEOTALLY_MEMBER(feed.depth_max),
       .doc = "A message nested deeper is rejected.",
       .min = 8,
       .max = 1'024},
      {.name = "feed.collections",
       .field = GEOTALLY_MEMBER(feed.collections),
       .doc = "Collections to ask the host for; none asks for all of them.",
       .max = 100,
       .check = check_collection},
      {.name = "feed.token_file",
       .field = GEOTALLY_MEMBER(feed.token_file),
       .doc =
           "File with the bearer token for the feed, in ASCII; white space and a byte-order mark "
           "around it are cut off. Default: feed-token in $CREDENTIALS_DIRECTORY, if it is "
           "there.",
       .check = check_path},
      {.name = "feed.zstd",
       .field = GEOTALLY_CHOICE(feed.zstd),
       .doc = "Ask for compressed messages. jetstream-v1 needs feed.zstd_dictionary too.",
       .choices = {"off", "on"}},
      {.name = "feed.zstd_dictionary",
       .field = GEOTALLY_MEMBER(feed.zstd_dictionary),
       .doc = "File with the dictionary that the host compresses with.",
       .check = check_path},
      {.name = "tally.clock",
       .field = GEOTALLY_CHOICE(tally.clock),
       .doc = "What moves the windows: the wall clock, so that a silent feed still ages, or the "
              "feed's own time, for archives.",
       .choices = {"wall", "feed"}},
      {.name = "tally.windows",
       .field = GEOTALLY_MEMBER(tally.windows),
       .doc = "Rolling windows, as a number and s, m, h or d. Whole seconds up to 15m, minutes up "
              "to 24h, hours up to 90d.",
       .min = 1,
       .max = 16},
      {.name = "tally.fence_horizon_s",
       .field = GEOTALLY_MEMBER(tally.fence_horizon_s),
       .doc = "Feed time within which events of an account may arrive in any order and still count "
              "once.",
       .unit = "s",
       .min = 1,
       .max = 3'600},
      {.name = "tally.erase_deleted_days",
       .field = GEOTALLY_MEMBER(tally.erase_deleted_days),
       .doc = "A deleted account is erased after so long.",
       .unit = "days",
       .max = 3'650},
      {.name = "store.data_dir",
       .field = GEOTALLY_MEMBER(store.data_dir),
       .doc = "Directory of the store; one daemon at a time. Default: $STATE_DIRECTORY if set.",
       .check = check_not_empty_path},
      {.name = "store.memory_mib",
       .field = GEOTALLY_MEMBER(store.memory_mib),
       .doc = "Bound on memory: accounts held in memory, the store's block cache and its memtables "
              "share it. Accounts beyond it are read from disk when they post. The least that "
              "works depends on pipeline.shards, and is said where it is not met.",
       .unit = "MiB",
       .min = 64,
       .max = kGib},
      {.name = "store.commit_interval_ms",
       .field = GEOTALLY_MEMBER(store.commit_interval_ms),
       .doc = "Time between two commits; longer when the disk does not keep up.",
       .unit = "ms",
       .min = 10,
       .max = 60'000},
      {.name = "pipeline.shards",
       .field = GEOTALLY_MEMBER(pipeline.shards),
       .doc = "Counting threads. May differ at every start.",
       .min = 1,
       .max = 64},
      {.name = "resolver.threshold",
       .field = GEOTALLY_MEMBER(resolver.threshold),
       .doc = "An account whose country is less certain than this counts as ZZ, unknown.",
       .min = 0,
       .max = 1},
      {.name = "resolver.table",
       .field = GEOTALLY_MEMBER(resolver.table),
       .doc = "File with the resolver's table; empty: the one beside the program, or installed "
              "with it.",
       .check = check_path},
      {.name = "http.listen",
       .field = GEOTALLY_MEMBER(http.listen),
       .doc = "Where the admin server listens. Anything but loopback needs http.token_file."},
      {.name = "http.allowed_hosts",
       .field = GEOTALLY_MEMBER(http.allowed_hosts),
       .doc = "Names that a request may carry as Host, besides the loopback names and the bound "
              "address.",
       .max = 64,
       .check = check_host},
      {.name = "http.connections_max",
       .field = GEOTALLY_MEMBER(http.connections_max),
       .doc = "Connections that the admin server holds at once.",
       .min = 1,
       .max = 4'096},
      {.name = "http.token_file",
       .field = GEOTALLY_MEMBER(http.token_file),
       .doc = "File with the bearer token that requests must carry (not /healthz and /readyz), in "
              "ASCII; white space and a byte-order mark around it are cut off. Default: http-token "
              "in $CREDENTIALS_DIRECTORY, if it is there.",
       .check = check_path},
      {.name = "log.level",
       .field = GEOTALLY_CHOICE(log.level),
       .takes = kReload,
       .doc = "Least severe message that is written.",
       .choices = {"debug", "info", "warning", "error"}},
      {.name = "log.format",
       .field = GEOTALLY_CHOICE(log.format),
       .doc = "How messages are written; auto: the journal's own fields when stderr is the "
              "journal, logfmt on a terminal, else JSON lines.",
       .choices = {"auto", "json", "logfmt", "journal"}},
  };
}

/// A TOML basic string.
std::string quoted(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      out += {'\\', c};
    } else if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) {
      out += fmt::format("\\u{:04X}", static_cast<unsigned>(c));
    } else {
      out += c;
    }
  }
  return out + '"';
}

std::string list_of(const std::vector<std::string>& entries) {
  std::string out = "[";
  for (const std::string& entry : entries) out += (out.size() > 1 ? ", " : "") + quoted(entry);
  return out + "]";
}

std::string joined(std::span<const std::string_view> words, std::string_view separator) {
  return fmt::format("{}", fmt::join(words, separator));
}

/// 86400 as "86400", 0.5 as "0.5".
std::string plain_number(double value) { return fmt::format("{}", value); }

std::string bound(double value) {
  return value == std::floor(value) ? fmt::format("{:.0f}", value) : plain_number(value);
}

template <class... Ts>
struct Overloaded : Ts... {
  using Ts::operator()...;
};
template <class... Ts>
Overloaded(Ts...) -> Overloaded<Ts...>;

using Integers = std::int64_t& (*)(Config&);
using Doubles = double& (*)(Config&);
using Strings = std::string& (*)(Config&);
using Lists = std::vector<std::string>& (*)(Config&);
using Starts = Start& (*)(Config&);
using WindowLists = std::vector<WindowLength>& (*)(Config&);
using Endpoints = Endpoint& (*)(Config&);

}  // namespace

std::span<const Key> keys() {
  static const std::vector<Key> table = make_keys();
  return table;
}

const Key* find_key(std::string_view name) {
  const auto table = keys();
  const auto found = std::ranges::find(table, name, &Key::name);
  return found == table.end() ? nullptr : &*found;
}

std::string type_name(const Key& key) {
  return std::visit(
      Overloaded{
          [](Integers) -> std::string { return "integer"; },
          [](Doubles) -> std::string { return "number"; },
          [](Strings) -> std::string { return "string"; },
          [](Lists) -> std::string { return "list of strings"; },
          [&](const ChoiceField&) -> std::string { return joined(key.choices, " | "); },
          [](Starts) -> std::string { return "live | oldest | RFC 3339 time with its zone"; },
          [](WindowLists) -> std::string { return "list of durations"; },
          [](Endpoints) -> std::string { return "HOST:PORT or [IPV6]:PORT"; },
      },
      key.field);
}

std::string allowed(const Key& key) {
  const bool number =
      std::holds_alternative<Integers>(key.field) || std::holds_alternative<Doubles>(key.field);
  if (number) {
    return bound(key.min) + " to " + bound(key.max) +
           (key.unit.empty() ? "" : " " + std::string(key.unit));
  }
  const bool list =
      std::holds_alternative<Lists>(key.field) || std::holds_alternative<WindowLists>(key.field);
  if (!list) return "";
  return key.min > 0 ? bound(key.min) + " to " + bound(key.max) + " entries"
                     : "at most " + bound(key.max) + " entries";
}

std::string value_text(const Key& key, const Config& config) {
  // The accessors hand out references to change; this one only looks.
  Config& source = const_cast<Config&>(config);
  return std::visit(
      Overloaded{
          [&](Integers member) { return std::to_string(member(source)); },
          [&](Doubles member) {
            const std::string text = plain_number(member(source));
            return text.find_first_of(".e") == std::string::npos ? text + ".0" : text;
          },
          [&](Strings member) { return quoted(member(source)); },
          [&](Lists member) { return list_of(member(source)); },
          [&](const ChoiceField& field) { return quoted(key.choices[field.get(source)]); },
          [&](Starts member) { return quoted(member(source).text); },
          [&](WindowLists member) {
            std::vector<std::string> names;
            for (const auto& window : member(source)) names.push_back(window.name);
            return list_of(names);
          },
          [&](Endpoints member) { return quoted(to_string(member(source))); },
      },
      key.field);
}

std::string variable_name(const Key& key) {
  std::string name = "GEOTALLY_";
  for (const char c : key.name) {
    if (c == '.') {
      name += "__";
    } else {
      name += static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
    }
  }
  return name;
}

std::string manual_entries() {
  const Config defaults;
  std::string out;
  std::string_view section;
  for (const Key& key : keys()) {
    const std::string_view its_section = key.name.substr(0, key.name.find('.'));
    if (its_section != section) {
      section = its_section;
      out += fmt::format("## [{}]\n\n", section);
    }
    // Underscores are markup in scdoc.
    const auto escaped = [](std::string_view text) {
      std::string result;
      for (const char c : text) {
        if (c == '_' || c == '*' || c == '\\' || c == '#') result += '\\';
        result += c;
      }
      return result;
    };
    const std::string range = allowed(key);
    out += fmt::format("*{}* = {}\n", escaped(key.name.substr(section.size() + 1)),
                       escaped(value_text(key, defaults)));
    out += fmt::format("\t{}{}{}. {} {}\n\n", escaped(type_name(key)), range.empty() ? "" : ", ",
                       range, escaped(key.doc),
                       key.takes == Takes::kReload ? "Taken by a reload." : "Takes a restart.");
  }
  return out;
}

}  // namespace geotally::config
