// RFC 6455, section 5: the few lines of framing that a server needs. Messages are
// framed straight into the buffer that is sent, which is what makes the feed fast.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "feed/buffer.h"

namespace geotally::feedgen {

enum class Opcode : std::uint8_t {
  kContinuation = 0,
  kText = 1,
  kBinary = 2,
  kClose = 8,
  kPing = 9,
  kPong = 10,
};

/// Appends one unmasked frame.
void append_frame(Buffer& out, Opcode opcode, std::string_view payload, bool final = true);
/// Appends a close frame; code 1005 = one without a code.
void append_close(Buffer& out, std::uint16_t code, std::string_view reason);

/// A frame whose payload is written in place: begin, append the payload to the buffer, end.
class FrameWriter {
 public:
  explicit FrameWriter(Buffer& out);
  [[nodiscard]] std::size_t payload_size() const;
  void end(Opcode opcode);
  void cancel();

 private:
  Buffer& out_;
  std::size_t start_;
};

/// Takes the frames of a client apart.
class FrameReader {
 public:
  struct Message {
    Opcode opcode{};
    std::string payload;
  };
  enum class Result : std::uint8_t { kMore, kMessage, kProtocolError };

  void feed(std::string_view bytes) { bytes_.append(bytes); }
  /// The next whole message or control frame.
  [[nodiscard]] Result next(Message& out);

 private:
  static constexpr std::size_t kMessageMax = 10'000'000;
  std::string bytes_;
  std::string message_;
  Opcode opcode_ = Opcode::kContinuation;
};

}  // namespace geotally::feedgen
