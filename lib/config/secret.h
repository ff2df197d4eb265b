// A secret comes from a file, is kept in one place and never printed.
#pragma once

#include <string>
#include <string_view>

namespace geotally::config {

class Secret {
 public:
  /// No secret.
  Secret() = default;
  /// For tests and for what was read elsewhere.
  explicit Secret(std::string value) : value_(std::move(value)) {}

  /// Reads a credential file. A byte-order mark of UTF-8 and white space around the secret are
  /// cut off: editors put them there, and no bearer token can hold them (RFC 6750, 2.1). Throws
  /// ConfigError when it cannot be read, is empty, UTF-16, longer than 4,096 bytes, or holds
  /// what no client could send: white space inside, a control character, or anything beyond
  /// ASCII. The message names `key` and the path, never what was read.
  [[nodiscard]] static Secret from_file(std::string_view key, const std::string& path);
  /// The same of a text that came from `where`.
  [[nodiscard]] static Secret from_text(std::string_view key, const std::string& where,
                                        std::string_view text);

  [[nodiscard]] bool empty() const { return value_.empty(); }
  /// The only way to the text; do not log it.
  [[nodiscard]] const std::string& reveal() const { return value_; }
  /// Equality in a time that does not depend on where the texts differ.
  [[nodiscard]] bool matches(std::string_view candidate) const;

 private:
  std::string value_;
};

/// Always "***", or "" for no secret.
[[nodiscard]] std::string to_string(const Secret& secret);

}  // namespace geotally::config
