// A text as words, in the form in which names are looked up: NFKC case folding, accents of
// Latin, Greek and Cyrillic letters and apostrophes dropped, Arabic as it is typed (no vowel signs,
// alef without hamza), everything else kept.
// The table compiler and the resolver share this, so that a name finds itself.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace geotally::geo {

/// What stands before a word.
enum class Break : std::uint8_t {
  kSpace,   ///< white space, or the dot of an abbreviation
  kHyphen,  ///< a hyphen without spaces
  kComma,   ///< a comma, or a full stop
  kStrong,  ///< a slash, a bar, a line end, a symbol, an emoji
};

struct Word {
  std::uint16_t begin = 0;  ///< of the normalised form, in Words::text()
  std::uint16_t end = 0;
  std::uint16_t raw_begin = 0;  ///< of the original, in the argument of split()
  std::uint16_t raw_end = 0;
  std::uint32_t accents = 0;  ///< a hash of the accents that the normalised form lacks, 0 = none
  Break before = Break::kStrong;
  bool capitals = false;     ///< all letters are capitals (two at least)
  bool capitalised = false;  ///< the first letter is a capital, or the script has no capitals
  bool dense = false;        ///< of a script that writes no spaces
  bool possessive = false;   ///< ended in 's
};

/// Fixed size: no allocation, bounded work whatever the text.
class Words {
 public:
  static constexpr std::size_t kWordsMax = 96;
  static constexpr std::size_t kTextMax = 1536;    ///< normalised bytes
  static constexpr std::size_t kSourceMax = 1024;  ///< bytes that are looked at

  /// Any bytes; what is over the bounds is ignored, invalid UTF-8 separates words.
  void split(std::string_view source);

  [[nodiscard]] std::size_t size() const { return size_; }
  [[nodiscard]] const Word& operator[](std::size_t i) const { return words_[i]; }
  /// The normalised words `first` to `first + count − 1`, single spaces between.
  [[nodiscard]] std::string_view text(std::size_t first, std::size_t count = 1) const {
    const std::size_t begin = words_[first].begin;
    return {text_.data() + begin, words_[first + count - 1].end - begin};
  }
  /// The accents of the words `first` to `first + count − 1`.
  [[nodiscard]] std::uint32_t accents(std::size_t first, std::size_t count = 1) const {
    std::uint32_t sum = 0;
    for (std::size_t i = first; i < first + count; ++i) sum += words_[i].accents;
    return sum;
  }

 private:
  void push(std::string_view source, Word word);
  std::array<Word, kWordsMax> words_;
  std::array<char, kTextMax> text_;
  std::size_t size_ = 0;
  std::size_t used_ = 0;
};

/// The class of a spelling by its accents, as a set of one in three; empty where it has none.
[[nodiscard]] constexpr std::uint32_t accent_class(std::uint32_t accents) {
  return accents == 0 ? 0 : 1U << accents % 3;
}

/// 40 bits of XXH3: what a name is found by.
[[nodiscard]] std::uint64_t name_key(std::string_view normalised);

}  // namespace geotally::geo
