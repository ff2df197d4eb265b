// geotally forget DID...: erases accounts at once, through a running daemon or in a data directory
// that no daemon holds.
#pragma once

#include <functional>

#include <CLI/CLI.hpp>

#include "config/load.h"

namespace geotally {

/// Adds the command; parsing it sets `chosen`, which returns the exit code.
void add_forget(CLI::App& app, config::Inputs& inputs, std::function<int()>& chosen);

}  // namespace geotally
