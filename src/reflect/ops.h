// The operation tables of List<T>, Map<T> and leaves, as templates; included by generated
// descriptors and by the files that define a leaf type, by nobody else.
#pragma once

#include <memory>
#include <optional>
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

template <class Container>
bool* PresentOf(void* container) {
  return &static_cast<Nullable<Container>*>(static_cast<Container*>(container))->present;
}

// The functions of a list type. There are some two hundred of these, so they are made of as few
// members of vector as will do: growth is emplace_back's alone, and nothing assigns elements.
template <class T>
struct ListFunctions {
  using L = List<T>;
  static constexpr size_t kFirstBytes = 127;

  static size_t Size(const void* list) { return static_cast<const L*>(list)->size(); }
  static void* Data(const void* list) {
    return const_cast<T*>(static_cast<const L*>(list)->data());
  }
  static void* Add(void* list, const Type*) {
    L& l = *static_cast<L*>(list);
    // Lists of small elements begin with room for a few, which saves them most of their growing.
    if (l.capacity() == 0) l.reserve(kFirstBytes / sizeof(T) + 1);
    return &l.emplace_back();
  }
  static void Clear(void* list, const Type*) { static_cast<L*>(list)->clear(); }
  static void Resize(void* list, const Type*, size_t size) {
    L& l = *static_cast<L*>(list);
    l.reserve(size);
    while (l.size() > size) l.pop_back();
    while (l.size() < size) Add(list, nullptr);
  }
  static void Erase(void* list, const Type*, size_t index) {
    L& l = *static_cast<L*>(list);
    for (; index + 1 < l.size(); ++index) {
      std::destroy_at(&l[index]);
      std::construct_at(&l[index], std::move(l[index + 1]));
    }
    l.pop_back();
  }
};

template <class T, bool nullable>
constexpr ListOps MakeListOps() {
  using Functions = ListFunctions<T>;
  return ListOps{
      .stride = sizeof(T),
      .size = &Functions::Size,
      .data = &Functions::Data,
      .add = &Functions::Add,
      .clear = &Functions::Clear,
      .resize = &Functions::Resize,
      .erase = &Functions::Erase,
      .present = nullable ? &PresentOf<List<T>> : nullptr,
  };
}

template <class T, bool nullable>
constexpr MapOps MakeMapOps() {
  using M = Map<T>;
  return MapOps{
      .size = [](const void* map) { return static_cast<const M*>(map)->size(); },
      .find = [](const void* map, std::string_view key) -> void* {
        const M& m = *static_cast<const M*>(map);
        auto found = m.find(key);
        return found == m.end() ? nullptr : const_cast<T*>(&found->second);
      },
      .insert = [](void* map, const Type*, std::string_view key, bool* inserted) -> void* {
        M& m = *static_cast<M*>(map);
        // Input in key order, the usual case, is appended without a search.
        auto at = m.empty() || std::prev(m.end())->first < key ? m.end() : m.lower_bound(key);
        *inserted = at == m.end() || at->first != key;
        if (*inserted) at = m.try_emplace(at, std::string(key));
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
      .present = nullable ? &PresentOf<M> : nullptr,
  };
}

}  // namespace detail

template <class T, bool nullable>
inline constexpr ListOps kListOps = detail::MakeListOps<T, nullable>();
template <class T, bool nullable>
inline constexpr MapOps kMapOps = detail::MakeMapOps<T, nullable>();

// The part of a Leaf that every value type has; the caller fills in the text forms.
//
// T is default-constructible, copyable and equality-comparable, and has bool IsZero() const.
template <class T>
constexpr Leaf MakeLeaf() {
  using O = std::optional<T>;
  return Leaf{
      .size = sizeof(T),
      .quoted = true,
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
