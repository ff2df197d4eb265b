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
  return from_text(key, path, text);
}

Secret Secret::from_text(std::string_view key, const std::string& where, std::string_view text) {
  constexpr std::string_view kUtf8Mark = "\xEF\xBB\xBF";
  constexpr std::string_view kWhite = " \t\r\n";
  if (text.size() > kSecretBytesMax) refuse(key, where, "is longer than 4,096 bytes");
  if (text.starts_with("\xFF\xFE") || text.starts_with("\xFE\xFF")) {
    refuse(key, where, "is UTF-16; write it as ASCII or UTF-8");
  }
  if (text.starts_with(kUtf8Mark)) text.remove_prefix(kUtf8Mark.size());
  const std::size_t first = text.find_first_not_of(kWhite);
  if (first == std::string_view::npos) refuse(key, where, "is empty");
  text = text.substr(first, text.find_last_not_of(kWhite) - first + 1);
  // What no client can send as a bearer token would be refused to everybody, without a hint.
  if (text.find_first_of("\r\n") != std::string_view::npos) {
    refuse(key, where, "holds more than one line");
  }
  if (text.find_first_of(" \t") != std::string_view::npos) {
    refuse(key, where, "holds white space inside");
  }
  if (std::ranges::any_of(text, [](char c) { return (c >= 0 && c < ' ') || c == 0x7f; })) {
    refuse(key, where, "holds a control character");
  }
  if (std::ranges::any_of(text, [](char c) { return static_cast<unsigned char>(c) >= 0x80; })) {
    refuse(key, where, "holds a character beyond ASCII, perhaps one that is not seen");
  }
  return Secret(std::string(text));
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
