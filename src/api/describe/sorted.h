// Things by some key, those of one key as they stood. Private to describe/.
#pragma once

#include <map>
#include <type_traits>
#include <vector>

#include "reflect/values.h"

namespace podium::api {

// std::stable_sort of this standard library asks for memory by a function that C++ has deprecated.
template <class T, class KeyOf>
std::vector<const T*> Sorted(const std::vector<const T*>& list, KeyOf key_of) {
  std::multimap<std::decay_t<decltype(key_of(*list.front()))>, const T*> by_key;
  for (const T* each : list) by_key.emplace(key_of(*each), each);
  std::vector<const T*> out;
  for (const auto& [key, each] : by_key) out.push_back(each);
  return out;
}

template <class T, class KeyOf>
std::vector<const T*> Sorted(const reflect::List<T>& list, KeyOf key_of) {
  std::vector<const T*> pointers;
  for (const T& each : list) pointers.push_back(&each);
  return Sorted(pointers, key_of);
}

}  // namespace podium::api
