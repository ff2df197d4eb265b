// One websocket connection, from an address to its end. connection.cpp is the only file that
// includes Beast's websocket and TLS; it is slow to compile, so nothing else lives there.
//
// Several addresses of a host are tried beside each other (dialer.h); the first that accepts is
// used.
//
// Coroutines on one io_context that one thread runs. A timeout is the caller's: abort() makes
// whatever is waiting return.
//
// What is awaited takes its arguments by reference to variables of the caller's frame. A
// precaution: GCC 12 has had faults with temporaries of class type in co_await expressions.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>

#include "feed/dialer.h"
#include "feed/follower.h"
#include "feed/frame_splitter.h"
#include "feed/reasons.h"
#include "feed/url.h"

namespace geotally::feed {

/// Trust in servers: the system's roots (SSL_CERT_FILE and SSL_CERT_DIR honoured), chain and
/// host name always verified. Shared by all connections of a process.
class TlsTrust;
/// Throws std::runtime_error when OpenSSL cannot be set up.
[[nodiscard]] std::shared_ptr<TlsTrust> make_tls_trust();

/// What a connection is opened with.
struct OpenRequest {
  /// Of the host, or of the proxy, in the order in which to try them; at least one.
  std::vector<boost::asio::ip::tcp::endpoint> addresses;
  Dialer::Options dialing;
  bool through_proxy = false;
  std::string proxy_user;  ///< "name:password"; empty = none
  Url url;                 ///< for TLS, Host and the proxy; its target is not used
  std::string target;      ///< path and query
  std::string token;       ///< bearer; empty = none
  std::string user_agent;
};

struct OpenResult {
  bool open = false;
  ConnectFailure failure = ConnectFailure::kTcp;
  std::string detail;  ///< for the log: never a payload, never a secret
  /// Whether an address accepted us at all, and those that need not be tried again: the one that
  /// accepted and those that refused.
  bool accepted = false;
  std::vector<boost::asio::ip::tcp::endpoint> tried;
  /// When an HTTP server, or the proxy, answered something else than what it was asked for.
  unsigned status = 0;
  std::string body;
  std::string retry_after;  ///< the header, as it came
};

struct ConnectionEnd {
  Disconnect reason = Disconnect::kIoError;
  std::string detail;
};

struct ConnectionHandlers {
  std::function<void(std::string_view message, bool binary)> on_message;
  std::function<void()> on_too_large;
  std::function<void()> on_drained;
};

class Connection {
 public:
  /// `counts` is borrowed and must outlive the connection. `trust` may be null when no
  /// request has TLS.
  Connection(boost::asio::io_context& io, std::shared_ptr<TlsTrust> trust, SplitterOptions options,
             ConnectionHandlers handlers, FollowerCounts& counts);
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  /// Connects, asks the proxy, shakes hands for TLS, upgrades. Once only. `request` must
  /// live until it returns.
  [[nodiscard]] boost::asio::awaitable<OpenResult> open(const OpenRequest& request);
  /// Hands over messages until the connection ends. After open() succeeded, once only.
  [[nodiscard]] boost::asio::awaitable<ConnectionEnd> run();

  /// Sends a close frame (1000) and drops what still comes; run() ends with the answer.
  void close();
  /// From now on what comes is dropped.
  void discard();
  /// Closes the socket: open() or run() end soon.
  void abort();

  /// GETs `target` of `url` over the same trust and proxy, at most `bytes_max` of body:
  /// for things that stand beside the stream, as a dictionary. Instead of open().
  [[nodiscard]] boost::asio::awaitable<OpenResult> fetch(const OpenRequest& request,
                                                         std::size_t bytes_max);

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace geotally::feed
