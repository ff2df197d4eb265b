// Request targets: the path and query of a feed's URL, with parameters added.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace geotally::feed {

/// `text` with %XX replaced; a '%' that two hexadecimal digits do not follow stays.
[[nodiscard]] std::string percent_decoded(std::string_view text);

/// The parameters of the query of `target` (name, value), decoded, in their order.
[[nodiscard]] std::vector<std::pair<std::string, std::string>> parameters(std::string_view target);

class Target {
 public:
  explicit Target(std::string_view base) : text_(base), base_(base) {}

  /// True when the base names the parameter `name` already, however it is
  /// encoded: what the operator wrote stays.
  [[nodiscard]] bool given(std::string_view name) const;
  /// Appends name=value, the value percent-encoded.
  void add(std::string_view name, std::string_view value);
  /// The same, after every earlier `name` was removed.
  void replace(std::string_view name, std::string_view value);
  void remove(std::string_view name);

  [[nodiscard]] const std::string& text() const { return text_; }

 private:
  std::string text_;
  std::string base_;
};

}  // namespace geotally::feed
