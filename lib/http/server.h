// The admin server: its own thread and event loop, so that a scrape never delays
// the feed and a burst of events never delays a scrape. It reads snapshots only.
//
// GET and HEAD; no CORS; every read and write has a time limit; connections,
// headers and bodies are bounded. Nothing that a client sends reaches another thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "config/config.h"
#include "config/secret.h"
#include "http/sources.h"
#include "metrics/metrics.h"

namespace geotally::log {
class Logger;
}

namespace geotally::http {

struct Options {
  config::Endpoint listen;
  std::vector<std::string> allowed_hosts;  ///< besides the loopback names and the bound address
  /// Where not empty: all but /healthz and /readyz ask for `Authorization: Bearer …`.
  config::Secret token;
  std::size_t connections_max = 64;  ///< and a few more that may only ask /healthz and /readyz

  // Tests set these; the configuration does not.
  std::chrono::milliseconds request_timeout{10'000};  ///< until a request's last byte
  std::chrono::milliseconds idle_timeout{75'000};     ///< between two requests
  std::chrono::milliseconds write_timeout{10'000};    ///< for a whole answer
  std::chrono::milliseconds later_timeout{30'000};    ///< for what a POST has to wait for
  std::chrono::milliseconds slow_answer{1'000};       ///< a full house shows slower readers out
  std::chrono::milliseconds prompt_request{200};      ///< a full house waits so long for the first
  std::chrono::milliseconds linger_timeout{1'000};    ///< for what a refused client still sends
  std::size_t header_bytes_max = 8'192;
};

/// The address cannot be bound: main says so in one line and exits with 69.
class ListenError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// Constructed, started and stopped by one thread; works in a thread of its own, "http".
class Server {
 public:
  /// Binds and listens, so that a taken port is known before anything else starts.
  /// Throws ListenError. `metrics` and `log` must outlive the server.
  Server(Options options, Sources sources, metrics::Metrics& metrics, log::Logger& log);
  /// stop()s.
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  /// Starts to answer. Once.
  void start();
  /// Closes every connection and joins the thread. May be called again.
  void stop();
  /// A new commit is shown. Any thread; returns at once.
  void on_commit();
  /// The port that was bound.
  [[nodiscard]] std::uint16_t port() const;

 private:
  class Loop;
  std::unique_ptr<Loop> loop_;
};

}  // namespace geotally::http
