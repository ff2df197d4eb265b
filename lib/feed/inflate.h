// zstd with a dictionary, as both wires of Jetstream use it: one zstd frame a message. One
// context and one prepared dictionary for ever (a new context each time costs 16 µs).
// Source of the format: RFC 8878.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace geotally::feed {

class Dictionary {
 public:
  /// Prepares `bytes`, a structured zstd dictionary. Null, with one line in `error`, when
  /// they are none.
  [[nodiscard]] static std::unique_ptr<Dictionary> prepare(std::string_view bytes,
                                                           std::string& error);
  /// The same for a file that the operator names.
  [[nodiscard]] static std::unique_ptr<Dictionary> read(const std::string& path,
                                                        std::string& error);
  ~Dictionary();
  [[nodiscard]] std::uint32_t id() const { return id_; }

 private:
  friend class Inflater;
  struct Prepared;
  Dictionary() = default;
  std::unique_ptr<Prepared> prepared_;
  std::uint32_t id_ = 0;  // never 0 once prepared
};

class Inflater {
 public:
  enum class Outcome : std::uint8_t {
    kOk,
    kBroken,           ///< cut off, corrupt, or something follows the frame
    kTooLarge,         ///< more than `bytes_max` comes out of it
    kOtherDictionary,  ///< made with another dictionary: other_dictionary()
  };

  explicit Inflater(std::size_t bytes_max);
  ~Inflater();

  /// Decompresses one message. `text` holds until the next call; kFramePadding readable bytes
  /// follow it. Memory is bounded by `bytes_max`, whatever the message claims.
  [[nodiscard]] Outcome inflate(std::string_view message, const Dictionary& dictionary,
                                std::string_view& text);
  [[nodiscard]] std::uint32_t other_dictionary() const { return other_dictionary_; }

 private:
  struct Context;
  std::unique_ptr<Context> context_;
  const std::size_t bytes_max_;
  std::unique_ptr<char[]> output_;  // bytes_max and the padding; pages are touched when used
  std::uint32_t other_dictionary_ = 0;
};

}  // namespace geotally::feed
