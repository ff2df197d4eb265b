// zstd as the feeds use it: one frame a message, made with a dictionary whose id
// stands in the frame's header.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "feed/buffer.h"

namespace geotally::feedgen {

/// Not thread-safe.
class Compressor {
 public:
  /// `files`: dictionaries, used by turn. Throws std::runtime_error where one is none.
  explicit Compressor(const std::vector<std::string>& files);
  ~Compressor();
  Compressor(const Compressor&) = delete;
  Compressor& operator=(const Compressor&) = delete;

  [[nodiscard]] bool available() const { return !dictionaries_.empty(); }
  [[nodiscard]] std::uint32_t id() const;
  [[nodiscard]] const std::string& dictionary() const;
  /// The next dictionary from now on.
  void rotate();
  /// Appends the frame of `message`. Requires available().
  void compress(Buffer& out, std::string_view message);
  /// Appends what no client may read: `what` is binary (the message as it is), zstd_garbage,
  /// zstd_truncated, zstd_wrong_id, zstd_bomb (1 GiB of spaces), zstd_no_dictionary.
  void spoil(Buffer& out, std::string_view what, std::string_view message);

 private:
  struct Dictionary;
  struct Context;
  std::vector<std::unique_ptr<Dictionary>> dictionaries_;
  std::unique_ptr<Context> context_;
  std::size_t current_ = 0;
  std::string bomb_;  ///< made once: it takes a second
  std::size_t bomb_of_ = 0;
};

/// A dictionary of at most `size` bytes from samples, with the id `id`.
/// Throws std::runtime_error where the samples are too few.
[[nodiscard]] std::string train_dictionary(const std::vector<std::string>& samples,
                                           std::size_t size, std::uint32_t id);

}  // namespace geotally::feedgen
