#include "feed/websocket_frame.h"

namespace geotally::feedgen {
namespace {

std::size_t header_size(std::size_t payload) {
  if (payload < 126) return 2;
  return payload < 65'536 ? 4 : 10;
}

void put_header(char* out, Opcode opcode, bool final, std::size_t payload) {
  out[0] = static_cast<char>((final ? 0x80 : 0) | static_cast<int>(opcode));
  if (payload < 126) {
    out[1] = static_cast<char>(payload);
    return;
  }
  const int bytes = payload < 65'536 ? 2 : 8;
  out[1] = static_cast<char>(bytes == 2 ? 126 : 127);
  for (int i = 0; i < bytes; ++i) {
    out[2 + i] = static_cast<char>(payload >> (8 * (bytes - 1 - i)) & 0xff);
  }
}

constexpr std::size_t kUsualHeader = 4;

}  // namespace

void append_frame(Buffer& out, Opcode opcode, std::string_view payload, bool final) {
  const std::size_t header = header_size(payload.size());
  char* const start = out.room(header + payload.size());
  put_header(start, opcode, final, payload.size());
  if (!payload.empty()) std::memcpy(start + header, payload.data(), payload.size());
  out.commit(start + header + payload.size());
}

void append_close(Buffer& out, std::uint16_t code, std::string_view reason) {
  std::string payload;
  if (code != 1005) {
    payload += static_cast<char>(code >> 8);
    payload += static_cast<char>(code & 0xff);
    payload += reason.substr(0, 123);
  }
  append_frame(out, Opcode::kClose, payload);
}

FrameWriter::FrameWriter(Buffer& out) : out_(out), start_(out.size()) {
  out_.commit(out_.room(kUsualHeader) + kUsualHeader);
}

std::size_t FrameWriter::payload_size() const { return out_.size() - start_ - kUsualHeader; }

void FrameWriter::end(Opcode opcode) {
  const std::size_t payload = payload_size();
  const std::size_t header = header_size(payload);
  if (header != kUsualHeader) {
    (void)out_.room(header);
    char* const frame = out_.data() + start_;
    std::memmove(frame + header, frame + kUsualHeader, payload);
    out_.truncate(start_ + header + payload);
  }
  put_header(out_.data() + start_, opcode, true, payload);
}

void FrameWriter::cancel() { out_.truncate(start_); }

FrameReader::Result FrameReader::next(Message& out) {
  if (bytes_.size() < 2) return Result::kMore;
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(bytes_[i]); };
  const bool final = (byte(0) & 0x80) != 0;
  const auto opcode = static_cast<Opcode>(byte(0) & 0x0f);
  const bool control = (byte(0) & 0x08) != 0;
  if ((byte(0) & 0x70) != 0 || (byte(1) & 0x80) == 0) return Result::kProtocolError;
  std::uint64_t size = byte(1) & 0x7f;
  std::size_t header = 2;
  if (size >= 126) {
    const std::size_t bytes = size == 126 ? 2 : 8;
    if (control) return Result::kProtocolError;
    if (bytes_.size() < 2 + bytes) return Result::kMore;
    size = 0;
    for (std::size_t i = 0; i < bytes; ++i) size = size << 8 | byte(2 + i);
    header += bytes;
  }
  if (size > kMessageMax || message_.size() + size > kMessageMax) return Result::kProtocolError;
  if (control && !final) return Result::kProtocolError;
  if (bytes_.size() < header + 4 + size) return Result::kMore;
  std::string payload = bytes_.substr(header + 4, size);
  for (std::size_t i = 0; i < payload.size(); ++i) {
    payload[i] = static_cast<char>(payload[i] ^ bytes_[header + i % 4]);
  }
  bytes_.erase(0, header + 4 + size);
  if (control) {
    out = {opcode, std::move(payload)};
    return Result::kMessage;
  }
  if (opcode != Opcode::kContinuation) {
    opcode_ = opcode;
    message_.clear();
  }
  message_ += payload;
  if (!final) return next(out);
  out = {opcode_, std::move(message_)};
  message_.clear();
  return Result::kMessage;
}

}  // namespace geotally::feedgen
