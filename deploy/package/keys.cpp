// Prints the entries of geotally.toml(5), as scdoc source, from the table of keys.
#include <cstdio>

#include "config/keys.h"

int main() { std::fputs(geotally::config::manual_entries().c_str(), stdout); }
