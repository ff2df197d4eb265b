// A document's parts as Markdown (CommonMark with tables) or HTML. Texts are escaped; charts are
// not.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "study/study.h"

namespace geotally::study {

class Page {
 public:
  Page(Format format, std::string_view language_tag, std::string_view title);

  void heading(std::string_view text);
  void paragraph(std::string_view text);
  void bullets(const std::vector<std::string>& texts);
  /// The columns named in `left` are words; all others are numbers.
  void table(const std::vector<std::string>& titles,
             const std::vector<std::vector<std::string>>& rows,
             const std::vector<std::size_t>& left);
  /// `svg` without empty lines: in Markdown one would end it.
  void chart(std::string_view svg, std::string_view caption);
  [[nodiscard]] std::string finish();

 private:
  [[nodiscard]] std::string escaped(std::string_view text) const;

  bool html_;
  std::string text_;
};

/// For HTML and SVG.
[[nodiscard]] std::string escape_html(std::string_view text);

}  // namespace geotally::study
