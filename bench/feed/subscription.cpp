#include "feed/subscription.h"

#include <algorithm>
#include <charconv>

#include <simdjson.h>

namespace geotally::feedgen {
namespace {

constexpr std::size_t kCollectionsMax = 100;
constexpr std::size_t kDidsMax = 10'000;

std::optional<std::uint64_t> parse_number(std::string_view text) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || text.empty()) return {};
  return value;
}

std::optional<std::string> decode(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '+') {
      out += ' ';
    } else if (text[i] == '%') {
      unsigned value = 0;
      if (i + 2 >= text.size()) return {};
      const auto [end, error] =
          std::from_chars(text.data() + i + 1, text.data() + i + 3, value, 16);
      if (error != std::errc() || end != text.data() + i + 3) return {};
      out += static_cast<char>(value);
      i += 2;
    } else {
      out += text[i];
    }
  }
  return out;
}

/// An NSID (three or more segments) or a prefix of one that ends in ".*".
bool is_collection(std::string_view name) {
  if (name.ends_with(".*"))
    name.remove_suffix(2);
  else if (std::count(name.begin(), name.end(), '.') < 2)
    return false;
  if (name.empty() || name.size() > 317 || name.front() == '.' || name.back() == '.') return false;
  return std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
           c == '-';
  });
}

bool is_did(std::string_view did) {
  return did.starts_with("did:") && did.size() > 8 && did.find(':', 4) != std::string_view::npos;
}

Refusal invalid(std::string message) { return {"InvalidRequest", std::move(message)}; }

void keep_collection(std::vector<std::string>& list, std::string_view name) {
  if (name.ends_with('*')) name.remove_suffix(1);
  list.emplace_back(name);
}

}  // namespace

std::optional<Target> parse_target(std::string_view text) {
  Target target;
  const auto question = text.find('?');
  target.path = text.substr(0, question);
  if (question == std::string_view::npos) return target;
  std::string_view rest = text.substr(question + 1);
  while (!rest.empty()) {
    const auto next = rest.find('&');
    const std::string_view pair = rest.substr(0, next);
    rest = next == std::string_view::npos ? std::string_view() : rest.substr(next + 1);
    if (pair.empty()) continue;
    const auto equals = pair.find('=');
    auto key = decode(pair.substr(0, equals));
    auto value =
        decode(equals == std::string_view::npos ? std::string_view() : pair.substr(equals + 1));
    if (!key || !value) return {};
    target.query.emplace_back(std::move(*key), std::move(*value));
  }
  return target;
}

std::optional<Refusal> Subscription::parse(std::string_view text, Wire wire, Subscription& out) {
  out = Subscription();
  out.wire = wire;
  const bool v2 = wire == Wire::kV2;
  const auto target = parse_target(text);
  if (!target) return invalid("the query is not URL encoded");
  for (const auto& [key, value] : target->query) {
    if (key == (v2 ? "collections" : "wantedCollections")) {
      if (!is_collection(value)) return invalid(key + ": not an NSID or prefix.*: " + value);
      keep_collection(out.collections_, value);
    } else if (key == (v2 ? "dids" : "wantedDids")) {
      if (!is_did(value)) return invalid(key + ": not a DID: " + value);
      out.dids_.insert(value);
    } else if (key == "cursor") {
      if (value.empty()) continue;  // as if it were absent
      const auto number = parse_number(value);
      if (!number) return invalid("cursor: not a number: " + value);
      out.cursor = number;
    } else if (key == "maxMessageSizeBytes") {
      const auto number = parse_number(value);
      if (!number) return invalid("maxMessageSizeBytes: not a number: " + value);
      out.max_message_bytes = *number;
    } else if (v2 && key == "kinds") {
      if (value != "commit" && value != "identity" && value != "account" && value != "sync") {
        return invalid("kinds: not commit, identity, account or sync: " + value);
      }
      out.kinds_.insert(value);
    } else if (v2 && key == "zstdDictionary") {
      const auto number = parse_number(value);
      if (!number) return invalid("zstdDictionary: not a number: " + value);
      out.dictionary = number;
      out.compress = true;
    } else if (!v2 && key == "compress") {
      out.compress = value == "true";
    } else if (!v2 && key == "requireHello") {
      out.require_hello = value == "true";
    } else if (v2 && (key == "wantedCollections" || key == "wantedDids" || key == "compress" ||
                      key == "requireHello")) {
      return invalid(key + ": is a parameter of v1");
    }
  }
  if (out.collections_.size() > kCollectionsMax) return invalid("at most 100 collections");
  if (out.dids_.size() > kDidsMax) return invalid("at most 10000 dids");
  if (v2 && !out.collections_.empty() && !out.kinds_.empty() && !out.kinds_.contains("commit")) {
    return invalid("collections: needs commit among kinds");
  }
  out.everything_ = out.collections_.empty() && out.dids_.empty() && out.kinds_.empty();
  return {};
}

bool Subscription::update(std::string_view message) {
  simdjson::dom::parser parser;
  simdjson::dom::element root;
  if (parser.parse(message.data(), message.size()).get(root) != simdjson::SUCCESS) return false;
  std::string_view type;
  simdjson::dom::element payload;
  if (root["type"].get(type) != simdjson::SUCCESS || type != "options_update") return false;
  if (root["payload"].get(payload) != simdjson::SUCCESS || !payload.is_object()) return false;
  std::vector<std::string> collections;
  std::unordered_set<std::string> dids;
  simdjson::dom::array list;
  if (payload["wantedCollections"].get(list) == simdjson::SUCCESS) {
    for (const auto item : list) {
      std::string_view name;
      if (item.get(name) != simdjson::SUCCESS || !is_collection(name)) return false;
      keep_collection(collections, name);
    }
  }
  if (payload["wantedDids"].get(list) == simdjson::SUCCESS) {
    for (const auto item : list) {
      std::string_view did;
      if (item.get(did) != simdjson::SUCCESS || !is_did(did)) return false;
      dids.emplace(did);
    }
  }
  if (collections.size() > kCollectionsMax || dids.size() > kDidsMax) return false;
  std::uint64_t bytes = 0;
  if (payload["maxMessageSizeBytes"].get(bytes) == simdjson::SUCCESS) max_message_bytes = bytes;
  collections_ = std::move(collections);
  dids_ = std::move(dids);
  everything_ = collections_.empty() && dids_.empty() && kinds_.empty();
  by_label_.clear();
  require_hello = false;
  return true;
}

bool Subscription::wants_collection(std::string_view name) const {
  if (collections_.empty()) return true;
  return std::any_of(collections_.begin(), collections_.end(), [&](const std::string& wanted) {
    return wanted.back() == '.' ? name.starts_with(wanted) : name == wanted;
  });
}

bool Subscription::wants(const Script& script, std::uint64_t number) {
  if (everything_) return true;
  const Script::Label label = script.label(number);
  if (label != Script::kNoCollection) {
    if (by_label_.size() <= label) by_label_.resize(label + 1U, -1);
    signed char& wanted = by_label_[label];
    if (wanted < 0) wanted = wants_collection(script.collection(label)) ? 1 : 0;
    if (wanted == 0) return false;
  }
  if (!kinds_.empty() && !kinds_.contains(std::string(script.kind(number)))) return false;
  return dids_.empty() || dids_.contains(script.did(number));
}

}  // namespace geotally::feedgen
