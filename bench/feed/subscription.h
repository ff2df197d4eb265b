// What a client asked for: the query of its request, and updates of it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_set>
#include <utility>
#include <vector>

#include "feed/script.h"

namespace geotally::feedgen {

/// Why a request is refused, as v2's JSON errors say it.
struct Refusal {
  std::string error;  ///< "InvalidRequest"
  std::string message;
};

class Subscription {
 public:
  Wire wire = Wire::kV1;
  std::optional<std::uint64_t> cursor;
  std::uint64_t max_message_bytes = 0;  ///< 0 = no cap
  bool require_hello = false;           ///< v1: nothing before the first options_update
  bool compress = false;
  std::optional<std::uint64_t> dictionary;  ///< v2: id of the dictionary that the client has

  /// Reads the query of a request. Rules: FEEDS of Jetstream v1 and v2; see README.md.
  [[nodiscard]] static std::optional<Refusal> parse(std::string_view target, Wire wire,
                                                    Subscription& out);
  /// v1: {"type":"options_update","payload":{…}}. False = not valid, nothing is changed.
  [[nodiscard]] bool update(std::string_view message);

  /// Whether event `number` is wanted.
  [[nodiscard]] bool wants(const Script& script, std::uint64_t number);

 private:
  [[nodiscard]] bool wants_collection(std::string_view name) const;

  std::vector<std::string> collections_;  ///< NSIDs, and prefixes that end in '.'
  std::unordered_set<std::string> dids_;
  std::unordered_set<std::string> kinds_;  ///< v2; empty = all
  bool everything_ = true;
  std::vector<signed char> by_label_;  ///< -1 = not asked yet
};

/// The path and the decoded pairs of a request target; nullopt where it is malformed.
struct Target {
  std::string path;
  std::vector<std::pair<std::string, std::string>> query;
};
[[nodiscard]] std::optional<Target> parse_target(std::string_view target);

}  // namespace geotally::feedgen
