#include "daemon/table.h"

#include <algorithm>
#include <cassert>
#include <utility>

#include <unicode/uchar.h>
#include <unicode/unistr.h>

namespace geotally {
namespace {

icu::UnicodeString unicode(std::string_view text) {
  return icu::UnicodeString::fromUTF8({text.data(), static_cast<std::int32_t>(text.size())});
}

std::size_t width_of(UChar32 c) {
  const auto type = u_charType(c);
  if (type == U_NON_SPACING_MARK || type == U_ENCLOSING_MARK || type == U_FORMAT_CHAR) return 0;
  const auto wide = u_getIntPropertyValue(c, UCHAR_EAST_ASIAN_WIDTH);
  return wide == U_EA_FULLWIDTH || wide == U_EA_WIDE ? 2 : 1;
}

std::string harmless(std::string_view text) {
  icu::UnicodeString out;
  const auto source = unicode(text);
  for (std::int32_t i = 0; i < source.length(); i = source.moveIndex32(i, 1)) {
    const UChar32 c = source.char32At(i);
    const auto type = u_charType(c);
    out.append(type == U_CONTROL_CHAR || type == U_FORMAT_CHAR ? UChar32{'?'} : c);
  }
  std::string bytes;
  return out.toUTF8String(bytes);
}

}  // namespace

std::size_t display_width(std::string_view text) {
  std::size_t width = 0;
  const auto source = unicode(text);
  for (std::int32_t i = 0; i < source.length(); i = source.moveIndex32(i, 1)) {
    width += width_of(source.char32At(i));
  }
  return width;
}

std::string cut_to_width(std::string_view text, std::size_t columns) {
  std::size_t width = 0;
  const auto source = unicode(text);
  std::int32_t end = 0;
  while (end < source.length() && (width += width_of(source.char32At(end))) <= columns) {
    end = source.moveIndex32(end, 1);
  }
  std::string bytes;
  return source.tempSubString(0, end).toUTF8String(bytes);
}

void Table::column(std::string_view title, Align align) {
  if (rows_.empty()) rows_.emplace_back();
  rows_.front().emplace_back(title);
  aligns_.push_back(align);
}

void Table::row(std::vector<std::string> cells) {
  assert(cells.size() == aligns_.size());
  for (std::string& cell : cells) cell = harmless(cell);
  rows_.push_back(std::move(cells));
}

std::string Table::text() const {
  std::vector<std::size_t> widths(aligns_.size(), 0);
  for (const auto& cells : rows_) {
    for (std::size_t i = 0; i < cells.size(); ++i) {
      widths[i] = std::max(widths[i], display_width(cells[i]));
    }
  }
  std::string out;
  for (const auto& cells : rows_) {
    std::string line;
    for (std::size_t i = 0; i < cells.size(); ++i) {
      const std::string space(widths[i] - display_width(cells[i]), ' ');
      if (i > 0) line += "  ";
      line += aligns_[i] == Align::kRight ? space + cells[i] : cells[i] + space;
    }
    line.erase(line.find_last_not_of(' ') + 1);
    out += line + '\n';
  }
  return out;
}

}  // namespace geotally
