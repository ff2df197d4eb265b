// Messages of Jetstream v2.
#include "jetstream.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  // One for ever, as in the daemon: what a message leaves behind must not hurt the next.
  static const auto dialect = geotally::feed::make_jetstream_v2();
  geotally::fuzz::decode(*dialect, geotally::fuzz::text_of(data, size));
  return 0;
}
