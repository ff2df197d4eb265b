// A request and an answer as plain values: what routes see of HTTP.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace geotally::http {

/// Views hold during the call of a route.
struct Request {
  std::string_view path;  ///< decoded, without the query
  /// Decoded, in the order in which they came.
  std::vector<std::pair<std::string, std::string>> query;
  // Lists: lines of the same name are joined with commas.
  std::string accept;
  std::string accept_encoding;
  std::string if_none_match;
  std::string_view
      action;  ///< the header Geotally-Action, which no page of another origin can send

  /// The first parameter of that name.
  [[nodiscard]] std::optional<std::string_view> parameter(std::string_view name) const;
};

/// A body is shared and immutable, so a page is rendered once and sent many times.
struct Response {
  unsigned code = 200;
  std::string_view content_type = "text/plain; charset=utf-8";
  std::shared_ptr<const std::string> body;  ///< nullptr = empty
  /// The same, compressed beforehand; nullptr = the server compresses when it is worth it.
  std::shared_ptr<const std::string> body_gzip;
  std::string etag;  ///< with its quotes; empty = the server makes one
  /// Further header lines, e.g. {"Content-Security-Policy", "…"}. Static texts.
  std::vector<std::pair<std::string_view, std::string_view>> headers;

  [[nodiscard]] static Response text(unsigned code, std::string body);
};

/// A request's target, taken apart.
struct Target {
  /// Of an absolute-form target ("http://HOST:PORT/path"): it stands in for the Host header
  /// (RFC 9112, 3.2.2). Empty = the target has none.
  std::string authority;
  std::string path;
  std::vector<std::pair<std::string, std::string>> query;
};
inline constexpr std::size_t kParametersMax = 32;
/// "/path?name=value&…", with or without "http://HOST" before it, decoded; nothing for what is
/// of neither form.
[[nodiscard]] std::optional<Target> parse_target(std::string_view target);

}  // namespace geotally::http
