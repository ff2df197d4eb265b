#include "feed/frame_splitter.h"

#include <algorithm>
#include <cstring>

#include "feed/dialect.h"

namespace geotally::feed {
namespace {

constexpr std::uint8_t kContinuation = 0;
constexpr std::uint8_t kBinary = 2;
constexpr std::size_t kBufferMin = 1024;
constexpr std::string_view kHttpEnd = "\r\n\r\n";
// Of interim responses; whoever sends more is left to the library, which refuses them.
constexpr std::size_t kInterimBytesMax = 64 * 1024;

}  // namespace

FrameSplitter::FrameSplitter(SplitterOptions options, Sink sink)
    : options_{std::max(options.buffer_bytes, kBufferMin), options.message_bytes_max,
               std::max<std::uint64_t>(options.skip_bytes_max, options.message_bytes_max)},
      sink_(std::move(sink)),
      buffer_(std::make_unique<char[]>(options_.buffer_bytes + kFramePadding)) {}

std::span<char> FrameSplitter::room() {
  if (begin_ > 0) {
    std::memmove(buffer_.get(), buffer_.get() + begin_, available());
    end_ -= begin_;
    begin_ = 0;
  }
  return {buffer_.get() + end_, options_.buffer_bytes - end_};
}

std::size_t FrameSplitter::take(std::span<char> to) {
  const std::size_t size = static_cast<std::size_t>(
      std::min<std::uint64_t>(handed_left_, std::min(to.size(), available())));
  std::memcpy(to.data(), buffer_.get() + begin_, size);
  begin_ += size;
  handed_left_ -= size;
  return size;
}

void FrameSplitter::begin_frames() {
  frames_ = true;
  handed_left_ = 0;
}

FrameSplitter::Step FrameSplitter::next() {
  while (!halted_) {
    if (handed_left_ > 0) return available() > 0 ? Step::kHand : Step::kNeed;
    if (!frames_) return next_http();
    if (in_payload_) {
      if (!continue_payload()) return Step::kNeed;
      continue;
    }
    const Header header = read_header();
    if (header.bytes == 0) return Step::kNeed;
    if (!header.plain) {
      handed_left_ = header.bytes + header.payload;
      continue;
    }
    if (!take_frame(header)) return Step::kNeed;
  }
  return Step::kHalt;
}

// Up to and with the end of the header; what follows belongs to frames, or to the body of a
// refusal, which the library then asks for.
FrameSplitter::Step FrameSplitter::next_http() {
  if (!pass_interim() || available() == 0) return Step::kNeed;
  if (http_end_ == kHttpEnd.size()) {
    handed_left_ = available();
    return Step::kHand;
  }
  const std::size_t begin = begin_;
  handed_left_ = find_http_end(begin) - begin;
  return Step::kHand;
}

// Past the end of the header, or to the end of what there is; http_end_ says which.
std::size_t FrameSplitter::find_http_end(std::size_t at) {
  for (; at < end_ && http_end_ < kHttpEnd.size(); ++at) {
    if (buffer_[at] == kHttpEnd[http_end_]) {
      ++http_end_;
    } else {
      http_end_ = buffer_[at] == '\r' ? 1 : 0;
    }
  }
  return at;
}

bool FrameSplitter::pass_interim() {
  while (head_ != Head::kFinal) {
    if (head_ == Head::kUnknown) {
      const std::string_view text(buffer_.get() + begin_, available());
      head_ = head_of(text);
      if (head_ == Head::kUnknown) return false;
      continue;
    }
    const std::size_t end = find_http_end(begin_);
    interim_bytes_ += end - begin_;
    begin_ = end;
    if (interim_bytes_ > kInterimBytesMax) {
      head_ = Head::kFinal;
    } else if (http_end_ == kHttpEnd.size()) {
      head_ = Head::kUnknown;
    } else {
      return false;
    }
    http_end_ = 0;
  }
  return true;
}

// "HTTP/1.1 103 …" is interim; 101 is the answer that is waited for.
FrameSplitter::Head FrameSplitter::head_of(std::string_view text) {
  constexpr std::string_view kForm = "HTTP/1.d 1dd";
  const std::string_view seen = text.substr(0, kForm.size());
  for (std::size_t i = 0; i < seen.size(); ++i) {
    const bool digit = seen[i] >= '0' && seen[i] <= '9';
    if (kForm[i] == 'd' ? !digit : seen[i] != kForm[i]) return Head::kFinal;
  }
  if (seen.size() < kForm.size()) return Head::kUnknown;
  return seen.ends_with("101") ? Head::kFinal : Head::kInterim;
}

FrameSplitter::Header FrameSplitter::read_header() const {
  Header header;
  const auto byte = [this](std::size_t i) {
    return static_cast<std::uint8_t>(buffer_[begin_ + i]);
  };
  if (available() < 2) return header;
  const std::uint8_t first = byte(0);
  const std::uint8_t second = byte(1);
  const std::uint8_t short_length = second & 0x7F;
  const std::size_t extended = short_length == 126 ? 2 : short_length == 127 ? 8 : 0;
  const bool masked = (second & 0x80) != 0;
  const std::size_t bytes = 2 + extended + (masked ? 4 : 0);
  if (available() < bytes) return header;
  header.payload = extended == 0 ? short_length : 0;
  for (std::size_t i = 0; i < extended; ++i) header.payload = header.payload << 8 | byte(2 + i);
  header.bytes = bytes;
  header.opcode = first & 0x0F;
  header.final = (first & 0x80) != 0;

  const bool shortest =
      (extended != 2 || header.payload > 125) && (extended != 8 || header.payload > 0xFFFF);
  const bool expected = header.opcode == kContinuation ? in_message_ : !in_message_;
  header.plain = (first & 0x70) == 0 && header.opcode <= kBinary && !masked && shortest &&
                 expected && header.payload <= options_.skip_bytes_max;
  if (!header.plain) {
    // What the library refuses ends the connection, so the sum must only not overflow.
    header.payload = std::min<std::uint64_t>(header.payload, UINT64_MAX / 2);
  }
  return header;
}

// A data frame begins at begin_. False = more bytes are needed first.
bool FrameSplitter::take_frame(const Header& header) {
  const bool starts = header.opcode != kContinuation;
  const std::uint64_t so_far = starts ? 0 : collected_.size();
  const bool fits = so_far + header.payload <= options_.message_bytes_max;
  if (starts && header.final && fits) {
    // The usual case: a whole message in one frame inside the buffer, or soon to be.
    const auto payload = static_cast<std::size_t>(header.payload);
    if (header.bytes + payload <= available()) {
      const std::string_view message(buffer_.get() + begin_ + header.bytes, payload);
      begin_ += header.bytes + payload;
      deliver(message, header.opcode == kBinary);
      return true;
    }
    if (header.bytes + payload <= options_.buffer_bytes) return false;
  }
  begin_ += header.bytes;
  if (starts) {
    in_message_ = true;
    skipping_ = false;
    binary_ = header.opcode == kBinary;
    collected_.clear();
  }
  if (!fits && !skipping_) {
    skipping_ = true;
    collected_.clear();
    if (!discard_) sink_.on_too_large();
  }
  final_ = header.final;
  payload_left_ = header.payload;
  in_payload_ = true;
  return true;
}

// Takes what there is of the current frame's payload. False = more bytes are needed.
bool FrameSplitter::continue_payload() {
  const auto size = static_cast<std::size_t>(std::min<std::uint64_t>(payload_left_, available()));
  if (!skipping_) collected_.append(buffer_.get() + begin_, size);
  begin_ += size;
  payload_left_ -= size;
  if (payload_left_ > 0) return false;
  in_payload_ = false;
  if (final_) finish_collected();
  return true;
}

void FrameSplitter::finish_collected() {
  in_message_ = false;
  if (skipping_) return;
  const std::size_t size = collected_.size();
  collected_.append(kFramePadding, '\0');
  deliver(std::string_view(collected_).substr(0, size), binary_);
  collected_.clear();
}

void FrameSplitter::deliver(std::string_view message, bool binary) {
  if (!discard_) sink_.on_message(message, binary);
}

}  // namespace geotally::feed
