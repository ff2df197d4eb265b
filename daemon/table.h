// Answers as text for a terminal. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace google::protobuf {
class Message;
}

namespace geotally {

/// Columns as wide as their widest cell on a terminal (Unicode Standard Annex 11); what could
/// steer a terminal is shown as "?".
class Table {
 public:
  enum class Align { kLeft, kRight };

  void column(std::string_view title, Align align);
  /// One cell a column.
  void row(std::vector<std::string> cells);
  /// Lines without spaces at their ends.
  [[nodiscard]] std::string text() const;

 private:
  std::vector<Align> aligns_;
  std::vector<std::vector<std::string>> rows_;  // the titles first
};

/// Columns that `text` (UTF-8) takes on a terminal.
[[nodiscard]] std::size_t display_width(std::string_view text);

/// As much of the beginning of `text` as fits into `columns`.
[[nodiscard]] std::string cut_to_width(std::string_view text, std::size_t columns);

/// An answer of /api/v1 for a reader; `flags`: a country's flag before its name.
[[nodiscard]] std::string to_text(const google::protobuf::Message& answer, bool flags);

}  // namespace geotally
