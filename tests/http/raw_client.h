// A client that sends exactly the bytes that it is told to, over a real socket.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

namespace geotally::http {

struct Answer {
  int code = 0;                                ///< 0: the connection ended without one
  std::map<std::string, std::string> headers;  ///< names in lower case
  std::string body;
};

/// Reads give up after 30 s, which fails a test without hanging it.
class RawClient {
 public:
  /// `receive_buffer_bytes`: 0 = the system's; small ones make a slow reader.
  explicit RawClient(std::uint16_t port, int receive_buffer_bytes = 0,
                     const char* address = "127.0.0.1");
  ~RawClient();
  RawClient(const RawClient&) = delete;
  RawClient& operator=(const RawClient&) = delete;

  /// False when the other end is gone.
  bool send(std::string_view bytes);
  void shut_down_sending();
  /// One answer, its body by Content-Length; `head`: an answer to HEAD.
  Answer receive(bool head = false);
  /// Whether the server closes: reads and drops what still comes.
  bool closed_by_server();

 private:
  bool fill();
  int socket_ = -1;
  std::string received_;
};

/// One request on a connection of its own: GET with the Host that the server has.
Answer get(std::uint16_t port, std::string_view target, std::string_view more_headers = {});

/// The text in a gzip member; "" if it is none.
std::string gunzip(const std::string& member);

}  // namespace geotally::http
