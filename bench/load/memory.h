// What a server's memory is with so many objects.
#pragma once

#include "load/options.h"

namespace podium::load {

// Makes objects of options.kind until there are as many as each of options.objects says, and prints
// the proportional set size of the processes after the creates and after all were listed, with what
// an object has taken.
Result<void> Memory(const Options& options);

}  // namespace podium::load
