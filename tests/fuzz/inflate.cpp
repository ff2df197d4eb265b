// Compressed messages: any bytes against a dictionary, and any bytes as a dictionary.
#include "feed/inflate.h"

#include <string>
#include <vector>

#include <zdict.h>

#include "feed/dialect.h"
#include "target.h"

namespace {

constexpr std::size_t kBytesMax = 1 << 16;

/// Trained on made-up messages; the same in every run.
std::string trained() {
  std::string samples;
  std::vector<std::size_t> sizes;
  for (int i = 0; i < 2'000; ++i) {
    const std::string sample = R"({"did":"did:plc:)" + std::to_string(i * 7919) +
                               R"(","kind":"commit","commit":{"collection":"app.bsky.feed.post",)" +
                               R"("rkey":")" + std::to_string(i * 104'729) + "\"}}";
    samples += sample;
    sizes.push_back(sample.size());
  }
  std::string dictionary(8'192, '\0');
  const std::size_t size =
      ZDICT_trainFromBuffer(dictionary.data(), dictionary.size(), samples.data(), sizes.data(),
                            static_cast<unsigned>(sizes.size()));
  geotally::fuzz::require(ZDICT_isError(size) == 0);
  dictionary.resize(size);
  return dictionary;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using geotally::feed::Dictionary;
  using geotally::feed::Inflater;
  static std::string error;
  static const auto dictionary = Dictionary::prepare(trained(), error);
  static Inflater inflater(kBytesMax);
  geotally::fuzz::require(dictionary != nullptr);
  const std::string_view bytes = geotally::fuzz::text_of(data, size);
  std::string_view text;
  if (inflater.inflate(bytes, *dictionary, text) == Inflater::Outcome::kOk) {
    geotally::fuzz::require(text.size() <= kBytesMax);
    // The padding is readable.
    volatile char last = text.data()[text.size() + geotally::feed::kFramePadding - 1];
    (void)last;
  }
  const auto other = Dictionary::prepare(bytes, error);
  geotally::fuzz::require(other == nullptr || other->id() != 0);
  return 0;
}
