// A websocket server made by hand, on a real loopback socket: it sends exactly the bytes that
// a test wants, and sees exactly those that come. Plain threads and blocking calls, sharing
// no code with what is tested.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include <openssl/ssl.h>

namespace geotally::feed {

/// One accepted connection, on the server's thread. Reads give up after 10 s.
class Peer {
 public:
  Peer(int descriptor, SSL* tls) : descriptor_(descriptor), tls_(tls) {}
  ~Peer();
  Peer(const Peer&) = delete;
  Peer& operator=(const Peer&) = delete;

  /// Reads the request's head into request(); false = it did not come.
  bool read_request();
  /// read_request(), then the 101 answer.
  bool upgrade();
  /// The 101 answer to the request that was read.
  bool accept();
  bool send(std::string_view bytes);
  /// Sends in pieces of `piece` bytes, one system call each.
  bool dribble(std::string_view bytes, std::size_t piece);
  struct Received {
    bool ok = false;  ///< false = the end of the stream
    std::uint8_t opcode = 0;
    bool masked = false;
    std::string payload;  ///< unmasked
  };
  /// The next frame of the client.
  Received receive();
  /// Waits until the client has closed, and answers its close frame; true = it did.
  bool wait_for_end();
  void reset();  ///< ends with a TCP reset

  [[nodiscard]] const std::string& request() const { return request_; }
  /// "/subscribe?…" of the request.
  [[nodiscard]] std::string target() const;
  /// The name that the client asked for by TLS (SNI); empty = none.
  [[nodiscard]] std::string server_name() const;
  /// Value of a header, as sent; empty = none.
  [[nodiscard]] std::string header_of(std::string_view name) const;

 private:
  bool read_exactly(char* to, std::size_t size);
  int descriptor_;
  SSL* tls_;
  std::string request_;
};

/// Accepts on a port (0 = one of its own) and runs `script` for one connection after another. An
/// exception out of the script fails the test that runs.
class ByteServer {
 public:
  using Script = std::function<void(Peer& peer, int index)>;
  explicit ByteServer(Script script, SSL_CTX* tls = nullptr, const char* address = "127.0.0.1",
                      std::uint16_t port = 0);
  ~ByteServer();
  ByteServer(const ByteServer&) = delete;
  ByteServer& operator=(const ByteServer&) = delete;

  [[nodiscard]] std::uint16_t port() const { return port_; }
  /// "ws://127.0.0.1:PORT/subscribe"
  [[nodiscard]] std::string url() const;
  [[nodiscard]] int accepted() const { return accepted_; }

 private:
  void run();
  Script script_;
  SSL_CTX* tls_;
  int listener_ = -1;
  std::uint16_t port_ = 0;
  std::atomic<int> accepted_{0};
  std::atomic<bool> stopping_{false};
  std::mutex mutex_;
  int current_ = -1;  // protected by mutex_
  std::thread thread_;
};

/// An address that is there and does not answer: a listening socket whose queue is full.
class DeadAddress {
 public:
  DeadAddress(const char* address, std::uint16_t port);
  ~DeadAddress();
  DeadAddress(const DeadAddress&) = delete;
  DeadAddress& operator=(const DeadAddress&) = delete;

 private:
  std::vector<int> sockets_;
};

}  // namespace geotally::feed
