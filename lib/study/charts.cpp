#include "study/charts.h"

#include <algorithm>
#include <string_view>

#include <fmt/format.h>

#include "study/page.h"

namespace geotally::study {
namespace {

// Contrast of 3 and more on white and on black (WCAG 2.1, 1.4.11).
constexpr std::string_view kTone = "#3f83c4";
constexpr std::string_view kMarkedTone = "#d2691e";
constexpr double kWidth = 720;

std::string_view tone(bool marked) { return marked ? kMarkedTone : kTone; }

std::string frame(const std::string& label, double height, const std::string& inside) {
  return fmt::format(
      "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {} {}\" width=\"100%\" role=\"img\" "
      "aria-label=\"{}\" font-family=\"system-ui,sans-serif\" font-size=\"13\" "
      "fill=\"currentColor\">\n{}</svg>",
      kWidth, height, escape_html(label), inside);
}

std::string text(double x, double y, std::string_view anchor, std::string_view words,
                 bool bold = false) {
  return fmt::format("<text x=\"{:.1f}\" y=\"{:.1f}\" text-anchor=\"{}\"{}>{}</text>\n", x, y,
                     anchor, bold ? " font-weight=\"bold\"" : "", escape_html(words));
}

}  // namespace

std::string bars(const std::string& label, const std::vector<Bar>& rows) {
  constexpr double kStep = 24;
  constexpr double kLeft = 170;
  constexpr double kRight = 130;
  double most = 0;
  for (const Bar& row : rows) most = std::max({most, row.value, row.before.value_or(0)});
  const auto length = [&](double value) {
    return most > 0 ? std::max(value, 0.0) / most * (kWidth - kLeft - kRight) : 0;
  };
  std::string inside;
  double y = 4;
  for (const Bar& row : rows) {
    inside += text(kLeft - 8, y + 14, "end", row.label, row.marked);
    inside += fmt::format(
        "<rect x=\"{}\" y=\"{:.1f}\" width=\"{:.1f}\" height=\"16\" rx=\"2\" fill=\"{}\"/>\n",
        kLeft, y + 1, length(row.value), tone(row.marked));
    if (row.before) {
      const double x = kLeft + length(*row.before);
      inside += fmt::format(
          "<line x1=\"{0:.1f}\" x2=\"{0:.1f}\" y1=\"{1:.1f}\" y2=\"{2:.1f}\" "
          "stroke=\"currentColor\" stroke-width=\"2\"/>\n",
          x, y - 1, y + 19);
    }
    const double end = std::max(length(row.value), length(row.before.value_or(0)));
    inside += text(kLeft + end + 8, y + 14, "start", row.text, row.marked);
    y += kStep;
  }
  return frame(label, y + 4, inside);
}

std::string slopes(const std::string& label, const std::string& left_title,
                   const std::string& right_title, const std::vector<Slope>& rows) {
  constexpr double kStep = 22;
  constexpr double kTop = 44;
  constexpr double kLeft = 240;
  constexpr double kRight = kWidth - 240;
  std::size_t lowest = rows.empty() ? 0 : rows.size() - 1;
  for (const Slope& row : rows) lowest = std::max(lowest, row.before.value_or(0));
  std::string inside = text(kLeft, 18, "end", left_title) + text(kRight, 18, "start", right_title);
  for (const Slope& row : rows) {
    const double y2 = kTop + static_cast<double>(row.after) * kStep;
    inside +=
        text(kRight + 8, y2 + 4, "start", fmt::format("{}  {}", row.rank, row.name), row.marked);
    if (!row.before) continue;
    const double y1 = kTop + static_cast<double>(*row.before) * kStep;
    const bool moved = row.rank != row.rank_before;
    inside += text(kLeft - 8, y1 + 4, "end", fmt::format("{}  {}", row.name, row.rank_before),
                   row.marked);
    inside += fmt::format(
        "<line x1=\"{}\" y1=\"{:.1f}\" x2=\"{}\" y2=\"{:.1f}\" stroke=\"{}\" stroke-width=\"{}\" "
        "stroke-opacity=\"{}\"/>\n",
        kLeft, y1, kRight, y2, row.marked || moved ? tone(row.marked) : "currentColor",
        row.marked ? 4 : 2, row.marked || moved ? 1.0 : 0.35);
  }
  return frame(label, kTop + static_cast<double>(lowest) * kStep + 16, inside);
}

std::string lines(const std::string& label, const std::vector<std::int32_t>& days,
                  const std::string& first_day, const std::string& last_day,
                  const std::vector<Line>& rows, const std::vector<Tick>& ticks) {
  constexpr double kTop = 16;
  constexpr double kBottom = 260;
  constexpr double kLeft = 90;
  constexpr double kRight = kWidth - 130;
  const double most = ticks.empty() ? 1 : std::max(ticks.back().value, 1.0);
  const auto y_of = [&](double value) { return kBottom - value / most * (kBottom - kTop); };
  std::string inside;
  for (const Tick& tick : ticks) {
    const double y = y_of(tick.value);
    inside += fmt::format(
        "<line x1=\"{0}\" x2=\"{1}\" y1=\"{2:.1f}\" y2=\"{2:.1f}\" stroke=\"currentColor\" "
        "stroke-opacity=\"0.25\"/>\n",
        kLeft, kRight, y);
    inside += text(kLeft - 8, y + 4, "end", tick.text);
  }
  inside += text(kLeft, kBottom + 22, "start", first_day);
  inside += text(kRight, kBottom + 22, "end", last_day);
  for (const Line& row : rows) {
    std::string points;
    for (std::size_t i = 0; i < row.values.size(); ++i) {
      const double span = std::max(days.back() - days.front(), 1);
      const double x = kLeft + (days[i] - days.front()) / span * (kRight - kLeft);
      points += fmt::format("{}{:.1f},{:.1f}", i == 0 ? "" : " ", x, y_of(row.values[i]));
    }
    inside +=
        fmt::format("<polyline points=\"{}\" fill=\"none\" stroke=\"{}\" stroke-width=\"2.5\"/>\n",
                    points, tone(row.marked));
    if (!row.values.empty()) {
      inside += text(kRight + 8, y_of(row.values.back()) + 4, "start", row.name);
    }
  }
  return frame(label, kBottom + 34, inside);
}

}  // namespace geotally::study
