// What a C library makes, freed by the function that it has for that:
//
//   const Owned<ifaddrs, freeifaddrs> list(first);
#pragma once

#include <memory>

namespace podium {

template <auto free>
struct Free {
  template <class T>
  void operator()(T* object) const {
    free(object);
  }
};

template <class T, auto free>
using Owned = std::unique_ptr<T, Free<free>>;

}  // namespace podium
