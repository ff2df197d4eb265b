// Takes websocket messages straight out of a large read buffer, and leaves everything
// else (the handshake's answer, pings, closes, violations) to the websocket library above.
// Source of the framing: RFC 6455, section 5.2.
//
// The library never gets a byte past the HTTP header, nor past the control frame that it is
// given: what it does not hold, it cannot hide. It never sees a data frame, unless one that
// it will refuse: masked, with reserved bits, of an impossible length, out of order, or beyond
// every limit. Compression by the websocket layer (permessage-deflate) must not be negotiated.
//
// Nor does it see interim responses (1xx other than 101) before the final one, which a client
// must be able to pass over (RFC 9110, section 15.2) and the library takes for a refusal.
//
// Pure: bytes in, calls out. No I/O.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>

namespace geotally::feed {

struct SplitterOptions {
  std::size_t buffer_bytes = 256 * 1024;
  std::size_t message_bytes_max = 1024 * 1024;         ///< longer ones are skipped
  std::uint64_t skip_bytes_max = 64ULL * 1024 * 1024;  ///< a longer frame ends the connection
};

class FrameSplitter {
 public:
  struct Sink {
    /// One whole message; kFramePadding readable bytes follow it. May call halt() or discard().
    std::function<void(std::string_view message, bool binary)> on_message;
    std::function<void()> on_too_large;
  };
  enum class Step : std::uint8_t {
    kNeed,  ///< fill() more
    kHand,  ///< take() has bytes for the library
    kHalt,  ///< halt() was called
  };

  FrameSplitter(SplitterOptions options, Sink sink);

  /// Hands over every whole message that the buffer holds, then says what it needs.
  [[nodiscard]] Step next();
  /// Room for more bytes, never empty after kNeed; views given out before are void.
  [[nodiscard]] std::span<char> room();
  /// `size` bytes were written into room().
  void filled(std::size_t size) { end_ += size; }
  /// Moves bytes that the library may have into `to`; their number, > 0 after kHand.
  [[nodiscard]] std::size_t take(std::span<char> to);

  /// The handshake is done: frames follow.
  void begin_frames();
  /// Drops messages from now on instead of handing them over.
  void discard() { discard_ = true; }
  /// next() gives kHalt from now on.
  void halt() { halted_ = true; }
  [[nodiscard]] bool halted() const { return halted_; }
  [[nodiscard]] bool in_frames() const { return frames_; }

 private:
  enum class Head : std::uint8_t { kUnknown, kInterim, kFinal };
  [[nodiscard]] static Head head_of(std::string_view text);
  struct Header {
    std::size_t bytes = 0;  // of the header itself, a mask's four included; 0 = not whole yet
    std::uint64_t payload = 0;
    std::uint8_t opcode = 0;
    bool final = false;
    bool plain = false;  // a data frame that we may take
  };
  [[nodiscard]] std::size_t available() const { return end_ - begin_; }
  [[nodiscard]] Header read_header() const;
  [[nodiscard]] Step next_http();
  /// Drops interim responses from the front. False = more bytes are needed to tell.
  [[nodiscard]] bool pass_interim();
  [[nodiscard]] std::size_t find_http_end(std::size_t at);
  [[nodiscard]] bool take_frame(const Header& header);
  [[nodiscard]] bool continue_payload();
  void finish_collected();
  void deliver(std::string_view message, bool binary);

  const SplitterOptions options_;
  const Sink sink_;
  std::unique_ptr<char[]> buffer_;  // buffer_bytes and the padding
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
  std::uint64_t handed_left_ = 0;  // bytes of the current frame that are the library's

  bool frames_ = false;            // false: HTTP
  std::size_t http_end_ = 0;       // how much of "\r\n\r\n" was just seen; 4 = the header is over
  Head head_ = Head::kUnknown;     // what the response is that begins or goes on at begin_
  std::size_t interim_bytes_ = 0;  // dropped so far

  // The message in progress, when it did not come as one frame inside the buffer.
  bool in_message_ = false;
  bool binary_ = false;
  bool skipping_ = false;  // it is too large
  bool final_ = false;     // the frame in progress is its last
  std::uint64_t payload_left_ = 0;
  bool in_payload_ = false;
  std::string collected_;

  bool discard_ = false;
  bool halted_ = false;
};

}  // namespace geotally::feed
