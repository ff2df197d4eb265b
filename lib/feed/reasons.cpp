#include "feed/reasons.h"

namespace geotally::feed {

std::string_view to_string(ConnectFailure reason) {
  switch (reason) {
    case ConnectFailure::kDns:
      return "dns";
    case ConnectFailure::kTcp:
      return "tcp";
    case ConnectFailure::kTls:
      return "tls";
    case ConnectFailure::kHttp:
      return "http";
    case ConnectFailure::kTimeout:
      return "timeout";
  }
  return "";
}

std::string_view to_string(Disconnect reason) {
  switch (reason) {
    case Disconnect::kServerClosed:
      return "server_closed";
    case Disconnect::kServerRestart:
      return "server_restart";
    case Disconnect::kTooSlow:
      return "too_slow";
    case Disconnect::kSilent:
      return "silent";
    case Disconnect::kProtocolError:
      return "protocol_error";
    case Disconnect::kIoError:
      return "io_error";
    case Disconnect::kLagging:
      return "lagging";
    case Disconnect::kPreferred:
      return "preferred";
    case Disconnect::kReopened:
      return "reopened";
    case Disconnect::kDictionary:
      return "dictionary";
    case Disconnect::kStopped:
      return "stopped";
  }
  return "";
}

}  // namespace geotally::feed
