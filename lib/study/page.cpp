#include "study/page.h"

#include <algorithm>

#include <fmt/format.h>

namespace geotally::study {
namespace {

// System colours follow the reader's light or dark mode; charts draw in the text's own colour.
constexpr std::string_view kStyle =
    R"(:root{color-scheme:light dark}
body{font:16px/1.5 system-ui,sans-serif;max-width:54rem;margin:2rem auto;padding:0 1rem;)"
    R"(background:Canvas;color:CanvasText}
h1{line-height:1.2}h2{margin-top:2.5rem}
.scroll{overflow-x:auto}
table{border-collapse:collapse;width:100%;font-size:.9rem}
th,td{padding:.25rem .6rem;text-align:right;border-bottom:1px solid color-mix(in srgb,)"
    R"(currentColor 20%,transparent);font-variant-numeric:tabular-nums}
th{vertical-align:bottom}
td{white-space:nowrap}
.left{text-align:left}
figure{margin:1.5rem 0}figcaption{font-size:.85rem;opacity:.8}
)";

bool among(const std::vector<std::size_t>& left, std::size_t column) {
  return std::ranges::find(left, column) != left.end();
}

}  // namespace

std::string escape_html(std::string_view text) {
  std::string out;
  for (const char c : text) {
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      default:
        out += c;
    }
  }
  return out;
}

Page::Page(Format format, std::string_view language_tag, std::string_view title)
    : html_(format == Format::kHtml) {
  if (html_) {
    text_ = fmt::format(
        "<!DOCTYPE html>\n<html lang=\"{}\">\n<head>\n<meta charset=\"utf-8\">\n"
        "<meta name=\"viewport\" content=\"width=device-width\">\n<title>{}</title>\n"
        "<style>{}</style>\n</head>\n<body>\n<h1>{}</h1>\n",
        language_tag, escaped(title), kStyle, escaped(title));
  } else {
    text_ = fmt::format("# {}\n\n", escaped(title));
  }
}

std::string Page::escaped(std::string_view text) const {
  if (html_) return escape_html(text);
  std::string out;
  for (const char c : text) {
    if (c == '<') {
      out += "&lt;";
      continue;
    }
    if (std::string_view("\\`*_[]|").find(c) != std::string_view::npos) out += '\\';
    out += c;
  }
  return out;
}

void Page::heading(std::string_view text) {
  text_ +=
      html_ ? fmt::format("<h2>{}</h2>\n", escaped(text)) : fmt::format("## {}\n\n", escaped(text));
}

void Page::paragraph(std::string_view text) {
  text_ += html_ ? fmt::format("<p>{}</p>\n", escaped(text)) : escaped(text) + "\n\n";
}

void Page::bullets(const std::vector<std::string>& texts) {
  if (html_) text_ += "<ul>\n";
  for (const std::string& text : texts) {
    text_ +=
        html_ ? fmt::format("<li>{}</li>\n", escaped(text)) : fmt::format("- {}\n", escaped(text));
  }
  text_ += html_ ? "</ul>\n" : "\n";
}

void Page::table(const std::vector<std::string>& titles,
                 const std::vector<std::vector<std::string>>& rows,
                 const std::vector<std::size_t>& left) {
  const auto line = [&](const std::vector<std::string>& cells, std::string_view tag) {
    text_ += html_ ? "<tr>" : "|";
    for (std::size_t i = 0; i < cells.size(); ++i) {
      text_ += html_ ? fmt::format("<{}{}>{}</{}>", tag, among(left, i) ? " class=\"left\"" : "",
                                   escaped(cells[i]), tag)
                     : fmt::format(" {} |", escaped(cells[i]));
    }
    text_ += html_ ? "</tr>\n" : "\n";
  };
  if (html_) text_ += "<div class=\"scroll\"><table>\n<thead>\n";
  line(titles, "th");
  if (html_) {
    text_ += "</thead>\n<tbody>\n";
  } else {
    text_ += '|';
    for (std::size_t i = 0; i < titles.size(); ++i) text_ += among(left, i) ? " --- |" : " ---: |";
    text_ += '\n';
  }
  for (const auto& row : rows) line(row, "td");
  text_ += html_ ? "</tbody>\n</table></div>\n" : "\n";
}

void Page::chart(std::string_view svg, std::string_view caption) {
  text_ += fmt::format("<figure>\n{}\n<figcaption>{}</figcaption>\n</figure>\n{}", svg,
                       escape_html(caption), html_ ? "" : "\n");
}

std::string Page::finish() {
  if (html_) text_ += "</body>\n</html>\n";
  return std::move(text_);
}

}  // namespace geotally::study
