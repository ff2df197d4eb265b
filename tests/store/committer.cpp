// Goes on with the store of its argument until it is killed. The number of each commit that has
// returned goes to standard output, eight bytes at a time.
#include <unistd.h>

#include "world.h"

int main(int argc, char** argv) {
  using geotally::store::World;
  if (argc != 2) return 64;
  geotally::store::Options options;
  options.directory = argv[1];
  const auto store = geotally::store::Store::open(options);
  World world;
  world.move_base();
  world.replay(store->last_commit().number);
  for (;;) {
    world.commit_to(*store, World::rule(world.record().number + 1));
    const std::uint64_t number = world.record().number;
    if (::write(STDOUT_FILENO, &number, sizeof number) != sizeof number) return 74;
  }
}
