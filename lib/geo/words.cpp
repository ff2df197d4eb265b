#include "geo/words.h"

#include <algorithm>
#include <utility>

#include <unicode/normalizer2.h>
#include <unicode/uchar.h>
#include <unicode/unorm2.h>
#include <unicode/uscript.h>
#include <unicode/utf16.h>
#include <unicode/utf8.h>
#include <xxhash.h>

namespace geotally::geo {
namespace {

// The code point at `at`, which moves behind it; negative for bytes that are none.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wconversion"
inline UChar32 next_of(const char* text, std::int32_t& at, std::int32_t size) {
  UChar32 c = 0;
  U8_NEXT(text, at, size, c);
  return c;
}
#pragma GCC diagnostic pop

constexpr bool is_ascii_upper(UChar32 c) { return c >= 'A' && c <= 'Z'; }
constexpr bool is_ascii_letter(UChar32 c) { return is_ascii_upper(c) || (c >= 'a' && c <= 'z'); }
constexpr bool is_ascii_digit(UChar32 c) { return c >= '0' && c <= '9'; }

bool is_word_character(UChar32 c) {
  if (c < 0x80) return is_ascii_letter(c) || is_ascii_digit(c);
  constexpr std::uint32_t kMask = U_GC_L_MASK | U_GC_M_MASK | U_GC_ND_MASK;
  // Joiners hold Indic and Persian words together; emoji variation selectors do not.
  if (c == 0x200c || c == 0x200d) return true;
  if (c >= 0xfe00 && c <= 0xfe0f) return false;
  if (c == 0x20e3) return false;
  // Accents without a letter, as ornaments.
  if (c >= 0x2c2 && c <= 0x2df) return false;
  return (U_GET_GC_MASK(c) & kMask) != 0;
}

constexpr bool is_apostrophe(UChar32 c) {
  return c == '\'' || c == 0x2019 || c == 0x2018 || c == 0x02bb || c == 0x02bc || c == 0xb4 ||
         c == '`';
}

bool is_dense(UChar32 c) {
  if (c < 0xe00) return false;
  return (c >= 0x0e00 && c <= 0x0eff) ||  // Thai, Lao
         (c >= 0x1000 && c <= 0x109f) ||  // Myanmar
         (c >= 0x1780 && c <= 0x17ff) ||  // Khmer
         (c >= 0x3040 && c <= 0x30ff) ||  // Kana
         (c >= 0x3400 && c <= 0x9fff) || (c >= 0xf900 && c <= 0xfaff) ||
         (c >= 0xff66 && c <= 0xff9f) || (c >= 0x20000 && c <= 0x3ffff);
}

// Accents are dropped where people leave them out.
constexpr bool drops_accents(UChar32 c) { return c < 0x0530 || (c >= 0x1e00 && c <= 0x1fff); }

// Phonetic letters that people take for small capitals: ᴘᴀʀɪꜱ.
constexpr UChar32 small_capital(UChar32 c) {
  constexpr std::pair<UChar32, char> kLetters[] = {
      {0x1d00, 'a'}, {0x0299, 'b'}, {0x1d04, 'c'}, {0x1d05, 'd'}, {0x1d07, 'e'}, {0xa730, 'f'},
      {0x0262, 'g'}, {0x029c, 'h'}, {0x026a, 'i'}, {0x1d0a, 'j'}, {0x1d0b, 'k'}, {0x029f, 'l'},
      {0x1d0d, 'm'}, {0x0274, 'n'}, {0x1d0f, 'o'}, {0x1d18, 'p'}, {0x0280, 'r'}, {0xa731, 's'},
      {0x1d1b, 't'}, {0x1d1c, 'u'}, {0x1d20, 'v'}, {0x1d21, 'w'}, {0x028f, 'y'}, {0x1d22, 'z'}};
  for (const auto& [from, to] : kLetters) {
    if (from == c) return to;
  }
  return c;
}
constexpr bool may_be_small_capital(UChar32 c) {
  return (c >= 0x0262 && c <= 0x029f) || (c >= 0x1d00 && c <= 0x1d22) || c == 0xa730 || c == 0xa731;
}

// Arabic as it is typed: without vowel signs and the stretching stroke, alef without what stands on
// it; Persian letters as their Arabic brothers. 0 = is left out. A final heh stays what it is: as
// teh too many words would be villages.
constexpr UChar32 plain_arabic(UChar32 c) {
  if (c == 0x640 || (c >= 0x64b && c <= 0x65f) || c == 0x670) return 0;
  switch (c) {
    case 0x622:
    case 0x623:
    case 0x625:
      return 0x627;
    case 0x6cc:
      return 0x64a;
    case 0x6a9:
      return 0x643;
    default:
      return c;
  }
}
constexpr bool is_arabic(UChar32 c) { return c >= 0x600 && c <= 0x6ff; }

// What has no decomposition but is often written without its stroke.
constexpr UChar32 without_stroke(UChar32 c) {
  switch (c) {
    case 0x00f8:
      return 'o';
    case 0x0142:
      return 'l';
    case 0x0111:
      return 'd';
    case 0x0131:
      return 'i';
    case 0x0127:
      return 'h';
    case 0x00f0:
      return 'd';
    default:
      return c;
  }
}

Break break_of(UChar32 c) {
  switch (c) {
    case ' ':
    case '\t':
    case 0xa0:
    case 0x3000:
      return Break::kSpace;
    case '-':
    case 0x2010:
    case 0x2011:
      return Break::kHyphen;
    case ',':
    case '.':
    case 0x060c:
    case 0x3001:
    case 0xff0c:
      return Break::kComma;
    default:
      return u_isUWhiteSpace(c) != 0 && c != '\n' && c != '\r' ? Break::kSpace : Break::kStrong;
  }
}

const UNormalizer2* casefold() {
  static const UNormalizer2* const instance = [] {
    UErrorCode status = U_ZERO_ERROR;
    return unorm2_getNFKCCasefoldInstance(&status);
  }();
  return instance;
}
const UNormalizer2* canonical() {
  static const UNormalizer2* const instance = [] {
    UErrorCode status = U_ZERO_ERROR;
    return unorm2_getNFCInstance(&status);
  }();
  return instance;
}

constexpr int kWordCharsMax = 64;
constexpr std::uint32_t kAccentFactor = 0x9e3779b1;  // 2^32 / φ, to spread them

// Appends the normalised form of `raw` (valid UTF-8 without separators) to `out`.
std::size_t normalise(std::string_view raw, char* out, std::size_t room, std::uint32_t& accents) {
  std::size_t used = 0;
  const bool ascii = std::none_of(raw.begin(), raw.end(), [](char c) { return c < 0; });
  if (ascii) {
    for (const char c : raw) {
      if (is_apostrophe(c) || used == room) continue;
      out[used++] = is_ascii_upper(c) ? static_cast<char>(c + 32) : c;
    }
    return used;
  }
  UChar wide[kWordCharsMax];
  int length = 0;
  const auto raw_size = static_cast<std::int32_t>(raw.size());
  for (std::int32_t at = 0; at < raw_size && length + 2 <= kWordCharsMax;) {
    UChar32 c = next_of(raw.data(), at, raw_size);
    if (c < 0 || is_apostrophe(c)) continue;
    U16_APPEND_UNSAFE(wide, length, c);
  }
  UChar folded[2 * kWordCharsMax];
  UErrorCode status = U_ZERO_ERROR;
  const std::int32_t folded_length =
      unorm2_normalize(casefold(), wide, length, folded, 2 * kWordCharsMax, &status);
  if (U_FAILURE(status) != 0) return 0;
  const auto put = [&](UChar32 c) {
    if (used + U8_LENGTH(c) > room) return;
    auto at = static_cast<std::int32_t>(used);
    U8_APPEND_UNSAFE(out, at, c);
    used = static_cast<std::size_t>(at);
  };
  for (std::int32_t at = 0; at < folded_length;) {
    UChar32 c = 0;
    U16_NEXT(folded, at, folded_length, c);
    if (c == 0x200c || c == 0x200d) continue;
    if (may_be_small_capital(c)) c = small_capital(c);
    if (is_arabic(c)) {
      const UChar32 plain = plain_arabic(c);
      // Without its sign Amman is Oman.
      if (plain == 0 && c != 0x640) accents += static_cast<std::uint32_t>(c) * kAccentFactor >> 8;
      c = plain;
      if (c == 0) continue;
    }
    if (!drops_accents(c) || c < 0x80) {
      put(c);
      continue;
    }
    const UChar32 accented = c;
    // The base letter is the first of the decomposition, however deep.
    for (int depth = 0; depth < 4; ++depth) {
      UChar parts[8];
      status = U_ZERO_ERROR;
      const std::int32_t count = unorm2_getRawDecomposition(canonical(), c, parts, 8, &status);
      if (count <= 0 || U_FAILURE(status) != 0) break;
      std::int32_t first = 0;
      U16_NEXT(parts, first, count, c);
    }
    const bool mark = c >= 0x300 && c <= 0x36f;
    const UChar32 plain = without_stroke(c);
    // The order does not matter, nor whether words stand alone or together.
    if (mark || plain != accented)
      accents += static_cast<std::uint32_t>(accented) * kAccentFactor >> 8;
    if (!mark) put(plain);
  }
  return used;
}

}  // namespace

void Words::push(std::string_view source, Word word) {
  if (size_ == kWordsMax || used_ + 2 >= kTextMax) return;
  const std::string_view raw = source.substr(word.raw_begin, word.raw_end - word.raw_begin);
  if (used_ != 0) text_[used_++] = ' ';
  const std::size_t length = normalise(raw, text_.data() + used_, kTextMax - used_, word.accents);
  if (length == 0) {
    if (used_ != 0) --used_;
    return;
  }
  word.begin = static_cast<std::uint16_t>(used_);
  used_ += length;
  word.end = static_cast<std::uint16_t>(used_);
  words_[size_++] = word;
}

void Words::split(std::string_view source) {
  size_ = 0;
  used_ = 0;
  if (source.size() > kSourceMax) source = source.substr(0, kSourceMax);
  const auto size = static_cast<std::int32_t>(source.size());
  Break pending = Break::kStrong;
  std::int32_t at = 0;
  const auto peek = [&](std::int32_t from) {
    UChar32 c = -1;
    if (from < size) c = next_of(source.data(), from, size);
    return c;
  };
  while (at < size) {
    const std::int32_t start = at;
    UChar32 c = next_of(source.data(), at, size);
    if (c < 0 || !is_word_character(c)) {
      Break here = c < 0 ? Break::kStrong : break_of(c);
      // A full stop has a space behind it; without one it is part of a domain or of nothing.
      if (c == '.' && at < size && peek(at) != ' ') here = Break::kStrong;
      // A hyphen between spaces divides as a bar does; variation selectors do not count.
      if (c >= 0xfe00 && c <= 0xfe0f) continue;
      if (here == Break::kHyphen && (pending != Break::kSpace || peek(at) == ' ') &&
          (peek(at) == ' ' || pending == Break::kHyphen)) {
        pending = Break::kStrong;
      } else {
        pending = std::max(pending, here);
      }
      continue;
    }
    Word word;
    word.before = pending;
    word.raw_begin = static_cast<std::uint16_t>(start);
    pending = Break::kSpace;
    int letters = 0;
    int uppers = 0;
    int dotted = 0;  // letters of an acronym with dots
    bool first = true;
    bool ended_in_apostrophe_s = false;
    const bool dense = is_dense(c);
    std::int32_t end = at;
    for (;;) {
      const bool upper = c < 0x80 ? is_ascii_upper(c) : u_isupper(c) != 0;
      const bool lower = c < 0x80 ? is_ascii_letter(c) && !upper : u_islower(c) != 0;
      if (first) word.capitalised = !lower;
      first = false;
      ++letters;
      if (upper) ++uppers;
      end = at;
      if (at >= size) break;
      const std::int32_t mark = at;
      UChar32 next = next_of(source.data(), at, size);
      if (next >= 0 && is_word_character(next) && is_dense(next) == dense) {
        c = next;
        continue;
      }
      if (next >= 0 && is_apostrophe(next)) {
        const UChar32 after = peek(at);
        if (after >= 0 && is_word_character(after)) {
          c = next_of(source.data(), at, size);
          const UChar32 following = peek(at);
          ended_in_apostrophe_s =
              (c == 's' || c == 'S') && (following < 0 || !is_word_character(following));
          continue;
        }
      }
      // "N.Y." and "U.S.A": letters with dots between are one word.
      if (next == '.' && letters == dotted + 1 && (c < 0x80 ? is_ascii_letter(c) : false)) {
        const UChar32 after = peek(at);
        std::int32_t beyond = at;
        if (after >= 0) (void)next_of(source.data(), beyond, size);
        const UChar32 second = peek(beyond);
        if (after >= 0 && after < 0x80 && is_ascii_letter(after) &&
            (second < 0 || !is_word_character(second))) {
          ++dotted;
          c = next_of(source.data(), at, size);
          continue;
        }
      }
      at = mark;
      break;
    }
    word.raw_end = static_cast<std::uint16_t>(end);
    word.capitals = letters >= 2 && uppers == letters;
    word.dense = dense;
    word.possessive = ended_in_apostrophe_s;
    // The dot of "St." and of "N.Y." ends no part.
    if (at < size && source[static_cast<std::size_t>(at)] == '.' &&
        (letters <= 3 && peek(at + 1) == ' '))
      ++at;
    if (dotted > 0) {
      // Normalised without its dots.
      char joined[16];
      std::size_t length = 0;
      for (std::int32_t i = start; i < end && length < sizeof(joined); ++i) {
        const char letter = source[static_cast<std::size_t>(i)];
        if (letter != '.') joined[length++] = letter;
      }
      const Word original = word;
      word.raw_begin = 0;
      word.raw_end = static_cast<std::uint16_t>(length);
      const std::size_t before = size_;
      push({joined, length}, word);
      if (size_ > before) {
        words_[before].raw_begin = original.raw_begin;
        words_[before].raw_end = original.raw_end;
      }
      continue;
    }
    push(source, word);
    if (size_ == kWordsMax) return;
  }
}

std::uint64_t name_key(std::string_view normalised) {
  return XXH3_64bits(normalised.data(), normalised.size()) >> 24;
}

}  // namespace geotally::geo
