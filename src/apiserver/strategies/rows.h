// What the rows are written with. Internal to the folder.
#pragma once

#include <string_view>

#include "apiserver/strategies/strategy.h"
#include "reflect/type.h"

namespace podium::apiserver {

// Gives a row's functions the types of their objects.
template <class T, void (*prepare)(const StrategyContext&, T&)>
void Create(const StrategyContext& context, void* object) {
  prepare(context, *static_cast<T*>(object));
}

template <class T, void (*prepare)(const StrategyContext&, T&, const T&)>
void Update(const StrategyContext& context, void* object, const void* old) {
  prepare(context, *static_cast<T*>(object), *static_cast<const T*>(old));
}

// `old` is null for a new object.
template <class T, api::field::ErrorList (*check)(const T&, const T*)>
api::field::ErrorList CheckCreate(const StrategyContext&, const void* object) {
  return check(*static_cast<const T*>(object), nullptr);
}

template <class T, api::field::ErrorList (*check)(const T&, const T*)>
api::field::ErrorList CheckUpdate(const StrategyContext&, const void* object, const void* old) {
  return check(*static_cast<const T*>(object), static_cast<const T*>(old));
}

template <class T, std::vector<std::string> (*warn)(const T&, const T*)>
std::vector<std::string> Warn(const void* object, const void* old) {
  return warn(*static_cast<const T*>(object), static_cast<const T*>(old));
}

// The subresource status of a kind that nothing more is special about.
template <class T>
Strategy StatusOf(KeptMetadata kept = KeptMetadata::kNothing) {
  return {.type = &reflect::TypeOf<T>(),
          .subresource = "status",
          .own_field = "status",
          .kept_metadata = kept};
}

}  // namespace podium::apiserver
