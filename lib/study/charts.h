// Charts as inline SVG. Text and lines are drawn in the colour of the text around them, marks in
// tones of the middle: readable on a light page and on a dark one. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace geotally::study {

struct Bar {
  std::string label;
  double value = 0;
  std::optional<double> before;  ///< a line across the bar
  std::string text;              ///< at its end
  bool marked = false;           ///< in the second colour
};
/// Horizontal bars, from 0. `label`: for who cannot see it.
[[nodiscard]] std::string bars(const std::string& label, const std::vector<Bar>& rows);

struct Slope {
  std::string name;
  std::optional<std::size_t> before;  ///< place in its column, 0 = on top; none = below them all
  std::size_t after = 0;
  std::uint32_t rank_before = 0;
  std::uint32_t rank = 0;
  bool marked = false;
};
/// Two columns of ranks, a line from one to the other.
[[nodiscard]] std::string slopes(const std::string& label, const std::string& left_title,
                                 const std::string& right_title, const std::vector<Slope>& rows);

struct Line {
  std::string name;
  std::vector<double> values;  ///< as many as `days` has
  bool marked = false;
};
struct Tick {
  double value = 0;
  std::string text;
};
/// Lines over days, from 0 to the last of `ticks`.
[[nodiscard]] std::string lines(const std::string& label, const std::vector<std::int32_t>& days,
                                const std::string& first_day, const std::string& last_day,
                                const std::vector<Line>& rows, const std::vector<Tick>& ticks);

}  // namespace geotally::study
