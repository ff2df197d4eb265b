// How an XRPC server refuses before the upgrade: {"error": name, "message": text}.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace geotally::feed {

struct XrpcError {
  std::string name;     ///< letters and digits only; empty = the body is no such answer
  std::string message;  ///< for machines, not for the log
};
[[nodiscard]] XrpcError parse_xrpc_error(std::string_view body);

/// CursorTooOld: the oldest sequence that the server still has, out of its message ("cursor 17
/// below lookback floor 4000; …"): the first number above the one that was `asked` for.
[[nodiscard]] std::optional<std::uint64_t> named_floor(std::string_view message,
                                                       std::uint64_t asked);

}  // namespace geotally::feed
