#include "feed/target.h"

#include <algorithm>
#include <vector>

namespace geotally::feed {
namespace {

bool plain(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
         std::string_view("-._~:*").find(c) != std::string_view::npos;
}

// The parameters of `target`, as written.
std::vector<std::string_view> parameters(std::string_view target) {
  std::vector<std::string_view> found;
  const auto mark = target.find('?');
  if (mark == std::string_view::npos) return found;
  target.remove_prefix(mark + 1);
  while (!target.empty()) {
    const auto end = std::min(target.find('&'), target.size());
    if (end > 0) found.push_back(target.substr(0, end));
    target.remove_prefix(std::min(end + 1, target.size()));
  }
  return found;
}

bool names(std::string_view parameter, std::string_view name) {
  return parameter.substr(0, parameter.find('=')) == name;
}

}  // namespace

bool Target::given(std::string_view name) const {
  const auto all = parameters(base_);
  return std::any_of(all.begin(), all.end(), [&](auto one) { return names(one, name); });
}

void Target::add(std::string_view name, std::string_view value) {
  constexpr std::string_view kHex = "0123456789ABCDEF";
  const bool first = text_.find('?') == std::string::npos;
  if (first || (text_.back() != '?' && text_.back() != '&')) text_ += first ? '?' : '&';
  text_ += name;
  text_ += '=';
  for (const char c : value) {
    if (plain(c)) {
      text_ += c;
    } else {
      const auto byte = static_cast<unsigned char>(c);
      text_ += {'%', kHex[byte >> 4], kHex[byte & 15]};
    }
  }
}

void Target::remove(std::string_view name) {
  const auto all = parameters(text_);
  if (std::none_of(all.begin(), all.end(), [&](auto one) { return names(one, name); })) return;
  std::string kept = text_.substr(0, text_.find('?'));
  char separator = '?';
  for (const auto one : all) {
    if (names(one, name)) continue;
    kept += separator;
    kept += one;
    separator = '&';
  }
  text_ = std::move(kept);
}

void Target::replace(std::string_view name, std::string_view value) {
  remove(name);
  add(name, value);
}

}  // namespace geotally::feed
