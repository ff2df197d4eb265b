#include "feed/target.h"

#include <algorithm>

namespace geotally::feed {
namespace {

bool plain(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
         std::string_view("-._~:*").find(c) != std::string_view::npos;
}

// The parameters of `target`, as written.
std::vector<std::string_view> written(std::string_view target) {
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

int hex(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

// In a query a plus sign stands for a space.
std::string query_decoded(std::string_view text) {
  std::string spaced(text);
  std::replace(spaced.begin(), spaced.end(), '+', ' ');
  return percent_decoded(spaced);
}

bool names(std::string_view parameter, std::string_view name) {
  return query_decoded(parameter.substr(0, parameter.find('='))) == name;
}

}  // namespace

std::string percent_decoded(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '%' && i + 2 < text.size() && hex(text[i + 1]) >= 0 && hex(text[i + 2]) >= 0) {
      out += static_cast<char>(hex(text[i + 1]) * 16 + hex(text[i + 2]));
      i += 2;
    } else {
      out += text[i];
    }
  }
  return out;
}

std::vector<std::pair<std::string, std::string>> parameters(std::string_view target) {
  std::vector<std::pair<std::string, std::string>> decoded;
  for (const std::string_view one : written(target)) {
    const auto equals = std::min(one.find('='), one.size());
    decoded.emplace_back(query_decoded(one.substr(0, equals)),
                         query_decoded(one.substr(std::min(equals + 1, one.size()))));
  }
  return decoded;
}

bool Target::given(std::string_view name) const {
  const auto all = written(base_);
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
  const auto all = written(text_);
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
