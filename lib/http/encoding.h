// Content coding and validators. Pure.
#pragma once

#include <string>
#include <string_view>

namespace geotally::http {

/// `text` as a gzip member. Throws std::bad_alloc only.
[[nodiscard]] std::string gzip(std::string_view text);
/// A weak validator of `body`, with its quotes: the same for each of its codings.
[[nodiscard]] std::string etag_of(std::string_view body);
/// Whether an If-None-Match header names `etag` (weak comparison, RFC 9110, 13.1.2).
[[nodiscard]] bool names_etag(std::string_view if_none_match, std::string_view etag);

}  // namespace geotally::http
