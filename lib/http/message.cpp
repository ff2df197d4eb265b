#include "http/message.h"

#include <algorithm>

namespace geotally::http {
namespace {

int hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

constexpr std::string_view kScheme = "http://";

bool is_absolute(std::string_view target) {
  return target.size() >= kScheme.size() &&
         std::equal(kScheme.begin(), kScheme.end(), target.begin(), [](char ours, char theirs) {
           return ours ==
                  (theirs >= 'A' && theirs <= 'Z' ? static_cast<char>(theirs + 32) : theirs);
         });
}

/// Nothing for a '%' that two hexadecimal digits do not follow.
std::optional<std::string> percent_decoded(std::string_view text, bool plus_is_space) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '+' && plus_is_space) {
      out += ' ';
    } else if (text[i] != '%') {
      out += text[i];
    } else {
      if (i + 2 >= text.size()) return std::nullopt;
      const int high = hex_value(text[i + 1]);
      const int low = hex_value(text[i + 2]);
      if (high < 0 || low < 0) return std::nullopt;
      out += static_cast<char>(high * 16 + low);
      i += 2;
    }
  }
  return out;
}

}  // namespace

std::optional<std::string_view> Request::parameter(std::string_view name) const {
  for (const auto& [key, value] : query) {
    if (key == name) return value;
  }
  return std::nullopt;
}

Response Response::text(unsigned code, std::string body) {
  Response response;
  response.code = code;
  response.body = std::make_shared<const std::string>(std::move(body));
  return response;
}

std::optional<Target> parse_target(std::string_view target) {
  Target parsed;
  if (is_absolute(target)) {
    target.remove_prefix(kScheme.size());
    const std::size_t end = std::min(target.find_first_of("/?"), target.size());
    parsed.authority = target.substr(0, end);
    target.remove_prefix(end);
    // "user@": deprecated, and a name that looks like another's (RFC 9110, 4.2.4).
    if (parsed.authority.empty() || parsed.authority.find('@') != std::string::npos) {
      return std::nullopt;
    }
  } else if (!target.starts_with('/')) {
    return std::nullopt;
  }
  const std::size_t mark = target.find('?');
  auto path = percent_decoded(target.substr(0, mark), false);
  if (!path) return std::nullopt;
  parsed.path = path->empty() ? "/" : std::move(*path);
  if (mark == std::string_view::npos) return parsed;
  std::string_view rest = target.substr(mark + 1);
  while (!rest.empty()) {
    const std::size_t end = std::min(rest.find('&'), rest.size());
    const std::string_view pair = rest.substr(0, end);
    rest.remove_prefix(std::min(end + 1, rest.size()));
    if (pair.empty()) continue;
    const std::size_t equals = std::min(pair.find('='), pair.size());
    auto name = percent_decoded(pair.substr(0, equals), true);
    auto value = percent_decoded(pair.substr(std::min(equals + 1, pair.size())), true);
    if (!name || !value || parsed.query.size() == kParametersMax) return std::nullopt;
    parsed.query.emplace_back(std::move(*name), std::move(*value));
  }
  return parsed;
}

}  // namespace geotally::http
