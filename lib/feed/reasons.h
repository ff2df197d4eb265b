// Why connections fail and end. Closed lists: the names are metric labels, and those of
// Disconnect are causes of gaps.
#pragma once

#include <cstdint>
#include <string_view>

namespace geotally::feed {

/// Why an attempt to connect failed.
enum class ConnectFailure : std::uint8_t {
  kDns,      ///< the name did not resolve
  kTcp,      ///< no address accepted
  kTls,      ///< no trust: expired, another host's, self-signed, unknown root, no TLS
  kHttp,     ///< the server or the proxy answered something else than the upgrade
  kTimeout,  ///< nothing answered in time
};
inline constexpr std::size_t kConnectFailures = 5;
[[nodiscard]] std::string_view to_string(ConnectFailure reason);

/// Why a connection ended.
enum class Disconnect : std::uint8_t {
  kServerClosed,   ///< a close frame, or the end of the stream
  kServerRestart,  ///< close code 1001
  kTooSlow,        ///< the server says that we do not keep up
  kSilent,         ///< no data frame for longer than `silence_max`
  kProtocolError,  ///< not a websocket, or a message beyond every limit
  kIoError,        ///< reset, or broken inside TLS
  kLagging,        ///< left for another host, because this one is far behind
  kPreferred,      ///< left for a host that is preferred and may be back
  kReopened,       ///< reopen() was called
  kDictionary,     ///< the zstd dictionary changed
  kStopped,        ///< stop() was called
};
inline constexpr std::size_t kDisconnects = 11;
[[nodiscard]] std::string_view to_string(Disconnect reason);

}  // namespace geotally::feed
