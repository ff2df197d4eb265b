#include "geo/coordinates.h"

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <iterator>

namespace geotally::geo {
namespace {

constexpr bool is_digit(char c) { return c >= '0' && c <= '9'; }
constexpr char lower(char c) { return static_cast<char>(c | 0x20); }
constexpr bool is_letter(char c) { return lower(c) >= 'a' && lower(c) <= 'z'; }

enum class Axis : std::uint8_t { kUnsaid, kLatitude, kLongitude };

struct Angle {
  double degrees = 0;
  Axis axis = Axis::kUnsaid;
  bool fraction = false;  // of two digits at least
};

// Reads a text from its front.
class Reader {
 public:
  explicit Reader(std::string_view text) : rest_(text) {}

  [[nodiscard]] std::string_view rest() const { return rest_; }

  // Whether one of `marks` comes next, behind spaces or not; then it is read.
  template <std::size_t N>
  bool mark(const std::string_view (&marks)[N]) {
    const std::string_view behind =
        rest_.substr(std::min(rest_.find_first_not_of(' '), rest_.size()));
    for (const std::string_view mark : marks) {
      if (!behind.starts_with(mark)) continue;
      rest_ = behind.substr(mark.size());
      return true;
    }
    return false;
  }

  // A number without an exponent, and how many digits its fraction has.
  std::optional<double> number(std::size_t& fraction) {
    std::string_view from = rest_.substr(std::min(rest_.find_first_not_of(' '), rest_.size()));
    constexpr std::string_view kMinus = "\xe2\x88\x92";  // U+2212
    const bool minus = from.starts_with(kMinus);
    if (minus) from.remove_prefix(kMinus.size());
    double value = 0;
    const auto [end, error] =
        std::from_chars(from.data(), from.data() + from.size(), value, std::chars_format::fixed);
    if (error != std::errc{}) return std::nullopt;
    const auto length = static_cast<std::size_t>(end - from.data());
    const std::size_t dot = from.substr(0, length).find('.');
    fraction = dot == std::string_view::npos ? 0 : length - dot - 1;
    rest_ = from.substr(length);
    return minus ? -value : value;
  }

  // "N", "W": a letter by itself.
  bool hemisphere(Axis& axis, int& sign) {
    const std::string_view behind =
        rest_.substr(std::min(rest_.find_first_not_of(' '), rest_.size()));
    if (behind.empty() || (behind.size() > 1 && is_letter(behind[1]))) return false;
    switch (lower(behind[0])) {
      case 'n':
      case 's':
        axis = Axis::kLatitude;
        break;
      case 'e':
      case 'w':
      case 'o':  // oeste, ouest
        axis = Axis::kLongitude;
        break;
      default:
        return false;
    }
    sign = lower(behind[0]) == 'n' || lower(behind[0]) == 'e' ? 1 : -1;
    rest_ = behind.substr(1);
    return true;
  }

  // "Lat", "longitude:".
  bool label(Axis& axis) {
    struct Label {
      std::string_view word;
      Axis axis;
    };
    // Longer ones before those that they begin with.
    static constexpr Label kLabels[] = {
        {"latitude", Axis::kLatitude},   {"latitud", Axis::kLatitude},   {"lat", Axis::kLatitude},
        {"longitude", Axis::kLongitude}, {"longitud", Axis::kLongitude}, {"long", Axis::kLongitude},
        {"lon", Axis::kLongitude},       {"lng", Axis::kLongitude}};
    std::string_view behind = rest_.substr(std::min(rest_.find_first_not_of(' '), rest_.size()));
    for (const Label& label : kLabels) {
      if (behind.size() < label.word.size() ||
          !std::equal(label.word.begin(), label.word.end(), behind.begin(),
                      [](char want, char have) { return want == lower(have); })) {
        continue;
      }
      behind.remove_prefix(label.word.size());
      if (!behind.empty() && is_letter(behind[0])) return false;
      behind = behind.substr(std::min(behind.find_first_not_of(".:= "), behind.size()));
      rest_ = behind;
      axis = label.axis;
      return true;
    }
    return false;
  }

 private:
  std::string_view rest_;
};

constexpr std::string_view kDegreeMarks[] = {"\xc2\xb0", "\xc2\xba", "\xcb\x9a"};  // ° º ˚
constexpr std::string_view kSecondMarks[] = {"\xe2\x80\xb3", "\xe2\x80\x9d", "\"", "''",
                                             "\xe2\x80\xb2\xe2\x80\xb2"};  // ″ ” " '' ′′
constexpr std::string_view kMinuteMarks[] = {"\xe2\x80\xb2", "\xe2\x80\x99", "'",
                                             "\xc2\xb4"};  // ′ ’ ' ´

std::optional<Angle> read_angle(Reader& reader) {
  constexpr double kSixty = 60;
  Angle angle;
  int sign = 1;
  const bool named = reader.label(angle.axis) || reader.hemisphere(angle.axis, sign);
  std::size_t fraction = 0;
  const auto degrees = reader.number(fraction);
  if (!degrees) return std::nullopt;
  angle.fraction = fraction >= 2;
  double size = *degrees < 0 ? -*degrees : *degrees;
  if (*degrees < 0) sign = -sign;
  if (reader.mark(kDegreeMarks) && fraction == 0) {
    // Minutes, and behind them seconds, are there with their marks or not at all.
    Reader ahead = reader;
    const auto minutes = ahead.number(fraction);
    if (minutes && *minutes >= 0 && *minutes < kSixty && ahead.mark(kMinuteMarks)) {
      reader = ahead;
      size += *minutes / kSixty;
      const auto seconds = ahead.number(fraction);
      if (seconds && *seconds >= 0 && *seconds < kSixty && ahead.mark(kSecondMarks)) {
        reader = ahead;
        size += *seconds / (kSixty * kSixty);
      }
    }
  }
  int behind = 1;
  if (!named && reader.hemisphere(angle.axis, behind)) sign *= behind;
  angle.degrees = sign * size;
  return angle;
}

}  // namespace

std::optional<std::pair<double, double>> find_coordinates(std::string_view text) {
  constexpr std::size_t kLengthMax = 100;
  if (text.size() > kLengthMax || std::none_of(text.begin(), text.end(), is_digit))
    return std::nullopt;
  for (std::size_t at = 0; at < text.size(); ++at) {
    // At the start of a number, or of the letters that name it.
    const char before = at == 0 ? ' ' : text[at - 1];
    const bool number =
        (is_digit(text[at]) && !is_digit(before) && before != '.' && before != '-') ||
        text[at] == '-' || text[at] == '\xe2';
    const bool letter = is_letter(text[at]) && !is_letter(before);
    if (!number && !letter) continue;
    Reader reader(text.substr(at));
    const auto first = read_angle(reader);
    if (!first) continue;
    const std::string_view between = reader.rest();
    const std::size_t next = between.find_first_not_of(" ,;");
    if (next == std::string_view::npos) continue;
    Reader behind(between.substr(next));
    const auto second = read_angle(behind);
    if (!second) continue;
    const bool named = first->axis != Axis::kUnsaid && second->axis != Axis::kUnsaid &&
                       first->axis != second->axis;
    const bool plain = next > 0 && first->fraction && second->fraction &&
                       first->axis != Axis::kLongitude && second->axis != Axis::kLatitude;
    if (!named && !plain) continue;
    return first->axis == Axis::kLongitude ? std::pair(second->degrees, first->degrees)
                                           : std::pair(first->degrees, second->degrees);
  }
  return std::nullopt;
}

}  // namespace geotally::geo
