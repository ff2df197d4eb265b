#include "feed/xrpc_error.h"

#include <charconv>
#include <vector>

#include <simdjson.h>

namespace geotally::feed {
namespace {

// All numbers in `text`, in order; those that do not fit are left out.
std::vector<std::uint64_t> numbers(std::string_view text) {
  std::vector<std::uint64_t> found;
  const char* at = text.data();
  const char* const end = text.data() + text.size();
  while (at != end) {
    if (*at < '0' || *at > '9') {
      ++at;
      continue;
    }
    std::uint64_t value = 0;
    const auto [next, failed] = std::from_chars(at, end, value);
    if (failed == std::errc()) found.push_back(value);
    at = next;
  }
  return found;
}

}  // namespace

XrpcError parse_xrpc_error(std::string_view body) {
  XrpcError error;
  simdjson::dom::parser parser;
  simdjson::dom::element document;
  std::string_view name;
  if (parser.parse(body.data(), body.size()).get(document) != simdjson::SUCCESS ||
      document["error"].get(name) != simdjson::SUCCESS) {
    return error;
  }
  for (const char c : name.substr(0, 64)) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    if (plain) error.name += c;
  }
  std::string_view message;
  if (document["message"].get(message) == simdjson::SUCCESS) error.message = message;
  return error;
}

std::optional<std::uint64_t> named_floor(std::string_view message, std::uint64_t asked) {
  for (const std::uint64_t number : numbers(message)) {
    if (number > asked) return number;
  }
  return std::nullopt;
}

}  // namespace geotally::feed
