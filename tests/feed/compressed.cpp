#include "compressed.h"

#include <cstdlib>
#include <memory>
#include <vector>

#include <zdict.h>
#include <zstd.h>

#include "harness.h"

namespace geotally::feed {

std::string train_dictionary(std::uint32_t id) {
  std::string samples;
  std::vector<std::size_t> sizes;
  for (int n = 0; n < 2000; ++n) {
    const std::string sample = like(n * 7919 % 100'000);
    samples += sample;
    sizes.push_back(sample.size());
  }
  std::string dictionary(16 * 1024, '\0');
  const std::size_t size =
      ZDICT_trainFromBuffer(dictionary.data(), dictionary.size(), samples.data(), sizes.data(),
                            static_cast<unsigned>(sizes.size()));
  if (ZDICT_isError(size) != 0) std::abort();
  dictionary.resize(size);
  // The id stands behind the magic number, little-endian (RFC 8878, section 5).
  for (std::size_t i = 0; i < 4; ++i) dictionary[4 + i] = static_cast<char>(id >> (8 * i) & 0xFF);
  return dictionary;
}

std::string compress(std::string_view text, const std::string& dictionary, bool with_size) {
  const std::unique_ptr<ZSTD_CCtx, decltype(&ZSTD_freeCCtx)> context(ZSTD_createCCtx(),
                                                                     ZSTD_freeCCtx);
  ZSTD_CCtx_setParameter(context.get(), ZSTD_c_contentSizeFlag, with_size ? 1 : 0);
  if (!dictionary.empty()) {
    ZSTD_CCtx_loadDictionary(context.get(), dictionary.data(), dictionary.size());
  }
  std::string out(ZSTD_compressBound(text.size()), '\0');
  const std::size_t size =
      ZSTD_compress2(context.get(), out.data(), out.size(), text.data(), text.size());
  if (ZSTD_isError(size) != 0) std::abort();
  out.resize(size);
  return out;
}

}  // namespace geotally::feed
