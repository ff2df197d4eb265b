// What a client would rather have: weighted lists of header fields. Pure.
// Source: RFC 9110, sections 5.6.1 (lists), 12.4.2 (weights), 12.5.1 and 12.5.3.
#pragma once

#include <functional>
#include <string_view>

namespace geotally::http {

/// Calls `visit` with each element of a comma-separated list, trimmed, until it returns false.
/// A comma inside a quoted string separates nothing; empty elements are passed over.
void each_element(std::string_view list, const std::function<bool(std::string_view)>& visit);

/// Whether an Accept-Encoding header takes gzip, and would not rather have the text as it is. Lines
/// of the same name are joined with a comma. An element whose weight is malformed is passed over.
[[nodiscard]] bool accepts_gzip(std::string_view accept_encoding);

/// Whether an Accept header would rather have text/csv than application/json. Where both are
/// wanted alike, the one that is named more exactly wins, and JSON if neither is; so does JSON
/// where neither is acceptable. Parameters of a type other than its weight are not looked at.
[[nodiscard]] bool prefers_csv(std::string_view accept);

}  // namespace geotally::http
