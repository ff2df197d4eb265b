#include "geo/domains.h"

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

#include <libpsl.h>

#include "geo/words.h"

namespace geotally::geo {
namespace {

constexpr std::size_t kDomainMax = 253;  // RFC 1035

constexpr bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
constexpr char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c; }
constexpr bool is_host_character(char c) {
  return is_letter(c) || (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_' || c < 0;
}

// A domain in lower case, ended by a zero for libpsl, with room for a character in front.
class Lowered {
 public:
  explicit Lowered(std::string_view domain) : size_(domain.size()) {
    std::transform(domain.begin(), domain.end(), text_.begin() + 1, lower);
    text_[size_ + 1] = 0;
  }
  [[nodiscard]] const char* c_str() const { return text_.data() + 1; }
  [[nodiscard]] std::string_view view() const { return {c_str(), size_}; }
  // The part from `at` on under the mark that sets domains apart from names in the table.
  [[nodiscard]] bool listed(const Table& table, std::size_t at) {
    const char before = std::exchange(text_[at], '.');
    const bool found = has(table, {text_.data() + at, size_ + 1 - at}, Meaning::kDomain);
    text_[at] = before;
    return found;
  }
  static bool has(const Table& table, std::string_view name, Meaning meaning) {
    bool found = false;
    table.find(name_key(name), [&](Reference reference) {
      found = found || (reference.special() && table.special(reference).meaning == meaning);
    });
    return found;
  }

 private:
  std::size_t size_;
  std::array<char, kDomainMax + 2> text_{};
};

constexpr std::size_t kWordMax = 40;

bool is_english(const Table& table, std::string_view word) {
  std::array<char, kWordMax + 1> marked;
  if (word.size() > kWordMax) return false;
  marked[0] = '=';
  word.copy(marked.data() + 1, word.size());
  return Lowered::has(table, {marked.data(), word.size() + 1}, Meaning::kWord);
}

// Whether `text` is two English words, of which the second holds the last `end` letters and more.
bool is_two_words(const Table& table, std::string_view text, std::size_t end) {
  constexpr std::size_t kFirstMin = 3;
  constexpr std::size_t kSecondMin = 4;
  for (std::size_t at = kFirstMin; at + std::max(kSecondMin, end + 1) <= text.size(); ++at) {
    if (is_english(table, text.substr(at)) && is_english(table, text.substr(0, at))) return true;
  }
  return false;
}

// "red.it" is no site of Italy: with its country code a domain reads as a word, or as two of which
// the label by itself breaks the second. `label` is what stands before `code`.
bool is_word_with_code(const Table& table, std::string_view label, std::string_view code) {
  std::array<char, kWordMax> both;
  if (label.size() + code.size() > both.size() ||
      !std::all_of(label.begin(), label.end(), is_letter))
    return false;
  label.copy(both.data(), label.size());
  code.copy(both.data() + label.size(), code.size());
  const std::string_view word(both.data(), label.size() + code.size());
  if (is_english(table, word)) return true;
  return is_two_words(table, word, code.size()) && !is_english(table, label) &&
         !is_two_words(table, label, 0);
}

// "tired.it is late": an end of one sentence and the start of another look like a domain.
bool reads_as_two_sentences(std::string_view host) {
  static constexpr std::string_view kWords[] = {"am", "as", "at", "be", "by", "do", "es", "et",
                                                "id", "il", "in", "is", "it", "la", "me", "my",
                                                "ne", "no", "se", "si", "so", "to", "us"};
  const std::string_view end = host.substr(host.rfind('.') + 1);
  return std::find(std::begin(kWords), std::end(kWords), end) != std::end(kWords) ||
         std::any_of(host.begin(), host.end(), [](char c) { return lower(c) != c || c < 0; });
}

}  // namespace

Country country_of_domain(const Table& table, std::string_view domain) {
  while (!domain.empty() && domain.back() == '.') domain.remove_suffix(1);
  if (domain.size() > kDomainMax) return kUnknownCountry;
  const std::size_t dot = domain.rfind('.');
  constexpr std::size_t kCode = 2;
  if (dot == std::string_view::npos || dot == 0 || domain.size() - dot - 1 != kCode)
    return kUnknownCountry;
  Lowered lowered(domain);
  const std::string_view all = lowered.view();
  const std::string_view code = all.substr(dot + 1);
  const Country country = Country::parse(code == "uk" ? "GB" : code).value_or(kUnknownCountry);
  if (!country.known() || all.front() == '.' || all.find("..") != std::string_view::npos)
    return kUnknownCountry;
  // The code, then what lies below it, label by label.
  constexpr int kLabelsMax = 5;
  std::size_t at = dot + 1;
  for (int labels = 0; labels < kLabelsMax; ++labels) {
    if (lowered.listed(table, at)) return kUnknownCountry;
    if (at == 0) break;
    const std::size_t before = at < 2 ? std::string_view::npos : all.rfind('.', at - 2);
    at = before == std::string_view::npos ? 0 : before + 1;
  }
  const char* suffix = psl_unregistrable_domain(psl_builtin(), lowered.c_str());
  if (suffix == nullptr || suffix == lowered.c_str()) return kUnknownCountry;
  if (std::string_view(suffix) != code) return country;
  const std::size_t label = all.rfind('.', dot - 1);
  const std::size_t begin = label == std::string_view::npos ? 0 : label + 1;
  return is_word_with_code(table, all.substr(begin, dot - begin), code) ? kUnknownCountry : country;
}

Country country_of_website(const Table& table, std::string_view url) {
  if (const std::size_t scheme = url.find("://"); scheme != std::string_view::npos)
    url.remove_prefix(scheme + 3);
  url = url.substr(0, url.find_first_of("/?# \t\n"));
  if (const std::size_t at = url.rfind('@'); at != std::string_view::npos)
    url.remove_prefix(at + 1);
  url = url.substr(0, url.find(':'));
  return country_of_domain(table, url);
}

std::optional<Link> next_link(std::string_view text, std::size_t from) {
  const auto is_end = [](char c) {
    return (c >= 0 && c <= ' ') || c == '(' || c == ')' || c == '<' || c == '>' || c == '"' ||
           c == ',' || c == ';' || c == '|' || c == '[' || c == ']' || c == '{' || c == '}';
  };
  std::size_t dot = text.find('.', from);
  while (dot != std::string_view::npos) {
    // The token around the dot.
    std::size_t begin = dot;
    while (begin > from && !is_end(text[begin - 1])) --begin;
    std::size_t end = dot + 1;
    while (end < text.size() && !is_end(text[end])) ++end;
    const std::string_view token = text.substr(begin, end - begin);
    Link link{begin, end, token, false};
    if (const std::size_t scheme = link.host.find("://"); scheme != std::string_view::npos) {
      link.host.remove_prefix(scheme + 3);
      link.marked = true;
    }
    const std::size_t path = link.host.find_first_of("/?#");
    const bool has_path = path != std::string_view::npos;
    link.host = link.host.substr(0, path);
    if (const std::size_t at = link.host.rfind('@'); at != std::string_view::npos) {
      link.host.remove_prefix(at + 1);
      link.marked = true;
    }
    link.host = link.host.substr(0, link.host.find(':'));
    link.marked = link.marked || link.host.starts_with("www.");
    while (!link.host.empty() && link.host.back() == '.') link.host.remove_suffix(1);
    const std::size_t last = link.host.rfind('.');
    if (last != std::string_view::npos && last > 0 && last + 2 < link.host.size() &&
        link.host.size() <= kDomainMax &&
        std::all_of(link.host.begin(), link.host.end(), is_host_character)) {
      // "Paris.Lyon/Nice" is none.
      if (has_path && !link.marked) {
        const Lowered top(link.host.substr(last + 1));
        link.marked = top.view() == link.host.substr(last + 1) &&
                      psl_is_public_suffix2(psl_builtin(), top.c_str(),
                                            PSL_TYPE_ANY | PSL_TYPE_NO_STAR_RULE) != 0;
      }
      return link;
    }
    from = end;
    dot = text.find('.', from);
  }
  return std::nullopt;
}

Country country_of_links(const Table& table, std::string_view text) {
  constexpr std::size_t kLooked = 1024;  // bytes
  constexpr int kLinksMax = 8;
  text = text.substr(0, kLooked);
  std::size_t from = 0;
  for (int i = 0; i < kLinksMax; ++i) {
    const auto link = next_link(text, from);
    if (!link) break;
    from = link->end;
    if (!link->marked && reads_as_two_sentences(link->host)) continue;
    if (const Country country = country_of_domain(table, link->host); country.known())
      return country;
  }
  return kUnknownCountry;
}

bool is_bridged(std::string_view handle) {
  while (!handle.empty() && handle.back() == '.') handle.remove_suffix(1);
  for (const std::string_view bridge : {".ap.brid.gy", ".web.brid.gy"}) {
    if (handle.size() <= bridge.size()) continue;
    const std::string_view end = handle.substr(handle.size() - bridge.size());
    if (std::equal(bridge.begin(), bridge.end(), end.begin(),
                   [](char want, char have) { return want == lower(have); })) {
      return true;
    }
  }
  return false;
}

}  // namespace geotally::geo
