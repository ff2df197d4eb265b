// The address of a feed, as the operator writes it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace geotally::feed {

/// ws://host[:port][/path][?query] or wss://…; IPv6 in brackets. No user, no fragment.
struct Url {
  bool tls = false;
  std::string host;  ///< without brackets, lower case; a dot at its end stays
  std::uint16_t port = 0;
  std::string target;  ///< path and query, as written; "/" when there is none

  /// "host:port", the brackets of IPv6 kept: names the host in cursors, logs and proofs.
  [[nodiscard]] std::string authority() const;
  /// The host without the dot at the end of an absolute name: what certificates and servers call
  /// it (RFC 6066, section 3). The dot is for the resolver only.
  [[nodiscard]] std::string_view name() const;
  /// The value of the Host header: name(), and the port when it is not the scheme's own.
  [[nodiscard]] std::string host_header() const;

  /// False, with one line in `error` that says what is wrong, when `text` is no feed address.
  /// The line never repeats the text, which may hold a secret.
  [[nodiscard]] static bool parse(std::string_view text, Url& url, std::string& error);

  friend bool operator==(const Url&, const Url&) = default;
};

}  // namespace geotally::feed
