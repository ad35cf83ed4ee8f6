// The operation tables of List<T>, Map<T> and leaves, as templates; included by generated
// descriptors and by the files that define a leaf type, by nobody else.
#pragma once

#include <optional>
#include <tuple>
#include <type_traits>
#include <utility>

#include "reflect/type.h"

namespace podium::reflect {

template <class T>
void* CreateStruct(const Type&) {
  return new T();
}
template <class T>
void DestroyStruct(const Type&, void* object) {
  delete static_cast<T*>(object);
}

namespace detail {

template <class T>
constexpr ListOps MakeListOps() {
  return ListOps{
      .stride = sizeof(T),
      .resize = [](void* list, const Type*,
                   size_t size) { static_cast<List<T>*>(list)->resize(size); },
  };
}

template <class T>
constexpr MapOps MakeMapOps() {
  using M = Map<T>;
  return MapOps{
      .find = [](const void* map, std::string_view key) -> void* {
        const M& m = *static_cast<const M*>(map);
        auto found = m.find(key);
        return found == m.end() ? nullptr : const_cast<T*>(&found->second);
      },
      .insert = [](void* map, const Type*, std::string_view key, bool* inserted) -> void* {
        M& m = *static_cast<M*>(map);
        // Input in key order, the usual case, is appended after one comparison.
        const size_t before = m.size();
        const auto at = m.emplace_hint(m.end(), std::piecewise_construct,
                                       std::forward_as_tuple(key), std::forward_as_tuple());
        *inserted = m.size() != before;
        return &at->second;
      },
      .erase =
          [](void* map, const Type*, std::string_view key) {
            M& m = *static_cast<M*>(map);
            if (auto found = m.find(key); found != m.end()) m.erase(found);
          },
      .clear = [](void* map, const Type*) { static_cast<M*>(map)->clear(); },
      .each =
          [](const void* map, bool backwards, void* context, MapOps::Visitor visitor) {
            M& m = *const_cast<M*>(static_cast<const M*>(map));
            if (backwards) {
              for (auto at = m.rbegin(); at != m.rend(); ++at) {
                if (!visitor(context, at->first, &at->second)) return;
              }
            } else {
              for (auto& [key, value] : m) {
                if (!visitor(context, key, &value)) return;
              }
            }
          },
  };
}

}  // namespace detail

template <class T>
inline constexpr ListOps kListOps = detail::MakeListOps<T>();
template <class T>
inline constexpr MapOps kMapOps = detail::MakeMapOps<T>();

// The part of a Leaf that every value type has; the caller fills in the text forms.
//
// T is default-constructible, copyable and equality-comparable, and has bool IsZero() const.
template <class T>
constexpr Leaf MakeLeaf() {
  using O = std::optional<T>;
  return Leaf{
      .size = sizeof(T),
      .quoted = true,
      .plain = std::is_trivially_copyable_v<O>,
      .description = "",
      .construct = [](void* value) { new (value) T(); },
      .destroy = [](void* value) { static_cast<T*>(value)->~T(); },
      .copy = [](void* to,
                 const void* from) { *static_cast<T*>(to) = *static_cast<const T*>(from); },
      .equal = [](const void* a,
                  const void* b) { return *static_cast<const T*>(a) == *static_cast<const T*>(b); },
      .is_zero = [](const void* value) { return static_cast<const T*>(value)->IsZero(); },
      .from_json = nullptr,
      .to_json = nullptr,
      .from_proto = nullptr,
      .to_proto = nullptr,
      .optional_get = [](const void* optional) -> void* {
        const O& o = *static_cast<const O*>(optional);
        return o ? const_cast<T*>(&*o) : nullptr;
      },
      .optional_emplace = [](void* optional) -> void* {
        return &static_cast<O*>(optional)->emplace();
      },
      .optional_reset = [](void* optional) { static_cast<O*>(optional)->reset(); },
  };
}

}  // namespace podium::reflect
