// A store in memory with an executor of its own, and short ways to put objects into it.
#pragma once

#include <gtest/gtest.h>

#include <string>

#include "apiserver/objects.h"
#include "apiserver/storage_keys.h"
#include "base/executor.h"
#include "reflect/json.h"
#include "store/memory_store.h"

namespace podium::apiserver {

struct TestStore {
  ThreadExecutor executor{4};
  store::MemoryStore memory{executor};
  Objects objects{memory};

  void Put(const std::string& key, const std::string& json) {
    ASSERT_TRUE(memory.WriteAndWait({.key = key, .value = json}).ok());
  }
  // Under the key that the server has it at; kind and apiVersion are set.
  template <class T>
  void Put(T object) {
    const reflect::Type& type = reflect::TypeOf<T>();
    object.kind = type.name;
    object.apiVersion = type.ApiVersion();
    const auto json = reflect::ToJson(object);
    ASSERT_TRUE(json.ok());
    Put(KeyOf(Objects::PrefixOf(type), object.metadata.namespace_, object.metadata.name), *json);
  }
  template <class T>
  void Remove(const std::string& name_space, const std::string& name) {
    ASSERT_TRUE(
        memory
            .WriteAndWait({.key = KeyOf(Objects::PrefixOf(reflect::TypeOf<T>()), name_space, name)})
            .ok());
  }
};

}  // namespace podium::apiserver
