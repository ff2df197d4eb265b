// The sockets of a feed: one port a host, and one for control. The only user of Beast.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "feed/feed.h"

namespace geotally::feedgen {

struct ServerOptions {
  std::vector<std::uint16_t> ports = {0};  ///< by host; 0 = any that is free
  std::uint16_t control_port = 0;
  std::int64_t ping_us = 30'000'000;  ///< between pings; 0 = none
  std::int64_t pong_us = 5'000'000;   ///< a pong that takes longer ends the connection
  std::uint64_t outbox = 0;  ///< a live client that is further behind is cut off; 0 = is waited for
  bool coalesce = true;      ///< many messages a write; false = one
  std::size_t chunk_bytes = 256 * 1024;
  int send_buffer_bytes = 0;     ///< of the socket; 0 = the system's
  std::string certificate_file;  ///< PEM chain; empty = no TLS
  std::string key_file;
  std::vector<std::string> dictionaries;  ///< zstd dictionaries, by turn; the first is used first
  std::uint64_t compress_ahead = 0;       ///< so many messages, before anything is sent
};

class Server {
 public:
  /// Listens on 127.0.0.1. Throws std::runtime_error where a port or a file cannot be used.
  Server(Feed& feed, ServerOptions options);
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  /// {"feeds":["ws://127.0.0.1:…",…],"control":"http://127.0.0.1:…"}
  [[nodiscard]] std::string addresses() const;
  /// Serves until SIGTERM, SIGINT or POST /stop; tells clients (1001) and returns.
  void run();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace geotally::feedgen
