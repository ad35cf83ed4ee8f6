// Objects: how the server reads its own store for what it has to decide: whose service account,
// which quota, which role. Decoded, shared, and always of the newest state.
//
//   TRY(const auto account, objects.Get<api::core::v1::ServiceAccount>("default", "builder"));
//   if (account == nullptr) …
//
// Threads: any. Nothing here waits for a disk.
#pragma once

#include <concepts>
#include <memory>
#include <string_view>
#include <utility>
#include <vector>

#include "api/types/core_v1.h"
#include "api/types/discovery_v1.h"
#include "apiserver/stored_object.h"
#include "base/result.h"
#include "reflect/type.h"
#include "store/store.h"

namespace podium::apiserver {

// Whether decoded objects of T stay in memory once they were asked for. Those that there may be a
// hundred thousand of do not.
template <class T>
inline constexpr bool kStaysDecoded =
    !std::same_as<T, api::core::v1::Pod> && !std::same_as<T, api::core::v1::ConfigMap> &&
    !std::same_as<T, api::core::v1::Secret> && !std::same_as<T, api::core::v1::Event> &&
    !std::same_as<T, api::core::v1::Endpoints> &&
    !std::same_as<T, api::discovery::v1::EndpointSlice>;

class Objects {
 public:
  // The store outlives it.
  explicit Objects(store::Store& store) : store_(store) {}

  // T is the stored version of a built-in kind. Null when there is no such object. "" for the
  // namespace of what has none.
  template <class T>
  Result<std::shared_ptr<const T>> Get(std::string_view name_space, std::string_view name) const {
    TRY(DecodedPtr decoded, GetDecoded(reflect::TypeOf<T>(), name_space, name, kStaysDecoded<T>));
    return Cast<T>(std::move(decoded));
  }

  // Those of a namespace, or with "" all there are, by key.
  template <class T>
  Result<std::vector<std::shared_ptr<const T>>> List(std::string_view name_space) const {
    TRY(auto decoded, ListDecoded(reflect::TypeOf<T>(), name_space, kStaysDecoded<T>));
    std::vector<std::shared_ptr<const T>> objects;
    objects.reserve(decoded.size());
    for (DecodedPtr& object : decoded) objects.push_back(Cast<T>(std::move(object)));
    return objects;
  }

  // The prefix of T's keys, for watches of the store. Empty for what is no stored kind.
  static std::string PrefixOf(const reflect::Type& type);

  store::Store& store() const { return store_; }

 private:
  template <class T>
  static std::shared_ptr<const T> Cast(DecodedPtr decoded) {
    const T* object = decoded != nullptr ? decoded->As<T>() : nullptr;
    return {std::move(decoded), object};
  }
  Result<DecodedPtr> GetDecoded(const reflect::Type& type, std::string_view name_space,
                                std::string_view name, bool keep) const;
  Result<std::vector<DecodedPtr>> ListDecoded(const reflect::Type& type,
                                              std::string_view name_space, bool keep) const;

  store::Store& store_;
};

}  // namespace podium::apiserver
