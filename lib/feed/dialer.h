// Connects to the first of several addresses of a host that accepts, so that a dead one costs
// a moment and not a timeout. Source: RFC 8305 (Happy Eyeballs 2), sections 4 and 5.
//
// On one io_context that one thread runs. The time that all of it may take is the caller's:
// cancel() makes dial() return.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/basic_stream_socket.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>

namespace geotally::feed {

/// The addresses with their families taking turns, beginning with that of the first; within a
/// family they keep their order.
[[nodiscard]] std::vector<boost::asio::ip::tcp::endpoint> interleaved(
    const std::vector<boost::asio::ip::tcp::endpoint>& addresses);

class Dialer {
 public:
  using Endpoint = boost::asio::ip::tcp::endpoint;
  /// A concrete executor: any_io_executor costs per call.
  using Socket = boost::asio::basic_stream_socket<boost::asio::ip::tcp,
                                                  boost::asio::io_context::executor_type>;
  struct Options {
    /// So long an attempt has before the next one begins beside it; one that fails makes room
    /// at once.
    std::chrono::milliseconds attempt_delay{250};
    std::function<void(const Endpoint&)> on_attempt = {};
  };
  struct Result {
    std::optional<Socket> socket;     ///< connected; empty = no address accepted, or cancel()
    Endpoint address;                 ///< of the socket
    std::vector<Endpoint> failed;     ///< that said no
    boost::system::error_code error;  ///< of the last that failed, where there is no socket
  };

  explicit Dialer(boost::asio::io_context& io);
  ~Dialer();
  Dialer(const Dialer&) = delete;
  Dialer& operator=(const Dialer&) = delete;

  /// Tries the addresses in their order; the first that accepts wins, and the others are closed.
  /// Once only. `addresses` and `options` must live until it returns.
  [[nodiscard]] boost::asio::awaitable<Result> dial(const std::vector<Endpoint>& addresses,
                                                    const Options& options);
  /// Closes every attempt; dial() returns without a socket.
  void cancel();

 private:
  struct Race;
  const std::shared_ptr<Race> race_;  // shared with the handlers of its attempts
};

}  // namespace geotally::feed
