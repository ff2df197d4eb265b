// Which feeds are reached through an HTTP CONNECT proxy, as curl and others read
// HTTPS_PROXY and NO_PROXY.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace geotally::feed {

struct Proxy {
  std::string host;
  std::uint16_t port = 0;
  std::string user;  ///< "name:password", decoded; empty = none. A secret: never logged

  /// "http://[user[:password]@]host[:port]", the scheme optional. False, with one line in
  /// `error` that repeats nothing of it, when `text` is no such address.
  [[nodiscard]] static bool parse(std::string_view text, Proxy& proxy, std::string& error);
};

/// Whether `no_proxy` names the host: comma-separated; a name matches itself and what is
/// below it, a leading dot or none; "*" matches all; ":port" narrows; addresses match as text.
[[nodiscard]] bool bypasses_proxy(std::string_view no_proxy, std::string_view host,
                                  std::uint16_t port);

struct ProxySettings {
  std::string proxy;
  std::string no_proxy;
};
/// https_proxy and no_proxy, lower case before upper. Read at start-up, before threads.
[[nodiscard]] ProxySettings proxy_from_environment();

}  // namespace geotally::feed
