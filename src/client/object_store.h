// Objects by key, with indexes: the local copy of an Informer (client-go's ThreadSafeStore).
//
// Threads: none of its own; whoever owns it locks.
#pragma once

#include <functional>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "client/object.h"

namespace podium::client {

// The values that an object is found under; none is fine. Pure.
using IndexFunction = std::function<std::vector<std::string>(const SharedObject& object)>;

class ObjectStore {
 public:
  // Over what is there as well. Instead of one of that name.
  void AddIndex(const std::string& name, IndexFunction index);

  // Null where there is none.
  SharedObject Get(std::string_view key) const;
  // Returns what was there.
  SharedObject Set(const std::string& key, const SharedObject& object);
  SharedObject Erase(std::string_view key);

  const std::map<std::string, SharedObject, std::less<>>& objects() const { return objects_; }
  // In the order of keys. "": all.
  std::vector<SharedObject> List(std::string_view name_space) const;
  // kInvalidArgument where there is no such index.
  Result<std::vector<SharedObject>> ByIndex(std::string_view index, std::string_view value) const;
  Result<std::vector<std::string>> IndexValues(std::string_view index) const;

 private:
  struct Index {
    IndexFunction values;
    std::map<std::string, std::set<std::string>, std::less<>> keys;  // by value

    void Add(const std::string& key, const SharedObject& object);
    void Remove(const std::string& key, const SharedObject& object);
  };

  std::map<std::string, SharedObject, std::less<>> objects_;
  std::map<std::string, Index, std::less<>> indexes_;
};

}  // namespace podium::client
