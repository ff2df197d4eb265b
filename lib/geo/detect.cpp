#include "geo/detect.h"

#include <algorithm>
#include <array>

#include <cld2/public/compact_lang_det.h>
#include <cld2/public/encodings.h>

namespace geotally::geo {
namespace {

constexpr std::size_t kTextMax = 1'000;
constexpr std::size_t kTextMin = 8;

}  // namespace

LanguageTag detect_language(std::string_view text) {
  text = text.substr(0, kTextMax);
  // Links, mentions and tags are written in no language.
  std::array<char, kTextMax> plain;
  std::size_t size = 0;
  std::size_t at = 0;
  while (at < text.size()) {
    const std::size_t end = std::min(text.find_first_of(" \n\t", at), text.size());
    const std::string_view word = text.substr(at, end - at);
    const bool skip = word.starts_with('@') || word.starts_with('#') || word.starts_with('<') ||
                      word.starts_with("http") || word.starts_with("www.");
    if (!skip) {
      size = static_cast<std::size_t>(
          std::copy(word.begin(), word.end(), plain.begin() + static_cast<std::ptrdiff_t>(size)) -
          plain.begin());
      if (size < plain.size()) plain[size++] = ' ';
    }
    at = end + 1;
  }
  if (size < kTextMin) return {};
  const CLD2::CLDHints hints = {nullptr, nullptr, CLD2::UNKNOWN_ENCODING, CLD2::UNKNOWN_LANGUAGE};
  CLD2::Language languages[3];
  int percents[3];
  double scores[3];
  int bytes = 0;
  int valid = 0;
  bool reliable = false;
  const CLD2::Language language = CLD2::ExtDetectLanguageSummaryCheckUTF8(
      plain.data(), static_cast<int>(size), true, &hints, CLD2::kCLDFlagBestEffort, languages,
      percents, scores, nullptr, &bytes, &reliable, &valid);
  if (!reliable || language == CLD2::UNKNOWN_LANGUAGE || percents[0] < 60) return {};
  return LanguageTag::parse(CLD2::LanguageCode(language)).value_or(LanguageTag());
}

}  // namespace geotally::geo
