#include "config/secret.h"

#include <algorithm>
#include <fstream>

#include "config/load.h"

namespace geotally::config {
namespace {

constexpr std::size_t kSecretBytesMax = 4'096;

[[noreturn]] void refuse(std::string_view key, const std::string& path, std::string message) {
  throw ConfigError({Problem{path, 0, 0, std::string(key), std::move(message)}});
}

}  // namespace

Secret Secret::from_file(std::string_view key, const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::string text(kSecretBytesMax + 1, '\0');
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  if (!file.is_open() || file.bad()) refuse(key, path, "cannot be read");
  text.resize(static_cast<std::size_t>(file.gcount()));
  if (text.size() > kSecretBytesMax) refuse(key, path, "is longer than 4,096 bytes");
  text.erase(text.find_last_not_of(" \t\r\n") + 1);
  if (text.empty()) refuse(key, path, "is empty");
  // It becomes part of a header line.
  if (std::ranges::any_of(text, [](char c) { return c >= 0 && (c < ' ' || c == 0x7f); })) {
    refuse(key, path, "holds a control character");
  }
  return Secret(std::move(text));
}

bool Secret::matches(std::string_view candidate) const {
  // The length is no secret; the text is compared to its end.
  unsigned difference = candidate.size() == value_.size() ? 0 : 1;
  for (std::size_t i = 0; i < candidate.size() && !value_.empty(); ++i) {
    difference |= static_cast<unsigned char>(candidate[i]) ^
                  static_cast<unsigned char>(value_[i % value_.size()]);
  }
  return !value_.empty() && difference == 0;
}

std::string to_string(const Secret& secret) { return secret.empty() ? "" : "***"; }

}  // namespace geotally::config
