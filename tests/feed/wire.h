// Websocket frames as a server writes them, for tests that need every byte under control.
// Source: RFC 6455, section 5.2.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace geotally::feed {

enum Opcode : std::uint8_t {
  kContinue = 0,
  kText = 1,
  kBinaryData = 2,
  kClose = 8,
  kPing = 9,
  kPong = 10,
};

/// Header of a frame that announces `size` bytes, in the shortest form.
inline std::string header(std::uint8_t opcode, std::uint64_t size, bool final = true) {
  std::string out(1, static_cast<char>(opcode | (final ? 0x80 : 0)));
  const auto number = [&out, size](int bytes) {
    for (int i = bytes - 1; i >= 0; --i) out += static_cast<char>(size >> (8 * i) & 0xFF);
  };
  if (size < 126) {
    out += static_cast<char>(size);
  } else if (size < 65536) {
    out += static_cast<char>(126);
    number(2);
  } else {
    out += static_cast<char>(127);
    number(8);
  }
  return out;
}

inline std::string frame(std::uint8_t opcode, std::string_view payload, bool final = true) {
  return header(opcode, payload.size(), final) + std::string(payload);
}

inline std::string text(std::string_view payload) { return frame(kText, payload); }

inline std::string close_frame(std::uint16_t code) {
  return frame(kClose, std::string{static_cast<char>(code >> 8), static_cast<char>(code & 0xFF)});
}

}  // namespace geotally::feed
