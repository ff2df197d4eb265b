// Timestamp identifiers of atproto: 13 characters that sort as the 64-bit number
// they stand for. Source: atproto.com/specs/tid.
#pragma once

#include <cstdint>
#include <string_view>

namespace geotally::feed {

/// The number of the TID `text`, which rises per account; 0 when it is no TID (a TID is
/// never 0: that would be 1970).
[[nodiscard]] std::uint64_t parse_tid(std::string_view text);

}  // namespace geotally::feed
